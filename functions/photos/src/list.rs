//! Lists the photos of the caller.

use serde_json::{Value, json};
use stack_bindings::{ApiRequest, ApiResponse};

use crate::answer::{Refusal, respond};
use crate::functions::ListPhotos;

/// Answers with the caller's album, or with one that has no photos.
///
/// # Errors
///
/// Fails where the answer cannot be written as JSON; whatever else goes wrong is answered.
pub async fn list(
    bindings: &ListPhotos,
    request: ApiRequest,
) -> Result<ApiResponse, serde_json::Error> {
    respond(album(bindings, &request).await)
}

async fn album(bindings: &ListPhotos, request: &ApiRequest) -> Result<Value, Refusal> {
    let caller = bindings
        .caller_identity
        .caller(request)
        .ok_or(Refusal::NoCaller)?;
    // Consistent, so that a page that lists what it has just changed sees the change.
    let album = bindings.albums.get(caller).consistent().await?;
    Ok(match album {
        Some(album) => json!(album),
        None => json!({ "photos": [] }),
    })
}
