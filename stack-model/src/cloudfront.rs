//! CloudFront: distributions in front of buckets and APIs.
