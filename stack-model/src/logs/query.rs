//! Queries that the console keeps.

use std::panic::Location;

use stack_model_cfn::Value;
use stack_model_cfn::logs as cfn;

use super::LogGroupRef;
use crate::handle::ResourceRef;
use crate::resource::Resource;
use crate::stack::Stack;

impl Stack<'_> {
    /// Keeps a query of CloudWatch Logs Insights in the console, under a name whose slashes make folders.
    #[track_caller]
    pub fn query_definition<'a>(
        &mut self,
        logical_id: &str,
        name: impl Into<Value<String>>,
        log_groups: impl IntoIterator<Item = &'a LogGroupRef>,
        query: impl Into<String>,
    ) -> ResourceRef {
        let groups: Vec<Value<String>> = log_groups.into_iter().map(LogGroupRef::name).collect();
        let definition = cfn::QueryDefinition {
            log_group_names: (!groups.is_empty()).then_some(groups).into(),
            name: name.into().into(),
            query_string: query.into().into(),
            ..cfn::QueryDefinition::default()
        };
        self.insert(logical_id, Resource::of(&definition, Location::caller()))
    }
}
