//! Announces changes of the settings.

use std::convert::Infallible;

use stack_bindings::{BatchFailures, TableChanges};

use crate::contract::ConfigChanged;
use crate::detail;
use crate::item::ConfigItem;

/// Announces each change with the item as it is now, and a removal with nothing.
///
/// # Errors
///
/// Never fails: a change that could not be announced is reported, and sent again.
pub async fn handle(
    bindings: &ConfigChanged,
    changes: TableChanges<ConfigItem>,
) -> Result<BatchFailures, Infallible> {
    let announced = changes.process(async |change| {
        // The raw item goes out, so that a setting which this function does not know is announced, too.
        let detail = detail::ConfigChanged {
            new_image: change.new.map(|image| image.raw),
        };
        bindings.bus.put(bindings.source.as_str(), &detail).await
    });
    Ok(announced.await)
}

#[cfg(test)]
mod tests;
