//! What serde calls a field: a derive has to agree with it, or refuse.

use proc_macro2::TokenStream;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Error, Expr, Field, Ident, LitStr, Result, Token};

/// What a derive says of serde attributes that it cannot follow.
#[derive(Clone, Copy)]
pub(crate) struct Words {
    /// Of one of the whole struct.
    whole: &'static str,
    /// Of one of a field.
    field: &'static str,
    /// Of a field that is written under another name than it is read.
    both_ways: &'static str,
}

/// The words of `#[derive(Item)]`.
pub(crate) const ITEM: Words = Words {
    whole: "an item is stored field by field, so `Item` cannot follow this serde attribute",
    field: "a key is stored as its type says, so it cannot have this serde attribute",
    both_ways: "an item must be written and read under the same name",
};

/// The words of `#[derive(ResourceProperties)]`.
pub(crate) const PROPERTIES: Words = Words {
    whole: "a stack fills in field by field, so `ResourceProperties` cannot follow this serde attribute",
    field: "a stack fills in what the type says, so `ResourceProperties` cannot follow this serde attribute",
    both_ways: "a property has one name: write and read it under the same",
};

/// Returns the name of a field without the `r#` of a keyword.
pub(crate) fn plain(ident: &Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

/// How serde renames all fields of a struct.
#[derive(Clone, Copy)]
pub(crate) enum Case {
    Unchanged,
    Upper,
    Pascal,
    Camel,
    Kebab,
    UpperKebab,
}

impl Case {
    fn parse(literal: &LitStr) -> Result<Self> {
        Ok(match literal.value().as_str() {
            "lowercase" | "snake_case" => Self::Unchanged,
            "UPPERCASE" | "SCREAMING_SNAKE_CASE" => Self::Upper,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "kebab-case" => Self::Kebab,
            "SCREAMING-KEBAB-CASE" => Self::UpperKebab,
            _ => return Err(Error::new_spanned(literal, "serde has no such case")),
        })
    }

    fn apply(self, field: &str) -> String {
        match self {
            Self::Unchanged => field.to_owned(),
            Self::Upper => field.to_ascii_uppercase(),
            Self::Kebab => field.replace('_', "-"),
            Self::UpperKebab => field.to_ascii_uppercase().replace('_', "-"),
            Self::Pascal => field.split('_').map(capitalized).collect(),
            Self::Camel => {
                let pascal = Self::Pascal.apply(field);
                let mut chars = pascal.chars();
                chars.next().map_or_else(String::new, |first| {
                    first.to_ascii_lowercase().to_string() + chars.as_str()
                })
            }
        }
    }
}

fn capitalized(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_ascii_uppercase().to_string() + chars.as_str()
    })
}

/// Reads how serde renames the fields of a struct.
pub(crate) fn container_case(attributes: &[Attribute], words: Words) -> Result<Case> {
    let mut case = Case::Unchanged;
    serde(attributes, |meta| {
        if meta.path.is_ident("rename_all") {
            if let Some(literal) = both_ways(meta, words)? {
                case = Case::parse(&literal)?;
            }
            return Ok(());
        }
        let unfollowed = ["transparent", "from", "try_from", "into", "remote"];
        if unfollowed.iter().any(|name| meta.path.is_ident(name)) {
            return Err(meta.error(words.whole));
        }
        skip_value(meta)
    })?;
    Ok(case)
}

/// What serde does with one field.
pub(crate) struct FieldName {
    /// The name under which the field is stored.
    pub(crate) name: String,
    /// An attribute that changes how the field is written or read.
    pub(crate) unfollowed: Option<Error>,
    /// Whether the field may be left out.
    pub(crate) left_out_if: bool,
}

/// Reads what serde does with a field.
pub(crate) fn field_name(
    field: &Field,
    ident: &str,
    case: Case,
    words: Words,
) -> Result<FieldName> {
    let mut renamed = None;
    let mut unfollowed = None;
    let mut left_out_if = false;
    serde(&field.attrs, |meta| {
        if meta.path.is_ident("rename") {
            if let Some(literal) = both_ways(meta, words)? {
                renamed = Some(literal.value());
            }
            return Ok(());
        }
        let changes = [
            "flatten",
            "skip",
            "skip_serializing",
            "skip_deserializing",
            "with",
            "serialize_with",
            "deserialize_with",
            "getter",
        ];
        if changes.iter().any(|name| meta.path.is_ident(name)) {
            unfollowed = Some(meta.error(words.field));
        }
        left_out_if |= meta.path.is_ident("skip_serializing_if");
        skip_value(meta)
    })?;
    Ok(FieldName {
        name: renamed.unwrap_or_else(|| case.apply(ident)),
        unfollowed,
        left_out_if,
    })
}

fn serde(
    attributes: &[Attribute],
    mut visit: impl FnMut(&ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("serde"))
        .try_for_each(|attribute| attribute.parse_nested_meta(|meta| visit(&meta)))
}

/// Reads `= ".."`, or `(serialize = "..", deserialize = "..")` where both are the same.
fn both_ways(meta: &ParseNestedMeta<'_>, words: Words) -> Result<Option<LitStr>> {
    if meta.input.peek(Token![=]) {
        return meta.value()?.parse().map(Some);
    }
    let (mut written, mut read) = (None::<LitStr>, None::<LitStr>);
    meta.parse_nested_meta(|way| {
        let literal: LitStr = way.value()?.parse()?;
        if way.path.is_ident("serialize") {
            written = Some(literal);
        } else {
            read = Some(literal);
        }
        Ok(())
    })?;
    let value = |literal: &Option<LitStr>| literal.as_ref().map(LitStr::value);
    if value(&written) == value(&read) {
        Ok(written)
    } else {
        Err(meta.error(words.both_ways))
    }
}

/// Steps over the value of an attribute that does not matter here.
fn skip_value(meta: &ParseNestedMeta<'_>) -> Result<()> {
    if meta.input.peek(Token![=]) {
        let _: Expr = meta.value()?.parse()?;
    } else if meta.input.peek(syn::token::Paren) {
        let content;
        syn::parenthesized!(content in meta.input);
        let _: TokenStream = content.parse()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_those_of_serde() {
        for (case, expected) in [
            (Case::Unchanged, "user_id"),
            (Case::Upper, "USER_ID"),
            (Case::Pascal, "UserId"),
            (Case::Camel, "userId"),
            (Case::Kebab, "user-id"),
            (Case::UpperKebab, "USER-ID"),
        ] {
            assert_eq!(case.apply("user_id"), expected);
        }
    }
}
