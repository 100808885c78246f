//! Rules: what happens with messages that are published.

use std::collections::BTreeSet;
use std::panic::Location;

use stack_model_cfn::iot as cfn;
use stack_model_cfn::{Pseudo, ResourceId, Token, Value};

use super::action::{ErrorAction, Inner, RuleAction};
use super::selection::Selection;
use super::topic;
use crate::arn::Arn;
use crate::handle::{Handle, get_att, reference};
use crate::iam::RoleProps;
use crate::lambda::Function;
use crate::name::NameRule;
use crate::policy::{Principal, Statement};
use crate::resource::Resource;
use crate::stack::Stack;

/// Marks the ARN of a rule.
#[derive(Debug)]
pub enum TopicRule {}

/// The version of the SQL of AWS IoT.
const SQL_VERSION: &str = "2016-03-23";

/// The most actions of a rule.
const MAX_ACTIONS: usize = 10;

/// What a rule is made of, beyond the messages that it takes.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iot-topicrule.html>.
#[derive(Clone, Debug)]
pub struct TopicRuleProps<P> {
    /// The physical name: 1 to 128 letters, digits and `_`. A rule can never be renamed.
    pub name: Option<Value<String>>,
    /// What the rule is for.
    pub description: Option<String>,
    /// What it does with each payload, at most ten actions.
    pub actions: Vec<RuleAction<P>>,
    /// What it does where an action fails; nothing by default, and then the message is lost.
    pub on_error: Option<ErrorAction>,
    /// Whether it does nothing for now.
    pub disabled: bool,
}

impl<P> TopicRuleProps<P> {
    /// A rule with these actions.
    pub fn to(actions: impl IntoIterator<Item = RuleAction<P>>) -> Self {
        Self {
            name: None,
            description: None,
            actions: actions.into_iter().collect(),
            on_error: None,
            disabled: false,
        }
    }
}

/// The handle of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicRuleRef {
    id: ResourceId,
}

impl TopicRuleRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<TopicRule>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for TopicRuleRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a rule that does something with the messages that a topic or a statement selects.
    ///
    /// Where an action needs a role, the rule gets one, `<Id>Role`, which allows exactly its actions; each function
    /// that it invokes gets a permission `<Id><Function>Permission`.
    #[track_caller]
    pub fn topic_rule<P>(
        &mut self,
        logical_id: &str,
        selection: Selection<P>,
        props: TopicRuleProps<P>,
    ) -> TopicRuleRef {
        let source = Location::caller();
        let sql_path = "Properties.TopicRulePayload.Sql";
        if let Some(message) = selection.violation() {
            self.report(logical_id, Some(sql_path), message, source);
        }
        let path = "Properties.RuleName";
        self.check_name(logical_id, path, props.name.as_ref(), NAME, source);
        let count = props.actions.len();
        if !(1..=MAX_ACTIONS).contains(&count) {
            let message =
                format!("the rule has {count} actions and AWS IoT takes 1 to {MAX_ACTIONS}");
            let path = "Properties.TopicRulePayload.Actions";
            self.report(logical_id, Some(path), message, source);
        }
        let actions: Vec<Inner> = props
            .actions
            .into_iter()
            .map(RuleAction::into_inner)
            .collect();
        let on_error = props.on_error.map(|action| action.inner);
        for problem in actions
            .iter()
            .chain(&on_error)
            .filter_map(|action| action.problem.as_ref())
        {
            self.report(logical_id, None, problem.as_str(), source);
        }
        let role_arn = self.rule_role(
            logical_id,
            props.name.as_ref(),
            &actions,
            on_error.as_ref(),
            source,
        );
        let functions: Vec<(ResourceId, Value<Arn<Function>>)> = actions
            .iter()
            .chain(&on_error)
            .filter_map(Inner::function)
            .map(|(id, arn)| (id.clone(), arn.clone()))
            .collect();
        let rule = cfn::TopicRule {
            rule_name: props.name.into(),
            topic_rule_payload: cfn::topic_rule::TopicRulePayload {
                actions: actions
                    .into_iter()
                    .map(|action| action.render(&role_arn))
                    .collect::<Vec<_>>()
                    .into(),
                aws_iot_sql_version: SQL_VERSION.into(),
                description: props.description.into(),
                error_action: on_error.map(|action| action.render(&role_arn)).into(),
                rule_disabled: props.disabled.then_some(true).into(),
                sql: selection.sql.into(),
            }
            .into(),
            ..cfn::TopicRule::default()
        };
        let handle = TopicRuleRef {
            id: self.insert(logical_id, Resource::of(&rule, source)).id,
        };
        let mut permitted = BTreeSet::new();
        for (function, arn) in functions {
            if permitted.insert(function.clone()) {
                let id = format!("{logical_id}{}Permission", function.logical_id());
                let permission = stack_model_cfn::lambda::Permission {
                    action: "lambda:InvokeFunction".into(),
                    function_name: arn.into_text().into(),
                    principal: "iot.amazonaws.com".into(),
                    source_account: Value::Token(Token::Pseudo(Pseudo::AccountId)).into(),
                    source_arn: handle.arn().into_text().into(),
                    ..stack_model_cfn::lambda::Permission::default()
                };
                self.insert(&id, Resource::of(&permission, source));
            }
        }
        handle
    }

    /// Adds the role that allows the actions of a rule, where one of them needs it, and returns its ARN.
    fn rule_role(
        &mut self,
        logical_id: &str,
        name: Option<&Value<String>>,
        actions: &[Inner],
        on_error: Option<&Inner>,
        source: &Location<'_>,
    ) -> Value<String> {
        let statements: Vec<Statement> = actions
            .iter()
            .chain(on_error)
            .flat_map(|action| action.statements.iter().cloned())
            .collect();
        if statements.is_empty() {
            return Value::Literal(String::new());
        }
        // Only this account's rules, so that no stranger's rule acts with the role. See
        // <https://docs.aws.amazon.com/iot/latest/developerguide/iot-create-role.html>.
        let account: Value<String> = Value::Token(Token::Pseudo(Pseudo::AccountId));
        let mut trust = Statement::allow(["sts:AssumeRole"])
            .to(Principal::Service("iot.amazonaws.com".to_owned()))
            .when("StringEquals", "aws:SourceAccount", account);
        if let Some(name) = name {
            trust = trust.when("ArnLike", "aws:SourceArn", topic::arn("rule", name.clone()));
        }
        let props = RoleProps {
            statements,
            ..RoleProps::trusting(trust)
        };
        let role = self.add_role(&format!("{logical_id}Role"), props, source);
        role.arn().into_text()
    }
}

/// See <https://docs.aws.amazon.com/iot/latest/apireference/API_CreateTopicRule.html>.
const NAME: NameRule = NameRule {
    min: 1,
    max: 128,
    others: "_",
};
