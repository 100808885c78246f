//! Releases of stacks: what is written down about them spares calls, and leads back.

use serde_json::{Value, json};
use system_tests::account::texts;
use system_tests::proxy::Proxy;

use crate::fixture::{Fixture, STACK};

const PLACE: [&str; 3] = ["--stage", "dev", "--local"];

fn topic() -> Value {
    json!({"Topic": {"Type": "AWS::SNS::Topic"}})
}

#[test]
fn an_unchanged_stack_costs_one_call_until_somebody_else_updates_it() {
    let fixture = Fixture::new(&json!({}));
    let proxy = Proxy::start(fixture.sandbox.engine().url());
    let url = proxy.url();
    let deploy = ["deploy", "--stage", "dev", "--endpoint-url", &url];
    fixture.sandbox.succeed(&deploy);

    proxy.forget();
    let run = fixture.sandbox.succeed(&deploy);
    assert!(run.stderr.contains("unchanged"), "{run}");
    // Who is calling, the artifact bucket, what is written down, and the stack.
    let calls = proxy.calls();
    assert_eq!(proxy.count("Action=GetCallerIdentity"), 1, "{calls:#?}");
    assert_eq!(proxy.count("Action=DescribeStacks"), 2, "{calls:#?}");
    assert_eq!(proxy.count("list-type=2"), 1, "{calls:#?}");
    assert_eq!(calls.len(), 4, "{calls:#?}");

    // Somebody adds a topic with another tool, and everything else stays as it is.
    let account = fixture.sandbox.account();
    let ask = |action: &str, arguments: &[(&str, &str)]| {
        account.query("cloudformation", "2010-05-15", action, arguments)
    };
    let described = ask("DescribeStacks", &[("StackName", STACK)]);
    let parameters = [
        texts(&described, "ParameterKey"),
        texts(&described, "ParameterValue"),
    ];
    let [keys, values] = &parameters;
    let named: Vec<String> = (1..=keys.len())
        .flat_map(|at| {
            ["ParameterKey", "ParameterValue"].map(|part| format!("Parameters.member.{at}.{part}"))
        })
        .collect();
    let mut template = fixture.template();
    template["Resources"]["Theirs"] = json!({"Type": "AWS::SNS::Topic"});
    let template = template.to_string();
    let mut arguments = vec![
        ("StackName", STACK),
        ("TemplateBody", template.as_str()),
        ("Capabilities.member.1", "CAPABILITY_IAM"),
        ("Tags.member.1.Key", "stackctl:stage"),
        ("Tags.member.1.Value", "dev"),
    ];
    let given = keys
        .iter()
        .zip(values)
        .flat_map(|(key, value)| [key, value]);
    arguments.extend(
        named
            .iter()
            .zip(given)
            .map(|(name, value)| (name.as_str(), value.as_str())),
    );
    ask("UpdateStack", &arguments);
    let topics = || {
        texts(
            &account.query("sns", "2010-03-31", "ListTopics", &[]),
            "TopicArn",
        )
    };
    assert_eq!(topics().len(), 1);

    proxy.forget();
    let run = fixture.sandbox.succeed(&deploy);
    assert_eq!(proxy.count("Action=GetTemplate"), 1, "{run}");
    assert!(run.stderr.contains("updated"), "{run}");
    assert_eq!(topics(), [""; 0]);
}

#[test]
fn a_stack_goes_back_to_an_earlier_release_and_forth_again() {
    let fixture = Fixture::new(&json!({}));
    let tool = |arguments: &[&str]| fixture.sandbox.run(&[arguments, &PLACE[..]].concat());
    let account = fixture.sandbox.account();
    let code = || {
        let functions = account.get("lambda", "/2015-03-31/functions/").json();
        functions["Functions"][0]["CodeSha256"].clone()
    };
    let topics = || {
        texts(
            &account.query("sns", "2010-03-31", "ListTopics", &[]),
            "TopicArn",
        )
        .len()
    };
    let releases = || {
        let run = tool(&["history", "--json"]);
        run.json()["releases"].clone()
    };

    // Without anything deployed there is nothing to go back to.
    let run = tool(&["rollback", "slow", "--to", "previous"]);
    assert_eq!(run.code, Some(2), "{run}");
    tool(&["deploy"]);
    let first = code();
    let run = tool(&["rollback", "slow", "--to", "previous"]);
    assert_eq!(run.code, Some(2), "{run}");
    assert!(
        run.stderr
            .contains("release 1 is the only one, and it is deployed"),
        "{run}"
    );

    fixture.change_code("two");
    fixture.describe(&topic());
    assert_eq!(tool(&["deploy"]).code, Some(0));
    let second = code();
    assert_ne!(first, second);
    assert_eq!(topics(), 1);

    // The code and the resources come back, without the source of either.
    let run = tool(&["rollback", "slow", "--to", "previous"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(
        run.stderr.contains("release 2 is deployed, and release 1"),
        "{run}"
    );
    assert!(
        run.stderr.contains("Topic"),
        "the plan names what goes: {run}"
    );
    assert_eq!((code(), topics()), (first.clone(), 0));
    let told = releases();
    assert_eq!(told[2]["back_to"], 1, "{told}");
    assert_eq!(told[2]["live"], true, "{told}");
    // What was written down fits, although the source is another.
    let run = tool(&["rollback", "slow", "--to", "3"]);
    assert!(run.stderr.contains("release 3 is deployed"), "{run}");

    let run = tool(&["rollback", "slow", "--to", "latest", "--json"]);
    assert_eq!(run.code, Some(0), "{run}");
    let lines = run.json_lines();
    assert_eq!(lines[0]["type"], "plan", "{run}");
    let summary = lines.last().expect("there is a summary");
    assert_eq!(summary["stacks"][0]["outcome"], "updated", "{run}");
    assert_eq!((code(), topics()), (second, 1));

    // Only what the newest releases need is left: the first two have lost their packages.
    for text in ["three", "four"] {
        fixture.change_code(text);
        assert_eq!(tool(&["deploy"]).code, Some(0));
    }
    let run = tool(&["prune", "--keep", "1", "--older-than", "0s"]);
    assert_eq!(run.code, Some(0), "{run}");
    let told = releases();
    assert_eq!(told.as_array().map(Vec::len), Some(1), "{told}");
    assert_eq!(told[0]["release"], 6, "{told}");
    let run = tool(&["rollback", "slow", "--to", "1"]);
    assert_eq!(run.code, Some(2), "{run}");

    // A package that is gone is named.
    fixture.change_code("five");
    assert_eq!(tool(&["deploy"]).code, Some(0));
    let lost = {
        let bucket = fixture.bucket();
        let listing = account.get("s3", &format!("/{bucket}?list-type=2")).body;
        let keys = texts(&listing, "Key");
        let live = fixture.artifact_of(code().as_str().expect("is a text"));
        let is_old = |key: &&String| key.contains("/worker/") && **key != live;
        let old = keys
            .iter()
            .find(is_old)
            .expect("the package of the sixth is there");
        let answer = account.request("s3", "DELETE", &format!("/{bucket}/{old}"), &[], "");
        assert_eq!(answer.status, 204, "{}", answer.body);
        tool(&["rollback", "slow", "--to", "6"])
    };
    assert_eq!(lost.code, Some(4), "{lost}");
    assert!(
        lost.stderr
            .contains("the package of worker is not there any more"),
        "{lost}"
    );
    assert_eq!(releases()[0]["lost"], json!(["the package of worker"]));

    fixture.sandbox.destroy(&[]);
    let listing = account.get("s3", &format!("/{}?list-type=2", fixture.bucket()));
    assert_eq!(texts(&listing.body, "Key"), [""; 0]);
}
