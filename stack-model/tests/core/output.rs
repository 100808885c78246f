//! The same app renders the same bytes, in whatever order it was written.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::json;
use stack_model::sqs::QueueProps;
use stack_model::{App, Stack, Value, text};

use crate::support::dev;

/// Something that an app can hold, with a name that is different for each.
#[derive(Clone, Debug)]
enum Member {
    Topic(u8),
    Queue(u8),
    Output(u8),
    Parameter(u8),
    Mapping(u8),
}

fn members() -> impl Strategy<Value = Vec<Member>> {
    let member = prop_oneof![
        any::<u8>().prop_map(Member::Topic),
        any::<u8>().prop_map(Member::Queue),
        any::<u8>().prop_map(Member::Output),
        any::<u8>().prop_map(Member::Parameter),
        any::<u8>().prop_map(Member::Mapping),
    ];
    proptest::collection::vec(member, 1..20).prop_map(|mut members| {
        members.sort_by_key(name);
        members.dedup_by_key(|member| name(member));
        members
    })
}

fn name(member: &Member) -> String {
    match member {
        Member::Topic(number) => format!("Topic{number}"),
        Member::Queue(number) => format!("Queue{number}"),
        Member::Output(number) => format!("Output{number}"),
        Member::Parameter(number) => format!("Parameter{number}"),
        Member::Mapping(number) => format!("Mapping{number}"),
    }
}

fn add(stack: &mut Stack<'_>, member: &Member) {
    let name = name(member);
    match member {
        Member::Topic(_) => {
            stack.raw(&name, "AWS::SNS::Topic", json!({"DisplayName": name}));
        }
        Member::Queue(_) => {
            stack.queue::<String>(&name, QueueProps::default());
        }
        Member::Output(_) => {
            stack.output(
                &name,
                text!("{} of {}", name.as_str(), stack_model::Pseudo::StackName),
            );
        }
        Member::Parameter(_) => {
            let _: Value<String> =
                stack.parameter(&name, stack_model::Parameter::string().default("x"));
        }
        Member::Mapping(_) => {
            let second = BTreeMap::from([("b".to_owned(), name.clone())]);
            stack.mapping(&name, BTreeMap::from([("a".to_owned(), second)]));
        }
    }
}

/// Renders an app and leaves out the places in the source, which are not part of what is deployed.
fn bytes(members: &[Member]) -> Vec<(String, Vec<u8>)> {
    let mut app: App = dev();
    let mut stack = app.stack("orders");
    stack.raw("Always", "AWS::SNS::Topic", json!({}));
    for member in members {
        add(&mut stack, member);
    }
    let assembly = app.synth().unwrap();
    let mut files: Vec<_> = assembly
        .files()
        .map(|(name, bytes)| (name.to_owned(), bytes.to_vec()))
        .collect();
    files.push(("manifest".to_owned(), assembly.manifest_json().into_bytes()));
    files
}

proptest! {
    #[test]
    fn the_same_app_renders_the_same_bytes(members in members()) {
        prop_assert_eq!(bytes(&members), bytes(&members));
    }

    #[test]
    fn the_order_of_the_source_does_not_matter(
        (written, shuffled) in members().prop_flat_map(|members| (Just(members.clone()), Just(members).prop_shuffle()))
    ) {
        prop_assert_eq!(bytes(&written), bytes(&shuffled));
    }
}

#[test]
fn keys_are_sorted_and_the_file_ends_with_a_line_feed() {
    let files = bytes(&[Member::Topic(2), Member::Topic(1), Member::Output(1)]);
    let template = String::from_utf8(files[0].1.clone()).unwrap();
    let position = |key: &str| template.find(&format!("\"{key}\"")).unwrap();
    assert!(position("AWSTemplateFormatVersion") < position("Outputs"));
    assert!(position("Outputs") < position("Resources"));
    assert!(position("Topic1") < position("Topic2"));
    assert!(template.ends_with("}\n"));
}
