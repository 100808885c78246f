//! What every call takes, and that a pipeline may make those of a deploy.
//!
//! The calls are read from the source, so that one which is added is entered here, and one which a deploy makes is
//! allowed to pipelines before it is denied to somebody. Which actions a call takes is what the Service Authorization
//! Reference says (<https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// Whose calls they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Of {
    /// Those of `diff`, `deploy` and `outputs`, which a pipeline runs.
    Deploy,
    /// Those of a deploy whose stacks have something that takes this action.
    DeployWith(&'static str),
    /// Those of a deploy that only look for what may be in its way: a pipeline does without.
    Look,
    /// Those of commands and of declared renames, which people run with what a pipeline is not allowed.
    People,
}
use Of::{Deploy, DeployWith, Look, People};

/// The calls by service and method, with the actions that each takes.
const CALLS: [(&str, &str, &[&str], Of); 68] = [
    (
        "apigateway",
        "get_base_path_mappings",
        &["apigateway:GET"],
        DeployWith("apigateway:POST"),
    ),
    (
        "apigateway",
        "get_deployment",
        &["apigateway:GET"],
        DeployWith("apigateway:POST"),
    ),
    (
        "apigateway",
        "get_domain_name",
        &["apigateway:GET"],
        DeployWith("apigateway:POST"),
    ),
    (
        "apigateway",
        "get_stage",
        &["apigateway:GET"],
        DeployWith("apigateway:POST"),
    ),
    (
        "cloudformation",
        "cancel_update_stack",
        &["cloudformation:CancelUpdateStack"],
        People,
    ),
    (
        "cloudformation",
        "continue_update_rollback",
        &["cloudformation:ContinueUpdateRollback"],
        People,
    ),
    (
        "cloudformation",
        "create_change_set",
        &[
            "cloudformation:CreateChangeSet",
            "cloudformation:TagResource",
        ],
        Deploy,
    ),
    (
        "cloudformation",
        "create_stack_instances",
        &["cloudformation:CreateStackInstances"],
        People,
    ),
    (
        "cloudformation",
        "create_stack_refactor",
        &["cloudformation:CreateStackRefactor"],
        People,
    ),
    (
        "cloudformation",
        "create_stack_set",
        &[
            "cloudformation:CreateStackSet",
            "cloudformation:TagResource",
        ],
        People,
    ),
    (
        "cloudformation",
        "delete_change_set",
        &["cloudformation:DeleteChangeSet"],
        Deploy,
    ),
    (
        "cloudformation",
        "delete_stack",
        &["cloudformation:DeleteStack"],
        Deploy,
    ),
    (
        "cloudformation",
        "delete_stack_instances",
        &["cloudformation:DeleteStackInstances"],
        People,
    ),
    (
        "cloudformation",
        "delete_stack_set",
        &["cloudformation:DeleteStackSet"],
        People,
    ),
    (
        "cloudformation",
        "describe_account_limits",
        &["cloudformation:DescribeAccountLimits"],
        Look,
    ),
    (
        "cloudformation",
        "describe_change_set",
        &["cloudformation:DescribeChangeSet"],
        Deploy,
    ),
    (
        "cloudformation",
        "describe_events",
        &["cloudformation:DescribeEvents"],
        Deploy,
    ),
    (
        "cloudformation",
        "describe_stack_drift_detection_status",
        &["cloudformation:DescribeStackDriftDetectionStatus"],
        People,
    ),
    (
        "cloudformation",
        "describe_stack_events",
        &["cloudformation:DescribeStackEvents"],
        Deploy,
    ),
    (
        "cloudformation",
        "describe_stack_resource_drifts",
        &["cloudformation:DescribeStackResourceDrifts"],
        People,
    ),
    (
        "cloudformation",
        "describe_stack_refactor",
        &["cloudformation:DescribeStackRefactor"],
        People,
    ),
    (
        "cloudformation",
        "describe_stack_set",
        &["cloudformation:DescribeStackSet"],
        People,
    ),
    (
        "cloudformation",
        "describe_stack_set_operation",
        &["cloudformation:DescribeStackSetOperation"],
        People,
    ),
    (
        "cloudformation",
        "describe_stacks",
        &["cloudformation:DescribeStacks"],
        Deploy,
    ),
    (
        "cloudformation",
        "detect_stack_drift",
        &["cloudformation:DetectStackDrift"],
        People,
    ),
    (
        "cloudformation",
        "execute_change_set",
        &["cloudformation:ExecuteChangeSet"],
        Deploy,
    ),
    (
        "cloudformation",
        "execute_stack_refactor",
        &["cloudformation:ExecuteStackRefactor"],
        People,
    ),
    (
        "cloudformation",
        "get_stack_policy",
        &["cloudformation:GetStackPolicy"],
        Deploy,
    ),
    (
        "cloudformation",
        "get_template",
        &["cloudformation:GetTemplate"],
        Deploy,
    ),
    (
        "cloudformation",
        "list_change_sets",
        &["cloudformation:ListChangeSets"],
        Deploy,
    ),
    (
        "cloudformation",
        "list_exports",
        &["cloudformation:ListExports"],
        Deploy,
    ),
    (
        "cloudformation",
        "list_imports",
        &["cloudformation:ListImports"],
        Deploy,
    ),
    (
        "cloudformation",
        "list_stack_instances",
        &["cloudformation:ListStackInstances"],
        People,
    ),
    (
        "cloudformation",
        "list_stack_resources",
        &["cloudformation:ListStackResources"],
        Deploy,
    ),
    (
        "cloudformation",
        "list_stack_set_operation_results",
        &["cloudformation:ListStackSetOperationResults"],
        People,
    ),
    (
        "cloudformation",
        "list_stack_set_operations",
        &["cloudformation:ListStackSetOperations"],
        People,
    ),
    (
        "cloudformation",
        "list_stacks",
        &["cloudformation:ListStacks"],
        Look,
    ),
    (
        "cloudformation",
        "rollback_stack",
        &["cloudformation:RollbackStack"],
        People,
    ),
    (
        "cloudformation",
        "set_stack_policy",
        &["cloudformation:SetStackPolicy"],
        Deploy,
    ),
    (
        "cloudformation",
        "update_stack_set",
        &[
            "cloudformation:UpdateStackSet",
            "cloudformation:TagResource",
        ],
        People,
    ),
    (
        "cloudformation",
        "update_termination_protection",
        &["cloudformation:UpdateTerminationProtection"],
        Deploy,
    ),
    (
        "cloudfront",
        "create_invalidation",
        &["cloudfront:CreateInvalidation"],
        DeployWith("cloudfront:CreateDistribution"),
    ),
    (
        "lambda",
        "delete_function",
        &["lambda:DeleteFunction"],
        People,
    ),
    (
        "lambda",
        "get_account_settings",
        &["lambda:GetAccountSettings"],
        Deploy,
    ),
    (
        "lambda",
        "get_alias",
        &["lambda:GetAlias"],
        DeployWith("lambda:CreateAlias"),
    ),
    (
        "lambda",
        "get_event_source_mapping",
        &["lambda:GetEventSourceMapping"],
        DeployWith("lambda:CreateEventSourceMapping"),
    ),
    (
        "lambda",
        "get_function",
        &["lambda:GetFunction"],
        DeployWith("lambda:CreateFunction"),
    ),
    (
        "lambda",
        "get_function_configuration",
        &["lambda:GetFunctionConfiguration"],
        People,
    ),
    ("lambda", "invoke", &["lambda:InvokeFunction"], People),
    ("lambda", "list_aliases", &["lambda:ListAliases"], People),
    (
        "lambda",
        "list_versions_by_function",
        &["lambda:ListVersionsByFunction"],
        People,
    ),
    (
        "lambda",
        "update_alias",
        &["lambda:UpdateAlias"],
        DeployWith("lambda:CreateAlias"),
    ),
    (
        "lambda",
        "update_function_code",
        &["lambda:UpdateFunctionCode"],
        DeployWith("lambda:CreateFunction"),
    ),
    ("logs", "delete_log_group", &["logs:DeleteLogGroup"], People),
    (
        "logs",
        "describe_log_groups",
        &["logs:DescribeLogGroups"],
        DeployWith("logs:CreateLogGroup"),
    ),
    (
        "logs",
        "filter_log_events",
        &["logs:FilterLogEvents"],
        People,
    ),
    (
        "logs",
        "list_tags_for_resource",
        &["logs:ListTagsForResource"],
        People,
    ),
    ("s3", "delete_object", &["s3:DeleteObject"], Deploy),
    (
        "s3",
        "delete_objects",
        &["s3:DeleteObject", "s3:DeleteObjectVersion"],
        People,
    ),
    (
        "s3",
        "get_bucket_encryption",
        &["s3:GetEncryptionConfiguration"],
        Deploy,
    ),
    ("s3", "get_object", &["s3:GetObject"], Deploy),
    (
        "s3",
        "get_public_access_block",
        &["s3:GetBucketPublicAccessBlock"],
        Deploy,
    ),
    ("s3", "head_bucket", &["s3:ListBucket"], Deploy),
    ("s3", "head_object", &["s3:GetObject"], Deploy),
    (
        "s3",
        "list_object_versions",
        &["s3:ListBucketVersions"],
        People,
    ),
    ("s3", "list_objects_v2", &["s3:ListBucket"], Deploy),
    ("s3", "put_object", &["s3:PutObject"], Deploy),
    ("tagging", "get_resources", &["tag:GetResources"], People),
];

/// The calls of services without a client, by the name of the service and the operation, with the actions that each takes.
const SIGNED: [(&str, &str, &[&str], Of); 7] = [
    (
        "ACM",
        "DescribeCertificate",
        &["acm:DescribeCertificate"],
        Look,
    ),
    (
        "CLOUD_CONTROL",
        "GetResource",
        &["cloudformation:GetResource"],
        Look,
    ),
    (
        "CLOUD_CONTROL",
        "ListResources",
        &["cloudformation:ListResources"],
        Look,
    ),
    (
        "QUOTAS",
        "GetServiceQuota",
        &["servicequotas:GetServiceQuota"],
        Look,
    ),
    (
        "STATES",
        "DescribeStateMachine",
        &["states:DescribeStateMachine"],
        DeployWith("states:CreateStateMachine"),
    ),
    (
        "STATES",
        "UpdateStateMachine",
        &["states:UpdateStateMachine"],
        DeployWith("states:CreateStateMachine"),
    ),
    (
        "USER_POOLS",
        "DescribeUserPoolDomain",
        &["cognito-idp:DescribeUserPoolDomain"],
        Look,
    ),
];

/// Who is calling takes no right (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>).
const FREE: (&str, &str) = ("sts", "get_caller_identity");

fn source(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Returns the source without its tests, file by file.
fn files(directory: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("the source is there") {
        let path = entry.expect("the source can be read").path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() && name != "tests" {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|end| end == "rs")
            && name != "tests.rs"
            && name != "rights.rs"
        {
            let text = fs::read_to_string(&path).expect("the source can be read");
            let text = text
                .split("#[cfg(test)]\nmod ")
                .next()
                .unwrap_or_default()
                .to_owned();
            found.push((path, text));
        }
    }
    found
}

/// Returns the calls of a text: the names of clients, each followed by a method without arguments.
fn calls(text: &str, clients: &BTreeSet<String>) -> Vec<(String, String)> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found = Vec::new();
    for (at, _) in text.match_indices('.') {
        let before = text[..at].trim_end();
        let start = before.rfind(|c| !is_word(c)).map_or(0, |before| before + 1);
        let after = text[at + 1..].trim_start();
        let end = after.find(|c| !is_word(c)).unwrap_or(after.len());
        let (client, method) = (&before[start..], &after[..end]);
        if clients.contains(client) && after[end..].starts_with("()") && method != "clone" {
            found.push((client.to_owned(), method.to_owned()));
        }
    }
    found
}

/// Returns the signed calls of a text: the service and the operation of each, which is written out or the last constant of
/// that name.
fn signed(text: &str) -> Vec<(String, String)> {
    let quoted = |text: &str| text.split('"').nth(1).map(str::to_owned);
    text.match_indices(".json(")
        .filter_map(|(at, call)| {
            let mut arguments = text[at + call.len()..].split(',').map(str::trim);
            let service = arguments.next()?;
            let is_service =
                service.len() > 1 && service.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            let operation = arguments.nth(1).filter(|_| is_service)?;
            let operation = if operation == "OPERATION" {
                quoted(text[..at].rsplit("const OPERATION").next()?)
            } else {
                quoted(operation)
            };
            Some((service.to_owned(), operation?))
        })
        .collect()
}

/// Returns the names of the clients.
fn clients() -> BTreeSet<String> {
    let text = fs::read_to_string(source("src/aws.rs")).expect("the clients are there");
    let fields = text.lines().filter_map(|line| {
        let (name, kind) = line.trim().strip_prefix("pub ")?.split_once(": ")?;
        kind.starts_with("aws_sdk_").then(|| name.to_owned())
    });
    fields.chain([FREE.0.to_owned()]).collect()
}

/// Returns the actions that the policies of a pipeline allow.
fn allowed(template: &Value) -> BTreeSet<&str> {
    let resources = template["Resources"].as_object().into_iter().flatten();
    resources
        .filter(|(_, resource)| resource["Type"] == "AWS::IAM::ManagedPolicy")
        .flat_map(|(_, policy)| {
            let document = &policy["Properties"]["PolicyDocument"];
            document["Statement"].as_array().into_iter().flatten()
        })
        .filter(|statement| statement["Effect"] == "Allow")
        .flat_map(|statement| {
            let actions = &statement["Action"];
            let one = actions.as_str();
            let many = actions.as_array().into_iter().flatten();
            one.into_iter().chain(many.filter_map(Value::as_str))
        })
        .collect()
}

#[test]
fn every_call_is_entered_and_nothing_else() {
    let clients = clients();
    assert!(clients.contains("cloudformation"), "{clients:?}");
    let mut called: BTreeMap<(String, String), PathBuf> = BTreeMap::new();
    for (path, text) in files(&source("src")) {
        let calls = calls(&text, &clients);
        // Who keeps a client or a request under another name would hide from this test.
        let sent = text.matches(".send()").count();
        assert!(
            sent <= calls.len(),
            "{}: {sent} calls are sent and only {calls:?} are seen",
            path.display()
        );
        called.extend(calls.into_iter().map(|call| (call, path.clone())));
    }
    let free = (FREE.0.to_owned(), FREE.1.to_owned());
    assert!(called.remove(&free).is_some());
    let known: BTreeSet<(String, String)> = CALLS
        .iter()
        .map(|(client, method, _, _)| ((*client).to_owned(), (*method).to_owned()))
        .collect();
    assert_eq!(known.len(), CALLS.len(), "one row for each");
    for (call, path) in &called {
        assert!(
            known.contains(call),
            "enter {call:?} of {} in CALLS: which actions it takes, and whether a deploy makes it; what a deploy calls is \
             allowed to pipelines in stack-model/src/codebuild/deploy/statements.rs",
            path.display()
        );
    }
    for call in &known {
        assert!(called.contains_key(call), "nobody calls {call:?} any more");
    }
}

#[test]
fn every_signed_call_is_entered_and_nothing_else() {
    let texts = files(&source("src"));
    let called: BTreeSet<(String, String)> =
        texts.iter().flat_map(|(_, text)| signed(text)).collect();
    let known: BTreeSet<(String, String)> = SIGNED
        .iter()
        .map(|(service, operation, ..)| ((*service).to_owned(), (*operation).to_owned()))
        .collect();
    assert_eq!(called, known, "enter each call in SIGNED, and no other");
}

#[test]
fn pipelines_may_call_what_a_deploy_calls() {
    let golden = source("../stacks/golden");
    let mut seen = 0;
    for entry in fs::read_dir(&golden).expect("there are goldens") {
        let path = entry.expect("they can be read").path();
        let name = path.display().to_string();
        if !name.contains("-pipeline.") {
            continue;
        }
        seen += 1;
        let text = fs::read(&path).expect("they can be read");
        let template = serde_json::from_slice(&text).expect("a template is JSON");
        let allowed = allowed(&template);
        for (_, method, actions, of) in CALLS.into_iter().chain(SIGNED) {
            let is_made = match of {
                Deploy => true,
                DeployWith(action) => allowed.contains(action),
                Look | People => false,
            };
            for action in actions.iter().filter(|_| is_made) {
                assert!(
                    allowed.contains(action),
                    "{name} does not allow {action}, which {method} takes"
                );
            }
        }
    }
    assert!(seen > 0, "no pipeline in {}", golden.display());
}
