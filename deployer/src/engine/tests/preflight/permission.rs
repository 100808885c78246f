//! What whoever deploys may do.

mod asked;

use super::*;
use crate::aws::Identity;

/// The answer about some actions: each with the resource, the decision, and more.
pub(super) fn answer(evaluations: &[(&str, &str, &str, &str)]) -> String {
    let evaluations = evaluations
        .iter()
        .fold(String::new(), |text, (action, arn, decision, more)| {
            text + &format!(
                "<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{arn}</EvalResourceName>\
                 <EvalDecision>{decision}</EvalDecision><MatchedStatements/><MissingContextValues/>{more}</member>"
            )
        });
    format!(
        "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
         <SimulatePrincipalPolicyResult><IsTruncated>false</IsTruncated>\
         <EvaluationResults>{evaluations}</EvaluationResults></SimulatePrincipalPolicyResult>\
         <ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"
    )
}

/// `GetRole` (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>).
fn role(signed: Signed) -> Signed {
    signed.text(
        "GetRole",
        "RoleName=Deploy",
        200,
        "<GetRoleResponse><GetRoleResult><Role><Path>/ci/</Path>\
         <Arn>arn:aws:iam::123456789012:role/ci/Deploy</Arn><RoleName>Deploy</RoleName></Role></GetRoleResult>\
         </GetRoleResponse>",
    )
}

fn called_by(played: &mut super::super::script::Played, arn: &str) {
    played.context.clients = played.context.clients.clone().called_by(Identity {
        account: "123456789012".into(),
        arn: arn.into(),
    });
}

const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/Deploy/alice";

/// A new stack, with a role.
fn new_stack() -> StackDeployment {
    named(&json!({
        "Dead": {"Type": "AWS::SQS::Queue"},
        "Maybe": {"Type": "AWS::SNS::Topic", "Condition": "No"},
        "Orders": {"Type": "AWS::SQS::Queue"},
        "Strange": {"Type": "AWS::Braket::Device"},
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "orders"}},
        "Unknown": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": {"Fn::Sub": "${AWS::Region}-x"}}},
        "WorkRole": {"Type": "AWS::IAM::Role", "Properties": {
            "Policies": [{"PolicyName": "Work"}],
            "AssumeRolePolicyDocument": {"Statement": [
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}},
            ]},
        }},
    }))
}

fn summary(signed: Signed) -> Signed {
    signed.text("GetAccountSummary", "", 200, "<GetAccountSummaryResponse/>")
}

fn tables(signed: Signed) -> Signed {
    let page = json!({"TypeName": "AWS::DynamoDB::Table", "ResourceDescriptions": []});
    let quota = json!({"Quota": {"Value": 2500.0}});
    signed
        .json("ListResources", "AWS::DynamoDB::Table", 200, &page)
        .json("GetServiceQuota", "L-F98FE922", 200, &quota)
        .json(
            "GetResource",
            "\"orders\"",
            400,
            &json!({"__type": "com.amazonaws.cloudcontrol#ResourceNotFoundException"}),
        )
}

#[tokio::test]
async fn what_is_missing_is_told_with_who_lacks_it() {
    let dead = "arn:aws:sqs:eu-central-1:123456789012:intake-dev-Dead-0123456789AB";
    let orders = "arn:aws:sqs:eu-central-1:123456789012:intake-dev-Orders-0123456789AB";
    let table = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders";
    let work = "arn:aws:iam::123456789012:role/intake-dev-WorkRole-0123456789AB";
    // One evaluation of an action on several resources has a decision for each
    // (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_ResourceSpecificResult.html>).
    let each = format!(
        "<ResourceSpecificResults>\
         <member><EvalResourceName>{dead}</EvalResourceName><EvalResourceDecision>allowed</EvalResourceDecision></member>\
         <member><EvalResourceName>{orders}</EvalResourceName><EvalResourceDecision>implicitDeny</EvalResourceDecision>\
         <MatchedStatements/><MissingContextValues/></member></ResourceSpecificResults>"
    );
    let boundary = "<PermissionsBoundaryDecisionDetail><AllowedByPermissionsBoundary>false</AllowedByPermissionsBoundary>\
                    </PermissionsBoundaryDecisionDetail>";
    // What depends on something that nobody can tell beforehand is no refusal.
    let depends = format!(
        "<ResourceSpecificResults><member><EvalResourceName>{work}</EvalResourceName>\
         <EvalResourceDecision>implicitDeny</EvalResourceDecision>\
         <MissingContextValues><member>aws:SourceIp</member></MissingContextValues></member></ResourceSpecificResults>"
    );
    let queues = answer(&[("sqs:CreateQueue", orders, "implicitDeny", &each)]);
    let create_table = answer(&[("dynamodb:CreateTable", table, "explicitDeny", boundary)]);
    let roles = answer(&[
        ("iam:CreateRole", work, "implicitDeny", &depends),
        ("iam:PutRolePolicy", work, "allowed", ""),
    ]);
    let pass = answer(&[("iam:PassRole", work, "implicitDeny", "")]);
    let simulate = "SimulatePrincipalPolicy";
    let signed = role(tables(summary(Signed::new())))
        .text(simulate, "sqs%3ACreateQueue", 200, &queues)
        .text(simulate, "dynamodb%3ACreateTable", 200, &create_table)
        .text(simulate, "iam%3ACreateRole", 200, &roles)
        .text(simulate, "iam%3APassRole", 200, &pass);
    let mut played = signed.with(absent().play_in_any_order());
    called_by(&mut played, SESSION);
    let concerns = preflight(&played.context, &[new_stack()]).await;
    signed.finish();
    assert_eq!(
        told(&concerns),
        [
            (
            Weight::Warning,
            "intake-dev: arn:aws:iam::123456789012:role/ci/Deploy may not \
             dynamodb:CreateTable for Table (the permissions boundary refuses it), iam:PassRole for WorkRole, \
             sqs:CreateQueue for Orders"
                .to_owned()
        ),
            unasked("AWS::Braket::Device and AWS::DynamoDB::Table"),
        ]
    );
    let asked = signed.asked(simulate);
    let queues = asked
        .iter()
        .find(|it| it.contains("CreateQueue"))
        .expect("it is asked");
    let encoded = |text: &str| text.replace(':', "%3A").replace('/', "%2F");
    for part in [
        encoded("PolicySourceArn=arn:aws:iam::123456789012:role/ci/Deploy"),
        encoded(&format!("ResourceArns.member.1={dead}")),
        encoded(&format!("ResourceArns.member.2={orders}")),
        "ContextKeyName=aws%3ACalledVia&".to_owned(),
        "ContextKeyValues.member.1=eu-central-1".to_owned(),
    ] {
        assert!(queues.contains(&part), "{part}: {queues}");
    }
    let passed = asked
        .iter()
        .find(|it| it.contains("PassRole"))
        .expect("it is asked");
    assert!(
        passed.contains("ContextKeyName=iam%3APassedToService&"),
        "{passed}"
    );
    assert!(passed.contains("lambda.amazonaws.com"), "{passed}");
}

#[tokio::test]
async fn the_role_of_a_stack_counts_and_what_changes_and_goes_is_asked() {
    let before = json!({"Resources": {
        "Gone": {"Type": "AWS::SQS::Queue"},
        "Kept": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "Retain"},
        "Orders": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 1}},
        "Same": {"Type": "AWS::SNS::Topic"},
        "Work": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Key": {"Ref": "Key"}}}},
    }});
    let mut stack = named(&json!({
        "Orders": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 2}},
        "Same": {"Type": "AWS::SNS::Topic"},
        "Work": {"Type": "AWS::Lambda::Function", "Properties": {"Code": {"S3Key": {"Ref": "Key"}}}},
    }));
    stack.manifest.artifacts = [("Key".to_owned(), "work".to_owned())].into();
    let url = "https://sqs.eu-central-1.amazonaws.com/123456789012";
    let rows = [
        (
            "Gone",
            "AWS::SQS::Queue",
            &*format!("{url}/gone"),
            "CREATE_COMPLETE",
        ),
        (
            "Kept",
            "AWS::SQS::Queue",
            &*format!("{url}/kept"),
            "CREATE_COMPLETE",
        ),
        (
            "Orders",
            "AWS::SQS::Queue",
            &*format!("{url}/orders"),
            "CREATE_COMPLETE",
        ),
        (
            "Same",
            "AWS::SNS::Topic",
            "arn:aws:sns:eu-central-1:123456789012:same",
            "CREATE_COMPLETE",
        ),
        ("Work", "AWS::Lambda::Function", "work-1", "CREATE_COMPLETE"),
    ];
    let with_role = Stack::new("UPDATE_COMPLETE").xml().replace(
        "<DisableRollback>",
        "<RoleARN>arn:aws:iam::123456789012:role/Cfn</RoleARN><DisableRollback>",
    );
    let gone = "arn:aws:sqs:eu-central-1:123456789012:gone";
    let signed = Signed::new()
        .text(
            "SimulatePrincipalPolicy",
            "sqs%3ADeleteQueue",
            200,
            &answer(&[("sqs:DeleteQueue", gone, "explicitDeny", "")]),
        )
        .text(
            "SimulatePrincipalPolicy",
            "sqs%3ASetQueueAttributes",
            200,
            &answer(&[]),
        )
        .text(
            "SimulatePrincipalPolicy",
            "lambda%3AUpdateFunctionCode",
            200,
            &answer(&[]),
        );
    let script = Script::new()
        .resources(&rows)
        .describe(STACK, with_role)
        .template(&before.to_string())
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
        .lambda("get_account_settings", settings(0));
    let played = signed.with(script.play_in_any_order());
    let concerns = preflight(&played.context, &[stack]).await;
    signed.finish();
    assert_eq!(
        told(&concerns),
        [(
            Weight::Warning,
            "intake-dev: arn:aws:iam::123456789012:role/Cfn may not sqs:DeleteQueue for Gone (a policy refuses it)".to_owned()
        )]
    );
    let asked = signed.asked("SimulatePrincipalPolicy");
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert!(
        asked.iter().all(|it| it.contains("role%2FCfn")),
        "{asked:?}"
    );
    assert!(!asked.iter().any(|it| it.contains("kept")), "{asked:?}");
}

#[tokio::test]
async fn root_may_do_everything_and_who_may_not_look_gets_a_quiet_word() {
    let stack = || named(&json!({"Orders": {"Type": "AWS::SQS::Queue"}}));
    let signed = Signed::new();
    let mut played = signed.with(absent().play_in_any_order());
    called_by(&mut played, "arn:aws:iam::123456789012:root");
    assert_eq!(preflight(&played.context, &[stack()]).await, []);
    signed.finish();

    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    let signed = Signed::new().text("SimulatePrincipalPolicy", "", 403, denied);
    let played = signed.with(absent().play_in_any_order());
    assert_eq!(
        told(&preflight(&played.context, &[stack()]).await),
        [(
            Weight::Unknown,
            "arn:aws:iam::123456789012:user/dev: nobody could look: AWS denied the call: no (SimulatePrincipalPolicy: AccessDenied)".to_owned()
        )]
    );
    signed.finish();

    let signed = Signed::new();
    let mut played = signed.with(absent().play_in_any_order());
    called_by(&mut played, "arn:aws:sts::123456789012:federated-user/bob");
    assert_eq!(
        told(&preflight(&played.context, &[stack()]).await),
        [(
            Weight::Unknown,
            "arn:aws:sts::123456789012:federated-user/bob: nobody can look: IAM simulates users and roles alone".to_owned()
        )]
    );
    signed.finish();
}

#[tokio::test]
async fn a_call_that_is_throttled_is_made_again() {
    let throttled = "<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>";
    let signed = Signed::new().text("SimulatePrincipalPolicy", "", 400, throttled);
    let played = signed.with(absent().play_in_any_order());
    let stack = named(&json!({"Orders": {"Type": "AWS::SQS::Queue"}}));
    let concerns = preflight(&played.context, &[stack]).await;
    assert_eq!(concerns.len(), 1, "{concerns:?}");
    assert_eq!(concerns[0].weight, Weight::Unknown);
    assert_eq!(signed.asked("SimulatePrincipalPolicy").len(), 3);
}

#[tokio::test]
async fn resources_are_asked_about_where_they_will_be() {
    let stack = named(&json!({
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Grouped": {"Type": "AWS::Scheduler::Schedule", "Properties": {"GroupName": "nightly", "Name": "x"}},
        "Limit": {"Type": "AWS::SSM::Parameter"},
        "Logs": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": {"Ref": "Group"}}},
        "OnBus": {"Type": "AWS::Events::Rule", "Properties": {"EventBusName": "orders"}},
        "OrdersThatAreVeryLongInTheirNameAndMoreSoThanOthers": {"Type": "AWS::SNS::Topic"},
        "Pipe": {"Type": "AWS::Pipes::Pipe"},
        "Steps": {"Type": "AWS::StepFunctions::StateMachine"},
        "Token": {"Type": "AWS::SecretsManager::Secret"},
    }));
    let mut stack = stack;
    stack.manifest.parameters = [("Group".to_owned(), "/orders".to_owned())].into();
    let signed = may_do_all();
    let script = absent().logs(
        "describe_log_groups",
        mock!(Logs::describe_log_groups).then_http_response(|| http(200, "{}")),
    );
    let played = signed.with(script.play_in_any_order());
    assert_eq!(
        told(&preflight(&played.context, &[stack]).await),
        [unasked(
            "AWS::Events::Rule, AWS::Pipes::Pipe and AWS::Scheduler::Schedule"
        )]
    );
    let mut arns: Vec<String> = signed
        .asked("SimulatePrincipalPolicy")
        .iter()
        .flat_map(|body| body.split('&'))
        .filter(|part| part.starts_with("ResourceArns"))
        .filter_map(|part| part.split_once('='))
        .map(|(_, arn)| {
            arn.replace("%3A", ":")
                .replace("%2F", "/")
                .replace("%2A", "*")
                .replace(":eu-central-1:123456789012:", ":..:")
        })
        .collect();
    arns.sort();
    assert_eq!(
        arns,
        [
            "arn:aws:logs:..:log-group:/orders:*",
            "arn:aws:s3:::intake-dev-bucket-0123456789ab",
            "arn:aws:secretsmanager:..:secret:Token-0123456789AB-AbCdEf",
            "arn:aws:sns:..:intake-dev-OrdersThatAreVeryLongInT-0123456789AB",
            "arn:aws:ssm:..:parameter/CFN-Limit-0123456789AB",
            "arn:aws:states:..:stateMachine:Steps-0123456789AB",
        ]
    );
}

#[tokio::test]
async fn who_calls_is_asked_for_once() {
    let queue = || named(&json!({"Orders": {"Type": "AWS::SQS::Queue"}}));
    let mut other = queue();
    other.manifest.name = "other-dev".to_owned();
    let signed = role(may_do_all());
    let mut played = signed.with(absent().play_in_any_order());
    called_by(&mut played, SESSION);
    assert_eq!(preflight(&played.context, &[queue(), other]).await, []);
    signed.finish();
    assert_eq!(signed.asked("GetRole").len(), 1);
}
