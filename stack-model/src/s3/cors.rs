//! Which web pages may reach a bucket.

use std::panic::Location;

use stack_model_cfn::Value;
use stack_model_cfn::s3::bucket as cfn;

use crate::limit::Limited;
use crate::stack::Stack;

/// How long a browser may keep the answer to a preflight request, in seconds.
pub type CorsMaxAge = Limited<0, { i32::MAX as u32 }>;

/// The most rules of a bucket.
const MAX_RULES: usize = 100;

/// Lets web pages of other origins reach a bucket.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html>.
#[derive(Clone, Debug, Default)]
pub struct CorsRule {
    /// The origins, such as `https://example.com`, each with at most one `*`.
    pub origins: Vec<Value<String>>,
    /// What they may do.
    pub methods: Vec<CorsMethod>,
    /// The headers they may send, each with at most one `*`; none by default.
    pub headers: Vec<String>,
    /// The headers of the answer that they may read beyond those every page may; none by default.
    pub exposed_headers: Vec<String>,
    /// How long a browser may keep the answer; as the browser likes by default.
    pub max_age: Option<CorsMaxAge>,
}

/// What a page of another origin may do with objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CorsMethod {
    /// Reads.
    Get,
    /// Reads what an object is.
    Head,
    /// Writes.
    Put,
    /// Writes through a form.
    Post,
    /// Deletes.
    Delete,
}

impl CorsMethod {
    const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Put => "PUT",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }
}

pub(super) fn render(rules: Vec<CorsRule>) -> Option<cfn::CorsConfiguration> {
    if rules.is_empty() {
        return None;
    }
    let rules: Vec<cfn::CorsRule> = rules.into_iter().map(rule).collect();
    Some(cfn::CorsConfiguration {
        cors_rules: rules.into(),
    })
}

fn rule(rule: CorsRule) -> cfn::CorsRule {
    let methods = rule.methods.into_iter().map(|method| method.name().into());
    cfn::CorsRule {
        allowed_headers: texts(rule.headers).into(),
        allowed_methods: methods.collect::<Vec<Value<String>>>().into(),
        allowed_origins: rule.origins.into(),
        exposed_headers: texts(rule.exposed_headers).into(),
        max_age: rule.max_age.map(Limited::number).into(),
        ..cfn::CorsRule::default()
    }
}

fn texts(texts: Vec<String>) -> Option<Vec<Value<String>>> {
    (!texts.is_empty()).then(|| texts.into_iter().map(Value::Literal).collect())
}

impl Stack<'_> {
    pub(super) fn check_cors(&mut self, id: &str, rules: &[CorsRule], source: &Location<'_>) {
        let path = "Properties.CorsConfiguration.CorsRules";
        if rules.len() > MAX_RULES {
            let message = format!("{} rules are given and S3 takes {MAX_RULES}", rules.len());
            self.report(id, Some(path), message, source);
        }
        for (position, rule) in rules.iter().enumerate() {
            let path = format!("{path}.{position}");
            if rule.origins.is_empty() || rule.methods.is_empty() {
                let message = "a rule needs an origin and a method";
                self.report(id, Some(&path), message, source);
            }
            let origins = rule.origins.iter().filter_map(Value::literal);
            let crowded = origins
                .chain(&rule.headers)
                .find(|text| text.matches('*').count() > 1);
            if let Some(text) = crowded {
                let message = format!("`{text}` holds more than one `*`");
                self.report(id, Some(&path), message, source);
            }
            self.check_limit(id, &format!("{path}.MaxAge"), rule.max_age, source);
        }
    }
}
