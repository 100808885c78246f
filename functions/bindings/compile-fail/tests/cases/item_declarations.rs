use serde::{Deserialize, Serialize};
use stack_bindings::Item;

#[derive(Serialize, Deserialize, Item)]
pub struct WithoutKey {
    id: String,
}

#[derive(Serialize, Deserialize, Item)]
pub struct LeftOut {
    #[item(partition_key)]
    #[serde(skip_serializing)]
    id: String,
}

#[derive(Serialize, Deserialize, Item)]
#[serde(rename_all(serialize = "camelCase", deserialize = "PascalCase"))]
pub struct TwoNames {
    #[item(partition_key)]
    id: String,
}

#[derive(Serialize, Deserialize, Item)]
#[item(index(ByUser, name = "by user", partition_key = user))]
#[item(index(ByOwner, name = "owner-index", partition_key = owner))]
#[item(index(ByDay, name = "day-index", sort_key = day))]
#[item(index(ByCity, name = "city-index", partition_key = city))]
pub struct WrongIndexes {
    #[item(partition_key)]
    id: String,
    user: String,
    day: String,
    city: Option<String>,
}

#[derive(Serialize, Deserialize, Item)]
pub struct Unknown {
    #[item(partition_key, hash_key)]
    id: String,
}

fn main() {}
