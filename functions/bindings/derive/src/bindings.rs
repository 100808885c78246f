//! `#[derive(Bindings)]`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::parse::Parse;
use syn::punctuated::Punctuated;
use syn::{
    Data, DeriveInput, Error, Fields, GenericArgument, Ident, LitStr, Path, PathArguments, Result,
    Token, Type,
};

use crate::Errors;
use crate::name::plain;

mod event;
mod render;

use event::event;
use render::{environment, runtime, wiring};

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
            || (plain(&ident).to_uppercase(), ident.span()),
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
