//! Web access control lists.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, MappingTemplate, MethodProps, RestApiProps, StageProps,
};
use stack_model::cognito::UserPoolProps;
use stack_model::wafv2::{ManagedGroup, Otherwise, RateLimit, RateWindow, Rule, WebAclProps};

use crate::support::{dev, resources, violations};

#[test]
fn rules_are_asked_in_their_order() {
    let resources = resources(dev(), |stack| {
        let mut limit = RateLimit::per_address(100);
        limit.window = RateWindow::OneMinute;
        let mut counted = Rule::countries("Far", ["AQ"]);
        counted.count_only = true;
        let firewall = stack.web_acl(
            "Firewall",
            WebAclProps {
                name: Some("orders".to_owned()),
                description: Some("Keeps orders safe".to_owned()),
                otherwise: Otherwise::Block,
                rules: vec![
                    Rule::managed_but(ManagedGroup::Common, ["SizeRestrictions_BODY"]),
                    Rule::rate_limit("PerAddress", limit),
                    counted,
                ],
            },
        );
        let pool = stack.user_pool("Users", UserPoolProps::default());
        stack.protect("FirewallOfUsers", &firewall, &pool);
    });
    assert_json_snapshot!(resources["Firewall"], @r#"
    {
      "Properties": {
        "DefaultAction": {
          "Block": {}
        },
        "Description": "Keeps orders safe",
        "Name": "orders",
        "Rules": [
          {
            "Name": "CommonRuleSet",
            "OverrideAction": {
              "None": {}
            },
            "Priority": 0,
            "Statement": {
              "ManagedRuleGroupStatement": {
                "Name": "AWSManagedRulesCommonRuleSet",
                "RuleActionOverrides": [
                  {
                    "ActionToUse": {
                      "Count": {}
                    },
                    "Name": "SizeRestrictions_BODY"
                  }
                ],
                "VendorName": "AWS"
              }
            },
            "VisibilityConfig": {
              "CloudWatchMetricsEnabled": true,
              "MetricName": "CommonRuleSet",
              "SampledRequestsEnabled": true
            }
          },
          {
            "Action": {
              "Block": {}
            },
            "Name": "PerAddress",
            "Priority": 1,
            "Statement": {
              "RateBasedStatement": {
                "AggregateKeyType": "IP",
                "EvaluationWindowSec": 60,
                "Limit": 100
              }
            },
            "VisibilityConfig": {
              "CloudWatchMetricsEnabled": true,
              "MetricName": "PerAddress",
              "SampledRequestsEnabled": true
            }
          },
          {
            "Action": {
              "Count": {}
            },
            "Name": "Far",
            "Priority": 2,
            "Statement": {
              "GeoMatchStatement": {
                "CountryCodes": [
                  "AQ"
                ]
              }
            },
            "VisibilityConfig": {
              "CloudWatchMetricsEnabled": true,
              "MetricName": "Far",
              "SampledRequestsEnabled": true
            }
          }
        ],
        "Scope": "REGIONAL",
        "VisibilityConfig": {
          "CloudWatchMetricsEnabled": true,
          "MetricName": "Firewall",
          "SampledRequestsEnabled": true
        }
      },
      "Type": "AWS::WAFv2::WebACL"
    }
    "#);
    assert_eq!(
        resources["FirewallOfUsers"]["Properties"],
        json!({
            "ResourceArn": {"Fn::GetAtt": ["Users", "Arn"]},
            "WebACLArn": {"Fn::GetAtt": ["Firewall", "Arn"]},
        })
    );
}

#[test]
fn a_list_for_cloudfront_stands_in_its_region() {
    let resources = resources(dev(), |stack| {
        stack.in_region("us-east-1");
        stack.edge_web_acl("Firewall", WebAclProps::recommended());
    });
    let properties = &resources["Firewall"]["Properties"];
    assert_eq!(properties["Scope"], "CLOUDFRONT");
    let rules = properties["Rules"].as_array().unwrap();
    let names: Vec<&str> = rules
        .iter()
        .map(|rule| rule["Name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "AmazonIpReputationList",
            "KnownBadInputsRuleSet",
            "CommonRuleSet"
        ]
    );
    assert_eq!(rules[0]["OverrideAction"], json!({"None": {}}));
}

#[test]
fn what_waf_refuses_is_reported() {
    let found = violations(dev(), |stack| {
        let props = WebAclProps {
            name: Some("a b".to_owned()),
            rules: vec![
                Rule::rate_limit("Limit", RateLimit::per_address(9)),
                Rule::rate_limit("Limit", RateLimit::per_address(10)),
                Rule::rate_limit("per address", RateLimit::per_address(10)),
            ],
            ..WebAclProps::default()
        };
        stack.web_acl("Firewall", props);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Firewall / Properties.Name: `a b` holds ' '; AWS takes letters, digits and `-` `_`",
      "orders / Firewall / Properties.Rules.0.Statement.RateBasedStatement.Limit: 9 is not between 10 and 2000000000",
      "orders / Firewall / Properties.Rules.1: two rules are called `Limit`",
      "orders / Firewall / Properties.Rules.2.Name: `per address` holds ' '; AWS takes letters, digits and `-` `_`",
      "orders / Firewall / Properties.Rules.2.VisibilityConfig.MetricName: `per address` does not match the pattern `^[\\w#:\\.\\-/]+$`"
    ]
    "#);
}

#[test]
fn a_list_holds_so_much_and_stands_where_it_protects() {
    let found = violations(dev(), |stack| {
        let limit =
            |number: u32| Rule::rate_limit(format!("Limit{number}"), RateLimit::per_address(100));
        let props = WebAclProps {
            rules: (0..2501).map(limit).collect(),
            ..WebAclProps::default()
        };
        stack.web_acl("Heavy", props);
        stack.edge_web_acl("Edge", WebAclProps::default());
    });
    // What so many rules are in a template is too much besides.
    assert_eq!(
        found[..2],
        [
            "orders / Heavy / Properties.Rules: the rules take 5002 units and a list has 5000",
            "orders / Edge / Properties.Scope: a list for CloudFront stands in us-east-1 and this stack is in eu-central-1: put it into a stack of its own with `stack.in_region(\"us-east-1\")`",
        ]
    );
}

/// A group of AWS's that only counts decides nothing; a rule of one's own has an action instead.
#[test]
fn rules_can_be_tried_out_before_they_turn_anybody_away() {
    let rules = resources(dev(), |stack| {
        let mut group = Rule::managed(ManagedGroup::SqlInjection);
        group.count_only = true;
        let sized = json!({"SizeConstraintStatement": {
            "ComparisonOperator": "GT",
            "FieldToMatch": {"Body": {}},
            "Size": 8192,
            "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
        }});
        let props = WebAclProps {
            rules: vec![group, Rule::statement("Large", sized)],
            ..WebAclProps::default()
        };
        stack.web_acl("Firewall", props);
    });
    let rules = &rules["Firewall"]["Properties"]["Rules"];
    assert_eq!(rules[0]["OverrideAction"], json!({"Count": {}}));
    assert_eq!(rules[0].get("Action"), None);
    assert_eq!(rules[1]["Action"], json!({"Block": {}}));
    assert_eq!(
        rules[1]["Statement"]["SizeConstraintStatement"]["Size"],
        8192
    );
}

#[test]
fn a_stage_is_protected_by_its_arn() {
    let resources = resources(dev(), |stack| {
        let api = stack.rest_api("Api", RestApiProps::default());
        let hello = Integration::mock(200, MappingTemplate::message("Hello"));
        let get = MethodProps::new(HttpMethod::Get, Authorization::None, hello);
        stack.rest_method("Get", &api.root(), get);
        let live = stack.rest_stage("Live", &api, StageProps::named("live"));
        let firewall = stack.web_acl("Firewall", WebAclProps::recommended());
        stack.protect("FirewallOfLive", &firewall, &live);
    });
    assert_eq!(
        resources["FirewallOfLive"],
        json!({
            "Type": "AWS::WAFv2::WebACLAssociation",
            "Properties": {
                "ResourceArn": {"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}::/restapis/${Api}/stages/${Live}"},
                "WebACLArn": {"Fn::GetAtt": ["Firewall", "Arn"]},
            },
        })
    );
}
