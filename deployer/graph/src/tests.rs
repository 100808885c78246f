//! What is drawn of a template, and how.

mod compare;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::layout::{GAP, NODE, lay_out};
use crate::{Graph, Template};

fn system() -> [Value; 2] {
    let data = json!({
        "Resources": {
            "Orders": {"Type": "AWS::DynamoDB::Table"},
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {
                "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}},
            }},
            "Dead": {"Type": "AWS::SQS::Queue"},
            "Policy": {"Type": "AWS::SQS::QueuePolicy", "Properties": {"Queues": [{"Ref": "Queue"}]}},
        },
        "Outputs": {
            "Name": {"Value": {"Ref": "Orders"}, "Export": {"Name": "data-dev-Orders"}},
        },
    });
    let api = json!({
        "Resources": {
            "Api": {"Type": "AWS::ApiGateway::RestApi"},
            "Path": {"Type": "AWS::ApiGateway::Resource", "Properties": {
                "PathPart": "orders",
                "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
            }},
            "Post": {"Type": "AWS::ApiGateway::Method", "Properties": {
                "HttpMethod": "POST",
                "RestApiId": {"Ref": "Api"},
                "ResourceId": {"Ref": "Path"},
                "Integration": {"Type": "AWS_PROXY", "Uri": {"Fn::Sub": "functions/${Take.Arn}/invocations"}},
            }},
            "Preflight": {"Type": "AWS::ApiGateway::Method", "Properties": {"Integration": {"Type": "MOCK"}}},
            "Take": {"Type": "AWS::Lambda::Function", "Properties": {
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Environment": {"Variables": {"TABLE": {"Fn::ImportValue": "data-dev-Orders"}}},
            }},
            "Work": {"Type": "AWS::Lambda::Function"},
            "Own": {"Type": "AWS::SQS::Queue"},
            "Trigger": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
                "EventSourceArn": {"Fn::GetAtt": "Own.Arn"},
                "FunctionName": {"Ref": "Work"},
            }},
            "Role": {"Type": "AWS::IAM::Role"},
        },
    });
    [data, api]
}

fn graph() -> Graph {
    let [data, api] = system();
    Graph::of(&[
        Template {
            stack: "data-dev",
            json: &data,
        },
        Template {
            stack: "api-dev",
            json: &api,
        },
    ])
}

#[test]
fn plumbing_becomes_arrows_and_imports_are_followed() {
    let edges: Vec<String> = graph()
        .edges()
        .iter()
        .map(|(from, to)| {
            format!(
                "{}/{} -> {}/{}",
                from.stack, from.logical_id, to.stack, to.logical_id
            )
        })
        .collect();
    assert_eq!(
        edges,
        [
            "api-dev/Api -> api-dev/Post",
            "api-dev/Own -> api-dev/Work",
            "api-dev/Post -> api-dev/Take",
            "api-dev/Take -> data-dev/Orders",
            "data-dev/Queue -> data-dev/Dead",
        ]
    );
    let graph = graph();
    let labels: Vec<&str> = graph
        .nodes()
        .values()
        .map(|node| node.label.as_str())
        .collect();
    assert_eq!(
        labels,
        [
            "Api",
            "Own",
            "POST /orders",
            "Take",
            "Work",
            "Dead",
            "Orders",
            "Queue"
        ]
    );
}

#[test]
fn mermaid_and_graphviz_get_the_same_graph() {
    insta::assert_snapshot!(graph().mermaid(), @r#"
    flowchart LR
        subgraph s1["api-dev"]
            n1["Api<br><small>ApiGateway RestApi</small>"]
            n2["Own<br><small>SQS Queue</small>"]
            n3["POST /orders<br><small>ApiGateway Method</small>"]
            n4["Take<br><small>Lambda Function</small>"]
            n5["Work<br><small>Lambda Function</small>"]
        end
        subgraph s2["data-dev"]
            n6["Dead<br><small>SQS Queue</small>"]
            n7["Orders<br><small>DynamoDB Table</small>"]
            n8["Queue<br><small>SQS Queue</small>"]
        end
        n1 --> n3
        n2 --> n5
        n3 --> n4
        n4 --> n7
        n8 --> n6
    "#);
    insta::assert_snapshot!(graph().dot(), @r#"
    digraph stacks {
        rankdir=LR;
        node [shape=box, style=rounded];
        subgraph "cluster_api-dev" {
            label="api-dev";
            "api-dev/Api" [label="Api\nApiGateway RestApi"];
            "api-dev/Own" [label="Own\nSQS Queue"];
            "api-dev/Post" [label="POST /orders\nApiGateway Method"];
            "api-dev/Take" [label="Take\nLambda Function"];
            "api-dev/Work" [label="Work\nLambda Function"];
        }
        subgraph "cluster_data-dev" {
            label="data-dev";
            "data-dev/Dead" [label="Dead\nSQS Queue"];
            "data-dev/Orders" [label="Orders\nDynamoDB Table"];
            "data-dev/Queue" [label="Queue\nSQS Queue"];
        }
        "api-dev/Api" -> "api-dev/Post";
        "api-dev/Own" -> "api-dev/Work";
        "api-dev/Post" -> "api-dev/Take";
        "api-dev/Take" -> "data-dev/Orders";
        "data-dev/Queue" -> "data-dev/Dead";
    }
    "#);
}

#[test]
fn a_drawing_is_the_same_every_time() {
    let first = graph().svg("orders");
    // The layout uses hash maps, which are seeded anew every time.
    for _ in 0..50 {
        assert_eq!(graph().svg("orders"), first);
    }
    // Every node has its frame, and every stack.
    assert_eq!(first.matches("<rect ").count(), 8 + 2);
    assert_eq!(first.matches("class=\"arrow\"").count(), 4);
    assert_eq!(first.matches("class=\"arrow between\"").count(), 1);
    assert!(!first.contains("inf") && !first.contains("NaN"));
    for text in ["POST /orders", "DynamoDB Table", "data-dev", "<title>"] {
        assert!(first.contains(text), "{text}");
    }
}

#[test]
fn a_cycle_is_drawn_and_texts_are_escaped() {
    let template = json!({"Resources": {
        "A": {"Type": "AWS::SQS::Queue", "Properties": {"Next": {"Ref": "B"}}},
        "B": {"Type": "AWS::SQS::Queue", "Properties": {"Next": {"Ref": "C"}}},
        "C": {"Type": "AWS::SQS::Queue", "Properties": {"Next": [{"Ref": "A"}, {"Ref": "C"}, {"Ref": "Nowhere"}]}},
        "D": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {"RouteKey": "GET /<script>&\""}},
    }});
    let graph = Graph::of(&[Template {
        stack: "round",
        json: &template,
    }]);
    assert_eq!(graph.edges().len(), 3);
    let svg = graph.svg("a <b> & c");
    assert!(
        !svg.contains("<script>") && svg.contains("&lt;script&gt;"),
        "{svg}"
    );
    assert!(svg.contains("a &lt;b&gt; &amp; c"), "{svg}");
    assert!(graph.mermaid().contains("&lt;script&gt;&amp;&quot;"));
}

#[test]
fn nothing_is_drawn_of_nothing() {
    let graph = Graph::of(&[Template {
        stack: "empty",
        json: &json!({}),
    }]);
    assert!(graph.nodes().is_empty());
    assert!(graph.svg("nothing").starts_with("<svg"));
}

/// Returns a stack in which each function names the next one.
fn chain(length: usize) -> Value {
    let resources = (0..length).map(|number| {
        let next = json!({"Fn::GetAtt": [format!("F{}", number + 1), "Arn"]});
        let variables = json!({ "NEXT": next });
        let properties = if number + 1 < length {
            json!({"Environment": {"Variables": variables}})
        } else {
            json!({})
        };
        let function = json!({"Type": "AWS::Lambda::Function", "Properties": properties});
        (format!("F{number}"), function)
    });
    json!({"Resources": resources.collect::<serde_json::Map<_, _>>()})
}

/// A page is not as wide as the longest way through a system, so the way goes on below.
#[test]
fn what_is_wider_than_a_page_goes_on_below() {
    for (length, bands) in [(5, 1), (6, 1), (7, 2), (12, 2), (13, 3)] {
        let json = chain(length);
        let stack = "chain-dev";
        let graph = Graph::of(&[Template { stack, json: &json }]);
        let layout = lay_out(&graph);
        assert_eq!(layout.nodes.len(), length);
        let widest = 6.0 * NODE.width + 5.0 * GAP + 100.0;
        assert!(layout.size.width <= widest, "{length}: {:?}", layout.size);
        let numbers: BTreeSet<usize> = layout.bands.values().map(|band| band.number).collect();
        assert_eq!(numbers, (0..bands).collect(), "{length}");
        // Nothing stands on anything else, and nothing on the lanes between bands.
        let areas: Vec<_> = layout.nodes.values().collect();
        for (position, one) in areas.iter().enumerate() {
            for other in &areas[position + 1..] {
                let apart =
                    (one.x - other.x).abs() >= NODE.width || (one.y - other.y).abs() >= NODE.height;
                assert!(apart, "{length}: {one:?} {other:?}");
            }
            for band in layout.bands.values() {
                let free = band.lane <= one.y || band.lane >= one.y + NODE.height;
                assert!(free, "{length}: {band:?} {one:?}");
            }
        }
    }
}

/// Stacks that do not fit beside each other stand below each other, those first that use the others.
#[test]
fn stacks_that_do_not_fit_beside_each_other_stand_below_each_other() {
    let mut first = chain(6);
    first["Resources"]["F5"]["Properties"] =
        json!({"Environment": {"Variables": {"NEXT": {"Fn::ImportValue": "second-F0"}}}});
    let mut second = chain(6);
    second["Outputs"] = json!({"F0": {
        "Value": {"Fn::GetAtt": ["F0", "Arn"]}, "Export": {"Name": "second-F0"},
    }});
    let graph = Graph::of(&[
        Template {
            stack: "a-second",
            json: &second,
        },
        Template {
            stack: "b-first",
            json: &first,
        },
    ]);
    let layout = lay_out(&graph);
    let (above, below) = (layout.stacks["b-first"], layout.stacks["a-second"]);
    assert!(below.y >= above.y + above.size.height, "{layout:?}");
    assert_eq!(above.x.total_cmp(&below.x), std::cmp::Ordering::Equal);
    let numbers: BTreeSet<usize> = layout.bands.values().map(|band| band.number).collect();
    assert_eq!(numbers, BTreeSet::from([0, 1]));
}

#[test]
fn what_names_an_alias_means_its_function() {
    let orders = json!({
        "Resources": {
            "Own": {"Type": "AWS::SQS::Queue"},
            "Trigger": {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {
                "EventSourceArn": {"Fn::GetAtt": "Own.Arn"},
                "FunctionName": {"Ref": "WorkAlias"},
            }},
            "Work": {"Type": "AWS::Lambda::Function"},
            "WorkVersion": {"Type": "AWS::Lambda::Version", "Properties": {"FunctionName": {"Ref": "Work"}}},
            "WorkAlias": {"Type": "AWS::Lambda::Alias", "Properties": {
                "FunctionName": {"Ref": "Work"},
                "FunctionVersion": {"Fn::GetAtt": ["WorkVersion", "Version"]},
            }},
        },
        "Outputs": {
            "Work": {"Value": {"Ref": "WorkAlias"}, "Export": {"Name": "orders-dev-Work"}},
        },
    });
    let callers = json!({
        "Resources": {
            "Rule": {"Type": "AWS::Events::Rule", "Properties": {
                "Targets": [{"Arn": {"Fn::ImportValue": "orders-dev-Work"}}],
            }},
        },
    });
    let graph = Graph::of(&[
        Template {
            stack: "orders-dev",
            json: &orders,
        },
        Template {
            stack: "callers-dev",
            json: &callers,
        },
    ]);
    let edges: Vec<String> = graph
        .edges()
        .iter()
        .map(|(from, to)| format!("{} -> {}", from.logical_id, to.logical_id))
        .collect();
    assert_eq!(edges, ["Rule -> Work", "Own -> Work"]);
}
