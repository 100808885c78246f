//! What the derive makes of bindings, for the function and for the stack.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;
use syn::spanned::Spanned;

use super::{Binding, FunctionAttribute};
use crate::name::plain;

fn variable_const(ident: &Ident) -> Ident {
    format_ident!("__VARIABLE_{}", plain(ident).to_uppercase())
}

/// The names of the environment variables, as constants: the function reads them and the stack sets them.
pub(super) fn environment(ident: &Ident, bindings: &[Binding]) -> TokenStream {
    let constants = bindings.iter().map(|binding| {
        let constant = variable_const(&binding.ident);
        let ty = &binding.ty;
        if let Some(literal) = &binding.environment {
            quote! { const #constant: &'static str = #literal; }
        } else {
            let field = plain(&binding.ident);
            quote_spanned! {ty.span()=>
                const #constant: &'static str = {
                    const NAME: ::stack_bindings::VariableName = ::stack_bindings::VariableName::new(
                        #field,
                        <#ty as ::stack_bindings::Binding>::SUFFIX,
                    );
                    NAME.as_str()
                };
            }
        }
    });
    let all = bindings
        .iter()
        .map(|binding| variable_const(&binding.ident));
    quote! {
        #[automatically_derived]
        #[doc(hidden)]
        impl #ident {
            #(#constants)*
            const __DISTINCT: () = ::core::assert!(
                ::stack_bindings::distinct(&[#(Self::#all),*]),
                "two bindings have the same environment variable; name another with #[binding(environment = \"..\")]",
            );
        }

        const _: () = #ident::__DISTINCT;
    }
}

/// How the function reads its bindings.
pub(super) fn runtime(ident: &Ident, bindings: &[Binding]) -> TokenStream {
    let fields: Vec<_> = bindings.iter().map(|binding| &binding.ident).collect();
    let reads = bindings.iter().map(|binding| {
        let (field, ty) = (&binding.ident, &binding.ty);
        let name = plain(field);
        let variable = variable_const(field);
        quote_spanned! {ty.span()=>
            let #field = environment.read::<#ty>(#name, Self::#variable, &mut problems);
        }
    });
    quote! {
        #[cfg(feature = "runtime")]
        #[automatically_derived]
        impl ::stack_bindings::FromEnvironment for #ident {
            fn from_environment(
                environment: &::stack_bindings::Environment,
            ) -> ::core::result::Result<Self, ::stack_bindings::EnvironmentError> {
                let mut problems = ::std::vec::Vec::new();
                #(#reads)*
                match (#(#fields,)*) {
                    (#(::core::option::Option::Some(#fields),)*) if problems.is_empty() => {
                        ::core::result::Result::Ok(Self { #(#fields),* })
                    }
                    _ => ::core::result::Result::Err(::stack_bindings::EnvironmentError::new(problems)),
                }
            }
        }
    }
}

/// What the stack fills in, and which events may trigger the function.
pub(super) fn wiring(
    ident: &Ident,
    vis: &syn::Visibility,
    bindings: &[Binding],
    function: &FunctionAttribute,
) -> TokenStream {
    let wiring = format_ident!("{ident}Wiring");
    let doc = format!("What the stack fills the bindings of `{ident}` with.");
    let bind_doc =
        format!("Fills the bindings of `{ident}`; the stack grants exactly what they need.");
    let lifetime = (!bindings.is_empty()).then(|| quote!(<'a>));
    let anonymous = (!bindings.is_empty()).then(|| quote!(<'_>));
    let fields = bindings.iter().map(|binding| {
        let (field, ty) = (&binding.ident, &binding.ty);
        let doc = format!("Fills `{}`.", plain(field));
        quote_spanned! {ty.span()=>
            #[doc = #doc]
            pub #field: <#ty as ::stack_bindings::Wire>::Handle<'a>
        }
    });
    let wires = bindings.iter().map(|binding| {
        let (field, ty) = (&binding.ident, &binding.ty);
        let name = plain(field);
        let variable = variable_const(field);
        quote_spanned! {ty.span()=>
            <#ty as ::stack_bindings::Wire>::wire(wiring.#field, #name, Self::#variable)
        }
    });
    // Coherence cannot see through an associated type of a foreign trait, so two events named by their `Sent` would
    // count as one. They are named by the last segment instead, and asserted to be the same.
    let accepts = function.accepts.iter().filter_map(|event| {
        let span = event.span();
        let sent = event.segments.last()?;
        Some(quote_spanned! {span=>
            #[cfg(feature = "wiring")]
            #[automatically_derived]
            impl ::stack_bindings::derived::stack_model::contract::Accepts<
                ::stack_bindings::derived::stack_model::contract::event::#sent,
            > for #ident {}

            #[cfg(feature = "wiring")]
            const _: fn() = || {
                fn is_sent<E: ::stack_bindings::Event<Sent = S>, S>() {}
                is_sent::<#event, ::stack_bindings::derived::stack_model::contract::event::#sent>();
            };
        })
    });
    let unused = bindings
        .is_empty()
        .then(|| quote!(let #wiring {} = wiring;));
    quote! {
        #[cfg(feature = "wiring")]
        #[doc = #doc]
        #vis struct #wiring #lifetime {
            #(#fields),*
        }

        #[cfg(feature = "wiring")]
        #[automatically_derived]
        impl ::stack_bindings::derived::stack_model::contract::FunctionContract for #ident {
            const PACKAGE: &'static str = <Self as ::stack_bindings::Function>::PACKAGE;
            const BINARY: &'static str = <Self as ::stack_bindings::Function>::BINARY;
        }

        #[cfg(feature = "wiring")]
        #[automatically_derived]
        impl #ident {
            #[doc = #bind_doc]
            #vis fn bind(
                wiring: #wiring #anonymous,
            ) -> ::stack_bindings::derived::stack_model::contract::Wired<Self> {
                #unused
                ::stack_bindings::derived::stack_model::contract::Wired::new(::std::vec![#(#wires),*])
            }
        }

        #(#accepts)*
    }
}
