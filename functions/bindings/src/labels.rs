//! Labels of images, which Rekognition finds.

use std::fmt;

use crate::binding::Binding;

#[cfg(feature = "labels")]
pub use client::{DetectLabels, Label};

/// Finds out what can be seen in images, with Rekognition.
///
/// Rekognition has no resources, so a stack fills the binding with the region in which it is asked, which has to be
/// that of the bucket, and the role allows the action on everything. The image is read from the bucket with the rights
/// of the function.
pub struct ImageLabels {
    #[cfg(feature = "labels")]
    client: aws_sdk_rekognition::Client,
}

impl Binding for ImageLabels {
    const KIND: &'static str = "image_labels";
    const SUFFIX: &'static str = "_REGION";
}

impl fmt::Debug for ImageLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ImageLabels")
    }
}

#[cfg(feature = "labels")]
mod client {
    use std::future::IntoFuture;

    use aws_sdk_rekognition::config::Region;
    use aws_sdk_rekognition::types::{Image, S3Object};

    use super::ImageLabels;
    use crate::Call;
    use crate::bucket::Bucket;
    use crate::environment::{Connect, Environment, VariableFault};
    use crate::error::CallError;
    use crate::grant::{Allows, Grants};
    use crate::kind;
    use crate::operation::Get;

    impl Connect for ImageLabels {
        fn connect(environment: &Environment, value: &str) -> Result<Self, VariableFault> {
            let config = aws_sdk_rekognition::config::Builder::from(environment.sdk())
                .region(Region::new(value.to_owned()))
                .build();
            Ok(Self::with_client(aws_sdk_rekognition::Client::from_conf(
                config,
            )))
        }
    }

    impl ImageLabels {
        /// Asks through the given client, for tests.
        pub fn with_client(client: aws_sdk_rekognition::Client) -> Self {
            Self { client }
        }

        /// Finds the labels of a JPEG or PNG image in a bucket; await it for the labels, the surest first.
        pub fn detect<G, At>(&self, bucket: &Bucket<G>, key: &str) -> DetectLabels<'_>
        where
            G: Grants<kind::Bucket> + Allows<Get, At>,
        {
            DetectLabels {
                client: &self.client,
                bucket: bucket.name().to_owned(),
                key: key.to_owned(),
                limit: None,
                least: None,
            }
        }
    }

    /// Something that can be seen in an image.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Label {
        /// What it is, such as `Plant`.
        pub name: String,
        /// How sure it is, from 0 to 100.
        pub confidence: f32,
    }

    /// A request for the labels of one image; await it.
    #[derive(Debug)]
    #[must_use = "a request does nothing until it is awaited"]
    pub struct DetectLabels<'a> {
        client: &'a aws_sdk_rekognition::Client,
        bucket: String,
        key: String,
        limit: Option<i32>,
        least: Option<f32>,
    }

    impl DetectLabels<'_> {
        /// Returns at most so many labels, the surest ones.
        pub fn limit(mut self, labels: u16) -> Self {
            self.limit = Some(i32::from(labels));
            self
        }

        /// Returns labels of at least this confidence, from 0 to 100, where 55 is usual.
        pub fn at_least(mut self, confidence: f32) -> Self {
            self.least = Some(confidence);
            self
        }

        async fn call(self) -> Result<Vec<Label>, CallError> {
            let resource = format!("object `{}` of bucket `{}`", self.key, self.bucket);
            let object = S3Object::builder().bucket(self.bucket).name(self.key);
            let answer = self
                .client
                .detect_labels()
                .image(Image::builder().s3_object(object.build()).build())
                .set_max_labels(self.limit)
                .set_min_confidence(self.least)
                .send()
                .await
                .map_err(|error| CallError::from_sdk("find the labels of", &resource, error))?;
            let labels = answer.labels.unwrap_or_default().into_iter();
            Ok(labels
                .filter_map(|label| {
                    Some(Label {
                        name: label.name?,
                        confidence: label.confidence.unwrap_or_default(),
                    })
                })
                .collect())
        }
    }

    impl<'a> IntoFuture for DetectLabels<'a> {
        type Output = Result<Vec<Label>, CallError>;
        type IntoFuture = Call<'a, Vec<Label>>;

        fn into_future(self) -> Self::IntoFuture {
            Box::pin(self.call())
        }
    }
}
