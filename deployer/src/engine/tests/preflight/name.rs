//! Names of more types than those that have a client of their own.

use std::collections::BTreeMap;

use aws_sdk_cloudfront::Client as CloudFront;

use super::*;
use crate::engine::{Check, plan::moves::Course};

/// Cloud Control does not find it
/// (<https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_GetResource.html>).
fn not_found() -> Value {
    json!({
        "__type": "com.amazonaws.cloudcontrol#ResourceNotFoundException",
        "Message": "Resource of type 'AWS::SQS::Queue' with identifier '..' was not found.",
    })
}

fn found(kind: &str, identifier: &str) -> Value {
    let properties = "{}";
    json!({"TypeName": kind, "ResourceDescription": {"Identifier": identifier, "Properties": properties}})
}

#[tokio::test]
async fn what_has_a_name_is_named_with_the_way_to_import_it() {
    let mut stack = named(&json!({
        "Bus": {"Type": "AWS::Events::Rule", "Properties": {"Name": "nightly", "EventBusName": "orders"}},
        "Events": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "events"}},
        "Free": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "free"}},
        "Own": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "own"}},
        "Pages": {"Type": "AWS::Cognito::UserPoolDomain", "Properties": {"Domain": {"Ref": "Prefix"}, "UserPoolId": "x"}},
        "Steps": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"StateMachineName": "steps"}},
        "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "orders"}},
    }));
    stack.manifest.parameters = [("Prefix".to_owned(), "photos".to_owned())].into();
    let template: Value = serde_json::from_str(&stack.template).expect("it is JSON");
    let topic = "arn:aws:sns:eu-central-1:123456789012:events";
    let steps = "arn:aws:states:eu-central-1:123456789012:stateMachine:steps";
    let summary = json!({"TypeName": "AWS::DynamoDB::Table", "ResourceDescriptions": []});
    let signed = may_do_all()
        .json("GetResource", topic, 200, &found("AWS::SNS::Topic", topic))
        .json("GetResource", "https://sqs.eu-central-1.amazonaws.com/123456789012/free", 400, &not_found())
        .json("GetResource", steps, 400, &json!({"__type": "TypeNotFoundException"}))
        .json("GetResource", "\"Identifier\":\"orders\"", 200, &found("AWS::DynamoDB::Table", "orders"))
        .json(
            "DescribeUserPoolDomain",
            "photos",
            200,
            &json!({"DomainDescription": {"Domain": "photos", "UserPoolId": "eu-central-1_a", "Status": "ACTIVE"}}),
        )
        .json("ListResources", "AWS::DynamoDB::Table", 200, &summary)
        .json("GetServiceQuota", "L-F98FE922", 200, &json!({"Quota": {"Value": 2500.0}}));
    let url = "https://sqs.eu-central-1.amazonaws.com/123456789012/own";
    let rows = [("Own", "AWS::SQS::Queue", url, "CREATE_COMPLETE")];
    let played = signed.with(present(&rows, &template).play_in_any_order());
    let concerns = preflight(&played.context, &[stack]).await;
    signed.finish();
    assert_eq!(
        told(&concerns),
        [
            (Weight::Refused, "intake-dev/Events: `events` is the name of another AWS::SNS::Topic already, outside of the stack".to_owned()),
            (Weight::Refused, "intake-dev/Pages: `photos` is the name of another AWS::Cognito::UserPoolDomain already, outside of the stack".to_owned()),
            (Weight::Refused, "intake-dev/Table: `orders` is the name of another AWS::DynamoDB::Table already, outside of the stack".to_owned()),
            unasked("AWS::Events::Rule"),
        ]
    );
    let import = |at: usize| &concerns[at].hints[2];
    assert!(
        import(0).contains(&format!(r#""ResourceIdentifier":{{"TopicArn":"{topic}"}}"#)),
        "{}",
        import(0)
    );
    assert!(import(1).contains(r#""Domain":"photos""#), "{}", import(1));
    assert!(
        import(1).contains(r#""UserPoolId":"eu-central-1_a""#),
        "{}",
        import(1)
    );
    assert!(
        import(2).contains(r#""ResourceIdentifier":{"TableName":"orders"}"#),
        "{}",
        import(2)
    );
    assert!(
        concerns[2].hints[1].contains(
            "aws cloudformation get-template --region eu-central-1 --stack-name intake-dev"
        )
    );
    // A domain has to have a name.
    assert_eq!(
        concerns[1].hints[0],
        "choose another `Domain` for intake-dev/Pages"
    );
}

/// Names that Cloud Control does not find: each service is asked for its own.
#[tokio::test]
async fn names_that_only_their_services_know_are_asked_for_there() {
    let acl = |name: &str, scope: &str| {
        let properties = json!({"Name": name, "Scope": scope, "DefaultAction": {"Allow": {}}});
        json!({"Type": "AWS::WAFv2::WebACL", "Properties": properties})
    };
    let one = |kind: &str, name: &str| json!({"Type": kind, "Properties": {"Name": name}});
    let stack = named(&json!({
        "Aside": {"Type": "AWS::Scheduler::Schedule", "Properties": {"Name": "nightly", "GroupName": "other"}},
        "Build": one("AWS::CodeBuild::Project", "build"),
        "Edge": acl("edge", "CLOUDFRONT"),
        "Free": one("AWS::SecretsManager::Secret", "free"),
        "FreeBuild": one("AWS::CodeBuild::Project", "free"),
        "Gate": acl("gate", "REGIONAL"),
        "Index": one("AWS::CloudFront::Function", "index"),
        "Leaving": one("AWS::SecretsManager::Secret", "leaving"),
        "Nightly": one("AWS::Scheduler::Schedule", "nightly"),
        "Own": one("AWS::SecretsManager::Secret", "own"),
        "OwnGate": acl("own", "REGIONAL"),
        "Token": one("AWS::SecretsManager::Secret", "token"),
    }));
    let template: Value = serde_json::from_str(&stack.template).expect("it is JSON");
    let secret = |name: &str| {
        format!("arn:aws:secretsmanager:eu-central-1:123456789012:secret:{name}-a1B2c3")
    };
    let own = secret("own");
    let rows = [
        (
            "Own",
            "AWS::SecretsManager::Secret",
            own.as_str(),
            "CREATE_COMPLETE",
        ),
        (
            "OwnGate",
            "AWS::WAFv2::WebACL",
            "own|1|REGIONAL",
            "CREATE_COMPLETE",
        ),
    ];
    // `DescribeSecret` (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DescribeSecret.html>),
    // `BatchGetProjects` (<https://docs.aws.amazon.com/codebuild/latest/APIReference/API_BatchGetProjects.html>) and
    // `ListWebACLs` (<https://docs.aws.amazon.com/waf/latest/APIReference/API_ListWebACLs.html>).
    let missing = json!({"__type": "ResourceNotFoundException", "Message": "Secrets Manager can't find the specified secret."});
    let acls = |names: &[&str]| {
        let acls: Vec<Value> = names
            .iter()
            .map(|name| json!({"Name": name, "Id": "1"}))
            .collect();
        json!({"WebACLs": acls, "NextMarker": "more"})
    };
    let signed = may_do_all()
        .json(
            "DescribeSecret",
            "\"token\"",
            200,
            &json!({"ARN": secret("token"), "Name": "token"}),
        )
        .json(
            "DescribeSecret",
            "\"leaving\"",
            200,
            &json!({"ARN": secret("leaving"), "Name": "leaving", "DeletedDate": 1_785_000_000.0}),
        )
        .json("DescribeSecret", "\"free\"", 400, &missing)
        .json(
            "BatchGetProjects",
            "\"build\"",
            200,
            &json!({"projects": [{"name": "build"}], "projectsNotFound": []}),
        )
        .json(
            "BatchGetProjects",
            "\"free\"",
            200,
            &json!({"projects": [], "projectsNotFound": ["free"]}),
        )
        .json("ListWebACLs", "CLOUDFRONT", 200, &json!({"WebACLs": []}))
        .json(
            "ListWebACLs",
            "\"NextMarker\":\"more\"",
            200,
            &acls(&["gate"]),
        )
        .json("ListWebACLs", "REGIONAL", 200, &acls(&["other"]))
        .json(
            "GetResource",
            "\"AWS::Scheduler::Schedule\"",
            200,
            &found("AWS::Scheduler::Schedule", "nightly"),
        );
    // (<https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DescribeFunction.html>)
    let nobody = "<ErrorResponse xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\"><Error><Type>Sender</Type>\
                  <Code>NoSuchFunctionExists</Code><Message>The specified function does not exist.</Message></Error>\
                  <RequestId>1</RequestId></ErrorResponse>";
    let script = present(&rows, &template).cloudfront(
        "describe_function",
        mock!(CloudFront::describe_function)
            .match_requests(|input| input.name() == Some("index"))
            .then_http_response(move || http(404, nobody)),
    );
    let played = signed.with(script.play_in_any_order());
    let concerns = preflight(&played.context, &[stack]).await;
    signed.finish();
    let taken = |id: &str, name: &str, kind: &str| {
        let text = format!(
            "intake-dev/{id}: `{name}` is the name of another {kind} already, outside of the stack"
        );
        (Weight::Refused, text)
    };
    let of_names = concerns
        .iter()
        .filter(|it| it.check == Check::NameTaken)
        .cloned();
    let of_names: Vec<Concern> = of_names.collect();
    assert_eq!(
        told(&of_names),
        [
            taken("Build", "build", "AWS::CodeBuild::Project"),
            taken("Gate", "gate", "AWS::WAFv2::WebACL"),
            (
                Weight::Refused,
                "intake-dev/Leaving: `leaving` is the name of another AWS::SecretsManager::Secret, which is deleted and keeps it \
                 until it is gone"
                    .to_owned()
            ),
            taken("Nightly", "nightly", "AWS::Scheduler::Schedule"),
            taken("Token", "token", "AWS::SecretsManager::Secret"),
        ]
    );
    let hints = |at: usize| of_names[at].hints.join("\n");
    assert!(
        hints(1).contains(r#""ResourceIdentifier":{"Name":"gate","Id":"1","Scope":"REGIONAL"}"#),
        "{}",
        hints(1)
    );
    assert!(
        hints(2).contains(
            "`aws secretsmanager restore-secret --region eu-central-1 --secret-id leaving --profile work`"
        ),
        "{}",
        hints(2)
    );
    let id = format!(r#""ResourceIdentifier":{{"Id":"{}"}}"#, secret("token"));
    assert!(hints(4).contains(&id), "{}", hints(4));
}

#[tokio::test]
async fn who_may_not_use_cloud_control_is_told_once_and_an_unknown_domain_is_free() {
    let stack = named(&json!({
        "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
        "Orders": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}},
        "Pages": {"Type": "AWS::Cognito::UserPoolDomain", "Properties": {"Domain": "photos", "UserPoolId": "x"}},
    }));
    let signed = may_do_all()
        .json(
            "GetResource",
            "",
            400,
            &json!({"__type": "AccessDeniedException", "Message": "not authorized"}),
        )
        .json(
            "DescribeUserPoolDomain",
            "photos",
            200,
            &json!({"DomainDescription": {}}),
        );
    let played = signed.with(absent().play_in_any_order());
    let concerns = preflight(&played.context, &[stack]).await;
    signed.finish();
    assert_eq!(
        told(&concerns),
        [(
            Weight::Unknown,
            "intake-dev/Dead: nobody could look: AWS denied the call: not authorized (GetResource: AccessDeniedException)".to_owned()
        )]
    );
}

/// A queue whose name is taken.
fn orders() -> StackDeployment {
    named(&json!({"Orders": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "orders"}}}))
}

const ORDERS: &str = "https://sqs.eu-central-1.amazonaws.com/123456789012/orders";

const OUTSIDE: &str = "intake-dev/Orders: `orders` is the name of another AWS::SQS::Queue already, outside of the stack";

#[tokio::test]
async fn what_moves_between_stacks_of_one_deploy_is_a_warning_unless_it_is_kept() {
    let queue = |policy: &str| json!({"Type": "AWS::SQS::Queue", "DeletionPolicy": policy});
    let other = json!({"Topic": {"Type": "AWS::SNS::Topic"}});
    let moves = "intake-dev/Orders: `orders` is the name of another AWS::SQS::Queue already, which leaves shop-dev in this deploy: \
                 whether it is free in time depends on which stack is first";
    for (policy, wanted, expected) in [
        ("Delete", other.clone(), (Weight::Warning, moves)),
        ("Retain", other.clone(), (Weight::Refused, OUTSIDE)),
        (
            "Delete",
            json!({"Old": queue("Delete")}),
            (Weight::Refused, OUTSIDE),
        ),
    ] {
        let mut giver = named(&wanted);
        giver.manifest.name = "shop-dev".to_owned();
        let rows = |stack: &'static str, rows: &[(&str, &str, &str, &str)]| {
            let body = answers::resources(rows);
            mock!(CloudFormation::list_stack_resources)
                .match_requests(move |input| input.stack_name() == Some(stack))
                .then_http_response(move || http(200, &body))
        };
        let row = ("Old", "AWS::SQS::Queue", ORDERS, "CREATE_COMPLETE");
        let mut described = Stack::new("UPDATE_COMPLETE");
        described.name = "shop-dev";
        let script = stacks(Script::new(), 2_000, 12)
            .cloudformation("list_stack_resources", rows("shop-dev", &[row]))
            .cloudformation("list_stack_resources", rows(STACK, &[]))
            .describe("shop-dev", described.xml())
            .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
            .template(&json!({"Resources": {"Old": queue(policy)}}).to_string());
        let signed = may_do_all().json(
            "GetResource",
            ORDERS,
            200,
            &found("AWS::SQS::Queue", ORDERS),
        );
        let played = signed.with(script.play_in_any_order());
        let concerns = preflight(&played.context, &[orders(), giver]).await;
        let (weight, text) = expected;
        assert_eq!(told(&concerns), [(weight, text.to_owned())], "{policy}");
    }
}

/// The stack goes before it is made anew, and what it retains does not.
#[tokio::test]
async fn what_a_failed_first_deploy_kept_is_in_the_way_of_the_next() {
    let kept = "intake-dev/Orders: `orders` is the name of the AWS::SQS::Queue that the first deploy of intake-dev made, which failed: \
                its policy retains it, so that it stays when the stack is made anew";
    for (policy, expected) in [
        ("Retain", vec![(Weight::Refused, kept.to_owned())]),
        ("Delete", vec![]),
    ] {
        let template =
            json!({"Resources": {"Orders": {"Type": "AWS::SQS::Queue", "DeletionPolicy": policy}}});
        let script = stacks(Script::new(), 2_000, 12)
            .resources(&[("Orders", "AWS::SQS::Queue", ORDERS, "DELETE_SKIPPED")])
            .describe(STACK, Stack::new("ROLLBACK_COMPLETE").xml())
            .template(&template.to_string());
        let signed = match policy {
            "Retain" => may_do_all().json(
                "GetResource",
                ORDERS,
                200,
                &found("AWS::SQS::Queue", ORDERS),
            ),
            _ => may_do_all(),
        };
        let played = signed.with(script.play_in_any_order());
        let concerns = preflight(&played.context, &[orders()]).await;
        signed.finish();
        assert_eq!(told(&concerns), expected, "{policy}");
        if let [concern] = concerns.as_slice() {
            assert!(concern.hints[0].starts_with("`stackctl destroy intake-dev` removes"));
        }
    }
}

#[tokio::test]
async fn what_an_operation_makes_just_now_is_a_warning() {
    let own = "intake-dev/Orders: `orders` is the name of another AWS::SQS::Queue already, perhaps of intake-dev itself, on which \
               an operation is under way";
    for (status, expected) in [
        ("CREATE_IN_PROGRESS", (Weight::Warning, own)),
        ("REVIEW_IN_PROGRESS", (Weight::Refused, OUTSIDE)),
        ("CREATE_COMPLETE", (Weight::Refused, OUTSIDE)),
    ] {
        let signed = may_do_all().json(
            "GetResource",
            ORDERS,
            200,
            &found("AWS::SQS::Queue", ORDERS),
        );
        let script = absent().describe(STACK, Stack::new(status).xml());
        let played = signed.with(script.play_in_any_order());
        let concerns = preflight(&played.context, &[orders()]).await;
        let (weight, text) = expected;
        assert_eq!(told(&concerns), [(weight, text.to_owned())], "{status}");
    }
}

/// A resource that is renamed is its stack's own, while it belongs to no stack too.
#[tokio::test]
async fn what_is_renamed_has_its_name_already() {
    let topic = "arn:aws:sns:eu-central-1:123456789012:events";
    let resources = |id: &str| {
        let properties = json!({"TopicName": "events"});
        json!({id: {"Type": "AWS::SNS::Topic", "DeletionPolicy": "Retain", "Properties": properties}})
    };
    let moved = BTreeMap::from([("Old".to_owned(), "Events".to_owned())]);
    let ids = BTreeMap::from([("Old".to_owned(), topic.to_owned())]);
    let old = json!({"Resources": resources("Old")});
    let none = std::collections::BTreeSet::new();
    let course = Course::new(&old, &moved, &ids, &ids, &none);
    let away = course.without().expect("nothing stands against it");
    let other = [("Other", "AWS::SNS::Topic", "another", "CREATE_COMPLETE")];
    let here = [("Old", "AWS::SNS::Topic", topic, "CREATE_COMPLETE")];
    for (rows, deployed) in [(here, &old), (other, &away)] {
        let mut stack = named(&resources("Events"));
        stack.manifest.moved = moved.clone();
        let signed = may_do_all();
        let played = signed.with(present(&rows, deployed).play_in_any_order());
        let concerns = preflight(&played.context, &[stack]).await;
        assert_eq!(told(&concerns), []);
    }
}

/// The local engine takes over what has the name of what it is to create, and its Cloud Control knows only what was made through
/// it.
#[tokio::test]
async fn the_local_engine_is_asked_by_its_services_and_refuses_nothing() {
    let of_engine = async |context: &Context, stack: StackDeployment| {
        engine::preflight_of_engine(context, &[stack], Instant::now() + PATIENCE).await
    };
    // Nobody is asked about names that only Cloud Control knows, or that CloudFormation makes up.
    let unnamed = named(&json!({
        "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
        "Table": {"Type": "AWS::DynamoDB::Table"},
    }));
    let played = Script::new().play();
    assert!(of_engine(&played.context, unnamed).await.is_empty());
    played.finish();

    let stack = named(&json!({
        "Clerk": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "clerk"}},
        "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}},
        "Free": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "free"}},
        "Orders": {"Type": "AWS::DynamoDB::Table", "Properties": {"TableName": "orders"}},
        "Writer": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "writer"}},
    }));
    let missing = "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException";
    // (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html>)
    let role = "<GetRoleResponse><GetRoleResult><Role><RoleName>clerk</RoleName></Role></GetRoleResult></GetRoleResponse>";
    let nobody = "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>The role with name writer cannot be found.</Message></Error></ErrorResponse>";
    let signed = Signed::new()
        .json(
            "DescribeTable",
            "free",
            400,
            &json!({"__type": missing, "message": "Requested resource not found"}),
        )
        .json(
            "DescribeTable",
            "orders",
            200,
            &json!({"Table": {"TableName": "orders"}}),
        )
        .text("GetRole", "RoleName=clerk", 200, role)
        .text("GetRole", "RoleName=writer", 404, nobody);
    let played = signed.with(
        Script::new()
            .resources(&[])
            .describe(STACK, answers::absent(STACK))
            .play_in_any_order(),
    );
    let concerns = of_engine(&played.context, stack).await;
    signed.finish();
    let taken = |id: &str, kind: &str, name: &str| {
        let text = format!(
            "intake-dev/{id}: `{name}` is the name of another {kind} already, outside of the stack: the local engine takes it over, \
             and AWS refuses that"
        );
        (Weight::Warning, text)
    };
    assert_eq!(
        told(&concerns),
        [
            taken("Clerk", "AWS::IAM::Role", "clerk"),
            taken("Orders", "AWS::DynamoDB::Table", "orders"),
        ]
    );
}
