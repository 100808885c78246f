use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;
use stack_bindings::ResourceProperties;

#[derive(Deserialize, ResourceProperties)]
pub struct Reserved {
    #[serde(rename = "ServiceToken")]
    token: String,
}

#[derive(Deserialize, ResourceProperties)]
pub struct Flat {
    #[serde(flatten)]
    rest: BTreeMap<String, String>,
}

#[derive(Deserialize, ResourceProperties)]
pub struct Nameless(String);

#[derive(Deserialize, ResourceProperties)]
pub struct Generic<T> {
    value: T,
}

#[derive(Deserialize, ResourceProperties)]
pub struct Moment {
    after: Duration,
}

fn main() {}
