//! How dangerous changes are.

use serde_json::{Value, json};

use super::super::Registry;
use super::{Action, Grade, Knowledge, Step, Update, line, plan_of, registered, resources};

#[test]
fn every_action_has_its_grade_and_reason() {
    let old = resources(&json!({
        "Same": {"Type": "AWS::SNS::Topic"},
        "Changed": {"Type": "AWS::Lambda::Function", "Properties": {"Timeout": 1}},
        "Renamed": {"Type": "AWS::Lambda::Function", "Properties": {"FunctionName": "a"}},
        "Moved": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "a"}},
        "Saved": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "c"}, "UpdateReplacePolicy": "Retain"},
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
        "Saved": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "d"}, "UpdateReplacePolicy": "Retain"},
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
    let grade = |policy: &str| {
        let (old, new) = (template("a", policy), template("b", policy));
        let plan = registered(&old, &new);
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

/// A rule of its own opens a group that is there as one in it does.
#[test]
fn a_rule_that_is_new_in_a_group_that_is_not_is_told() {
    let group = json!({"Type": "AWS::EC2::SecurityGroup", "Properties": {
        "GroupDescription": "a",
        "SecurityGroupIngress": [{"IpProtocol": "tcp", "CidrIp": "10.0.0.0/8", "FromPort": 443, "ToPort": 443}],
    }});
    let rule = |group: Value, addresses: Value, port: u32| {
        json!({"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
            "GroupId": group, "IpProtocol": "tcp", "CidrIp": addresses, "FromPort": port, "ToPort": port,
        }})
    };
    let own = json!({"Fn::GetAtt": ["Group", "GroupId"]});
    let private = json!("10.0.0.0/8");
    let base = rule(own.clone(), private.clone(), 5432);
    let new = "Create None: it is new";
    let opens = "Create ExposureWidened: 10.0.0.0/8 reaches port 5432 (tcp); it is new";
    let topic = json!({"Type": "AWS::SNS::Topic"});
    for (deployed, rule, expected) in [
        (json!({"Group": group}), base.clone(), opens),
        (
            json!({"Topic": topic}),
            rule(json!("sg-1"), private.clone(), 5432),
            opens,
        ),
        (json!({"Topic": topic}), base.clone(), new),
        // The group lets that in already, by itself or by a rule that has another logical id now.
        (
            json!({"Group": group}),
            rule(own.clone(), json!("10.1.0.0/16"), 443),
            new,
        ),
        (json!({"Group": group, "Earlier": base}), base.clone(), new),
        // Nobody knows who that is.
        (
            json!({"Group": group}),
            rule(own.clone(), json!({"Ref": "Addresses"}), 22),
            "Create ExposureWidened: any address reaches port 22 (tcp), as nobody knows what Addresses is; it is new",
        ),
    ] {
        let mut wanted = deployed.clone();
        wanted["Group"] = group.clone();
        wanted["Rule"] = rule;
        if let Some(all) = wanted.as_object_mut() {
            all.remove("Earlier");
        }
        let plan = registered(&resources(&deployed), &resources(&wanted));
        assert_eq!(line(&plan, "Rule"), expected);
    }
}

/// What a trap says may be worse than what the registry says, and both are asked for.
#[test]
fn a_danger_that_a_trap_outdoes_is_kept() {
    let group = |name: &str, class: &str, policy: &str| {
        resources(&json!({"Thing": {
            "Type": "AWS::Logs::LogGroup",
            "UpdateReplacePolicy": policy,
            "Properties": {"LogGroupName": name, "LogGroupClass": class},
        }}))
    };
    for (policy, danger) in [("Delete", Grade::DataLoss), ("Retain", Grade::Replacement)] {
        let plan = registered(
            &group("a", "STANDARD", policy),
            &group("b", "INFREQUENT_ACCESS", policy),
        );
        let change = &plan.changes[0];
        assert_eq!(change.grade, Grade::Impossible, "{change:#?}");
        assert_eq!(change.dangers, [danger], "{change:#?}");
    }
}

/// Whatever reads the new one finds nothing, although nothing is lost. What holds no data is replaced without a word.
#[test]
fn an_empty_resource_in_place_of_one_with_data_is_a_danger() {
    let dangers = |kind: &str, policy: &str, [before, after]: [&Value; 2]| {
        let side = |properties: &Value| {
            resources(&json!({"Thing": {
                "Type": kind, "UpdateReplacePolicy": policy, "Properties": properties,
            }}))
        };
        let plan = registered(&side(before), &side(after));
        let change = &plan.changes[0];
        assert_eq!(change.action, Action::Replace, "{change:#?}");
        change.dangers.clone()
    };
    let tables = [&json!({"TableName": "a"}), &json!({"TableName": "b"})];
    let kind = "AWS::DynamoDB::Table";
    assert_eq!(dangers(kind, "Retain", tables), [Grade::Replacement]);
    assert_eq!(dangers(kind, "Snapshot", tables), [Grade::Replacement]);
    assert_eq!(dangers(kind, "Delete", tables), [Grade::DataLoss]);
    let functions = [&json!({"FunctionName": "a"}), &json!({"FunctionName": "b"})];
    assert_eq!(dangers("AWS::Lambda::Function", "Delete", functions), []);
}
