//! Renames by import, against an account that does to its one stack what CloudFormation would, and that dies between any
//! two calls.
//!
//! What it refuses, and how, is what AWS refuses: see
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html> and, for the words on
//! outputs, <https://repost.aws/knowledge-center/cloudformation-change-set-errors>.

mod failing;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{Arc, Mutex},
};

use aws_sdk_cloudformation::{
    Client as CloudFormation, operation::create_change_set::CreateChangeSetInput,
};
use aws_smithy_mocks::mock;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::{Value, json};

use super::{
    answers::{self, STACK_ID},
    script::{Answer, Played, STACK, Script, http, names, one, stack},
    signed::Signed,
};
use crate::engine::{Explained as _, Outcome, StackDeployment, deploy};

const URL: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/intake-dev-Inbox-1X";
const ARN: &str = "arn:aws:sqs:eu-central-1:123456789012:intake-dev-Inbox-1X";

/// A stack with a policy, in which a role may send to a queue.
fn template(queue: &str) -> Value {
    json!({
        "Resources": {
            queue: {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5}},
            "Sender": {"Type": "AWS::IAM::Policy", "Properties": {
                "PolicyDocument": {"Statement": [{"Resource": {"Fn::GetAtt": [queue, "Arn"]}}]},
            }},
        },
        "Outputs": {"Url": {"Value": {"Ref": queue}}},
    })
}

fn moved() -> StackDeployment {
    let mut stack = stack(STACK, &[]);
    stack.manifest.moved = BTreeMap::from([("Inbox".to_owned(), "Orders".to_owned())]);
    stack.manifest.termination_protection = true;
    stack.manifest.capabilities = vec!["CAPABILITY_IAM".to_owned()];
    stack.template = template("Orders").to_string();
    stack
}

/// An account with one stack.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that goes wrong"
)]
struct Account {
    template: Value,
    status: &'static str,
    policy: String,
    /// The policy that is asked for.
    wished: String,
    /// What is asked for and not answered yet.
    asked: Option<CreateChangeSetInput>,
    change_set: Option<(Value, &'static str, String)>,
    token: String,
    /// What was done, in order.
    done: Vec<String>,
    /// Whether the queue still exists.
    is_lost: bool,
    /// The types that are imported.
    importable: bool,
    /// Why an import fails once it is executed, and the status that it leaves.
    failing: Option<(&'static str, &'static str)>,
    /// Whether Cloud Control does not find the queue by its URL.
    unproven: bool,
    /// Whether the template was sent in other letters than those of ASCII.
    mangles: bool,
    /// Whether nobody may read the stack policy.
    secretive: bool,
    /// How many calls it answers before it is dead.
    life: usize,
}

type Shared = Arc<Mutex<Account>>;

fn account() -> Shared {
    Arc::new(Mutex::new(Account {
        template: template("Inbox"),
        status: "UPDATE_COMPLETE",
        policy: guard("Inbox"),
        importable: true,
        life: usize::MAX,
        ..Account::default()
    }))
}

fn guard(id: &str) -> String {
    json!({"Statement": [
        {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": ["Update:Replace", "Update:Delete"], "Principal": "*",
         "Resource": [format!("LogicalResourceId/{id}")]},
    ]})
    .to_string()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

impl Account {
    fn resources(template: &Value) -> BTreeMap<String, Value> {
        serde_json::from_value(template["Resources"].clone()).expect("there are some")
    }

    /// Returns the value of an output.
    fn value(value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            value if value.get("Ref").is_some() => URL.to_owned(),
            _ => ARN.to_owned(),
        }
    }

    fn describe(&self) -> String {
        let mut body = format!(
            "<Stacks><member><StackName>{STACK}</StackName><StackId>{STACK_ID}</StackId>\
             <CreationTime>2026-07-27T22:28:28.000Z</CreationTime><StackStatus>{}</StackStatus>\
             <DisableRollback>false</DisableRollback>\
             <EnableTerminationProtection>true</EnableTerminationProtection>\
             <Tags><member><Key>stackctl:stage</Key><Value>dev</Value></member>\
             <member><Key>team</Key><Value>blue</Value></member></Tags><Outputs>",
            self.status
        );
        for (key, output) in self.template["Outputs"]
            .as_object()
            .expect("there are some")
        {
            let value = Self::value(&output["Value"]);
            let _ = write!(
                body,
                "<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            );
        }
        answers::result("DescribeStacks", &(body + "</Outputs></member></Stacks>"))
    }

    fn listed(&self) -> String {
        let mut body = "<StackResourceSummaries>".to_owned();
        for (id, entry) in Self::resources(&self.template) {
            let kind = entry["Type"].as_str().expect("has a type");
            let _ = write!(
                body,
                "<member><LogicalResourceId>{id}</LogicalResourceId><PhysicalResourceId>{}</PhysicalResourceId>\
                 <ResourceType>{kind}</ResourceType><ResourceStatus>UPDATE_COMPLETE</ResourceStatus></member>",
                if kind == "AWS::SQS::Queue" {
                    URL
                } else {
                    "sender"
                }
            );
        }
        answers::result("ListStackResources", &(body + "</StackResourceSummaries>"))
    }

    /// Makes a change set, or refuses it.
    fn create(&mut self) -> (u16, String) {
        let input = self.asked.take().expect("it was asked");
        let body = input.template_body().unwrap_or_default();
        assert!(body.is_ascii() && !body.contains("??"), "{body}");
        let next: Value = serde_json::from_str(body).expect("a template is JSON");
        let imports = input
            .change_set_type()
            .is_some_and(|kind| kind.as_str() == "IMPORT");
        let (old, new) = (Self::resources(&self.template), Self::resources(&next));
        let refuse = |message: &str| (400, answers::error("ValidationError", message));
        let mut changes = String::new();
        let mut others = BTreeSet::new();
        let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for id in ids {
            let (action, more, entry) = match (old.get(id), new.get(id)) {
                (Some(old), Some(new)) if old == new => continue,
                (Some(_), Some(new)) => ("Modify", "<Replacement>False</Replacement>", new),
                (Some(old), None) if old["DeletionPolicy"] == "Retain" => {
                    ("Remove", "<PolicyAction>Retain</PolicyAction>", old)
                }
                (Some(old), None) => ("Remove", "<PolicyAction>Delete</PolicyAction>", old),
                (None, Some(new)) if imports => ("Import", "", new),
                (None, Some(new)) => ("Add", "", new),
                (None, None) => continue,
            };
            if action != "Import" {
                others.insert(id.as_str());
            } else if entry.get("DeletionPolicy").is_none() {
                return refuse(
                    "The following resources to import [Orders] must have DeletionPolicy attribute specified in the template.",
                );
            }
            let _ = write!(
                changes,
                "<member><Type>Resource</Type><ResourceChange><Action>{action}</Action>{more}\
                 <LogicalResourceId>{id}</LogicalResourceId><ResourceType>{}</ResourceType><Scope/><Details/>\
                 </ResourceChange></member>",
                entry["Type"].as_str().unwrap_or_default()
            );
        }
        if imports {
            if !others.is_empty() {
                return refuse(
                    "You have modified resources in your template that are not being imported. Update, create or delete operations cannot be executed during import operations.",
                );
            }
            if next["Outputs"] != self.template["Outputs"] || !input.tags().is_empty() {
                return refuse(
                    "As part of the import operation, you cannot modify or add [Outputs, Tags]",
                );
            }
            let [resource] = input.resources_to_import() else {
                return refuse("Must Provide at least one resource to import");
            };
            let by = resource.resource_identifier().expect("it is identified");
            assert_eq!(by.get("QueueUrl").map(String::as_str), Some(URL));
        }
        let kind = if imports { "IMPORT" } else { "UPDATE" };
        self.change_set = Some((next, kind, changes));
        (200, answers::CREATED_CHANGE_SET.to_owned())
    }

    /// Takes a policy, but for one that names what is not there, as AWS does in these words.
    fn guard(&mut self) -> (u16, String) {
        let wished: Value = serde_json::from_str(&self.wished).expect("a policy is JSON");
        let ids = wished["Statement"][1]["Resource"].as_array();
        for id in ids.into_iter().flatten().filter_map(Value::as_str) {
            let id = id.trim_start_matches("LogicalResourceId/");
            if self.template["Resources"].get(id).is_none() {
                let message = format!(
                    "Error validating stack policy: Unknown logical id 'LogicalResourceId/{id}' in statement {{}} - stack policies \
                     can only be applied to logical ids referenced in the template"
                );
                return (400, answers::error("ValidationError", &message));
            }
        }
        self.policy = std::mem::take(&mut self.wished);
        (200, answers::empty("SetStackPolicy"))
    }

    fn execute(&mut self) {
        let (next, kind, _) = self.change_set.take().expect("it was made");
        if let (Some((_, status)), "IMPORT") = (self.failing, kind) {
            self.done.push("IMPORT fails".to_owned());
            self.status = status;
            return;
        }
        let new = Self::resources(&next);
        for (id, entry) in Self::resources(&self.template) {
            if !new.contains_key(&id) {
                assert!(
                    !self.policy.contains(&format!("Id/{id}\"")),
                    "{id} is guarded"
                );
                self.is_lost |= entry["DeletionPolicy"] != "Retain";
                self.done.push(format!("{id} leaves"));
            }
        }
        self.done.push(kind.to_owned());
        self.mangles = false;
        self.template = next;
        self.status = if kind == "IMPORT" {
            "IMPORT_COMPLETE"
        } else {
            "UPDATE_COMPLETE"
        };
    }
}

/// Adds a call: what is seen of its input, and what is answered.
macro_rules! answer {
    ($script:ident, $account:ident, $operation:ident, $see:expr, $answer:expr) => {{
        let (seen, asked) = (Arc::clone(&$account), Arc::clone(&$account));
        $script = $script.cloudformation(
            stringify!($operation),
            mock!(CloudFormation::$operation)
                .match_requests(move |input| {
                    let see: fn(&mut Account, _) = $see;
                    see(&mut seen.lock().expect("no holder panics"), input);
                    true
                })
                .then_http_response(move || {
                    let answer: fn(&mut Account) -> (u16, String) = $answer;
                    alive(&asked, answer)
                }),
        );
    }};
}

/// Answers as long as the account lives.
fn alive(account: &Shared, answer: fn(&mut Account) -> (u16, String)) -> HttpResponse {
    let mut account = account.lock().expect("no holder panics");
    if account.life == 0 {
        return http(403, &answers::error("AccessDenied", "the token expired"));
    }
    account.life -= 1;
    let (status, body) = answer(&mut account);
    http(status, &body)
}

fn play(account: &Shared) -> Played {
    let mut script = Script::new();
    answer!(script, account, describe_stacks, |_, _| (), |it| (
        200,
        it.describe()
    ));
    answer!(script, account, get_template, |_, _| (), |it| {
        let text = it.template.to_string();
        let mangled = |c: char| if it.mangles && !c.is_ascii() { '?' } else { c };
        let text: String = text.chars().map(mangled).collect();
        (200, answers::template(&text))
    });
    answer!(script, account, get_stack_policy, |_, _| (), |it| {
        if it.secretive {
            return (403, answers::error("AccessDenied", "not authorized"));
        }
        let body = escaped(&it.policy);
        let body = format!("<StackPolicyBody>{body}</StackPolicyBody>");
        (200, answers::result("GetStackPolicy", &body))
    });
    answer!(
        script,
        account,
        set_stack_policy,
        |it, input: &aws_sdk_cloudformation::operation::set_stack_policy::SetStackPolicyInput| {
            it.wished = input.stack_policy_body().unwrap_or_default().to_owned();
        },
        Account::guard
    );
    answer!(script, account, list_stack_resources, |_, _| (), |it| (
        200,
        it.listed()
    ));
    answer!(script, account, get_template_summary, |_, _| (), |it| {
        let known = if it.importable {
            "<member><ResourceType>AWS::SQS::Queue</ResourceType>\
             <ResourceIdentifiers><member>QueueUrl</member></ResourceIdentifiers></member>"
        } else {
            ""
        };
        let body = format!("<ResourceIdentifierSummaries>{known}</ResourceIdentifierSummaries>");
        (200, answers::result("GetTemplateSummary", &body))
    });
    // Who may not read the policy tries this first.
    answer!(script, account, create_stack_refactor, |_, _| (), |_| {
        let reason = "Stack refactor doesn't support stacks that have stack policies attached";
        (400, answers::error("ValidationError", reason))
    });
    answer!(
        script,
        account,
        create_change_set,
        |it, input: &CreateChangeSetInput| {
            it.token = input.change_set_name().unwrap_or_default().to_owned();
            it.asked = Some(input.clone());
        },
        Account::create
    );
    answer!(script, account, describe_change_set, |_, _| (), |it| {
        let changes = it.change_set.as_ref().map_or("", |(_, _, changes)| changes);
        let status = if changes.is_empty() {
            "FAILED"
        } else {
            "CREATE_COMPLETE"
        };
        let reason = "The submitted information didn't contain changes.";
        let reason = if changes.is_empty() { reason } else { "" };
        (200, answers::change_set(status, reason, changes, None))
    });
    answer!(script, account, delete_change_set, |_, _| (), |it| {
        it.change_set = None;
        (200, answers::empty("DeleteChangeSet"))
    });
    answer!(script, account, list_change_sets, |_, _| (), |_| (
        200,
        answers::change_sets(&[])
    ));
    answer!(script, account, execute_change_set, |_, _| (), |it| {
        it.execute();
        (200, answers::empty("ExecuteChangeSet"))
    });
    answer!(script, account, describe_stack_events, |_, _| (), |it| {
        let mut rows = vec![("9", STACK, it.status, "", "*")];
        if let (Some((reason, status)), true) = (it.failing, it.status.contains("ROLLBACK")) {
            rows = vec![
                ("9", STACK, status, "", "*"),
                ("8", "Orders", "IMPORT_FAILED", reason, "*"),
            ];
        }
        (200, answers::events(&rows, &it.token, None))
    });
    let signed = if account.lock().expect("no holder panics").unproven {
        Signed::new().json(
            "GetResource",
            "",
            400,
            &json!({"__type": "ResourceNotFoundException", "Message": "not found"}),
        )
    } else {
        // <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_GetResource.html>
        Signed::new().json(
            "GetResource",
            URL,
            200,
            &json!({
                "TypeName": "AWS::SQS::Queue",
                "ResourceDescription": {"Identifier": URL, "Properties": "{}"},
            }),
        )
    };
    signed.with(script.play_in_any_order())
}

fn check(account: &Shared) {
    let account = account.lock().expect("no holder panics");
    assert_eq!(account.template, template("Orders"));
    assert!(!account.is_lost);
    let policy: Value = serde_json::from_str(&account.policy).expect("is JSON");
    assert_eq!(policy.to_string(), guard("Orders"));
    let leaves = account
        .done
        .iter()
        .filter(|it| *it == "Inbox leaves")
        .count();
    let imports = account.done.iter().filter(|it| *it == "IMPORT").count();
    assert_eq!((leaves, imports), (1, 1), "{:?}", account.done);
}

#[tokio::test]
async fn a_guarded_queue_leaves_and_comes_back_under_its_new_name() {
    let account = account();
    let played = play(&account);
    let report = deploy(&played.context, one(moved()), Answer::never())
        .await
        .expect("it is renamed");
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    check(&account);
    let done = account.lock().expect("no holder panics").done.clone();
    assert_eq!(
        done,
        ["UPDATE", "Inbox leaves", "UPDATE", "IMPORT", "UPDATE"]
    );
    let told = names(&played.events());
    let steps = told
        .iter()
        .filter(|name| *name == "resources_moving")
        .count();
    assert_eq!(steps, 4, "{told:?}");
}

/// Whatever was the last call that AWS answered, the next run finishes what was begun.
#[tokio::test]
async fn a_run_that_dies_between_any_two_calls_is_finished_by_the_next() {
    let mut deaths = 0;
    for life in 0.. {
        let account = account();
        account.lock().expect("no holder panics").life = life;
        let died = deploy(&play(&account).context, one(moved()), Answer::yes())
            .await
            .is_err();
        account.lock().expect("no holder panics").life = usize::MAX;
        let report = deploy(&play(&account).context, one(moved()), Answer::yes()).await;
        let report = report.unwrap_or_else(|error| panic!("after {life} calls: {error:?}"));
        assert!(report.stacks[0].outcome.is_good(), "after {life} calls");
        check(&account);
        if !died {
            break;
        }
        deaths += 1;
    }
    assert!(deaths > 30, "{deaths}");
}

/// Lets a run die once its queue is out of the stack.
async fn away() -> Shared {
    for life in 0.. {
        let account = account();
        account.lock().expect("no holder panics").life = life;
        let _ = deploy(&play(&account).context, one(moved()), Answer::yes()).await;
        let is_away = account
            .lock()
            .expect("no holder panics")
            .done
            .contains(&"Inbox leaves".to_owned());
        if is_away {
            account.lock().expect("no holder panics").life = usize::MAX;
            return account;
        }
    }
    unreachable!("it leaves at some time")
}

#[tokio::test]
async fn what_is_away_comes_back_though_nobody_declares_it_any_more() {
    let account = away().await;
    let mut stack = moved();
    stack.manifest.moved.clear();
    deploy(&play(&account).context, one(stack), Answer::yes())
        .await
        .expect("it comes back");
    check(&account);
}

#[tokio::test]
async fn what_cannot_be_imported_never_leaves() {
    let account = account();
    account.lock().expect("no holder panics").importable = false;
    let error = deploy(&play(&account).context, one(moved()), Answer::never())
        .await
        .expect_err("it is refused");
    let hints = error.hints();
    assert!(
        hints
            .iter()
            .any(|hint| hint.contains("keep the logical id `Inbox`")),
        "{hints:?}"
    );
    let causes = crate::error::Error::from(error).causes().join(" ");
    assert!(
        causes.contains("did not say that it imports resources of the type AWS::SQS::Queue"),
        "{causes}"
    );
    let account = account.lock().expect("no holder panics");
    assert_eq!(account.template, template("Inbox"));
    assert!(account.done.is_empty());
}
