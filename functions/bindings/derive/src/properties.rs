//! `#[derive(ResourceProperties)]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Field, Fields, Ident, Result, Type};

use crate::Errors;
use crate::name::{Case, PROPERTIES, container_case, field_name, plain};

/// The names that CloudFormation puts among the properties itself; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html>.
const RESERVED: [&str; 2] = ["ServiceToken", "ServiceTimeout"];

/// A field of the struct, under the name that serde reads it by.
struct Property {
    ident: Ident,
    ty: Type,
    name: String,
}

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let mut errors = Errors::default();
    if !input.generics.params.is_empty() {
        errors.push(Error::new_spanned(
            &input.generics,
            "a custom resource has one set of properties, so the struct cannot be generic",
        ));
    }
    let Data::Struct(data) = &input.data else {
        return Err(Error::new(
            input.ident.span(),
            "properties are the fields of a struct",
        ));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new(
            input.ident.span(),
            "properties have names: use a struct with named fields",
        ));
    };
    let case = errors
        .take(container_case(&input.attrs, PROPERTIES))
        .unwrap_or(Case::Unchanged);
    let properties: Vec<Property> = fields
        .named
        .iter()
        .filter_map(|field| errors.take(property(field, case)))
        .collect();
    errors.finish()?;
    Ok(render(input, &properties))
}

fn property(field: &Field, case: Case) -> Result<Property> {
    let ident = field
        .ident
        .clone()
        .ok_or_else(|| Error::new_spanned(field, "a property has a name"))?;
    let mut name = field_name(field, &plain(&ident), case, PROPERTIES)?;
    if let Some(unfollowed) = name.unfollowed.take() {
        return Err(unfollowed);
    }
    if RESERVED.contains(&name.name.as_str()) {
        let message = format!(
            "`{}` belongs to CloudFormation: choose another name",
            name.name
        );
        return Err(Error::new_spanned(field, message));
    }
    Ok(Property {
        ident,
        ty: field.ty.clone(),
        name: name.name,
    })
}

fn render(input: &DeriveInput, properties: &[Property]) -> TokenStream {
    let (ident, vis) = (&input.ident, &input.vis);
    let given = format_ident!("{ident}Given");
    let doc = format!("What a stack fills the properties `{ident}` in with.");
    let fields = properties.iter().map(|property| {
        let Property { ident, ty, name } = property;
        let doc = format!("The property `{name}`.");
        quote_spanned! {ty.span()=>
            #[doc = #doc]
            pub #ident: <#ty as ::stack_bindings::derived::stack_model::contract::PropertyValue>::Given
        }
    });
    let entries = properties.iter().map(|property| {
        let Property { ident, ty, name } = property;
        quote_spanned! {ty.span()=>
            (
                #name,
                <#ty as ::stack_bindings::derived::stack_model::contract::PropertyValue>::render(given.#ident),
            )
        }
    });
    // A struct without fields would leave the argument unused.
    let unused = properties
        .is_empty()
        .then(|| quote!(let #given {} = given;));
    let count = properties.len();
    quote! {
        #[cfg(feature = "wiring")]
        #[doc = #doc]
        #vis struct #given {
            #(#fields),*
        }

        #[cfg(feature = "wiring")]
        #[automatically_derived]
        impl ::stack_bindings::derived::stack_model::contract::ResourceProperties for #ident {
            type Given = #given;

            fn render(
                given: #given,
            ) -> ::std::collections::BTreeMap<
                ::std::string::String,
                ::stack_bindings::derived::stack_model::Expr,
            > {
                #unused
                let properties: [(
                    &str,
                    ::core::option::Option<::stack_bindings::derived::stack_model::Expr>,
                ); #count] = [#(#entries),*];
                ::core::iter::IntoIterator::into_iter(properties)
                    .filter_map(|(name, value)| {
                        ::core::option::Option::Some((::std::string::String::from(name), value?))
                    })
                    .collect()
            }
        }

        /// Also a value among the properties of another custom resource.
        #[cfg(feature = "wiring")]
        #[automatically_derived]
        impl ::stack_bindings::derived::stack_model::contract::PropertyValue for #ident {
            type Given = #given;

            fn render(
                given: #given,
            ) -> ::core::option::Option<::stack_bindings::derived::stack_model::Expr> {
                ::core::option::Option::Some(::stack_bindings::derived::stack_model::Expr::Map(
                    <Self as ::stack_bindings::derived::stack_model::contract::ResourceProperties>::render(given),
                ))
            }
        }
    }
}
