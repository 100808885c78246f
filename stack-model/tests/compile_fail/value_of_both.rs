//! Capacity for a table that is paid by request.

use stack_model::dynamodb::Billing;

fn billing() -> Billing {
    Billing::OnDemand {
        read: 5.into(),
        write: 5.into(),
    }
}

fn main() {}
