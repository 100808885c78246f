//! What the functions need.

use stack_bindings::{
    ApiRequest, Bindings, Bucket, Delete, Get, ImageLabels, ObjectChanges, Table, Update, Var,
};

use crate::album::Album;
use crate::caller::CallerIdentity;

/// The bindings of the function `photos-list`.
#[derive(Bindings)]
#[function(binary = "photos-list", accepts(ApiRequest))]
pub struct ListPhotos {
    /// The albums of all people.
    #[binding(environment = "DYNAMODB_TABLE")]
    pub albums: Table<Album, Get>,
    /// How callers are known.
    pub caller_identity: Var<CallerIdentity>,
}

/// The bindings of the function `photos-upload`.
#[derive(Bindings)]
#[function(binary = "photos-upload", accepts(ApiRequest))]
pub struct UploadPhoto {
    /// The albums of all people.
    #[binding(environment = "DYNAMODB_TABLE")]
    pub albums: Table<Album, (Get, Update)>,
    /// How callers are known.
    pub caller_identity: Var<CallerIdentity>,
}

/// The bindings of the function `photos-delete`.
#[derive(Bindings)]
#[function(binary = "photos-delete", accepts(ApiRequest))]
pub struct DeletePhoto {
    /// The albums of all people.
    #[binding(environment = "DYNAMODB_TABLE")]
    pub albums: Table<Album, (Get, Update)>,
    /// The objects of all people.
    #[binding(environment = "S3_PHOTO_BUCKET")]
    pub photos: Bucket<Delete>,
    /// How callers are known.
    pub caller_identity: Var<CallerIdentity>,
}

/// The bindings of the function `photos-process`.
#[derive(Bindings)]
#[function(binary = "photos-process", accepts(ObjectChanges))]
pub struct ProcessPhoto {
    /// The albums of all people.
    #[binding(environment = "DYNAMODB_TABLE")]
    pub albums: Table<Album, (Get, Update)>,
    /// The objects of all people. Rekognition reads them with the permissions of the function.
    #[binding(environment = "S3_PHOTO_BUCKET")]
    pub photos: Bucket<Get>,
    /// Who knows what can be seen on a photo.
    pub labels: ImageLabels,
}
