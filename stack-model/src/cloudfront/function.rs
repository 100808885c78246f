//! JavaScript that runs at each request, near to the caller.

use std::panic::Location;

use stack_model_cfn::cloudfront as cfn;
use stack_model_cfn::{ResourceId, Value};

use crate::handle::{Handle, get_att};
use crate::resource::Resource;
use crate::stack::Stack;

/// The most bytes of code; see
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>.
const MAX_CODE: usize = 10 * 1024;

/// When a function runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EdgeEvent {
    /// Before anything else.
    Request,
    /// Before the answer goes out.
    Response,
}

impl EdgeEvent {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Request => "viewer-request",
            Self::Response => "viewer-response",
        }
    }
}

/// The handle of a function of CloudFront.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeFunctionRef {
    id: ResourceId,
}

impl EdgeFunctionRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<String> {
        get_att(&self.id, "FunctionARN")
    }
}

impl Handle for EdgeFunctionRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a function of CloudFront: JavaScript with a function `handler`, mostly included from a file of the
    /// workspace with `include_str!`. It is live with the stack that holds it.
    ///
    /// ```
    /// use stack_model::cloudfront::{Behavior, DistributionProps, EdgeEvent};
    /// use stack_model::s3::BucketProps;
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("site");
    ///
    /// let index = stack.edge_function("Index", "
    ///     function handler(event) {
    ///         const request = event.request;
    ///         if (request.uri.endsWith('/')) request.uri += 'index.html';
    ///         return request;
    ///     }
    /// ");
    /// let pages = stack.bucket("Pages", BucketProps::default());
    /// let behavior = Behavior::of_bucket(&pages).running(EdgeEvent::Request, &index);
    /// stack.distribution("Site", DistributionProps::new(behavior));
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn edge_function(&mut self, logical_id: &str, code: impl Into<String>) -> EdgeFunctionRef {
        let (source, code) = (Location::caller(), code.into());
        let path = Some("Properties.FunctionCode");
        if code.len() > MAX_CODE {
            let message = format!(
                "the code has {} bytes and CloudFront takes {MAX_CODE}",
                code.len()
            );
            self.report(logical_id, path, message, source);
        }
        if !code.contains("handler") {
            let message = "the code has no function `handler`, which CloudFront calls";
            self.report(logical_id, path, message, source);
        }
        let name = self.short_edge_name(logical_id, source);
        let function = cfn::Function {
            auto_publish: true.into(),
            function_code: code.into(),
            function_config: cfn::function::FunctionConfig {
                comment: logical_id.into(),
                runtime: "cloudfront-js-2.0".into(),
                ..cfn::function::FunctionConfig::default()
            }
            .into(),
            name: name.into(),
            ..cfn::Function::default()
        };
        EdgeFunctionRef {
            id: self.insert(logical_id, Resource::of(&function, source)).id,
        }
    }
}
