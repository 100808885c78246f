use std::collections::BTreeMap;

use serde_json::json;

use super::super::super::canonical::canonical;
use super::*;

#[test]
fn exposures_are_found() {
    for (resource_type, properties, expected) in [
        (
            "AWS::ApiGateway::Method",
            json!({"HttpMethod": "POST", "AuthorizationType": "NONE"}),
            1,
        ),
        (
            "AWS::ApiGateway::Method",
            json!({"HttpMethod": "POST", "AuthorizationType": "AWS_IAM"}),
            0,
        ),
        (
            "AWS::ApiGateway::Method",
            json!({"HttpMethod": "POST", "ApiKeyRequired": true}),
            0,
        ),
        (
            "AWS::ApiGateway::Method",
            json!({"HttpMethod": "OPTIONS"}),
            0,
        ),
        (
            "AWS::Lambda::Url",
            json!({"AuthType": "NONE", "Cors": {"AllowOrigins": ["*"]}}),
            2,
        ),
        ("AWS::Lambda::Permission", json!({"Principal": "*"}), 1),
        ("AWS::S3::Bucket", json!({}), 0),
        (
            "AWS::S3::Bucket",
            json!({"PublicAccessBlockConfiguration": {"BlockPublicAcls": true}}),
            3,
        ),
        (
            "AWS::S3::Bucket",
            json!({"CorsConfiguration": {"CorsRules": [{"AllowedOrigins": ["*"]}]}}),
            1,
        ),
        // Who calls what is new calls nothing that was closed to him.
        (
            "AWS::S3::Bucket",
            json!({"CorsConfiguration": {"CorsRules": [{"AllowedOrigins": ["https://example.com"]}]}}),
            0,
        ),
        (
            "AWS::ApiGatewayV2::Api",
            json!({"CorsConfiguration": {"AllowOrigins": ["http://*"]}}),
            1,
        ),
        (
            "AWS::ApiGatewayV2::Api",
            json!({"Body": {"paths": {
                "/a": {"get": {}, "options": {}, "post": {"security": [{"tokens": []}]}},
                "/$default": {"x-amazon-apigateway-any-method": {"security": []}},
            }}}),
            2,
        ),
        (
            "AWS::ApiGatewayV2::Api",
            json!({"Body": {"security": [{"tokens": []}], "paths": {"/a": {"get": {}, "post": {"security": []}}}}}),
            1,
        ),
        (
            "AWS::ApiGateway::RestApi",
            json!({"Body": {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": "s3://a/b"}}}}),
            1,
        ),
        // The type of an authorization counts before what is named.
        (
            "AWS::ApiGateway::RestApi",
            json!({"Body": {
                "securityDefinitions": {
                    "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
                    "tokens": {"type": "apiKey", "in": "header", "name": "Authorization", "x-amazon-apigateway-authtype": "custom"},
                },
                "paths": {"/a": {
                    "get": {"x-amazon-apigateway-auth": {"type": "aws_iam"}},
                    "post": {"x-amazon-apigateway-auth": {"type": "none"}, "security": [{"tokens": []}]},
                    "put": {"x-amazon-apigateway-auth": {"type": "NONE"}, "security": [{"key": []}]},
                }},
            }}),
            1,
        ),
        // It says nothing to an HTTP API.
        (
            "AWS::ApiGatewayV2::Api",
            json!({"Body": {"paths": {"/a": {"get": {"x-amazon-apigateway-auth": {"type": "AWS_IAM"}}}}}}),
            1,
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({"SecurityGroupIngress": [{"IpProtocol": "tcp", "CidrIp": "10.0.0.0/16", "FromPort": 5432, "ToPort": 5432}]}),
            0,
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({"SecurityGroupIngress": [{"IpProtocol": "tcp", "CidrIp": "192.0.2.0/24", "FromPort": 22, "ToPort": 22}]}),
            1,
        ),
        (
            "AWS::S3::BucketPolicy",
            json!({"PolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"]}]}}),
            1,
        ),
        (
            "AWS::S3::BucketPolicy",
            json!({"PolicyDocument": {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": ["*"]}]}}),
            0,
        ),
    ] {
        let new = json!({ "Properties": properties });
        let found = exposures(resource_type, None, &new);
        assert_eq!(
            found.len(),
            expected,
            "{resource_type} {properties}: {found:?}"
        );
        assert!(exposures(resource_type, Some(&new), &new).is_empty());
    }
}

/// Returns what a change of the properties of a resource opens.
fn opened(resource_type: &str, old: &Value, new: &Value) -> Vec<String> {
    let resource = |properties: &Value| {
        canonical(
            &json!({"Type": resource_type, "Properties": properties}),
            &BTreeMap::new(),
        )
    };
    exposures(resource_type, Some(&resource(old)), &resource(new))
}

#[test]
fn guards_that_a_change_takes_away_are_exposures() {
    let route = |kind: &str, key: bool, scopes: Value| json!({"HttpMethod": "GET", "AuthorizationType": kind, "ApiKeyRequired": key, "AuthorizationScopes": scopes});
    let call = |name: &str, value: &str| {
        let mut permission = json!({"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "SourceAccount": "123456789012"});
        permission[name] = json!(value);
        permission
    };
    let block = json!({"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true});
    let off = [
        "BlockPublicAcls is off",
        "BlockPublicPolicy is off",
        "IgnorePublicAcls is off",
        "RestrictPublicBuckets is off",
    ];
    let policy = |condition: Value| json!({"PolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": "q", "Condition": condition}]}});
    let no_condition = json!({"PolicyDocument": {"Statement": {"Effect": "Allow", "Principal": {"Service": ["sns.amazonaws.com"]}, "Action": ["sqs:SendMessage"], "Resource": "q"}}});
    let source = "Service sns.amazonaws.com may act for anybody: no condition names the source";
    let body = |get: Value, more: Value| json!({"Body": {"paths": {"/$default": {"x-amazon-apigateway-any-method": {"x-amazon-apigateway-integration": {"uri": "a"}}}, "/admin": {"get": get, "post": more}}}});
    let answered = |by: &str| json!({"x-amazon-apigateway-integration": {"uri": by}});
    let asking = json!({"security": [{"tokens": []}]});
    let ingress = |addresses: &str, protocol: &str, from: i64, to: i64| json!({"CidrIp": addresses, "IpProtocol": protocol, "FromPort": from, "ToPort": to});
    let rows: Vec<(&str, Value, Value, Vec<&str>)> = vec![
        (
            "AWS::Cognito::IdentityPool",
            json!({"AllowUnauthenticatedIdentities": false}),
            json!({"AllowUnauthenticatedIdentities": true}),
            vec!["anybody gets credentials without signing in"],
        ),
        (
            "AWS::Cognito::UserPool",
            json!({"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": true}}),
            json!({}),
            vec!["anybody may sign up"],
        ),
        (
            "AWS::Cognito::UserPool",
            json!({"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": true}, "MfaConfiguration": "ON"}),
            json!({"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": "true"}, "MfaConfiguration": "OPTIONAL"}),
            vec!["who signs in no longer needs a second factor"],
        ),
        (
            "AWS::Lambda::Permission",
            call("SourceArn", "arn:b"),
            call("Action", "lambda:InvokeFunction"),
            vec!["the permission no longer asks for its SourceArn"],
        ),
        (
            "AWS::Lambda::Permission",
            call("SourceAccount", "123456789012"),
            json!({"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com"}),
            vec![
                "s3.amazonaws.com may call the function for anybody: the permission names no source",
                "the permission no longer asks for its SourceAccount",
            ],
        ),
        (
            "AWS::Lambda::Permission",
            call("PrincipalOrgID", "o-1"),
            call("Action", "lambda:InvokeFunction"),
            vec!["the permission no longer asks for its PrincipalOrgID"],
        ),
        (
            "AWS::Lambda::Permission",
            call("FunctionUrlAuthType", "AWS_IAM"),
            call("FunctionUrlAuthType", "NONE"),
            vec!["the permission no longer asks for a signature"],
        ),
        (
            "AWS::S3::Bucket",
            json!({"PublicAccessBlockConfiguration": block}),
            json!({}),
            off.to_vec(),
        ),
        (
            "AWS::S3::Bucket",
            json!({"PublicAccessBlockConfiguration": block}),
            json!({"PublicAccessBlockConfiguration": {"BlockPublicAcls": true, "IgnorePublicAcls": true}}),
            vec![off[1], off[3]],
        ),
        (
            "AWS::ApiGateway::Method",
            route("AWS_IAM", false, json!([])),
            route("NONE", false, json!([])),
            vec!["the method GET takes calls without authorization"],
        ),
        (
            "AWS::ApiGateway::Method",
            route("AWS_IAM", true, json!([])),
            route("NONE", true, json!([])),
            vec!["the method GET takes calls without authorization"],
        ),
        (
            "AWS::ApiGateway::Method",
            route("AWS_IAM", true, json!([])),
            route("AWS_IAM", false, json!([])),
            vec!["the route no longer asks for a key"],
        ),
        (
            "AWS::ApiGateway::Method",
            route("NONE", true, json!([])),
            route("NONE", false, json!([])),
            vec![
                "the method GET takes calls without authorization",
                "the route no longer asks for a key",
            ],
        ),
        (
            "AWS::ApiGatewayV2::Route",
            route("JWT", false, json!(["orders"])),
            route("JWT", false, json!([])),
            vec!["the route takes tokens without a scope"],
        ),
        (
            "AWS::ApiGateway::RestApi",
            json!({"DisableExecuteApiEndpoint": true}),
            json!({}),
            vec!["the API answers at its own address, beside its domain"],
        ),
        (
            "AWS::ApiGateway::RestApi",
            json!({"EndpointConfiguration": {"Types": ["PRIVATE"]}}),
            json!({"EndpointConfiguration": {"Types": ["REGIONAL"]}}),
            vec!["the API is no longer private"],
        ),
        (
            "AWS::WAFv2::WebACL",
            json!({"DefaultAction": {"Block": {}}}),
            json!({"DefaultAction": {"Allow": {}}}),
            vec!["requests that no rule names are let through"],
        ),
        (
            "AWS::SQS::QueuePolicy",
            policy(json!({"ArnEquals": {"AWS:SourceArn": "t"}})),
            no_condition.clone(),
            vec![source],
        ),
        (
            "AWS::SQS::QueuePolicy",
            policy(json!({"StringEquals": {"aws:SourceAccount": "1"}})),
            policy(json!({"Bool": {"aws:SecureTransport": "true"}})),
            vec![source],
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({}),
            json!({"SecurityGroupIngress": [{"CidrIp": "0.0.0.0/0", "FromPort": 22}]}),
            vec!["any address reaches port 22"],
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({"SecurityGroupIngress": [ingress("0.0.0.0/0", "tcp", 443, 443)]}),
            json!({"SecurityGroupIngress": [ingress("0.0.0.0/0", "tcp", 443, 65535)]}),
            vec!["any address reaches ports 443 to 65535 (tcp)"],
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({"SecurityGroupIngress": [ingress("0.0.0.0/0", "tcp", 53, 53)]}),
            json!({"SecurityGroupIngress": [ingress("0.0.0.0/0", "-1", 53, 53)]}),
            vec!["any address reaches it (all protocols)"],
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({"SecurityGroupIngress": [ingress("10.0.0.0/8", "tcp", 22, 22)]}),
            json!({"SecurityGroupIngress": [ingress("10.0.0.0/8", "tcp", 22, 22), ingress("52.0.0.0/8", "tcp", 22, 22)]}),
            vec!["52.0.0.0/8 reaches port 22 (tcp)"],
        ),
        (
            "AWS::EC2::SecurityGroupIngress",
            json!({"IpProtocol": "tcp", "CidrIp": "52.1.2.0/24", "FromPort": 22, "ToPort": 22}),
            json!({"IpProtocol": "tcp", "CidrIp": "0.0.0.0/1", "FromPort": 22, "ToPort": 22}),
            vec!["0.0.0.0/1 reaches port 22 (tcp)"],
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({"SecurityGroupIngress": [ingress("0.0.0.0/0", "icmp", 8, 0)]}),
            json!({"SecurityGroupIngress": [ingress("0.0.0.0/0", "icmp", -1, -1)]}),
            vec!["any address reaches it (icmp)"],
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({"SecurityGroupIngress": [ingress("0.0.0.0/0", "1", 8, 0)]}),
            json!({"SecurityGroupIngress": [ingress("0.0.0.0/0", "icmp", 8, -1)]}),
            vec!["any address reaches it by messages of type 8 (icmp)"],
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({"SecurityGroupIngress": [ingress("0.0.0.0/0", "icmpv6", 128, 0)]}),
            json!({"SecurityGroupIngress": [ingress("0.0.0.0/0", "icmpv6", 128, 0), ingress("0.0.0.0/0", "icmp", 3, 4)]}),
            vec!["any address reaches it by messages of type 3, code 4 (icmp)"],
        ),
        (
            "AWS::EC2::SecurityGroup",
            json!({"SecurityGroupIngress": [ingress("0.0.0.0/0", "tcp", 1, 2)]}),
            json!({"SecurityGroupIngress": [ingress("0.0.0.0/0", "tcp", 1, 2), ingress("0.0.0.0/0", "50", 1, 2)]}),
            vec!["any address reaches it (50)"],
        ),
        // The closest route takes a call, and that one asked.
        (
            "AWS::ApiGatewayV2::Api",
            body(asking.clone(), asking.clone()),
            body(json!({}), asking.clone()),
            vec!["the route GET /admin takes calls without authorization"],
        ),
        (
            "AWS::ApiGatewayV2::Api",
            json!({"Body": {"paths": {"/{proxy+}": {"get": {}}, "/admin/{proxy+}": {"get": asking}}}}),
            json!({"Body": {"paths": {"/{proxy+}": {"get": {}}, "/admin/a": {"get": {}}}}}),
            vec![
                "the route GET /admin/a takes calls without authorization",
                "the route GET /admin/{proxy+} no longer asks who calls: the route GET /{proxy+} takes its calls without authorization",
            ],
        ),
        // What asked is gone, and a wider one takes its calls: the closest, where it is not another that asks.
        (
            "AWS::ApiGateway::RestApi",
            json!({"Body": {"paths": {"/{proxy+}": {"get": {}}, "/admin/{proxy+}": {"get": asking}}}}),
            json!({"Body": {"paths": {"/{proxy+}": {"get": {}}}}}),
            vec![
                "the route GET /admin/{proxy+} no longer asks who calls: the route GET /{proxy+} takes its calls without authorization",
            ],
        ),
        (
            "AWS::ApiGatewayV2::Api",
            json!({"Body": {"paths": {
                "/$default": {"x-amazon-apigateway-any-method": asking},
                "/{proxy+}": {"get": {}},
                "/admin/{proxy+}": {"x-amazon-apigateway-any-method": asking},
            }}}),
            json!({"Body": {"paths": {"/$default": {"x-amazon-apigateway-any-method": asking}, "/{proxy+}": {"get": {}}}}}),
            vec![
                "the route GET /admin/{proxy+} no longer asks who calls: the route GET /{proxy+} takes its calls without authorization",
            ],
        ),
        (
            "AWS::ApiGatewayV2::Api",
            json!({"Body": {"paths": {
                "/$default": {"x-amazon-apigateway-any-method": {}},
                "/admin": {"x-amazon-apigateway-any-method": asking},
            }}}),
            json!({"Body": {"paths": {"/$default": {"x-amazon-apigateway-any-method": {}}}}}),
            vec![
                "the route ANY /admin no longer asks who calls: the route $default takes its calls without authorization",
            ],
        ),
        (
            "AWS::ApiGatewayV2::Api",
            json!({"Body": {"paths": {
                "/{proxy+}": {"get": {}},
                "/admin/{proxy+}": {"x-amazon-apigateway-any-method": asking},
                "/admin/a": {"get": asking},
            }}}),
            json!({"Body": {"paths": {"/{proxy+}": {"get": {}}, "/admin/{proxy+}": {"x-amazon-apigateway-any-method": asking}}}}),
            vec![],
        ),
        // What answers was not reached by the wider one.
        (
            "AWS::ApiGatewayV2::Api",
            body(answered("a"), asking.clone()),
            body(answered("a"), answered("b")),
            vec!["the route POST /admin takes calls without authorization"],
        ),
        (
            "AWS::RDS::DBInstance",
            json!({}),
            json!({"PubliclyAccessible": true}),
            vec!["it has a public address"],
        ),
    ];
    for (resource_type, old, new, expected) in rows {
        assert_eq!(
            opened(resource_type, &old, &new),
            expected,
            "{resource_type} {old} to {new}"
        );
        // The other way nothing opens.
        assert_eq!(
            opened(resource_type, &new, &old),
            Vec::<String>::new(),
            "{resource_type} {new} to {old}"
        );
    }
    // The members of another group were not reached by it.
    let rule = |group: &str| json!({"GroupId": group, "IpProtocol": "tcp", "CidrIp": "10.0.0.0/8", "FromPort": 22});
    assert_eq!(
        opened("AWS::EC2::SecurityGroupIngress", &rule("a"), &rule("b")),
        ["10.0.0.0/8 reaches port 22 (tcp)"]
    );
    let one = json!({"Body": {"paths": {"/{proxy+}": {"get": answered("a")}}}});
    let two = json!({"Body": {"paths": {"/{proxy+}": {"get": answered("a")}, "/b": {"get": answered("a")}}}});
    let other = json!({"Body": {"paths": {"/{proxy+}": {"get": answered("a")}, "/b": {"get": answered("b")}}}});
    assert_eq!(
        opened("AWS::ApiGatewayV2::Api", &one, &two),
        Vec::<String>::new()
    );
    assert_eq!(
        opened("AWS::ApiGatewayV2::Api", &one, &other),
        ["the route GET /b takes calls without authorization"]
    );
    assert_eq!(
        opened("AWS::SQS::QueuePolicy", &no_condition, &no_condition),
        Vec::<String>::new()
    );
}

#[test]
fn what_kept_somebody_out_is_missed() {
    let policy = |effect: &str| json!({"Properties": {"PolicyDocument": {"Statement": [{"Effect": effect}]}}});
    assert!(lost("AWS::S3::BucketPolicy", &policy("Deny")).is_some());
    assert!(lost("AWS::S3::BucketPolicy", &policy("Allow")).is_none());
    assert!(lost("AWS::WAFv2::WebACLAssociation", &json!({})).is_some());
}
