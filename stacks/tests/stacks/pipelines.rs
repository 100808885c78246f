//! What the stacks of the pipelines promise, stated apart from their goldens.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use stack_model::{App, Stage};

use crate::golden::{stage, synth};

const SYSTEMS: [&str; 5] = ["coffee", "intake", "orders", "photos", "visitors"];

fn pipelines(more: &Value) -> Value {
    let mut variables = json!({"pipelines": {"repository": "example/stackctl"}});
    for (system, settings) in more.as_object().unwrap() {
        for (key, value) in settings.as_object().unwrap() {
            variables[system][key] = value.clone();
        }
    }
    variables
}

fn template(system: &str, more: &Value) -> Value {
    let assembly = synth(stage("dev", false, &pipelines(more)));
    let template = assembly.template(&format!("{system}-pipeline"));
    serde_json::from_str(template.unwrap()).unwrap()
}

/// Returns the statements of the managed policies of a template.
fn rights(template: &Value) -> Vec<Value> {
    let resources = template["Resources"].as_object().unwrap().values();
    resources
        .filter(|resource| resource["Type"] == "AWS::IAM::ManagedPolicy")
        .flat_map(|policy| {
            let document = &policy["Properties"]["PolicyDocument"];
            document["Statement"].as_array().unwrap().clone()
        })
        .collect()
}

fn actions(statements: &[Value]) -> BTreeSet<&str> {
    statements
        .iter()
        .filter(|statement| statement["Effect"] == "Allow")
        .flat_map(|statement| match &statement["Action"] {
            Value::String(action) => vec![action.as_str()],
            many => many
                .as_array()
                .unwrap()
                .iter()
                .filter_map(Value::as_str)
                .collect(),
        })
        .collect()
}

fn variables(template: &Value) -> Value {
    template["Resources"]["Project"]["Properties"]["Environment"]["EnvironmentVariables"].clone()
}

#[test]
fn a_stage_has_pipelines_where_it_names_a_repository() {
    let without = synth(stage("dev", false, &json!({})));
    let with = synth(stage("dev", false, &pipelines(&json!({}))));
    for system in SYSTEMS {
        let id = format!("{system}-pipeline");
        assert_eq!(without.template(&id), None);
        assert!(with.template(&id).is_some(), "{id}");
    }
    // The stacks of the systems are the same with and without.
    assert_eq!(without.template("intake"), with.template("intake"));
}

#[test]
fn each_deploys_the_stacks_of_its_system_and_never_itself() {
    for (system, stacks) in [
        ("intake", "intake"),
        (
            "orders",
            "orders-backend orders-order orders-user orders-user-orders",
        ),
    ] {
        let template = template(system, &json!({}));
        assert_eq!(
            variables(&template),
            json!([
                {"Name": "STACKCTL_STACKS", "Type": "PLAINTEXT", "Value": stacks},
                {"Name": "STACKCTL_STAGE", "Type": "PLAINTEXT", "Value": "dev"},
            ])
        );
        let named = rights(&template)
            .iter()
            .filter(|statement| statement["Effect"] == "Allow")
            .map(Value::to_string)
            .collect::<String>();
        assert!(!named.contains(&format!("{system}-pipeline")), "{named}");
    }
}

/// What a build reads from Parameter Store and keeps in its bucket is where its system is.
#[test]
fn each_stands_in_the_region_of_its_system() {
    let more = json!({"photos": {"region": "us-west-2"}, "visitors": {"region": "eu-central-1"}});
    let assembly = synth(stage("dev", false, &pipelines(&more)));
    let region = |id: &str| {
        let mut stacks = assembly.manifest().stacks.iter();
        let stack = stacks.find(|stack| stack.id == id).unwrap();
        stack.region.clone()
    };
    for (system, of_system) in [
        ("intake", None),
        ("photos", Some("us-west-2")),
        ("visitors", Some("eu-central-1")),
    ] {
        let found = region(&format!("{system}-pipeline"));
        assert_eq!(found.as_deref(), of_system, "{system}");
    }
}

/// Returns the stages of the pipeline of a template, and what starts it.
fn stages_of_pipeline(template: &Value) -> Vec<(String, Value)> {
    let pipeline = &template["Resources"]["Pipeline"]["Properties"];
    let stages = pipeline["Stages"].as_array().unwrap().iter();
    stages
        .map(|stage| {
            let name = stage["Name"].as_str().unwrap().to_owned();
            let actions = stage["Actions"].as_array().unwrap();
            assert_eq!(actions.len(), 1, "{name}");
            (name, actions[0].clone())
        })
        .collect()
}

const CONNECTION: &str = "arn:aws:codeconnections:us-east-1:123456789012:connection/12345678-1234-1234-1234-123456789012";

#[test]
fn people_approve_what_was_shown_before_it_is_deployed() {
    let more = json!({"pipelines": {"approval": "manual", "connection": CONNECTION}});
    let template = template("orders", &more);
    let stages = stages_of_pipeline(&template);
    let names: Vec<&str> = stages.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["Source", "Show", "Approve", "Deploy"]);
    let [(_, source), (_, show), (_, approve), (_, deploy)] = &stages[..] else {
        panic!("there are four stages");
    };
    // Only a push would start it otherwise, and `on_push` says no.
    assert_eq!(source["Configuration"]["DetectChanges"], "false");
    assert_eq!(
        source["Configuration"]["FullRepositoryId"],
        "example/stackctl"
    );
    assert_eq!(source["Configuration"]["BranchName"], "main");
    assert_eq!(approve["ActionTypeId"]["Category"], "Approval");
    assert_eq!(
        approve["Configuration"]["NotificationArn"],
        json!({"Ref": "Approvers"})
    );
    let step = |action: &Value| {
        let variables = &action["Configuration"]["EnvironmentVariables"];
        variables.as_str().unwrap().to_owned()
    };
    assert_eq!(step(show), r#"[{"name":"STACKCTL_STEP","value":"show"}]"#);
    assert_eq!(
        step(deploy),
        r#"[{"name":"STACKCTL_STEP","value":"deploy"}]"#
    );
    assert_eq!(show["OutputArtifacts"], json!([{"Name": "Changes"}]));
    assert_eq!(
        deploy["InputArtifacts"],
        json!([{"Name": "Source"}, {"Name": "Changes"}])
    );
    // Nothing else starts the project: it has no source of its own, and no webhook.
    let project = &template["Resources"]["Project"]["Properties"];
    assert_eq!(project["Source"], json!({"Type": "CODEPIPELINE"}));
    assert_eq!(project.get("Triggers"), None);
    let outputs = template["Outputs"].as_object().unwrap();
    let outputs: Vec<&str> = outputs.keys().map(String::as_str).collect();
    assert_eq!(outputs, ["ApproversTopicArn", "PipelineName"]);
    let name = &template["Resources"]["Pipeline"]["Properties"]["Name"];
    assert_eq!(name, "orders-pipeline-dev");
    assert_eq!(&template["Outputs"]["PipelineName"]["Value"], name);
}

#[test]
fn a_protected_stage_asks_unless_it_says_otherwise() {
    let pipeline = |protected: bool, more: &Value| {
        let assembly = synth(stage("prod", protected, &pipelines(more)));
        let template = assembly.template("intake-pipeline").unwrap();
        template.contains("AWS::CodePipeline::Pipeline")
    };
    let connected = |approval: &Value| {
        let mut more = json!({"pipelines": {"connection": CONNECTION}});
        if !approval.is_null() {
            more["pipelines"]["approval"] = approval.clone();
        }
        more
    };
    let unsaid = connected(&Value::Null);
    assert!(pipeline(true, &unsaid));
    assert!(!pipeline(false, &unsaid));
    assert!(!pipeline(true, &connected(&json!("none"))));
    assert!(pipeline(false, &connected(&json!("manual"))));

    let request = stage("prod", true, &pipelines(&json!({})));
    let outcome = stacks::describe(&mut App::new(Stage::new(request)));
    let violations = outcome.unwrap_err().to_string();
    assert!(
        violations.contains("`connection`") && violations.contains(r#"`approval = "none"`"#),
        "{violations}"
    );
}

#[test]
fn a_push_starts_a_pipeline_where_the_stage_says_so() {
    let more = json!({"pipelines": {"approval": "manual", "connection": CONNECTION, "on_push": true, "branch": "live"}});
    let stages = stages_of_pipeline(&template("intake", &more));
    let source = &stages[0].1["Configuration"];
    assert_eq!(source.get("DetectChanges"), None);
    assert_eq!(source["BranchName"], "live");
}

#[test]
fn a_project_builds_one_after_the_other_on_graviton_without_docker() {
    let template = template(
        "photos",
        &json!({"pipelines": {"branch": "main", "on_push": true}}),
    );
    let project = &template["Resources"]["Project"]["Properties"];
    assert_eq!(project["ConcurrentBuildLimit"], 1);
    assert_eq!(project["Environment"]["Type"], "ARM_CONTAINER");
    assert_eq!(project["Environment"]["PrivilegedMode"], false);
    assert_eq!(project["SourceVersion"], "main");
    assert_eq!(
        project["Triggers"]["FilterGroups"],
        json!([[
            {"Type": "EVENT", "Pattern": "PUSH"},
            {"Type": "HEAD_REF", "Pattern": "^refs/heads/main$"},
        ]])
    );
}

/// The names are those of the system's pipeline: three come through Parameter Store into the build or the template of the
/// pipeline, and the value of the key goes from Parameter Store to CloudFormation without the build.
#[test]
fn visitors_takes_its_four_values_from_parameter_store() {
    let more = json!({
        "pipelines": {"bucket": {"parameter": "/CodeBuild/S3_BUCKET_ID"}},
        "visitors": {
            "api_key_value": {"parameter": "/CodeBuild/API_KEY"},
            "domain": {
                "name": "api.example.com",
                "zone": "example.com",
                "zone_id": "Z0123456789ABCDEFGHIJ",
                "certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/1",
            },
        },
    });
    let template = template("visitors", &more);
    let environment = variables(&template);
    for name in ["CERTIFICATE_ARN", "ROUTE53_ZONE_ID"] {
        let expected = json!({
            "Name": name,
            "Type": "PARAMETER_STORE",
            "Value": format!("/CodeBuild/{name}"),
        });
        assert!(
            environment.as_array().unwrap().contains(&expected),
            "{environment}"
        );
    }
    assert!(
        !environment.to_string().contains("API_KEY"),
        "{environment}"
    );
    let read = rights(&template)
        .into_iter()
        .find(|statement| statement["Action"] == "ssm:GetParameters")
        .unwrap();
    assert_eq!(
        read["Resource"],
        json!({"Fn::Sub": "arn:${AWS::Partition}:ssm:us-east-1:${AWS::AccountId}:parameter/CodeBuild/API_KEY"})
    );
    assert_eq!(
        template["Resources"]["Project"]["Properties"]["Cache"]["Location"],
        "{{resolve:ssm:/CodeBuild/S3_BUCKET_ID}}/visitors-pipeline-dev/cache"
    );
}

/// The rights follow the resources: none on data, and none for what a system does not have.
#[test]
fn a_deploy_reads_no_data_and_changes_no_other_system() {
    let data = [
        "dynamodb:GetItem",
        "dynamodb:Query",
        "dynamodb:Scan",
        "lambda:GetFunctionUrlConfig",
        "sqs:ReceiveMessage",
        "sts:AssumeRole",
    ];
    for system in SYSTEMS {
        let template = template(system, &json!({}));
        let statements = rights(&template);
        let allowed = actions(&statements);
        for action in data {
            assert!(!allowed.contains(action), "{system} may {action}");
        }
        assert!(
            !allowed.iter().any(|action| action.contains('*')),
            "{system}: {allowed:?}"
        );
        for action in [
            "cloudformation:ExecuteChangeSet",
            "lambda:UpdateFunctionCode",
            "iam:PassRole",
        ] {
            assert!(allowed.contains(action), "{system} may not {action}");
        }
        for other in SYSTEMS.iter().filter(|other| **other != system) {
            let named = format!("{statements:?}");
            assert!(
                !named.contains(&format!(":stack/{other}")),
                "{system} names {other}"
            );
        }
    }
    let intake = template("intake", &json!({}));
    let statements = rights(&intake);
    let allowed = actions(&statements);
    assert!(allowed.contains("sqs:CreateQueue") && allowed.contains("dynamodb:CreateTable"));
    for foreign in ["cognito-idp:", "states:", "events:", "cloudfront:", "kms:"] {
        assert!(
            !allowed.iter().any(|action| action.starts_with(foreign)),
            "{foreign}"
        );
    }
}

/// One setting of the stage does both: every role of every system has the boundary, and a build makes no role without.
#[test]
fn every_role_of_a_stage_stays_within_its_boundary() {
    let mut request = stage(
        "dev",
        false,
        &pipelines(&json!({"pipelines": {"build_boundary": "builds"}})),
    );
    request.permissions_boundary = Some("boundary".to_owned());
    let assembly = synth(request);
    let policy = |name: &str| json!({"Fn::Sub": format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy/{name}")});
    let mut roles = 0;
    for (name, template) in assembly.files() {
        let template: Value = serde_json::from_slice(template).unwrap();
        for (id, resource) in template["Resources"].as_object().unwrap() {
            if resource["Type"] == "AWS::IAM::Role" {
                roles += 1;
                let of_build = name.contains("-pipeline-");
                assert_eq!(
                    resource["Properties"]["PermissionsBoundary"],
                    policy(if of_build { "builds" } else { "boundary" }),
                    "{id} of {name}"
                );
            }
        }
    }
    assert!(roles > 20, "{roles}");
    let intake = assembly.template("intake-pipeline").unwrap();
    let statements = rights(&serde_json::from_str(intake).unwrap());
    let create = statements
        .iter()
        .find(|statement| statement["Action"].to_string().contains("iam:CreateRole"))
        .unwrap();
    assert_eq!(
        create["Condition"]["StringEquals"]["iam:PermissionsBoundary"],
        policy("boundary")
    );
}

#[test]
fn variables_that_do_not_fit_are_refused() {
    for variables in [
        json!({"repository": 5}),
        json!({"repo": "example/stackctl"}),
        json!({"repository": "stackctl"}),
        json!({"repository": "example/stackctl", "bucket": {"name": "builds"}}),
        json!({"repository": "example/stackctl", "approval": "maybe"}),
    ] {
        let request = stage("dev", false, &json!({ "pipelines": variables }));
        let mut app = App::new(Stage::new(request));
        let outcome = stacks::describe(&mut app).and_then(|()| app.synth().map(drop));
        assert!(outcome.is_err(), "{variables}");
    }
}
