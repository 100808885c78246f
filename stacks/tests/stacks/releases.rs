//! What the shipped systems release, and what is asked of them afterwards.

use serde_json::{Value, json};

use crate::golden::{shipped, synth};

/// Collects who names a function past its alias: the paths of what refers to its ARN.
fn past_the_alias(value: &Value, function: &str, path: &str, found: &mut Vec<String>) {
    if value["Fn::GetAtt"] == json!([function, "Arn"]) {
        found.push(path.to_owned());
    }
    match value {
        Value::Object(entries) => {
            for (key, entry) in entries {
                // What names it in a text.
                let is_text =
                    key == "Fn::Sub" && entry.to_string().contains(&format!("${{{function}.Arn}}"));
                if is_text {
                    found.push(path.to_owned());
                }
                past_the_alias(entry, function, &format!("{path}.{key}"), found);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                past_the_alias(element, function, path, found);
            }
        }
        _ => {}
    }
}

/// Nobody who calls a function of a stage with users meets new code with old variables.
#[test]
fn everybody_invokes_the_functions_of_a_protected_stage_by_their_alias() {
    let assembly = synth(shipped("prod"));
    let mut functions = 0;
    for stack in &assembly.manifest().stacks {
        let template: Value = serde_json::from_str(assembly.template(&stack.id).unwrap()).unwrap();
        let resources = template["Resources"].as_object().unwrap();
        for (id, _) in resources
            .iter()
            .filter(|(_, resource)| resource["Type"] == "AWS::Lambda::Function")
        {
            functions += 1;
            let alias = &resources[&format!("{id}Alias")]["Properties"];
            assert_eq!(alias["FunctionName"], json!({"Ref": id}));
            assert_eq!(stack.releases[&format!("{id}Release")], *id);
            let mut found = Vec::new();
            past_the_alias(&template, id, "", &mut found);
            // Custom resources ask once all of the function is deployed, and cannot be led elsewhere.
            found.retain(|path| !path.ends_with(".ServiceToken"));
            assert_eq!(found, [""; 0], "{} / {id}", stack.id);
        }
    }
    assert_eq!(functions, 23);
    let dev = synth(shipped("dev"));
    for stack in &dev.manifest().stacks {
        assert!(stack.releases.is_empty(), "{}", stack.id);
    }
}

#[test]
fn the_api_of_the_orders_has_to_answer_after_each_deploy() {
    for stage in ["dev", "prod"] {
        let assembly = synth(shipped(stage));
        let stacks = &assembly.manifest().stacks;
        let backend = stacks.iter().find(|stack| stack.id == "orders-backend");
        let check = serde_json::to_value(&backend.unwrap().smoke["RootAnswers"]).unwrap();
        let asked =
            json!({"api": "Api", "stage": "ApiStage", "method": "GET", "path": "/", "status": 200});
        assert_eq!(check, asked);
    }
}
