//! A template of what none of the shipped systems has.

use serde_json::{Value, json};

pub(super) fn template() -> Value {
    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}});
    let own = json!({"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"});
    let writing = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "es.amazonaws.com"}, "Action": "logs:PutLogEvents", "Resource": "arn:aws:logs:eu-west-1:123456789012:log-group:es:*"}]});
    let rule = json!({"Name": "Rate", "Priority": 1, "Action": {"Block": {}}, "Statement": {"RateBasedStatement": {"AggregateKeyType": "IP", "Limit": 1000}}, "VisibilityConfig": {}});
    json!({"Parameters": {}, "Resources": {
        "Acl": {"Type": "AWS::WAFv2::WebACL", "Properties": {"Scope": "REGIONAL", "DefaultAction": {"Block": {}}, "Rules": [rule]}},
        "AclOfApi": {"Type": "AWS::WAFv2::WebACLAssociation", "Properties": {"ResourceArn": "arn:aws:apigateway:eu-west-1::/restapis/a/stages/prod", "WebACLArn": "arn:aws:wafv2:eu-west-1:123456789012:regional/webacl/a/b"}},
        "Archive": {"Type": "AWS::Events::Archive", "DeletionPolicy": "Retain", "Properties": {"ArchiveName": "all", "SourceArn": "arn:aws:events:eu-west-1:123456789012:event-bus/default"}},
        "Archives": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": {"BucketName": "archives"}},
        "Bare": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "bare", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}},
        "Connect": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": {"Ref": "Live"}, "RouteKey": "$connect", "AuthorizationType": "AWS_IAM"}},
        "Database": {"Type": "AWS::RDS::DBInstance", "DeletionPolicy": "Snapshot", "UpdateReplacePolicy": "Snapshot", "Properties": {"DBInstanceIdentifier": "orders", "DBInstanceClass": "db.t3.micro", "Engine": "postgres"}},
        "Group": {"Type": "AWS::EC2::SecurityGroup", "Properties": {"GroupDescription": "of the database"}},
        "Key": {"Type": "AWS::KMS::Key", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": {"KeyPolicy": {"Statement": [own, deny]}}},
        "Live": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "live", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}},
        "Logs": {"Type": "AWS::Logs::ResourcePolicy", "Properties": {"PolicyName": "search", "PolicyDocument": writing.to_string()}},
        "Move": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": {"Ref": "Live"}, "RouteKey": "move"}},
        "Orders": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "orders", "ProtocolType": "HTTP"}},
        "Password": {"Type": "AWS::SecretsManager::Secret", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": {"Name": "password"}},
        "PasswordPolicy": {"Type": "AWS::SecretsManager::ResourcePolicy", "Properties": {"SecretId": {"Ref": "Password"}, "ResourcePolicy": {"Statement": [deny]}}},
        "Read": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"ApiId": "a", "RouteKey": "GET /orders", "AuthorizationType": "JWT", "AuthorizerId": "b"}},
        "Stream": {"Type": "AWS::Kinesis::Stream", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": {"Name": "orders", "ShardCount": 1}},
    }})
}
