//! AWS WAF: web access control lists, which turn requests away before they reach what answers them.
//!
//! A list is for something in a region, such as a stage of a REST API or a user pool, or for distributions of
//! CloudFront; the two are different types. A list for CloudFront stands in `us-east-1`.
//!
//! ```
//! use stack_model::wafv2::{RateLimit, Rule, WebAclProps};
//! # use stack_model::apigateway::{Authorization, Credentials, HttpMethod, Integration, MethodProps, RestApiProps, StageProps};
//! # use stack_model::iam::RoleProps;
//! # use stack_model::sqs::QueueProps;
//! # use stack_model::{App, Stage};
//! # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
//! # let mut app = App::new(Stage::new(request));
//! # let mut stack = app.stack("orders");
//! # let queue = stack.queue::<String>("Queue", QueueProps::default());
//! # let role = stack.role("SenderRole", RoleProps::for_service("apigateway.amazonaws.com"));
//! # let integration = Integration::send_message(&queue, Credentials::granting(&role));
//! # let api = stack.rest_api("Api", RestApiProps::default());
//! # stack.rest_method("Post", &api.root(), MethodProps::new(HttpMethod::Post, Authorization::None, integration));
//! # let live = stack.rest_stage("Live", &api, StageProps::named("live"));
//!
//! let mut props = WebAclProps::recommended();
//! props.rules.push(Rule::rate_limit("PerAddress", RateLimit::per_address(1000)));
//! let firewall = stack.web_acl("Firewall", props);
//! stack.protect("FirewallOfLive", &firewall, &live);
//! # app.synth().unwrap();
//! ```

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::panic::Location;

use stack_model_cfn::wafv2 as cfn;
use stack_model_cfn::{Expr, Pseudo, ResourceId, Value};

use crate::acm::EDGE_REGION;
use crate::apigateway::StageRef;
use crate::arn::Arn;
use crate::cognito::UserPoolRef;
use crate::handle::{Handle, ResourceRef, get_att, typed_handle};
use crate::limit::Limited;
use crate::name::NameRule;
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

mod rule;

pub use rule::{ManagedGroup, RateLimit, RateLimitRequests, RateWindow, Rule};

/// Marks the ARN of a web access control list.
#[derive(Debug)]
pub enum WebAcl {}

/// The scope of a list for things in a region.
#[derive(Debug)]
pub enum Regional {}

/// The scope of a list for distributions of CloudFront.
#[derive(Debug)]
pub enum Edge {}

/// What a web access control list is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-wafv2-webacl.html>.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WebAclProps {
    /// The physical name: 1 to 128 letters, digits, `-` and `_`. Leave it out: a named list cannot be replaced.
    pub name: Option<String>,
    /// What the list is for, at most 256 characters.
    pub description: Option<String>,
    /// What becomes of requests that no rule decides about; they pass by default.
    pub otherwise: Otherwise,
    /// The rules, the first of which is asked first.
    pub rules: Vec<Rule>,
}

impl WebAclProps {
    /// Turns away addresses of ill repute, known attacks, and what no honest caller sends, as AWS's own rules know them.
    pub fn recommended() -> Self {
        let groups = [
            ManagedGroup::IpReputation,
            ManagedGroup::KnownBadInputs,
            ManagedGroup::Common,
        ];
        Self {
            rules: groups.map(Rule::managed).into(),
            ..Self::default()
        }
    }
}

/// What becomes of requests that no rule decides about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Otherwise {
    /// They pass.
    #[default]
    Allow,
    /// They are turned away.
    Block,
}

/// The handle of a web access control list of a scope: [`Regional`] or [`Edge`].
pub struct WebAclRef<S> {
    id: ResourceId,
    scope: PhantomData<fn() -> S>,
}

typed_handle!(WebAclRef { id, scope });

impl<S> PartialEq for WebAclRef<S> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<S> WebAclRef<S> {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<WebAcl>> {
        get_att(&self.id, "Arn")
    }
}

/// Something in a region that a web access control list can protect.
#[diagnostic::on_unimplemented(
    message = "a web access control list does not protect `{Self}`",
    label = "expected a stage of a REST API or a user pool",
    note = "a distribution is protected by `DistributionProps::web_acl`, with a list made by `stack.edge_web_acl(..)`"
)]
pub trait Protected: Handle {
    /// Returns the ARN that the association names.
    #[doc(hidden)]
    fn protected_arn(&self) -> Value<String>;
}

impl Protected for StageRef {
    fn protected_arn(&self) -> Value<String> {
        text!(
            "arn:{}:apigateway:{}::/restapis/{}/stages/{}",
            Pseudo::Partition,
            Pseudo::Region,
            self.api().rest_api_id(),
            self.name()
        )
    }
}

impl Protected for UserPoolRef {
    fn protected_arn(&self) -> Value<String> {
        self.arn().into_text()
    }
}

/// The capacity of a list; see
/// <https://docs.aws.amazon.com/waf/latest/developerguide/aws-waf-capacity-units.html>.
const MAX_CAPACITY: u32 = 5000;

impl Stack<'_> {
    /// Adds a web access control list for things in the region of the stack.
    #[track_caller]
    pub fn web_acl(&mut self, logical_id: &str, props: WebAclProps) -> WebAclRef<Regional> {
        self.web_acl_of("REGIONAL", logical_id, props, Location::caller())
    }

    /// Adds a web access control list for distributions of CloudFront. The stack stands in `us-east-1`; a distribution
    /// of another region uses the handle all the same.
    #[track_caller]
    pub fn edge_web_acl(&mut self, logical_id: &str, props: WebAclProps) -> WebAclRef<Edge> {
        let source = Location::caller();
        if self.region() != EDGE_REGION {
            let message = format!(
                "a list for CloudFront stands in {EDGE_REGION} and this stack is in {}: put it into a stack of its own with `stack.in_region(\"{EDGE_REGION}\")`",
                self.region()
            );
            self.report(logical_id, Some("Properties.Scope"), message, source);
        }
        self.web_acl_of("CLOUDFRONT", logical_id, props, source)
    }

    /// Protects something with a web access control list. It has one list at most.
    #[track_caller]
    pub fn protect(
        &mut self,
        logical_id: &str,
        acl: &WebAclRef<Regional>,
        protected: &impl Protected,
    ) -> ResourceRef {
        let association = cfn::WebACLAssociation {
            resource_arn: protected.protected_arn().into(),
            web_acl_arn: acl.arn().into_text().into(),
        };
        self.insert(logical_id, Resource::of(&association, Location::caller()))
    }

    fn web_acl_of<S>(
        &mut self,
        scope: &str,
        logical_id: &str,
        props: WebAclProps,
        source: &Location<'_>,
    ) -> WebAclRef<S> {
        self.check_web_acl(logical_id, &props, source);
        let action = match props.otherwise {
            Otherwise::Allow => "Allow",
            Otherwise::Block => "Block",
        };
        let rules = props.rules.iter().zip(0_u32..);
        let rules: Vec<Expr> = rules
            .map(|(rule, priority)| rule.render(priority))
            .collect();
        let mut properties = vec![
            ("DefaultAction", Expr::map([(action, rule::nothing())])),
            ("Rules", Expr::List(rules)),
            ("Scope", scope.into()),
            ("VisibilityConfig", rule::visibility(logical_id)),
        ];
        properties.extend(props.name.map(|name| ("Name", name.into())));
        properties.extend(props.description.map(|text| ("Description", text.into())));
        // An action is an empty map, which the generated structs leave out.
        let acl = Resource::new("AWS::WAFv2::WebACL", Expr::map(properties), source);
        WebAclRef {
            id: self.insert(logical_id, acl).id,
            scope: PhantomData,
        }
    }

    fn check_web_acl(&mut self, id: &str, props: &WebAclProps, source: &Location<'_>) {
        let name = props.name.clone().map(Value::Literal);
        self.check_name(id, "Properties.Name", name.as_ref(), NAME, source);
        let mut seen = BTreeSet::new();
        let mut capacity = 0;
        for (position, rule) in props.rules.iter().enumerate() {
            let path = format!("Properties.Rules.{position}");
            let name = rule.name().to_owned();
            if let Some(message) = NAME.violation(&name) {
                self.report(id, Some(&format!("{path}.Name")), message, source);
            }
            let limit = format!("{path}.Statement.RateBasedStatement.Limit");
            self.check_limit(id, &limit, rule.limit(), source);
            if !seen.insert(name.clone()) {
                let message = format!("two rules are called `{name}`");
                self.report(id, Some(&path), message, source);
            }
            capacity += rule.capacity();
        }
        if capacity > MAX_CAPACITY {
            let message = format!("the rules take {capacity} units and a list has {MAX_CAPACITY}");
            self.report(id, Some("Properties.Rules"), message, source);
        }
    }
}

/// See <https://docs.aws.amazon.com/waf/latest/APIReference/API_WebACL.html>.
const NAME: NameRule = NameRule {
    min: 1,
    max: 128,
    others: "-_",
};

/// How many requests pass in a window.
type Requests = Limited<10, 2_000_000_000>;

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/waf.md")]
struct Guide;
