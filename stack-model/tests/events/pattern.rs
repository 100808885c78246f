use serde_json::{Value as Json, json};
use stack_model::Stack;
use stack_model::events::{Delivery, EventBusRef, EventPattern, Match, RuleProps};
use stack_model::logs::LogGroupProps;

use super::Placed;
use crate::support::{dev, property, violations};

fn rendered<D>(pattern: EventPattern<D>) -> Json {
    property(dev(), "Rule", "EventPattern", |stack| {
        rule(stack, pattern);
    })
}

/// Adds a rule that sends to a log group.
fn rule<D>(stack: &mut Stack<'_>, pattern: EventPattern<D>) {
    let bus = EventBusRef::of_account();
    let rule = stack.rule("Rule", &bus, pattern, RuleProps::default());
    let log = stack.log_group("Log", LogGroupProps::default());
    stack.target(&rule, &log, Delivery::event());
}

fn wrong(pattern: Json) -> Vec<String> {
    violations(dev(), |stack| {
        let pattern = EventPattern::json(pattern);
        rule(stack, pattern);
    })
    .into_iter()
    .map(|text| {
        let text = text.replace("orders / Rule / Properties.EventPattern: ", "");
        text.replace("the pattern is wrong at ", "at ")
    })
    .collect()
}

#[test]
fn every_operator_has_the_form_that_aws_reads() {
    let pattern = EventPattern::source("shop")
        .detail_type::<Placed>()
        .detail(
            "a",
            [
                Match::exact("x"),
                Match::exact(5),
                Match::exact(true),
                Match::null(),
            ],
        )
        .detail(
            "b",
            [
                Match::prefix("x"),
                Match::suffix("y"),
                Match::wildcard("a*b"),
            ],
        )
        .detail(
            "c",
            [
                Match::exact_ignoring_case("x"),
                Match::prefix_ignoring_case("x"),
                Match::suffix_ignoring_case("y"),
            ],
        )
        .detail(
            "d",
            [Match::anything_but(["x", "y"]), Match::anything_but([1, 2])],
        )
        .detail(
            "e",
            [
                Match::no_prefix(["x", "y"]),
                Match::no_suffix(["y"]),
                Match::no_wildcard(["*/lib/*"]),
                Match::anything_but_ignoring_case(["z"]),
            ],
        )
        .detail(
            "f",
            [
                Match::number(5),
                Match::above(0.5),
                Match::at_least(1),
                Match::below(-1),
                Match::at_most(3_000_000_000_u32),
                Match::between(1, 2),
            ],
        )
        .detail("g.here", [Match::exists()])
        .detail("g.not", [Match::absent()])
        .detail(
            r"h\.i",
            [Match::cidr("10.0.0.0/24"), Match::cidr("2001:db8::/32")],
        )
        .regions([Match::prefix("eu-")])
        .accounts([Match::exact("123456789012")])
        .resources([Match::suffix(":orders")]);
    insta::assert_json_snapshot!(rendered(pattern), @r#"
    {
      "account": [
        "123456789012"
      ],
      "detail": {
        "a": [
          "x",
          5,
          true,
          null
        ],
        "b": [
          {
            "prefix": "x"
          },
          {
            "suffix": "y"
          },
          {
            "wildcard": "a*b"
          }
        ],
        "c": [
          {
            "equals-ignore-case": "x"
          },
          {
            "prefix": {
              "equals-ignore-case": "x"
            }
          },
          {
            "suffix": {
              "equals-ignore-case": "y"
            }
          }
        ],
        "d": [
          {
            "anything-but": [
              "x",
              "y"
            ]
          },
          {
            "anything-but": [
              1,
              2
            ]
          }
        ],
        "e": [
          {
            "anything-but": {
              "prefix": [
                "x",
                "y"
              ]
            }
          },
          {
            "anything-but": {
              "suffix": "y"
            }
          },
          {
            "anything-but": {
              "wildcard": "*/lib/*"
            }
          },
          {
            "anything-but": {
              "equals-ignore-case": "z"
            }
          }
        ],
        "f": [
          {
            "numeric": [
              "=",
              5
            ]
          },
          {
            "numeric": [
              ">",
              0.5
            ]
          },
          {
            "numeric": [
              ">=",
              1
            ]
          },
          {
            "numeric": [
              "<",
              -1
            ]
          },
          {
            "numeric": [
              "<=",
              3000000000
            ]
          },
          {
            "numeric": [
              ">=",
              1,
              "<=",
              2
            ]
          }
        ],
        "g": {
          "here": [
            {
              "exists": true
            }
          ],
          "not": [
            {
              "exists": false
            }
          ]
        },
        "h.i": [
          {
            "cidr": "10.0.0.0/24"
          },
          {
            "cidr": "2001:db8::/32"
          }
        ]
      },
      "detail-type": [
        "Orders.Placed"
      ],
      "region": [
        {
          "prefix": "eu-"
        }
      ],
      "resources": [
        {
          "suffix": ":orders"
        }
      ],
      "source": [
        "shop"
      ]
    }
    "#);
}

#[test]
fn alternatives_stand_beside_what_all_events_need() {
    let pattern = EventPattern::source("shop")
        .detail_type_prefixes(["Orders.", "Payments."])
        .any_of([
            EventPattern::any().detail("total", [Match::above(100)]),
            EventPattern::any().regions([Match::exact("eu-central-1")]),
        ]);
    assert_eq!(
        rendered(pattern),
        json!({
            "source": ["shop"],
            "detail-type": [{"prefix": "Orders."}, {"prefix": "Payments."}],
            "$or": [
                {"detail": {"total": [{"numeric": [">", 100]}]}},
                {"region": ["eu-central-1"]},
            ],
        })
    );
}

#[test]
fn tokens_stand_in_patterns() {
    let pattern = property(dev(), "Rule", "EventPattern", |stack| {
        let log = stack.log_group("Other", LogGroupProps::default());
        let pattern = EventPattern::source("aws.logs").resources([Match::exact(log.plain_arn())]);
        rule(stack, pattern);
    });
    assert!(pattern["resources"][0]["Fn::Sub"].is_string(), "{pattern}");
}

#[test]
fn a_pattern_that_names_nothing_is_refused() {
    assert_eq!(
        wrong(json!({})),
        ["the pattern names nothing, so it would match every event: name a source at least"]
    );
}

#[test]
fn a_field_is_named_once() {
    let found = violations(dev(), |stack| {
        let pattern = EventPattern::source("shop")
            .detail("a.b", [Match::exists()])
            .detail("a", [Match::exists()])
            .detail("a.b.c", [Match::exists()]);
        rule(stack, pattern);
    });
    assert_eq!(
        found,
        [
            "orders / Rule / Properties.EventPattern: the pattern names `detail.a` twice: give all its values together",
            "orders / Rule / Properties.EventPattern: the pattern names `detail.a.b.c` twice: give all its values together",
        ]
    );
}

#[test]
fn what_the_grammar_does_not_know_is_refused() {
    let cases = [
        (
            json!({"source": "shop"}),
            "at `source`: values stand in a list, even a single one",
        ),
        (
            json!({"source": []}),
            "at `source`: the list is empty, so nothing would match",
        ),
        (
            json!({"order": ["x"]}),
            "`order` is no field of an event: fields of the application stand under `detail`",
        ),
        (json!({"detail": {}}), "at `detail`: it is empty"),
        (
            json!({"detail": {"a": [["x"]]}}),
            "at `detail.a`: a list stands in a list",
        ),
        (
            json!({"detail": {"a": [{"starts": "x"}]}}),
            "at `detail.a`: there is no operator `starts`",
        ),
        (
            json!({"detail": {"a": [{"prefix": "x", "suffix": "y"}]}}),
            "at `detail.a`: a match has one operator",
        ),
        (
            json!({"detail": {"a": [{"prefix": 5}]}}),
            "at `detail.a`: `prefix` has a value of the wrong kind",
        ),
        (
            json!({"detail": {"a": [{"exists": "yes"}]}}),
            "at `detail.a`: `exists` has a value of the wrong kind",
        ),
        (
            json!({"detail": {"a": [{"wildcard": "a**b"}]}}),
            "at `detail.a`: two `*` follow one another",
        ),
        (
            json!({"detail": {"a": [{"wildcard": "a\\b"}]}}),
            "at `detail.a`: a backslash stands before `*` or a backslash",
        ),
        (
            json!({"detail": {"a": [{"cidr": "10.0.0.0/33"}]}}),
            "at `detail.a`: `10.0.0.0/33` is no range of addresses, such as 10.0.0.0/24",
        ),
        (
            json!({"detail": {"a": [{"numeric": [">", "5"]}]}}),
            "at `detail.a`: `numeric` holds pairs of an operator and a number",
        ),
        (
            json!({"detail": {"a": [{"numeric": ["~", 5]}]}}),
            "at `detail.a`: `numeric` does not know `~`",
        ),
        (
            json!({"detail": {"a": [{"numeric": ["<", 5, ">", 1]}]}}),
            "at `detail.a`: `numeric` is one comparison, or a lower bound and then an upper one",
        ),
        (
            json!({"detail": {"a": [{"numeric": [">", 5, "<", 1]}]}}),
            "at `detail.a`: no number lies above the lower bound and below the upper one",
        ),
        (
            json!({"detail": {"a": [{"numeric": [">", 5_000_000_001_i64]}]}}),
            "at `detail.a`: numbers lie between -5,000,000,000 and 5,000,000,000",
        ),
        (
            json!({"detail": {"a": [{"anything-but": ["x", 5]}]}}),
            "at `detail.a`: `anything-but` takes texts alone or numbers alone",
        ),
        (
            json!({"detail": {"a": [{"anything-but": {"cidr": "x"}}]}}),
            "at `detail.a`: `anything-but` goes with `prefix`, `suffix`, `equals-ignore-case` or `wildcard`",
        ),
        (
            json!({"$or": [{"source": ["x"]}]}),
            "at `$or`: `$or` needs two patterns at least",
        ),
        (
            json!({"$or": [{"source": ["x"]}, {}]}),
            "at `$or`: every pattern of `$or` names a field",
        ),
    ];
    for (pattern, message) in cases {
        assert_eq!(wrong(pattern.clone()), [message], "{pattern}");
    }
}

#[test]
fn a_pattern_has_a_length() {
    let long = json!({"source": ["x".repeat(4096)]});
    assert_eq!(
        wrong(long),
        ["the pattern has 4111 characters and a rule takes 4096"]
    );
}

#[test]
fn raw_rules_are_checked_as_all_others() {
    let found = violations(dev(), |stack| {
        let pattern = json!({"source": ["shop"], "resources": [{"Fn::GetAtt": ["Log", "Arn"]}]});
        let arn = json!({"Fn::GetAtt": ["Log", "Arn"]});
        stack.log_group("Log", LogGroupProps::default());
        let targets = json!([{"Id": "Log", "Arn": arn}]);
        let right = json!({"EventPattern": pattern, "Targets": targets});
        stack.raw("Right", "AWS::Events::Rule", right);
        let wrong = json!({"EventPattern": {"source": "shop"}});
        stack.raw("Wrong", "AWS::Events::Rule", wrong);
    });
    assert_eq!(
        found,
        [
            "orders / Wrong / Properties.EventPattern: the pattern is wrong at `source`: values stand in a list, even a single one",
            "orders / Wrong / Properties.Targets: the rule has no target, so it does nothing: add one with `stack.target(..)`",
        ]
    );
}
