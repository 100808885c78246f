//! How dangerous changes are.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Registry, compare};
use super::{Action, Grade, Knowledge, Plan, Side, StackPlan, Step, Update, plan_of, resources};

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
Other Replace Impossible: CloudFormation does not make a AWS::SQS::Queue of a AWS::SNS::Topic: give the new resource another logical id; the replaced resource is deleted with the data that it holds; it is of another type
Perhaps Update DataLoss: Maybe may need replacement; if so, the replaced resource is deleted with the data that it holds
Renamed Replace Replacement: FunctionName cannot change without replacement
Saved Replace Replacement: the replaced resource stays outside the stack; the new one is empty; TableName cannot change without replacement
Unknown Update Replacement: nothing is known of Strange.Thing, which may need replacement
"#]]
    );
}

#[test]
fn another_version_that_leaves_the_earlier_one_is_no_replacement_to_fear() {
    let template = |name: &str, policy: &str| {
        resources(&json!({
            "Version": {
                "Type": "AWS::Lambda::Version",
                "UpdateReplacePolicy": policy,
                "Properties": {"FunctionName": {"Ref": "Function"}, "Description": name},
            },
            "Function": {"Type": "AWS::Lambda::Function"},
        }))
    };
    let none = BTreeMap::new();
    let grade = |policy: &str| {
        let (old, new) = (template("a", policy), template("b", policy));
        let plan = super::super::compare(
            "orders-dev",
            &Side {
                template: Some(&old),
                ..Side::default()
            },
            &Side {
                template: Some(&new),
                ..Side::default()
            },
            &none,
            &Registry,
        );
        let change = &plan.changes[0];
        (change.action, change.grade)
    };
    assert_eq!(grade("Retain"), (Action::Replace, Grade::UpdateInPlace));
    assert_eq!(grade("Delete"), (Action::Replace, Grade::Replacement));
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
    // The reason says all that the property would; of the route only the property tells.
    let untold = |position: usize| plan.changes[position].untold_properties().count();
    assert_eq!([untold(0), untold(1)], [0, 1]);
    assert_eq!(plan.changes[0].properties.len(), 1);
    assert_eq!(
        plan_of(&wide, &narrow).changes[0].reasons,
        ["allows no more: sqs:PurgeQueue on *"]
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

/// Returns how one resource changes, in one line.
fn line(plan: &StackPlan, id: &str) -> String {
    let change = plan.changes.iter().find(|change| change.logical_id == id);
    let change = change.expect("it changes");
    format!(
        "{:?} {:?}: {}",
        change.action,
        change.grade,
        change.reasons.join("; ")
    )
}

#[test]
fn a_replacement_that_keeps_its_name_is_refused() {
    let template = |name: Value, key: &str| {
        resources(&json!({
            "Other": {"Type": "AWS::SNS::Topic"},
            "Function": {"Type": "AWS::Lambda::Function", "Properties": {
                "FunctionName": name, "PackageType": key,
            }},
        }))
    };
    let registered = |old: &Value, new: &Value| {
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        let (old, new) = (side(old), side(new));
        let plan = compare("x", &old, &new, &BTreeMap::new(), &Registry);
        line(&plan, "Function")
    };
    let literal = json!("orders");
    assert_eq!(
        registered(
            &template(literal.clone(), "Zip"),
            &template(literal.clone(), "Image")
        ),
        "Replace Impossible: CloudFormation does not replace a resource that keeps its name: give it another FunctionName than \"orders\", or none; PackageType cannot change without replacement"
    );
    let made = json!({"Fn::Sub": "${AWS::StackName}-orders"});
    let found = registered(&template(made.clone(), "Zip"), &template(made, "Image"));
    assert!(found.starts_with("Replace Impossible"), "{found}");
    // Another name, none, or one that is made from another resource.
    for (old, new) in [
        (literal.clone(), json!("orders-2")),
        (literal, json!({"Ref": "AWS::NoValue"})),
        (
            json!({"Ref": "AWS::NoValue"}),
            json!({"Ref": "AWS::NoValue"}),
        ),
        (json!({"Ref": "Other"}), json!({"Ref": "Other"})),
    ] {
        let found = registered(&template(old, "Zip"), &template(new, "Image"));
        assert!(found.starts_with("Replace Replacement"), "{found}");
    }
}

#[test]
fn a_replacement_that_follows_another_is_refused_too() {
    let template = |source: &str| {
        resources(&json!({
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": source}},
            "Pipe": {"Type": "AWS::Pipes::Pipe", "Properties": {
                "Name": "orders", "Source": {"Fn::GetAtt": ["Queue", "Arn"]},
            }},
            "Free": {"Type": "AWS::Pipes::Pipe", "Properties": {
                "Name": {"Fn::Sub": "${Queue.QueueName}-pipe"}, "Source": {"Fn::GetAtt": ["Queue", "Arn"]},
            }},
        }))
    };
    let (old, new) = (template("a"), template("b"));
    let side = |template| Side {
        template: Some(template),
        ..Side::default()
    };
    let plan = compare("x", &side(&old), &side(&new), &BTreeMap::new(), &Registry);
    assert_eq!(
        line(&plan, "Pipe"),
        "Replace Impossible: CloudFormation does not replace a resource that keeps its name: give it another Name than \"orders\", or none; Source cannot change without replacement; it refers to Queue, which is replaced"
    );
    assert!(line(&plan, "Free").starts_with("Replace Replacement"));
    assert!(line(&plan, "Queue").starts_with("Replace DataLoss"));
    let plan = Plan { stacks: vec![plan] };
    assert_eq!(
        plan.impossible(),
        [
            "x/Pipe: CloudFormation does not replace a resource that keeps its name: give it another Name than \"orders\", or none"
        ]
    );
}

#[test]
fn a_replacement_that_is_only_possible_says_what_of_the_name() {
    let table = |maybe: u8, name: Option<&str>| {
        let mut table = json!({"Type": "AWS::DynamoDB::Table", "UpdateReplacePolicy": "Retain", "Properties": {"Maybe": maybe}});
        if let Some(name) = name {
            table["Properties"]["TableName"] = json!(name);
        }
        resources(&json!({ "Table": table }))
    };
    let told = plan_of(&table(1, Some("orders")), &table(2, Some("orders")));
    assert_eq!(
        line(&told, "Table"),
        "Update Replacement: Maybe may need replacement; if so, the replaced resource stays outside the stack; the new one is empty; if so, CloudFormation refuses, because it keeps the TableName \"orders\""
    );
    let free = line(&plan_of(&table(1, None), &table(2, None)), "Table");
    assert!(!free.contains("refuses"), "{free}");
}

#[test]
fn a_name_that_something_else_has_is_refused() {
    let queue = |name: &str| json!({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}});
    let of = |old: Value, new: Value| {
        let (old, new) = (resources(&old), resources(&new));
        let plan = plan_of(&old, &new);
        line(&plan, "Sales")
    };
    let leaves = "CloudFormation refuses to make it while Orders has the QueueName \"orders\": declare the rename with `moved`, or give it another QueueName; it is new";
    let stays = "CloudFormation refuses to make it while Orders has the QueueName \"orders\": give it another QueueName";
    let (orders, sales) = (queue("orders"), queue("sales"));
    assert_eq!(
        of(json!({"Orders": orders}), json!({"Sales": orders})),
        format!("Create Impossible: {leaves}")
    );
    assert_eq!(
        of(
            json!({"Orders": orders}),
            json!({"Orders": orders, "Sales": orders})
        ),
        format!("Create Impossible: {stays}; it is new")
    );
    let swapped = of(
        json!({"Orders": orders, "Sales": sales}),
        json!({"Orders": sales, "Sales": orders}),
    );
    assert!(
        swapped.starts_with(&format!("Replace Impossible: {stays}; ")),
        "{swapped}"
    );
    // Another name, or one of another kind of resource.
    assert_eq!(
        of(json!({"Orders": orders}), json!({"Sales": sales})),
        "Create None: it is new"
    );
    let table = json!({"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "orders"}});
    assert_eq!(
        of(json!({"Orders": table}), json!({"Sales": orders})),
        "Create None: it is new"
    );
    let free = json!({"Type": "AWS::SQS::Queue"});
    assert_eq!(
        of(json!({"Orders": free}), json!({"Sales": free})),
        "Create None: it is new"
    );
}

#[test]
fn a_name_is_what_it_is_in_other_words() {
    let queue = |name: Value| json!({"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}});
    let old = resources(&json!({"Orders": queue(json!("shop-orders"))}));
    let new = resources(&json!({"Sales": queue(json!({"Fn::Sub": "${AWS::StackName}-orders"}))}));
    let parameters = [("AWS::StackName", "shop")];
    let plan = super::plan_with(&old, &parameters, &new, &parameters);
    let told = line(&plan, "Sales");
    assert!(told.starts_with("Create Impossible"), "{told}");
    let plan = super::plan_with(&old, &[], &new, &[("AWS::StackName", "other")]);
    assert_eq!(line(&plan, "Sales"), "Create None: it is new");
}

/// Two of which a condition makes one may have the same name.
#[test]
fn a_name_of_what_may_not_be_there_is_told_and_not_refused() {
    let queue = |condition: &str| json!({"Type": "AWS::SQS::Queue", "Condition": condition, "Properties": {"QueueName": "orders"}});
    let template = |all: Value| {
        let big = json!({"Fn::Equals": [{"Ref": "AWS::AccountId"}, "123456789012"]});
        let not = json!({"Fn::Not": [{"Condition": "Big"}]});
        json!({"Conditions": {"Big": big, "Small": not}, "Resources": all})
    };
    let plan = plan_of(
        &template(json!({"Orders": queue("Big")})),
        &template(json!({"Orders": queue("Big"), "Sales": queue("Small")})),
    );
    assert_eq!(
        line(&plan, "Sales"),
        "Create None: it is new; where it is made while Orders has the QueueName \"orders\", CloudFormation refuses: give it another QueueName"
    );
}

/// The name of an alias says of which function it is one, and what is made anew is another function.
#[test]
fn a_name_among_those_of_something_that_is_made_anew_is_free() {
    let template = |id: &str, function: &str| {
        let mut all = json!({"Function": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": function}}});
        all[id] = json!({"Type": "AWS::Lambda::Alias", "Properties": {
            "Name": "live", "FunctionName": {"Ref": "Function"}, "FunctionVersion": "1",
        }});
        resources(&all)
    };
    let told = |old: &Value, new: &Value| {
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        let (old, new) = (side(old), side(new));
        let plan = compare("x", &old, &new, &BTreeMap::new(), &Registry);
        line(&plan, "Current")
    };
    let old = template("Live", "a");
    assert_eq!(
        told(&old, &template("Current", "b")),
        "Create None: it is new"
    );
    let same = told(&old, &template("Current", "a"));
    assert!(
        same.starts_with(
            "Create Impossible: CloudFormation refuses to make it while Live has the Name"
        ),
        "{same}"
    );
}

#[test]
fn names_are_what_the_registry_and_the_services_say() {
    for (resource_type, names) in [
        ("AWS::DynamoDB::Table", vec!["TableName"]),
        ("AWS::IAM::ManagedPolicy", vec!["ManagedPolicyName"]),
        ("AWS::ApiGateway::Model", vec!["Name", "RestApiId"]),
        (
            "AWS::Cognito::UserPoolGroup",
            vec!["GroupName", "UserPoolId"],
        ),
        // Two may have the same name, or the old one is deleted first.
        ("AWS::ApiGateway::RestApi", vec![]),
        ("AWS::Lambda::LayerVersion", vec![]),
        ("AWS::Route53::HostedZone", vec![]),
        ("AWS::Logs::MetricFilter", vec![]),
        ("Custom::Thing", vec![]),
    ] {
        assert_eq!(Registry.name(resource_type), names, "{resource_type}");
    }
    for (resource_type, names) in super::super::knowledge::NAMED {
        let known = stack_model_cfn::facts::resource_type(resource_type).expect("is registered");
        for name in *names {
            assert_eq!(
                known.update(name),
                Some(stack_model_cfn::facts::UpdateBehaviour::Replacement),
                "{resource_type} {name}"
            );
        }
    }
}

#[test]
fn what_guarded_something_that_stays_is_missed() {
    let template = |policy: bool, bucket: Option<&str>| {
        let mut all = json!({"Topic": {"Type": "AWS::SNS::Topic"}});
        if let Some(deletion) = bucket {
            all["Bucket"] = json!({"Type": "AWS::S3::Bucket", "DeletionPolicy": deletion});
        }
        if policy {
            all["Policy"] = json!({"Type": "AWS::S3::BucketPolicy", "Properties": {
                "Bucket": {"Ref": "Bucket"},
                "PolicyDocument": {"Statement": [{"Effect": "Deny", "Action": "s3:*"}]},
            }});
        }
        resources(&all)
    };
    let missed = "Delete ExposureWidened: opens: what its policy denies is no longer denied, of Bucket; it is deleted";
    let gone = "Delete Interruption: it is deleted";
    for (deletion, stays, expected) in [
        ("Delete", true, missed),
        ("Delete", false, gone),
        // The bucket and what is in it are there afterwards too.
        ("Retain", false, missed),
        ("RetainExceptOnCreate", false, missed),
    ] {
        let full = template(true, Some(deletion));
        let wanted = template(false, stays.then_some(deletion));
        assert_eq!(line(&plan_of(&full, &wanted), "Policy"), expected);
    }
}

#[test]
fn a_protection_that_nobody_knows_and_that_stays_is_not_taken_away() {
    let template = |rule: &str, delay: u32| {
        resources(
            &json!({"Orders": {"Type": "AWS::S3::Bucket", "Properties": {
                "ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled", "Rule": {"Ref": rule}},
                "Tags": [{"Key": "delay", "Value": delay.to_string()}],
            }}}),
        )
    };
    let grade = |old: &Value, new: &Value| plan_of(old, new).changes[0].grade;
    let old = template("Rule", 1);
    assert_eq!(grade(&old, &template("Rule", 2)), Grade::UpdateInPlace);
    assert_eq!(grade(&old, &template("Other", 2)), Grade::PermissionWidened);
}
