//! `#[derive(Bindings)]`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::parse::Parse;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Data, DeriveInput, Error, Fields, GenericArgument, Ident, LitStr, Path, PathArguments, Result,
    Token, Type,
};

use crate::Errors;

/// The variables that Lambda sets itself and lets nobody set, as the model of the stacks has them; see
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>.
const RESERVED: [&str; 21] = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_METADATA_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
];

struct Binding {
    ident: Ident,
    ty: Type,
    /// The name of the environment variable, where it is not the field's.
    environment: Option<LitStr>,
}

struct FunctionAttribute {
    binary: LitStr,
    accepts: Punctuated<Path, Token![,]>,
}

pub(crate) fn derive(input: DeriveInput) -> Result<TokenStream> {
    let mut errors = Errors::default();
    if !input.generics.params.is_empty() {
        errors.push(Error::new_spanned(
            &input.generics,
            "a function has one set of bindings, so the struct cannot be generic",
        ));
    }
    let function = errors.take(function_attribute(&input));
    let bindings = errors.take(fields(input.data, &input.ident));
    for binding in bindings.iter().flatten() {
        if let Some(operation) = granted_twice(&binding.ty) {
            errors.push(Error::new_spanned(
                &operation,
                "this operation is granted twice",
            ));
        }
    }
    errors.finish()?;
    let (Some(function), Some(bindings)) = (function, bindings) else {
        return Ok(TokenStream::new());
    };

    let ident = &input.ident;
    let vis = &input.vis;
    let environment = environment(ident, &bindings);
    let event = event(ident, vis, &function)?;
    let runtime = runtime(ident, &bindings);
    let wiring = wiring(ident, vis, &bindings, &function);
    let event_name = format_ident!("{ident}Event");
    let binary = &function.binary;
    let fields = bindings.iter().map(|binding| &binding.ident);
    Ok(quote! {
        #environment
        #event

        #[automatically_derived]
        impl ::stack_bindings::Function for #ident {
            type Event = #event_name;

            const PACKAGE: &'static str = ::core::env!("CARGO_PKG_NAME");
            const BINARY: &'static str = #binary;

            fn declared(&self) {
                #(let _ = &self.#fields;)*
            }
        }

        #runtime
        #wiring
    })
}

fn function_attribute(input: &DeriveInput) -> Result<FunctionAttribute> {
    let attributes: Vec<_> = input
        .attrs
        .iter()
        .filter(|attribute| attribute.path().is_ident("function"))
        .collect();
    let [attribute] = attributes.as_slice() else {
        let message = "describe the function once with `#[function(binary = \"..\", accepts(..))]`";
        return Err(match attributes.get(1) {
            Some(second) => Error::new_spanned(second, message),
            None => Error::new(input.ident.span(), message),
        });
    };
    let mut binary: Option<LitStr> = None;
    let mut accepts: Option<Punctuated<Path, Token![,]>> = None;
    attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident("binary") {
            let value: LitStr = meta.value()?.parse()?;
            let name = value.value();
            let valid = name.starts_with(|c: char| c.is_ascii_alphanumeric())
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
            if !valid {
                return Err(Error::new_spanned(
                    &value,
                    "a binary's name consists of letters, digits, `-` and `_`",
                ));
            }
            binary = Some(value);
            Ok(())
        } else if meta.path.is_ident("accepts") {
            let content;
            syn::parenthesized!(content in meta.input);
            accepts = Some(content.parse_terminated(Path::parse, Token![,])?);
            Ok(())
        } else {
            Err(meta.error("expected `binary = \"..\"` or `accepts(..)`"))
        }
    })?;
    let binary = binary.ok_or_else(|| {
        Error::new_spanned(
            attribute,
            "name the function's binary target: `binary = \"..\"`",
        )
    })?;
    let accepts = accepts.filter(|events| !events.is_empty()).ok_or_else(|| {
        Error::new_spanned(
            attribute,
            "name the events that the function accepts: `accepts(Invocation<Order>)`",
        )
    })?;
    Ok(FunctionAttribute { binary, accepts })
}

fn fields(data: Data, ident: &Ident) -> Result<Vec<Binding>> {
    let fields = match data {
        Data::Struct(data) => match data.fields {
            Fields::Named(fields) => fields.named,
            Fields::Unit => Punctuated::new(),
            Fields::Unnamed(fields) => {
                return Err(Error::new_spanned(
                    fields,
                    "bindings have names: use a struct with named fields",
                ));
            }
        },
        Data::Enum(_) | Data::Union(_) => {
            return Err(Error::new(
                ident.span(),
                "bindings are the fields of a struct",
            ));
        }
    };
    let mut errors = Errors::default();
    let mut bindings = Vec::new();
    for field in fields {
        let Some(ident) = field.ident else { continue };
        let mut environment = None;
        for attribute in &field.attrs {
            if !attribute.path().is_ident("binding") {
                continue;
            }
            let parsed = attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("environment") {
                    environment = Some(meta.value()?.parse()?);
                    Ok(())
                } else {
                    Err(meta.error("expected `environment = \"..\"`"))
                }
            });
            errors.take(parsed);
        }
        let name = environment.as_ref().map_or_else(
            || (field_name(&ident).to_uppercase(), ident.span()),
            |literal: &LitStr| (literal.value(), literal.span()),
        );
        errors.take(check_variable(&name.0, name.1));
        bindings.push(Binding {
            ident,
            ty: field.ty,
            environment,
        });
    }
    errors.finish()?;
    Ok(bindings)
}

/// Checks the rules of <https://docs.aws.amazon.com/lambda/latest/api/API_Environment.html>.
fn check_variable(name: &str, span: Span) -> Result<()> {
    if RESERVED.contains(&name) {
        return Err(Error::new(
            span,
            format!(
                "`{name}` is reserved by Lambda; name another variable with `#[binding(environment = \"..\")]`"
            ),
        ));
    }
    let valid = name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if valid {
        Ok(())
    } else {
        Err(Error::new(
            span,
            format!(
                "`{name}` cannot be an environment variable: a letter, then letters, digits and `_`, two at least"
            ),
        ))
    }
}

/// Finds an operation that occurs twice in the tuple of grants, which no method call could tell apart.
fn granted_twice(ty: &Type) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let PathArguments::AngleBracketed(arguments) = &path.path.segments.last()?.arguments else {
        return None;
    };
    let GenericArgument::Type(Type::Tuple(grants)) = arguments.args.last()? else {
        return None;
    };
    let mut seen: Vec<String> = Vec::new();
    for operation in &grants.elems {
        let text = operation.to_token_stream().to_string();
        if seen.contains(&text) {
            return Some(operation.clone());
        }
        seen.push(text);
    }
    None
}

/// Returns the name of a field without the `r#` of a keyword.
fn field_name(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

fn variable_const(ident: &Ident) -> Ident {
    format_ident!("__VARIABLE_{}", field_name(ident).to_uppercase())
}

/// The names of the environment variables, as constants: the function reads them and the stack sets them.
fn environment(ident: &Ident, bindings: &[Binding]) -> TokenStream {
    let constants = bindings.iter().map(|binding| {
        let constant = variable_const(&binding.ident);
        let ty = &binding.ty;
        if let Some(literal) = &binding.environment {
            quote! { const #constant: &'static str = #literal; }
        } else {
            let field = field_name(&binding.ident);
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

/// The type that the handler is given: the one accepted event, or an enum of them.
fn event(
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

fn runtime(ident: &Ident, bindings: &[Binding]) -> TokenStream {
    let fields: Vec<_> = bindings.iter().map(|binding| &binding.ident).collect();
    let reads = bindings.iter().map(|binding| {
        let (field, ty) = (&binding.ident, &binding.ty);
        let name = field_name(field);
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

fn wiring(
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
        let doc = format!("Fills `{}`.", field_name(field));
        quote_spanned! {ty.span()=>
            #[doc = #doc]
            pub #field: <#ty as ::stack_bindings::Wire>::Handle<'a>
        }
    });
    let wires = bindings.iter().map(|binding| {
        let (field, ty) = (&binding.ident, &binding.ty);
        let name = field_name(field);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stacks_reserve_the_same_variables() {
        assert_eq!(RESERVED, stack_model::contract::RESERVED_VARIABLES);
    }

    #[test]
    fn reserved_variables_are_refused_and_their_neighbours_are_not() {
        for name in RESERVED {
            let error = check_variable(name, Span::call_site()).unwrap_err();
            assert!(error.to_string().contains("reserved by Lambda"), "{error}");
        }
        for name in ["TZ", "AWS_LAMBDA_EXEC_WRAPPER", "AWS_XRAY_CONTEXT_MISSING"] {
            check_variable(name, Span::call_site()).unwrap();
        }
    }
}
