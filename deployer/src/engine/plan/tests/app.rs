//! How changes reach from stack to stack, and what functions still need.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stack_model::assembly::{Contract, StackManifest};

use super::super::{App, Registry};
use super::{Action, Grade, Plan, Side};
use crate::engine::tests::described;

pub(super) fn manifest(value: &Value) -> StackManifest {
    let mut whole = json!({"id": "x", "template": "x.json", "sha256": ""});
    for (key, part) in value.as_object().into_iter().flatten() {
        whole[key] = part.clone();
    }
    serde_json::from_value(whole).expect("reads")
}

/// Compares stacks, each with its manifest and the templates before and after.
fn compared(stacks: &[(Value, Value, Value)]) -> Plan {
    let mut app = App::default();
    let mut plans = Vec::new();
    for (known, old, new) in stacks {
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        let none = BTreeMap::new();
        plans.push(app.compare(&manifest(known), &none, &side(old), &side(new), &Registry));
    }
    app.finish(plans)
}

fn data(name: &str) -> Value {
    json!({
        "Resources": {"Orders": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}},
        "Outputs": {
            "Url": {"Value": {"Ref": "Orders"}},
            "Arn": {"Value": {"Fn::GetAtt": ["Orders", "Arn"]}, "Export": {"Name": {"Fn::Sub": "data-dev-${Suffix}"}}},
        },
        "Parameters": {"Suffix": {"Type": "String"}},
    })
}

#[test]
fn a_replacement_reaches_the_stacks_that_import_it() {
    let reader = json!({
        "Resources": {"Pipe": {"Type": "AWS::Pipes::Pipe", "Properties": {
            "Source": {"Fn::ImportValue": {"Fn::Sub": "data-dev-${Suffix}"}}, "Target": "t",
        }}},
        "Outputs": {"Pipe": {"Value": {"Fn::GetAtt": ["Pipe", "Arn"]}, "Export": {"Name": "reader-dev-Pipe"}}},
    });
    let far = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
        "Description": {"Fn::ImportValue": "reader-dev-Pipe"},
    }}}});
    let elsewhere = json!({"Resources": {"Function": {"Type": "AWS::Lambda::Function", "Properties": {
        "Environment": {"Variables": {"URL": {"Ref": "OrdersUrl"}}},
    }}}});
    let other_region = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
        "Description": {"Fn::ImportValue": "reader-dev-Pipe"},
    }}}});
    let plan = compared(&[
        (json!({"name": "data-dev"}), data("a"), data("b")),
        (json!({"name": "reader-dev"}), reader.clone(), reader),
        (json!({"name": "far-dev"}), far.clone(), far),
        (
            json!({"name": "us-dev", "region": "us-east-1", "references": {
                "OrdersUrl": {"stack": "data-dev", "region": "eu-central-1", "output": "Url"},
            }}),
            elsewhere.clone(),
            elsewhere,
        ),
        (
            json!({"name": "apart-dev", "region": "us-east-1"}),
            other_region.clone(),
            other_region,
        ),
    ]);
    let found: Vec<_> = plan
        .stacks
        .iter()
        .flat_map(|stack| &stack.changes)
        .map(|change| {
            let last = change.reasons.last().map(String::as_str);
            (change.logical_id.as_str(), change.action, last)
        })
        .collect();
    assert_eq!(
        found,
        [
            (
                "Orders",
                Action::Replace,
                Some("QueueName cannot change without replacement")
            ),
            (
                "Pipe",
                Action::Replace,
                Some("it refers to Orders of data-dev, which is replaced")
            ),
            (
                "Role",
                Action::Update,
                Some("it refers to Pipe of reader-dev, which is replaced")
            ),
            (
                "Function",
                Action::Update,
                Some("it refers to Orders of data-dev, which is replaced")
            ),
        ]
    );
}

#[test]
fn an_export_that_is_still_imported_goes_once_its_importers_let_go() {
    let without = json!({"Resources": {"Orders": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "a"}}}});
    let importing = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
        "Description": {"Fn::ImportValue": {"Fn::Sub": "data-dev-${Suffix}"}},
    }}}});
    let free = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role"}}});
    let notes = |importer: &Value| -> Vec<Option<String>> {
        let plan = compared(&[
            (json!({"name": "data-dev"}), data("a"), without.clone()),
            (json!({"name": "api-dev"}), importer.clone(), free.clone()),
        ]);
        plan.stacks.into_iter().map(|stack| stack.note).collect()
    };
    let name = r#"{"Fn::Join":["",["data-dev-",{"Ref":"Suffix"}]]}"#;
    assert_eq!(
        notes(&importing),
        [
            Some(format!(
                "it is deployed after api-dev, which imports its export {name} no more"
            )),
            None
        ]
    );
    assert_eq!(notes(&free), [None, None]);
    // What needs the stack cannot go before it.
    let plan = compared(&[
        (json!({"name": "data-dev"}), data("a"), without),
        (
            json!({"name": "api-dev", "depends_on": ["data-dev"]}),
            importing,
            free,
        ),
    ]);
    assert_eq!(
        plan.stacks[0].note,
        Some(format!(
            "it keeps the export {name} as long as api-dev imports it, and gives it up in a second update"
        ))
    );
    assert!(plan.stacks[0].after.is_empty());
}

/// A function that reads and writes orders.
fn contracts() -> BTreeMap<String, Contract> {
    let contract = json!({"bindings": {"orders": {
        "kind": "table", "environment": "ORDERS", "actions": ["dynamodb:GetItem", "dynamodb:PutItem"],
    }}});
    let contract = serde_json::from_value(contract).expect("reads");
    BTreeMap::from([("orders".to_owned(), contract)])
}

fn function(actions: &Value, managed: &Value) -> Value {
    json!({"Resources": {
        "Reader": {"Type": "AWS::Lambda::Function", "Properties": {
            "Code": {"S3Bucket": "b", "S3Key": {"Ref": "OrdersCode"}},
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
        }},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": managed}},
        "Policy": {"Type": "AWS::IAM::Policy", "Properties": {
            "Roles": [{"Ref": "Role"}],
            "PolicyDocument": {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]},
        }},
    }})
}

#[test]
fn a_role_that_a_function_still_needs_is_not_narrowed_unseen() {
    let known = manifest(&json!({"name": "api-dev", "artifacts": {"OrdersCode": "orders"}}));
    let harmless = json!(["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"]);
    let grade = |actions: &Value, managed: &Value| {
        let (old, new) = (
            function(&json!("dynamodb:*"), &harmless),
            function(actions, managed),
        );
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        let mut app = App::default();
        let plan = app.compare(&known, &contracts(), &side(&old), &side(&new), &Registry);
        let changes = &plan.changes;
        let change = changes.iter().find(|change| change.logical_id == "Policy");
        change.map(|change| (change.grade, change.reasons.clone()))
    };
    let (narrowed, reasons) = grade(&json!(["dynamodb:GetItem"]), &harmless).expect("changes");
    assert_eq!(narrowed, Grade::Interruption);
    assert_eq!(
        reasons[0],
        "Reader still calls dynamodb:PutItem for its binding `orders`, and nothing allows it any more"
    );
    let (enough, _) =
        grade(&json!(["dynamodb:GetItem", "dynamodb:Put*"]), &harmless).expect("changes");
    assert_eq!(enough, Grade::UpdateInPlace);
    // Nobody knows here what this one allows.
    let (unknown, _) = grade(
        &json!(["dynamodb:GetItem"]),
        &json!(["arn:aws:iam::123456789012:policy/orders"]),
    )
    .expect("changes");
    assert_eq!(unknown, Grade::UpdateInPlace);
}

#[test]
fn what_a_function_needs_is_of_one_resource_without_denials_conditions_and_bounds() {
    let known = manifest(&json!({"name": "api-dev", "artifacts": {"OrdersCode": "orders"}}));
    let arn = |name: &str| json!({"Fn::GetAtt": [name, "Arn"]});
    let template = |statements: &Value| {
        let mut template = function(&json!("dynamodb:*"), &json!([]));
        let resources = &mut template["Resources"];
        resources["Policy"]["Properties"]["PolicyDocument"]["Statement"] = statements.clone();
        resources["Reader"]["Properties"]["Environment"] =
            json!({"Variables": {"ORDERS": {"Ref": "Orders"}}});
        for name in ["Orders", "Other"] {
            resources[name] = json!({"Type": "AWS::DynamoDB::Table"});
        }
        template
    };
    let allow = |on: &Value| json!({"Effect": "Allow", "Action": "dynamodb:*", "Resource": on});
    let told = |old: &Value, new: &Value| {
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        let mut app = App::default();
        let plan = app.compare(&known, &contracts(), &side(old), &side(new), &Registry);
        let mut told: Vec<String> = plan
            .changes
            .into_iter()
            .flat_map(|change| change.reasons)
            .filter_map(|reason| Some(reason.split_once("`orders`, and ")?.1.to_owned()))
            .collect();
        told.dedup();
        told
    };
    let old = template(&json!([allow(&arn("Orders"))]));
    let other = template(&json!([allow(&arn("Other"))]));
    assert_eq!(told(&old, &other), ["nothing allows it any more"]);
    let more = template(&json!([allow(&arn("Other")), allow(&arn("Orders"))]));
    assert_eq!(told(&old, &more), Vec::<String>::new());
    assert_eq!(
        told(&old, &template(&json!([allow(&json!("*"))]))),
        Vec::<String>::new()
    );
    let mut deny = allow(&json!("*"));
    deny["Effect"] = "Deny".into();
    let refused = template(&json!([allow(&arn("Orders")), deny]));
    let denies = "perhaps it may not any more: a policy denies it";
    assert_eq!(told(&old, &refused), [denies]);
    assert_eq!(told(&refused, &refused), Vec::<String>::new());
    let mut asked = allow(&arn("Orders"));
    asked["Condition"] = json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    let condition = "perhaps it may not any more: it is allowed under a condition";
    assert_eq!(told(&old, &template(&json!([asked]))), [condition]);
    let mut bound = old.clone();
    bound["Resources"]["Role"]["Properties"]["PermissionsBoundary"] =
        "arn:aws:iam::aws:policy/Nothing".into();
    let boundary = "perhaps it may not any more: its role has another permissions boundary";
    assert_eq!(told(&old, &bound), [boundary]);
}

#[test]
fn an_export_is_its_value_as_long_as_it_stays() {
    let exporter = |name: &str, tag: &str| {
        let mut template = data(name);
        template["Parameters"] = json!({});
        template["Outputs"]["Arn"]["Export"]["Name"] = "data-dev-a".into();
        template["Resources"]["Orders"]["Properties"]["KmsMasterKeyId"] = tag.into();
        template
    };
    let reader = |arn: Value| {
        json!({"Resources": {"Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Environment": {"Variables": {"ARN": arn}},
        }}}})
    };
    let arn = "arn:aws:sqs:eu-west-1:123456789012:a";
    let literal = reader(arn.into());
    let imported = reader(json!({"Fn::ImportValue": "data-dev-a"}));
    let mut found = described("UPDATE_COMPLETE");
    found.exports = [("Arn".to_owned(), "data-dev-a".to_owned())].into();
    found.outputs = [("Arn".to_owned(), arn.to_owned())].into();
    let plan = |old: &Value, new: &Value, is_read: bool| {
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        let none = BTreeMap::new();
        let mut app = App::default();
        let data = manifest(&json!({"name": "data-dev"}));
        let plan = app.compare(&data, &none, &side(old), &side(new), &Registry);
        if is_read {
            app.exported(&data, (&found, &side(old)), &side(new), &plan);
        }
        let reader = manifest(&json!({"name": "reader-dev"}));
        let plan = app.compare(&reader, &none, &side(&literal), &side(&imported), &Registry);
        plan.is_empty()
    };
    let same = exporter("a", "k");
    assert!(plan(&same, &same, true));
    assert!(!plan(&same, &same, false), "nobody knows the value");
    // What is changed or replaced may have another one.
    assert!(!plan(&same, &exporter("a", "l"), true));
    assert!(!plan(&same, &exporter("b", "k"), true));
    let mut other = same.clone();
    other["Outputs"]["Arn"]["Value"] = "arn:b".into();
    assert!(!plan(&same, &other, true));
}

/// The plan of a stack whose export another one imports, as it is deployed, and imports still or no more.
fn under_an_importer(old: &Value, new: &Value, keeps: bool) -> Plan {
    let importing = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
        "Description": {"Fn::ImportValue": "data-dev-a"},
    }}}});
    let free = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role"}}});
    let later = if keeps { &importing } else { &free };
    compared(&[
        (json!({"name": "data-dev"}), old.clone(), new.clone()),
        (
            json!({"name": "work-dev"}),
            importing.clone(),
            later.clone(),
        ),
    ])
}

fn exporting(name: &str, value: &Value) -> Value {
    json!({
        "Resources": {"Orders": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}}},
        "Outputs": {"Arn": {"Value": value, "Export": {"Name": "data-dev-a"}}},
    })
}

#[test]
fn a_value_that_others_import_cannot_change_under_its_name() {
    let arn = json!({"Fn::GetAtt": ["Orders", "Arn"]});
    let (old, new) = (exporting("a", &arn), exporting("b", &arn));
    let plan = under_an_importer(&old, &new, true);
    let orders = &plan.stacks[0].changes[0];
    assert_eq!(
        (orders.action, orders.grade),
        (Action::Replace, Grade::Impossible)
    );
    assert_eq!(
        orders.reasons[0],
        "the value of its export data-dev-a would change (Orders, from which it is taken, is made anew), and work-dev imports \
         it: give Orders another logical id, which gives its exports other names: one deploy then makes the new one beside the \
         old one, hands the importers over, and removes the old one"
    );
    // An importer that lets go does so first.
    let plan = under_an_importer(&old, &new, false);
    assert_eq!(plan.stacks[0].changes[0].grade, Grade::DataLoss);
    assert_eq!(plan.stacks[0].after, ["work-dev"]);
    // What is done by another logical id: the export has another name.
    let mut other = exporting("b", &json!({"Fn::GetAtt": ["Orders2", "Arn"]}));
    other["Resources"] = json!({"Orders2": other["Resources"]["Orders"]});
    other["Outputs"]["Arn"]["Export"]["Name"] = "data-dev-b".into();
    let plan = under_an_importer(&old, &other, false);
    assert!(plan.impossible().is_empty(), "{:?}", plan.impossible());
    // Nobody imports it, or nothing of it changes.
    let alone = compared(&[(json!({"name": "data-dev"}), old.clone(), new)]);
    assert_eq!(alone.stacks[0].changes[0].grade, Grade::DataLoss);
    let mut tagged = old.clone();
    tagged["Resources"]["Orders"]["Properties"]["DelaySeconds"] = 5.into();
    let plan = under_an_importer(&old, &tagged, true);
    assert_eq!(plan.stacks[0].changes[0].grade, Grade::UpdateInPlace);
}

/// The plan of a stack that gives up what another one imports, and of that one, with what it imports then.
fn given_up(new: &Value, importer: &Value, later: &Value) -> Plan {
    let old = exporting("a", &json!({"Fn::GetAtt": ["Orders", "Arn"]}));
    let (old, mut new) = (old, new.clone());
    new["Parameters"] = json!({});
    compared(&[
        (json!({"name": "data-dev"}), old, new),
        (
            importer.clone(),
            importing(&json!("data-dev-a")),
            later.clone(),
        ),
    ])
}

/// What imports an export by this name.
fn importing(export: &Value) -> Value {
    json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
        "Description": {"Fn::ImportValue": export},
    }}}})
}

#[test]
fn what_an_export_stands_for_that_is_given_up_stays_until_nobody_imports_it() {
    let replaced = json!({"Resources": {"Orders": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "b"}}}});
    let free = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role"}}});
    let importer = json!({"name": "work-dev"});
    let reason = |plan: &Plan| {
        let orders = &plan.stacks[0].changes[0];
        assert_eq!(
            (orders.action, orders.grade),
            (Action::Replace, Grade::Impossible),
            "{orders:?}"
        );
        orders.reasons[0].clone()
    };
    let kept = "its export data-dev-a cannot be kept (Orders, from which it is taken, is made anew), and work-dev imports it: ";
    // It is not known to let go.
    let plan = given_up(&replaced, &importer, &importing(&json!("data-dev-a")));
    let lead = "deploy work-dev first, so that it imports data-dev-a no more";
    assert_eq!(reason(&plan), format!("{kept}{lead}"));
    assert_eq!(plan.stacks[0].note, None);
    // It lets go, and comes first: then all is as if nobody had ever imported it.
    let plan = given_up(&replaced, &importer, &free);
    assert_eq!(plan.stacks[0].changes[0].grade, Grade::DataLoss);
    assert_eq!(plan.stacks[0].after, ["work-dev"]);
    // It lets go, and depends on the stack for something else.
    let dependent = json!({"name": "work-dev", "depends_on": ["data-dev"]});
    let plan = given_up(&replaced, &dependent, &free);
    let lead = "deploy work-dev first, which then imports it no more";
    assert_eq!(reason(&plan), format!("{kept}{lead}"));
    // It takes something else that is new of the same stack, so that it cannot be deployed alone.
    let mut other = replaced.clone();
    other["Outputs"] = json!({"New": {"Value": "x", "Export": {"Name": "data-dev-b"}}});
    let plan = given_up(&other, &importer, &importing(&json!("data-dev-b")));
    assert!(plan.stacks[0].after.is_empty());
    assert!(reason(&plan).starts_with(kept));
    // What goes is kept beside, as it is.
    let gone = json!({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}});
    let plan = given_up(&gone, &importer, &importing(&json!("data-dev-a")));
    assert!(plan.impossible().is_empty(), "{:?}", plan.impossible());
}

#[test]
fn what_needs_a_hidden_value_cannot_be_kept_for_importers() {
    let mut old = exporting("a", &json!({"Fn::GetAtt": ["Orders", "Arn"]}));
    old["Parameters"] = json!({"Key": {"Type": "String", "NoEcho": true}});
    old["Resources"]["Orders"]["Properties"]["KmsMasterKeyId"] = json!({"Ref": "Key"});
    let new = json!({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}});
    let again = importing(&json!("data-dev-a"));
    let plan = compared(&[
        (json!({"name": "data-dev"}), old, new),
        (json!({"name": "work-dev"}), again.clone(), again),
    ]);
    assert_eq!(
        plan.impossible(),
        [
            "data-dev/Orders: its export data-dev-a cannot be kept (Orders, from which it is taken, needs a value that nobody may \
             read), and work-dev imports it: deploy work-dev first, so that it imports data-dev-a no more"
        ]
    );
}

#[test]
fn stacks_that_let_go_of_each_other_are_in_no_circle() {
    let stack = |name: &str, imported: &str| {
        json!({
            "Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
                "Description": {"Fn::ImportValue": imported},
            }}},
            "Outputs": {"Name": {"Value": {"Ref": "Role"}, "Export": {"Name": name}}},
        })
    };
    let free = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role"}}});
    let plan = compared(&[
        (json!({"name": "a-dev"}), stack("a", "b"), free.clone()),
        (json!({"name": "b-dev"}), stack("b", "a"), free),
    ]);
    let [a, b] = plan.stacks.as_slice() else {
        panic!("{plan:?}");
    };
    assert_eq!(a.after, ["b-dev"]);
    assert!(b.after.is_empty(), "{b:?}");
    assert!(
        b.note
            .as_ref()
            .is_some_and(|note| note.starts_with("it keeps the export b")),
        "{b:?}"
    );
}

#[test]
fn another_text_under_a_name_that_is_imported_is_refused_with_the_stack() {
    let plan = under_an_importer(
        &exporting("a", &json!("one")),
        &exporting("a", &json!("two")),
        true,
    );
    assert_eq!(
        plan.impossible(),
        [
            "data-dev: the value of its export data-dev-a would change (the template gives it another value), and work-dev \
             imports it: export the new value under another name than data-dev-a"
        ]
    );
    let same = exporting("a", &json!("one"));
    assert!(under_an_importer(&same, &same, true).is_empty());
}

#[test]
fn exports_of_strangers_are_asked_for_only_where_imports_differ() {
    let reader = |arn: &Value| json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"Description": arn}}}});
    let (literal, imported) = (
        reader(&json!("arn:a")),
        reader(&json!({"Fn::ImportValue": "strange-dev-a"})),
    );
    let side = |template| Side {
        template: Some(template),
        ..Side::default()
    };
    let known = manifest(&json!({"name": "reader-dev"}));
    let mut app = App::default();
    let foreign = |app: &App, old, new| app.foreign(&known, &side(old), &side(new));
    assert!(foreign(&app, &imported, &imported).is_empty());
    let names = foreign(&app, &literal, &imported);
    assert_eq!(Vec::from_iter(&names), ["strange-dev-a"]);
    app.known(&known, [("strange-dev-a".to_owned(), "arn:a".to_owned())]);
    assert!(foreign(&app, &literal, &imported).is_empty());
    let none = BTreeMap::new();
    let plan = app.compare(&known, &none, &side(&literal), &side(&imported), &Registry);
    assert!(plan.is_empty(), "{plan:?}");
    // What a stack of the plan exports is what its plan makes of it.
    let own = json!({"Outputs": {"A": {"Value": "x", "Export": {"Name": "strange-dev-a"}}}});
    let mut app = App::default();
    let exporter = manifest(&json!({"name": "strange-dev"}));
    app.compare(&exporter, &none, &side(&own), &side(&own), &Registry);
    assert!(foreign(&app, &literal, &imported).is_empty());
}

#[test]
fn what_importers_may_be_in_the_way_of_is_graded_as_a_replacement() {
    let exporting = |maybe: u32| {
        json!({
            "Resources": {"Orders": {"Type": "AWS::SNS::Topic", "Properties": {"Maybe": maybe}}},
            "Outputs": {"Arn": {"Value": {"Ref": "Orders"}, "Export": {"Name": "data-dev-a"}}},
        })
    };
    let importing = json!({"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {
        "Description": {"Fn::ImportValue": "data-dev-a"},
    }}}});
    let (old, new) = (exporting(1), exporting(2));
    let mut app = App::default();
    let mut plans = Vec::new();
    for (name, old, new) in [
        ("data-dev", &old, &new),
        ("work-dev", &importing, &importing),
    ] {
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        let none = BTreeMap::new();
        let known = manifest(&json!({"name": name}));
        plans.push(app.compare(&known, &none, &side(old), &side(new), &super::Sample));
    }
    let plan = app.finish(plans);
    let orders = &plan.stacks[0].changes[0];
    assert_eq!(
        (orders.action, orders.grade),
        (Action::Update, Grade::Replacement)
    );
    let reason = orders
        .reasons
        .last()
        .map(String::as_str)
        .unwrap_or_default();
    assert!(
        reason.starts_with("the value of its export data-dev-a would change, if Orders, from which it is taken, is made anew"),
        "{reason}"
    );
}

#[test]
fn what_a_parameter_names_is_no_text() {
    let template = |delay: Value, kind: &str| {
        json!({
            "Parameters": {"Delay": {"Type": kind}},
            "Conditions": {"IsSlow": {"Fn::Equals": [{"Ref": "Delay"}, "slow"]}},
            "Resources": {
                "Orders": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": delay}},
                "Letters": {"Type": "AWS::SQS::Queue", "Condition": "IsSlow"},
            },
        })
    };
    let plan = |old: &Value, (new, value): (&Value, &str)| {
        let side = |template, value: &str| Side {
            template: Some(template),
            parameters: [("Delay".to_owned(), value.to_owned())].into(),
            ..Side::default()
        };
        super::super::compare(
            "data-dev",
            &side(old, "/delay"),
            &side(new, value),
            &BTreeMap::new(),
            &Registry,
        )
    };
    let of = |plan: &super::StackPlan| -> Vec<String> {
        let changes = plan.changes.iter();
        changes.map(|change| change.logical_id.clone()).collect()
    };
    let stored = "AWS::SSM::Parameter::Value<String>";
    let named = template(json!({"Ref": "Delay"}), stored);
    assert!(plan(&named, (&named, "/delay")).is_empty());
    // The value is not the name, and may be any: nobody knows whether the condition holds.
    let text = template(json!("/delay"), stored);
    assert_eq!(of(&plan(&named, (&text, "/delay"))), ["Orders"]);
    assert_eq!(of(&plan(&named, (&named, "/other"))), ["Letters", "Orders"]);
    let mut always = named.clone();
    always["Resources"]["Letters"] = json!({"Type": "AWS::SQS::Queue"});
    assert_eq!(of(&plan(&named, (&always, "/delay"))), ["Letters"]);
    // Another kind of the same text is another value.
    let text = template(json!({"Ref": "Delay"}), "String");
    let list = template(json!({"Ref": "Delay"}), "CommaDelimitedList");
    let plan = plan(&text, (&list, "/delay"));
    assert_eq!(of(&plan), ["Orders"]);
    let paths: Vec<String> = plan
        .other
        .iter()
        .map(|change| change.path.to_string())
        .collect();
    assert_eq!(paths, ["Parameters.Delay.Type"]);
}
