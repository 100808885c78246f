//! Conversations about what is published in the artifact bucket.

use super::*;

impl Script {
    /// `ListObjectsV2` of what was given to functions past CloudFormation: nothing
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>).
    pub(in crate::engine::tests) fn nothing_fast(self) -> Self {
        self.listed_fast(&[])
    }

    /// The same, with these keys.
    pub(in crate::engine::tests) fn listed_fast(self, keys: &[&str]) -> Self {
        let contents = keys.iter().fold(String::new(), |text, key| {
            text + "<Contents><Key>" + key + "</Key></Contents>"
        });
        let body = format!(
            "<ListBucketResult><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>"
        );
        let rule = mock!(S3::list_objects_v2)
            .match_requests(|input| input.prefix() == Some("state/"))
            .then_http_response(move || http(200, &body));
        self.s3("list_objects_v2", rule)
    }

    /// `HeadObject` of an object that is there.
    pub(in crate::engine::tests) fn object_present(self, key: &'static str, size: u64) -> Self {
        let rule = mock!(S3::head_object)
            .match_requests(move |input| input.key() == Some(key))
            .then_http_response(move || {
                let mut answer = http(200, "");
                answer
                    .headers_mut()
                    .insert("content-length", size.to_string());
                answer
            });
        self.s3("head_object", rule)
    }

    /// `HeadObject` of an object that is not there: an answer to HEAD has no body.
    pub(in crate::engine::tests) fn object_absent(self) -> Self {
        let rule = mock!(S3::head_object).then_http_response(|| http(404, ""));
        self.s3("head_object", rule)
    }
}
