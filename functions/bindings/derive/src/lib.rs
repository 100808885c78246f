//! The derives of `stack-bindings`; use them through that crate, which explains them.

mod bindings;
mod detail;
mod item;
mod name;
mod properties;

use proc_macro::TokenStream;
use syn::{DeriveInput, parse_macro_input};

/// Makes the contract of a function from a struct of its bindings.
///
/// `#[function(binary = "..", accepts(..))]` on the struct names the binary and the events;
/// `#[binding(environment = "..")]` on a field names its environment variable.
#[proc_macro_derive(Bindings, attributes(function, binding))]
pub fn derive_bindings(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    bindings::derive(input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes the detail of an event from a struct or an enum.
///
/// `#[detail(type = "..")]` gives the detail type.
#[proc_macro_derive(Detail, attributes(detail))]
pub fn derive_detail(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    detail::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes the item of a table from a struct.
///
/// `#[item(partition_key)]`, `#[item(sort_key)]` and `#[item(time_to_live)]` mark fields, and
/// `#[item(index(ByUser, name = "..", partition_key = .., sort_key = ..))]` on the struct declares an index.
#[proc_macro_derive(Item, attributes(item))]
pub fn derive_item(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    item::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Makes the properties of a custom resource from a struct that derives `Deserialize`.
///
/// The names are those by which serde reads the fields.
#[proc_macro_derive(ResourceProperties)]
pub fn derive_resource_properties(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    properties::derive(&input)
        .unwrap_or_else(syn::Error::into_compile_error)
        .into()
}

/// Collects errors, so that the user sees all of them at once.
#[derive(Default)]
struct Errors(Option<syn::Error>);

impl Errors {
    fn push(&mut self, error: syn::Error) {
        match &mut self.0 {
            Some(first) => first.combine(error),
            None => self.0 = Some(error),
        }
    }

    fn take<T>(&mut self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    fn finish(self) -> syn::Result<()> {
        self.0.map_or(Ok(()), Err)
    }
}
