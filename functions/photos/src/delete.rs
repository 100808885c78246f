//! Removes a photo of the caller.

use stack_bindings::{ApiRequest, ApiResponse, Expression, Reason};

use crate::album::Album;
use crate::answer::{Refusal, respond};
use crate::functions::DeletePhoto;
use crate::object_key::ObjectKey;
use crate::upload::TRIES;

/// Deletes the object of the photo that the query names and then removes it from the album, and answers with the album.
///
/// In this order a failure in between leaves an entry whose removal can be asked for again, never an object that nobody
/// knows of.
///
/// # Errors
///
/// Fails where the answer cannot be written as JSON; whatever else goes wrong is answered.
pub async fn delete(
    bindings: &DeletePhoto,
    request: ApiRequest,
) -> Result<ApiResponse, serde_json::Error> {
    respond(remove(bindings, &request).await)
}

async fn remove(bindings: &DeletePhoto, request: &ApiRequest) -> Result<Album, Refusal> {
    let caller = bindings
        .caller_identity
        .caller(request)
        .ok_or(Refusal::NoCaller)?;
    let id = request
        .query_string_parameters
        .get("id")
        .filter(|id| !id.is_empty())
        .ok_or(Refusal::MissingId)?;

    let mut deleted = false;
    for _ in 0..TRIES {
        let album = bindings.albums.get(caller).consistent().await?;
        let album = album.ok_or(Refusal::NoAlbum)?;
        let Some((position, photo)) = album.find(|photo| photo.id == *id) else {
            // Whoever else was asked to remove it has done so meanwhile.
            return if deleted {
                Ok(album)
            } else {
                Err(Refusal::UnknownPhoto(id.clone()))
            };
        };
        if !deleted {
            let key = ObjectKey::new(caller, &photo.name)?;
            bindings.photos.delete(&key.to_string()).await?;
            deleted = true;
        }
        let removed = bindings
            .albums
            .update(
                caller,
                Expression::new(format!("REMOVE #photos[{position}]")).name("#photos", "photos"),
            )
            .when(
                Expression::new(format!("#photos[{position}].#id = :id"))
                    .name("#id", "id")
                    .value(":id", id),
            )
            .await;
        match removed {
            Err(error) if error.reason() == Reason::ConditionFailed => {}
            outcome => return Ok(outcome?),
        }
    }
    Err(Refusal::Contended)
}
