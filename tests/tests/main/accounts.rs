//! One stage in several accounts of one region, wave by wave: an engine has as many accounts as there are keys, and the profiles
//! of the environments name them.

use std::path::PathBuf;

use serde_json::{Value, json};
use system_tests::account::{Account, texts};
use system_tests::sandbox::{Run, Running, Sandbox};

use crate::PROGRAM;
use crate::regions::bad;
use crate::workspace::{COPY, Workspace, described, hash};

const ACCOUNTS: [&str; 3] = ["111111111111", "222222222222", "333333333333"];

const STACK: &str = "topics-dev";

/// A program that copies the assembly of the account it is asked for.
const MAIN: &str = r#"
use std::io::Read as _;

fn main() {
    let mut request = String::new();
    std::io::stdin().read_to_string(&mut request).expect("there is a request");
    let (_, rest) = request.split_once("\"account\":\"").expect("it names an account");
    let (account, _) = rest.split_once('"').expect("the name ends");
    copy(&format!("assembly-{account}"));
}
"#;

/// A workspace whose stage is in all accounts.
struct Accounts {
    sandbox: Sandbox,
    workspace: Workspace,
    credentials: PathBuf,
}

impl Accounts {
    fn new() -> Self {
        let workspace = Workspace::new("topics");
        workspace.write("stacks/src/main.rs", &format!("{COPY}{MAIN}"));
        // Every package has something to compile.
        workspace.write("worker/src/lib.rs", "");
        let sandbox = Sandbox::new(PROGRAM, workspace.directory(), "").with_own_target();
        let credentials = sandbox.directory().join("credentials");
        let profiles = ACCOUNTS.map(|account| {
            format!("[of-{account}]\naws_access_key_id = {account}\naws_secret_access_key = test\n")
        });
        std::fs::write(&credentials, profiles.concat()).expect("it can be written");
        Self {
            sandbox,
            workspace,
            credentials,
        }
    }

    /// Replaces the waves of the stage.
    fn roll_out(&self, rollout: &str) {
        let environments = ACCOUNTS.map(|account| {
            format!(
                "[[stages.dev.environments]]\nregion = \"us-east-1\"\naccount = \"{account}\"\nprofile = \"of-{account}\"\n\n"
            )
        });
        self.sandbox.configure(&format!(
            "[workspace]\nstacks = \"topics-stacks\"\n\n[stages.dev]\nrollout = {rollout}\n\n{}",
            environments.concat()
        ));
    }

    /// Describes the stack of an account: a topic, and a record in a zone that is none, where that is to fail.
    fn describe(&self, account: &str, topic: &str, fails: bool) {
        let mut resources = json!({topic: {"Type": "AWS::SNS::Topic"}});
        if fails {
            resources["Bad"] = bad();
        }
        let template = json!({
            "Resources": resources, "Outputs": {"Arn": {"Value": {"Ref": topic}}},
        })
        .to_string();
        let manifest = json!({
            "format": 1, "stage": "dev", "contracts": {}, "assets": {},
            "stacks": [{
                "name": STACK, "id": "topics", "template": format!("{STACK}.template.json"),
                "sha256": hash(&template), "outputs": {"Arn": {}}, "resources": described(&resources),
            }],
        });
        let directory = format!("assembly-{account}");
        let file = format!("{directory}/{STACK}.template.json");
        self.workspace.write(&file, &template);
        let file = format!("{directory}/manifest.json");
        self.workspace.write(&file, &manifest.to_string());
    }

    /// Runs a verb by an address of this machine that does not say so: what plainly is on this machine has one account.
    fn run(&self, arguments: &[&str]) -> Run {
        let url = self.sandbox.engine().url().replace("127.0.0.1", "0.0.0.0");
        let place = ["--stage", "dev", "--endpoint-url", &url, "--yes", "--json"];
        let mut command = self.sandbox.command(&[arguments, &place].concat());
        command
            .env("AWS_SHARED_CREDENTIALS_FILE", &self.credentials)
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY");
        Running::spawn(command).end()
    }

    /// Deploys, and returns how each account ended.
    #[track_caller]
    fn deploy(&self, code: i32) -> (Run, Vec<(String, String)>) {
        let run = self.run(&["deploy"]);
        assert_eq!(run.code, Some(code), "{run}");
        let summary = last(&run);
        let environments = summary["environments"].as_array();
        let environments = environments.unwrap_or_else(|| panic!("no environments in {run}"));
        let ends = environments.iter().map(|environment| {
            let text = |key: &str| environment[key].as_str().unwrap_or_default().to_owned();
            assert_eq!(text("region"), "us-east-1", "{run}");
            (text("account"), text("outcome"))
        });
        let ends = ends.collect();
        (run, ends)
    }

    /// Returns the logical ids of the topics that the stack of an account has; none, where there is no stack.
    fn topics(&self, account: &str) -> Vec<String> {
        let account = Account::root(self.sandbox.engine().url()).numbered(account);
        let stacks = account.query("cloudformation", "2010-05-15", "DescribeStacks", &[]);
        if !texts(&stacks, "StackName").iter().any(|name| name == STACK) {
            return Vec::new();
        }
        let arguments = [("StackName", STACK)];
        let listed = account.query(
            "cloudformation",
            "2010-05-15",
            "ListStackResources",
            &arguments,
        );
        texts(&listed, "LogicalResourceId")
    }
}

fn last(run: &Run) -> Value {
    let lines = run.json_lines();
    lines
        .last()
        .cloned()
        .unwrap_or_else(|| panic!("nothing is said: {run}"))
}

/// Says how each account should end.
fn ends(outcomes: [&str; 3]) -> Vec<(String, String)> {
    let pairs = ACCOUNTS.into_iter().zip(outcomes);
    pairs
        .map(|(account, outcome)| (account.to_owned(), outcome.to_owned()))
        .collect()
}

#[test]
fn a_stage_goes_from_account_to_account_while_no_more_fail_than_may() {
    let accounts = Accounts::new();
    let [first, second, third] = ACCOUNTS;
    accounts.roll_out("{ waves = [1], failures = 0 }");
    for account in ACCOUNTS {
        accounts.describe(account, "One", account == second);
    }

    // One after the other, and the failure of the second is the end of it.
    let (run, found) = accounts.deploy(1);
    assert_eq!(found, ends(["deployed", "failed", "not_begun"]), "{run}");
    let error = &last(&run)["error"];
    let message = format!("1 of 3 environments failed: `{second}/us-east-1`");
    assert_eq!(error["message"], message, "{run}");
    let causes = error["causes"].to_string();
    assert!(
        causes.contains(&format!("`{third}/us-east-1` was not begun")),
        "{run}"
    );
    assert_eq!(accounts.topics(first), ["One"]);
    assert!(accounts.topics(third).is_empty(), "{run}");

    // Where one may fail, the wave after it begins.
    accounts.roll_out("{ waves = [1], failures = 1 }");
    let (run, found) = accounts.deploy(1);
    assert_eq!(found, ends(["deployed", "failed", "deployed"]), "{run}");
    assert_eq!(accounts.topics(third), ["One"]);

    // Two are more than that, in all waves so far.
    for account in ACCOUNTS {
        accounts.describe(account, "Two", account != third);
    }
    let (run, found) = accounts.deploy(1);
    assert_eq!(found, ends(["failed", "failed", "not_begun"]), "{run}");
    assert_eq!(accounts.topics(third), ["One"]);

    // What is mended goes on, in the order of the file, and each account says what it is.
    for account in ACCOUNTS {
        accounts.describe(account, "Two", false);
    }
    let (run, found) = accounts.deploy(0);
    assert_eq!(found, ends(["deployed"; 3]), "{run}");
    let lines = run.json_lines();
    let finished = lines.iter().filter(|line| line["type"] == "stack_finished");
    let order: Vec<&str> = finished
        .filter_map(|line| line["account"].as_str())
        .collect();
    assert_eq!(order, ACCOUNTS, "{run}");
    let outputs = accounts.run(&["outputs"]).json();
    for account in ACCOUNTS {
        assert_eq!(accounts.topics(account), ["Two"]);
        let arn = outputs[format!("{account}/us-east-1")][STACK]["Arn"].as_str();
        let start = format!("arn:aws:sns:us-east-1:{account}:");
        assert!(arn.is_some_and(|arn| arn.starts_with(&start)), "{outputs}");
    }

    // One goes alone, and the rest together.
    let alone = accounts.run(&["destroy", "--region", &format!("{second}/us-east-1")]);
    assert_eq!(alone.code, Some(0), "{alone}");
    assert_eq!(ACCOUNTS.map(|it| accounts.topics(it).len()), [1, 0, 1]);
    let rest = accounts.run(&["destroy"]);
    assert_eq!(rest.code, Some(0), "{rest}");
    assert_eq!(ACCOUNTS.map(|it| accounts.topics(it).len()), [0, 0, 0]);
}
