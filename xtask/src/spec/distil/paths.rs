//! The registry's pointers to properties, made plain.

use super::super::format::{Kind, Shape, TypeSpec};

/// Turns a pointer such as `/properties/Rules/items/properties/Name` into a path such as `Rules/*/Name`.
///
/// The registry writes the steps into lists and maps in several ways, or not at all; every pointer is walked along the
/// facts, and one that leads to no property is refused.
pub(super) fn resolve(spec: &TypeSpec<'_>, pointer: &str) -> Option<String> {
    let steps: Vec<String> = pointer
        .strip_prefix("/properties/")?
        .split('/')
        .map(|step| step.replace("~1", "/").replace("~0", "~"))
        .collect();
    let mut path: Vec<&str> = Vec::new();
    walk(spec, At::Shape(&spec.root), &steps, &mut path)?;
    Some(path.join("/"))
}

/// Where a walk stands.
#[derive(Clone, Copy)]
enum At<'a> {
    Shape(&'a Shape<'a>),
    Kind(&'a Kind<'a>),
}

fn walk<'a>(
    spec: &'a TypeSpec<'a>,
    at: At<'a>,
    steps: &'a [String],
    path: &mut Vec<&'a str>,
) -> Option<()> {
    let Some((step, rest)) = steps.split_first() else {
        return Some(());
    };
    match at {
        At::Shape(shape) => {
            if let Some(property) = shape.property(step) {
                path.push(step);
                return walk(spec, At::Kind(&property.node.kind), rest, path);
            }
            (step == "properties").then(|| walk(spec, At::Shape(shape), rest, path))?
        }
        At::Kind(Kind::Shape(name)) => walk(spec, At::Shape(spec.shape(name)?), steps, path),
        At::Kind(Kind::List(item) | Kind::Map(item)) => {
            path.push("*");
            let explicit = matches!(step.as_str(), "*" | "items" | ".*" | "patternProperties")
                || step.parse::<usize>().is_ok();
            walk(
                spec,
                At::Kind(&item.kind),
                if explicit { rest } else { steps },
                path,
            )
        }
        // Below free JSON nothing is known, and the pointer is believed.
        At::Kind(Kind::Json(_)) => {
            path.extend(steps.iter().map(String::as_str));
            Some(())
        }
        At::Kind(_) => None,
    }
}
