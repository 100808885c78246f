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
                assert_eq!(hindrances(&deployed, &moves), Hindrances::default());
                let none = BTreeSet::new();
                let course = Course::new(&deployed, &moves, &ids, &outputs, &none);
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
            "StackctlMoving1": {"Value": {"Fn::GetAtt": ["Orders", "Arn"]}},
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
          },
          "written": {
            "Outputs": {
              "TableName": "8693f9e3e555532280f87222"
            },
            "Resources": {
              "Reader": "0fefbd56837d77701cd5f1e2",
              "Waiting": "299965a1c1ace6e8775ece70"
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
    let prepared =
        Course::new(&before(), &moves, &ids, &BTreeMap::new(), &BTreeSet::new()).prepared();
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
    let none = BTreeSet::new();
    let course = Course::new(&before, &moves, &ids, &BTreeMap::new(), &none);
    assert!(!course.is_prepared());
    let prepared = course.prepared();
    let outputs = map(&[("StackctlMoving1", "arn:aws:events:rule")]);
    let course = Course::new(&prepared, &moves, &ids, &outputs, &none);
    let without = course.without().expect("it can leave");
    let Some(UnderWay::Away(away)) = under_way(&without) else {
        panic!("{without:#?}");
    };
    assert_eq!(
        away.moves["Daily"].by,
        map(&[("Arn", "arn:aws:events:rule")])
    );
}

/// Says why resources are not renamed.
fn hindered(before: &Value, moves: &[(&str, &str)]) -> BTreeMap<String, String> {
    hindrances(before, &map(moves)).reasons
}

#[test]
fn what_no_text_can_stand_for_does_not_leave() {
    let reader =
        |value: Value| json!({"Type": "AWS::SSM::Parameter", "Properties": {"Value": value}});
    for (resource_type, value, part) in [
        (
            "AWS::Cognito::UserPoolClient",
            json!({"Fn::GetAtt": ["Old", "ClientSecret"]}),
            "ClientSecret of Old, and a secret",
        ),
        (
            "AWS::Route53::HostedZone",
            json!({"Fn::Join": [",", {"Fn::GetAtt": "Old.NameServers"}]}),
            "NameServers of Old, which is no text",
        ),
        (
            "AWS::SQS::Queue",
            json!({"Fn::GetAtt": ["Old", {"Ref": "Attribute"}]}),
            "refers to Old in a way that no text can stand for",
        ),
    ] {
        let before = json!({"Resources": {
            "Old": {"Type": resource_type},
            "Reader": reader(value),
            "Other": reader(json!({"Ref": "Old"})),
        }});
        let told = hindered(&before, &[("Old", "New")]);
        assert!(told["Old"].contains(part), "{told:?}");
    }
    let before = json!({"Resources": {
        "Old": {"Type": "AWS::SecretsManager::Secret"},
        "Reader": reader(json!({"Fn::Join": ["", [{"Ref": "Old"}, {"Fn::GetAtt": ["Old", "Id"]}]]})),
    }});
    assert_eq!(hindered(&before, &[("Old", "New")]), BTreeMap::new());
}

#[test]
fn every_template_on_the_way_fits() {
    let with = |bytes: usize| {
        let mut before = before();
        before["Description"] = "x".repeat(bytes).into();
        hindrances(&before, &map(&[("Orders", "Sales")]))
    };
    assert_eq!(with(40_000), Hindrances::default());
    // What a call takes is passed by the template in which the table is back, and by no other.
    let found = with(50_000);
    assert!(found.reasons.is_empty(), "{found:?}");
    assert!(found.in_bucket.is_some_and(|size| size > 51_200));
    let found = with(999_000);
    assert!(
        found.reasons["Orders"].contains("more than the 1000000"),
        "{found:?}"
    );
    let mut before = before();
    for at in 0..199 {
        before["Outputs"][format!("Output{at}")] = json!({"Value": "x"});
    }
    let told = hindered(&before, &[("Orders", "Sales")]);
    assert!(told["Orders"].contains("202 outputs"), "{told:?}");
}

#[test]
fn outputs_of_ones_own_stay_whatever_they_are_called() {
    let mut before = before();
    before["Outputs"]["StackctlMoving1"] = json!({"Value": "mine"});
    before["Outputs"]["StackctlMovingOrdersArn"] = json!({"Value": "mine too"});
    let templates = course(&before, &[("Orders", "Sales")], &[("Orders", "orders-1X")]);
    let outputs = templates[0]["Outputs"].as_object().expect("there are some");
    let keys: Vec<&String> = outputs.keys().collect();
    assert_eq!(keys.len(), 5, "{keys:?}");
    let renamed = renamed(&before, &map(&[("Orders", "Sales")]));
    assert_eq!(templates.last(), Some(&renamed));
    before["Outputs"]["StackctlMoving"] = json!({"Value": "mine"});
    let told = hindered(&before, &[("Orders", "Sales")]);
    assert!(told["Orders"].contains("give it another name"), "{told:?}");
}

#[test]
fn a_variable_of_the_name_of_a_resource_is_none_of_it() {
    let mut before = before();
    before["Resources"]["Reader"]["Properties"] =
        json!({"Name": {"Fn::Sub": ["${Orders}-${Orders.Arn}", {"Orders": {"Ref": "Orders"}}]}});
    let templates = course(&before, &[("Orders", "Sales")], &[("Orders", "orders-1X")]);
    assert_eq!(
        templates[1]["Resources"]["Reader"]["Properties"],
        json!({
            "Name": {"Fn::Sub": [format!("${{Orders}}-{ARN}"), {"Orders": "orders-1X"}]},
        })
    );
    let renamed = renamed(&before, &map(&[("Orders", "Sales")]));
    assert_eq!(templates.last(), Some(&renamed));
}

/// Whatever somebody changed since the course wrote it stays as it is, and all else becomes what it was.
#[test]
fn what_somebody_changed_on_the_way_stays() {
    let templates = course(
        &before(),
        &[("Orders", "Sales")],
        &[("Orders", "orders-1X")],
    );
    let [prepared, without, imported, after] = templates.as_slice() else {
        panic!("four updates: {templates:#?}");
    };
    let memory = |template: &mut Value| {
        template["Resources"]["Reader"]["Properties"]["MemorySize"] = 512.into();
    };
    let back = |template: &Value| match under_way(template) {
        Some(UnderWay::Back(template)) => template,
        other => panic!("{other:#?}"),
    };

    // Before anything left.
    let mut theirs = prepared.clone();
    memory(&mut theirs);
    theirs["Resources"]["Orders"]["Properties"]["BillingMode"] = "PROVISIONED".into();
    let mut expected = before();
    memory(&mut expected);
    expected["Resources"]["Orders"]["Properties"]["BillingMode"] = "PROVISIONED".into();
    assert_eq!(undone(&theirs), expected);
    theirs["Resources"]["Orders"]["DeletionPolicy"] = "Snapshot".into();
    expected["Resources"]["Orders"]["DeletionPolicy"] = "Snapshot".into();
    assert_eq!(undone(&theirs), expected);

    // While it is away, and once it is back.
    let mut away = without.clone();
    memory(&mut away);
    away["Outputs"]["TableName"]["Description"] = "theirs".into();
    let (restored, _) = restored(&away).expect("it left");
    let mut expected = after.clone();
    expected["Resources"]["Reader"] = away["Resources"]["Reader"].clone();
    expected["Outputs"]["TableName"] = away["Outputs"]["TableName"].clone();
    assert_eq!(restored, expected);
    let Some(UnderWay::Away(coming)) = under_way(&away) else {
        panic!("{away:#?}");
    };
    assert_eq!(back(&coming.template), expected);

    // What they removed is not made again.
    let mut less = imported.clone();
    for id in ["Reader", "Waiting"] {
        less["Resources"]
            .as_object_mut()
            .expect("is one")
            .remove(id);
    }
    less["Resources"]["Sales"]["Properties"]["BillingMode"] = "PROVISIONED".into();
    let restored = back(&less);
    assert!(restored["Resources"].get("Reader").is_none());
    assert!(restored["Resources"].get("Waiting").is_none());
    assert_eq!(
        restored["Resources"]["Sales"],
        json!({
            "Type": "AWS::DynamoDB::Table",
            "DeletionPolicy": "Delete",
            "Properties": {"BillingMode": "PROVISIONED"},
        })
    );

    // Nothing left, and somebody removed it from the template.
    let mut gone = prepared.clone();
    gone["Resources"]
        .as_object_mut()
        .expect("is one")
        .remove("Orders");
    assert_eq!(under_way(&gone), None);
    assert!(undone(&gone)["Resources"].get("Orders").is_none());
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
