//! States with flows inside: maps and parallel branches.

use std::collections::BTreeMap;

use stack_model_cfn::Expr;

use super::StateMachineOperation;
use super::flow::{Flow, Own};
use super::payload::{Expression, Payload};
use super::state::{State, Transition, limit, state_methods};
use crate::limit::Limited;
use crate::policy::Statement;
use crate::s3::{BucketOperation, BucketRef};

/// How many elements a map works on at once; 0 is as many as possible.
pub type MapConcurrency = Limited<0, 10_000>;

/// How many of the elements of a distributed map may fail, in percent.
pub type ToleratedPercentage = Limited<0, 100>;

/// A state that runs several flows at once and goes on when all of them ended. Its result is the list of theirs.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-parallel.html>.
#[derive(Clone, Debug)]
pub struct Parallel {
    state: State,
}

state_methods!(Parallel: transition, paths, output, result, errors);

impl Parallel {
    /// Runs the given flows with the same input.
    pub fn of(branches: impl IntoIterator<Item = Flow>) -> Self {
        let mut state = State::of_kind("Parallel", Transition::Onward);
        state.flows.extend(branches);
        if state.flows.is_empty() {
            state.wrong.push("has no branches".to_owned());
        }
        Self { state }
    }

    /// Makes another input of what the state got.
    #[must_use]
    pub fn parameters(mut self, parameters: impl Into<Payload>) -> Self {
        self.state.payloads.insert("Parameters", parameters.into());
        self
    }
}

/// How the executions of a distributed map run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChildExecutions {
    /// As standard state machines do: for up to a year, and each step exactly once.
    Standard,
    /// As express state machines do: for up to five minutes, and cheaper.
    Express,
}

/// Where a distributed map finds its elements.
#[derive(Clone, Debug)]
pub struct ItemReader {
    resource: &'static str,
    config: BTreeMap<String, Expr>,
    parameters: Payload,
    statements: Vec<Statement>,
}

impl ItemReader {
    /// Reads the elements of a list in a JSON object of a bucket.
    pub fn json(bucket: &BucketRef, key: impl Into<Payload>) -> Self {
        Self::object(bucket, key.into(), "JSON", [])
    }

    /// Reads the lines of a JSON Lines object of a bucket.
    pub fn json_lines(bucket: &BucketRef, key: impl Into<Payload>) -> Self {
        Self::object(bucket, key.into(), "JSONL", [])
    }

    /// Reads the rows of a CSV object of a bucket, whose first row names the columns.
    pub fn csv(bucket: &BucketRef, key: impl Into<Payload>) -> Self {
        Self::object(
            bucket,
            key.into(),
            "CSV",
            [("CSVHeaderLocation", "FIRST_ROW")],
        )
    }

    /// Lists the objects of a bucket whose keys begin with a prefix.
    pub fn objects(bucket: &BucketRef, prefix: &str) -> Self {
        Self {
            resource: "listObjectsV2",
            config: BTreeMap::new(),
            parameters: Payload::object([
                ("Bucket", Payload::from(bucket.name())),
                ("Prefix", prefix.into()),
            ]),
            statements: bucket.statements_under(prefix, &[BucketOperation::List]),
        }
    }

    fn object<const N: usize>(
        bucket: &BucketRef,
        key: Payload,
        input_type: &str,
        more: [(&str, &str); N],
    ) -> Self {
        let mut config = BTreeMap::from([("InputType".to_owned(), Expr::from(input_type))]);
        config.extend(more.map(|(name, value)| (name.to_owned(), value.into())));
        Self {
            resource: "getObject",
            config,
            parameters: Payload::object([("Bucket", bucket.name().into()), ("Key", key)]),
            statements: bucket.statements(&[BucketOperation::Get]),
        }
    }

    fn render(&self) -> Expr {
        let mut entries = BTreeMap::from([(
            "Resource".to_owned(),
            Expr::from(format!("arn:aws:states:::s3:{}", self.resource)),
        )]);
        if !self.config.is_empty() {
            entries.insert("ReaderConfig".to_owned(), Expr::Map(self.config.clone()));
        }
        self.parameters.put("Parameters", &mut entries);
        Expr::Map(entries)
    }
}

/// A state that does the same with every element of a list. Its result is the list of results.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-map.html>.
#[derive(Clone, Debug)]
pub struct Map {
    state: State,
}

state_methods!(Map: transition, paths, output, result, errors);

impl Map {
    /// Does what a flow says with every element, within this execution. The flow's input is the element.
    #[must_use]
    pub fn each(flow: Flow) -> Self {
        let mode = BTreeMap::from([("Mode".to_owned(), "INLINE".into())]);
        Self::with_processor(flow, mode)
    }

    /// Does what a flow says with every element, each in an execution of its own, for up to millions of elements.
    ///
    /// See <https://docs.aws.amazon.com/step-functions/latest/dg/state-map-distributed.html>.
    #[must_use]
    pub fn distributed(flow: Flow, executions: ChildExecutions) -> Self {
        let kind = match executions {
            ChildExecutions::Standard => "STANDARD",
            ChildExecutions::Express => "EXPRESS",
        };
        let mode = BTreeMap::from([
            ("ExecutionType".to_owned(), kind.into()),
            ("Mode".to_owned(), "DISTRIBUTED".into()),
        ]);
        let mut map = Self::with_processor(flow, mode);
        let start = Statement::allow([StateMachineOperation::Start.action()]);
        let watch = Statement::allow([
            StateMachineOperation::DescribeExecution.action(),
            StateMachineOperation::StopExecution.action(),
        ]);
        map.state.own.push((Own::StateMachine, start));
        map.state.own.push((Own::Executions, watch));
        map
    }

    fn with_processor(flow: Flow, mode: BTreeMap<String, Expr>) -> Self {
        let mut state = State::of_kind("Map", Transition::Onward);
        state.flows.push(flow);
        state.processor = Some(mode);
        Self { state }
    }

    /// Takes the elements from a list in the input, at a path or, in `JSONata`, of an expression.
    #[must_use]
    pub fn items(mut self, items: impl Into<Expression>) -> Self {
        self.state.set_from("Items", "ItemsPath", &items.into());
        self
    }

    /// Takes the elements from a bucket; for distributed maps only.
    #[must_use]
    pub fn reader(mut self, reader: ItemReader) -> Self {
        self.state.set("ItemReader", reader.render());
        self.state.statements.extend(reader.statements);
        self
    }

    /// Writes the results below a prefix of a bucket, instead of into the result; for distributed maps only.
    #[must_use]
    pub fn results_to(mut self, bucket: &BucketRef, prefix: &str) -> Self {
        let parameters = Expr::map([
            ("Bucket", bucket.name().into()),
            ("Prefix", Expr::from(prefix)),
        ]);
        let resource = Expr::from("arn:aws:states:::s3:putObject");
        let writer = Expr::map([("Parameters", parameters), ("Resource", resource)]);
        self.state.set("ResultWriter", writer);
        self.state
            .statements
            .extend(bucket.statements_under(prefix, &[BucketOperation::Put, BucketOperation::Get]));
        self
    }

    /// Makes another input for the flow of each element, which stands at
    /// [`context::MAP_ITEM_VALUE`](super::context::MAP_ITEM_VALUE).
    #[must_use]
    pub fn item_selector(mut self, selector: impl Into<Payload>) -> Self {
        self.state.payloads.insert("ItemSelector", selector.into());
        self
    }

    /// Works on so many elements at once; as many as possible by default, which is AWS's.
    #[must_use]
    pub fn max_concurrency(mut self, concurrency: impl Into<MapConcurrency>) -> Self {
        let concurrency: MapConcurrency = concurrency.into();
        self.state
            .wrong
            .extend(limit("MaxConcurrency", concurrency));
        self.state.set("MaxConcurrency", concurrency.number());
        self
    }

    /// Goes on although so many percent of the elements failed; for distributed maps only.
    #[must_use]
    pub fn tolerated_failure_percentage(
        mut self,
        percentage: impl Into<ToleratedPercentage>,
    ) -> Self {
        let percentage: ToleratedPercentage = percentage.into();
        self.state
            .wrong
            .extend(limit("ToleratedFailurePercentage", percentage));
        self.state
            .set("ToleratedFailurePercentage", percentage.number());
        self
    }

    /// Hands several elements at once to an execution, as `Items`; for distributed maps only.
    #[must_use]
    pub fn batches_of(mut self, elements: u32) -> Self {
        let batcher = Expr::map([("MaxItemsPerBatch", Expr::from(elements))]);
        self.state.set("ItemBatcher", batcher);
        self
    }
}
