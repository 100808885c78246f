use super::*;
use crate::engine::{StackStatus, event::Outcome};

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn deployed() -> DeployedStack {
    DeployedStack {
        id: "arn".to_owned(),
        status: StackStatus::new("UPDATE_COMPLETE"),
        reason: None,
        changed: None,
        parameters: map(&[("Size", "3"), ("Code", "orders/a.zip"), ("Hidden", "****")]),
        tags: BTreeMap::new(),
        outputs: map(&[("ExportOldArn", "arn:old"), ("ExportNew", "https://new")]),
        exports: map(&[
            ("ExportOldArn", "orders-dev-Old-Arn"),
            ("ExportNew", "orders-dev-New"),
        ]),
        termination_protection: false,
        express: false,
        removed: None,
    }
}

fn old() -> Value {
    json!({
        "Parameters": {
            "Size": {"Type": "Number"},
            "Code": {"Type": "String"},
            "Unused": {"Type": "String"},
        },
        "Conditions": {"Large": {"Fn::Equals": [{"Ref": "Size"}, 3]}},
        "Mappings": {"Sizes": {"a": {"b": "c"}}},
        "Resources": {
            "New": {"Type": "AWS::SQS::Queue"},
            "Old": {
                "Type": "AWS::Lambda::Function",
                "Condition": "Large",
                "DependsOn": ["Logs"],
                "Properties": {
                    "Code": {"S3Key": {"Ref": "Code"}},
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Environment": {"Fn::Sub": "${New.Arn}-${AWS::Region}-${!literal}"},
                }
            },
            "Logs": {"Type": "AWS::Logs::LogGroup"},
            "Role": {"Type": "AWS::IAM::Role"},
            "Other": {"Type": "AWS::SNS::Topic"},
        },
        "Outputs": {
            "ExportOldArn": {
                "Value": {"Fn::GetAtt": ["Old", "Arn"]},
                "Export": {"Name": "orders-dev-Old-Arn"},
            },
            "ExportNew": {"Value": {"Ref": "New"}, "Export": {"Name": "orders-dev-New"}},
        }
    })
}

fn new() -> Value {
    json!({
        "Resources": {"New": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 3}}},
        "Outputs": {"Renamed": {"Value": {"Ref": "New"}, "Export": {"Name": "orders-dev-New"}}},
    })
}

fn imported() -> Importers {
    Importers::from([(
        "orders-dev-Old-Arn".to_owned(),
        vec!["reports-dev".to_owned()],
    )])
}

fn keys(template: &Value, section: &str) -> Vec<String> {
    let entries = template[section].as_object();
    let mut keys: Vec<_> = entries
        .into_iter()
        .flatten()
        .map(|(key, _)| key.clone())
        .collect();
    keys.sort();
    keys
}

#[test]
fn an_export_is_given_up_by_its_name_and_not_by_its_key() {
    assert_eq!(given_up(&deployed(), &new()), ["orders-dev-Old-Arn"]);
    let made = json!({"Outputs": {
        "ExportOldArn": {"Value": "x", "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-Old-Arn"}}}
    }});
    assert_eq!(given_up(&deployed(), &made), ["orders-dev-New"]);
    assert_eq!(given_up(&deployed(), &Value::Null).len(), 2);
}

#[test]
fn what_is_imported_stays_with_all_that_it_needs_and_nothing_else() {
    let kept = keep(new(), &old(), &deployed(), imported());
    let template: Value = serde_json::from_str(&kept.template).expect("is JSON");
    assert_eq!(keys(&template, "Resources"), ["Logs", "New", "Old", "Role"]);
    assert_eq!(template["Resources"]["New"], new()["Resources"]["New"]);
    assert_eq!(keys(&template, "Parameters"), ["Code", "Size"]);
    assert_eq!(keys(&template, "Conditions"), ["Large"]);
    assert_eq!(keys(&template, "Mappings"), [""; 0]);
    assert_eq!(
        kept.parameters,
        map(&[("Code", "orders/a.zip"), ("Size", "3")])
    );
    assert_eq!(
        template["Outputs"]["ExportOldArn"],
        old()["Outputs"]["ExportOldArn"]
    );
    assert_eq!(keys(&template, "Outputs"), ["ExportOldArn", "Renamed"]);
}

#[test]
fn an_output_of_the_same_key_keeps_its_key() {
    let mut new = new();
    new["Outputs"]["ExportOldArn"] = json!({"Value": "something else"});
    let kept = keep(new, &old(), &deployed(), imported());
    let template: Value = serde_json::from_str(&kept.template).expect("is JSON");
    assert_eq!(
        template["Outputs"]["ExportOldArn"]["Value"],
        "something else"
    );
    assert_eq!(
        template["Outputs"]["ExportOldArnKept"]["Value"],
        json!({"Fn::GetAtt": ["Old", "Arn"]})
    );
}

#[test]
fn the_value_of_a_resource_that_goes_on_is_kept_as_text() {
    let mut new = new();
    new["Resources"]["Old"] = json!({"Type": "AWS::Lambda::Function"});
    let kept = keep(new.clone(), &old(), &deployed(), imported());
    let template: Value = serde_json::from_str(&kept.template).expect("is JSON");
    assert_eq!(template["Resources"], new["Resources"]);
    assert_eq!(
        template["Outputs"]["ExportOldArn"],
        json!({"Value": "arn:old", "Export": {"Name": "orders-dev-Old-Arn"}})
    );
}

#[test]
fn what_was_kept_is_kept_again() {
    let first = keep(new(), &old(), &deployed(), imported());
    let kept: Value = serde_json::from_str(&first.template).expect("is JSON");
    let again = keep(new(), &kept, &deployed(), imported());
    assert_eq!(again, first);
}

#[test]
fn a_hidden_value_is_never_given_again() {
    let mut old = old();
    old["Parameters"]["Hidden"] = json!({"Type": "String", "NoEcho": true});
    old["Resources"]["Role"]["Properties"] = json!({"Description": {"Ref": "Hidden"}});
    let kept = keep(new(), &old, &deployed(), imported());
    assert!(!kept.template.contains("****"));
    assert!(kept.parameters.is_empty());
    let template: Value = serde_json::from_str(&kept.template).expect("is JSON");
    assert_eq!(keys(&template, "Resources"), ["New"]);
    assert_eq!(template["Outputs"]["ExportOldArn"]["Value"], "arn:old");
}

#[test]
fn a_stack_is_due_when_all_its_importers_were_updated() {
    let report = |stack: &str, outcome| StackReport {
        stack: stack.to_owned(),
        outcome,
        outputs: BTreeMap::new(),
        failure: None,
    };
    let handovers = Handovers::among(
        ["orders-dev", "reports-dev"].map(str::to_owned),
        ["club-dev".to_owned()].into(),
    );
    assert!(handovers.passes(&imported()));
    let others = Importers::from([(
        "orders-dev-Old-Arn".to_owned(),
        ["theirs-dev", "reports-dev", "club-dev"]
            .map(str::to_owned)
            .into(),
    )]);
    assert_eq!(
        handovers.own(&others),
        (vec!["club-dev", "reports-dev"], vec!["theirs-dev"])
    );
    assert!(!Handovers::default().passes(&imported()));
    handovers.add("orders-dev", imported());
    assert!(handovers.in_parts("orders-dev") && !handovers.in_parts("reports-dev"));
    let own = report("orders-dev", Outcome::Updated);
    assert!(
        handovers.due(std::slice::from_ref(&own)).is_empty(),
        "the importer is not deployed"
    );
    let failed = report("reports-dev", Outcome::Failed);
    assert!(handovers.due(&[own.clone(), failed]).is_empty());
    let good = report("reports-dev", Outcome::Updated);
    let due = handovers.due(&[own.clone(), good.clone()]);
    assert_eq!(due, [("orders-dev".to_owned(), imported())].into());
    assert!(
        handovers.due(&[own.clone(), good.clone()]).is_empty(),
        "once"
    );
    // Who imports it all the same was deployed, and keeps it.
    assert!(!handovers.add("orders-dev", imported()), "it did before");
    handovers.settle_for_what_is_kept();
    assert!(!handovers.passes(&imported()));
    assert!(handovers.due(&[own, good]).is_empty());
}
