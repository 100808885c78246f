use stack_model_cfn::facts::{UpdateBehaviour, ValueKind, resource_type, resource_types};

#[test]
fn every_type_parses() {
    let mut count = 0;
    for name in resource_types() {
        let facts = resource_type(name).unwrap();
        assert_eq!(facts.name(), name);
        for path in facts.primary_identifier() {
            assert!(
                facts.property(path).is_some(),
                "{name} is identified by {path}, which it does not have"
            );
        }
        count += 1;
    }
    assert!(count > 1_500, "{count} types");
}

#[test]
fn the_files_are_small_enough() {
    let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/spec");
    let sizes = std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| entry.unwrap().metadata().unwrap().len());
    let bytes: u64 = sizes.sum();
    assert!(bytes < 6_000_000, "{bytes} bytes");
}

#[test]
fn queue() {
    let queue = resource_type("AWS::SQS::Queue").unwrap();
    assert_eq!(queue.primary_identifier().collect::<Vec<_>>(), ["QueueUrl"]);
    assert_eq!(queue.tag_property(), Some("Tags"));
    assert!(queue.updatable());
    assert!(queue.has_attribute("Arn") && queue.has_attribute("QueueName"));
    assert!(!queue.has_attribute("Name"));
    assert!(queue.attributes().contains(&"QueueUrl".to_owned()));

    let name = queue.property("QueueName").unwrap();
    assert_eq!(name.update(), UpdateBehaviour::Replacement);
    assert!(!name.required() && !name.read_only());
    let delay = queue.property("DelaySeconds").unwrap();
    assert_eq!(delay.update(), UpdateBehaviour::InPlace);
    assert_eq!(delay.value().range(), (Some(0.0), Some(900.0)));
    assert!(queue.property("Arn").unwrap().read_only());

    let key = queue.property("Tags/3/Key").unwrap();
    assert_eq!(key.path(), "Tags/*/Key");
    assert!(key.required());
    assert_eq!(key.value().length(), (Some(1), Some(128)));
    let ValueKind::List(tag) = queue.property("Tags").unwrap().value().kind() else {
        panic!("tags are a list")
    };
    let ValueKind::Shape(tag) = tag.kind() else {
        panic!("a tag is a map")
    };
    assert_eq!(
        tag.properties().collect::<Vec<_>>(),
        [("Key", true), ("Value", true)]
    );
}

#[test]
fn table() {
    let table = resource_type("AWS::DynamoDB::Table").unwrap();
    assert_eq!(
        table.update("TableName"),
        Some(UpdateBehaviour::Replacement)
    );
    assert_eq!(table.update("BillingMode"), Some(UpdateBehaviour::InPlace));
    // The registry says "conditionally"; the page of the type says replacement, and a patch of the facts follows it.
    assert_eq!(
        table.update("KeySchema"),
        Some(UpdateBehaviour::Replacement)
    );
    assert!(table.property("KeySchema").unwrap().required());
    assert!(table.has_attribute("StreamArn"));
    assert_eq!(table.property("Nothing").map(|p| p.path().to_owned()), None);
    assert_eq!(
        table.property("KeySchema/0").map(|p| p.path().to_owned()),
        None
    );
}

#[test]
fn a_part_that_replaces_makes_the_whole_conditional() {
    let export = resource_type("AWS::BCMDataExports::Export").unwrap();
    assert_eq!(
        export.update("Export/Name"),
        Some(UpdateBehaviour::Replacement)
    );
    assert_eq!(export.update("Export"), Some(UpdateBehaviour::Conditional));
}

#[test]
fn how_a_type_is_replaced() {
    let permission = resource_type("AWS::Lambda::Permission").unwrap();
    assert!(!permission.updatable());
    assert!(
        permission
            .properties()
            .all(|property| property.update() == UpdateBehaviour::Replacement)
    );
    let selection = resource_type("AWS::Backup::RestoreTestingSelection").unwrap();
    assert!(selection.deletes_before_create());
    assert!(
        !resource_type("AWS::SQS::Queue")
            .unwrap()
            .deletes_before_create()
    );
}

#[test]
fn custom_resources_share_their_facts() {
    let custom = resource_type("Custom::Anything").unwrap();
    assert_eq!(custom.name(), "AWS::CloudFormation::CustomResource");
    assert!(custom.has_attribute("Whatever"));
    assert_eq!(
        custom.update("ServiceToken"),
        Some(UpdateBehaviour::Replacement)
    );
}

#[test]
fn unknown_types() {
    for name in [
        "",
        "AWS",
        "AWS::SQS",
        "AWS::SQS::Queues",
        "AWS::Nowhere::Queue",
        "aws::sqs::queue",
    ] {
        assert!(resource_type(name).is_none(), "{name}");
    }
}
