// Validates the definition of every state machine of the given templates with asl-validator, which is found through
// NODE_PATH. What only a deployment knows is replaced by something of the same form.
"use strict";

const fs = require("node:fs");
const validate = require("asl-validator");

/** What stands for a value that only a deployment knows. */
function stand_in(name) {
  return /arn$/i.test(name) ? `arn:aws:lambda:us-east-1:123456789012:function:${name}` : name;
}

/** Returns the text of an expression, with every intrinsic function replaced. */
function text(expression) {
  if (typeof expression === "string") return expression;
  const [[name, argument]] = Object.entries(expression);
  if (name === "Fn::Join") return argument[1].map(text).join(argument[0]);
  if (name === "Fn::Sub") return Array.isArray(argument) ? argument[0] : argument;
  return stand_in([].concat(argument).join(""));
}

let machines = 0;
let wrong = 0;
for (const file of process.argv.slice(2)) {
  const template = JSON.parse(fs.readFileSync(file, "utf8"));
  for (const [id, resource] of Object.entries(template.Resources ?? {})) {
    if (resource.Type !== "AWS::StepFunctions::StateMachine") continue;
    machines += 1;
    const { Definition, DefinitionString } = resource.Properties;
    const written = Definition ? JSON.stringify(Definition) : text(DefinitionString);
    const definition = JSON.parse(written.replace(/\$\{([^}]+)\}/g, (_, name) => stand_in(name)));
    const { isValid, errorsText } = validate(definition);
    if (!isValid) {
      wrong += 1;
      console.error(`${file}: ${id}:\n${errorsText("\n")}`);
    }
  }
}
console.log(`${machines} state machines, ${wrong} wrong`);
process.exit(wrong || !machines ? 1 : 0);
