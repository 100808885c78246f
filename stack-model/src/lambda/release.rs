//! Releases: what those who invoke a function reach while a deploy is under way, and what they can go back to.

use std::panic::Location;
use std::sync::Arc;

use stack_model_cfn::lambda as cfn;
use stack_model_cfn::{ResourceId, Value};

use super::Function;
use crate::arn::Arn;
use crate::handle::{get_att, reference};
use crate::parameter::parameter_token;
use crate::resource::{Removal, Resource};
use crate::stack::Stack;
use crate::stage::Stage;

/// The name of the alias that a released function is invoked by.
pub(super) const ALIAS: &str = "live";

/// The environment variable that a released function finds the name of its release in.
pub(super) const VARIABLE: &str = "STACKCTL_RELEASE";

/// What those who invoke a function reach.
///
/// Lambda changes the code and the configuration of a function one after the other. Between the two, whoever invokes
/// the function itself meets the new code with the old variables, or the other way round. A version is a copy of both
/// that never changes, and an alias moves from one version to the next at once: see
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html> and
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html>.
///
/// ```
/// use stack_model::lambda::{FunctionProps, Release};
///
/// let always = FunctionProps {
///     release: Release::Live,
///     ..FunctionProps::default()
/// };
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Release {
    /// [`Live`](Self::Live) where the stage is protected, and [`Latest`](Self::Latest) in all others, in which a deploy
    /// should above all be quick.
    #[default]
    InProtected,
    /// The function as it was deployed last.
    Latest,
    /// The alias `live`, which names a version of the function.
    ///
    /// Every deploy that changes the code, the configuration or something that the configuration names publishes a
    /// version, `<Id>Version`, and then moves the alias, `<Id>Alias`, to it. Everything in the app that invokes the
    /// function invokes the alias. Earlier versions are kept, so that `stackctl rollback` can move the alias back.
    Live,
}

impl Release {
    /// Returns whether a function of the stage has an alias.
    pub(super) fn is_live_in(self, stage: &Stage) -> bool {
        match self {
            Self::InProtected => stage.is_protected(),
            Self::Latest => false,
            Self::Live => true,
        }
    }
}

/// The alias of a released function.
#[derive(Clone, Debug)]
pub(super) struct Alias {
    pub(super) id: ResourceId,
}

impl Alias {
    /// Returns the ARN, which is that of the function with the name of the alias.
    pub(super) fn arn(&self) -> Value<Arn<Function>> {
        reference(&self.id)
    }
}

impl Stack<'_> {
    /// Returns the name of a function's release, which the deployer gives to the parameter `<Id>Release`.
    pub(super) fn release_name(&mut self, logical_id: &str) -> Value<String> {
        let parameter = format!("{logical_id}Release");
        let stack = Arc::clone(&self.data_ref().id);
        self.data()
            .releases
            .insert(parameter.clone(), logical_id.to_owned());
        Value::Token(parameter_token(ResourceId::new(stack, parameter)))
    }

    /// Adds the version `<Id>Version` of every release, and the alias `<Id>Alias` that names the last one.
    pub(super) fn release(
        &mut self,
        function: &ResourceId,
        name: Value<String>,
        source: &Location<'_>,
    ) -> Alias {
        let logical_id = function.logical_id();
        let version = cfn::Version {
            function_name: reference::<String>(function).into(),
            // A version cannot be changed, so that with another description CloudFormation publishes another one. See
            // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-version.html.
            description: name.into(),
            ..cfn::Version::default()
        };
        let mut version = Resource::of(&version, source);
        // Earlier versions stay until they are pruned; the last one goes with the function.
        version.removal = Some(Removal::Delete);
        version.replaced = Some(Removal::Retain);
        let version = self.insert(&format!("{logical_id}Version"), version);
        let alias = cfn::Alias {
            function_name: reference::<String>(function).into(),
            function_version: get_att::<String>(&version.id, "Version").into(),
            name: ALIAS.into(),
            ..cfn::Alias::default()
        };
        let alias = self.insert(&format!("{logical_id}Alias"), Resource::of(&alias, source));
        Alias { id: alias.id }
    }
}
