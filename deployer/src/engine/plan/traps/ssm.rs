//! Traps of parameters.

use super::super::Grade;
use super::{Finding, Seen, Trap, is};

pub(super) const TRAPS: &[Trap] = &[Trap {
    types: &["AWS::SSM::Parameter"],
    source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html",
    find: tier,
}];

/// Systems Manager takes no advanced parameter back to the standard tier.
fn tier(seen: &Seen<'_>) -> Vec<Finding> {
    let back =
        seen.stays() && is(seen.before("/Tier"), "Advanced") && is(seen.after("/Tier"), "Standard");
    let finding = Finding::new(
        Grade::Impossible,
        "an advanced parameter cannot become a standard one: give it another logical id and another name, which makes a new one",
    );
    back.then_some(finding).into_iter().collect()
}
