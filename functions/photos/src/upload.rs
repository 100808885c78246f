//! Adds a photo to the album of the caller.

use jiff::Timestamp;
use jiff::tz::Offset;
use serde_json::{Map, Value};
use stack_bindings::{ApiRequest, ApiResponse, CallError, Expression, Reason};
use uuid::Uuid;

use crate::album::{Album, Photo};
use crate::answer::{Refusal, respond};
use crate::functions::UploadPhoto;
use crate::object_key::{NameError, ObjectKey};

/// How often a change of an album is tried that others keep changing.
pub(crate) const TRIES: usize = 5;

/// What an upload gets from outside: a time and an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When the photo was uploaded, in UTC: ISO 8601 without a zone.
    pub date: String,
    /// The id of the photo.
    pub id: String,
}

impl Stamp {
    /// Takes the clock of the machine, and a random id.
    pub fn now() -> Self {
        Self {
            date: Self::date_of(Timestamp::now()),
            id: Uuid::new_v4().to_string(),
        }
    }

    /// Writes a time to the microsecond.
    fn date_of(time: Timestamp) -> String {
        let time = Offset::UTC.to_datetime(time);
        format!("{time:.6}")
    }
}

/// Adds the photo that the request names, in place of one with the same name, and answers with the album.
///
/// # Errors
///
/// Fails where the answer cannot be written as JSON; whatever else goes wrong is answered.
pub async fn upload(
    bindings: &UploadPhoto,
    request: ApiRequest,
    stamp: Stamp,
) -> Result<ApiResponse, serde_json::Error> {
    respond(add(bindings, &request, stamp).await)
}

async fn add(bindings: &UploadPhoto, request: &ApiRequest, stamp: Stamp) -> Result<Album, Refusal> {
    let caller = bindings
        .caller_identity
        .caller(request)
        .ok_or(Refusal::NoCaller)?;
    let name = name(request)?;
    ObjectKey::new(caller, &name)?;
    let photo = Photo {
        id: stamp.id,
        name,
        date: stamp.date,
        objects: None,
    };

    for _ in 0..TRIES {
        let seen = bindings.albums.get(caller).consistent().await?;
        let seen = seen.map_or_else(Vec::new, |album| album.photos);
        match replace(bindings, caller, &seen, &photo).await {
            Err(error) if error.reason() == Reason::ConditionFailed => {}
            // DynamoDB says so of an item of more than 400 KB; nothing else of the request depends on the caller.
            Err(error) if error.reason() == Reason::Invalid => return Err(Refusal::Full(error)),
            outcome => return Ok(outcome?),
        }
    }
    Err(Refusal::Contended)
}

/// Takes the name out of the body.
fn name(request: &ApiRequest) -> Result<String, Refusal> {
    if request.body.as_deref().unwrap_or_default().is_empty() {
        return Err(NameError::Missing.into());
    }
    let mut body: Map<String, Value> = request.json().map_err(|_| Refusal::Body)?;
    match body.remove("name") {
        None => Err(NameError::Missing.into()),
        Some(Value::String(name)) => Ok(name),
        Some(_) => Err(Refusal::Body),
    }
}

/// Writes the list anew, with the labels that a photo of the same name had, but only where it is still the one that was
/// seen, so that no photo, label or removal that happened meanwhile is lost.
async fn replace(
    bindings: &UploadPhoto,
    caller: &str,
    seen: &[Photo],
    photo: &Photo,
) -> Result<Album, CallError> {
    let (same, others): (Vec<_>, Vec<_>) = seen.iter().partition(|other| other.name == photo.name);
    let mut photo = photo.clone();
    // The event of the new object may have come before this request, and then its labels are those of the entry that goes.
    // If it comes later, it overwrites them.
    photo.objects = same.iter().find_map(|entry| entry.objects.clone());
    let photos: Vec<&Photo> = others.into_iter().chain([&photo]).collect();
    let unchanged = if seen.is_empty() {
        "attribute_not_exists(#photos) OR #photos = :seen"
    } else {
        "#photos = :seen"
    };
    bindings
        .albums
        .update(
            caller,
            Expression::new("SET #photos = :photos")
                .name("#photos", "photos")
                .value(":photos", photos),
        )
        .when(Expression::new(unchanged).value(":seen", seen))
        .await
}
