//! `drift --revert`: what it does is judged before anybody consents to it, as a deploy is.
#![cfg(target_os = "linux")]

use serde_json::{Value, json};

use super::cloudformation::{LAST_TOKEN, Server, response, run};
use super::workspace::{Outcome, Workspace};

const STACK_ID: &str = "arn:aws:cloudformation:us-east-1:123456789012:stack/orders-dev/1";
const CHANGE_SET: &str = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/c/1";
const GROUP: &str = "AWS::EC2::SecurityGroup";
const TABLE: &str = "AWS::DynamoDB::Table";

/// A resource that somebody changed by hand, and what CloudFormation would change back.
struct ByHand {
    id: &'static str,
    kind: &'static str,
    /// The property that differs.
    property: &'static str,
    actual: Value,
    expected: Value,
    /// Whether changing it back replaces it.
    replaced: bool,
    /// What else the change set says.
    more: String,
    /// What its execution ends as.
    ends: &'static str,
}

impl ByHand {
    fn server(self) -> Server {
        Server::told(Some("UPDATE_COMPLETE"), move |_, action, _| {
            self.answer(action)
                .map(|result| ("200 OK", response(action, &result)))
        })
    }

    /// Answers in the forms of
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackResourceDrift.html>,
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html> and
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackEvents.html>.
    fn answer(&self, action: &str) -> Option<String> {
        let Self {
            id, kind, property, ..
        } = self;
        let text = |value: &Value| value.to_string().replace('"', "&quot;");
        Some(match action {
            "GetTemplate" => {
                let body = json!({"Resources": {
                    (*id): {"Type": kind, "Properties": self.expected},
                    "Queue": {"Type": "AWS::SQS::Queue"},
                }});
                format!("<TemplateBody>{body}</TemplateBody>")
            }
            "DetectStackDrift" => "<StackDriftDetectionId>1</StackDriftDetectionId>".to_owned(),
            "DescribeStackDriftDetectionStatus" => {
                "<StackDriftDetectionId>1</StackDriftDetectionId><DetectionStatus>DETECTION_COMPLETE</DetectionStatus>\
                 <StackDriftStatus>DRIFTED</StackDriftStatus>"
                    .to_owned()
            }
            "DescribeStackResourceDrifts" => format!(
                "<StackResourceDrifts><member><StackId>{STACK_ID}</StackId><LogicalResourceId>{id}</LogicalResourceId>\
                 <PhysicalResourceId>{id}-1</PhysicalResourceId><ResourceType>{kind}</ResourceType>\
                 <ExpectedProperties>{}</ExpectedProperties><ActualProperties>{}</ActualProperties>\
                 <PropertyDifferences><member><PropertyPath>/{property}</PropertyPath><ExpectedValue>{}</ExpectedValue>\
                 <ActualValue>{}</ActualValue><DifferenceType>NOT_EQUAL</DifferenceType></member></PropertyDifferences>\
                 <StackResourceDriftStatus>MODIFIED</StackResourceDriftStatus>\
                 </member></StackResourceDrifts>",
                text(&self.expected),
                text(&self.actual),
                text(&self.expected[property]),
                text(&self.actual[property]),
            ),
            "CreateChangeSet" => format!("<Id>{CHANGE_SET}</Id><StackId>{STACK_ID}</StackId>"),
            "DescribeChangeSet" => {
                let (replacement, recreation, policy) = if self.replaced {
                    ("True", "Always", "<PolicyAction>ReplaceAndDelete</PolicyAction>")
                } else {
                    ("False", "Never", "")
                };
                format!(
                    "<ChangeSetId>{CHANGE_SET}</ChangeSetId><StackId>{STACK_ID}</StackId><StackName>orders-dev</StackName>\
                     <Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus><Changes>\
                     <member><Type>Resource</Type><ResourceChange>{policy}<Action>Modify</Action>\
                     <LogicalResourceId>{id}</LogicalResourceId><PhysicalResourceId>{id}-1</PhysicalResourceId>\
                     <ResourceType>{kind}</ResourceType><Replacement>{replacement}</Replacement>\
                     <Scope><member>Properties</member></Scope><ResourceDriftStatus>MODIFIED</ResourceDriftStatus><Details><member>\
                     <Target><Attribute>Properties</Attribute><Name>{property}</Name><RequiresRecreation>{recreation}</RequiresRecreation>\
                     <BeforeValueFrom>ACTUAL_STATE</BeforeValueFrom><AfterValueFrom>TEMPLATE</AfterValueFrom></Target>\
                     <Evaluation>Static</Evaluation><ChangeSource>DirectModification</ChangeSource></member></Details>\
                     </ResourceChange></member>{}</Changes>",
                    self.more
                )
            }
            "DeleteChangeSet" | "ExecuteChangeSet" => String::new(),
            "DescribeStackEvents" => {
                let event = |number: u8, status: &str| {
                    format!(
                        "<member><EventId>{number}</EventId><StackId>{STACK_ID}</StackId><StackName>orders-dev</StackName>\
                         <LogicalResourceId>orders-dev</LogicalResourceId><PhysicalResourceId>{STACK_ID}</PhysicalResourceId>\
                         <ResourceType>AWS::CloudFormation::Stack</ResourceType><Timestamp>2026-07-28T06:00:0{number}.000Z</Timestamp>\
                         <ResourceStatus>{status}</ResourceStatus><ClientRequestToken>{LAST_TOKEN}</ClientRequestToken></member>"
                    )
                };
                let events = event(2, self.ends) + &event(1, "UPDATE_IN_PROGRESS");
                format!("<StackEvents>{events}</StackEvents>")
            }
            _ => return None,
        })
    }
}

fn group(addresses: &[&str]) -> Value {
    let rules = addresses.iter().map(
        |address| json!({"CidrIp": address, "FromPort": 443, "IpProtocol": "tcp", "ToPort": 443}),
    );
    json!({"GroupDescription": "Callers", "SecurityGroupIngress": rules.collect::<Vec<_>>()})
}

/// A group that lets the world in by its template, and was closed by hand.
fn closed() -> ByHand {
    ByHand {
        id: "Gate",
        kind: GROUP,
        property: "SecurityGroupIngress",
        actual: group(&["10.0.0.0/8"]),
        expected: group(&["10.0.0.0/8", "0.0.0.0/0"]),
        replaced: false,
        more: String::new(),
        ends: "UPDATE_COMPLETE",
    }
}

/// The same the other way round.
fn opened() -> ByHand {
    let closed = closed();
    ByHand {
        actual: closed.expected,
        expected: closed.actual,
        ..closed
    }
}

/// A table that somebody made anew with another key.
fn made_anew() -> ByHand {
    let schema = |name: &str| json!({"KeySchema": [{"AttributeName": name, "KeyType": "HASH"}]});
    ByHand {
        id: "Orders",
        kind: TABLE,
        property: "KeySchema",
        actual: schema("number"),
        expected: schema("id"),
        replaced: true,
        more: String::new(),
        ends: "UPDATE_COMPLETE",
    }
}

fn workspace(protected: bool) -> Workspace {
    let workspace = Workspace::valid();
    let stage = format!(
        "[stages.dev]\naccount = \"123456789012\"\nregion = \"us-east-1\"\nprotected = {protected}\n"
    );
    workspace.write("stackctl.toml", &stage);
    workspace
}

fn revert(workspace: &Workspace, server: &Server, more: &[&str]) -> Outcome {
    let arguments: Vec<&str> = ["--revert"].iter().chain(more).copied().collect();
    run("drift", workspace, server, &arguments)
}

/// Holds that nothing was changed, or that the change set was executed.
#[track_caller]
fn ends(outcome: &Outcome, server: &Server, code: i32) {
    assert_eq!(outcome.code, Some(code), "{outcome:?}");
    let executed = server.count("ExecuteChangeSet");
    assert_eq!(executed, usize::from(code == 0), "{outcome:?}");
}

#[test]
fn what_was_closed_by_hand_is_opened_again_in_a_protected_stage_only_where_that_is_allowed() {
    let protected = workspace(true);
    let server = closed().server();
    let outcome = revert(&protected, &server, &["--yes"]);
    ends(&outcome, &server, 4);
    assert_eq!(server.count("CreateChangeSet"), 0);
    for told in [
        "~ update  Gate AWS::EC2::SecurityGroup exposure widened",
        "error: stage `dev` is protected, and this was not allowed",
        "cause: exposure widened, orders-dev/Gate: opens: ",
        "hint: to do it all the same, add `--allow exposure-widened:Gate`",
    ] {
        assert!(outcome.stderr.contains(told), "{told}: {outcome:?}");
    }
    // It is said in JSON as well, line by line.
    let outcome = revert(&protected, &server, &["--yes", "--json"]);
    ends(&outcome, &server, 4);
    let lines = lines(&outcome);
    assert_eq!(lines.len(), 2, "{lines:#?}");
    assert_eq!(lines[0]["type"], "plan");
    let change = &lines[0]["stacks"][0]["changes"][0];
    assert_eq!(change["dangers"], json!(["exposure_widened"]));
    assert_eq!(lines[1]["error"]["kind"], "refused");

    let allowed = ["--yes", "--allow", "exposure-widened:Gate"];
    // An allowance is no approval.
    ends(&revert(&protected, &server, &allowed[1..]), &server, 4);
    let outcome = revert(&protected, &server, &[&allowed[..], &["--json"]].concat());
    ends(&outcome, &server, 0);
    let lines = self::lines(&outcome);
    let last = lines.last().expect("there are lines");
    assert_eq!(last["type"], "summary");
    let reverted = json!([{"stack": "orders-dev", "outcome": "updated"}]);
    assert_eq!(last["reverted"], reverted);
    assert_eq!(last["stacks"][0]["resources"][0]["logical_id"], "Gate");

    let server = closed().server();
    ends(&revert(&workspace(false), &server, &["--yes"]), &server, 0);
}

fn lines(outcome: &Outcome) -> Vec<Value> {
    let lines = outcome.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).expect("is JSON"))
        .collect()
}

#[test]
fn what_was_opened_by_hand_is_closed_again_with_a_yes() {
    for protected in [true, false] {
        let (workspace, server) = (workspace(protected), opened().server());
        ends(&revert(&workspace, &server, &[]), &server, 4);
        assert_eq!(server.count("CreateChangeSet"), 0);
        ends(&revert(&workspace, &server, &["--yes"]), &server, 0);
    }
}

#[test]
fn a_table_with_its_data_is_not_replaced_without_consent() {
    let (protected, server) = (workspace(true), made_anew().server());
    let outcome = revert(&protected, &server, &["--yes"]);
    ends(&outcome, &server, 4);
    let told = "cause: data loss, orders-dev/Orders: ";
    assert!(outcome.stderr.contains(told), "{outcome:?}");
    let allowed = ["--yes", "--allow", "data-loss:Orders"];
    ends(&revert(&protected, &server, &allowed), &server, 0);
    // Whoever says yes to what is shown says it to that.
    let server = made_anew().server();
    let outcome = revert(&workspace(false), &server, &["--yes"]);
    ends(&outcome, &server, 0);
    assert!(outcome.stderr.contains("DATA LOSS"), "{outcome:?}");
}

/// What only the change set says was not in what anybody agreed to.
#[test]
fn what_cloudformation_does_besides_is_asked_for_by_itself() {
    let surprising = || ByHand {
        more: format!(
            "<member><Type>Resource</Type><ResourceChange><PolicyAction>ReplaceAndDelete</PolicyAction><Action>Modify</Action>\
             <LogicalResourceId>Orders</LogicalResourceId><PhysicalResourceId>Orders-1</PhysicalResourceId>\
             <ResourceType>{TABLE}</ResourceType><Replacement>True</Replacement></ResourceChange></member>"
        ),
        ..opened()
    };
    let (protected, server) = (workspace(true), surprising().server());
    let outcome = revert(&protected, &server, &["--yes"]);
    ends(&outcome, &server, 4);
    for told in [
        "error: not approved, and left as it was: orders-dev",
        "cause: orders-dev: data loss, orders-dev/Orders: ",
        "hint: to do it all the same, add `--allow data-loss:Orders`",
    ] {
        assert!(outcome.stderr.contains(told), "{told}: {outcome:?}");
    }
    assert_eq!(server.count("DeleteChangeSet"), 1);
    let allowed = ["--yes", "--allow", "data-loss:Orders"];
    ends(&revert(&protected, &server, &allowed), &server, 0);

    let server = surprising().server();
    let outcome = revert(&workspace(false), &server, &["--yes"]);
    ends(&outcome, &server, 4);
    let told = "cause: orders-dev: Orders (AWS::DynamoDB::Table) would be replaced";
    assert!(outcome.stderr.contains(told), "{outcome:?}");
}

/// The contexts of a change are those of two of the three states that a drift-aware change set knows; where they agree, what is there
/// is the third, and nobody has seen it
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/drift-aware-change-sets.html>).
#[test]
fn what_cloudformation_tells_of_other_states_calms_nobody() {
    let context = json!({"Properties": group(&["0.0.0.0/0"])}).to_string();
    let context = context.replace('"', "&quot;");
    let unseen = || ByHand {
        more: format!(
            "<member><Type>Resource</Type><ResourceChange><Action>Modify</Action><LogicalResourceId>Door</LogicalResourceId>\
             <PhysicalResourceId>Door-1</PhysicalResourceId><ResourceType>{GROUP}</ResourceType><Replacement>False</Replacement>\
             <Scope><member>Properties</member></Scope><Details><member><Target><Attribute>Properties</Attribute>\
             <Name>SecurityGroupIngress</Name><RequiresRecreation>Never</RequiresRecreation></Target>\
             <Evaluation>Static</Evaluation><ChangeSource>DirectModification</ChangeSource></member></Details>\
             <BeforeContext>{context}</BeforeContext><AfterContext>{context}</AfterContext></ResourceChange></member>"
        ),
        ..opened()
    };
    let (protected, server) = (workspace(true), unseen().server());
    let outcome = revert(&protected, &server, &["--yes"]);
    ends(&outcome, &server, 4);
    let told = "hint: to do it all the same, add `--allow exposure-widened:Door`";
    assert!(outcome.stderr.contains(told), "{outcome:?}");
}

/// CloudFormation goes back to what was there, drift included.
#[test]
fn what_was_not_changed_back_is_in_the_summary() {
    let failing = ByHand {
        ends: "UPDATE_ROLLBACK_COMPLETE",
        ..opened()
    };
    let (workspace, server) = (workspace(false), failing.server());
    let outcome = revert(&workspace, &server, &["--yes", "--json"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let lines = self::lines(&outcome);
    let last = lines.last().expect("there are lines");
    assert_eq!(last["type"], "summary", "{last:#}");
    let reverted = json!([{"stack": "orders-dev", "outcome": "failed"}]);
    assert_eq!(last["reverted"], reverted, "{last:#}");
    assert!(last["error"].is_object(), "{last:#}");
}

#[test]
fn nothing_is_allowed_that_is_not_done() {
    let (workspace, server) = (workspace(true), closed().server());
    let outcome = run(
        "drift",
        &workspace,
        &server,
        &["--allow", "data-loss:Orders"],
    );
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
}

#[test]
fn whose_a_stack_is_is_no_matter_of_drift() {
    let workspace = Workspace::valid();
    let outcome = workspace.run(["drift", "--revert", "--allow", "owner:orders-dev"]);
    assert_eq!(outcome.code, Some(2));
    assert!(
        outcome.stderr.contains("a stack of another app"),
        "{}",
        outcome.stderr
    );
}
