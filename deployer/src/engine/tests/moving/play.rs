//! Has an account answer the calls of a run, as long as it lives.

use aws_sdk_cloudformation::{
    operation::create_stack_refactor::CreateStackRefactorInput, types::ResourceLocation,
};

use super::super::said::{hooks, nothing_found};
use super::account::{Account, Lost, Shared, escaped};
use super::*;

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
    match account.lost.filter(|_| account.life == 0) {
        None => http(status, &body),
        Some(Lost::Dying) => http(403, &answers::error("AccessDenied", "the token expired")),
        Some(Lost::Repeated) => {
            account.life = usize::MAX;
            http(500, &answers::error("InternalFailure", "try again"))
        }
    }
}

pub(super) fn play(account: &Shared) -> Played {
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
             <ResourceIdentifiers><member>QueueUrl</member></ResourceIdentifiers></member>\
             <member><ResourceType>AWS::DynamoDB::GlobalTable</ResourceType>\
             <ResourceIdentifiers><member>TableName</member></ResourceIdentifiers></member>\
             <member><ResourceType>AWS::CloudWatch::Alarm</ResourceType>\
             <ResourceIdentifiers><member>AlarmName</member></ResourceIdentifiers></member>"
        } else {
            ""
        };
        let body = format!("<ResourceIdentifierSummaries>{known}</ResourceIdentifierSummaries>");
        (200, answers::result("GetTemplateSummary", &body))
    });
    // Who may not read the policy tries this first.
    answer!(
        script,
        account,
        create_stack_refactor,
        |it, input: &CreateStackRefactorInput| {
            let body = input.stack_definitions()[0].template_body();
            let template = serde_json::from_str(body.unwrap_or_default()).expect("is JSON");
            let id = |location: Option<&ResourceLocation>| {
                let id = location.and_then(ResourceLocation::logical_resource_id);
                id.unwrap_or_default().to_owned()
            };
            let moves = input.resource_mappings().iter();
            let moves = moves.map(|it| (id(it.source()), id(it.destination())));
            it.refactored = Some((template, moves.collect()));
        },
        |it| {
            if it.refactors && it.policy.is_empty() {
                let id = "<StackRefactorId>r-1</StackRefactorId>";
                return (200, answers::result("CreateStackRefactor", id));
            }
            let reason = "Stack refactor doesn't support stacks that have stack policies attached";
            (400, answers::error("ValidationError", reason))
        }
    );
    answer!(script, account, describe_stack_refactor, |_, _| (), |it| {
        let execution = match it.refactored {
            Some(_) => "AVAILABLE",
            None => "EXECUTE_COMPLETE",
        };
        let body = format!(
            "<StackRefactorId>r-1</StackRefactorId><Status>CREATE_COMPLETE</Status>\
             <ExecutionStatus>{execution}</ExecutionStatus>"
        );
        (200, answers::result("DescribeStackRefactor", &body))
    });
    answer!(script, account, execute_stack_refactor, |_, _| (), |it| {
        it.refactor();
        (200, answers::empty("ExecuteStackRefactor"))
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
    answer!(
        script,
        account,
        detect_stack_resource_drift,
        |it, input: &aws_sdk_cloudformation::operation::detect_stack_resource_drift::DetectStackResourceDriftInput| {
            let id = input.logical_resource_id().unwrap_or_default();
            id.clone_into(&mut it.looked_at);
        },
        |it| (200, it.drift())
    );
    answer!(
        script,
        account,
        update_termination_protection,
        |_, _| (),
        |_| (200, answers::empty("UpdateTerminationProtection"))
    );
    answer!(
        script,
        account,
        delete_stack,
        |it, input: &aws_sdk_cloudformation::operation::delete_stack::DeleteStackInput| {
            input
                .client_request_token()
                .unwrap_or_default()
                .clone_into(&mut it.token);
        },
        |it| {
            it.delete();
            (200, answers::empty("DeleteStack"))
        }
    );
    answer!(script, account, detect_stack_drift, |_, _| (), |_| {
        let id = "<StackDriftDetectionId>d-1</StackDriftDetectionId>";
        (200, answers::result("DetectStackDrift", id))
    });
    answer!(
        script,
        account,
        describe_stack_drift_detection_status,
        |_, _| (),
        |_| {
            let body = format!(
                "<StackId>{STACK_ID}</StackId><StackDriftDetectionId>d-1</StackDriftDetectionId>\
                 <DetectionStatus>DETECTION_COMPLETE</DetectionStatus><StackDriftStatus>IN_SYNC</StackDriftStatus>\
                 <Timestamp>2026-07-28T06:00:00.000Z</Timestamp>"
            );
            let operation = "DescribeStackDriftDetectionStatus";
            (200, answers::result(operation, &body))
        }
    );
    answer!(
        script,
        account,
        describe_stack_resource_drifts,
        |_, _| (),
        |_| {
            let none = "<StackResourceDrifts></StackResourceDrifts>";
            (200, answers::result("DescribeStackResourceDrifts", none))
        }
    );
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
        if it.kept {
            rows.push(("3", "Inbox", "DELETE_SKIPPED", "", ""));
        }
        (200, answers::events(&rows, &it.token, None))
    });
    // What is said of a change set whose plan was agreed to: nothing was found, and no hook runs.
    let script = script
        .cloudformation("describe_events", nothing_found())
        .cloudformation("describe_change_set_hooks", hooks("PLANNED", ""));
    let signed = if account.lock().expect("no holder panics").unproven {
        Signed::new().json(
            "GetResource",
            "",
            400,
            &json!({"__type": "ResourceNotFoundException", "Message": "not found"}),
        )
    } else {
        // <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_GetResource.html>
        let found = |signed: Signed, kind: &str, id: &'static str| {
            let body = json!({
                "TypeName": kind,
                "ResourceDescription": {"Identifier": id, "Properties": "{}"},
            });
            signed.json("GetResource", id, 200, &body)
        };
        let signed = found(Signed::new(), "AWS::SQS::Queue", OTHER_URL);
        let signed = found(signed, "AWS::DynamoDB::GlobalTable", TABLE);
        found(signed, "AWS::SQS::Queue", URL)
    };
    signed.with(script.play_in_any_order())
}
