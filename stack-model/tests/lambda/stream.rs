use serde_json::json;
use stack_model::Stack;
use stack_model::contract::{
    Accepts, FunctionContract, KeyAttribute, KeyKind, TableItem, TableSchema, Wired, event,
};
use stack_model::dynamodb::{StreamView, TableProps, TableRef};
use stack_model::events::Match;
use stack_model::lambda::{
    ChangeKind, FunctionProps, FunctionRef, RecordFilter, StreamStart, StreamTrigger,
};
use stack_model::sns::{self, TopicProps};
use stack_model::sqs::{Fifo, QueueProps};

use crate::support::{dev, resources, violations};

struct Setting;

impl TableItem for Setting {
    fn schema() -> TableSchema {
        TableSchema {
            partition_key: KeyAttribute {
                name: "PK".to_owned(),
                kind: KeyKind::String,
            },
            sort_key: None,
            indexes: Vec::new(),
            time_to_live: None,
        }
    }
}

struct Changed;

impl FunctionContract for Changed {
    const PACKAGE: &'static str = "coffee";
    const BINARY: &'static str = "coffee-config-changed";
}

impl Accepts<event::TableChanges<Setting>> for Changed {}

fn function(stack: &mut Stack<'_>) -> FunctionRef<Changed> {
    stack.function("Changed", Wired::new(Vec::new()), FunctionProps::default())
}

fn table(stack: &mut Stack<'_>, stream: Option<StreamView>) -> TableRef<Setting> {
    let props = TableProps {
        stream,
        ..TableProps::default()
    };
    stack.table::<Setting>("Config", props)
}

fn wrong(
    make: impl FnOnce(&mut Stack<'_>, StreamTrigger<Setting>) -> StreamTrigger<Setting>,
) -> Vec<String> {
    violations(dev(), |stack| {
        let function = function(stack);
        let table = table(stack, Some(StreamView::NewImage));
        let trigger = make(stack, table.changes());
        stack.trigger(&function, trigger);
    })
}

#[test]
fn a_function_reads_the_stream_of_a_table() {
    let resources = resources(dev(), |stack| {
        let function = function(stack);
        let table = table(stack, Some(StreamView::NewAndOldImages));
        stack.trigger(&function, table.changes().batches_of(1));
    });
    assert_eq!(
        resources["ChangedConfigTrigger"],
        json!({
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "BatchSize": 1,
                "EventSourceArn": {"Fn::GetAtt": ["Config", "StreamArn"]},
                "FunctionName": {"Fn::GetAtt": ["Changed", "Arn"]},
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "StartingPosition": "TRIM_HORIZON",
            },
        })
    );
    assert_eq!(
        resources["ChangedRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][1],
        json!({
            "Effect": "Allow",
            "Action": [
                "dynamodb:DescribeStream",
                "dynamodb:GetRecords",
                "dynamodb:GetShardIterator",
                "dynamodb:ListStreams",
            ],
            "Resource": {"Fn::GetAtt": ["Config", "StreamArn"]},
        })
    );
}

#[test]
fn every_choice_reaches_the_mapping() {
    let resources = resources(dev(), |stack| {
        let function = function(stack);
        let table = table(stack, Some(StreamView::NewAndOldImages));
        let lost = stack.queue::<String>("Lost", QueueProps::default());
        let trigger = table
            .changes()
            .batches_of(1000)
            .window(5)
            .starting(StreamStart::Newest)
            .filter(
                RecordFilter::changes([ChangeKind::Insert, ChangeKind::Modify])
                    .new_text("a.b", [Match::prefix("x")])
                    .old_text("c", [Match::anything_but(["y"])])
                    .key_text("PK", [Match::exact("config")]),
            )
            .filter(RecordFilter::expired())
            .bisecting()
            .attempts(5)
            .maximum_age(3600)
            .in_parallel(10)
            .on_failure(&lost);
        stack.trigger(&function, trigger);
    });
    assert_eq!(
        resources["ChangedConfigTrigger"]["Properties"],
        json!({
            "BatchSize": 1000,
            "BisectBatchOnFunctionError": true,
            "DestinationConfig": {"OnFailure": {"Destination": {"Fn::GetAtt": ["Lost", "Arn"]}}},
            "EventSourceArn": {"Fn::GetAtt": ["Config", "StreamArn"]},
            "FilterCriteria": {"Filters": [
                {"Pattern": r#"{"dynamodb":{"Keys":{"PK":{"S":["config"]}},"NewImage":{"a.b":{"S":[{"prefix":"x"}]}},"OldImage":{"c":{"S":[{"anything-but":["y"]}]}}},"eventName":["INSERT","MODIFY"]}"#},
                {"Pattern": r#"{"eventName":["REMOVE"],"userIdentity":{"principalId":["dynamodb.amazonaws.com"],"type":["Service"]}}"#},
            ]},
            "FunctionName": {"Fn::GetAtt": ["Changed", "Arn"]},
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
            "MaximumBatchingWindowInSeconds": 5,
            "MaximumRecordAgeInSeconds": 3600,
            "MaximumRetryAttempts": 5,
            "ParallelizationFactor": 10,
            "StartingPosition": "LATEST",
        })
    );
    assert_eq!(
        resources["ChangedRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][2],
        json!({
            "Effect": "Allow",
            "Action": "sqs:SendMessage",
            "Resource": {"Fn::GetAtt": ["Lost", "Arn"]},
        })
    );
}

#[test]
fn a_table_without_a_stream_triggers_nothing() {
    let found = violations(dev(), |stack| {
        let function = function(stack);
        let table = table(stack, None);
        stack.trigger(&function, table.changes());
    });
    assert_eq!(
        found,
        [
            "orders / ChangedRole: the table `Config` has no stream: give `TableProps::stream` a view"
        ]
    );
}

#[test]
fn what_lambda_does_not_take_is_reported() {
    assert_eq!(
        wrong(|_, trigger| trigger.batches_of(10_001).window(301).in_parallel(11)),
        [
            "orders / ChangedConfigTrigger / Properties.BatchSize: 10001 is not between 1 and 10000",
            "orders / ChangedConfigTrigger / Properties.MaximumBatchingWindowInSeconds: 301 is not between 0 and 300",
            "orders / ChangedConfigTrigger / Properties.ParallelizationFactor: 11 is not between 1 and 10",
        ]
    );
    assert_eq!(
        wrong(|stack, trigger| {
            let lost = stack.queue::<String>("Lost", QueueProps::default());
            trigger.on_failure(&lost)
        }),
        [
            "orders / ChangedConfigTrigger / Properties.DestinationConfig: nothing is given up before it leaves the stream: say when with `attempts(..)` or `maximum_age(..)`"
        ]
    );
    assert_eq!(
        wrong(|stack, trigger| {
            let fifo = QueueProps {
                fifo: Some(Fifo::default()),
                ..QueueProps::default()
            };
            let lost = stack.queue::<String>("Lost", fifo);
            trigger.on_failure(&lost).attempts(1)
        }),
        [
            "orders / ChangedConfigTrigger: the FIFO queue `Lost` cannot take these dead letters: use a standard queue"
        ]
    );
    assert_eq!(
        wrong(|stack, trigger| {
            let fifo = TopicProps {
                fifo: Some(sns::Fifo::default()),
                ..TopicProps::default()
            };
            let lost = stack.topic::<String>("Lost", fifo);
            trigger.on_failure(&lost).attempts(1)
        }),
        [
            "orders / ChangedConfigTrigger: Lambda sends failures to no FIFO topic: use a standard one"
        ]
    );
}

#[test]
fn filters_are_checked_as_lambda_reads_them() {
    let found = wrong(|_, trigger| {
        trigger
            .filter(RecordFilter::body("state", [Match::exact("x")]))
            .filter(
                RecordFilter::changes([ChangeKind::Insert]).new_text("a", [Match::wildcard("a*")]),
            )
            .filter(RecordFilter::changes([]).new_text("a", [Match::no_prefix(["a"])]))
            .filter(RecordFilter::json(json!({"dynamodb": "x"})))
    });
    assert_eq!(
        found,
        [
            "orders / ChangedConfigTrigger / Properties.FilterCriteria: the records have no field `body`, so nothing would get through: they have eventName, dynamodb, userIdentity, eventID, eventSource",
            "orders / ChangedConfigTrigger / Properties.FilterCriteria: the pattern is wrong at `dynamodb.NewImage.a.S`: an event source mapping does not know the operator `wildcard`",
            "orders / ChangedConfigTrigger / Properties.FilterCriteria: the pattern is wrong at `dynamodb.NewImage.a.S`: an event source mapping knows `anything-but` with values alone",
            "orders / ChangedConfigTrigger / Properties.FilterCriteria: the pattern is wrong at `eventName`: the list is empty, so nothing would match",
            "orders / ChangedConfigTrigger / Properties.FilterCriteria: the pattern is wrong at `dynamodb`: values stand in a list, even a single one",
        ]
    );
}
