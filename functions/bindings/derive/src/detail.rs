//! `#[derive(Detail)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error, LitStr, Result, Token};

/// The longest detail type that `PutEvents` takes, in bytes; see
/// <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsRequestEntry.html>.
const LONGEST: usize = 128;

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "a detail type names one type of details, so it cannot be generic",
        ));
    }
    let mut name: Option<LitStr> = None;
    for attribute in &input.attrs {
        if !attribute.path().is_ident("detail") {
            continue;
        }
        attribute.parse_args_with(|content: syn::parse::ParseStream<'_>| {
            let missing = "expected `type = \"..\"`";
            content
                .parse::<Token![type]>()
                .map_err(|error| Error::new(error.span(), missing))?;
            content.parse::<Token![=]>()?;
            let literal: LitStr = content.parse()?;
            if name.replace(literal).is_some() {
                return Err(content.error("a detail has one type"));
            }
            Ok(())
        })?;
    }
    let name = name.ok_or_else(|| {
        Error::new(
            input.ident.span(),
            "give the detail type of the event: `#[detail(type = \"Orders.Placed\")]`",
        )
    })?;
    let length = name.value().len();
    if length == 0 || length > LONGEST {
        return Err(Error::new_spanned(
            &name,
            "a detail type has 1 to 128 bytes",
        ));
    }
    let ident = &input.ident;
    Ok(quote! {
        #[automatically_derived]
        impl ::stack_bindings::Detail for #ident {
            const DETAIL_TYPE: &'static str = #name;
        }

        #[cfg(feature = "wiring")]
        #[automatically_derived]
        impl ::stack_bindings::derived::stack_model::contract::EventDetail for #ident {
            const DETAIL_TYPE: &'static str = #name;
        }
    })
}
