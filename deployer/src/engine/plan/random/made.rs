//! Templates of any resource types, made from what the registry says of them.

use serde_json::{Map, Value, json};
use stack_model_cfn::facts::{self, ResourceFacts, ValueFacts, ValueKind};

use super::Choices;
use super::rewrite::JSON_TEXTS;

/// Types that are chosen more often: they have traps, hold data, or are named by others.
const USUAL: &[&str] = &[
    "AWS::ApiGateway::Method",
    "AWS::ApiGateway::RestApi",
    "AWS::ApiGateway::Stage",
    "AWS::Cognito::UserPool",
    "AWS::CloudFront::Distribution",
    "AWS::CloudWatch::Dashboard",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::Events::Rule",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::KMS::Key",
    "AWS::Lambda::EventSourceMapping",
    "AWS::Lambda::Function",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::StepFunctions::StateMachine",
    "AWS::WAFv2::WebACL",
];

/// How deep a value becomes at most.
const DEPTH: usize = 5;

/// Makes a template of a few resources.
pub(crate) fn made(choices: &mut Choices<'_>) -> Value {
    let mut resources = Map::new();
    for position in 0..=choices.below(5) {
        resources.insert(format!("Thing{position}"), resource(choices, position));
    }
    let output = json!({"Value": {"Ref": "Thing0"}});
    json!({
        "Parameters": {"Word": {"Type": "String", "Default": "word"}},
        "Resources": resources,
        "Outputs": {"First": output},
    })
}

/// Makes a resource that may refer to those before it.
pub(super) fn resource(choices: &mut Choices<'_>, position: usize) -> Value {
    let name = if choices.chance(30) {
        let all: Vec<&str> = facts::resource_types().collect();
        *choices.pick(&all)
    } else {
        *choices.pick(USUAL)
    };
    let known = facts::resource_type(name).expect("it is among those that are known");
    let mut properties = Map::new();
    for property in known.properties() {
        let wanted = property.required() || choices.chance(25);
        if wanted && !property.read_only() {
            let mut maker = Maker {
                choices,
                known,
                position,
                names: 0,
            };
            let value = maker.value(property.name(), property.value(), 0);
            properties.insert(property.name().to_owned(), value);
        }
    }
    let mut body = json!({"Type": name, "Properties": properties});
    for policy in ["DeletionPolicy", "UpdateReplacePolicy"] {
        if choices.chance(30) {
            body[policy] = json!(choices.pick(&["Delete", "Retain"]));
        }
    }
    if position > 0 && choices.chance(20) {
        body["DependsOn"] = json!(["Thing0"]);
    }
    body
}

struct Maker<'a, 'b> {
    choices: &'a mut Choices<'b>,
    known: &'static ResourceFacts,
    /// How many resources there are to refer to.
    position: usize,
    /// How many names there are so far.
    names: usize,
}

impl Maker<'_, '_> {
    fn value(&mut self, path: &str, value: ValueFacts, depth: usize) -> Value {
        match value.kind() {
            ValueKind::Text => self.text(path, value),
            ValueKind::Integer => {
                let (least, greatest) = value.range();
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "what is no whole number is cut to one"
                )]
                let (least, greatest) = (
                    least.unwrap_or(0.0) as i64,
                    greatest.map_or(1000, |end| end as i64),
                );
                let width = greatest.saturating_sub(least).clamp(0, 1000);
                let width = usize::try_from(width).expect("it is small and not negative");
                let step = i64::try_from(self.choices.below(width + 1)).expect("it is small");
                json!(least.saturating_add(step))
            }
            ValueKind::Number => json!(value.range().0.unwrap_or(0.5)),
            ValueKind::Boolean => json!(self.choices.chance(50)),
            ValueKind::List(element) if depth < DEPTH => {
                let count = self.choices.below(4);
                (0..count)
                    .map(|_| self.value(&format!("{path}/0"), element, depth + 1))
                    .collect()
            }
            ValueKind::List(_) => json!([]),
            ValueKind::Map(entry) if depth < DEPTH => {
                let entries: Map<String, Value> = (0..self.choices.below(3))
                    .map(|number| {
                        let key = format!("key{number}");
                        let entry = self.value(&format!("{path}/{key}"), entry, depth + 1);
                        (key, entry)
                    })
                    .collect();
                entries.into()
            }
            ValueKind::Shape(shape) => {
                let mut entries = Map::new();
                for (name, required) in shape.properties() {
                    let wanted = required || self.choices.chance(30);
                    let path = format!("{path}/{name}");
                    let Some(property) = self.known.property(&path).filter(|_| wanted) else {
                        continue;
                    };
                    if depth < DEPTH && !property.read_only() {
                        entries.insert(
                            name.to_owned(),
                            self.value(&path, property.value(), depth + 1),
                        );
                    }
                }
                entries.into()
            }
            _ => self.json(path),
        }
    }

    fn text(&mut self, path: &str, value: ValueFacts) -> Value {
        let allowed: Vec<&str> = value.enum_values().collect();
        if !allowed.is_empty() {
            return json!(self.choices.pick(&allowed));
        }
        if JSON_TEXTS.contains(&(self.known.name(), path)) {
            return json!(definition(self.choices).to_string());
        }
        // Elements of lists have names of their own.
        if path.contains('/') && path.ends_with("Name") {
            self.names += 1;
            return json!(format!("name{}", self.names));
        }
        let other = format!("Thing{}", self.choices.below(self.position.max(1)));
        match self.choices.below(10) {
            9 if self.position > 0 => json!({"Ref": other}),
            8 if self.position > 0 => json!({"Fn::GetAtt": [other, "Arn"]}),
            7 if self.position > 0 => {
                json!({"Fn::Sub": format!("a:${{{other}}}/${{AWS::Region}}*")})
            }
            6 => json!({"Ref": "Word"}),
            5 => json!({"Fn::ImportValue": "other-stack"}),
            4 => json!({"Fn::Join": ["-", ["a", {"Ref": "Word"}, {"Ref": "AWS::Region"}]]}),
            number => json!(["one", "two", "arn:aws:sns:eu-west-1:1:t", "3"][number % 4]),
        }
    }

    /// Makes what the registry does not describe: a policy, where it is one.
    fn json(&mut self, path: &str) -> Value {
        if !path.contains("Policy") && !path.ends_with("Document") {
            return definition(self.choices);
        }
        let statements: Vec<Value> = (0..=self.choices.below(3))
            .map(|_| statement(self.choices))
            .collect();
        json!({"Version": "2012-10-17", "Statement": statements})
    }
}

/// Makes a statement of a policy.
pub(super) fn statement(choices: &mut Choices<'_>) -> Value {
    let actions = ["s3:GetObject", "s3:*", "sqs:SendMessage", "dynamodb:Get*"];
    let mut statement = json!({
        "Effect": choices.pick(&["Allow", "Allow", "Deny"]),
        "Action": [choices.pick(&actions), choices.pick(&actions)],
        "Resource": choices.pick(&["*", "arn:aws:s3:::one/*", "arn:aws:sqs:eu-west-1:1:two"]),
    });
    match choices.below(4) {
        1 => {
            statement["Principal"] =
                json!({"Service": ["lambda.amazonaws.com", "sns.amazonaws.com"]});
        }
        2 => statement["Principal"] = json!({"AWS": "*"}),
        3 => statement["Action"] = json!("s3:GetObject"),
        _ => {}
    }
    if choices.chance(30) {
        statement["Condition"] = json!({"StringEquals": {"aws:SourceAccount": ["1", "2"]}});
    }
    statement
}

fn definition(choices: &mut Choices<'_>) -> Value {
    json!({
        "StartAt": "Pause",
        "States": {
            "Pause": {"Type": "Wait", "Seconds": choices.below(9), "Next": "End"},
            "End": {"Type": "Succeed"},
        },
    })
}
