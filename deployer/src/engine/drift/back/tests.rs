use super::*;
use crate::engine::drift::Sides;
use crate::engine::tests::stack;

/// A resource that is not as it was deployed; both sides are those of the properties that its template sets, as
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackResourceDrift.html> tells them.
fn modified(id: &str, kind: &str, path: &str, actual: Value, expected: Value) -> ResourceDrift {
    ResourceDrift {
        logical_id: id.to_owned(),
        resource_type: kind.to_owned(),
        physical_id: None,
        status: "MODIFIED".to_owned(),
        reason: None,
        properties: vec![PropertyDrift {
            path: path.to_owned(),
            expected: None,
            actual: None,
        }],
        source: None,
        sides: Some(Sides { actual, expected }),
    }
}

fn deleted(id: &str, kind: &str) -> ResourceDrift {
    ResourceDrift {
        status: "DELETED".to_owned(),
        properties: Vec::new(),
        sides: None,
        ..modified(id, kind, "", Value::Null, Value::Null)
    }
}

/// Judges what changing back does to a template that is deployed.
fn judged(template: Option<&Value>, resources: &[ResourceDrift]) -> StackPlan {
    let manifest = stack("intake-prod", &[]).manifest;
    let deployed = Side {
        template,
        ..Side::default()
    };
    judge(&manifest, &deployed, resources)
}

/// Returns what happens, how dangerous that is, and the first reason.
fn row(plan: &StackPlan, id: &str) -> (Action, Vec<Grade>, String) {
    let mut changes = plan.changes.iter();
    let change = changes.find(|change| change.logical_id == id);
    let change = change.expect("it changes");
    let reason = change.reasons.first().cloned();
    (
        change.action,
        change.dangers.clone(),
        reason.unwrap_or_default(),
    )
}

const GROUP: &str = "AWS::EC2::SecurityGroup";

fn group(rules: &Value) -> Value {
    json!({"GroupDescription": "Callers", "SecurityGroupIngress": rules})
}

fn rule(address: &str) -> Value {
    json!({"CidrIp": address, "FromPort": 443, "IpProtocol": "tcp", "ToPort": 443})
}

/// A group whose rule names a network of the parameters, with a function that is in it.
fn network() -> Value {
    json!({
        "Parameters": {"Network": {"Type": "String", "Default": "10.0.0.0/8"}},
        "Resources": {
            "Gate": {"Type": GROUP, "Properties": group(&json!([rule("0.0.0.0/0")]))},
            "Other": {"Type": "AWS::SQS::Queue"},
        },
    })
}

#[test]
fn what_was_closed_by_hand_is_opened_again() {
    let template = network();
    let opened = group(&json!([rule("0.0.0.0/0")]));
    for (closed, path) in [
        (group(&json!([])), "/SecurityGroupIngress/0"),
        (
            group(&json!([rule("10.0.0.0/8")])),
            "/SecurityGroupIngress/0/CidrIp",
        ),
        (
            json!({"GroupDescription": "Callers"}),
            "/SecurityGroupIngress",
        ),
    ] {
        let back = [modified(
            "Gate",
            GROUP,
            path,
            closed.clone(),
            opened.clone(),
        )];
        let plan = judged(Some(&template), &back);
        let (action, dangers, reason) = row(&plan, "Gate");
        assert_eq!(action, Action::Update, "{closed}");
        assert_eq!(dangers, [Grade::ExposureWidened], "{closed}");
        assert_eq!(reason, "opens: any address reaches port 443 (tcp)");
        assert_eq!(plan.changes.len(), 1, "{plan:?}");
        // The other way round nobody has to allow anything.
        let mut template = template.clone();
        template["Resources"]["Gate"]["Properties"] = closed.clone();
        let back = [modified("Gate", GROUP, path, opened.clone(), closed)];
        let (action, dangers, reason) = row(&judged(Some(&template), &back), "Gate");
        assert_eq!((action, dangers), (Action::Update, Vec::new()), "{reason}");
    }
}

/// What refers to others still does where it was not changed: whom the policy is given to was in the stack before.
#[test]
fn a_policy_is_judged_by_what_it_says_and_by_whose_it_is() {
    let document = |actions: &[&str]| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": actions, "Resource": "arn:aws:sqs:eu-central-1:1:orders"},
        ]})
    };
    let body = |roles: Value, actions: &[&str]| json!({"PolicyName": "p", "Roles": roles, "PolicyDocument": document(actions)});
    let mut template = json!({"Resources": {
        "Orders": {"Type": "AWS::SQS::Queue"},
        "Role": {"Type": "AWS::IAM::Role"},
        "Policy": {"Type": "AWS::IAM::Policy", "Properties": body(json!([{"Ref": "Role"}]), &[])},
    }});
    template["Resources"]["Policy"]["Properties"]["PolicyDocument"]["Statement"][0]["Resource"] =
        json!({"Fn::GetAtt": ["Orders", "Arn"]});
    let there = |actions: &[&str]| body(json!(["intake-Role-1"]), actions);
    let (less, more) = (
        there(&["sqs:SendMessage"]),
        there(&["sqs:SendMessage", "sqs:ReceiveMessage"]),
    );
    let path = "/PolicyDocument/Statement/0/Action/1";
    let back = [modified(
        "Policy",
        "AWS::IAM::Policy",
        path,
        less.clone(),
        more.clone(),
    )];
    let (_, dangers, reason) = row(&judged(Some(&template), &back), "Policy");
    assert_eq!(dangers, [Grade::PermissionWidened]);
    assert_eq!(
        reason,
        "allows more: sqs:ReceiveMessage on arn:aws:sqs:eu-central-1:1:orders by Role"
    );
    let back = [modified("Policy", "AWS::IAM::Policy", path, more, less)];
    let (_, dangers, reason) = row(&judged(Some(&template), &back), "Policy");
    assert!(dangers.is_empty(), "{reason}");
    assert!(
        reason.starts_with("it is updated") || reason.starts_with("allows no more"),
        "{reason}"
    );
}

#[test]
fn what_was_deleted_by_hand_is_made_anew_and_may_let_somebody_in() {
    let template = json!({"Resources": {
        "Gate": {"Type": GROUP, "Properties": group(&json!([]))},
        "Table": {"Type": "AWS::DynamoDB::Table"},
        "Work": {"Type": "AWS::Lambda::Function", "Properties": {}},
        "Call": {"Type": "AWS::Lambda::Permission", "Properties": {
            "Action": "lambda:InvokeFunction", "FunctionName": {"Ref": "Work"}, "Principal": "*",
        }},
        "Rule": {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
            "GroupId": {"Ref": "Gate"}, "CidrIp": "0.0.0.0/0", "IpProtocol": "-1",
        }},
    }});
    let back = [
        deleted("Rule", "AWS::EC2::SecurityGroupIngress"),
        deleted("Call", "AWS::Lambda::Permission"),
        deleted("Table", "AWS::DynamoDB::Table"),
    ];
    let plan = judged(Some(&template), &back);
    let (action, dangers, _) = row(&plan, "Rule");
    assert_eq!(
        (action, dangers),
        (Action::Create, vec![Grade::ExposureWidened])
    );
    let (action, dangers, _) = row(&plan, "Call");
    assert_eq!(action, Action::Create);
    assert!(!dangers.is_empty());
    // What it held is gone already.
    let (action, dangers, _) = row(&plan, "Table");
    assert_eq!((action, dangers), (Action::Create, Vec::new()));
}

#[test]
fn what_only_another_one_can_have_replaces_it_with_its_data() {
    let schema = |name: &str| json!({"KeySchema": [{"AttributeName": name, "KeyType": "HASH"}]});
    let template = json!({"Resources": {
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": schema("id")},
    }});
    let back = [modified(
        "Table",
        "AWS::DynamoDB::Table",
        "/KeySchema/0/AttributeName",
        schema("other"),
        schema("id"),
    )];
    let (action, dangers, _) = row(&judged(Some(&template), &back), "Table");
    assert_eq!((action, dangers), (Action::Replace, vec![Grade::DataLoss]));
}

#[test]
fn what_nobody_can_see_may_let_somebody_in() {
    let mut template = network();
    template["Parameters"]["Network"]["NoEcho"] = json!(true);
    template["Resources"]["Gate"]["Properties"]["SecurityGroupIngress"][0]["CidrIp"] =
        json!({"Ref": "Network"});
    let (there, wanted) = (
        group(&json!([rule("10.0.0.0/8")])),
        group(&json!([rule("0.0.0.0/0")])),
    );
    let path = "/SecurityGroupIngress/0/CidrIp";
    let secret = modified("Gate", GROUP, path, there.clone(), wanted.clone());
    let open = network();
    let untold = ResourceDrift {
        sides: None,
        ..secret.clone()
    };
    // What differs is not where the detection says that it does.
    let elsewhere = modified("Gate", GROUP, path, wanted.clone(), wanted);
    for (template, drift) in [
        (Some(&template), &secret),
        (Some(&open), &untold),
        (Some(&open), &elsewhere),
        (None, &secret),
        (Some(&open), &deleted("OfAMacro", GROUP)),
    ] {
        let plan = judged(template, std::slice::from_ref(drift));
        let (_, dangers, reason) = row(&plan, &drift.logical_id);
        assert_eq!(
            (dangers, reason.as_str()),
            (lets_in(GROUP).into_iter().collect(), UNSEEN)
        );
        let text = serde_json::to_string(&plan).expect("is JSON");
        let hides = template.is_none_or(|it| it["Parameters"]["Network"]["NoEcho"] == true);
        assert!(!hides || !text.contains("10.0.0.0"), "{text}");
    }
    assert_eq!(lets_in(GROUP), Some(Grade::ExposureWidened));
    // One whose type lets nobody in needs no consent of its own.
    let queue = ResourceDrift {
        sides: None,
        ..modified(
            "Other",
            "AWS::SQS::Queue",
            "/DelaySeconds",
            json!({}),
            json!({}),
        )
    };
    let (action, dangers, _) = row(&judged(Some(&open), &[queue]), "Other");
    assert_eq!((action, dangers), (Action::Update, Vec::new()));
}

#[test]
fn what_could_not_be_read_is_left_to_the_change_set() {
    let unread = ResourceDrift {
        status: "UNKNOWN".to_owned(),
        ..deleted("Gate", GROUP)
    };
    assert!(judged(Some(&network()), &[unread]).is_empty());
}

#[test]
fn values_that_are_the_same_before_and_after_tell_nothing() {
    let told = |after: &str| {
        let mut change = Change {
            own: vec!["CidrIp".to_owned()],
            values: Some([json!({"CidrIp": "10.0.0.0/8"}), json!({"CidrIp": after})]),
            ..Change::default()
        };
        distrust(&mut change);
        change.values.is_some()
    };
    assert!(told("0.0.0.0/0"));
    assert!(!told("10.0.0.0/8"));
}
