//! The properties of custom resources: what a function reads, and what a stack fills in.

use std::collections::BTreeMap;

use stack_model_cfn::{Expr, Value};

/// The properties of a custom resource, as its function reads them.
///
/// A stack fills in [`Given`](Self::Given), which has the same properties as values that only the deployment may know,
/// such as the name of a table. CloudFormation sends every value to the function as a text, numbers and booleans
/// included, and so they stand in the template. The derive of the function package implements it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the properties of a custom resource",
    label = "a stack cannot fill these in",
    note = "derive `ResourceProperties` for it, or let the function accept `event::CustomResource<()>`"
)]
pub trait ResourceProperties {
    /// What the stack fills in.
    type Given;

    /// Returns the names and values as the template holds them.
    fn render(given: Self::Given) -> BTreeMap<String, Expr>;
}

/// No property at all.
impl ResourceProperties for () {
    type Given = ();

    fn render((): ()) -> BTreeMap<String, Expr> {
        BTreeMap::new()
    }
}

/// Whatever the stack gives, by name.
impl ResourceProperties for BTreeMap<String, String> {
    type Given = BTreeMap<String, Value<String>>;

    fn render(given: Self::Given) -> BTreeMap<String, Expr> {
        let property = |(name, value): (String, Value<String>)| (name, value.into());
        given.into_iter().map(property).collect()
    }
}

/// A value among the properties of a custom resource, by the type that the function reads it as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a property of a custom resource",
    label = "a stack cannot fill this in",
    note = "properties are texts, numbers, booleans, lists and maps of them, `Option`s of them, and structs that derive `ResourceProperties`"
)]
pub trait PropertyValue {
    /// What the stack fills in.
    type Given;

    /// Returns the value as the template holds it, and nothing where the property is left out.
    fn render(given: Self::Given) -> Option<Expr>;
}

macro_rules! plain {
    ($($type:ty),+) => {
        $(
            impl PropertyValue for $type {
                type Given = Value<$type>;

                fn render(given: Value<$type>) -> Option<Expr> {
                    Some(given.into())
                }
            }
        )+
    };
}

plain!(String, bool, i32, i64, u16, u32, u64);

/// CloudFormation sends a fraction as a text, too, so it is written as one.
impl PropertyValue for f64 {
    type Given = Value<Self>;

    fn render(given: Value<Self>) -> Option<Expr> {
        Some(given.map(|number| number.to_string()).into())
    }
}

impl<T: PropertyValue> PropertyValue for Option<T> {
    type Given = Option<T::Given>;

    fn render(given: Self::Given) -> Option<Expr> {
        given.and_then(T::render)
    }
}

impl<T: PropertyValue> PropertyValue for Vec<T> {
    type Given = Vec<T::Given>;

    fn render(given: Self::Given) -> Option<Expr> {
        let elements = given.into_iter().filter_map(T::render);
        Some(Expr::List(elements.collect()))
    }
}

impl<T: PropertyValue> PropertyValue for BTreeMap<String, T> {
    type Given = BTreeMap<String, T::Given>;

    fn render(given: Self::Given) -> Option<Expr> {
        let entries = given.into_iter();
        let entries = entries.filter_map(|(name, value)| Some((name, T::render(value)?)));
        Some(Expr::Map(entries.collect()))
    }
}
