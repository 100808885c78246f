use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::canonical::{canonical, same};
use super::*;

/// Knows of a queue's name and of what a sample function refers to.
struct Sample;

impl Knowledge for Sample {
    fn update(&self, resource_type: &str, place: &[Step]) -> Update {
        let Some(Step::Key(first)) = place.first() else {
            return Update::Unknown;
        };
        match (resource_type, first.as_str()) {
            (_, "QueueName" | "TableName" | "FunctionName")
            | ("AWS::Lambda::EventSourceMapping", "EventSourceArn") => Update::Replacement,
            (_, "Maybe") => Update::Conditional,
            (_, "Strange") => Update::Unknown,
            _ => Update::InPlace,
        }
    }

    fn is_unordered(&self, _: &str, place: &[Step]) -> bool {
        place == [Step::Key("Layers".to_owned())]
    }
}

fn plan_of(old: &Value, new: &Value) -> StackPlan {
    plan_with(old, &[], new, &[])
}

fn plan_with(
    old: &Value,
    old_parameters: &[(&str, &str)],
    new: &Value,
    new_parameters: &[(&str, &str)],
) -> StackPlan {
    let values = |pairs: &[(&str, &str)]| {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>()
    };
    let old = Side {
        template: Some(old),
        parameters: values(old_parameters),
        tags: BTreeMap::new(),
    };
    let new = Side {
        template: Some(new),
        parameters: values(new_parameters),
        tags: BTreeMap::new(),
    };
    compare("intake-dev", &old, &new, &BTreeMap::new(), &Sample)
}

fn resources(resources: &Value) -> Value {
    json!({ "Resources": resources })
}

#[test]
fn the_json_shape_is_the_contract() {
    let plan = Plan {
        stacks: vec![plan_of(
            &resources(
                &json!({"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "a", "DelaySeconds": 1}}}),
            ),
            &resources(
                &json!({"Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "b", "DelaySeconds": 2}}}),
            ),
        )],
    };
    let text = serde_json::to_string_pretty(&plan).expect("is JSON");
    snapbox::assert_data_eq!(
        text,
        snapbox::str![[r#"
{
  "stacks": [
    {
      "stack": "intake-dev",
      "changes": [
        {
          "logical_id": "Queue",
          "resource_type": "AWS::SQS::Queue",
          "action": "replace",
          "grade": "data_loss",
          "reasons": [
            "the replaced resource is deleted with the data that it holds",
            "QueueName cannot change without replacement"
          ],
          "properties": [
            {
              "path": "Properties.DelaySeconds",
              "before": 1,
              "after": 2
            },
            {
              "path": "Properties.QueueName",
              "before": "a",
              "after": "b"
            }
          ]
        }
      ],
      "other": []
    }
  ]
}
"#]]
    );
}

#[test]
fn every_action_has_its_grade_and_reason() {
    let old = resources(&json!({
        "Same": {"Type": "AWS::SNS::Topic"},
        "Changed": {"Type": "AWS::Lambda::Function", "Properties": {"Timeout": 1}},
        "Renamed": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "a"}},
        "Moved": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "a"}},
        "Saved": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "a"}, "UpdateReplacePolicy": "Retain"},
        "Perhaps": {"Type": "AWS::DynamoDB::Table", "Properties": {"Maybe": 1}},
        "Unknown": {"Type": "AWS::Lambda::Function", "Properties": {"Strange": {"Thing": 1}}},
        "GoneTable": {"Type": "AWS::DynamoDB::Table"},
        "GoneRetained": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain"},
        "GoneSnapshot": {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Snapshot"},
        "GoneTopic": {"Type": "AWS::SNS::Topic"},
        "Other": {"Type": "AWS::SNS::Topic"},
    }));
    let new = resources(&json!({
        "Same": {"Type": "AWS::SNS::Topic", "Properties": {}},
        "Changed": {"Type": "AWS::Lambda::Function", "Properties": {"Timeout": 2}},
        "Renamed": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "b"}},
        "Moved": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "b"}},
        "Saved": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "b"}, "UpdateReplacePolicy": "Retain"},
        "Perhaps": {"Type": "AWS::DynamoDB::Table", "Properties": {"Maybe": 2}},
        "Unknown": {"Type": "AWS::Lambda::Function", "Properties": {"Strange": {"Thing": 2}}},
        "New": {"Type": "AWS::SNS::Topic"},
        "Other": {"Type": "AWS::SQS::Queue"},
    }));
    let plan = plan_of(&old, &new);
    let lines: Vec<String> = plan
        .changes
        .iter()
        .map(|change| {
            format!(
                "{} {:?} {:?}: {}",
                change.logical_id,
                change.action,
                change.grade,
                change.reasons.join("; ")
            )
        })
        .collect();
    snapbox::assert_data_eq!(
        lines.join("\n"),
        snapbox::str![[r#"
Changed Update UpdateInPlace: 
GoneRetained Retain None: its deletion policy retains it outside the stack
GoneSnapshot Delete Interruption: it is deleted, and a snapshot of its data is kept
GoneTable Delete DataLoss: it is deleted with the data that it holds
GoneTopic Delete Interruption: it is deleted
Moved Replace DataLoss: the replaced resource is deleted with the data that it holds; TableName cannot change without replacement
New Create None: it is new
Other Replace DataLoss: the replaced resource is deleted with the data that it holds; a resource cannot change its type: CloudFormation refuses this, give the new one another logical id
Perhaps Update DataLoss: Maybe may need replacement; if so, the replaced resource is deleted with the data that it holds
Renamed Replace Replacement: FunctionName cannot change without replacement
Saved Replace Replacement: the replaced resource stays outside the stack; the new one is empty; TableName cannot change without replacement
Unknown Update UpdateInPlace: nothing is known of Strange.Thing
"#]]
    );
}

#[test]
fn what_refers_to_a_replaced_resource_changes_too() {
    let template = |name: &str| {
        resources(&json!({
            "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": name}},
            "Mapping": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
                "EventSourceArn": {"Fn::GetAtt": ["Table", "StreamArn"]},
            }},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {
                "Environment": {"Variables": {"TABLE": {"Fn::Sub": "x-${Table}"}}},
            }},
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": {
                "Dimensions": [{"Name": "m", "Value": {"Ref": "Mapping"}}],
            }},
            "Far": {"Type": "AWS::SNS::Topic"},
        }))
    };
    let plan = plan_of(&template("a"), &template("b"));
    let found: Vec<_> = plan
        .changes
        .iter()
        .map(|change| {
            let paths: Vec<_> = change
                .properties
                .iter()
                .map(|property| property.path.to_string())
                .collect();
            (
                change.logical_id.as_str(),
                change.action,
                paths,
                change.reasons.last().map(String::as_str),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            (
                "Alarm",
                Action::Update,
                vec!["Properties.Dimensions[0].Value".to_owned()],
                Some("it refers to Mapping, which is replaced")
            ),
            (
                "Function",
                Action::Update,
                vec!["Properties.Environment.Variables.TABLE".to_owned()],
                Some("it refers to Table, which is replaced")
            ),
            (
                "Mapping",
                Action::Replace,
                vec!["Properties.EventSourceArn".to_owned()],
                Some("it refers to Table, which is replaced")
            ),
            (
                "Table",
                Action::Replace,
                vec!["Properties.TableName".to_owned()],
                Some("TableName cannot change without replacement")
            ),
        ]
    );
}

#[test]
fn parameters_are_compared_by_value() {
    let template = resources(
        &json!({"Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Code": {"S3Key": {"Ref": "Key"}, "S3Bucket": {"Ref": "Bucket"}},
        }}}),
    );
    let literal = resources(
        &json!({"Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Code": {"S3Key": "one", "S3Bucket": "b"},
        }}}),
    );
    let values = [("Key", "one"), ("Bucket", "b")];
    assert!(plan_with(&template, &values, &literal, &[]).is_empty());
    let plan = plan_with(
        &template,
        &values,
        &template,
        &[("Key", "two"), ("Bucket", "b")],
    );
    let change = &plan.changes[0];
    assert_eq!(
        change.properties,
        [PropertyChange {
            path: Path::new("Properties").key("Code").key("S3Key"),
            before: Some(json!("one")),
            after: Some(json!("two")),
        }]
    );
    // A masked value says nothing, so the reference stays a reference.
    let masked = [("Key", "****"), ("Bucket", "b")];
    assert!(plan_with(&template, &masked, &template, &masked).is_empty());
}

#[test]
fn what_means_the_same_is_no_change() {
    let pairs = [
        (
            json!({"Fn::GetAtt": "A.Arn"}),
            json!({"Fn::GetAtt": ["A", "Arn"]}),
        ),
        (json!({"Fn::Sub": "x"}), json!("x")),
        (json!({"Fn::Sub": "${A}"}), json!({"Ref": "A"})),
        (
            json!({"Fn::Sub": "a:${AWS::Region}:${A.Arn}/*"}),
            json!({"Fn::Join": ["", ["a:", {"Ref": "AWS::Region"}, ":", {"Fn::GetAtt": ["A", "Arn"]}, "/*"]]}),
        ),
        (
            json!({"Fn::Sub": ["${X}-${!Y}", {"X": {"Ref": "A"}}]}),
            json!({"Fn::Join": ["-", [{"Ref": "A"}, "${Y}"]]}),
        ),
        (
            json!({"Fn::Join": ["", ["a", {"Fn::Join": ["", ["b", {"Ref": "C"}]]}]]}),
            json!({"Fn::Sub": "ab${C}"}),
        ),
        (json!({"Fn::Select": [1, ["a", "b"]]}), json!("b")),
        (json!(["a", {"Ref": "AWS::NoValue"}]), json!(["a"])),
        (json!({"a": {"Ref": "AWS::NoValue"}}), json!({})),
        (json!({"n": 5, "b": true}), json!({"n": "5", "b": "true"})),
        (
            json!({"Statement": {"Effect": "Allow", "Action": "s3:Get*", "Resource": ["b", "a"], "Principal": {"AWS": "x"}}}),
            json!({"Statement": [{"Effect": "Allow", "Action": ["s3:Get*"], "Resource": ["a", "b"], "Principal": {"AWS": ["x"]}}]}),
        ),
        (
            json!({"Statement": [{"Sid": "1"}, {"Sid": "2"}]}),
            json!({"Statement": [{"Sid": "2"}, {"Sid": "1"}]}),
        ),
        (
            json!({"Statement": [{"Sid": "1", "Effect": "Deny"}, {"Effect": "Allow", "Sid": "0"}]}),
            json!({"Statement": [{"Sid": "0", "Effect": "Allow"}, {"Effect": "Deny", "Sid": "1"}]}),
        ),
        (
            json!({"Tags": [{"Key": "b", "Value": "1"}, {"Key": "a", "Value": "2"}]}),
            json!({"Tags": [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": "1"}]}),
        ),
    ];
    let none = BTreeMap::new();
    for (left, right) in pairs {
        let (a, b) = (canonical(&left, &none), canonical(&right, &none));
        assert!(same(&a, &b), "{left} became {a}, {right} became {b}");
    }
}

#[test]
fn what_differs_is_a_change() {
    let pairs = [
        (json!({"Ref": "A"}), json!({"Ref": "B"})),
        (json!("a"), json!({"Ref": "a"})),
        (json!({"Fn::Sub": "${!A}"}), json!({"Ref": "A"})),
        (json!([1, 2]), json!([2, 1])),
        (json!({"Fn::Join": [",", ["a", "b"]]}), json!("ab")),
        (
            json!({"Statement": [{"Action": "a"}]}),
            json!({"Statement": [{"Action": ["a", "b"]}]}),
        ),
        (json!(null), json!("null")),
        (json!({"Fn::Sub": "open ${"}), json!("open")),
    ];
    let none = BTreeMap::new();
    for (left, right) in pairs {
        let (a, b) = (canonical(&left, &none), canonical(&right, &none));
        assert!(!same(&a, &b), "{left} and {right}");
    }
}

#[test]
fn lists_without_order_are_sets() {
    let template = |layers: Value| {
        resources(
            &json!({"F": {"Type": "AWS::Lambda::Function", "Properties": {"Layers": layers}}}),
        )
    };
    assert!(plan_of(&template(json!(["a", "b"])), &template(json!(["b", "a"]))).is_empty());
    let plan = plan_of(
        &template(json!(["a", "b"])),
        &template(json!(["a", "b", "c"])),
    );
    assert_eq!(
        plan.changes[0].properties[0].path,
        Path::new("Properties").key("Layers")
    );
}

#[test]
fn sections_besides_resources_are_compared() {
    let old = json!({"Resources": {}, "Outputs": {"A": {"Value": "1"}}, "Description": "x"});
    let new = json!({"Resources": {}, "Outputs": {"A": {"Value": "2"}, "B": {"Value": "3"}}, "Description": "x", "Conditions": {}});
    let plan = plan_of(&old, &new);
    let paths: Vec<_> = plan
        .other
        .iter()
        .map(|change| change.path.to_string())
        .collect();
    assert_eq!(paths, ["Outputs.A.Value", "Outputs.B"]);
    assert!(plan.changes.is_empty() && !plan.is_empty());
}

#[test]
fn tags_of_the_stack_are_compared_but_for_our_own() {
    let template = resources(&json!({"Queue": {"Type": "AWS::SQS::Queue"}}));
    let side = |tags: &[(&str, &str)]| Side {
        template: Some(&template),
        parameters: BTreeMap::new(),
        tags: tags
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
    };
    let old = side(&[("stackctl:stage", "dev"), ("team", "a")]);
    let new = side(&[("team", "b")]);
    let plan = compare("x", &old, &new, &BTreeMap::new(), &Sample);
    let paths: Vec<_> = plan
        .other
        .iter()
        .map(|change| change.path.to_string())
        .collect();
    assert_eq!(paths, ["Tags.team"]);
}

#[test]
fn a_new_stack_creates_everything() {
    let template = resources(&json!({"Queue": {"Type": "AWS::SQS::Queue"}}));
    let wanted = Side {
        template: Some(&template),
        ..Side::default()
    };
    let plan = compare("x", &Side::default(), &wanted, &BTreeMap::new(), &Sample);
    assert!(plan.create);
    assert_eq!(plan.changes[0].action, Action::Create);
    assert!(plan.other.is_empty());
}

#[test]
fn what_widens_is_graded_above_its_update() {
    let template = |action: Value, authorization: &str| {
        resources(&json!({
            "Role": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyDocument": {"Statement": [
                {"Effect": "Allow", "Action": action, "Resource": "*"},
            ]}}},
            "Route": {"Type": "AWS::ApiGateway::Method", "Properties": {
                "HttpMethod": "GET", "AuthorizationType": authorization,
            }},
        }))
    };
    let narrow = template(json!("sqs:SendMessage"), "AWS_IAM");
    let wide = template(json!(["sqs:SendMessage", "sqs:PurgeQueue"]), "NONE");
    let grades = |old: &Value, new: &Value| -> Vec<Grade> {
        plan_of(old, new)
            .changes
            .iter()
            .map(|change| change.grade)
            .collect()
    };
    assert_eq!(
        grades(&narrow, &wide),
        [Grade::PermissionWidened, Grade::ExposureWidened]
    );
    assert_eq!(
        grades(&wide, &narrow),
        [Grade::UpdateInPlace, Grade::UpdateInPlace]
    );
    let plan = plan_of(&narrow, &wide);
    assert_eq!(
        plan.changes[0].reasons,
        ["allows more: sqs:PurgeQueue on *"]
    );
}

#[test]
fn the_registry_knows_what_replaces() {
    let key = |names: &[&str]| -> Vec<Step> {
        names
            .iter()
            .map(|name| Step::Key((*name).to_owned()))
            .collect()
    };
    let update = |resource_type: &str, names: &[&str]| Registry.update(resource_type, &key(names));
    assert_eq!(
        update("AWS::SQS::Queue", &["QueueName"]),
        Update::Replacement
    );
    assert_eq!(
        update("AWS::SQS::Queue", &["DelaySeconds"]),
        Update::InPlace
    );
    assert_eq!(
        update("AWS::IAM::Role", &["AssumeRolePolicyDocument", "Statement"]),
        Update::InPlace,
        "inside free JSON the property itself counts"
    );
    assert_eq!(update("AWS::SQS::Queue", &["Nonsense"]), Update::Unknown);
    assert_eq!(update("Custom::Thing", &["Name"]), Update::Unknown);
}

#[test]
fn a_changed_definition_shows_which_state_changed() {
    let machine = |definition: Value| {
        resources(&json!({"Flow": {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"DefinitionString": definition},
        }}))
    };
    let lines = |pause: &str| {
        let pause =
            format!("\"States\": {{\"Pause\": {{\"Seconds\": {pause}, \"Type\": \"Wait\"}}}}");
        json!({"Fn::Join": ["\n", ["{", pause, "}"]]})
    };
    let plan = plan_of(&machine(lines("5")), &machine(lines("6")));
    let change = plan.changes.first().expect("the pause changed");
    let [property] = change.properties.as_slice() else {
        panic!("{:?}", change.properties);
    };
    assert_eq!(
        property.path.to_string(),
        "Properties.DefinitionString.States.Pause.Seconds"
    );
    assert_eq!(
        (&property.before, &property.after),
        (&Some(json!(5)), &Some(json!(6)))
    );
    assert_eq!(change.action, Action::Update);

    let text = r#"{"States":{"Pause":{"Type":"Wait","Seconds":5}}}"#;
    assert!(plan_of(&machine(lines("5")), &machine(json!(text))).is_empty());
    // A number is no text in a definition, whatever it is elsewhere in a template.
    let plan = plan_of(&machine(lines("5")), &machine(lines("\"5\"")));
    assert_eq!(
        plan.changes.first().map(|change| change.properties.len()),
        Some(1)
    );
    let plan = plan_of(&machine(json!("no JSON")), &machine(json!("nor this")));
    assert_eq!(
        plan.changes.first().map(|change| change.properties.len()),
        Some(1)
    );
}
