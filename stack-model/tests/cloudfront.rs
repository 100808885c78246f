//! Distributions.

use std::collections::BTreeMap;

use insta::assert_json_snapshot;
use serde_json::{Value as Json, json};
use stack_model::acm::{CertificateProps, CertificateRef};
use stack_model::apigateway::{
    Authorization, Credentials, HttpMethod, Integration, MethodProps, RestApiProps, StageProps,
    StageRef,
};
use stack_model::cloudfront::{
    Behavior, CacheKey, CachePolicy, CachePolicyProps, Countries, DistributionProps, EdgeCors,
    EdgeEvent, ErrorPage, Forwarded, FrameOption, Host, LogDestination, Methods,
    OriginRequestPolicy, OriginRequestPolicyProps, PriceClass, ResponseHeaders,
    ResponseHeadersPolicyProps, SiteDomains,
};
use stack_model::iam::RoleProps;
use stack_model::kms::KeyProps;
use stack_model::logs::LogGroupProps;
use stack_model::route53::{
    AliasTarget, HealthCheckProps, HostedZoneProps, HostedZoneRef, Probe, Record, RecordProps,
};
use stack_model::s3::{BucketProps, BucketRef, Content, Encryption};
use stack_model::sqs::QueueProps;
use stack_model::wafv2::WebAclProps;
use stack_model::{Arn, Stack};

use crate::support::{dev, resources, texts, violations};

const HANDLER: &str = "function handler(event) { return event.request; }";

fn live(stack: &mut Stack<'_>) -> StageRef {
    let queue = stack.queue::<String>("Queue", QueueProps::default());
    let role = stack.role("Sender", RoleProps::for_service("apigateway.amazonaws.com"));
    let api = stack.rest_api("Api", RestApiProps::default());
    let send = Integration::send_message(&queue, Credentials::granting(&role));
    let props = MethodProps::new(HttpMethod::Post, Authorization::None, send);
    stack.rest_method("Post", &api.root(), props);
    stack.rest_stage("Live", &api, StageProps::named("live"))
}

fn zone() -> HostedZoneRef {
    HostedZoneRef::existing("Z0123456789ABCDEFGHIJ", "example.com.")
}

#[test]
fn a_private_bucket_is_served_to_one_distribution() {
    let resources = resources(dev(), |stack| {
        let pages = stack.bucket("Pages", BucketProps::default());
        let site = stack.distribution("Site", DistributionProps::new(Behavior::of_bucket(&pages)));
        stack.output("Url", site.url());
    });
    assert_json_snapshot!(resources["Site"], @r#"
    {
      "Properties": {
        "DistributionConfig": {
          "DefaultCacheBehavior": {
            "AllowedMethods": [
              "GET",
              "HEAD"
            ],
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
            "Compress": true,
            "ResponseHeadersPolicyId": "67f7725c-6f97-4210-82d7-5512b31e9d03",
            "TargetOriginId": "Pages",
            "ViewerProtocolPolicy": "redirect-to-https"
          },
          "DefaultRootObject": "index.html",
          "Enabled": true,
          "HttpVersion": "http2and3",
          "IPV6Enabled": true,
          "Origins": [
            {
              "DomainName": {
                "Fn::GetAtt": [
                  "Pages",
                  "RegionalDomainName"
                ]
              },
              "Id": "Pages",
              "OriginAccessControlId": {
                "Fn::GetAtt": [
                  "SitePagesAccess",
                  "Id"
                ]
              },
              "S3OriginConfig": {
                "OriginAccessIdentity": ""
              }
            }
          ],
          "ViewerCertificate": {
            "CloudFrontDefaultCertificate": true
          }
        }
      },
      "Type": "AWS::CloudFront::Distribution"
    }
    "#);
    assert_json_snapshot!(resources["SitePagesAccess"], @r#"
    {
      "Properties": {
        "OriginAccessControlConfig": {
          "Name": "orders-dev-SitePagesAccess",
          "OriginAccessControlOriginType": "s3",
          "SigningBehavior": "always",
          "SigningProtocol": "sigv4"
        }
      },
      "Type": "AWS::CloudFront::OriginAccessControl"
    }
    "#);
    assert_json_snapshot!(resources["PagesPolicy"]["Properties"]["PolicyDocument"]["Statement"][1], @r#"
    {
      "Action": "s3:GetObject",
      "Condition": {
        "StringEquals": {
          "AWS:SourceArn": {
            "Fn::Sub": "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Site.Id}"
          }
        }
      },
      "Effect": "Allow",
      "Principal": {
        "Service": "cloudfront.amazonaws.com"
      },
      "Resource": {
        "Fn::Sub": "${Pages.Arn}/*"
      }
    }
    "#);
}

#[test]
fn everything_a_distribution_knows_reaches_the_template() {
    let mut app = dev();
    let mut edge = app.stack("edge");
    edge.in_region("us-east-1");
    let props = CertificateProps::new("example.com", &zone()).and("*.example.com", &zone());
    let certificate = edge.certificate("Certificate", props);
    let firewall = edge.edge_web_acl("Firewall", WebAclProps::recommended());

    let mut stack = app.stack("orders");
    let live = live(&mut stack);
    let pages = stack.bucket("Pages", BucketProps::default());
    let index = stack.edge_function("Index", HANDLER);
    let mut of_pages = Behavior::of_bucket(&pages).running(EdgeEvent::Request, &index);
    of_pages.methods = Methods::ReadAndPreflight;
    of_pages.headers = ResponseHeaders::SecurityAndCors;
    let of_api = Behavior::of_api(&live);
    let mut host = Host::new("legacy.example.net");
    host.path = "/v1".to_owned();
    host.headers = BTreeMap::from([("X-From".to_owned(), "cloudfront".into())]);
    let mut props = DistributionProps::new(of_pages.clone())
        .at("/api/*", of_api)
        .at("/legacy/*", Behavior::of_host(host))
        .at("/assets/*", of_pages);
    props.comment = Some("The site".to_owned());
    props.default_root_object = Some("home.html".to_owned());
    props.domains = Some(SiteDomains::new(
        ["example.com", "WWW.example.com."],
        &certificate,
    ));
    props.error_pages = ErrorPage::single_page("/index.html");
    props.error_pages.push(ErrorPage::keep(500, 0));
    props.price_class = PriceClass::Class100;
    props.countries = Countries::Except(vec!["AQ".to_owned()]);
    props.web_acl = Some(firewall);
    let site = stack.distribution("Site", props);
    stack.alias(
        "SiteAlias",
        &zone(),
        "www.example.com",
        AliasTarget::distribution(&site),
    );
    stack.bucket_content(
        "PagesContent",
        &pages,
        Content::folder("site").refreshing(&site),
    );

    let assembly = app
        .synth()
        .unwrap_or_else(|violations| panic!("{violations}"));
    let template: Json = serde_json::from_str(assembly.template("orders").unwrap()).unwrap();
    let config = &template["Resources"]["Site"]["Properties"]["DistributionConfig"];
    assert_json_snapshot!(config, @r#"
    {
      "Aliases": [
        "example.com",
        "www.example.com"
      ],
      "CacheBehaviors": [
        {
          "AllowedMethods": [
            "GET",
            "HEAD",
            "OPTIONS",
            "PUT",
            "PATCH",
            "POST",
            "DELETE"
          ],
          "CachePolicyId": "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
          "Compress": true,
          "OriginRequestPolicyId": "b689b0a8-53d0-40ab-baf2-68738e2966ac",
          "PathPattern": "/api/*",
          "ResponseHeadersPolicyId": "67f7725c-6f97-4210-82d7-5512b31e9d03",
          "TargetOriginId": "Live",
          "ViewerProtocolPolicy": "https-only"
        },
        {
          "AllowedMethods": [
            "GET",
            "HEAD"
          ],
          "CachePolicyId": "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
          "Compress": true,
          "PathPattern": "/legacy/*",
          "ResponseHeadersPolicyId": "67f7725c-6f97-4210-82d7-5512b31e9d03",
          "TargetOriginId": "legacy.example.net/v1",
          "ViewerProtocolPolicy": "redirect-to-https"
        },
        {
          "AllowedMethods": [
            "GET",
            "HEAD",
            "OPTIONS"
          ],
          "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
          "Compress": true,
          "FunctionAssociations": [
            {
              "EventType": "viewer-request",
              "FunctionARN": {
                "Fn::GetAtt": [
                  "Index",
                  "FunctionARN"
                ]
              }
            }
          ],
          "PathPattern": "/assets/*",
          "ResponseHeadersPolicyId": "e61eb60c-9c35-4d20-a928-2b84e02af89c",
          "TargetOriginId": "Pages",
          "ViewerProtocolPolicy": "redirect-to-https"
        }
      ],
      "Comment": "The site",
      "CustomErrorResponses": [
        {
          "ErrorCode": 403,
          "ResponseCode": 200,
          "ResponsePagePath": "/index.html"
        },
        {
          "ErrorCode": 404,
          "ResponseCode": 200,
          "ResponsePagePath": "/index.html"
        },
        {
          "ErrorCachingMinTTL": 0,
          "ErrorCode": 500
        }
      ],
      "DefaultCacheBehavior": {
        "AllowedMethods": [
          "GET",
          "HEAD",
          "OPTIONS"
        ],
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        "Compress": true,
        "FunctionAssociations": [
          {
            "EventType": "viewer-request",
            "FunctionARN": {
              "Fn::GetAtt": [
                "Index",
                "FunctionARN"
              ]
            }
          }
        ],
        "ResponseHeadersPolicyId": "e61eb60c-9c35-4d20-a928-2b84e02af89c",
        "TargetOriginId": "Pages",
        "ViewerProtocolPolicy": "redirect-to-https"
      },
      "DefaultRootObject": "home.html",
      "Enabled": true,
      "HttpVersion": "http2and3",
      "IPV6Enabled": true,
      "Origins": [
        {
          "DomainName": {
            "Fn::GetAtt": [
              "Pages",
              "RegionalDomainName"
            ]
          },
          "Id": "Pages",
          "OriginAccessControlId": {
            "Fn::GetAtt": [
              "SitePagesAccess",
              "Id"
            ]
          },
          "S3OriginConfig": {
            "OriginAccessIdentity": ""
          }
        },
        {
          "CustomOriginConfig": {
            "OriginProtocolPolicy": "https-only",
            "OriginSSLProtocols": [
              "TLSv1.2"
            ]
          },
          "DomainName": {
            "Fn::Sub": "${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}"
          },
          "Id": "Live",
          "OriginPath": {
            "Fn::Sub": "/${Live}"
          }
        },
        {
          "CustomOriginConfig": {
            "OriginProtocolPolicy": "https-only",
            "OriginSSLProtocols": [
              "TLSv1.2"
            ]
          },
          "DomainName": "legacy.example.net",
          "Id": "legacy.example.net/v1",
          "OriginCustomHeaders": [
            {
              "HeaderName": "X-From",
              "HeaderValue": "cloudfront"
            }
          ],
          "OriginPath": "/v1"
        }
      ],
      "PriceClass": "PriceClass_100",
      "Restrictions": {
        "GeoRestriction": {
          "Locations": [
            "AQ"
          ],
          "RestrictionType": "blacklist"
        }
      },
      "ViewerCertificate": {
        "AcmCertificateArn": {
          "Ref": "EdgeCertificate"
        },
        "MinimumProtocolVersion": "TLSv1.2_2021",
        "SslSupportMethod": "sni-only"
      },
      "WebACLId": {
        "Ref": "EdgeFirewallArn"
      }
    }
    "#);
    assert_json_snapshot!(template["Resources"]["SiteAliasA"]["Properties"], @r#"
    {
      "AliasTarget": {
        "DNSName": {
          "Fn::GetAtt": [
            "Site",
            "DomainName"
          ]
        },
        "EvaluateTargetHealth": false,
        "HostedZoneId": "Z2FDTNDATAQYW2"
      },
      "HostedZoneId": "Z0123456789ABCDEFGHIJ",
      "Name": "www.example.com",
      "Type": "A"
    }
    "#);
    let manifest = assembly
        .manifest()
        .stacks
        .iter()
        .find(|stack| stack.id == "orders");
    let content = &manifest.unwrap().contents["PagesContent"];
    assert_eq!(content.invalidate.as_deref(), Some("Site"));
}

#[test]
fn policies_and_functions_of_ones_own() {
    let resources = resources(dev(), |stack| {
        let cache = stack.cache_policy(
            "ByLanguage",
            CachePolicyProps {
                key: CacheKey {
                    headers: vec!["Accept-Language".to_owned()],
                    cookies: Forwarded::None,
                    query: Forwarded::Only(vec!["page".to_owned()]),
                },
                default: Some(60.into()),
                maximum: Some(3600.into()),
                ..CachePolicyProps::default()
            },
        );
        let forward = stack.origin_request_policy(
            "Forward",
            OriginRequestPolicyProps {
                headers: Forwarded::All,
                cookies: Forwarded::Except(vec!["session".to_owned()]),
                query: Forwarded::All,
                ..OriginRequestPolicyProps::default()
            },
        );
        let headers = stack.response_headers_policy(
            "Headers",
            ResponseHeadersPolicyProps {
                content_security_policy: Some("default-src 'self'".to_owned()),
                frames: FrameOption::SameOrigin,
                cors: Some(EdgeCors {
                    origins: vec!["https://example.com".to_owned()],
                    methods: vec!["GET".to_owned()],
                    headers: Vec::new(),
                    credentials: false,
                }),
                headers: BTreeMap::from([("X-Robots-Tag".to_owned(), "noindex".to_owned())]),
                remove: vec!["Server".to_owned()],
                ..ResponseHeadersPolicyProps::default()
            },
        );
        stack.edge_function("Index", HANDLER);
        let mut behavior = Behavior::of_host(Host::new("origin.example.net"));
        behavior.cache = CachePolicy::Own(cache);
        behavior.forward = Some(OriginRequestPolicy::Own(forward));
        behavior.headers = ResponseHeaders::Own(headers);
        stack.distribution("Site", DistributionProps::new(behavior));
    });
    assert_json_snapshot!(resources["ByLanguage"]["Properties"], @r#"
    {
      "CachePolicyConfig": {
        "DefaultTTL": 60,
        "MaxTTL": 3600,
        "MinTTL": 0,
        "Name": "orders-dev-ByLanguage",
        "ParametersInCacheKeyAndForwardedToOrigin": {
          "CookiesConfig": {
            "CookieBehavior": "none"
          },
          "EnableAcceptEncodingBrotli": true,
          "EnableAcceptEncodingGzip": true,
          "HeadersConfig": {
            "HeaderBehavior": "whitelist",
            "Headers": [
              "Accept-Language"
            ]
          },
          "QueryStringsConfig": {
            "QueryStringBehavior": "whitelist",
            "QueryStrings": [
              "page"
            ]
          }
        }
      }
    }
    "#);
    assert_json_snapshot!(resources["Forward"]["Properties"], @r#"
    {
      "OriginRequestPolicyConfig": {
        "CookiesConfig": {
          "CookieBehavior": "allExcept",
          "Cookies": [
            "session"
          ]
        },
        "HeadersConfig": {
          "HeaderBehavior": "allViewer"
        },
        "Name": "orders-dev-Forward",
        "QueryStringsConfig": {
          "QueryStringBehavior": "all"
        }
      }
    }
    "#);
    assert_json_snapshot!(resources["Headers"]["Properties"], @r#"
    {
      "ResponseHeadersPolicyConfig": {
        "CorsConfig": {
          "AccessControlAllowCredentials": false,
          "AccessControlAllowHeaders": {
            "Items": [
              "*"
            ]
          },
          "AccessControlAllowMethods": {
            "Items": [
              "GET"
            ]
          },
          "AccessControlAllowOrigins": {
            "Items": [
              "https://example.com"
            ]
          },
          "OriginOverride": true
        },
        "CustomHeadersConfig": {
          "Items": [
            {
              "Header": "X-Robots-Tag",
              "Override": true,
              "Value": "noindex"
            }
          ]
        },
        "Name": "orders-dev-Headers",
        "RemoveHeadersConfig": {
          "Items": [
            {
              "Header": "Server"
            }
          ]
        },
        "SecurityHeadersConfig": {
          "ContentSecurityPolicy": {
            "ContentSecurityPolicy": "default-src 'self'",
            "Override": true
          },
          "ContentTypeOptions": {
            "Override": true
          },
          "FrameOptions": {
            "FrameOption": "SAMEORIGIN",
            "Override": true
          },
          "ReferrerPolicy": {
            "Override": true,
            "ReferrerPolicy": "strict-origin-when-cross-origin"
          },
          "StrictTransportSecurity": {
            "AccessControlMaxAgeSec": 31536000,
            "IncludeSubdomains": true,
            "Override": true
          }
        }
      }
    }
    "#);
    assert_json_snapshot!(resources["Index"]["Properties"], @r#"
    {
      "AutoPublish": true,
      "FunctionCode": "function handler(event) { return event.request; }",
      "FunctionConfig": {
        "Comment": "Index",
        "Runtime": "cloudfront-js-2.0"
      },
      "Name": "orders-dev-Index"
    }
    "#);
    let behavior = &resources["Site"]["Properties"]["DistributionConfig"]["DefaultCacheBehavior"];
    assert_eq!(
        behavior["CachePolicyId"],
        json!({"Fn::GetAtt": ["ByLanguage", "Id"]})
    );
}

#[test]
fn a_key_lets_distributions_decrypt() {
    let resources = resources(dev(), |stack| {
        let key = stack.key("Key", KeyProps::default());
        let props = BucketProps {
            encryption: Encryption::CustomerKey(key),
            ..BucketProps::default()
        };
        let pages = stack.bucket("Pages", props);
        stack.distribution("Site", DistributionProps::new(Behavior::of_bucket(&pages)));
    });
    assert_json_snapshot!(resources["Key"]["Properties"]["KeyPolicy"]["Statement"][1], @r#"
    {
      "Action": "kms:Decrypt",
      "Condition": {
        "StringLike": {
          "AWS:SourceArn": {
            "Fn::Sub": "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/*"
          }
        }
      },
      "Effect": "Allow",
      "Principal": {
        "Service": "cloudfront.amazonaws.com"
      },
      "Resource": "*"
    }
    "#);
}

#[test]
fn requests_are_logged_from_the_one_region_that_can() {
    let mut app = dev();
    let mut stack = app.stack("orders");
    let pages = stack.bucket("Pages", BucketProps::default());
    let site = stack.distribution("Site", DistributionProps::new(Behavior::of_bucket(&pages)));
    let mut logs = app.stack("logs");
    logs.in_region("us-east-1");
    let kept = logs.bucket("Kept", BucketProps::default());
    logs.distribution_logs("SiteLogs", &site, LogDestination::Bucket(&kept));
    let assembly = app
        .synth()
        .unwrap_or_else(|violations| panic!("{violations}"));
    let template: Json = serde_json::from_str(assembly.template("logs").unwrap()).unwrap();
    let resources = &template["Resources"];
    assert_json_snapshot!(resources["SiteLogs"], @r#"
    {
      "DependsOn": [
        "KeptPolicy"
      ],
      "Properties": {
        "DeliveryDestinationArn": {
          "Fn::GetAtt": [
            "SiteLogsDestination",
            "Arn"
          ]
        },
        "DeliverySourceName": {
          "Ref": "SiteLogsSource"
        }
      },
      "Type": "AWS::Logs::Delivery"
    }
    "#);
    assert_json_snapshot!(resources["SiteLogsSource"]["Properties"], @r#"
    {
      "LogType": "ACCESS_LOGS",
      "Name": "logs-dev-SiteLogs",
      "ResourceArn": {
        "Fn::Sub": "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${OrdersSiteId}"
      }
    }
    "#);
    assert_json_snapshot!(resources["SiteLogsDestination"]["Properties"], @r#"
    {
      "DestinationResourceArn": {
        "Fn::GetAtt": [
          "Kept",
          "Arn"
        ]
      },
      "Name": "logs-dev-SiteLogs",
      "OutputFormat": "json"
    }
    "#);
}

#[test]
fn a_bucket_of_somebody_else_keeps_its_policy() {
    let resources = resources(dev(), |stack| {
        let pages = BucketRef::existing("pages.example.com");
        stack.distribution("Site", DistributionProps::new(Behavior::of_bucket(&pages)));
    });
    let origin = &resources["Site"]["Properties"]["DistributionConfig"]["Origins"][0];
    assert_eq!(
        origin["DomainName"],
        json!({"Fn::Sub": "pages.example.com.s3.${AWS::Region}.${AWS::URLSuffix}"})
    );
    let ids: Vec<&String> = resources.as_object().unwrap().keys().collect();
    assert_eq!(ids, ["Site", "SitepagesexamplecomAccess"]);
}

#[test]
fn what_cloudfront_refuses_is_reported_together() {
    let found = violations(dev(), |stack| {
        let arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1";
        let certificate = CertificateRef::existing(Arn::parse(arn).unwrap());
        let pages = stack.bucket("Pages", BucketProps::default());
        let behavior = Behavior::of_bucket(&pages);
        let mut host = Host::new("https://example.net/");
        host.path = "v1/".to_owned();
        let mut props = DistributionProps::new(behavior.clone())
            .at("/a b/*", behavior.clone())
            .at("/c/*", behavior.clone())
            .at("/c/*", behavior.clone())
            .at("*", behavior)
            .at("/d/*", Behavior::of_host(host));
        props.default_root_object = Some("/index.html".to_owned());
        props.domains = Some(SiteDomains::new(["localhost"], &certificate));
        props.error_pages = vec![
            ErrorPage::show(401, 200, "/401.html"),
            ErrorPage::show(404, 302, "/404.html"),
            ErrorPage::show(403, 404, "404.html"),
            ErrorPage::keep(403, 5),
        ];
        props.countries = Countries::Only(vec!["Germany".to_owned()]);
        stack.distribution("Site", props);
        stack.edge_function("Empty", "");
        stack.edge_function("Long", "handler".repeat(2000));
        stack.edge_web_acl("Firewall", WebAclProps::default());
        stack.cache_policy(
            "Times",
            CachePolicyProps {
                name: Some("a b".to_owned()),
                key: CacheKey {
                    cookies: Forwarded::Only(Vec::new()),
                    ..CacheKey::default()
                },
                minimum: Some(10.into()),
                default: Some(5.into()),
                maximum: Some(0.into()),
                ..CachePolicyProps::default()
            },
        );
        stack.response_headers_policy(
            "Cors",
            ResponseHeadersPolicyProps {
                cors: Some(EdgeCors {
                    origins: vec!["*".to_owned()],
                    methods: vec!["GET".to_owned()],
                    headers: Vec::new(),
                    credentials: true,
                }),
                ..ResponseHeadersPolicyProps::default()
            },
        );
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Site / Properties.DistributionConfig.DefaultRootObject: `/index.html` starts with a `/`, which is not part of an object's key",
      "orders / Site / Properties.DistributionConfig.CacheBehaviors: `/a b/*` is not a path pattern: use 1 to 255 letters, digits and `_-.*$/~\"'@:+&?`",
      "orders / Site / Properties.DistributionConfig.CacheBehaviors: the path pattern `/c/*` is given twice",
      "orders / Site / Properties.DistributionConfig.CacheBehaviors: the path pattern `*` leaves nothing to the default behaviour",
      "orders / Site / Properties.DistributionConfig.CustomErrorResponses.0.ErrorCode: an error 401 has no page: CloudFront knows 400, 403, 404, 405, 414, 416 and 500 to 504",
      "orders / Site / Properties.DistributionConfig.CustomErrorResponses.1.ErrorCode: an error is not answered with the status 302",
      "orders / Site / Properties.DistributionConfig.CustomErrorResponses.2.ErrorCode: the page `404.html` does not start with a `/`",
      "orders / Site / Properties.DistributionConfig.Restrictions: countries are named by their two letters, such as `DE`, and there is one at least",
      "orders / Site / Properties.DistributionConfig.Aliases: `localhost` is not the name of a domain: it has steps of 1 to 63 letters, digits and hyphens with dots between them, and at most 253 characters",
      "orders / Site / Properties.DistributionConfig.ViewerCertificate.AcmCertificateArn: the certificate stands in eu-central-1 and CloudFront takes one from us-east-1: name one of us-east-1",
      "orders / Site / Properties.DistributionConfig.Origins: the path `v1/` of a host starts with a `/` and ends without",
      "orders / Site / Properties.DistributionConfig.Origins: a host is named without `https://` and without a path",
      "orders / Empty / Properties.FunctionCode: the code has no function `handler`, which CloudFront calls",
      "orders / Long / Properties.FunctionCode: the code has 14000 bytes and CloudFront takes 10240",
      "orders / Firewall / Properties.Scope: a list for CloudFront stands in us-east-1 and this stack is in eu-central-1: put it into a stack of its own with `stack.in_region(\"us-east-1\")`",
      "orders / Times / Properties.CachePolicyConfig.Name: `a b` holds ' '; AWS takes letters, digits and `-` `_`",
      "orders / Times / Properties.CachePolicyConfig: the least time, 10, the usual one, 5, and the longest, 0, are not in this order",
      "orders / Times / Properties.CachePolicyConfig: nothing is kept, so there is nothing to tell apart: leave `key` out",
      "orders / Times / Properties.CachePolicyConfig: a list names nothing: use `Forwarded::None` or `Forwarded::All`",
      "orders / Cors / Properties.ResponseHeadersPolicyConfig.CorsConfig: browsers refuse credentials for any origin: name the origins",
      "orders / Site / Properties.DistributionConfig.CustomErrorResponses.1.ResponseCode: `302` is not possible, did you mean `502`?",
      "orders / Site / Properties.DistributionConfig.Restrictions.GeoRestriction.Locations.0: `Germany` is not possible, only `AD`, `AE`, `AF`, `AG`, `AI`, `AL`, `AM`, `AO`, `AQ`, `AR`, `AS`, `AT` and 237 more"
    ]
    "#);
}

#[test]
fn a_bucket_of_another_stack_is_refused_with_the_way_out() {
    let mut app = dev();
    let pages = app.stack("data").bucket("Pages", BucketProps::default());
    let mut stack = app.stack("orders");
    stack.distribution("Site", DistributionProps::new(Behavior::of_bucket(&pages)));
    assert_json_snapshot!(texts(&app.synth().unwrap_err()), @r#"
    [
      "orders / Site: the policy of the bucket `Pages` names the distribution, which names the bucket: put both into the stack `data`"
    ]
    "#);
}

/// A site with everything in front of it, in the one region that holds all of it.
fn site(stack: &mut Stack<'_>) {
    stack.describe("A private bucket and an API behind CloudFront");
    stack.in_region("us-east-1");
    let zone = stack.hosted_zone("Zone", HostedZoneProps::named("example.com"));
    let names = CertificateProps::new("example.com", &zone).and("www.example.com", &zone);
    let certificate = stack.certificate("Certificate", names);
    let firewall = stack.edge_web_acl("Firewall", WebAclProps::recommended());
    let live = live(stack);
    let pages = stack.bucket("Pages", BucketProps::default());
    let index = stack.edge_function("Index", HANDLER);
    let headers = ResponseHeadersPolicyProps {
        content_security_policy: Some("default-src 'self'".to_owned()),
        ..ResponseHeadersPolicyProps::default()
    };
    let headers = stack.response_headers_policy("Headers", headers);
    let cache = stack.cache_policy("Briefly", CachePolicyProps::default());
    let forward = OriginRequestPolicyProps::default();
    let forward = stack.origin_request_policy("Forward", forward);
    let mut of_pages = Behavior::of_bucket(&pages).running(EdgeEvent::Request, &index);
    of_pages.headers = ResponseHeaders::Own(headers);
    of_pages.cache = CachePolicy::Own(cache);
    of_pages.forward = Some(OriginRequestPolicy::Own(forward));
    let mut props = DistributionProps::new(of_pages).at("/api/*", Behavior::of_api(&live));
    props.domains = Some(SiteDomains::new(
        ["example.com", "www.example.com"],
        &certificate,
    ));
    props.error_pages = vec![ErrorPage::show(403, 404, "/404.html")];
    props.web_acl = Some(firewall);
    let site = stack.distribution("Site", props);
    for (id, name) in [("Bare", "example.com"), ("Www", "www.example.com")] {
        stack.alias(id, &zone, name, AliasTarget::distribution(&site));
    }
    let group = stack.log_group("Requests", LogGroupProps::default());
    stack.distribution_logs("SiteLogs", &site, LogDestination::Group(&group));
    let mail = Record::mx([(10, "mail.example.net")]);
    stack.record("Mail", &zone, "example.com", RecordProps::new(mail));
    let policy = Record::txt(["v=spf1 mx -all"]);
    stack.record("MailPolicy", &zone, "example.com", RecordProps::new(policy));
    let path = "/".to_owned();
    let check = HealthCheckProps::new("example.com", Probe::Https { path });
    stack.health_check("Check", check);
}

#[test]
fn a_whole_site() {
    crate::golden::compare("site.dev", dev(), site);
}
