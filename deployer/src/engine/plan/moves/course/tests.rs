use proptest::prelude::*;

use super::*;

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

/// A table that a function reads, that is exported, and on which another resource waits.
fn before() -> Value {
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "Orders": {
                "Type": "AWS::DynamoDB::Table",
                "DeletionPolicy": "Delete",
                "Properties": {"BillingMode": "PAY_PER_REQUEST"},
            },
            "Reader": {
                "Type": "AWS::Lambda::Function",
                "DependsOn": ["Orders", "Role"],
                "Properties": {
                    "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                    "Environment": {"Variables": {
                        "TABLE": {"Ref": "Orders"},
                        "INDEX": {"Fn::Sub": "${Orders.Arn}/index/*"},
                        "PLACE": {"Fn::Sub": "${AWS::Region}/${Orders}"},
                    }},
                },
            },
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "reader"}},
            "Waiting": {"Type": "AWS::SNS::Topic", "DependsOn": "Orders"},
        },
        "Outputs": {
            "TableName": {"Value": {"Ref": "Orders"}, "Export": {"Name": "orders-prod-Orders"}},
        },
    })
}

const ARN: &str = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders-1X";

/// Takes the course to its end, as CloudFormation would, and returns the templates.
fn course(before: &Value, moves: &[(&str, &str)], ids: &[(&str, &str)]) -> Vec<Value> {
    let (moves, ids) = (map(moves), map(ids));
    let mut all = Vec::new();
    let mut deployed = before.clone();
    let mut outputs = BTreeMap::new();
    while all.len() < 9 {
        match under_way(&deployed) {
            Some(UnderWay::Away(away)) => deployed = away.template,
            Some(UnderWay::Back(template)) => {
                all.push(template);
                return all;
            }
            None => {
                let course = Course::new(&deployed, &moves, &ids, &outputs);
                assert_eq!(course.hindrance(), None);
                deployed = if course.is_prepared() {
                    course.without().expect("nothing stands against it")
                } else {
                    course.prepared()
                };
                let told = deployed["Outputs"].as_object().into_iter().flatten();
                outputs = told
                    .map(|(key, output)| match &output["Value"] {
                        Value::String(text) => (key.clone(), text.clone()),
                        _ => (key.clone(), ARN.to_owned()),
                    })
                    .collect();
            }
        }
        all.push(deployed.clone());
    }
    panic!("it does not end: {all:#?}");
}

#[test]
fn a_table_leaves_and_comes_back() {
    let templates = course(
        &before(),
        &[("Orders", "Sales")],
        &[("Orders", "orders-1X")],
    );
    let [prepared, without, imported, after] = templates.as_slice() else {
        panic!("four updates: {templates:#?}");
    };
    let retained = json!({
        "Type": "AWS::DynamoDB::Table",
        "DeletionPolicy": "Retain",
        "Metadata": {"stackctl:moving": "Sales"},
        "Properties": {"BillingMode": "PAY_PER_REQUEST"},
    });
    assert_eq!(prepared["Resources"]["Orders"], retained);
    assert_eq!(
        prepared["Outputs"],
        json!({
            "TableName": before()["Outputs"]["TableName"],
            "StackctlMoving": {"Value": "Orders becomes Sales"},
            "StackctlMovingOrdersArn": {"Value": {"Fn::GetAtt": ["Orders", "Arn"]}},
        })
    );
    insta::assert_snapshot!(serde_json::to_string_pretty(&sorted(without)).expect("is JSON"), @r##"
    {
      "AWSTemplateFormatVersion": "2010-09-09",
      "Metadata": {
        "stackctl:moving": {
          "before": "{\"Outputs\":{\"TableName\":{\"Export\":{\"Name\":\"orders-prod-Orders\"},\"Value\":{\"Ref\":\"Orders\"}}},\"Resources\":{\"Orders\":{\"DeletionPolicy\":\"Delete\",\"Properties\":{\"BillingMode\":\"PAY_PER_REQUEST\"},\"Type\":\"AWS::DynamoDB::Table\"},\"Reader\":{\"DependsOn\":[\"Orders\",\"Role\"],\"Properties\":{\"Environment\":{\"Variables\":{\"INDEX\":{\"Fn::Sub\":\"${Orders.Arn}/index/*\"},\"PLACE\":{\"Fn::Sub\":\"${AWS::Region}/${Orders}\"},\"TABLE\":{\"Ref\":\"Orders\"}}},\"Role\":{\"Fn::GetAtt\":[\"Role\",\"Arn\"]}},\"Type\":\"AWS::Lambda::Function\"},\"Waiting\":{\"DependsOn\":\"Orders\",\"Type\":\"AWS::SNS::Topic\"}}}",
          "moves": {
            "Sales": {
              "by": {
                "TableName": "orders-1X"
              },
              "entry": "{\"DeletionPolicy\":\"Retain\",\"Metadata\":{\"stackctl:moving\":\"Sales\"},\"Properties\":{\"BillingMode\":\"PAY_PER_REQUEST\"},\"Type\":\"AWS::DynamoDB::Table\"}",
              "from": "Orders",
              "id": "orders-1X",
              "type": "AWS::DynamoDB::Table"
            }
          }
        }
      },
      "Outputs": {
        "StackctlMoving": {
          "Value": "Orders becomes Sales"
        },
        "TableName": {
          "Export": {
            "Name": "orders-prod-Orders"
          },
          "Value": "orders-1X"
        }
      },
      "Resources": {
        "Reader": {
          "DependsOn": [
            "Role"
          ],
          "Properties": {
            "Environment": {
              "Variables": {
                "INDEX": "arn:aws:dynamodb:eu-central-1:123456789012:table/orders-1X/index/*",
                "PLACE": {
                  "Fn::Sub": "${AWS::Region}/orders-1X"
                },
                "TABLE": "orders-1X"
              }
            },
            "Role": {
              "Fn::GetAtt": [
                "Role",
                "Arn"
              ]
            }
          },
          "Type": "AWS::Lambda::Function"
        },
        "Role": {
          "Properties": {
            "RoleName": "reader"
          },
          "Type": "AWS::IAM::Role"
        },
        "Waiting": {
          "Type": "AWS::SNS::Topic"
        }
      }
    }
    "##
    );
    let mut expected = without.clone();
    expected["Resources"]["Sales"] = retained;
    assert_eq!(*imported, expected);
    assert_eq!(*after, renamed(&before(), &map(&[("Orders", "Sales")])));
}

#[test]
fn what_is_retained_and_known_leaves_at_once() {
    let mut before = before();
    before["Resources"]["Orders"]["DeletionPolicy"] = "Retain".into();
    before["Resources"]["Reader"]["Properties"]["Environment"]["Variables"]["INDEX"] = "".into();
    let templates = course(&before, &[("Orders", "Sales")], &[("Orders", "orders-1X")]);
    assert_eq!(templates.len(), 3, "{templates:#?}");
}

#[test]
fn what_was_begun_is_undone_where_it_is_not_wanted_any_more() {
    let moves = map(&[("Orders", "Sales")]);
    let ids = map(&[("Orders", "orders-1X")]);
    let prepared = Course::new(&before(), &moves, &ids, &BTreeMap::new()).prepared();
    assert_eq!(under_way(&prepared), None);
    assert_eq!(restored(&prepared), None);
    assert_eq!(undone(&prepared), before());
    assert_eq!(undone(&before()), before());
}

#[test]
fn the_arn_identifies_what_has_a_name_for_a_physical_id() {
    let before = json!({"Resources": {
        "Nightly": {"Type": "AWS::Events::Rule", "DeletionPolicy": "Retain"},
    }});
    let moves = map(&[("Nightly", "Daily")]);
    let ids = map(&[("Nightly", "orders-Nightly-1X")]);
    let course = Course::new(&before, &moves, &ids, &BTreeMap::new());
    assert!(!course.is_prepared());
    let prepared = course.prepared();
    let outputs = map(&[("StackctlMovingNightlyArn", "arn:aws:events:rule")]);
    let course = Course::new(&prepared, &moves, &ids, &outputs);
    let without = course.without().expect("it can leave");
    let Some(UnderWay::Away(away)) = under_way(&without) else {
        panic!("{without:#?}");
    };
    assert_eq!(
        away.moves["Daily"].by,
        map(&[("Arn", "arn:aws:events:rule")])
    );
}

#[test]
fn a_secret_is_not_written_down() {
    let before = json!({"Resources": {
        "Client": {"Type": "AWS::Cognito::UserPoolClient"},
        "Reader": {"Type": "AWS::SSM::Parameter", "Properties": {
            "Value": {"Fn::GetAtt": ["Client", "ClientSecret"]},
        }},
    }});
    let moves = map(&[("Client", "App")]);
    let ids = map(&[("Client", "1x")]);
    let course = Course::new(&before, &moves, &ids, &BTreeMap::new());
    let told = course.hindrance().expect("it is refused");
    assert!(told.contains("ClientSecret of Client"), "{told}");
}

#[test]
fn what_is_referred_to_in_an_unknown_way_does_not_leave() {
    let mut before = before();
    before["Resources"]["Orders"]["DeletionPolicy"] = "Retain".into();
    before["Resources"]["Reader"]["Properties"] =
        json!({"Name": {"Fn::GetAtt": ["Orders", {"Ref": "Attribute"}]}});
    let moves = map(&[("Orders", "Sales")]);
    let ids = map(&[("Orders", "orders-1X")]);
    let course = Course::new(&before, &moves, &ids, &BTreeMap::new());
    let told = course.without().expect_err("it is refused");
    assert!(told.contains("refers to Orders"), "{told}");
}

/// Values with references of every kind to four resources.
fn value() -> impl Strategy<Value = Value> {
    let id = prop::sample::select(vec!["A", "B", "C", "D"]);
    let leaf = prop_oneof![
        id.clone().prop_map(|id| json!({"Ref": id})),
        id.clone().prop_map(|id| json!({"Fn::GetAtt": [id, "Arn"]})),
        id.clone()
            .prop_map(|id| json!({"Fn::GetAtt": format!("{id}.Name")})),
        id.clone()
            .prop_map(|id| json!({"Fn::Sub": format!("x${{{id}}}-${{!{id}}}${{{id}.Arn}}")})),
        id.clone()
            .prop_map(|id| json!({"Fn::Sub": [format!("${{{id}}}${{V}}"), {"V": {"Ref": id}}]})),
        id.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::btree_map("[a-c]", inner.clone(), 0..3).prop_map(|map| json!(map)),
            inner.prop_map(|value| json!({"Fn::Join": ["-", [value]]})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever refers to what leaves, nothing does in the template without it, and all of it is as before at the end.
    #[test]
    fn nothing_names_what_is_away(
        values in prop::collection::vec(value(), 5),
        waits in prop::collection::vec(prop::sample::select(vec!["A", "B", "C", "D"]), 0..3),
        both in any::<bool>(),
    ) {
        let mut before = json!({"Resources": {}, "Outputs": {"Told": {"Value": values[4]}}});
        for (id, value) in ["A", "B", "C", "D"].into_iter().zip(&values) {
            before["Resources"][id] =
                json!({"Type": "AWS::SQS::Queue", "Properties": {"Tags": [value]}});
        }
        before["Resources"]["D"]["DependsOn"] = json!(waits);
        let moves: &[(&str, &str)] = if both { &[("A", "X"), ("B", "Y")] } else { &[("A", "X")] };
        let ids: Vec<(&str, &str)> = moves.iter().map(|(from, _)| (*from, "https://q")).collect();
        let templates = course(&before, moves, &ids);
        let [.., without, _, after] = templates.as_slice() else { panic!("{templates:#?}") };
        let names = referenced(&json!([without["Resources"], without["Outputs"]]));
        for (from, _) in moves {
            prop_assert!(!names.contains(*from), "{without:#?}");
            prop_assert!(without["Resources"].get(*from).is_none());
        }
        prop_assert_eq!(after, &renamed(&before, &map(moves)));
    }
}
