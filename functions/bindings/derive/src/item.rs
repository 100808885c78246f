//! `#[derive(Item)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{
    Data, DeriveInput, Error, Field, Fields, GenericArgument, Ident, LitStr, PathArguments, Result,
    Token, Type,
};

use crate::Errors;
use crate::name::{Case, FieldName, ITEM, container_case, field_name, plain};

mod render;

use render::Item;

/// A key attribute: a field of the item, as serde stores it.
struct Key {
    ident: Ident,
    ty: Type,
    name: String,
}

/// `index(ByUser, name = "..", partition_key = .., sort_key = ..)`.
struct IndexAttribute {
    marker: Ident,
    name: LitStr,
    partition_key: Option<Ident>,
    sort_key: Option<Ident>,
}

/// An index whose fields were found.
struct Index {
    marker: Ident,
    name: String,
    partition_key: Option<Key>,
    sort_key: Option<Key>,
}

#[derive(Default)]
struct Marks<'f> {
    partition_key: Option<&'f Field>,
    sort_key: Option<&'f Field>,
    time_to_live: Option<&'f Field>,
}

pub(crate) fn derive(input: &DeriveInput) -> Result<TokenStream> {
    let mut errors = Errors::default();
    if !input.generics.params.is_empty() {
        errors.push(Error::new_spanned(
            &input.generics,
            "a table has one type of items, so the struct cannot be generic",
        ));
    }
    let Data::Struct(data) = &input.data else {
        return Err(Error::new(input.ident.span(), "an item is a struct"));
    };
    let Fields::Named(fields) = &data.fields else {
        return Err(Error::new(
            input.ident.span(),
            "attributes have names: use a struct with named fields",
        ));
    };
    let fields: Vec<&Field> = fields.named.iter().collect();
    let case = errors
        .take(container_case(&input.attrs, ITEM))
        .unwrap_or(Case::Unchanged);
    let known = errors.take(marks(&fields));
    let marks_are_read = known.is_some();
    let marks = known.unwrap_or_default();
    let partition_key = match marks.partition_key {
        Some(field) => errors.take(key(field, case)),
        None if !marks_are_read => None,
        None => {
            errors.push(Error::new(
                input.ident.span(),
                "mark the partition key of the table with `#[item(partition_key)]`",
            ));
            None
        }
    };
    let sort_key = marks
        .sort_key
        .and_then(|field| errors.take(key(field, case)));
    let time_to_live = marks
        .time_to_live
        .and_then(|field| errors.take(stored(field, case)))
        .map(|(key, _)| key);
    let indexes: Vec<Index> = index_attributes(input, &mut errors)
        .into_iter()
        .filter_map(|attribute| errors.take(index(attribute, &fields, case, sort_key.is_some())))
        .collect();
    unique(&indexes, &mut errors);
    errors.finish()?;
    let Some(partition_key) = partition_key else {
        return Ok(TokenStream::new());
    };

    let ident = &input.ident;
    let item = Item {
        ident,
        vis: &input.vis,
        partition_key,
        sort_key,
        time_to_live,
        indexes,
    };
    let (key, item_impl, indexes, schema) =
        (item.key_type(), item.item(), item.indexes(), item.schema());
    Ok(quote! {
        #key
        #item_impl
        #indexes
        #schema
    })
}

fn marks<'f>(fields: &[&'f Field]) -> Result<Marks<'f>> {
    let mut marks = Marks::default();
    for &field in fields {
        for attribute in &field.attrs {
            if !attribute.path().is_ident("item") {
                continue;
            }
            attribute.parse_nested_meta(|meta| {
                let mark = if meta.path.is_ident("partition_key") {
                    &mut marks.partition_key
                } else if meta.path.is_ident("sort_key") {
                    &mut marks.sort_key
                } else if meta.path.is_ident("time_to_live") {
                    &mut marks.time_to_live
                } else {
                    return Err(
                        meta.error("expected `partition_key`, `sort_key` or `time_to_live`")
                    );
                };
                if mark.replace(field).is_some() {
                    return Err(meta.error("a table has one of these"));
                }
                Ok(())
            })?;
        }
    }
    if let (Some(partition), Some(sort)) = (marks.partition_key, marks.sort_key)
        && partition.ident == sort.ident
    {
        return Err(Error::new_spanned(
            sort,
            "the partition key cannot be the sort key too",
        ));
    }
    Ok(marks)
}

fn key(field: &Field, case: Case) -> Result<Key> {
    let (key, name) = stored(field, case)?;
    if name.left_out_if {
        return Err(Error::new_spanned(
            field,
            "every item has this attribute, so serde must not leave it out",
        ));
    }
    Ok(key)
}

fn stored(field: &Field, case: Case) -> Result<(Key, FieldName)> {
    let ident = field
        .ident
        .clone()
        .ok_or_else(|| Error::new_spanned(field, "an attribute has a name"))?;
    let mut name = field_name(field, &plain(&ident), case, ITEM)?;
    if let Some(unfollowed) = name.unfollowed.take() {
        return Err(unfollowed);
    }
    if name.name.is_empty() || name.name.len() > 255 {
        return Err(Error::new_spanned(
            field,
            "the name of a key attribute has 1 to 255 bytes",
        ));
    }
    let key = Key {
        ident,
        ty: field.ty.clone(),
        name: name.name.clone(),
    };
    Ok((key, name))
}

/// Reads the key of an index, which an item may leave out: it is not in the index then.
fn index_key(ident: &Ident, fields: &[&Field], case: Case) -> Result<Key> {
    let field = fields
        .iter()
        .find(|field| field.ident.as_ref() == Some(ident))
        .ok_or_else(|| Error::new_spanned(ident, "the item has no such field"))?;
    let (mut key, name) = stored(field, case)?;
    if let Some(inner) = optional(&key.ty) {
        if !name.left_out_if {
            return Err(Error::new_spanned(
                field,
                "DynamoDB refuses a null in the key of an index: add `#[serde(skip_serializing_if = \"Option::is_none\")]`",
            ));
        }
        key.ty = inner;
    }
    Ok(key)
}

/// Returns the `T` of an `Option<T>`.
fn optional(ty: &Type) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path.path.segments.last()?;
    if segment.ident != "Option" {
        return None;
    }
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    match arguments.args.first()? {
        GenericArgument::Type(inner) => Some(inner.clone()),
        _ => None,
    }
}

fn index_attributes(input: &DeriveInput, errors: &mut Errors) -> Vec<IndexAttribute> {
    let mut indexes = Vec::new();
    for attribute in &input.attrs {
        if !attribute.path().is_ident("item") {
            continue;
        }
        let parsed = attribute.parse_nested_meta(|meta| {
            if !meta.path.is_ident("index") {
                return Err(
                    meta.error("expected `index(Marker, name = \"..\", partition_key = ..)`")
                );
            }
            let content;
            syn::parenthesized!(content in meta.input);
            let marker: Ident = content.parse()?;
            let (mut name, mut partition_key, mut sort_key) = (None, None, None);
            while !content.is_empty() {
                let _: Token![,] = content.parse()?;
                if content.is_empty() {
                    break;
                }
                let option: Ident = content.parse()?;
                let _: Token![=] = content.parse()?;
                if option == "name" {
                    name = Some(content.parse()?);
                } else if option == "partition_key" {
                    partition_key = Some(content.parse()?);
                } else if option == "sort_key" {
                    sort_key = Some(content.parse()?);
                } else {
                    return Err(Error::new_spanned(
                        option,
                        "expected `name`, `partition_key` or `sort_key`",
                    ));
                }
            }
            let name: LitStr = name.ok_or_else(|| {
                Error::new_spanned(&marker, "give the index a name: `name = \"..\"`")
            })?;
            indexes.push(IndexAttribute {
                marker,
                name,
                partition_key,
                sort_key,
            });
            Ok(())
        });
        errors.take(parsed);
    }
    indexes
}

fn index(
    attribute: IndexAttribute,
    fields: &[&Field],
    case: Case,
    table_is_sorted: bool,
) -> Result<Index> {
    let name = attribute.name.value();
    let valid = (3..=255).contains(&name.len())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'));
    if !valid {
        return Err(Error::new_spanned(
            &attribute.name,
            "the name of an index has 3 to 255 letters, digits, `_`, `-` and `.`",
        ));
    }
    if attribute.partition_key.is_none() {
        if attribute.sort_key.is_none() {
            return Err(Error::new_spanned(
                &attribute.marker,
                "an index needs a `partition_key`, or a `sort_key` of its own beside the table's partition key",
            ));
        }
        if !table_is_sorted {
            return Err(Error::new_spanned(
                &attribute.marker,
                "a local index needs a table with a sort key; give this one a `partition_key`",
            ));
        }
    }
    let find = |ident: Option<Ident>| {
        ident
            .map(|ident| index_key(&ident, fields, case))
            .transpose()
    };
    Ok(Index {
        marker: attribute.marker,
        name,
        partition_key: find(attribute.partition_key)?,
        sort_key: find(attribute.sort_key)?,
    })
}

fn unique(indexes: &[Index], errors: &mut Errors) {
    for (position, index) in indexes.iter().enumerate() {
        if indexes
            .iter()
            .take(position)
            .any(|earlier| earlier.name == index.name)
        {
            errors.push(Error::new_spanned(
                &index.marker,
                format!("there is another index `{}`", index.name),
            ));
        }
    }
}
