//! The pages, as the browser of the checks opens them.
//!
//! `SNAPSHOTS=overwrite cargo test -p deployer --lib page` writes them anew.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stack_graph::{Graph, Template};
use stack_model::assembly::StackManifest;

use super::{Compared, Page, changes, drawing, escape};
use crate::engine::plan::{Action, App, Grade, Plan, Registry, Side, picture};
use crate::engine::{CodeChange, DependencyChange};

/// What would do something, if it were anything but text.
const HOSTILE: &str =
    "</script><script>hostile=1</script><img src=x onerror=hostile=1>\"'><b>&amp;\u{202e}";

fn data(name: &str, delay: u32) -> Value {
    json!({
        "Resources": {
            "Orders": {
                "Type": "AWS::DynamoDB::Table",
                "Properties": {
                    "TableName": name,
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                },
            },
            "Work": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": delay}},
        },
        "Outputs": {
            "Orders": {
                "Description": HOSTILE,
                "Value": {"Ref": "Orders"},
                "Export": {"Name": "data-dev-Orders"},
            },
        },
    })
}

/// Returns a stack with all that a page has to show, as it is deployed and as it is wanted.
fn api() -> [Value; 2] {
    let role = |actions: Value| {
        json!({
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole",
                }]},
                "Policies": [{"PolicyName": "Own", "PolicyDocument": {"Version": "2012-10-17", "Statement": [{
                    "Effect": "Allow", "Action": actions, "Resource": {"Fn::ImportValue": "data-dev-Orders"},
                }]}}],
            },
        })
    };
    let function = |description: &str| {
        json!({
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Description": description,
                "Role": {"Fn::GetAtt": ["TakeRole", "Arn"]},
                "Environment": {"Variables": {"TABLE": {"Fn::ImportValue": "data-dev-Orders"}}},
            },
        })
    };
    let route = |authorization: &str| {
        json!({
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "RouteKey": format!("GET /{HOSTILE}"),
                "AuthorizationType": authorization,
                "Target": {"Fn::Sub": "integrations/${Integration}"},
            },
        })
    };
    let rest = json!({
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "orders", "ProtocolType": "HTTP"}},
        "Integration": {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {
            "ApiId": {"Ref": "Api"}, "IntegrationType": "AWS_PROXY", "IntegrationUri": {"Fn::GetAtt": ["Take", "Arn"]},
        }},
        "Untouched": {"Type": "AWS::SQS::Queue"},
    });
    let template = |resources: Value| {
        let mut all = rest.clone();
        if let (Value::Object(all), Value::Object(resources)) = (&mut all, resources) {
            all.extend(resources);
        }
        json!({ "Resources": all })
    };
    let definition = |seconds: u32| {
        let states: Value = (0..40)
            .map(|number| (format!("Wait{number:02}"), json!({"Type": "Wait", "Seconds": if number == 20 { seconds } else { 1 }, "End": true})))
            .collect::<serde_json::Map<_, _>>()
            .into();
        json!({"StartAt": "Wait00", "States": states}).to_string()
    };
    let machine = |seconds: u32| {
        json!({
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"DefinitionString": definition(seconds), "RoleArn": {"Fn::GetAtt": ["TakeRole", "Arn"]}},
        })
    };
    [
        template(json!({
            "Take": function("takes orders"),
            "TakeRole": role(json!(["dynamodb:GetItem"])),
            "Read": route("AWS_IAM"),
            "Flow": machine(5),
            "Letters": {"Type": "AWS::SQS::Queue", "Properties": {"MessageRetentionPeriod": 600}},
            "Old": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": HOSTILE}},
            "Kept": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"},
        })),
        template(json!({
            "Take": function(HOSTILE),
            "TakeRole": role(json!(["dynamodb:GetItem", "dynamodb:DeleteItem"])),
            "Read": route("NONE"),
            "Flow": machine(9),
            "Letters": {"Type": "AWS::SQS::Queue", "Properties": {"MessageRetentionPeriod": 600, "FifoQueue": true}},
            "New": {"Type": "AWS::SQS::Queue", "Properties": {"RedrivePolicy": {
                "deadLetterTargetArn": {"Fn::GetAtt": ["Letters", "Arn"]}, "maxReceiveCount": 5,
            }}},
        })),
    ]
}

/// Returns the plan of a sample, as it is made from templates, and the templates that are wanted.
fn sample() -> (Plan, Vec<(&'static str, Value)>) {
    let [deployed, wanted] = api();
    let stacks = [
        ("data-dev", data("old", 30), data("orders", 60)),
        ("orders-dev", deployed, wanted),
        ("same-dev", json!({}), json!({})),
    ];
    let mut app = App::default();
    let mut plans = Vec::new();
    for (name, deployed, wanted) in &stacks {
        let manifest: StackManifest = serde_json::from_value(json!({
            "name": name, "id": name, "template": "t.json", "sha256": "",
            "resources": {"Take": {"type": "AWS::Lambda::Function", "source": "stacks/src/orders.rs:12:5"}},
        }))
        .expect("is a manifest");
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        let contracts = BTreeMap::new();
        let plan = app.compare(
            &manifest,
            &contracts,
            &side(deployed),
            &side(wanted),
            &Registry,
        );
        plans.push(plan);
    }
    let mut plan = app.finish(plans);
    plan.stacks[1].note = Some(format!("it waits for {HOSTILE}"));
    let mut functions = plan.stacks[1].changes.iter_mut();
    let take = functions.find(|change| change.logical_id == "Take");
    take.expect("it changes").code = Some(CodeChange {
        files: Vec::new(),
        dependencies: vec![DependencyChange {
            name: HOSTILE.to_owned(),
            before: Some("1.0.1".to_owned()),
            after: Some("1.0.2".to_owned()),
        }],
    });
    let wanted = stacks.map(|(name, _, wanted)| (name, wanted));
    (plan, wanted.into())
}

fn graph(plan: &Plan, wanted: &[(&str, Value)]) -> Graph {
    let templates: Vec<Template<'_>> = wanted
        .iter()
        .map(|(stack, json)| Template { stack, json })
        .collect();
    picture(plan, &templates)
}

fn changes_of_sample() -> String {
    let (plan, wanted) = sample();
    let graph = graph(&plan, &wanted).affected();
    let compared = Compared {
        environment: None,
        plan: &plan,
        graph: &graph,
    };
    changes("dev", &[compared])
}

fn drawing_of_sample() -> String {
    let (plan, wanted) = sample();
    drawing(&graph(&plan, &wanted), "What changes in stage <dev>")
}

#[test]
fn the_sample_has_what_a_page_has_to_show() {
    let (plan, wanted) = sample();
    let grades = [
        Grade::None,
        Grade::UpdateInPlace,
        Grade::Interruption,
        Grade::PermissionWidened,
        Grade::ExposureWidened,
        Grade::DataLoss,
        Grade::Impossible,
    ];
    for grade in grades {
        assert!(plan.of_grade(grade).count() > 0, "{grade:?}: {plan:#?}");
    }
    let changes = plan.stacks.iter().flat_map(|stack| &stack.changes);
    let actions: Vec<Action> = changes.map(|change| change.action).collect();
    for action in [
        Action::Create,
        Action::Update,
        Action::Replace,
        Action::Delete,
        Action::Retain,
    ] {
        assert!(actions.contains(&action), "{action:?}: {plan:#?}");
    }
    let graph = graph(&plan, &wanted);
    assert!(graph.reach().len() >= 2, "{graph:#?}");
}

/// Names the files that a page is made of in place of what stands in them. `.ci/pages.js` puts them back.
pub(in crate::ui) fn with_files_named(page: &str) -> String {
    let files = [
        ("base.css", include_str!("base.css")),
        ("changes.css", include_str!("changes.css")),
        ("changes.js", include_str!("changes.js")),
        ("drawing.css", include_str!("drawing.css")),
        ("drawing.js", include_str!("drawing.js")),
        ("whole.css", include_str!("whole.css")),
    ];
    files.iter().fold(page.to_owned(), |page, (name, text)| {
        page.replace(text, &format!("{{{{{name}}}}}\n"))
    })
}

#[test]
fn the_page_of_changes_is_the_golden_one() {
    snapbox::assert_data_eq!(
        with_files_named(&changes_of_sample()),
        snapbox::file!["changes.golden.html": Text].raw()
    );
}

#[test]
fn the_page_of_a_drawing_is_the_golden_one() {
    snapbox::assert_data_eq!(
        with_files_named(&drawing_of_sample()),
        snapbox::file!["drawing.golden.html": Text].raw()
    );
}

#[test]
fn nothing_breaks_out_and_nothing_is_fetched() {
    for page in [changes_of_sample(), drawing_of_sample()] {
        assert_eq!(page.matches("<script").count(), 1);
        assert_eq!(page.matches("</script").count(), 1);
        for word in [
            "<img",
            "<b>&",
            "src=",
            "@import",
            "<link",
            "<iframe",
            "\u{202e}",
            "javascript:",
        ] {
            assert!(!page.replace("src=x onerror", "").contains(word), "{word}");
        }
        // The label of a route is cut off in a drawing.
        assert!(page.contains("&lt;/script&gt;&lt;script&gt;"), "{page}");
        // What is addressed is on the page, or a page of AWS that nobody opens but the reader.
        for (place, _) in page.match_indices("https://") {
            assert!(page[place..].starts_with("https://docs.aws.amazon.com/"));
        }
        for (place, _) in page.match_indices("url(") {
            assert!(page[place..].starts_with("url(#"));
        }
    }
}

#[test]
fn links_lead_to_changes_and_every_environment_has_its_own() {
    let (plan, wanted) = sample();
    let graph = graph(&plan, &wanted).affected();
    let compared = ["eu-west-1", "us-east-1"].map(|environment| Compared {
        environment: Some(environment),
        plan: &plan,
        graph: &graph,
    });
    let page = changes("dev", &compared);
    let mut ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id is there twice");
    for rest in page.split("href=\"#").skip(1) {
        let target = rest.split('"').next().unwrap_or_default();
        assert!(ids.contains(&target), "{target}");
    }
    for rest in page.split("url(#").skip(1) {
        let target = rest.split(')').next().unwrap_or_default();
        assert!(ids.contains(&target), "{target}");
    }
}

#[test]
fn a_page_of_nothing_says_so() {
    let graph = Graph::default();
    let plan = Plan::default();
    let compared = Compared {
        environment: None,
        plan: &plan,
        graph: &graph,
    };
    let page = changes("dev", &[compared]);
    assert!(page.contains("Nothing would change."), "{page}");
    assert!(!page.contains("<svg"), "{page}");
}

#[test]
fn a_text_is_a_text_wherever_it_stands() {
    assert_eq!(
        escape("</script><b a=\"'\">&\u{202e}\u{0}\n"),
        "&lt;/script&gt;&lt;b a=&quot;&#39;&quot;&gt;&amp;\\u{202e}\\u{0}\n"
    );
}

#[test]
fn only_the_script_of_the_page_may_run() {
    let page = Page {
        title: "a <b>",
        style: "",
        script: Some("alert(1)"),
        body: "",
    };
    let html = page.html();
    // The hash is that of `printf 'alert(1)' | openssl dgst -sha256 -binary | base64`.
    let policy = "style-src 'unsafe-inline'; script-src 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='\"";
    assert!(html.contains(policy), "{html}");
    assert!(!html.contains("<b>"), "{html}");
    let without = Page {
        script: None,
        ..page
    };
    assert!(!without.html().contains("script"));
}
