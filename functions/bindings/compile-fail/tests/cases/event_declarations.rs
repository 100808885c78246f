use serde::{Deserialize, Serialize};
use stack_bindings::{Bindings, BusEvent, Detail};

#[derive(Serialize, Deserialize, Detail)]
pub struct WithoutType {
    id: String,
}

#[derive(Serialize, Deserialize, Detail)]
#[detail(name = "Orders.Placed")]
pub struct WrongAttribute {
    id: String,
}

#[derive(Serialize, Deserialize, Detail)]
#[detail(type = "")]
pub struct Empty {
    id: String,
}

#[derive(Serialize, Deserialize)]
pub struct NoDetail {
    id: String,
}

#[derive(Bindings)]
#[function(binary = "listener", accepts(BusEvent<NoDetail>))]
pub struct Listener {}

fn main() {}
