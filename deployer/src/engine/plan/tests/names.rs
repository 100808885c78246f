//! What CloudFormation refuses because something has the name already.

use serde_json::{Value, json};

use super::super::knowledge::is_own_name;
use super::super::{Knowledge, Registry};
use super::{Plan, line, plan_of, plan_with, registered, resources};

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
    let told = |old: &Value, new: &Value| line(&registered(old, new), "Function");
    let literal = json!("orders");
    assert_eq!(
        told(
            &template(literal.clone(), "Zip"),
            &template(literal.clone(), "Image")
        ),
        "Replace Impossible: CloudFormation does not replace a resource that keeps its name: give it another FunctionName than \"orders\", or none; PackageType cannot change without replacement"
    );
    let made = json!({"Fn::Sub": "${AWS::StackName}-orders"});
    let found = told(&template(made.clone(), "Zip"), &template(made, "Image"));
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
        let found = told(&template(old, "Zip"), &template(new, "Image"));
        assert!(found.starts_with("Replace Replacement"), "{found}");
    }
}

/// Another name would make an empty one, where the update policy lets the one that is there change.
#[test]
fn what_an_update_policy_would_change_in_place_is_told_with_the_policy() {
    let domain = |policy: Value, more: Value| {
        let mut template = resources(&json!({"It": {
            "Type": "AWS::OpenSearchService::Domain",
            "Properties": {"DomainName": "orders"},
            "UpdatePolicy": policy,
        }}));
        let properties = &mut template["Resources"]["It"]["Properties"];
        let more = more.as_object().expect("is an object").clone();
        properties
            .as_object_mut()
            .expect("is an object")
            .extend(more);
        template
    };
    let version = |version: &str| json!({"EngineVersion": format!("OpenSearch_{version}")});
    let told = |policy: Value| {
        let (old, new) = (version("2.5"), version("2.11"));
        line(
            &registered(&domain(policy.clone(), old), &domain(policy, new)),
            "It",
        )
    };
    let refused = told(json!({"Ref": "AWS::NoValue"}));
    assert!(
        refused.starts_with(
            "Replace Impossible: CloudFormation does not replace a resource that keeps its name: give it an UpdatePolicy with \
             `EnableVersionUpgrade: true`, which changes the one that is there, or, for an empty one, give it another DomainName \
             than \"orders\", or none; "
        ),
        "{refused}"
    );
    assert!(
        refused.contains(
            "EngineVersion cannot change without replacement unless its UpdatePolicy has `EnableVersionUpgrade: true`"
        ),
        "{refused}"
    );
    assert!(told(json!({"EnableVersionUpgrade": false})).starts_with("Replace Impossible"));
    let allowed = told(json!({"EnableVersionUpgrade": true}));
    assert!(allowed.starts_with("Update "), "{allowed}");
    assert!(!allowed.contains("UpdatePolicy"), "{allowed}");
    let perhaps = told(json!({"EnableVersionUpgrade": {"Ref": "Hidden"}}));
    assert!(
        perhaps.contains(
            "EngineVersion may need replacement unless its UpdatePolicy has `EnableVersionUpgrade: true`"
        ),
        "{perhaps}"
    );

    // Of what is replaced anyway, no policy helps.
    let group = |nodes: u32, subnets: &str| {
        resources(
            &json!({"It": {"Type": "AWS::ElastiCache::ReplicationGroup", "Properties": {
                "ReplicationGroupId": "orders", "NumNodeGroups": nodes, "CacheSubnetGroupName": subnets,
            }}}),
        )
    };
    let only = line(&registered(&group(1, "a"), &group(2, "a")), "It");
    assert!(
        only.starts_with("Replace Impossible: CloudFormation does not replace a resource that keeps its name: give it an UpdatePolicy with `UseOnlineResharding: true`"),
        "{only}"
    );
    let both = line(&registered(&group(1, "a"), &group(2, "b")), "It");
    assert!(
        both.starts_with("Replace Impossible: CloudFormation does not replace a resource that keeps its name: give it another ReplicationGroupId than"),
        "{both}"
    );
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
    let plan = registered(&old, &new);
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
            "intake-dev/Pipe: CloudFormation does not replace a resource that keeps its name: give it another Name than \"orders\", or none"
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
    // Two that are new, and one that gets the name of another that is new.
    let both = "CloudFormation refuses one of two that have the QueueName \"orders\", and Orders is made with it as well: give it another QueueName";
    assert_eq!(
        of(json!({}), json!({"Orders": orders, "Sales": orders})),
        format!("Create Impossible: {both}; it is new")
    );
    let renamed = of(
        json!({"Sales": sales}),
        json!({"Orders": orders, "Sales": orders}),
    );
    assert!(
        renamed.starts_with(&format!("Replace Impossible: {both}; ")),
        "{renamed}"
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
    let plan = plan_with(&old, &parameters, &new, &parameters);
    let told = line(&plan, "Sales");
    assert!(told.starts_with("Create Impossible"), "{told}");
    let plan = plan_with(&old, &[], &new, &[("AWS::StackName", "other")]);
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
        &template(json!({})),
        &template(json!({"Orders": queue("Big"), "Sales": queue("Small")})),
    );
    assert_eq!(line(&plan, "Sales"), "Create None: it is new");
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
    let told = |old: &Value, new: &Value| line(&registered(old, new), "Current");
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

/// See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>.
#[test]
fn a_group_of_another_network_may_have_the_same_name() {
    let group = |vpc: Option<&str>, says: &str| {
        let mut group = json!({"Type": "AWS::EC2::SecurityGroup", "Properties": {
            "GroupDescription": says, "GroupName": "web",
        }});
        if let Some(vpc) = vpc {
            group["Properties"]["VpcId"] = json!(vpc);
        }
        group
    };
    let (a, b) = (group(Some("vpc-a"), "a"), group(Some("vpc-b"), "a"));
    let old = resources(&json!({"WebA": a}));
    let beside = |other: &Value| {
        let new = resources(&json!({"WebA": a, "WebB": other}));
        line(&registered(&old, &new), "WebB")
    };
    assert_eq!(beside(&b), "Create None: it is new");
    assert!(beside(&a).starts_with("Create Impossible"));
    let replaced = |old: &Value, new: &Value| {
        let side = |group: &Value| resources(&json!({"WebA": group}));
        line(&registered(&side(old), &side(new)), "WebA")
    };
    let told = replaced(&a, &b);
    assert!(told.starts_with("Replace Replacement"), "{told}");
    let told = replaced(&group(None, "a"), &group(None, "b"));
    assert!(told.starts_with("Replace Impossible"), "{told}");
    // EC2 takes Web for web.
    let mut capital = a.clone();
    capital["Properties"]["GroupName"] = json!("Web");
    assert!(beside(&capital).starts_with("Create Impossible"));
    let told = replaced(&a, &capital);
    assert!(told.starts_with("Replace Impossible"), "{told}");
}

/// See <https://docs.aws.amazon.com/scheduler/latest/APIReference/API_CreateSchedule.html>.
#[test]
fn a_schedule_of_another_group_may_have_the_same_name() {
    let schedule = |group: &str| {
        json!({"Type": "AWS::Scheduler::Schedule", "Properties": {
            "Name": "nightly", "GroupName": group, "ScheduleExpression": "rate(1 day)",
        }})
    };
    let old = resources(&json!({"One": schedule("a")}));
    let beside = |group: &str| {
        let new = resources(&json!({"One": schedule("a"), "Other": schedule(group)}));
        line(&registered(&old, &new), "Other")
    };
    assert_eq!(beside("b"), "Create None: it is new");
    assert!(beside("a").starts_with("Create Impossible"));
}

/// What it is attached to is no name that somebody gives.
#[test]
fn what_there_can_be_one_of_is_not_to_get_another_name() {
    let policy = json!({"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": "a", "PolicyDocument": {}}});
    let old = resources(&json!({"Policy": policy}));
    for (new, expected) in [
        (
            json!({"Access": policy}),
            "while Policy has the Bucket \"a\": declare the rename with `moved`; it is new",
        ),
        (
            json!({"Access": policy, "Policy": policy}),
            "while Policy has the Bucket \"a\": there can be one of that Bucket; it is new",
        ),
    ] {
        let told = line(&registered(&old, &resources(&new)), "Access");
        assert!(told.starts_with("Create Impossible"), "{told}");
        assert!(told.ends_with(expected), "{told}");
    }
    for (resource_type, property, expected) in [
        ("AWS::SQS::Queue", "QueueName", true),
        ("AWS::SSM::Parameter", "Name", true),
        ("AWS::RDS::DBCluster", "DBClusterIdentifier", true),
        ("AWS::SES::EmailIdentity", "EmailIdentity", true),
        ("AWS::ApiGateway::DomainName", "DomainName", true),
        ("AWS::SNS::TopicInlinePolicy", "TopicArn", false),
        ("AWS::Route53::DNSSEC", "HostedZoneId", false),
    ] {
        let own = is_own_name(resource_type, property);
        assert_eq!(own, expected, "{resource_type} {property}");
    }
}

#[test]
fn names_are_what_the_registry_and_the_services_say() {
    for (resource_type, names) in [
        ("AWS::DynamoDB::Table", vec!["TableName"]),
        ("AWS::IAM::ManagedPolicy", vec!["ManagedPolicyName"]),
        ("AWS::ApiGateway::Model", vec!["Name", "RestApiId"]),
        ("AWS::EC2::SecurityGroup", vec!["GroupName", "VpcId"]),
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
fn a_name_of_a_rule_is_one_of_its_bus() {
    let rule = |bus: &str| json!({"Type": "AWS::Events::Rule", "Properties": {"Name": "late", "EventBusName": bus}});
    let of = |old: Value, new: Value| {
        let (old, new) = (resources(&old), resources(&new));
        let plan = registered(&old, &new);
        line(&plan, "Late")
    };
    assert_eq!(
        of(
            json!({}),
            json!({"Early": rule("one"), "Late": rule("other")})
        ),
        "Create None: it is new"
    );
    let same = of(
        json!({"Early": rule("one")}),
        json!({"Early": rule("one"), "Late": rule("one")}),
    );
    assert_eq!(
        same,
        "Create Impossible: CloudFormation refuses to make it while Early has the Name \"late\": give it another Name; it is new"
    );
    let moved = of(json!({"Late": rule("one")}), json!({"Late": rule("other")}));
    assert!(moved.starts_with("Replace Replacement: "), "{moved}");
}

/// What leaves and what comes under another logical id may be one and the same, which nobody but its owner knows.
#[test]
fn what_may_be_the_same_under_another_id_is_told_with_what_keeps_it() {
    let table =
        |delay: u8| json!({"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": delay}});
    let of = |old: Value, new: Value| {
        let plan = plan_of(&resources(&old), &resources(&new));
        line(&plan, "Inbox")
    };
    let gone = "Delete DataLoss: it is deleted with the data that it holds";
    let one = of(json!({"Inbox": table(5)}), json!({"Orders": table(5)}));
    assert_eq!(
        one,
        format!(
            "{gone}; Orders is new and says the same: if it is what Inbox was, declare `moved(\"Inbox\", ..)` for it, and it keeps what it holds"
        )
    );
    let several = of(
        json!({"Inbox": table(5)}),
        json!({"Orders": table(5), "Sales": table(5)}),
    );
    assert_eq!(
        several,
        format!(
            "{gone}; Orders, Sales are new and say the same: if one of them is what Inbox was, declare `moved(\"Inbox\", ..)` for it, and it keeps what it holds"
        )
    );
    // Where it may be what either of two was, that is said once.
    let two = resources(&json!({"Audit": table(5), "Inbox": table(5)}));
    let plan = plan_of(&two, &resources(&json!({"Orders": table(5)})));
    assert_eq!(
        line(&plan, "Audit"),
        format!(
            "{gone}; Orders is new and says the same: if it is what Audit or Inbox was, declare `moved(\"Audit\", ..)` or \
             `moved(\"Inbox\", ..)` for it, and it keeps what it holds"
        )
    );
    assert_eq!(line(&plan, "Inbox"), gone);
    let other = of(json!({"Inbox": table(5)}), json!({"Orders": table(6)}));
    assert_eq!(other, gone);
    let stays = of(
        json!({"Inbox": table(5), "Orders": table(5)}),
        json!({"Orders": table(5)}),
    );
    assert_eq!(stays, gone);
    let topic = json!({"Type": "AWS::SNS::Topic"});
    let nothing = of(json!({"Inbox": topic}), json!({"Orders": topic}));
    assert_eq!(nothing, "Delete Interruption: it is deleted");
}

/// An application that is told of another table works on an empty one, whatever becomes of the earlier one.
#[test]
fn what_is_named_in_place_of_what_leaves_with_its_data_replaces_it() {
    let table = |policy: &str, name: &str| json!({"Type": "AWS::DynamoDB::Table", "DeletionPolicy": policy, "Properties": {"TableName": name}});
    let reader = |names: &[&str]| {
        let names: Vec<Value> = names.iter().map(|name| json!({"Ref": name})).collect();
        json!({"Type": "AWS::Lambda::Function", "Properties": {"Environment": {"Variables": {"Tables": names}}}})
    };
    let of = |old: Value, new: Value| line(&plan_of(&resources(&old), &resources(&new)), "Sales");
    let before = |policy: &str, names: &[&str]| json!({"Orders": table(policy, "orders"), "Audit": table("Retain", "audit"), "Reader": reader(names)});
    let after = |names: &[&str]| json!({"Sales": table("Retain", "sales"), "Audit": table("Retain", "audit"), "Reader": reader(names)});
    let ends = "what named that one names this one, which is empty. If it is what Orders was, declare `moved(\"Orders\", ..)` for it, \
                and it keeps what it holds";
    assert_eq!(
        of(before("Retain", &["Orders"]), after(&["Sales"])),
        format!(
            "Create Replacement: it takes the place of Orders, which stays outside the stack under its name: {ends}; it is new"
        )
    );
    assert_eq!(
        of(before("Snapshot", &["Orders"]), after(&["Sales"])),
        format!(
            "Create Replacement: it takes the place of Orders, of which a snapshot is kept: {ends}; it is new"
        )
    );
    // What leaves asks for that itself.
    assert_eq!(
        of(before("Delete", &["Orders"]), after(&["Sales"])),
        format!(
            "Create None: it is new; it takes the place of Orders, which is deleted with its data: {ends}"
        )
    );
    // Nothing names it in place of the other one: nobody knows.
    let untouched: [(&[&str], &[&str]); 3] = [
        (&[], &["Sales"]),
        (&["Orders"], &[]),
        (&["Audit"], &["Audit", "Sales"]),
    ];
    for (names, later) in untouched {
        let plain = of(before("Retain", names), after(later));
        assert_eq!(plain, "Create None: it is new");
    }
    // Another type is no other one of it.
    let queue = json!({"Sales": {"Type": "AWS::SQS::Queue"}, "Reader": reader(&["Sales"])});
    let other = of(before("Retain", &["Orders"]), queue);
    assert_eq!(other, "Create None: it is new");
    // Other stacks know it by an output.
    let mut outputs = [before("Retain", &[]), after(&[])].map(|it| resources(&it));
    for (side, name) in outputs.iter_mut().zip(["Orders", "Sales"]) {
        side["Outputs"] = json!({"Table": {"Value": {"Ref": name}}});
    }
    let told = line(&plan_of(&outputs[0], &outputs[1]), "Sales");
    assert!(told.starts_with("Create Replacement: "), "{told}");
}
