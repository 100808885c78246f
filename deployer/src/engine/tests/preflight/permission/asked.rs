//! What IAM is asked: each action at its ARN.

use super::*;

/// Returns what was asked, each action with its ARN, of which the region and the account are left out.
fn asked(signed: &Signed) -> Vec<String> {
    let plain = |text: &str| {
        let text = text.replace("%3A", ":").replace("%2F", "/");
        let text = text.replace("%2A", "*").replace("%7C", "|");
        text.replace(":eu-central-1:123456789012:", ":..:")
    };
    let values = |body: &str, list: &str| -> Vec<String> {
        let parts = body.split('&').filter_map(|part| part.split_once('='));
        let of_list = parts.filter(|(key, _)| key.starts_with(list));
        of_list.map(|(_, value)| plain(value)).collect()
    };
    let mut pairs: Vec<String> = Vec::new();
    for body in signed.asked("SimulatePrincipalPolicy") {
        let arns = values(&body, "ResourceArns");
        for action in values(&body, "ActionNames") {
            pairs.extend(arns.iter().map(|arn| format!("{action} {arn}")));
        }
    }
    pairs.sort();
    pairs
}

/// Asks for what a deploy of these resources needs where those are there, each with its physical id.
async fn asked_of_change(before: &Value, after: &Value, ids: &[(&str, &str)]) -> Vec<String> {
    let rows: Vec<(&str, &str, &str, &str)> = ids
        .iter()
        .map(|(logical_id, physical_id)| {
            let kind = before[logical_id]["Type"].as_str().expect("it has a type");
            (*logical_id, kind, *physical_id, "CREATE_COMPLETE")
        })
        .collect();
    let signed = may_do_all();
    let script = present(&rows, &json!({"Resources": before}));
    let played = signed.with(script.play_in_any_order());
    assert_eq!(preflight(&played.context, &[named(after)]).await, []);
    asked(&signed)
}

/// A function reads one more table: its role gets another policy, which whoever deploys may not be allowed to give.
#[tokio::test]
async fn a_role_takes_what_changes_its_policies() {
    let policy = |name: &str, action: &str| {
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
        json!({"PolicyName": name, "PolicyDocument": {"Statement": [statement]}})
    };
    let role = |policies: &[Value], managed: &[&str], more: &Value| {
        let mut properties = json!({
            "Path": "/shop/",
            "Policies": policies,
            "ManagedPolicyArns": managed,
            "AssumeRolePolicyDocument": {"Statement": []},
        });
        let properties = properties.as_object_mut().expect("it is an object");
        properties.extend(more.as_object().cloned().unwrap_or_default());
        json!({"WorkRole": {"Type": "AWS::IAM::Role", "Properties": properties}})
    };
    let read = policy("Work", "dynamodb:GetItem");
    let deployed = role(std::slice::from_ref(&read), &["a"], &json!({}));
    let arn = "arn:aws:iam::123456789012:role/shop/work";
    let trust = json!({"AssumeRolePolicyDocument": {"Statement": [{"Effect": "Deny"}]}});
    let described = json!({"Description": "works"});
    for (after, expected) in [
        (
            role(&[policy("Work", "dynamodb:PutItem")], &["a"], &json!({})),
            vec!["PutRolePolicy"],
        ),
        (
            role(
                &[read.clone(), policy("More", "s3:GetObject")],
                &["a"],
                &json!({}),
            ),
            vec!["PutRolePolicy"],
        ),
        (role(&[], &["a"], &json!({})), vec!["DeleteRolePolicy"]),
        (
            role(std::slice::from_ref(&read), &["b"], &json!({})),
            vec!["AttachRolePolicy", "DetachRolePolicy"],
        ),
        (
            role(std::slice::from_ref(&read), &["a"], &trust),
            vec!["UpdateAssumeRolePolicy"],
        ),
        (
            role(std::slice::from_ref(&read), &["a"], &described),
            vec!["UpdateRole"],
        ),
        (
            json!({}),
            vec!["DeleteRole", "DeleteRolePolicy", "DetachRolePolicy"],
        ),
        (deployed.clone(), vec![]),
    ] {
        let expected: Vec<String> = expected
            .iter()
            .map(|it| format!("iam:{it} {arn}"))
            .collect();
        let found = asked_of_change(&deployed, &after, &[("WorkRole", "work")]).await;
        assert_eq!(found, expected, "{after}");
    }
}

#[tokio::test]
async fn what_differs_of_a_function_and_a_bucket_says_what_they_take() {
    let function = |more: &Value| {
        let mut properties = json!({"Code": {"S3Key": "a"}, "MemorySize": 128});
        let properties = properties.as_object_mut().expect("it is an object");
        properties.extend(more.as_object().cloned().unwrap_or_default());
        json!({"Work": {"Type": "AWS::Lambda::Function", "Properties": properties}})
    };
    let deployed = function(&json!({"ReservedConcurrentExecutions": 1}));
    let arn = "arn:aws:lambda:..:function:work";
    for (more, expected) in [
        (
            json!({"ReservedConcurrentExecutions": 1, "Code": {"S3Key": "b"}}),
            vec!["UpdateFunctionCode"],
        ),
        (
            json!({"ReservedConcurrentExecutions": 1, "MemorySize": 256}),
            vec!["UpdateFunctionConfiguration"],
        ),
        (
            json!({"ReservedConcurrentExecutions": 2, "Code": {"S3Key": "b"}, "Timeout": 3}),
            vec![
                "PutFunctionConcurrency",
                "UpdateFunctionCode",
                "UpdateFunctionConfiguration",
            ],
        ),
        (json!({}), vec!["DeleteFunctionConcurrency"]),
    ] {
        let expected: Vec<String> = expected
            .iter()
            .map(|it| format!("lambda:{it} {arn}"))
            .collect();
        let found = asked_of_change(&deployed, &function(&more), &[("Work", "work")]).await;
        assert_eq!(found, expected, "{more}");
    }
    let bucket = |properties: Value| json!({"Photos": {"Type": "AWS::S3::Bucket", "Properties": properties}});
    let found = asked_of_change(
        &bucket(json!({"CorsConfiguration": {"CorsRules": []}})),
        &bucket(json!({"LifecycleConfiguration": {"Rules": []}})),
        &[("Photos", "photos")],
    )
    .await;
    assert_eq!(
        found,
        [
            "s3:PutBucketCORS arn:aws:s3:::photos",
            "s3:PutLifecycleConfiguration arn:aws:s3:::photos",
        ]
    );
    // Under its new name a resource is the one that it was.
    let deployed = bucket(json!({"Tags": []}));
    let mut renamed = named(&json!({"Pictures": deployed["Photos"]}));
    renamed.manifest.moved = [("Photos".to_owned(), "Pictures".to_owned())].into();
    let rows = [("Photos", "AWS::S3::Bucket", "photos", "CREATE_COMPLETE")];
    let signed = may_do_all();
    let script = present(&rows, &json!({"Resources": deployed}));
    let played = signed.with(script.play_in_any_order());
    assert_eq!(preflight(&played.context, &[renamed.clone()]).await, []);
    assert_eq!(asked(&signed), [""; 0]);
    // So is what goes along with it.
    let along = json!({"Photos": {"to": "Pictures", "with": "Album"}});
    renamed.manifest.moved.clear();
    renamed.manifest.along = serde_json::from_value(along).expect("reads");
    let signed = may_do_all();
    let script = present(&rows, &json!({"Resources": deployed}));
    let played = signed.with(script.play_in_any_order());
    assert_eq!(preflight(&played.context, &[renamed]).await, []);
    assert_eq!(asked(&signed), [""; 0]);
}

/// A property that nobody can change later makes a new resource and removes the old one.
#[tokio::test]
async fn what_is_replaced_is_made_and_removed() {
    let permission = |principal: &str| {
        let properties = json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Fn::GetAtt": ["Work", "Arn"]},
            "Principal": principal,
        });
        json!({
            "Allowed": {"Type": "AWS::Lambda::Permission", "Properties": properties},
            "Work": {"Type": "AWS::Lambda::Function", "Properties": {}},
        })
    };
    let found = asked_of_change(
        &permission("s3.amazonaws.com"),
        &permission("sns.amazonaws.com"),
        &[("Allowed", "intake-dev-Allowed-1"), ("Work", "work")],
    )
    .await;
    assert_eq!(
        found,
        [
            "lambda:AddPermission arn:aws:lambda:..:function:work",
            "lambda:RemovePermission arn:aws:lambda:..:function:work",
        ]
    );
}

/// What belongs to another resource is asked about in the place of that, which may be new itself.
#[tokio::test]
async fn what_belongs_to_another_resource_is_asked_about_there() {
    let of = |kind: &str, properties: Value| json!({"Type": kind, "Properties": properties});
    let reference = |id: &str| json!({"Ref": id});
    let resources = json!({
        "Acl": of("AWS::WAFv2::WebACL", json!({"Name": "gate", "Scope": "REGIONAL"})),
        "AclOfLive": of("AWS::WAFv2::WebACLAssociation", json!({
            "WebACLArn": {"Fn::GetAtt": ["Acl", "Arn"]}, "ResourceArn": "arn:aws:apigateway:eu-central-1::/restapis/a/stages/b",
        })),
        "Api": of("AWS::ApiGateway::RestApi", json!({"EndpointConfiguration": {"Types": [reference("Endpoint")]}})),
        "Get": of("AWS::ApiGateway::Method", json!({
            "RestApiId": reference("Api"), "HttpMethod": "GET", "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
        })),
        "Live": of("AWS::Lambda::Alias", json!({"FunctionName": reference("Work"), "Name": "live"})),
        "LivePermission": of("AWS::Lambda::Permission", json!({"FunctionName": reference("Live")})),
        "Orders": of("AWS::SQS::Queue", json!({})),
        "OrdersPolicy": of("AWS::SQS::QueuePolicy", json!({"Queues": [reference("Orders"), reference("Old")]})),
        "Old": of("AWS::SQS::Queue", json!({})),
        "Policy": of("AWS::IAM::Policy", json!({"PolicyName": "p", "Roles": [reference("Role")]})),
        "Role": of("AWS::IAM::Role", json!({"RoleName": "work", "Path": "/shop/"})),
        "Seen": of("Custom::Seen", json!({"ServiceToken": {"Fn::GetAtt": ["Work", "Arn"]}})),
        "Work": of("AWS::Lambda::Function", json!({"FunctionName": "work"})),
    });
    let old = (
        "Old",
        "AWS::SQS::Queue",
        "https://sqs.eu-central-1.amazonaws.com/123456789012/old",
        "CREATE_COMPLETE",
    );
    let deployed = json!({"Resources": {"Old": of("AWS::SQS::Queue", json!({}))}});
    let missing = json!({"__type": "ResourceNotFoundException", "Message": "no"});
    let signed = may_do_all()
        .json("GetResource", "", 400, &missing)
        .json("ListWebACLs", "", 200, &json!({"WebACLs": []}))
        .text("GetAccountSummary", "", 200, "<GetAccountSummaryResponse/>");
    let script = present(&[old], &deployed).lambda(
        "get_function",
        mock!(Lambda::get_function).then_http_response(|| {
            let mut answer = http(404, "{}");
            answer
                .headers_mut()
                .insert("x-amzn-errortype", "ResourceNotFoundException");
            answer
        }),
    );
    let played = signed.with(script.play_in_any_order());
    assert_eq!(preflight(&played.context, &[named(&resources)]).await, []);
    let found: Vec<String> = asked(&signed)
        .into_iter()
        .map(|pair| pair.replace(":eu-central-1::", ":..::"))
        .collect();
    assert_eq!(
        found,
        [
            "apigateway:POST arn:aws:apigateway:..::/restapis",
            "apigateway:PUT arn:aws:apigateway:..::/restapis/0123456789AB/resources/0123456789AB/methods/GET",
            "iam:CreateRole arn:aws:iam::123456789012:role/shop/work",
            "iam:PutRolePolicy arn:aws:iam::123456789012:role/shop/work",
            "lambda:AddPermission arn:aws:lambda:..:function:work",
            "lambda:CreateAlias arn:aws:lambda:..:function:work",
            "lambda:CreateFunction arn:aws:lambda:..:function:work",
            "lambda:InvokeFunction arn:aws:lambda:..:function:work",
            "sqs:CreateQueue arn:aws:sqs:..:intake-dev-Orders-0123456789AB",
            "sqs:SetQueueAttributes arn:aws:sqs:..:intake-dev-Orders-0123456789AB",
            "sqs:SetQueueAttributes arn:aws:sqs:..:old",
            "wafv2:AssociateWebACL arn:aws:wafv2:..:regional/webacl/gate/0123456789AB",
            "wafv2:CreateWebACL arn:aws:wafv2:..:regional/webacl/gate/0123456789AB",
        ]
    );
}

/// A template may be wrong in any way, and what refers to itself is nowhere.
#[tokio::test]
async fn a_circle_is_nowhere() {
    let alias = |of: &str| json!({"Type": "AWS::Lambda::Alias", "Properties": {"FunctionName": {"Ref": of}}});
    let stack = named(&json!({"One": alias("Other"), "Other": alias("One")}));
    let signed = Signed::new();
    let played = signed.with(absent().play_in_any_order());
    assert_eq!(
        told(&preflight(&played.context, &[stack]).await),
        [unasked("AWS::Lambda::Alias")]
    );
    signed.finish();
}
