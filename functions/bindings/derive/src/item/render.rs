//! What the derive makes of an item.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{Ident, Type, Visibility};

use super::{Index, Key};

/// What the derive has found out about an item.
pub(super) struct Item<'a> {
    pub(super) ident: &'a Ident,
    pub(super) vis: &'a Visibility,
    pub(super) partition_key: Key,
    pub(super) sort_key: Option<Key>,
    pub(super) time_to_live: Option<Key>,
    pub(super) indexes: Vec<Index>,
}

impl Item<'_> {
    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.partition_key).chain(&self.sort_key)
    }

    fn key_ident(&self) -> Ident {
        format_ident!("{}Key", self.ident)
    }

    /// Makes the type of the key.
    pub(super) fn key_type(&self) -> TokenStream {
        let (ident, vis, key) = (self.ident, self.vis, self.key_ident());
        let doc = format!("The key of a `{ident}` in its table.");
        let fields = self.keys().map(|key| {
            let (field, ty, name) = (&key.ident, &key.ty, &key.name);
            let doc = format!("The key attribute `{name}`.");
            quote! {
                #[doc = #doc]
                #[serde(rename = #name)]
                pub #field: #ty
            }
        });
        let from = self.sort_key.is_none().then(|| {
            let (field, ty) = (&self.partition_key.ident, &self.partition_key.ty);
            let is_text = matches!(ty, Type::Path(path) if path.path.is_ident("String"));
            let from_text = is_text.then(|| {
                quote! {
                    #[automatically_derived]
                    impl ::core::convert::From<&str> for #key {
                        fn from(#field: &str) -> Self {
                            Self { #field: ::core::convert::From::from(#field) }
                        }
                    }

                    #[automatically_derived]
                    impl ::core::convert::From<&::std::string::String> for #key {
                        fn from(#field: &::std::string::String) -> Self {
                            Self { #field: ::core::clone::Clone::clone(#field) }
                        }
                    }
                }
            });
            quote! {
                #[automatically_derived]
                impl ::core::convert::From<#ty> for #key {
                    fn from(#field: #ty) -> Self {
                        Self { #field }
                    }
                }

                #from_text
            }
        });
        quote! {
            #[doc = #doc]
            #[derive(
                ::core::clone::Clone,
                ::core::fmt::Debug,
                ::core::cmp::PartialEq,
                ::stack_bindings::derived::serde::Serialize,
                ::stack_bindings::derived::serde::Deserialize,
            )]
            #[serde(crate = "::stack_bindings::derived::serde")]
            #vis struct #key {
                #(#fields),*
            }

            #[automatically_derived]
            impl ::stack_bindings::ItemKey for #key {}

            #from
        }
    }

    /// Makes what functions know of the item.
    pub(super) fn item(&self) -> TokenStream {
        let (ident, key) = (self.ident, self.key_ident());
        let fields = self.keys().map(|key| &key.ident);
        let (partition, partition_name) = (&self.partition_key.ty, &self.partition_key.name);
        let (sort, sort_name) = sort(self.sort_key.as_ref());
        let lives = self.time_to_live.as_ref().map(|time| {
            let ty = &time.ty;
            quote! {
                const _: fn() = || {
                    fn is_a_time<T: ::stack_bindings::TimeToLive>() {}
                    is_a_time::<#ty>();
                };
            }
        });
        quote! {
            #[automatically_derived]
            impl ::stack_bindings::Item for #ident {
                type Key = #key;
                type Partition = #partition;
                type Sort = #sort;

                const PARTITION_KEY: &'static str = #partition_name;
                const SORT_KEY: ::core::option::Option<&'static str> = #sort_name;

                fn key(&self) -> #key {
                    #key {
                        #(#fields: ::core::clone::Clone::clone(&self.#fields)),*
                    }
                }
            }

            #lives
        }
    }

    /// Makes the markers of the indexes.
    pub(super) fn indexes(&self) -> TokenStream {
        let (ident, vis) = (self.ident, self.vis);
        self.indexes
            .iter()
            .map(|index| {
                let (marker, name) = (&index.marker, &index.name);
                let partition = index.partition_key.as_ref().unwrap_or(&self.partition_key);
                let (partition, partition_name) = (&partition.ty, &partition.name);
                let (sort, sort_name) = sort(index.sort_key.as_ref());
                let doc = format!("The index `{name}` of the table of `{ident}`.");
                quote! {
                    #[doc = #doc]
                    #[derive(::core::clone::Clone, ::core::marker::Copy, ::core::fmt::Debug)]
                    #vis struct #marker;

                    #[automatically_derived]
                    impl ::stack_bindings::Index for #marker {
                        type Item = #ident;
                        type Partition = #partition;
                        type Sort = #sort;

                        const NAME: &'static str = #name;
                        const PARTITION_KEY: &'static str = #partition_name;
                        const SORT_KEY: ::core::option::Option<&'static str> = #sort_name;
                    }
                }
            })
            .collect()
    }

    /// Makes the schema that the stacks take the table from.
    pub(super) fn schema(&self) -> TokenStream {
        let ident = self.ident;
        let partition_key = attribute(&self.partition_key);
        let sort_key = optional_attribute(self.sort_key.as_ref());
        let time_to_live = self.time_to_live.as_ref().map_or_else(
            || quote!(::core::option::Option::None),
            |time| {
                let name = &time.name;
                quote!(::core::option::Option::Some(::std::string::String::from(#name)))
            },
        );
        let indexes = self.indexes.iter().map(|index| {
            let name = &index.name;
            let partition_key = optional_attribute(index.partition_key.as_ref());
            let sort_key = optional_attribute(index.sort_key.as_ref());
            quote! {
                ::stack_bindings::derived::stack_model::contract::IndexSchema {
                    name: ::std::string::String::from(#name),
                    partition_key: #partition_key,
                    sort_key: #sort_key,
                }
            }
        });
        quote! {
            #[cfg(feature = "wiring")]
            #[automatically_derived]
            impl ::stack_bindings::derived::stack_model::contract::TableItem for #ident {
                fn schema() -> ::stack_bindings::derived::stack_model::contract::TableSchema {
                    ::stack_bindings::derived::stack_model::contract::TableSchema {
                        partition_key: #partition_key,
                        sort_key: #sort_key,
                        indexes: ::std::vec![#(#indexes),*],
                        time_to_live: #time_to_live,
                    }
                }
            }
        }
    }
}

fn sort(key: Option<&Key>) -> (TokenStream, TokenStream) {
    key.map_or_else(
        || {
            (
                quote!(::stack_bindings::NoSortKey),
                quote!(::core::option::Option::None),
            )
        },
        |key| {
            let (ty, name) = (&key.ty, &key.name);
            (quote!(#ty), quote!(::core::option::Option::Some(#name)))
        },
    )
}

fn attribute(key: &Key) -> TokenStream {
    let (ty, name) = (&key.ty, &key.name);
    quote! {
        ::stack_bindings::derived::stack_model::contract::KeyAttribute {
            name: ::std::string::String::from(#name),
            kind: ::core::convert::From::from(<#ty as ::stack_bindings::KeyAttribute>::KIND),
        }
    }
}

fn optional_attribute(key: Option<&Key>) -> TokenStream {
    key.map_or_else(
        || quote!(::core::option::Option::None),
        |key| {
            let attribute = attribute(key);
            quote!(::core::option::Option::Some(#attribute))
        },
    )
}
