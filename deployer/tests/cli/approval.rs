//! What happens before anything changes on AWS, for which a small server stands in.
#![cfg(target_os = "linux")]

use serde_json::json;
use snapbox::str;

use super::cloudformation::{PROPOSES, Server, field, is_reading, nothing, run, stack};
use super::workspace::{Outcome, Workspace};

fn deploy(workspace: &Workspace, server: &Server, more: &[&str]) -> Outcome {
    run("deploy", workspace, server, more)
}

#[test]
fn without_a_terminal_the_plan_is_shown_and_refused() {
    let (workspace, server) = (Workspace::valid(), Server::start());
    let outcome = deploy(&workspace, &server, &[]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
    synth stacks ..
    synth 1 stack in [TIME]
     diff comparing with what is deployed ..
orders-dev (new)
  + create  Queue AWS::SQS::Queue
1 to create
  account 123456789012
error: this needs approval, and nobody can be asked
  cause: Deploy these changes to stage dev?
  hint: read what is said above, then approve it with `--yes`

"#]]
    );
    let outcome = deploy(&workspace, &server, &["--json"]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    let lines: Vec<serde_json::Value> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("is JSON"))
        // This caller may not look for what is in the way, which is told before.
        .filter(|line: &serde_json::Value| line["type"] != "preflight_found")
        .collect();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert_eq!(lines[0]["type"], "plan");
    assert_eq!(lines[0]["stacks"][0]["changes"][0]["logical_id"], "Queue");
    assert_eq!(lines[1]["error"]["kind"], "refused");
    let changing = server
        .actions()
        .into_iter()
        .find(|action| !is_reading(action));
    assert_eq!(changing, None, "nothing may change before approval");
}

#[test]
fn with_approval_the_change_set_is_made() {
    let (workspace, server) = (Workspace::valid(), Server::start());
    let outcome = deploy(&workspace, &server, &["--yes", "--json"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(
        server
            .actions()
            .iter()
            .any(|action| action == "CreateChangeSet")
    );
    let last = outcome.stdout.lines().last().expect("has lines");
    let last: serde_json::Value = serde_json::from_str(last).expect("is JSON");
    assert_eq!(last["type"], "summary");
    assert_eq!(last["stacks"][0]["outcome"], "failed");
    assert!(
        last["error"]["causes"]
            .to_string()
            .contains("not authorized"),
        "{last:#}"
    );
}

#[test]
fn express_mode_is_for_stages_that_are_not_protected() {
    const OPEN: &str = "[stages.dev]\nregion = \"us-east-1\"\n";
    const PROTECTED: &str =
        "[stages.dev]\nregion = \"us-east-1\"\naccount = \"123456789012\"\nprotected = true\n";
    let rows: [(&str, &[&str], bool); 3] = [
        (OPEN, &["--yes"], true),
        (OPEN, &["--yes", "--no-express"], false),
        (PROTECTED, &["--yes"], false),
    ];
    for (config, options, express) in rows {
        let (workspace, server) = (Workspace::valid(), Server::start());
        workspace.write("stackctl.toml", config);
        deploy(&workspace, &server, options);
        let request = server
            .request("CreateChangeSet")
            .expect("a change set is made");
        assert_eq!(
            field(&request, "DeploymentConfig.Mode") == "EXPRESS",
            express,
            "{config}{options:?}: {request}"
        );
        // AWS disables rollback in express mode unless it is told not to.
        let rollback = field(&request, "DeploymentConfig.DisableRollback");
        assert_eq!(rollback == "false", express, "{request}");
    }
}

/// Credentials that lead elsewhere make no second production there.
#[test]
fn a_protected_stage_that_names_no_account_is_refused_before_anything_is_built() {
    const PROTECTED: &str = "[stages.dev]\nregion = \"us-east-1\"\nprotected = true\n";
    let workspace = Workspace::valid();
    workspace.write("stackctl.toml", PROTECTED);
    let server = Server::start();
    let outcome = deploy(&workspace, &server, &["--yes"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
    synth stacks ..
    synth 1 stack in [TIME]
error: the stage is protected and does not name its account, and the credentials belong to account 123456789012
  hint: the caller is arn:aws:iam::123456789012:user/Alice
  hint: if that is the stage's account, write `account = "123456789012"` into its table in stackctl.toml; if not, write the right one, and choose another `profile` or AWS_PROFILE

"#]]
    );
    assert_eq!(server.actions(), ["GetCallerIdentity"]);
    // What asks nobody needs none.
    let outcome = workspace.run(["synth", "--stage", "dev"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");

    workspace.write(
        "stackctl.toml",
        &format!("{PROTECTED}account = \"123456789012\"\n"),
    );
    let outcome = deploy(&workspace, &server, &[]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
}

/// What goes out as it is saved is agreed to before anything is built, and never where stages are protected.
#[test]
fn nothing_is_watched_that_nobody_agreed_to() {
    let (workspace, server) = (Workspace::valid(), Server::start());
    let outcome = run("watch", &workspace, &server, &[]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    assert!(
        outcome.stderr.contains("nobody can be asked"),
        "{outcome:?}"
    );
    workspace.write(
        "stackctl.toml",
        "[stages.dev]\nregion = \"us-east-1\"\naccount = \"123456789012\"\nprotected = true\n",
    );
    let outcome = run("watch", &workspace, &server, &["--yes"]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    assert!(
        outcome.stderr.contains("stage `dev` is protected"),
        "{outcome:?}"
    );
    assert!(!outcome.stderr.contains("synth"), "{outcome:?}");
    assert_eq!(server.actions(), [""; 0]);
}

#[test]
fn a_protected_stage_asks_for_every_danger_by_name() {
    let workspace = Workspace::valid();
    let stage =
        "[stages.dev]\nregion = \"us-east-1\"\naccount = \"123456789012\"\nprotected = true\n";
    workspace.write("stackctl.toml", stage);
    let server = Server::start_with(Some("UPDATE_COMPLETE"));
    let idle = "exposure-widened:Queue";
    let outcome = deploy(&workspace, &server, &["--yes", "--allow", idle]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
...
  - delete  Orders AWS::DynamoDB::Table DATA LOSS
      it is deleted with the data that it holds
...
warning: `--allow exposure-widened:Queue` allows nothing of what would change
error: stage `dev` is protected, and this was not allowed
  cause: data loss, orders-dev/Orders: it is deleted with the data that it holds
  hint: to do it all the same, add `--allow data-loss:Orders`

"#]]
    );
    // The first call of a deploy that is agreed to: what is left of earlier runs.
    let begins = "ListChangeSets";
    assert_eq!(server.request(begins), None);
    let outcome = deploy(
        &workspace,
        &server,
        &["--yes", "--allow", "data-loss:Orders"],
    );
    // The next thing that this caller may not do is no matter of consent.
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(server.request(begins).is_some(), "the deploy goes on");
    // What is no danger is wrong before anything is asked.
    let outcome = deploy(&workspace, &server, &["--allow", "interruption:Orders"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
}

/// A stack set changes in every account, and what its protected stage refuses is what any deploy refuses there.
#[test]
fn a_stack_set_of_a_protected_stage_asks_for_every_danger_by_name() {
    let workspace = Workspace::valid();
    let stage = "[stages.dev]\nregion = \"us-east-1\"\naccount = \"123456789012\"\nprotected = true\n\
                 [stages.dev.stacksets]\naccounts = [\"210987654321\"]\nregions = [\"us-east-1\"]\n";
    workspace.write("stackctl.toml", stage);
    let deploy = |server: &Server, more: &[&str]| {
        run(
            "stackset",
            &workspace,
            server,
            &[&["deploy", "--yes"], more].concat(),
        )
    };
    let server = Server::start_with(Some("UPDATE_COMPLETE"));
    let outcome = deploy(&server, &["--allow", "exposure-widened:Queue"]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
...
warning: `--allow exposure-widened:Queue` allows nothing of what would change
error: stage `dev` is protected, and this was not allowed
  cause: data loss, orders-dev/Orders in every account: it is deleted with the data that it holds
  hint: to do it all the same, add `--allow data-loss:Orders`

"#]]
    );
    let changing = server
        .actions()
        .into_iter()
        .find(|action| !is_reading(action));
    assert_eq!(changing, None, "nothing may change before it is allowed");

    let outcome = deploy(&server, &["--allow", "data-loss:Orders"]);
    // This caller may not update stack sets.
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(server.request("UpdateStackSet").is_some(), "{outcome:?}");
    // The name of the stage is for what deletes all of it.
    let outcome = deploy(&server, &["--confirm", "dev"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
}

/// Who names a stage means that one, whether it is protected or not.
#[test]
fn a_destroy_of_another_stage_than_the_named_one_is_refused() {
    let workspace = Workspace::valid();
    let server = Server::start_with(Some("UPDATE_COMPLETE"));
    let options = ["--yes", "--confirm", "prod"];
    let outcome = run("destroy", &workspace, &server, &options);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    let reason = "`--confirm` names `prod`, and the stage is `dev`";
    assert!(outcome.stderr.contains(reason), "{outcome:?}");
    assert_eq!(server.actions(), [""; 0]);
}

/// `--yes` is not enough to remove what a protected stage holds, and no code goes past `CloudFormation` there.
#[test]
fn what_a_protected_stage_refuses_is_refused_before_anything_changes() {
    let workspace = Workspace::valid();
    let stage =
        "[stages.dev]\nregion = \"us-east-1\"\naccount = \"123456789012\"\nprotected = true\n";
    workspace.write("stackctl.toml", stage);
    let changing = |server: &Server| {
        let actions = server.actions();
        actions.into_iter().find(|action| !is_reading(action))
    };
    let refused: [(&[&str], _); 3] = [
        (&[], "stage `dev` is protected"),
        (&["--yes"], "stage `dev` is protected"),
        (
            &["--yes", "--confirm", "prod"],
            "`--confirm` names `prod`, and the stage is `dev`",
        ),
    ];
    for (options, reason) in refused {
        let server = Server::start_with(Some("UPDATE_COMPLETE"));
        let outcome = run("destroy", &workspace, &server, options);
        assert_eq!(outcome.code, Some(4), "{options:?}: {outcome:?}");
        assert!(outcome.stderr.contains(reason), "{options:?}: {outcome:?}");
        assert_eq!(changing(&server), None, "{options:?}");
    }

    let server = Server::start_with(Some("UPDATE_COMPLETE"));
    let outcome = run("destroy", &workspace, &server, &["--confirm", "dev"]);
    // The stack that the server has bears no tag of the stage: that is what is refused next.
    assert!(
        !outcome.stderr.contains("is protected"),
        "the name was said: {outcome:?}"
    );

    let server = Server::start();
    let outcome = deploy(&workspace, &server, &["--fast", "--yes"]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    assert!(
        outcome.stderr.contains("stage `dev` is protected"),
        "{outcome:?}"
    );
    assert_eq!(server.actions(), [""; 0]);
}

#[test]
fn a_rollback_says_what_it_does_and_needs_approval() {
    let workspace = Workspace::valid();
    let server = Server::start_with(Some("UPDATE_FAILED"));
    let outcome = run("rollback", &workspace, &server, &[]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    let told = "orders-dev is UPDATE_FAILED: takes back the update that failed";
    assert!(outcome.stderr.contains(told), "{outcome:?}");
    assert_eq!(server.request("RollbackStack"), None);

    let outcome = run("rollback", &workspace, &server, &["--yes", "--json"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(server.request("RollbackStack").is_some(), "{outcome:?}");
    let lines: Vec<serde_json::Value> = outcome
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).expect("is JSON"))
        .collect();
    assert_eq!(
        lines[0],
        json!({"type": "plan", "stacks": [
            {"stack": "orders-dev", "status": "UPDATE_FAILED", "action": "roll_back"}]})
    );
    let last = lines.last().expect("has lines");
    assert_eq!(last["stacks"][0]["outcome"], "failed", "{last:#}");
    assert!(
        last["error"]["causes"]
            .to_string()
            .contains("not authorized")
    );
}

#[test]
fn nobody_is_asked_where_nothing_is_rolled_back() {
    let workspace = Workspace::valid();
    let server = Server::start_with(Some("UPDATE_COMPLETE"));
    let outcome = run("rollback", &workspace, &server, &[]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let told = "orders-dev is UPDATE_COMPLETE: nothing to roll back";
    assert!(outcome.stderr.contains(told), "{outcome:?}");
}

#[test]
fn another_account_is_refused_before_anything_is_built() {
    let (workspace, server) = (Workspace::valid(), Server::start());
    workspace.write(
        "stackctl.toml",
        "[stages.dev]\nregion = \"us-east-1\"\naccount = \"999999999999\"\n",
    );
    let error = deploy(&workspace, &server, &["--yes", "--json"]).error(2, "configuration");
    assert_eq!(
        error["message"],
        "the credentials belong to account 123456789012, but the stage is pinned to account 999999999999"
    );
    assert_eq!(server.actions(), ["GetCallerIdentity"]);
    assert_eq!(error["causes"], json!([]));
}

#[test]
fn a_plan_that_was_kept_is_executed_without_a_question() {
    let (workspace, server) = (Workspace::valid(), Server::start());
    let kept = run(
        "diff",
        &workspace,
        &server,
        &["--out", "plan", "--exit-code"],
    );
    assert_eq!(kept.code, Some(3), "{kept:?}");
    assert!(kept.stderr.contains("plan kept in plan"), "{kept:?}");
    assert_eq!(server.request("CreateChangeSet"), None);

    let outcome = deploy(&workspace, &server, &["--plan", "plan"]);
    assert!(server.request("CreateChangeSet").is_some(), "{outcome:?}");
}

#[test]
fn a_plan_is_refused_where_something_moved_since() {
    let (workspace, server) = (Workspace::valid(), Server::start());
    let kept = run("diff", &workspace, &server, &["--out", "plan"]);
    assert_eq!(kept.code, Some(0), "{kept:?}");
    workspace.assembly(|template, manifest| {
        template["Resources"]["Topic"] = json!({"Type": "AWS::SNS::Topic"});
        manifest["stacks"][0]["tags"] = json!({"team": "orders"});
    });
    let error = deploy(&workspace, &server, &["--plan", "plan", "--yes", "--json"]);
    assert_eq!(error.code, Some(4), "{error:?}");
    let last = error.stdout.lines().last().expect("has lines");
    let last: serde_json::Value = serde_json::from_str(last).expect("is JSON");
    assert_eq!(
        last["error"]["causes"],
        json!([
            "orders-dev: the template is another",
            "orders-dev: tag team is `orders` and was not there",
            "orders-dev: Topic would be created too",
        ])
    );

    let text = std::fs::read_to_string(workspace.path("plan")).expect("is read");
    workspace.write("plan", &text.replace("us-east-1", "us-west-1"));
    let error = deploy(&workspace, &server, &["--plan", "plan", "--json"]).error(4, "refused");
    assert_eq!(
        error["causes"],
        json!(["it was changed or cut off after it was made"])
    );
    assert_eq!(server.request("CreateChangeSet"), None);
}

#[test]
fn what_a_change_set_does_otherwise_is_in_the_plan_and_the_change_set_is_gone() {
    let (workspace, server) = (Workspace::valid(), Server::start_with(Some(PROPOSES)));
    let options = ["--change-set", "--no-build", "--exit-code"];
    let outcome = run("diff", &workspace, &server, &options);
    assert_eq!(outcome.code, Some(3), "{outcome:?}");
    snapbox::assert_data_eq!(
        outcome.stdout,
        str![[r#"
orders-dev
  - delete  Orders AWS::DynamoDB::Table DATA LOSS
      it is deleted with the data that it holds
  ± replace Queue AWS::SQS::Queue DATA LOSS
      CloudFormation says otherwise: it would be replaced
      only CloudFormation names it
1 to replace, 1 to delete (2 with data loss)

"#]]
    );
    let actions = server.actions();
    let changing = actions.iter().filter(|action| !is_reading(action));
    assert_eq!(
        changing.collect::<Vec<_>>(),
        ["CreateChangeSet", "DeleteChangeSet"]
    );
}

/// Answers with a change set that does what the plan says, and changes a policy or a queue besides, in the form of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html>.
fn besides(
    (action, name): (&str, &str),
    (kind, property): (&str, &str),
    [before, after]: [&str; 2],
) -> Option<String> {
    let context = |properties: &str| {
        let text = format!("{{\"Properties\":{properties}}}");
        text.replace('"', "&quot;")
    };
    let (before, after) = (context(before), context(after));
    match action {
        "ListChangeSets" => return Some(nothing(action)),
        // By its name and by its ARN.
        "DescribeStacks" if !name.is_empty() => return Some(stack("orders-dev", PROPOSES)),
        _ => {}
    }
    (action == "DescribeChangeSet").then(|| {
        format!(
            "<DescribeChangeSetResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeChangeSetResult>\
             <ChangeSetId>arn:aws:cloudformation:us-east-1:123456789012:changeSet/c/1</ChangeSetId>\
             <StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/orders-dev/1</StackId><StackName>orders-dev</StackName>\
             <Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus><Changes>\
             <member><Type>Resource</Type><ResourceChange><Action>Remove</Action><LogicalResourceId>Orders</LogicalResourceId>\
             <ResourceType>AWS::DynamoDB::Table</ResourceType><PolicyAction>Delete</PolicyAction></ResourceChange></member>\
             <member><Type>Resource</Type><ResourceChange><Action>Modify</Action><LogicalResourceId>Access</LogicalResourceId>\
             <ResourceType>{kind}</ResourceType><Replacement>False</Replacement><Scope><member>Properties</member></Scope>\
             <Details><member><Evaluation>Static</Evaluation><ChangeSource>ParameterReference</ChangeSource>\
             <CausingEntity>Who</CausingEntity><Target><Attribute>Properties</Attribute><Name>{property}</Name>\
             <RequiresRecreation>Never</RequiresRecreation></Target></member></Details>\
             <BeforeContext>{before}</BeforeContext><AfterContext>{after}</AfterContext></ResourceChange></member>\
             </Changes></DescribeChangeSetResult></DescribeChangeSetResponse>"
        )
    })
}

/// A parameter that is looked up when the change set is made has another value: the template is what it was.
#[test]
fn what_only_a_change_set_opens_has_to_be_allowed() {
    let workspace = Workspace::valid();
    let stage =
        "[stages.dev]\nregion = \"us-east-1\"\naccount = \"123456789012\"\nprotected = true\n";
    workspace.write("stackctl.toml", stage);
    let server = || {
        Server::answering(Some(PROPOSES), |action, name| {
            let policies = [
                r#"{"PolicyDocument":{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Principal":{"AWS":"123456789012"}}]}}"#,
                r#"{"PolicyDocument":{"Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*","Principal":"*"}]}}"#,
            ];
            besides(
                (action, name),
                ("AWS::S3::BucketPolicy", "PolicyDocument"),
                policies,
            )
        })
    };
    let refused = server();
    let options = ["--yes", "--allow", "data-loss:Orders"];
    let outcome = deploy(&workspace, &refused, &options);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    snapbox::assert_data_eq!(
        outcome.stderr,
        str![[r#"
...
warning: CloudFormation and the plan disagree about orders-dev:
orders-dev
  ~ update  Access AWS::S3::BucketPolicy exposure widened
      CloudFormation says otherwise: it would be updated: opens: a policy allows everybody, without a condition; allows more: s3:GetObject on * by AWS *
 declined orders-dev in [TIME]
error: not approved, and left as it was: orders-dev
  cause: orders-dev: permission widened, orders-dev/Access: opens: a policy allows everybody, without a condition
  cause: orders-dev: exposure widened, orders-dev/Access: opens: a policy allows everybody, without a condition
  hint: to do it all the same, add `--allow permission-widened:Access --allow exposure-widened:Access`

"#]]
    );
    assert_eq!(refused.request("ExecuteChangeSet"), None);
    let allowed = server();
    let access = [
        "--allow",
        "permission-widened:Access",
        "--allow",
        "exposure-widened:Access",
    ];
    let options = [&options[..], &access].concat();
    let outcome = deploy(&workspace, &allowed, &options);
    // This caller may execute nothing.
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(allowed.request("ExecuteChangeSet").is_some(), "{outcome:?}");
}

#[test]
fn a_plan_that_was_kept_is_not_executed_where_the_change_set_does_more() {
    let workspace = Workspace::valid();
    let server = |answers| Server::answering(Some(PROPOSES), answers);
    let more = server(|action, name| {
        let delays = [r#"{"DelaySeconds":"1"}"#, r#"{"DelaySeconds":"2"}"#];
        besides((action, name), ("AWS::SQS::Queue", "DelaySeconds"), delays)
    });
    let kept = run("diff", &workspace, &more, &["--out", "plan"]);
    assert_eq!(kept.code, Some(0), "{kept:?}");
    let outcome = deploy(&workspace, &more, &["--plan", "plan"]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    assert!(
        outcome
            .stderr
            .contains("orders-dev: Access (AWS::SQS::Queue) would be updated"),
        "{outcome:?}"
    );
    assert_eq!(more.request("ExecuteChangeSet"), None);
    // What is only written otherwise is no other plan.
    let same = server(|action, name| {
        let delays = [r#"{"DelaySeconds":1}"#, r#"{"DelaySeconds":"1"}"#];
        besides((action, name), ("AWS::SQS::Queue", "DelaySeconds"), delays)
    });
    let kept = run("diff", &workspace, &same, &["--out", "again"]);
    assert_eq!(kept.code, Some(0), "{kept:?}");
    let outcome = deploy(&workspace, &same, &["--plan", "again"]);
    assert!(same.request("ExecuteChangeSet").is_some(), "{outcome:?}");
}
