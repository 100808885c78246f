//! The line format of the distilled facts: the model, its parser and its printer.
//!
//! The build script, the run-time facts and the distiller all include this one file, so it depends on nothing but
//! the standard library. `spec/README.md` of the crate describes the format for people.

use std::borrow::Cow;
use std::fmt;

#[path = "spec/print.rs"]
mod print;

/// A word or text of a specification: borrowed from the file where it needs no unescaping.
pub(crate) type Text<'a> = Cow<'a, str>;

/// One resource type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct TypeSpec<'a> {
    /// The name, such as `AWS::SQS::Queue`.
    pub(crate) name: Text<'a>,
    /// The lists of property paths (and of other words) of the header, by keyword.
    pub(crate) lists: Vec<(Header, Vec<Text<'a>>)>,
    /// The properties of the resource itself.
    pub(crate) root: Shape<'a>,
    /// The nested shapes, by name.
    pub(crate) shapes: Vec<Shape<'a>>,
}

/// The keyword of one header line of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Header {
    /// The properties that identify a resource.
    Identifier,
    /// Another set of properties that identifies a resource.
    Alternative,
    /// The property that takes tags.
    Tags,
    /// The properties whose change replaces the resource.
    CreateOnly,
    /// The properties whose change replaces the resource under some conditions.
    MaybeCreateOnly,
    /// The properties that AWS sets, which are the attributes too.
    ReadOnly,
    /// The properties that AWS never shows again.
    WriteOnly,
    /// The properties that AWS discourages.
    Deprecated,
    /// Further attributes; `*` says that every property is one.
    Attributes,
    /// The traits: `no-update` (there is no update, so every change replaces), `delete-first` (a replacement
    /// deletes the old resource before it creates the new one).
    Traits,
}

const HEADERS: [(&str, Header); 10] = [
    ("id", Header::Identifier),
    ("alternative", Header::Alternative),
    ("tags", Header::Tags),
    ("create", Header::CreateOnly),
    ("maybe-create", Header::MaybeCreateOnly),
    ("read", Header::ReadOnly),
    ("write", Header::WriteOnly),
    ("deprecated", Header::Deprecated),
    ("attributes", Header::Attributes),
    ("traits", Header::Traits),
];

/// A map with known keys: the properties of a resource, or one of its nested types.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Shape<'a> {
    /// The name in Rust's style; empty for the resource itself.
    pub(crate) name: Text<'a>,
    /// Whether other properties than the listed ones are accepted.
    pub(crate) open: bool,
    /// The rules over several properties.
    pub(crate) groups: Vec<Group<'a>>,
    /// The properties, by name.
    pub(crate) properties: Vec<Property<'a>>,
}

/// A rule over several properties of one shape.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group<'a> {
    /// What the rule says.
    pub(crate) rule: Rule,
    /// Alternatives, each a set of properties. For [`Rule::Needs`] and [`Rule::Excludes`] the first set is the
    /// property that brings the rule into force.
    pub(crate) sets: Vec<Vec<Text<'a>>>,
}

/// What a [`Group`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Exactly one of the sets is present in full.
    OneOf,
    /// At least one of the sets is present in full.
    AnyOf,
    /// Where the first is present, all of the second are.
    Needs,
    /// Where the first is present, none of the second is.
    Excludes,
}

const RULES: [(&str, Rule); 4] = [
    ("oneof", Rule::OneOf),
    ("anyof", Rule::AnyOf),
    ("needs", Rule::Needs),
    ("excludes", Rule::Excludes),
];

/// One property of a shape.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Property<'a> {
    /// The name CloudFormation uses.
    pub(crate) name: Text<'a>,
    /// Whether the shape is invalid without it.
    pub(crate) required: bool,
    /// What it holds.
    pub(crate) node: Node<'a>,
}

/// What a property, an element of a list or a value of a map holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node<'a> {
    /// The type.
    pub(crate) kind: Kind<'a>,
    /// The limits.
    pub(crate) limits: Limits<'a>,
}

/// The type of a [`Node`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind<'a> {
    String,
    Integer,
    Number,
    Boolean,
    /// JSON of any of the kinds named by letters: `s`, `i`, `n`, `b`, `o`bject, `a`rray; none means any.
    Json(Text<'a>),
    List(Box<Node<'a>>),
    Map(Box<Node<'a>>),
    /// A shape of the same type, by name.
    Shape(Text<'a>),
}

impl Kind<'_> {
    /// Tells whether `Fn::GetAtt` can answer it: nested maps and lists of them have no attribute of their own.
    pub(crate) fn is_plain(&self) -> bool {
        match self {
            Self::List(item) => !matches!(item.kind, Self::Shape(_) | Self::List(_) | Self::Map(_)),
            Self::Shape(_) | Self::Map(_) => false,
            _ => true,
        }
    }
}

/// The limits of a [`Node`]; absent ones are `None` or empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Limits<'a> {
    /// The permitted values, numbers and booleans as they are written.
    pub(crate) values: Vec<Text<'a>>,
    /// Whether the permitted values are compared without regard to case.
    pub(crate) ignore_case: bool,
    /// The least and greatest number.
    pub(crate) range: Bounds<'a>,
    /// The least and greatest number of characters, elements or entries.
    pub(crate) length: Bounds<'a>,
    /// An ECMA regular expression that a text matches somewhere.
    pub(crate) pattern: Option<Text<'a>>,
    /// The pattern of the keys of a map.
    pub(crate) keys: Option<Text<'a>>,
    /// The registry's formats, any one of which applies.
    pub(crate) formats: Vec<Text<'a>>,
    /// Whether the elements of a list differ from one another.
    pub(crate) unique: bool,
    /// Whether the order of a list has no meaning.
    pub(crate) unordered: bool,
    /// What AWS assumes where the property is absent, as JSON.
    pub(crate) default: Option<Text<'a>>,
}

/// The two ends of a range, as they are written, either of them possibly open.
pub(crate) type Bounds<'a> = Option<(Text<'a>, Text<'a>)>;

/// A line that is not of the format.
#[derive(Debug)]
pub(crate) struct SpecError {
    line: usize,
    problem: &'static str,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for SpecError {}

/// Finds the text of each type in a file, in order, without parsing it.
pub(crate) fn split_types(text: &str) -> impl Iterator<Item = (&str, &str)> {
    // Line by line, because a search for one byte is much faster than one for a text.
    let next = |text: &str, from: usize| {
        let mut start = from;
        while let Some(line) = text.get(start..).filter(|line| !line.is_empty()) {
            if line.starts_with("type ") {
                return start;
            }
            start += line.find('\n').map_or(line.len(), |end| end + 1);
        }
        text.len()
    };
    let mut rest = text.get(next(text, 0)..).unwrap_or_default();
    std::iter::from_fn(move || {
        let first = rest.find('\n').map_or(rest.len(), |end| end + 1);
        if rest.is_empty() {
            return None;
        }
        let (block, tail) = rest.split_at(next(rest, first));
        rest = tail;
        let first = block.lines().next().unwrap_or_default();
        Some((first.split(' ').nth(1).unwrap_or_default(), block))
    })
}

impl<'a> TypeSpec<'a> {
    /// Parses the text of one type.
    pub(crate) fn parse(text: &'a str) -> Result<Self, SpecError> {
        let mut spec = Self::default();
        let mut nested = false;
        for (index, line) in text.lines().enumerate() {
            let problem = |problem| SpecError {
                line: index + 1,
                problem,
            };
            let shape = match spec.shapes.last_mut() {
                Some(last) if nested => last,
                _ => &mut spec.root,
            };
            if let Some(property) = line.strip_prefix("  ") {
                shape
                    .properties
                    .push(parse_property(property).map_err(problem)?);
                continue;
            }
            let mut words = line.split(' ');
            let keyword = words.next().unwrap_or_default();
            if let Some((_, rule)) = RULES.iter().find(|(name, _)| *name == keyword) {
                shape.groups.push(Group {
                    rule: *rule,
                    sets: words
                        .map(|set| set.split('+').map(unescape).collect())
                        .collect(),
                });
            } else if let Some((_, header)) = HEADERS.iter().find(|(name, _)| *name == keyword) {
                spec.lists.push((*header, words.map(unescape).collect()));
            } else if keyword == "type" {
                spec.name = unescape(
                    words
                        .next()
                        .ok_or_else(|| problem("a type without a name"))?,
                );
                spec.root.open = words.next() == Some("open");
            } else if keyword == "shape" {
                nested = true;
                spec.shapes.push(Shape {
                    name: unescape(
                        words
                            .next()
                            .ok_or_else(|| problem("a shape without a name"))?,
                    ),
                    open: words.next() == Some("open"),
                    ..Shape::default()
                });
            } else {
                return Err(problem("an unknown keyword"));
            }
        }
        Ok(spec)
    }

    /// Returns the words of the header lines of one keyword.
    pub(crate) fn list(&self, header: Header) -> impl Iterator<Item = &Text<'a>> {
        self.lists
            .iter()
            .filter(move |(h, _)| *h == header)
            .flat_map(|(_, words)| words)
    }

    /// Finds a nested shape by name; they are in the order of their names.
    pub(crate) fn shape(&self, name: &str) -> Option<&Shape<'a>> {
        self.shapes
            .binary_search_by(|shape| (*shape.name).cmp(name))
            .ok()
            .and_then(|index| self.shapes.get(index))
    }
}

impl<'a> Shape<'a> {
    /// Finds a property by name; they are in the order of their names.
    pub(crate) fn property(&self, name: &str) -> Option<&Property<'a>> {
        self.properties
            .binary_search_by(|property| (*property.name).cmp(name))
            .ok()
            .and_then(|index| self.properties.get(index))
    }
}

fn parse_property(line: &str) -> Result<Property<'_>, &'static str> {
    let (name, rest) = line.split_once(' ').ok_or("a property without a kind")?;
    let (name, required) = match name.strip_suffix('!') {
        Some(name) => (name, true),
        None => (name, false),
    };
    Ok(Property {
        name: unescape(name),
        required,
        node: parse_node(rest)?,
    })
}

fn parse_node(text: &str) -> Result<Node<'_>, &'static str> {
    // Only lists and maps have elements, and looking for them in every line takes longer than the rest of it.
    let of_elements = text.starts_with(['[', '{']);
    let (own, item) = match of_elements.then(|| text.split_once(" > ")).flatten() {
        Some((own, item)) => (own, Some(item)),
        None => (text, None),
    };
    let mut words = own.split(' ');
    let kind = words.next().unwrap_or_default();
    let item = || {
        item.ok_or("a list or map without a type of element")
            .and_then(parse_node)
            .map(Box::new)
    };
    let kind = match kind {
        "s" => Kind::String,
        "i" => Kind::Integer,
        "n" => Kind::Number,
        "b" => Kind::Boolean,
        "[" => Kind::List(item()?),
        "{" => Kind::Map(item()?),
        _ => match (kind.strip_prefix(':'), kind.strip_prefix('j')) {
            (Some(shape), _) => Kind::Shape(unescape(shape)),
            (_, Some(letters)) => Kind::Json(unescape(letters)),
            _ => return Err("an unknown kind"),
        },
    };
    let mut limits = Limits::default();
    for word in words {
        match word.split_once('=') {
            Some(("enum", values)) => limits.values = values.split('|').map(unescape).collect(),
            Some(("range", bounds)) => limits.range = Some(parse_bounds(bounds)?),
            Some(("len", bounds)) => limits.length = Some(parse_bounds(bounds)?),
            Some(("pat", pattern)) => limits.pattern = Some(unescape(pattern)),
            Some(("keys", pattern)) => limits.keys = Some(unescape(pattern)),
            Some(("fmt", formats)) => limits.formats = formats.split('|').map(unescape).collect(),
            Some(("default", json)) => limits.default = Some(unescape(json)),
            None if word == "unique" => limits.unique = true,
            None if word == "unordered" => limits.unordered = true,
            None if word == "nocase" => limits.ignore_case = true,
            _ => return Err("an unknown limit"),
        }
    }
    Ok(Node { kind, limits })
}

fn parse_bounds(text: &str) -> Result<(Text<'_>, Text<'_>), &'static str> {
    let (least, greatest) = text.split_once("..").ok_or("a range without `..`")?;
    Ok((unescape(least), unescape(greatest)))
}

/// The characters that separate words, and what stands for them inside a word.
const ESCAPES: [(char, char); 8] = [
    ('~', '~'),
    (' ', '_'),
    ('\n', 'n'),
    ('\r', 'r'),
    ('\t', 't'),
    ('|', '/'),
    ('+', 'p'),
    ('!', 'e'),
];

fn unescape(word: &str) -> Text<'_> {
    if !word.contains('~') {
        return Cow::Borrowed(word);
    }
    let mut text = String::with_capacity(word.len());
    let mut chars = word.chars();
    while let Some(c) = chars.next() {
        if c != '~' {
            text.push(c);
            continue;
        }
        let code = chars.next().unwrap_or('~');
        text.push(
            ESCAPES
                .iter()
                .find(|(_, e)| *e == code)
                .map_or(code, |(plain, _)| *plain),
        );
    }
    Cow::Owned(text)
}
