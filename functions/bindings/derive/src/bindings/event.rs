//! What the handler of a function is given.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Error, GenericArgument, Ident, Path, PathArguments, Result, Type};

use super::FunctionAttribute;

/// The type that the handler is given: the one accepted event, or an enum of them.
pub(super) fn event(
    ident: &Ident,
    vis: &syn::Visibility,
    function: &FunctionAttribute,
) -> Result<TokenStream> {
    let name = format_ident!("{ident}Event");
    let accepts: Vec<&Path> = function.accepts.iter().collect();
    if let [only] = accepts.as_slice() {
        let doc = format!("The event that `{ident}` accepts.");
        return Ok(quote! {
            #[doc = #doc]
            #vis type #name = #only;
        });
    }
    let variants = variants(&accepts)?;
    let doc = format!("The events that `{ident}` accepts.");
    let expected = variants
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" or ");
    let earlier = accepts.iter().rev().skip(1).rev();
    let docs = variants
        .iter()
        .map(|variant| format!("The event is a `{variant}`."));
    Ok(quote! {
        #[doc = #doc]
        #vis enum #name {
            #(#[doc = #docs] #variants(#accepts)),*
        }

        #[automatically_derived]
        impl ::stack_bindings::Decode for #name {
            fn decode(
                payload: ::stack_bindings::derived::serde_json::Value,
            ) -> ::core::result::Result<Self, ::stack_bindings::EventError> {
                #(
                    if <#accepts as ::stack_bindings::Event>::recognises(&payload) {
                        return <#accepts as ::stack_bindings::Decode>::decode(payload).map(Self::#variants);
                    }
                )*
                ::core::result::Result::Err(::stack_bindings::EventError::Shape { expected: #expected })
            }
        }

        const _: () = {
            #(::core::assert!(
                !<#earlier as ::stack_bindings::Event>::CATCHES_ALL,
                "this event takes every payload, so it has to be the last in accepts(..)",
            );)*
        };
    })
}

/// Names the variants of the enum of several events: by the event, or by its detail where several come from a bus, which
/// are told apart by their detail types.
fn variants(accepts: &[&Path]) -> Result<Vec<Ident>> {
    let mut variants: Vec<Ident> = Vec::new();
    let is_of_bus = |path: &Path| {
        path.segments
            .last()
            .is_some_and(|segment| segment.ident == "BusEvent")
    };
    let several_of_bus = accepts.iter().filter(|path| is_of_bus(path)).count() > 1;
    for path in accepts {
        let Some(segment) = path.segments.last() else {
            return Err(Error::new_spanned(path, "expected the type of an event"));
        };
        let detail = (several_of_bus && is_of_bus(path))
            .then(|| only_argument(&segment.arguments))
            .flatten();
        let variant = detail.unwrap_or_else(|| segment.ident.clone());
        if variants.contains(&variant) {
            return Err(Error::new_spanned(
                path,
                format!(
                    "`{variant}` is accepted twice, and nothing in the payload tells the two apart"
                ),
            ));
        }
        variants.push(variant);
    }
    Ok(variants)
}

/// Returns the name of the type that is the only argument of another.
fn only_argument(arguments: &PathArguments) -> Option<Ident> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(Type::Path(detail)) => {
            detail.path.segments.last().map(|last| last.ident.clone())
        }
        _ => None,
    }
}
