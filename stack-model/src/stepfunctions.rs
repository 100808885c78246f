//! AWS Step Functions: state machines as typed descriptions.
//!
//! A [`Flow`] holds states in the order in which they are described; a state goes on to the one after it, as the
//! statements of a program do, unless it says otherwise. Each type of state has the methods that the Amazon States
//! Language gives it and no others, a state is named once and reached through its handle, paths are checked when the
//! stack compiles, and each [`Task`] brings the permissions that its call needs.
//!
//! A state machine `<Id>` has the execution role `<Id>Role` and, where it records what happens, the log group
//! `<Id>Logs`. What it may do with itself stands in the policy `<Id>SelfPolicy`: a role cannot name a state machine that
//! needs the role.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::panic::Location;

use stack_model_cfn::stepfunctions as cfn;
use stack_model_cfn::{Expr, Pseudo, ResourceId, Token, Value};

use crate::arn::Arn;
use crate::handle::{get_att, reference, typed_handle};
use crate::iam::RoleRef;
use crate::kms::{KeyOperation, KeyRef};
use crate::limit::Limited;
use crate::name::NameRule;
use crate::policy::Statement;
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

mod alias;
mod check;
mod condition;
mod definition;
mod flow;
mod grant;
pub mod intrinsic;
mod nested;
mod path;
mod payload;
mod retry;
mod role;
mod state;
mod task;

pub use alias::{
    Shift, ShiftMinutes, ShiftPercentage, StateMachineAliasProps, StateMachineAliasRef,
};
pub use check::{Finding, StateMachineType, check_definition};
pub use condition::{
    Condition, Operand, OrderedOperand, boolean_at, number_at, text_at, time, time_at,
};
pub use flow::{Flow, StateName, StateRef};
pub use grant::StateMachineOperation;
pub use intrinsic::Argument;
pub use nested::{ChildExecutions, ItemReader, Map, MapConcurrency, Parallel, ToleratedPercentage};
pub use path::{Path, context};
pub use payload::{Expression, Payload, QueryLanguage};
pub use retry::{Catch, MaxAttempts, MaxDelay, Retry, errors};
pub use role::{ExecutionRole, LogLevel, Logging};
pub use state::{Choice, Fail, Pass, Seconds, State, Succeed, Wait};
pub use task::{
    Activity, Attribute, Event, Events, Execution, ExecutionStatus, HandsTokenOn, Http, HttpCall,
    HttpVerb, Invoking, Key, Publishing, Query, ReturnValues, Sdk, Sending, TableAccess, Task,
    UpdateItem,
};

/// Marks the ARN of a state machine.
#[derive(Debug)]
pub enum StateMachine {}

/// How long Step Functions uses a data key before it asks for another, in seconds.
pub type DataKeyReuse = Limited<60, 900>;

/// The largest definition, in bytes; see
/// <https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html>.
const LARGEST: usize = 1_048_576;

/// What a state machine is made of, beyond its definition.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html>.
#[derive(Clone, Debug, Default)]
pub struct StateMachineProps {
    /// How executions run; `Standard` by default, which is AWS's. A state machine never changes its type.
    pub kind: StateMachineType,
    /// The physical name: 1 to 80 letters, digits, `-` and `_`. Leave it out unless something outside the stack needs
    /// it: a named state machine cannot be replaced.
    pub name: Option<Value<String>>,
    /// What the state machine is for, as its definition says it.
    pub comment: Option<String>,
    /// How long an execution may take; a year by default, and five minutes for an express one, which is AWS's.
    pub timeout: Option<Seconds>,
    /// The role that the executions act with; one made for them by default.
    pub role: ExecutionRole,
    /// What is recorded of the executions; errors by default of an express one, which leaves no other trace, and
    /// nothing of a standard one, whose history Step Functions keeps.
    pub logging: Option<Logging>,
    /// Whether AWS X-Ray traces executions; the role then may send traces.
    pub tracing: bool,
    /// A key of the customer's own that encrypts the definition and what executions hold; one of Step Functions' own by
    /// default. Who starts and reads executions then needs the key too, which [`StateMachineRef::statements`] takes care of.
    pub key: Option<KeyRef>,
    /// How long a data key of the customer's key is used; 300 s by default, which is AWS's.
    pub data_key_reuse: Option<DataKeyReuse>,
}

/// What a state machine does: a [`Flow`], or a definition that comes from elsewhere.
#[derive(Debug)]
pub struct Definition {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Flow(Flow),
    Json {
        definition: Expr,
        statements: Vec<Statement>,
    },
}

impl From<Flow> for Definition {
    fn from(flow: Flow) -> Self {
        Self {
            source: Source::Flow(flow),
        }
    }
}

impl Definition {
    /// Takes a definition in the Amazon States Language, which may hold tokens, with what the role must be allowed. It
    /// is checked as any other.
    pub fn json(
        definition: impl Into<Expr>,
        statements: impl IntoIterator<Item = Statement>,
    ) -> Self {
        Self {
            source: Source::Json {
                definition: definition.into(),
                statements: statements.into_iter().collect(),
            },
        }
    }
}

/// The handle of a state machine whose executions start with an input of type `I`.
pub struct StateMachineRef<I> {
    id: ResourceId,
    key: Option<KeyRef>,
    input: PhantomData<fn() -> I>,
}

typed_handle!(StateMachineRef { id, key, input });

impl<I> StateMachineRef<I> {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<StateMachine>> {
        reference(&self.id)
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        get_att(&self.id, "Name")
    }

    /// Returns the ARN of an execution up to the colon before its name.
    pub fn execution_arn_prefix(&self) -> Value<String> {
        text!(
            "arn:{}:states:{}:{}:execution:{}",
            Pseudo::Partition,
            Pseudo::Region,
            Pseudo::AccountId,
            self.name()
        )
    }
}

impl Stack<'_> {
    /// Adds a state machine with its execution role `<Id>Role`, which may do exactly what its tasks do.
    ///
    /// ```
    /// use stack_model::contract::{KeyAttribute, KeyKind, TableItem, TableSchema};
    /// use stack_model::dynamodb::TableProps;
    /// use stack_model::events::EventBusProps;
    /// use stack_model::stepfunctions::{
    ///     Attribute, Catch, Choice, Event, Fail, Flow, Key, StateMachineProps, Task, UpdateItem, context, errors,
    /// };
    /// use stack_model::{path, payload};
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders");
    /// # struct Order;
    /// # struct OrderPlaced;
    /// # impl TableItem for Order {
    /// #     fn schema() -> TableSchema {
    /// #         TableSchema {
    /// #             partition_key: KeyAttribute { name: "id".to_owned(), kind: KeyKind::String },
    /// #             sort_key: None,
    /// #             indexes: Vec::new(),
    /// #             time_to_live: None,
    /// #         }
    /// #     }
    /// # }
    ///
    /// let orders = stack.table::<Order>("Orders", TableProps::default());
    /// let bus = stack.event_bus("Bus", EventBusProps::default());
    ///
    /// let mut flow = Flow::new();
    /// let late = flow.later("Nobody answered");
    /// let refused = flow.later("Refused");
    /// flow.add(
    ///     "Ask for approval",
    ///     Task::put_event(&bus, Event::named("Orders.ApprovalWanted", "orders", payload!({
    ///         "id": path!("$.id"),
    ///         "token": context::TASK_TOKEN,
    ///     })))
    ///     .wait_for_task_token()
    ///     .heartbeat(300)
    ///     .result_path(path!("$.answer"))
    ///     .catch(Catch::on([errors::TIMEOUT], &late)),
    /// );
    /// flow.add("Approved?", Choice::new().when(!path!("$.answer.approved").equals(true), &refused));
    /// flow.add(
    ///     "Record approval",
    ///     Task::update_item(
    ///         &orders,
    ///         UpdateItem::new(Key::of("id", path!("$.id")), "SET approvedBy = :who")
    ///             .only_if("attribute_exists(id)")
    ///             .value(":who", Attribute::text(path!("$.answer.by"))),
    ///     )
    ///     .end(),
    /// );
    /// flow.add(&late, Fail::new("ApprovalTimedOut"));
    /// flow.add(&refused, Fail::new("ApprovalRefused"));
    ///
    /// let approval = stack.state_machine::<OrderPlaced>("Approval", flow, StateMachineProps::default());
    /// stack.output("ApprovalArn", approval.arn());
    /// # app.synth().unwrap_or_else(|violations| panic!("{violations}"));
    /// ```
    #[track_caller]
    pub fn state_machine<I>(
        &mut self,
        logical_id: &str,
        definition: impl Into<Definition>,
        props: StateMachineProps,
    ) -> StateMachineRef<I> {
        let source = Location::caller();
        let names = NameRule {
            min: 1,
            max: 80,
            others: "-_",
        };
        let name = props.name.as_ref();
        self.check_name(
            logical_id,
            "Properties.StateMachineName",
            name,
            names,
            source,
        );
        self.check_limit(
            logical_id,
            "Properties.EncryptionConfiguration.KmsDataKeyReusePeriodSeconds",
            props.data_key_reuse,
            source,
        );
        let machine = self.describe_machine(logical_id, definition.into(), &props, source);
        let (text, substitutions) = self.write_definition(logical_id, &machine.definition, source);

        let logging = self.machine_logging(logical_id, &props, source);
        let mut statements = machine.statements;
        if logging.is_some() {
            statements.push(role::delivery());
        }
        if props.tracing {
            statements.push(role::tracing());
        }
        if let Some(key) = &props.key {
            statements
                .extend(key.statements(&[KeyOperation::Decrypt, KeyOperation::GenerateDataKey]));
        }
        let (role, granting) = self.execution_role(logical_id, props.role);
        if granting {
            self.add_statements(&role, statements, source);
        }
        let express = props.kind == StateMachineType::Express;
        let resource = cfn::StateMachine {
            definition_string: text.into(),
            definition_substitutions: (!substitutions.is_empty()).then_some(substitutions).into(),
            encryption_configuration: props
                .key
                .as_ref()
                .map(|key| cfn::state_machine::EncryptionConfiguration {
                    kms_data_key_reuse_period_seconds: props
                        .data_key_reuse
                        .map(Limited::number)
                        .into(),
                    kms_key_id: key.arn().into_text().into(),
                    type_: "CUSTOMER_MANAGED_KMS_KEY".into(),
                })
                .into(),
            logging_configuration: logging.into(),
            role_arn: role.arn().into_text().into(),
            state_machine_name: props.name.into(),
            state_machine_type: express.then(|| "EXPRESS".to_owned()).into(),
            tracing_configuration: props
                .tracing
                .then(|| cfn::state_machine::TracingConfiguration {
                    enabled: true.into(),
                })
                .into(),
            ..cfn::StateMachine::default()
        };
        let handle = StateMachineRef {
            id: self.insert(logical_id, Resource::of(&resource, source)).id,
            key: props.key,
            input: PhantomData,
        };
        if granting && !machine.own.is_empty() {
            let own = machine.own.into_iter().map(|(own, statement)| match own {
                flow::Own::StateMachine => statement.on(handle.arn()),
                flow::Own::Executions => statement
                    .on(text!("{}:*", handle.execution_arn_prefix()))
                    .because("an execution gets its name when it is started"),
            });
            let own: Vec<Statement> = own.collect();
            self.policy(&format!("{logical_id}SelfPolicy"), &role, own);
        }
        handle
    }

    /// Renders and checks a definition; what is wrong is reported where the state is described.
    fn describe_machine(
        &mut self,
        logical_id: &str,
        definition: Definition,
        props: &StateMachineProps,
        source: &'static Location<'static>,
    ) -> flow::Built {
        let path = Some("Properties.DefinitionString");
        let mut built = match definition.source {
            Source::Flow(flow) => flow.build(QueryLanguage::JsonPath),
            Source::Json {
                definition: Expr::Map(definition),
                statements,
            } => flow::Built {
                definition,
                statements,
                ..flow::Built::default()
            },
            Source::Json { .. } => {
                self.report(
                    logical_id,
                    path,
                    "the definition is not a JSON object",
                    source,
                );
                return flow::Built::default();
            }
        };
        if let Some(comment) = &props.comment {
            built
                .definition
                .insert("Comment".to_owned(), comment.as_str().into());
        }
        if let Some(timeout) = props.timeout {
            self.check_limit(
                logical_id,
                "Properties.DefinitionString",
                Some(timeout),
                source,
            );
            built
                .definition
                .insert("TimeoutSeconds".to_owned(), timeout.number().into());
        }
        for problem in std::mem::take(&mut built.problems) {
            self.report(logical_id, path, problem.message, problem.source);
        }
        let definition = Expr::Map(std::mem::take(&mut built.definition));
        for finding in check_definition(&definition, props.kind) {
            let at = finding
                .state
                .and_then(|state| built.sources.get(&state).copied());
            self.report(logical_id, path, finding.message, at.unwrap_or(source));
        }
        if let Expr::Map(entries) = definition {
            built.definition = entries;
        }
        built
    }

    /// Writes a definition as text.
    ///
    /// It is text and not an object, because a template cannot hold the `null` with which a state drops its result; and
    /// text with placeholders of Step Functions' own, because the text then is plain, and can be read and compared as JSON.
    fn write_definition(
        &mut self,
        logical_id: &str,
        definition: &BTreeMap<String, Expr>,
        source: &Location<'_>,
    ) -> (Value<String>, BTreeMap<String, Value<String>>) {
        let written = definition::write(&Expr::Map(definition.clone()));
        let own = "\"arn:aws:states:::";
        let here = match self.region() {
            region if region.starts_with("cn-") => "\"arn:aws-cn:states:::",
            region if region.starts_with("us-gov-") => "\"arn:aws-us-gov:states:::",
            _ => own,
        };
        let lines: Vec<String> = written
            .lines
            .into_iter()
            .map(|line| line.replace(own, here))
            .collect();
        let size: usize = lines.iter().map(|line| line.len() + 1).sum();
        if size > LARGEST {
            let message = format!(
                "the definition has {size} bytes, and Step Functions takes {LARGEST}: move a part of it into a state machine of its own"
            );
            self.report(
                logical_id,
                Some("Properties.DefinitionString"),
                message,
                source,
            );
        }
        let text = Token::Join {
            delimiter: "\n".to_owned(),
            list: Box::new(Expr::list(lines)),
        };
        (Value::Token(text), written.substitutions)
    }

    /// Returns the role of a state machine, and whether it is granted what the tasks need.
    #[track_caller]
    fn execution_role(&mut self, logical_id: &str, role: ExecutionRole) -> (RoleRef, bool) {
        match role {
            ExecutionRole::Own => (self.role(&format!("{logical_id}Role"), role::props()), true),
            ExecutionRole::Granting(role) => (role, true),
            ExecutionRole::AllowedElsewhere(role) => (role, false),
        }
    }
}
