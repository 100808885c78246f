//! Every CloudFormation resource type as a Rust struct, and the registry's facts about it.
//!
//! Each service is a module and a cargo feature of the same name (`AWS::SQS::Queue` is `sqs::Queue` of the feature
//! `sqs`); `serverless` enables the services of most serverless systems, `full` all of them. The [`facts`] are there
//! without any feature.
//!
//! # Names
//!
//! - A resource type is a struct of its service's module: `dynamodb::Table`. Its nested types are in a module named
//!   after it: `dynamodb::table::KeySchema`. The tag of a key and a value, which nearly all types share, is [`Tag`].
//! - A field is the property in snake case, an acronym being one word: `KmsMasterKeyId` is `kms_master_key_id`,
//!   `SSEEnabled` is `sse_enabled`, `SubnetIDs` is `subnet_ids`. A name that Rust reserves gets an underscore: `type_`.
//! - Properties that only AWS sets are no fields. They are the attributes, whose names are constants:
//!   `Queue::ATTRIBUTE_ARN`.
//!
//! # Values
//!
//! Every field is a [`Property`]: absent, a literal or a token. `.into()` makes one of a literal, a [`Value`], an
//! `Option` of either, a nested struct, an array or a `Vec`; [`list`] makes one of anything that can be iterated.
//! Elements of lists and values of maps are a [`Value`] each, so that a token fits there as well. What the registry
//! describes no further, such as a policy document, is an [`Expr`], which `serde_json::json!` makes best. Permitted
//! values are texts and documented at the field; nothing is checked before [`facts::validate`] is called.
//!
//! ```
//! # #[cfg(feature = "sqs")] {
//! use stack_model_cfn::{Render, Tag, sqs};
//!
//! let queue = sqs::Queue {
//!     queue_name: "orders".into(),
//!     visibility_timeout: 60.into(),
//!     redrive_policy: serde_json::json!({"maxReceiveCount": 5}).into(),
//!     tags: [Tag::new("team", "fulfilment")].into(),
//!     ..sqs::Queue::default()
//! };
//! assert!(queue.render().is_some());
//! # }
//! ```

mod expr;
pub mod facts;
mod render;
mod tag;
mod token;
mod value;

pub use expr::Expr;
pub use render::{Render, ResourceType, render_fields};
pub use tag::Tag;
pub use token::{Part, Pseudo, ResourceId, Token};
pub use value::{List, Map, Property, Value, list};

include!(concat!(env!("OUT_DIR"), "/services.rs"));

#[cfg(all(doctest, feature = "sqs"))]
#[doc = include_str!("../README.md")]
mod readme {}
