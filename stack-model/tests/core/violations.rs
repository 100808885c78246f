//! What is wrong with an app is found in one run, and every report says where.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::sqs::QueueProps;
use stack_model::{App, Condition, Handle, ResourceRef, Stack, Value, text};

use crate::support::{dev, synth, template, texts, violations};

/// Adds a resource whose `DisplayName` holds the given texts: the simplest way to make one need others.
fn topic(stack: &mut Stack<'_>, id: &str, needs: &[&Value<String>]) -> ResourceRef {
    let handle = stack.raw(id, "AWS::SNS::Topic", json!({}));
    let text = needs
        .iter()
        .fold(text!("of"), |text, need| text!("{}-{}", text, *need));
    stack.override_property(&handle, "DisplayName", text);
    handle
}

#[test]
fn everything_wrong_is_reported_in_one_run() {
    let found = violations(dev(), |stack| {
        stack.queue::<String>("Orders", QueueProps::default());
        stack.queue::<String>("Orders", QueueProps::default());
        stack.queue::<String>("Bad id", QueueProps::default());
        stack.raw("Typo", "AWS::SQS::Queu", json!({}));
        stack.raw("Unknown", "AWS::SQS::Queue", json!({"DelaySecond": 5}));
        stack.output("Twice", "a");
        stack.output("Twice", "b");
        stack.describe("d".repeat(1025));
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Orders: the logical id `Orders` is taken by the AWS::SQS::Queue declared at stack-model/tests/core/violations.rs:23:15: choose another",
      "orders / Bad id: `Bad id` is not a logical id: ' ' is neither a letter nor a digit",
      "orders / Bad idPolicy: `Bad idPolicy` is not a logical id: ' ' is neither a letter nor a digit",
      "orders / Twice: the output `Twice` is declared twice",
      "orders: the description is longer than 1024 bytes",
      "orders / Typo: unknown resource type `AWS::SQS::Queu`, did you mean `AWS::SQS::Queue`?",
      "orders / Unknown / Properties.DelaySecond: unknown property, did you mean `DelaySeconds`?"
    ]
    "#);
}

#[test]
fn a_report_says_where_the_resource_is_declared() {
    let violations = synth(dev(), |stack| {
        stack.raw("Orders", "AWS::SQS::Queue", json!({"DelaySeconds": 901}));
    })
    .unwrap_err();
    let text = violations.to_string();
    assert!(
        text.starts_with("1 violation\norders / Orders / Properties.DelaySeconds: "),
        "{text}"
    );
    assert!(
        text.contains("declared at stack-model/tests/core/violations.rs:"),
        "{text}"
    );
    let failure = violations.failure();
    let item = &failure.violations[0];
    assert_eq!(item.logical_id.as_deref(), Some("Orders"));
    assert_eq!(item.property.as_deref(), Some("Properties.DelaySeconds"));
    assert!(item.source.as_deref().unwrap().contains("violations.rs"));
}

#[test]
fn a_service_module_reports_its_callers_line() {
    let line = line!() + 2;
    let violations = synth(dev(), |stack| {
        stack.queue::<String>(
            "Orders",
            QueueProps {
                delay: Some(901.into()),
                ..QueueProps::default()
            },
        );
    })
    .unwrap_err();
    let text = violations.to_string();
    assert!(text.contains(&format!("violations.rs:{line}:")), "{text}");
}

#[test]
fn a_taken_logical_id_names_the_other_place() {
    let found = synth(dev(), |stack| {
        stack.raw("Orders", "AWS::SNS::Topic", json!({}));
        stack.queue::<String>("Orders", QueueProps::default());
    })
    .unwrap_err();
    let text = texts(&found).concat();
    assert!(
        text.contains(
            "taken by the AWS::SNS::Topic declared at stack-model/tests/core/violations.rs:"
        ),
        "{text}"
    );
}

#[test]
fn a_child_that_clashes_is_reported_too() {
    let found = violations(dev(), |stack| {
        stack.raw("OrdersPolicy", "AWS::SNS::Topic", json!({}));
        stack.queue::<String>("Orders", QueueProps::default());
    });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("`OrdersPolicy` is taken"), "{found:?}");
}

#[test]
fn resources_that_need_each_other_are_a_cycle_with_an_edge_to_cut() {
    let found = violations(dev(), |stack| {
        let first = topic(stack, "First", &[]);
        let second = topic(stack, "Second", &[&first.reference()]);
        let third = topic(stack, "Third", &[&second.attribute("TopicName")]);
        stack.override_property(&first, "TopicName", third.reference());
        topic(stack, "Outside", &[&first.reference()]);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / First: the resources First -> Third -> Second -> First need each other: cut the edge Second -> First, which comes from Properties.DisplayName"
    ]
    "#);
}

#[test]
fn a_resource_that_needs_itself_is_a_cycle() {
    let found = violations(dev(), |stack| {
        let only = topic(stack, "Only", &[]);
        stack.override_property(&only, "TopicName", only.reference());
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Only: the resources Only -> Only need each other: cut the edge Only -> Only, which comes from Properties.TopicName"
    ]
    "#);
}

#[test]
fn a_written_dependency_can_close_a_cycle() {
    let found = violations(dev(), |stack| {
        let first = topic(stack, "First", &[]);
        let second = topic(stack, "Second", &[&first.reference()]);
        stack.depends_on(&first, &second);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / First: the resources First -> Second -> First need each other: cut the edge Second -> First, which comes from Properties.DisplayName"
    ]
    "#);
}

#[test]
fn a_handle_of_another_app_is_foreign() {
    let foreign = dev()
        .stack("elsewhere")
        .queue::<String>("Orders", QueueProps::default());
    let same_name = dev()
        .stack("orders")
        .queue::<String>("Stranger", QueueProps::default());
    let found = violations(dev(), |stack| {
        let own = topic(stack, "Own", &[&foreign.url(), &same_name.url()]);
        stack.depends_on(&own, &foreign);
        stack.depends_on(&own, &same_name);
        stack.override_property(&foreign, "DelaySeconds", 5);
        stack.override_property(&same_name, "DelaySeconds", 5);
        stack.output("Url", foreign.url());
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Orders: `Orders` belongs to the stack `elsewhere` and can only be changed there",
      "orders / Stranger: `Stranger` is not a resource of this stack: the handle comes from another app",
      "orders / Own / Properties.DisplayName: `Orders` belongs to the stack `elsewhere`, which is not part of this app: the handle is foreign",
      "orders / Url / Value: `Orders` belongs to the stack `elsewhere`, which is not part of this app: the handle is foreign",
      "orders / Own / Properties.DisplayName: `Stranger` is not a resource of this stack: the handle comes from another app",
      "orders / Own / DependsOn: `Orders` belongs to the stack `elsewhere`: a resource can only wait for one of its own stack, so use `after(\"elsewhere\")`",
      "orders / Own / DependsOn: `Stranger` is not a resource of this stack"
    ]
    "#);
}

#[test]
fn attributes_are_those_of_the_resource_type() {
    let found = violations(dev(), |stack| {
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        stack.output("Right", queue.attribute("QueueName"));
        stack.output("Wrong", queue.attribute("Nam"));
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Wrong / Value: `AWS::SQS::Queue` has no attribute `Nam`"
    ]
    "#);
}

#[test]
fn every_group_of_resources_that_need_each_other_is_reported() {
    let found = violations(dev(), |stack| {
        for (first, second) in [("A", "B"), ("C", "D")] {
            let one = topic(stack, first, &[]);
            let two = topic(stack, second, &[&one.reference()]);
            stack.depends_on(&one, &two);
        }
        let only = topic(stack, "E", &[]);
        stack.depends_on(&only, &only);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / A: the resources A -> B -> A need each other: cut the edge B -> A, which comes from Properties.DisplayName",
      "orders / C: the resources C -> D -> C need each other: cut the edge D -> C, which comes from Properties.DisplayName",
      "orders / E: the resources E -> E need each other: cut the edge E -> E, which comes from DependsOn"
    ]
    "#);
}

#[test]
fn placeholders_in_plain_texts_are_not_substituted_by_anybody() {
    let found = violations(dev(), |stack| {
        stack.raw(
            "Own",
            "AWS::SNS::Topic",
            json!({"DisplayName": "in ${AWS::Region}", "TopicName": {"Fn::Sub": "${AWS::Region}-orders"}}),
        );
        let other = stack.raw(
            "Fine",
            "AWS::SNS::Topic",
            json!({"DisplayName": "${Other} ${aws:username}"}),
        );
        stack.override_property(&other, "TopicName", "${Own.TopicName}-more");
        stack.output("Text", "${Own}");
        stack.raw(
            "Flow",
            "AWS::StepFunctions::StateMachine",
            json!({
                "DefinitionString": "{\"Comment\": \"${Own}\"}",
                "DefinitionSubstitutions": {"Own": {"Ref": "Own"}},
                "RoleArn": "arn:aws:iam::123456789012:role/flow",
            }),
        );
        stack.raw(
            "Resolved",
            "AWS::SNS::Topic",
            json!({"DisplayName": "{{resolve:ssm:/name}}", "TopicName": "{{resolve:parameter:/name}}"}),
        );
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Fine / Properties.TopicName: `${Own.TopicName}` stands in a plain text and would reach AWS as it is: use a token, `text!(..)` or `Fn::Sub`",
      "orders / Own / Properties.DisplayName: `${AWS::Region}` stands in a plain text and would reach AWS as it is: use a token, `text!(..)` or `Fn::Sub`",
      "orders / Resolved / Properties.TopicName: `{{resolve:parameter:/name` is no dynamic reference and would reach AWS as it is: write `{{resolve:ssm:..}}`, `{{resolve:ssm-secure:..}}` or `{{resolve:secretsmanager:..}}`"
    ]
    "#);
}

#[test]
fn references_in_raw_json_lead_somewhere() {
    let found = violations(dev(), |stack| {
        stack.parameter("Size", stack_model::Parameter::string().default("x"));
        let own = stack.raw(
            "Own",
            "AWS::SNS::Topic",
            json!({"DisplayName": {"Ref": "Nowhere"}, "TopicName": {"Fn::GetAtt": "Lost.Name"}}),
        );
        stack.metadata(
            &own,
            "Text",
            json_expr(json!({"Fn::Sub": "${!Text} ${Gone.Arn} ${Own}"})),
        );
        stack.output("List", json_expr(json!({"Fn::GetAtt": ["Away", "Arn"]})));
        stack.output("Size1", json_expr(json!({"Ref": "Size"})));
        stack.output("Region", json_expr(json!({"Ref": "AWS::Region"})));
        stack.output("Regoin", json_expr(json!({"Ref": "AWS::Regoin"})));
        stack.output(
            "Variables",
            json_expr(json!({"Fn::Sub": ["${Given} ${Missing}", {"Given": {"Ref": "Inner"}}]})),
        );
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Own / Properties.DisplayName: `Nowhere` is neither a resource nor a parameter of this stack",
      "orders / Own / Properties.TopicName: `Lost` is neither a resource nor a parameter of this stack",
      "orders / Own / Metadata.Text: `Gone` is neither a resource nor a parameter of this stack",
      "orders / List / Value: `Away` is neither a resource nor a parameter of this stack",
      "orders / Regoin / Value: `AWS::Regoin` is not a pseudo parameter",
      "orders / Variables / Value: `Missing` is neither a resource nor a parameter of this stack",
      "orders / Variables / Value.Fn::Sub.1.Given: `Inner` is neither a resource nor a parameter of this stack"
    ]
    "#);
}

fn json_expr(json: serde_json::Value) -> stack_model::Expr {
    json.into()
}

#[test]
fn changes_report_the_line_that_asks_for_them() {
    let stranger = dev()
        .stack("orders")
        .queue::<String>("Stranger", QueueProps::default());
    let line = line!() + 2;
    let violations = synth(dev(), |stack| {
        stack.override_property(&stranger, "DelaySeconds", 5);
        stack.remove_property(&stranger, "DelaySeconds");
        stack.metadata(&stranger, "Key", "x");
        stack.removal(&stranger, stack_model::Removal::Retain);
        stack.depends_on(&stranger, &stranger);
        let always = stack.condition("Always", Condition::equals("a", "a"));
        stack.only_if(&stranger, &always);
        stack.raw("Own", "AWS::SNS::Topic", json!({}));
    })
    .unwrap_err();
    let lines: Vec<_> = violations
        .failure()
        .violations
        .into_iter()
        .map(|item| {
            assert_eq!(item.logical_id.as_deref(), Some("Stranger"));
            let source = item.source.unwrap();
            source.split(':').nth(1).unwrap().parse::<u32>().unwrap() - line
        })
        .collect();
    assert_eq!(lines, [0, 1, 2, 3, 4, 6]);
}

#[test]
fn a_key_with_dots_can_be_overridden() {
    let template = template(dev(), |stack| {
        let own = stack.raw("Own", "AWS::SNS::Topic", json!({}));
        stack.override_property(&own, r"DeliveryStatusLogging.0", "x");
        stack.remove_property(&own, "DeliveryStatusLogging");
        stack.override_property(&own, r"ArchivePolicy.a\.b", "x");
    });
    assert_eq!(
        template["Resources"]["Own"]["Properties"],
        json!({"ArchivePolicy": {"a.b": "x"}})
    );
}

#[test]
fn names_that_are_declared_twice_are_reported() {
    let found = violations(dev(), |stack| {
        stack.raw("Size", "AWS::SNS::Topic", json!({}));
        for _ in 0..2 {
            let _: Value<String> =
                stack.parameter("Size", stack_model::Parameter::string().default("x"));
            stack.condition("Large", Condition::equals("a", "b"));
            let second = [("b".to_owned(), "c".to_owned())].into();
            stack.mapping("Sizes", [("a".to_owned(), second)].into());
        }
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Size: the parameter `Size` is declared twice",
      "orders / Large: the condition `Large` is declared twice",
      "orders / Sizes: the mapping `Sizes` is declared twice",
      "orders / Size: `Size` names a parameter and a resource: `Ref` could not tell them apart"
    ]
    "#);
}

#[test]
fn an_override_needs_a_path_that_leads_somewhere() {
    let found = violations(dev(), |stack| {
        let topic = stack.raw(
            "Orders",
            "AWS::SNS::Topic",
            json!({"DisplayName": "orders"}),
        );
        stack.override_property(&topic, "DisplayName.Inner", "x");
        stack.remove_property(&topic, "Tags.0");
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Orders / DisplayName.Inner: the override leads nowhere: check its path",
      "orders / Orders / Tags.0: the override leads nowhere: check its path"
    ]
    "#);
}

#[test]
fn what_an_override_does_wrong_is_told_where_it_stands() {
    let mut app = dev();
    let mut stack = app.stack("orders");
    let properties = json!({"DelaySeconds": 901, "MessageRetentionPeriod": 345_600});
    let queue = stack.raw("Orders", "AWS::SQS::Queue", properties);
    let key = stack.raw(
        "Key",
        "AWS::SSM::Parameter",
        json!({"Type": "String", "Value": "x"}),
    );
    let line = line!();
    stack.override_property(&queue, "VisibilityTimeout", "soon");
    stack.override_property(&queue, "RedrivePolicy", json!({"a": {"Ref": "Nobody"}}));
    stack.override_property(&queue, "MessageRetentionPeriod.days", "x");
    stack.remove_property(&queue, "KmsMasterKeyId.Inner");
    stack.remove_property(&key, "Value");
    let violations = app.synth().unwrap_err();
    let found = violations.failure().violations.into_iter().map(|item| {
        let source = item.source.unwrap();
        let at: u32 = source.split(':').nth(1).unwrap().parse().unwrap();
        let place = item.property.or(item.logical_id).unwrap();
        (place, i64::from(at) - i64::from(line))
    });
    let found: std::collections::BTreeMap<String, i64> = found.collect();
    // The first stands where the queue does.
    assert_json_snapshot!(found, @r#"
    {
      "Key": 5,
      "KmsMasterKeyId.Inner": 4,
      "MessageRetentionPeriod.days": 3,
      "Properties.DelaySeconds": -6,
      "Properties.RedrivePolicy.a": 2,
      "Properties.VisibilityTimeout": 1
    }
    "#);
}

#[test]
fn an_app_without_stacks_or_resources_is_reported() {
    assert_eq!(
        texts(&dev().synth().unwrap_err()),
        ["the app has no stack: add one with `app.stack(..)`"]
    );
    assert_eq!(
        violations(dev(), |_| {}),
        ["orders: the stack has no resource, and CloudFormation takes none without one"]
    );
}

#[test]
fn names_of_stacks_stages_and_tags_are_checked() {
    let request = json!({"name": "Dev_1", "region": "us-east-1", "architecture": "arm64"});
    let mut app = App::new(stack_model::Stage::new(
        serde_json::from_value(request).unwrap(),
    ));
    app.stack("1orders")
        .raw("Own", "AWS::SNS::Topic", json!({}));
    let mut long = app.stack(&"o".repeat(96));
    long.raw("Own", "AWS::SNS::Topic", json!({}));
    long.tag("aws:own", "x");
    long.tag("team", "x".repeat(257));
    long.tag("stackctl:app", "another");
    assert_json_snapshot!(texts(&app.synth().unwrap_err()), @r#"
    [
      "`Dev_1` is not the name of a stage: use 1 to 32 lower case letters, digits and hyphens, a letter first",
      "1orders: `1orders` is not the name of a stack: use 1 to 95 letters, digits and hyphens, a letter first",
      "oooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo: `oooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo` is not the name of a stack: use 1 to 95 letters, digits and hyphens, a letter first",
      "oooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo: the tag `aws:own` does not fit: keys have 1 to 128 characters and do not start with `aws:`, values at most 256",
      "oooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo: the tag `stackctl:app` is not an app's to give: keys that start with `stackctl:` tell stackctl whose a stack is",
      "oooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooooo: the tag `team` does not fit: keys have 1 to 128 characters and do not start with `aws:`, values at most 256"
    ]
    "#);
}

#[test]
fn an_output_outside_the_alphabet_of_logical_ids_is_reported() {
    let found = violations(dev(), |stack| {
        stack.raw("Own", "AWS::SNS::Topic", json!({}));
        stack.output("Queue-Url", "x");
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Queue-Url: `Queue-Url` is not a logical id: '-' is neither a letter nor a digit"
    ]
    "#);
}
