//! Hosted zones, records and health checks.

use insta::assert_json_snapshot;
use serde_json::{Value as Json, json};
use stack_model::logs::LogGroupProps;
use stack_model::route53::{
    AliasTarget, AliasVersion, CaaTag, CertificateAuthority, FailoverRole, GeoLocation,
    HealthCheckProps, HostedZoneProps, HostedZoneRef, Probe, Record, RecordProps, Routing,
    ServiceHost,
};
use stack_model::{Stack, cloudfront};

use crate::support::{dev, property, resources, texts, violations};

fn zone() -> HostedZoneRef {
    HostedZoneRef::existing("Z0123456789ABCDEFGHIJ", "example.com.")
}

/// Returns the properties of a record about `a.example.com`.
fn record(props: RecordProps) -> Json {
    let mut record = resources(dev(), |stack| {
        stack.record("Record", &zone(), "a.example.com.", props);
    });
    record["Record"]["Properties"].take()
}

#[test]
fn a_zone_of_the_app_holds_records() {
    let resources = resources(dev(), |stack| {
        let mut props = HostedZoneProps::named("Sub.Example.com.");
        props.comment = Some("Sites".to_owned());
        let zone = stack.hosted_zone("Zone", props);
        assert_eq!(zone.name(), "sub.example.com");
        stack.output("NameServers", zone.name_servers());
        let record = RecordProps::new(Record::A(vec!["192.0.2.1".parse().unwrap()]));
        stack.record("Host", &zone, "host.sub.example.com", record);
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Host": {
        "Properties": {
          "HostedZoneId": {
            "Ref": "Zone"
          },
          "Name": "host.sub.example.com",
          "ResourceRecords": [
            "192.0.2.1"
          ],
          "TTL": "300",
          "Type": "A"
        },
        "Type": "AWS::Route53::RecordSet"
      },
      "Zone": {
        "DeletionPolicy": "Delete",
        "Properties": {
          "HostedZoneConfig": {
            "Comment": "Sites"
          },
          "Name": "sub.example.com"
        },
        "Type": "AWS::Route53::HostedZone",
        "UpdateReplacePolicy": "Delete"
      }
    }
    "#);
}

#[test]
fn queries_are_logged_from_the_one_region_that_can() {
    let describe = |stack: &mut Stack<'_>| {
        let group = LogGroupProps {
            name: Some("/aws/route53/example.com".into()),
            ..LogGroupProps::default()
        };
        let group = stack.log_group("Queries", group);
        let mut props = HostedZoneProps::named("example.com");
        props.query_logs = Some(group);
        stack.hosted_zone("Zone", props);
    };
    let resources = resources(dev(), |stack| {
        stack.in_region("us-east-1");
        describe(stack);
    });
    assert_eq!(
        resources["Zone"]["DependsOn"],
        json!(["ZoneQueryLogsPolicy"])
    );
    assert_json_snapshot!(resources["Zone"]["Properties"], @r#"
    {
      "Name": "example.com",
      "QueryLoggingConfig": {
        "CloudWatchLogsLogGroupArn": {
          "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Queries}"
        }
      }
    }
    "#);
    assert_json_snapshot!(resources["ZoneQueryLogsPolicy"]["Properties"], @r#"
    {
      "PolicyDocument": {
        "Fn::Sub": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"route53.amazonaws.com\"},\"Action\":[\"logs:CreateLogStream\",\"logs:PutLogEvents\"],\"Resource\":\"${Queries.Arn}\",\"Condition\":{\"StringEquals\":{\"aws:SourceAccount\":\"${AWS::AccountId}\"}}}]}"
      },
      "PolicyName": {
        "Fn::Sub": "${AWS::StackName}-Zone"
      }
    }
    "#);
    assert_json_snapshot!(violations(dev(), describe), @r#"
    [
      "orders / Zone / Properties.QueryLoggingConfig: Route 53 writes query logs in us-east-1 only and this stack is in eu-central-1: put the zone and its log group into a stack there"
    ]
    "#);
}

#[test]
fn every_type_of_record_has_its_own_words() {
    let values = |record_of: Record| {
        let record = record(RecordProps::new(record_of));
        assert_eq!(record["TTL"], "300");
        (record["Type"].clone(), record["ResourceRecords"].clone())
    };
    let cases = [
        (
            Record::A(vec![
                "192.0.2.1".parse().unwrap(),
                "192.0.2.2".parse().unwrap(),
            ]),
            "A",
            json!(["192.0.2.1", "192.0.2.2"]),
        ),
        (
            Record::Aaaa(vec!["2001:db8::1".parse().unwrap()]),
            "AAAA",
            json!(["2001:db8::1"]),
        ),
        (
            Record::cname("b.example.net"),
            "CNAME",
            json!(["b.example.net"]),
        ),
        (
            Record::txt(["v=spf1 -all", r#"say "hi""#]),
            "TXT",
            json!([r#""v=spf1 -all""#, r#""say \"hi\"""#]),
        ),
        (
            Record::mx([(10, "mail.example.com"), (20, "spare.example.com")]),
            "MX",
            json!(["10 mail.example.com", "20 spare.example.com"]),
        ),
        (
            Record::ns(["ns1.example.net"]),
            "NS",
            json!(["ns1.example.net"]),
        ),
        (
            Record::Caa(vec![CertificateAuthority {
                critical: false,
                tag: CaaTag::Issue,
                value: "amazon.com".to_owned(),
            }]),
            "CAA",
            json!([r#"0 issue "amazon.com""#]),
        ),
        (
            Record::Srv(vec![ServiceHost {
                priority: 1,
                weight: 5,
                port: 5060,
                host: "sip.example.com".into(),
            }]),
            "SRV",
            json!(["1 5 5060 sip.example.com"]),
        ),
    ];
    for (record, kind, expected) in cases {
        assert_eq!(values(record), (json!(kind), expected));
    }
}

#[test]
fn an_alias_answers_both_versions_and_knows_no_time() {
    let resources = resources(dev(), |stack| {
        let site = AliasTarget::host("d1.cloudfront.net", cloudfront::HOSTED_ZONE_ID);
        stack.alias("Site", &zone(), "example.com", site);
        let website = AliasTarget::website(stack.region()).unwrap();
        let record = RecordProps::new(Record::Alias(website, AliasVersion::A));
        stack.record("Old", &zone(), "old.example.com", record);
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Old": {
        "Properties": {
          "AliasTarget": {
            "DNSName": "s3-website.eu-central-1.amazonaws.com",
            "EvaluateTargetHealth": false,
            "HostedZoneId": "Z21DNDUVLTQW6Q"
          },
          "HostedZoneId": "Z0123456789ABCDEFGHIJ",
          "Name": "old.example.com",
          "Type": "A"
        },
        "Type": "AWS::Route53::RecordSet"
      },
      "SiteA": {
        "Properties": {
          "AliasTarget": {
            "DNSName": "d1.cloudfront.net",
            "EvaluateTargetHealth": false,
            "HostedZoneId": "Z2FDTNDATAQYW2"
          },
          "HostedZoneId": "Z0123456789ABCDEFGHIJ",
          "Name": "example.com",
          "Type": "A"
        },
        "Type": "AWS::Route53::RecordSet"
      },
      "SiteAaaa": {
        "Properties": {
          "AliasTarget": {
            "DNSName": "d1.cloudfront.net",
            "EvaluateTargetHealth": false,
            "HostedZoneId": "Z2FDTNDATAQYW2"
          },
          "HostedZoneId": "Z0123456789ABCDEFGHIJ",
          "Name": "example.com",
          "Type": "AAAA"
        },
        "Type": "AWS::Route53::RecordSet"
      }
    }
    "#);
}

#[test]
fn answers_are_routed() {
    let routed = |routing: Routing| {
        let mut props = RecordProps::new(Record::cname("b.example.net"));
        props.routing = routing;
        let record = record(props);
        let keys = [
            "SetIdentifier",
            "Weight",
            "Region",
            "Failover",
            "GeoLocation",
            "MultiValueAnswer",
        ];
        let present = keys
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), record.get(key)?.clone())));
        Json::Object(present.collect())
    };
    let id = || "one".to_owned();
    assert_eq!(routed(Routing::Simple), json!({}));
    assert_eq!(
        routed(Routing::Weighted {
            id: id(),
            weight: 255.into()
        }),
        json!({"SetIdentifier": "one", "Weight": 255})
    );
    assert_eq!(
        routed(Routing::Latency {
            id: id(),
            region: "eu-central-1".to_owned()
        }),
        json!({"SetIdentifier": "one", "Region": "eu-central-1"})
    );
    assert_eq!(
        routed(Routing::Failover {
            id: id(),
            role: FailoverRole::Secondary
        }),
        json!({"SetIdentifier": "one", "Failover": "SECONDARY"})
    );
    assert_eq!(
        routed(Routing::Geolocation {
            id: id(),
            location: GeoLocation::Default
        }),
        json!({"SetIdentifier": "one", "GeoLocation": {"CountryCode": "*"}})
    );
    let state = GeoLocation::State {
        country: "US".to_owned(),
        state: "WA".to_owned(),
    };
    assert_eq!(
        routed(Routing::Geolocation {
            id: id(),
            location: state
        }),
        json!({
            "SetIdentifier": "one",
            "GeoLocation": {"CountryCode": "US", "SubdivisionCode": "WA"},
        })
    );
    assert_eq!(
        routed(Routing::MultiValue { id: id() }),
        json!({"SetIdentifier": "one", "MultiValueAnswer": true})
    );
}

#[test]
fn a_health_check_decides_between_answers() {
    let resources = resources(dev(), |stack| {
        let path = "/health".to_owned();
        let mut check = HealthCheckProps::new("a.example.com", Probe::Https { path });
        check.failure_threshold = Some(2.into());
        check.fast = true;
        let check = stack.health_check("Check", check);
        let mut props = RecordProps::new(Record::cname("b.example.net"));
        props.routing = Routing::Failover {
            id: "first".to_owned(),
            role: FailoverRole::Primary,
        };
        props.health_check = Some(check);
        stack.record("Record", &zone(), "a.example.com", props);
    });
    assert_json_snapshot!(resources["Check"]["Properties"], @r#"
    {
      "HealthCheckConfig": {
        "EnableSNI": true,
        "FailureThreshold": 2,
        "FullyQualifiedDomainName": "a.example.com",
        "Port": 443,
        "RequestInterval": 10,
        "ResourcePath": "/health",
        "Type": "HTTPS"
      }
    }
    "#);
    assert_eq!(
        resources["Record"]["Properties"]["HealthCheckId"],
        json!({"Ref": "Check"})
    );
}

#[test]
fn a_long_text_is_split() {
    let values = property(dev(), "Record", "ResourceRecords", |stack| {
        let record = Record::txt([format!("v=DKIM1; p={}", "k".repeat(400))]);
        let name = "key._domainkey.example.com";
        stack.record("Record", &zone(), name, RecordProps::new(record));
    });
    let text = values[0].as_str().unwrap();
    let pieces: Vec<&str> = text.split("\" \"").collect();
    assert_eq!(
        pieces.iter().map(|piece| piece.len()).collect::<Vec<_>>(),
        [256, 157]
    );
}

#[test]
fn what_route_53_refuses_is_reported() {
    let mut app = dev();
    let mut stack = app.stack("orders");
    let cname = || RecordProps::new(Record::cname("b.example.net"));
    stack.record("Outside", &zone(), "a.example.org", cname());
    stack.record("Near", &zone(), "notexample.com", cname());
    stack.record("Apex", &zone(), "example.com", cname());
    stack.record("Name", &zone(), "-.example.com", cname());
    stack.record(
        "Empty",
        &zone(),
        "e.example.com",
        RecordProps::new(Record::A(Vec::new())),
    );
    stack.record(
        "Text",
        &zone(),
        "t.example.com",
        RecordProps::new(Record::txt(["ü"])),
    );
    let cloudfront = AliasTarget::host("d1.cloudfront.net", cloudfront::HOSTED_ZONE_ID);
    let mut aged = RecordProps::new(Record::Alias(
        cloudfront.clone().evaluating_health(),
        AliasVersion::A,
    ));
    aged.ttl = Some(60.into());
    stack.record("Aged", &zone(), "f.example.com", aged);
    let website = AliasTarget::website("eu-central-1").unwrap();
    stack.alias("Website", &zone(), "g.example.com", website);
    let mut weighted = cname();
    weighted.routing = Routing::Weighted {
        id: String::new(),
        weight: 256.into(),
    };
    stack.record("Weighted", &zone(), "h.example.com", weighted);
    let mut placed = cname();
    placed.routing = Routing::Geolocation {
        id: "one".to_owned(),
        location: GeoLocation::Country("Germany".to_owned()),
    };
    stack.record("Placed", &zone(), "i.example.com", placed);
    let check = stack.health_check("Check", HealthCheckProps::new("a.example.com", Probe::Tcp));
    let mut checked = cname();
    checked.health_check = Some(check);
    stack.record("Checked", &zone(), "j.example.com", checked);
    stack.hosted_zone("Zone", HostedZoneProps::named("localhost"));
    assert_json_snapshot!(texts(&app.synth().unwrap_err()), @r#"
    [
      "orders / Outside / Properties.Name: `a.example.org` does not lie in the hosted zone `example.com`",
      "orders / Near / Properties.Name: `notexample.com` does not lie in the hosted zone `example.com`",
      "orders / Apex: `example.com` is the domain of the zone, which has records of its own and can be no other name: use an alias",
      "orders / Name / Properties.Name: `-.example.com` is not the name of a domain: it has steps of 1 to 63 letters, digits and hyphens with dots between them, and at most 253 characters",
      "orders / Empty: the record says nothing: give it a value",
      "orders / Text: `ü` does not fit a text record: it takes 1 to 4,000 printable ASCII characters",
      "orders / Aged: Route 53 cannot evaluate the health of CloudFront: leave `evaluating_health()` out",
      "orders / Aged / Properties.TTL: an alias is remembered as long as its target says: leave `ttl` out",
      "orders / WebsiteAaaa: the target has a record of type A and none of type AAAA: add the alias with `stack.record(..)`",
      "orders / Weighted / Properties.Weight: 256 is not between 0 and 255",
      "orders / Weighted / Properties.SetIdentifier: an answer among several needs an id of 1 to 128 characters",
      "orders / Placed / Properties.GeoLocation.CountryCode: `Germany` is not a country: use its two letters, such as `DE`",
      "orders / Check / Properties.HealthCheckConfig.Port: a connection needs a port: give `port`",
      "orders / Checked / Properties.HealthCheckId: there is no other answer to give while the target is not healthy: choose a routing with several",
      "orders / Zone / Properties.Name: `localhost` is not the name of a domain: it has steps of 1 to 63 letters, digits and hyphens with dots between them, and at most 253 characters"
    ]
    "#);
}

#[test]
fn a_question_is_answered_once() {
    let found = violations(dev(), |stack| {
        let mail = |server: &str| RecordProps::new(Record::mx([(10, server.to_owned())]));
        stack.record("First", &zone(), "example.com", mail("a.example.net"));
        stack.record("Second", &zone(), "Example.com.", mail("b.example.net"));
        let text = RecordProps::new(Record::txt(["v=spf1 -all"]));
        stack.record("Other", &zone(), "example.com", text);
        for id in ["One", "Two"] {
            let mut props = RecordProps::new(Record::cname("b.example.net"));
            props.routing = Routing::MultiValue { id: id.to_owned() };
            stack.record(id, &zone(), "c.example.com", props);
        }
    });
    assert_eq!(
        found,
        [
            "orders / Second / Properties.Name: `First` is a record of type MX about `example.com` already: give one record all values, or each an id with a routing"
        ]
    );
}
