//! What the CloudFormation registry knows about every resource type, without the structs.
//!
//! The facts of all types are part of the crate whatever its features are. Nothing is read before it is asked for:
//! a look-up parses the lines of one type, once.

mod pattern;
mod spec;
mod validate;
mod value;

use std::sync::OnceLock;

use spec::{Header, Kind, Property, Shape, TypeSpec, split_types};

pub use pattern::WholePattern;
pub use validate::{Finding, validate};
pub use value::{ValueFacts, ValueKind};

/// The type whose facts hold for every `Custom::..` too.
const CUSTOM_RESOURCE: &str = "AWS::CloudFormation::CustomResource";

/// The text of each file by the name of its service, ordered by that name.
static FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

/// One type of a file: its name, its lines, and its facts once somebody asked for them.
struct Entry {
    name: &'static str,
    text: &'static str,
    facts: OnceLock<ResourceFacts>,
}

impl Entry {
    fn parse(&self) -> ResourceFacts {
        let spec = TypeSpec::parse(self.text)
            .expect("the distiller reads back what it writes, and a test parses every type");
        ResourceFacts { spec }
    }
}

/// Returns the types of the file at `index` of [`FILES`].
fn entries(index: usize) -> &'static [Entry] {
    static TYPES: OnceLock<Vec<OnceLock<Vec<Entry>>>> = OnceLock::new();
    let types = TYPES.get_or_init(|| FILES.iter().map(|_| OnceLock::new()).collect());
    match (types.get(index), FILES.get(index)) {
        (Some(cell), Some((_, text))) => cell.get_or_init(|| {
            split_types(text)
                .map(|(name, text)| Entry {
                    name,
                    text,
                    facts: OnceLock::new(),
                })
                .collect()
        }),
        _ => &[],
    }
}

/// Finds the facts about a resource type, such as `AWS::SQS::Queue`.
///
/// Every `Custom::..` has the facts of `AWS::CloudFormation::CustomResource`.
pub fn resource_type(name: &str) -> Option<&'static ResourceFacts> {
    let name = if name.starts_with("Custom::") {
        CUSTOM_RESOURCE
    } else {
        name
    };
    let service = name.split("::").nth(1)?.to_lowercase();
    let file = FILES
        .binary_search_by(|(file, _)| (*file).cmp(&service))
        .ok()?;
    let entry = entries(file).iter().find(|entry| entry.name == name)?;
    Some(entry.facts.get_or_init(|| entry.parse()))
}

/// Lists the names of all resource types, ordered by service and name.
pub fn resource_types() -> impl Iterator<Item = &'static str> {
    (0..FILES.len()).flat_map(|index| entries(index).iter().map(|entry| entry.name))
}

/// What a change of a property does to the resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UpdateBehaviour {
    /// The resource stays and is changed.
    InPlace,
    /// Some changes replace the resource: it depends on the values, or on the part of the property that changes.
    Conditional,
    /// The resource is replaced by a new one.
    Replacement,
}

/// The facts about one resource type.
#[derive(Debug)]
pub struct ResourceFacts {
    spec: TypeSpec<'static>,
}

impl ResourceFacts {
    /// Returns the name, such as `AWS::SQS::Queue`.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Lists the paths of the properties that together identify a resource.
    pub fn primary_identifier(&self) -> impl Iterator<Item = &str> {
        self.paths(Header::Identifier)
    }

    /// Returns the property that takes the tags of the resource, if it can have any.
    pub fn tag_property(&self) -> Option<&str> {
        self.paths(Header::Tags).next()
    }

    /// Tells whether the resource can be updated at all; if not, every change replaces it.
    pub fn updatable(&self) -> bool {
        !self.paths(Header::Traits).any(|word| word == "no-update")
    }

    /// Tells whether a replacement deletes the old resource before it creates the new one.
    pub fn deletes_before_create(&self) -> bool {
        self.paths(Header::Traits)
            .any(|word| word == "delete-first")
    }

    /// Lists the names that `Fn::GetAtt` answers, such as `Arn` or `Endpoint.Address`, in order.
    ///
    /// A few types accept more: `AWS::CloudFormation::Stack` has its outputs, custom resources have what their
    /// function answers. [`has_attribute`](Self::has_attribute) knows them.
    pub fn attributes(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .paths(Header::ReadOnly)
            .chain(self.paths(Header::Attributes).filter(|name| *name != "*"))
            .filter(|path| !path.contains('*'))
            .map(|path| path.replace('/', "."))
            .collect();
        if self.properties_are_attributes() {
            names.extend(
                self.spec
                    .root
                    .properties
                    .iter()
                    .filter(|p| p.node.kind.is_plain())
                    .map(|p| p.name.to_string()),
            );
        }
        names.sort();
        names.dedup();
        names
    }

    /// Tells whether `Fn::GetAtt` answers the name.
    pub fn has_attribute(&'static self, name: &str) -> bool {
        if self.spec.root.open {
            return true;
        }
        let path = name.replace('.', "/");
        self.paths(Header::ReadOnly).any(|read_only| {
            // What is below a read-only property is read-only as well.
            path == read_only
                || (path
                    .strip_prefix(read_only)
                    .is_some_and(|rest| rest.starts_with('/'))
                    && (self.property(&path).is_some()
                        || self.property(read_only).is_some_and(|p| p.is_free())))
        }) || self
            .paths(Header::Attributes)
            .any(|attribute| attribute == name)
            || (self.properties_are_attributes() && self.property(&path).is_some())
            || (matches!(
                self.name(),
                "AWS::CloudFormation::Stack" | "AWS::Serverless::Application"
            ) && name.starts_with("Outputs."))
    }

    fn properties_are_attributes(&self) -> bool {
        self.paths(Header::Attributes).any(|name| name == "*")
    }

    /// Lists the properties of the resource itself, in the order of their names.
    pub fn properties(&'static self) -> impl Iterator<Item = PropertyFacts> {
        self.spec
            .root
            .properties
            .iter()
            .map(move |property| PropertyFacts {
                resource: self,
                property,
                path: property.name.to_string(),
            })
    }

    /// Finds a property by its path, such as `QueueName` or `LifecycleConfiguration/Rules/0/Status`.
    ///
    /// Positions in lists and keys of maps are part of a path; `*` stands for any. Nothing is found at a position
    /// or key itself, nor inside free JSON.
    pub fn property(&'static self, path: &str) -> Option<PropertyFacts> {
        let mut shape = &self.spec.root;
        let mut walked = String::new();
        let mut steps = path.split('/');
        loop {
            let property = shape.property(steps.next()?)?;
            if !walked.is_empty() {
                walked.push('/');
            }
            walked.push_str(&property.name);
            let mut rest = steps.clone().peekable();
            if rest.peek().is_none() {
                return Some(PropertyFacts {
                    resource: self,
                    property,
                    path: walked,
                });
            }
            let mut kind = &property.node.kind;
            while let Kind::List(item) | Kind::Map(item) = kind {
                steps.next()?;
                walked.push_str("/*");
                kind = &item.kind;
            }
            let Kind::Shape(name) = kind else { return None };
            shape = self.spec.shape(name)?;
        }
    }

    /// Tells what a change at a path does; see [`PropertyFacts::update`].
    pub fn update(&'static self, path: &str) -> Option<UpdateBehaviour> {
        self.property(path).map(|property| property.update())
    }

    fn paths(&self, header: Header) -> impl Iterator<Item = &str> {
        self.spec.list(header).map(|word| &**word)
    }

    /// Whether a header names the path or something it is part of.
    fn covers(&self, header: Header, path: &str) -> bool {
        self.paths(header).any(|listed| {
            path.strip_prefix(listed)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }

    /// Whether a header names something that is part of the path.
    fn reaches_below(&self, header: Header, path: &str) -> bool {
        self.paths(header).any(|listed| {
            listed
                .strip_prefix(path)
                .is_some_and(|rest| rest.starts_with('/'))
        })
    }

    /// Whether only AWS sets what is at a path.
    ///
    /// Some properties are listed as read-only though they are required, or fixed when the resource is created: those
    /// can be set.
    fn only_read(&self, path: &str, required: bool) -> bool {
        !required && self.covers(Header::ReadOnly, path) && !self.covers(Header::CreateOnly, path)
    }
}

/// The facts about one property of a resource type.
#[derive(Clone, Debug)]
pub struct PropertyFacts {
    resource: &'static ResourceFacts,
    property: &'static Property<'static>,
    path: String,
}

impl PropertyFacts {
    /// Returns the name CloudFormation uses.
    pub fn name(&self) -> &'static str {
        &self.property.name
    }

    /// Returns the path from the resource, with `*` for positions and keys.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Tells whether the resource, or the nested map that holds the property, is invalid without it.
    pub fn required(&self) -> bool {
        self.property.required
    }

    /// Tells what a change of the property does.
    ///
    /// Ask for the innermost property that changes: where only a part of a property replaces the resource, the
    /// property as a whole is [`UpdateBehaviour::Conditional`].
    pub fn update(&self) -> UpdateBehaviour {
        let resource = self.resource;
        if !resource.updatable() || resource.covers(Header::CreateOnly, &self.path) {
            UpdateBehaviour::Replacement
        } else if resource.covers(Header::MaybeCreateOnly, &self.path)
            || resource.reaches_below(Header::CreateOnly, &self.path)
            || resource.reaches_below(Header::MaybeCreateOnly, &self.path)
        {
            UpdateBehaviour::Conditional
        } else {
            UpdateBehaviour::InPlace
        }
    }

    /// Tells whether only AWS sets the property.
    pub fn read_only(&self) -> bool {
        self.resource.only_read(&self.path, self.required())
    }

    /// Tells whether AWS never shows the property again, so that its drift cannot be seen.
    pub fn write_only(&self) -> bool {
        self.resource.covers(Header::WriteOnly, &self.path)
    }

    /// Tells whether AWS discourages the use of the property.
    pub fn deprecated(&self) -> bool {
        self.resource.covers(Header::Deprecated, &self.path)
    }

    /// Returns what the property holds.
    pub fn value(&self) -> ValueFacts {
        ValueFacts::new(self.resource, &self.property.node)
    }

    fn is_free(&self) -> bool {
        matches!(self.property.node.kind, Kind::Json(_) | Kind::Map(_))
    }
}

/// The nested type of a property, or the properties of a resource.
#[derive(Clone, Copy, Debug)]
pub struct ShapeFacts {
    shape: &'static Shape<'static>,
}

impl ShapeFacts {
    /// Returns the name of the nested type.
    pub fn name(&self) -> &'static str {
        &self.shape.name
    }

    /// Tells whether other properties than the listed ones are accepted.
    pub fn open(&self) -> bool {
        self.shape.open
    }

    /// Lists the names of the properties and whether each is required, in order.
    pub fn properties(&self) -> impl Iterator<Item = (&'static str, bool)> + use<> {
        self.shape
            .properties
            .iter()
            .map(|property| (&*property.name, property.required))
    }
}

#[cfg(test)]
mod tests {
    use super::{FILES, Header, Kind, entries, resource_type, spec::TypeSpec};

    #[test]
    fn every_file_reads_back_as_it_was_written() {
        for (index, (service, text)) in FILES.iter().enumerate() {
            let printed: String = entries(index)
                .iter()
                .map(|entry| TypeSpec::parse(entry.text).unwrap().to_string())
                .collect();
            assert!(printed == *text, "{service}");
        }
    }

    #[test]
    fn every_path_and_name_leads_somewhere() {
        for entry in (0..FILES.len()).flat_map(entries) {
            let facts = resource_type(entry.name).unwrap();
            for header in [
                Header::Identifier,
                Header::CreateOnly,
                Header::MaybeCreateOnly,
                Header::ReadOnly,
            ] {
                for path in facts.paths(header) {
                    let below_json = |path: &str| {
                        path.rsplit_once('/').is_some_and(|(parent, _)| {
                            facts.property(parent).is_some_and(|p| p.is_free())
                        })
                    };
                    let element = path.strip_suffix("/*").unwrap_or(path);
                    assert!(
                        facts.property(element).is_some() || below_json(path),
                        "{}: {path}",
                        entry.name
                    );
                }
            }
            for shape in facts.spec.shapes.iter().chain([&facts.spec.root]) {
                assert!(
                    shape.properties.is_sorted_by(|a, b| a.name < b.name),
                    "{}: {}",
                    entry.name,
                    shape.name
                );
                for property in &shape.properties {
                    let mut kind = &property.node.kind;
                    while let Kind::List(item) | Kind::Map(item) = kind {
                        kind = &item.kind;
                    }
                    if let Kind::Shape(name) = kind {
                        assert!(facts.spec.shape(name).is_some(), "{}: {name}", entry.name);
                    }
                }
            }
        }
    }

    #[test]
    fn lines_that_are_not_of_the_format() {
        for (text, problem) in [
            ("type", "line 1: a type without a name"),
            ("type A\ncolour red", "line 2: an unknown keyword"),
            ("type A\nshape", "line 2: a shape without a name"),
            ("type A\n  Name", "line 2: a property without a kind"),
            ("type A\n  Name x", "line 2: an unknown kind"),
            (
                "type A\n  Name [",
                "line 2: a list or map without a type of element",
            ),
            ("type A\n  Name s len=5", "line 2: a range without `..`"),
            ("type A\n  Name s colour=red", "line 2: an unknown limit"),
        ] {
            assert_eq!(TypeSpec::parse(text).unwrap_err().to_string(), problem);
        }
    }
}
