//! Where resources are, and where those will be that are new.

use serde_json::Value;

use super::{Look, Row, declared};
use crate::{
    aws::{Clients, signed::Home},
    engine::preflight::look::{Declared, partition},
};

/// What stands for an id or the end of a name that somebody makes up: a policy that names it cannot be there yet.
const MADE_UP: &str = "0123456789AB";

/// How much of each part is kept in a name that CloudFormation makes up, where the name would become too long: no name may
/// have more than 64 characters in all services.
const LONGEST: usize = 64;
const KEPT: usize = 24;

/// How many resources are asked in turn for what they belong to: the alias of a function is in the place of the function.
const TURNS: u8 = 4;

/// Where the resources of a stack are.
pub(super) struct Place<'a> {
    pub(super) clients: &'a Clients,
    pub(super) look: &'a Look<'a>,
    /// The deployed template.
    pub(super) before: &'a Value,
}

/// How a new resource is called.
enum Name {
    Given(String),
    /// In a way that nobody can tell.
    Any,
    /// By what only the deployment knows.
    Unknown,
}

impl Place<'_> {
    /// Returns where a resource is asked to be made; nothing, where only the deployment knows that.
    pub(super) fn of_new(&self, row: &Row, resource: &Declared<'_>) -> Option<Vec<String>> {
        self.filled(
            row.new,
            resource,
            &|property| match self.name(row, resource, property) {
                Name::Given(name) => Some(name),
                Name::Any | Name::Unknown => None,
            },
        )
    }

    /// Returns where a resource will be, for what is done to it as soon as it is there.
    pub(super) fn of_made(&self, row: &Row, resource: &Declared<'_>) -> Option<Vec<String>> {
        if row.new != "*" {
            return self.of_new(row, resource);
        }
        self.filled(row.there, resource, &|_| Some(MADE_UP.to_owned()))
    }

    /// Returns where a resource is; nothing, where that is not known.
    pub(super) fn of_present(&self, row: &Row, resource: &Declared<'_>) -> Option<Vec<String>> {
        let id = &self.look.present.get(resource.logical_id)?.physical_id;
        if row.there == "{}" {
            return id.starts_with("arn:").then(|| vec![id.clone()]);
        }
        let name = self.short(resource, id)?;
        self.filled(row.there, resource, &|_| Some(name.clone()))
    }

    /// Puts in what a place has in braces.
    fn filled(
        &self,
        place: &str,
        resource: &Declared<'_>,
        named: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Vec<String>> {
        if place == "*" || (place.ends_with(":*") && !place.contains('{')) {
            return Some(vec!["*".to_owned()]);
        }
        let mut arns = vec![format!("arn:{}:", partition(self.clients))];
        let mut rest = place;
        while let Some((before, after)) = rest.split_once('{') {
            let (hole, after) = after.split_once('}')?;
            let texts = match hole {
                "r" => vec![self.clients.region().to_owned()],
                "a" => vec![self.clients.identity().account.clone()],
                "?" => vec![MADE_UP.to_owned()],
                "scope" => vec![self.scope(resource)?.to_owned()],
                hole => match hole.strip_prefix('>') {
                    Some(property) => self.referred(resource.properties.get(property)?, TURNS)?,
                    None => vec![named(hole)?],
                },
            };
            arns = arns
                .iter()
                .flat_map(|arn| texts.iter().map(move |text| (arn, text)))
                .map(|(arn, text)| {
                    if text.starts_with("arn:") {
                        // Only what stands at the end is given by an ARN as a whole.
                        after.is_empty().then(|| text.clone())
                    } else {
                        Some(format!("{arn}{before}{text}"))
                    }
                })
                .collect::<Option<_>>()?;
            rest = after;
        }
        for arn in &mut arns {
            arn.push_str(rest);
        }
        Some(arns)
    }

    fn scope(&self, resource: &Declared<'_>) -> Option<&'static str> {
        match self.look.text(resource.properties.get("Scope")?)? {
            "CLOUDFRONT" => Some("global"),
            "REGIONAL" => Some("regional"),
            _ => None,
        }
    }

    /// Returns the names or ids of what a property refers to: one, or those of a list.
    fn referred(&self, value: &Value, turns: u8) -> Option<Vec<String>> {
        if let Some(values) = value.as_array() {
            let each = values.iter().map(|value| self.referred(value, turns));
            return each.collect::<Option<Vec<_>>>().map(|each| each.concat());
        }
        if let Some(text) = self.look.text(value) {
            return Some(vec![text.to_owned()]);
        }
        let attribute = value.get("Fn::GetAtt").and_then(Value::as_array);
        let logical_id = match attribute.map(Vec::as_slice) {
            Some([logical_id, attribute]) if attribute != "RootResourceId" => logical_id,
            Some(_) => return Some(vec![MADE_UP.to_owned()]),
            None => value.get("Ref")?,
        };
        self.called(logical_id.as_str()?, turns.checked_sub(1)?)
    }

    /// Returns how a resource of the stack is called where others refer to it.
    fn called(&self, logical_id: &str, turns: u8) -> Option<Vec<String>> {
        let resource = self
            .look
            .declared()
            .chain(declared(self.before))
            .find(|it| it.logical_id == logical_id)?;
        if let Some(present) = self.look.present.get(logical_id) {
            return self
                .short(&resource, &present.physical_id)
                .map(|id| vec![id]);
        }
        let row = Row::of(resource.kind)?;
        if row.is_nested() {
            let property = row.new.rsplit("{>").next()?.split('}').next()?;
            return self.referred(resource.properties.get(property)?, turns);
        }
        let mut holes = row
            .new
            .split('{')
            .skip(1)
            .filter_map(|it| it.split('}').next());
        let own =
            holes.find(|hole| !["r", "a", "?", "scope"].contains(hole) && !hole.starts_with('>'));
        let own = match resource.kind {
            "AWS::ApiGateway::DomainName" | "AWS::ApiGatewayV2::DomainName" => Some("DomainName"),
            _ => own,
        };
        let name = match own.map(|property| self.name(row, &resource, property)) {
            Some(Name::Given(name)) => name,
            Some(Name::Unknown) => return None,
            Some(Name::Any) | None => MADE_UP.to_owned(),
        };
        Some(vec![match resource.kind {
            "AWS::WAFv2::WebACL" => format!("{name}/{MADE_UP}"),
            _ => name,
        }])
    }

    /// Returns how a new resource is called, by its property or as CloudFormation makes it up.
    fn name(&self, row: &Row, resource: &Declared<'_>, property: &str) -> Name {
        let bare = property.trim_start_matches(['~', '!', '_']);
        let of_stack = made_up(self.look.name(), resource.logical_id);
        let made_up = match property.chars().next() {
            Some('!') => None,
            Some('_') => Some(of_stack.to_ascii_lowercase()),
            Some('~') if row.kind == "AWS::SSM::Parameter" => {
                Some(made_up("CFN", resource.logical_id))
            }
            Some('~') => Some(made_up("", resource.logical_id)),
            _ => Some(of_stack),
        };
        let name = match resource.properties.get(bare) {
            None => made_up,
            Some(name) => match self.look.text(name) {
                // The slash that a parameter's name begins with stands in the ARN already.
                Some(name) if row.kind == "AWS::SSM::Parameter" => {
                    Some(name.trim_start_matches('/').to_owned())
                }
                Some(name) => Some(name.to_owned()),
                None => return Name::Unknown,
            },
        };
        match (name, self.path(resource)) {
            (Some(name), Some(path)) => Name::Given(format!("{path}{name}")),
            (_, None) => Name::Unknown,
            (None, _) => Name::Any,
        }
    }

    /// Returns the path of what IAM keeps, which stands before its name; nothing, where only the deployment knows it.
    fn path(&self, resource: &Declared<'_>) -> Option<String> {
        match resource.properties.get("Path") {
            Some(path) if resource.kind.starts_with("AWS::IAM::") => {
                let path = self.look.text(path)?;
                Some(path.trim_start_matches('/').to_owned())
            }
            _ => Some(String::new()),
        }
    }

    /// Returns what of a physical id stands in the ARN, or all of it where that is an ARN.
    fn short(&self, resource: &Declared<'_>, id: &str) -> Option<String> {
        if id.starts_with("arn:") {
            return Some(id.to_owned());
        }
        Some(match resource.kind {
            "AWS::Logs::LogGroup" => id.to_owned(),
            // The path of a role is no part of its physical id.
            "AWS::IAM::Role" => format!("{}{id}", self.path(resource)?),
            // A rule of another bus than the default one is identified by both.
            "AWS::Events::Rule" => id.replace('|', "/"),
            // Behind the name and the id stands the scope.
            "AWS::WAFv2::WebACL" => {
                let mut parts = id.split('|');
                format!("{}/{}", parts.next()?, parts.next()?)
            }
            _ if id.starts_with("https://") => id.rsplit('/').next()?.to_owned(),
            _ => id.rsplit('|').next()?.trim_start_matches('/').to_owned(),
        })
    }

    /// Returns the region that an action is asked for in: what is in no region is asked for in one
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-requestedregion>).
    pub(super) fn region(&self, service: &str) -> &str {
        let own = self.clients.region();
        match service {
            "iam" => Home::of(own).iam,
            "cloudfront" | "route53" => Home::of(own).edge,
            _ => own,
        }
    }
}

/// Makes up a name as CloudFormation does
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-name.html>).
fn made_up(stack: &str, logical_id: &str) -> String {
    let cut = |text: &str| text.get(..KEPT).unwrap_or(text).to_owned();
    let fits = stack.len() + logical_id.len() + MADE_UP.len() + 2 <= LONGEST;
    match (stack, fits) {
        ("", _) => format!("{logical_id}-{MADE_UP}"),
        (_, true) => format!("{stack}-{logical_id}-{MADE_UP}"),
        (_, false) => format!("{}-{}-{MADE_UP}", cut(stack), cut(logical_id)),
    }
}
