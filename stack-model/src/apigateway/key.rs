//! API keys and usage plans: how much each caller may call.

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::apigateway as cfn;
use stack_model_cfn::{ResourceId, Token, Value};

use super::method::RestMethodRef;
use super::stage::{StageRef, Throttle};
use crate::handle::{Handle, reference};
use crate::limit::Limited;
use crate::resource::Resource;
use crate::stack::Stack;

/// What an API key is made of.
///
/// A key tells callers apart to count their requests. It is no secret that protects anything: a page that sends one
/// shows it to everybody. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-apikey.html>.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ApiKeyProps {
    /// The physical name. Leave it out: a named key cannot be replaced, and a new value is a new key.
    pub name: Option<Value<String>>,
    /// What the key is for.
    pub description: Option<String>,
    /// The value that callers send in the header `X-Api-Key`, 20 to 128 characters; API Gateway makes one up by
    /// default.
    ///
    /// [`SecretRef::value`](crate::secretsmanager::SecretRef::value) keeps it out of the template.
    pub value: Option<Value<String>>,
    /// Refuses the key for now.
    pub disabled: bool,
    /// Who the key belongs to, for the marketplace of AWS.
    pub customer_id: Option<String>,
}

/// How many requests a caller may make in a day, week or month; more are answered with 429.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The number of requests.
    pub limit: QuotaLimit,
    /// How long they last.
    pub period: QuotaPeriod,
    /// How many requests less there are in the first period.
    pub offset: u32,
}

/// The number of requests in a period.
pub type QuotaLimit = Limited<1, { i32::MAX.cast_unsigned() }>;

impl Quota {
    /// Allows a number of requests in each period.
    pub fn new(limit: impl Into<QuotaLimit>, period: QuotaPeriod) -> Self {
        Self {
            limit: limit.into(),
            period,
            offset: 0,
        }
    }
}

/// When a quota starts anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaPeriod {
    /// Every day at midnight, UTC.
    Day,
    /// Every Sunday at midnight, UTC.
    Week,
    /// Every first of a month at midnight, UTC.
    Month,
}

impl QuotaPeriod {
    const fn name(self) -> &'static str {
        match self {
            Self::Day => "DAY",
            Self::Week => "WEEK",
            Self::Month => "MONTH",
        }
    }
}

/// A stage that a usage plan is about.
///
/// The handle of a stage converts into it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanStage {
    stage: StageRef,
    methods: Vec<(RestMethodRef, Throttle)>,
}

impl PlanStage {
    /// Limits how many requests of each key one method takes.
    #[must_use]
    pub fn limiting(mut self, method: &RestMethodRef, throttle: Throttle) -> Self {
        self.methods.push((method.clone(), throttle));
        self
    }
}

impl From<&StageRef> for PlanStage {
    fn from(stage: &StageRef) -> Self {
        Self {
            stage: stage.clone(),
            methods: Vec::new(),
        }
    }
}

/// What a usage plan is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-usageplan.html>.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UsagePlanProps {
    /// The name that the console shows; CloudFormation makes one up by default.
    pub name: Option<Value<String>>,
    /// What the plan is for.
    pub description: Option<String>,
    /// The stages whose methods the keys of the plan may call. The plan waits for them.
    pub stages: Vec<PlanStage>,
    /// How many requests each key may make in a period; any number by default.
    pub quota: Option<Quota>,
    /// How many requests each key may make in a second; as many as the stage takes by default.
    pub throttle: Option<Throttle>,
}

/// The handle of an API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyRef {
    id: ResourceId,
}

impl ApiKeyRef {
    /// Returns the id, by which the value can be read with `apigateway:GetApiKey`.
    pub fn key_id(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for ApiKeyRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// The handle of a usage plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsagePlanRef {
    id: ResourceId,
}

impl UsagePlanRef {
    /// Returns the id.
    pub fn plan_id(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for UsagePlanRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// The handle of the membership of a key in a usage plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsagePlanKeyRef {
    id: ResourceId,
}

impl Handle for UsagePlanKeyRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds an API key. It can call what a usage plan that has it allows; see [`Stack::rest_plan_key`].
    #[track_caller]
    pub fn rest_api_key(&mut self, logical_id: &str, props: ApiKeyProps) -> ApiKeyRef {
        let source = Location::caller();
        self.check_key(logical_id, &props, source);
        let key = cfn::ApiKey {
            customer_id: props.customer_id.into(),
            description: props.description.into(),
            // CloudFormation's own default is a key that is refused.
            enabled: (!props.disabled).into(),
            name: props.name.into(),
            value: props.value.into(),
            ..Default::default()
        };
        ApiKeyRef {
            id: self.insert(logical_id, Resource::of(&key, source)).id,
        }
    }

    /// Adds a usage plan.
    #[track_caller]
    pub fn rest_usage_plan(&mut self, logical_id: &str, props: UsagePlanProps) -> UsagePlanRef {
        let source = Location::caller();
        self.check_plan(logical_id, &props, source);
        let stages: Vec<_> = props
            .stages
            .iter()
            .map(|plan| {
                let throttle: BTreeMap<String, _> = plan
                    .methods
                    .iter()
                    .map(|(method, throttle)| (method.plan_key(), rendered(*throttle)))
                    .collect();
                Value::Literal(cfn::usage_plan::ApiStage {
                    api_id: plan.stage.api().rest_api_id().into(),
                    stage: plan.stage.name().into(),
                    throttle: (!throttle.is_empty()).then_some(throttle).into(),
                })
            })
            .collect();
        let quota = props.quota.map(|quota| cfn::usage_plan::QuotaSettings {
            limit: quota.limit.number().into(),
            offset: (quota.offset > 0).then_some(i64::from(quota.offset)).into(),
            period: quota.period.name().into(),
        });
        let plan = cfn::UsagePlan {
            api_stages: (!stages.is_empty()).then_some(stages).into(),
            description: props.description.into(),
            quota: quota.into(),
            throttle: props.throttle.map(throttle_settings).into(),
            usage_plan_name: props.name.into(),
            ..Default::default()
        };
        UsagePlanRef {
            id: self.insert(logical_id, Resource::of(&plan, source)).id,
        }
    }

    /// Puts a key under a usage plan.
    #[track_caller]
    pub fn rest_plan_key(
        &mut self,
        logical_id: &str,
        plan: &UsagePlanRef,
        key: &ApiKeyRef,
    ) -> UsagePlanKeyRef {
        let membership = cfn::UsagePlanKey {
            key_id: key.key_id().into(),
            key_type: "API_KEY".into(),
            usage_plan_id: plan.plan_id().into(),
        };
        let membership = Resource::of(&membership, Location::caller());
        UsagePlanKeyRef {
            id: self.insert(logical_id, membership).id,
        }
    }

    fn check_key(&mut self, logical_id: &str, props: &ApiKeyProps, source: &Location<'_>) {
        let Some(value) = &props.value else {
            return;
        };
        let path = Some("Properties.Value");
        match value {
            // The text itself is never shown: it may be somebody's key.
            Value::Literal(text) if !(20..=128).contains(&text.chars().count()) => {
                let message = format!(
                    "the value of the key has {} characters and API Gateway takes 20 to 128",
                    text.chars().count()
                );
                self.report(logical_id, path, message, source);
            }
            Value::Token(Token::SsmParameter { secure: true, .. }) => {
                let message = "CloudFormation does not read secure strings of Parameter Store for this property: keep the value in Secrets Manager";
                self.report(logical_id, path, message, source);
            }
            _ => {}
        }
        if props.name.is_some() {
            let message = "a new value is a new key, and a key with a name cannot be replaced, so the value could never change: leave the name out";
            self.report(logical_id, Some("Properties.Name"), message, source);
        }
    }

    fn check_plan(&mut self, logical_id: &str, props: &UsagePlanProps, source: &Location<'_>) {
        self.check_limit(
            logical_id,
            "Properties.Quota.Limit",
            props.quota.map(|quota| quota.limit),
            source,
        );
        if let Some(quota) = props.quota
            && quota.offset >= quota.limit.get()
        {
            let message = format!(
                "the first period would have no request left: take less than {} away",
                quota.limit.get()
            );
            self.report(logical_id, Some("Properties.Quota.Offset"), message, source);
        }
        self.check_throttle(logical_id, "Properties.Throttle", props.throttle, source);
        for plan in &props.stages {
            for (method, throttle) in &plan.methods {
                let path = "Properties.ApiStages";
                self.check_throttle(logical_id, path, Some(*throttle), source);
                if method.api() != plan.stage.api() {
                    let message = format!(
                        "`{}` is a method of another API than the stage",
                        method.resource_id().logical_id()
                    );
                    self.report(logical_id, Some(path), message, source);
                }
            }
        }
    }
}

fn throttle_settings(throttle: Throttle) -> cfn::usage_plan::ThrottleSettings {
    cfn::usage_plan::ThrottleSettings {
        burst_limit: throttle.burst.number().into(),
        rate_limit: throttle.rate.into(),
    }
}

fn rendered(throttle: Throttle) -> Value<cfn::usage_plan::ThrottleSettings> {
    Value::Literal(throttle_settings(throttle))
}
