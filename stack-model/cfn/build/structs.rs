//! From facts to structs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Error, Write as _};

use crate::docs;
use crate::names::{fields, snake};
use crate::spec::{Header, Kind, Node, Shape, TypeSpec, split_types};

/// What the header of a type says about one property of one of its shapes.
#[expect(
    clippy::struct_excessive_bools,
    reason = "the lists of the header are independent of one another"
)]
#[derive(Clone, Copy, Default)]
pub(crate) struct Marks {
    pub(crate) create_only: bool,
    pub(crate) maybe_create_only: bool,
    pub(crate) read_only: bool,
    pub(crate) write_only: bool,
    pub(crate) deprecated: bool,
}

/// The marks by shape and property.
type Marked<'a> = BTreeMap<(&'a str, &'a str), Marks>;

/// Generates the module of one service, and returns it with the name of the service, such as `AWS::SQS`.
pub(crate) fn service(text: &str) -> Result<(String, String), Box<dyn std::error::Error>> {
    let mut code = String::with_capacity(text.len() * 6);
    let mut provider = String::new();
    for (_, block) in split_types(text) {
        let spec = TypeSpec::parse(block)?;
        if let Some((name, _)) = spec.name.rsplit_once("::") {
            name.clone_into(&mut provider);
        }
        resource(&mut code, &spec)?;
    }
    Ok((code, provider))
}

fn resource(code: &mut String, spec: &TypeSpec<'_>) -> Result<(), Error> {
    let resource = spec.name.rsplit("::").next().unwrap_or_default();
    let module = snake(resource);
    let marks = marks(spec);
    let used = used(spec, &marks);

    docs::resource(code, spec)?;
    structure(
        code,
        spec,
        &spec.root,
        resource,
        &format!("{module}::"),
        &marks,
    )?;
    writeln!(
        code,
        "impl crate::ResourceType for {resource} {{\n    fn resource_type(&self) -> &'static str {{\n        \
         Self::TYPE\n    }}\n}}"
    )?;
    writeln!(code, "impl {resource} {{")?;
    writeln!(
        code,
        "    /// The name of the resource type.\n    pub const TYPE: &'static str = \"{}\";",
        spec.name
    )?;
    let mut attributes: BTreeSet<String> = spec
        .list(Header::ReadOnly)
        .chain(spec.list(Header::Attributes))
        .filter(|path| !path.contains('*'))
        .map(|path| path.replace('/', "."))
        .collect();
    if spec.list(Header::Attributes).any(|name| name == "*") {
        let plain = spec
            .root
            .properties
            .iter()
            .filter(|p| p.node.kind.is_plain());
        attributes.extend(plain.map(|property| property.name.to_string()));
    }
    let constants = fields(attributes.iter().map(String::as_str));
    for (attribute, name) in attributes.iter().zip(constants) {
        let name = name.trim_end_matches('_').to_uppercase();
        writeln!(code, "    /// The attribute `{attribute}`.")?;
        writeln!(
            code,
            "    pub const ATTRIBUTE_{name}: &'static str = \"{attribute}\";"
        )?;
    }
    code.push_str("}\n");

    if !used.is_empty() {
        writeln!(
            code,
            "/// The nested types of [`{resource}`].\npub mod {module} {{"
        )?;
        for shape in spec
            .shapes
            .iter()
            .filter(|shape| used.contains(&*shape.name))
        {
            docs::nested(code, spec, shape)?;
            structure(code, spec, shape, &shape.name, "", &marks)?;
        }
        code.push_str("}\n");
    }
    Ok(())
}

/// Writes one struct and its field table.
fn structure(
    code: &mut String,
    spec: &TypeSpec<'_>,
    shape: &Shape<'_>,
    name: &str,
    module: &str,
    marks: &Marked<'_>,
) -> Result<(), Error> {
    let mark = |property: &str| {
        marks
            .get(&(&*shape.name, property))
            .copied()
            .unwrap_or_default()
    };
    let properties: Vec<_> = shape
        .properties
        .iter()
        .filter(|p| !mark(&p.name).read_only)
        .collect();
    let names = fields(properties.iter().map(|p| &*p.name));
    writeln!(code, "#[derive(Default)]\npub struct {name} {{")?;
    for (property, field) in properties.iter().zip(&names) {
        docs::property(code, property, mark(&property.name))?;
        write!(code, "    pub {field}: crate::Property<")?;
        match &property.node.kind {
            Kind::Shape(_) => {
                code.push_str("::std::boxed::Box<");
                rust_type(code, spec, &property.node, module)?;
                code.push('>');
            }
            _ => rust_type(code, spec, &property.node, module)?,
        }
        code.push_str(">,\n");
    }
    writeln!(code, "}}\nimpl crate::Render for {name} {{")?;
    code.push_str("    fn render(&self) -> ::core::option::Option<crate::Expr> {\n        crate::render_fields(&[\n");
    for (property, field) in properties.iter().zip(&names) {
        writeln!(code, "            ({:?}, &self.{field}),", &*property.name)?;
    }
    code.push_str("        ])\n    }\n}\n");
    Ok(())
}

fn rust_type(
    code: &mut String,
    spec: &TypeSpec<'_>,
    node: &Node<'_>,
    module: &str,
) -> Result<(), Error> {
    match &node.kind {
        Kind::String => code.push_str("::std::string::String"),
        Kind::Integer => code.push_str("i64"),
        Kind::Number => code.push_str("f64"),
        Kind::Boolean => code.push_str("bool"),
        // CloudFormation turns the text of a number or boolean into either.
        Kind::Json(letters) if letters.contains('s') && !letters.contains(['a', 'o']) => {
            code.push_str("::std::string::String");
        }
        Kind::Json(_) => code.push_str("crate::Expr"),
        Kind::List(item) => {
            code.push_str("crate::List<");
            rust_type(code, spec, item, module)?;
            code.push('>');
        }
        Kind::Map(item) => {
            code.push_str("crate::Map<");
            rust_type(code, spec, item, module)?;
            code.push('>');
        }
        Kind::Shape(name) if spec.shape(name).is_some_and(is_tag) => code.push_str("crate::Tag"),
        Kind::Shape(name) => write!(code, "{module}{name}")?,
    }
    Ok(())
}

/// Whether a shape is the tag that all services have in common, which is one struct for all of them.
fn is_tag(shape: &Shape<'_>) -> bool {
    shape.name == "Tag"
        && shape.properties.len() == 2
        && shape
            .properties
            .iter()
            .zip(["Key", "Value"])
            .all(|(p, name)| p.name == name && p.node.kind == Kind::String)
}

/// Finds out what the header says about each property.
fn marks<'a>(spec: &'a TypeSpec<'_>) -> Marked<'a> {
    let mut references: BTreeMap<&str, usize> = BTreeMap::new();
    for shape in spec.shapes.iter().chain([&spec.root]) {
        for property in &shape.properties {
            if let Some(name) = target(&property.node) {
                *references.entry(name).or_default() += 1;
            }
        }
    }
    let mut marked = Marked::new();
    let mut set = |header: Header, mark: fn(&mut Marks)| {
        for path in spec.list(header) {
            // What several paths share is read-only in some of them only.
            if let Some((shape, property, own)) = find(spec, path, &references)
                && (own || header != Header::ReadOnly)
            {
                mark(marked.entry((shape, property)).or_default());
            }
        }
    };
    set(Header::CreateOnly, |m| m.create_only = true);
    set(Header::MaybeCreateOnly, |m| m.maybe_create_only = true);
    set(Header::ReadOnly, |m| m.read_only = true);
    set(Header::WriteOnly, |m| m.write_only = true);
    set(Header::Deprecated, |m| m.deprecated = true);
    // A few properties are listed as read-only and required, or read-only and create-only: they can be set.
    for property in &spec.root.properties {
        if let Some(m) = marked.get_mut(&(&*spec.root.name, &*property.name))
            && (property.required || m.create_only)
        {
            m.read_only = false;
        }
    }
    marked
}

/// The shape a node holds, directly or as element or value.
fn target<'a>(node: &'a Node<'_>) -> Option<&'a str> {
    match &node.kind {
        Kind::Shape(name) => Some(name),
        Kind::List(item) | Kind::Map(item) => target(item),
        _ => None,
    }
}

/// Follows a path to the shape and the property at its end, and tells whether no other path leads there.
fn find<'a>(
    spec: &'a TypeSpec<'_>,
    path: &str,
    references: &BTreeMap<&str, usize>,
) -> Option<(&'a str, &'a str, bool)> {
    let mut shape = &spec.root;
    let mut own = true;
    let mut steps = path.split('/').filter(|step| *step != "*").peekable();
    while let Some(step) = steps.next() {
        let property = shape.property(step)?;
        if steps.peek().is_none() {
            return Some((&shape.name, &property.name, own));
        }
        let name = target(&property.node)?;
        own &= references.get(name) == Some(&1);
        shape = spec.shape(name)?;
    }
    None
}

/// The shapes that properties which can be set lead to.
fn used<'a>(spec: &'a TypeSpec<'_>, marks: &Marked<'_>) -> BTreeSet<&'a str> {
    let mut used = BTreeSet::new();
    let mut todo = vec![&spec.root];
    while let Some(shape) = todo.pop() {
        for property in &shape.properties {
            if marks
                .get(&(&*shape.name, &*property.name))
                .is_some_and(|m| m.read_only)
            {
                continue;
            }
            if let Some(next) = target(&property.node).and_then(|name| spec.shape(name))
                && !is_tag(next)
                && used.insert(&*next.name)
            {
                todo.push(next);
            }
        }
    }
    used
}
