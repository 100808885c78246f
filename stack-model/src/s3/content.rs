//! Folders of the workspace whose files become objects.

use std::collections::BTreeMap;
use std::panic::Location;

use super::BucketRef;
use crate::assembly::{CacheRule, ContentManifest};
use crate::cloudfront::DistributionRef;
use crate::handle::Handle;
use crate::stack::Stack;

/// A folder of the workspace whose files become the objects of a bucket, such as the pages of a site.
///
/// The deployer uploads what changed once the stack is deployed: no function is added to the stack for it. A file's
/// content type follows from the end of its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Content {
    folder: String,
    prefix: String,
    cache: Vec<CacheRule>,
    types: BTreeMap<String, String>,
    keep_others: bool,
    invalidate: Option<DistributionRef>,
}

impl Content {
    /// Takes the files of a folder, named from the root of the workspace, such as `stacks/content/site`.
    pub fn folder(folder: impl Into<String>) -> Self {
        Self {
            folder: folder.into(),
            prefix: String::new(),
            cache: Vec::new(),
            types: BTreeMap::new(),
            keep_others: false,
            invalidate: None,
        }
    }

    /// Puts a prefix before the keys of all objects, such as `site/`.
    #[must_use]
    pub fn under(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the header `Cache-Control` of files whose path in the folder matches a pattern, such as `assets/**`. The
    /// first pattern that matches decides; files that none matches get no header.
    #[must_use]
    pub fn cache(mut self, pattern: impl Into<String>, cache_control: impl Into<String>) -> Self {
        self.cache.push(CacheRule {
            pattern: pattern.into(),
            cache_control: cache_control.into(),
        });
        self
    }

    /// Sets the content type of files whose names end with an extension, given without its dot.
    #[must_use]
    pub fn content_type(
        mut self,
        extension: impl Into<String>,
        content_type: impl Into<String>,
    ) -> Self {
        self.types.insert(extension.into(), content_type.into());
        self
    }

    /// Keeps objects under the prefix that no file stands for. They are deleted otherwise.
    #[must_use]
    pub fn keep_others(mut self) -> Self {
        self.keep_others = true;
        self
    }

    /// Has a distribution forget what it cached of the files that changed.
    #[must_use]
    pub fn refreshing(mut self, distribution: &DistributionRef) -> Self {
        self.invalidate = Some(distribution.clone());
        self
    }
}

impl Stack<'_> {
    /// Fills a bucket of this stack with the files of a folder, once the stack is deployed.
    ///
    /// ```
    /// use stack_model::s3::{BucketProps, Content};
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("site");
    ///
    /// let site = stack.bucket("Site", BucketProps::default());
    /// stack.bucket_content("SitePages", &site, Content::folder("stacks/content/site")
    ///     .cache("assets/**", "public, max-age=31536000, immutable")
    ///     .cache("**", "public, max-age=60"));
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn bucket_content(&mut self, name: &str, bucket: &BucketRef, content: Content) {
        let source = Location::caller();
        let mut problems = Vec::new();
        if let Some(message) = crate::logical_id::violation(name) {
            problems.push(message);
        }
        if !is_inside(&content.folder) {
            problems.push(format!(
                "`{}` is not a folder of the workspace: name it from the workspace's root, with `/` between folders, and without `.` and `..`",
                content.folder
            ));
        }
        if content.prefix.starts_with('/') {
            problems.push(format!(
                "the prefix `{}` starts with a `/`, and no key of an object should",
                content.prefix
            ));
        }
        if !content.prefix.is_empty() && !content.prefix.ends_with('/') {
            problems.push(format!(
                "the prefix `{0}` is the beginning of other names too, whose objects would be deleted: write `{0}/`",
                content.prefix
            ));
        }
        let distribution = content.invalidate.as_ref().map(Handle::resource_id);
        for id in [Some(bucket.resource_id()), distribution]
            .into_iter()
            .flatten()
        {
            if id.stack() != self.id() {
                problems.push(format!(
                    "`{}` is not of this stack: the content of a bucket is declared beside it",
                    id.logical_id()
                ));
            }
        }
        let patterns = content.cache.iter().map(|rule| rule.pattern.as_str());
        if let Some(pattern) = patterns
            .into_iter()
            .find(|pattern| pattern.is_empty() || pattern.starts_with('/'))
        {
            problems.push(format!("`{pattern}` matches no file: patterns are for paths inside of the folder, such as `assets/**`"));
        }
        let extensions = content.types.keys();
        if let Some(extension) = extensions
            .into_iter()
            .find(|it| it.is_empty() || it.starts_with('.'))
        {
            problems.push(format!("`{extension}` is not the end of a file's name: write it without its dot, such as `wasm`"));
        }
        let overlapping = self.data_ref().contents.iter().find(|(_, earlier)| {
            earlier.bucket == bucket.resource_id().logical_id()
                && !(earlier.keep_others && content.keep_others)
                && (earlier.prefix.starts_with(&content.prefix)
                    || content.prefix.starts_with(&earlier.prefix))
        });
        if let Some((earlier, _)) = overlapping {
            problems.push(format!("`{earlier}` fills the same part of the bucket, and each would delete the other's objects: give them prefixes of their own or `keep_others()`"));
        }
        for message in problems {
            self.report(name, None, message, source);
        }
        let manifest = ContentManifest {
            bucket: bucket.resource_id().logical_id().to_owned(),
            folder: content.folder,
            prefix: content.prefix,
            cache: content.cache,
            content_types: content.types,
            keep_others: content.keep_others,
            invalidate: distribution.map(|id| id.logical_id().to_owned()),
        };
        if self
            .data()
            .contents
            .insert(name.to_owned(), manifest)
            .is_some()
        {
            let message = format!("the content `{name}` is declared twice");
            self.report(name, None, message, source);
        }
    }
}

fn is_inside(folder: &str) -> bool {
    !folder.contains('\\')
        && !folder.contains(':')
        && folder
            .split('/')
            .all(|step| !step.is_empty() && step != "." && step != "..")
}
