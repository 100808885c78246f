//! What a change set is made from: parameters, tags, a name and the published template.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use sha2::{Digest, Sha256};
use stack_model::assembly::{ARTIFACT_BUCKET_PARAMETER, StackManifest, own_tags};

use super::{Run, Work, operation::aws};
use crate::{
    engine::{
        BOOTSTRAP_STACK, Context, PublishError, StackError, bootstrap,
        change_set::PREFIX,
        origin,
        publish::{self, TemplateSource},
        recover::APP_TAG,
        reference,
    },
    text::hex,
};

/// How many digits of a hash a token has.
const DIGITS: usize = 20;

pub(super) async fn parameters(
    run: &Run,
    work: &Work,
) -> Result<BTreeMap<String, String>, StackError> {
    let stack = &work.manifest;
    let mut parameters = stack.parameters.clone();
    for (parameter, asset) in &stack.artifacts {
        let artifact = run
            .artifacts
            .get(asset)
            .ok_or_else(|| StackError::Publish {
                stack: stack.name.clone(),
                source: PublishError::MissingArtifact(asset.clone()),
            })?;
        parameters.insert(
            parameter.clone(),
            publish::artifact_key(&stack.name, asset, &artifact.sha256),
        );
    }
    if let (false, Some(bucket)) = (stack.artifacts.is_empty(), &work.bucket) {
        parameters.insert(ARTIFACT_BUCKET_PARAMETER.to_owned(), bucket.clone());
    }
    let references = reference::values(&run.context, stack)
        .await
        .map_err(|source| aws(stack, source))?;
    for (parameter, value) in references {
        match (value, stack.references.get(&parameter)) {
            (Some(value), _) => {
                parameters.insert(parameter, value);
            }
            (None, Some(reference)) => {
                return Err(StackError::NoOutput {
                    stack: stack.name.clone(),
                    from: reference.stack.clone(),
                    region: reference.region.clone(),
                    output: reference.output.clone(),
                });
            }
            (None, None) => {}
        }
    }
    Ok(parameters)
}

/// Returns the tags that a deploy of a stage gives a stack.
pub(in crate::engine) fn tags(
    context: &Context,
    stage: &str,
    stack: &StackManifest,
) -> BTreeMap<String, String> {
    let mut tags = own_tags(stage, None);
    tags.extend(stack.tags.clone());
    // What is deployed again may be of a time when the app had no name, or another one. The stack of the artifact bucket
    // belongs to no app.
    if let Some(app) = &context.ownership.app
        && stack.name != BOOTSTRAP_STACK
    {
        tags.insert(APP_TAG.to_owned(), app.clone());
    }
    tags
}

/// Makes the name of a change set or the token of an operation: of ours, with the caller, and another one for every
/// attempt.
pub(in crate::engine) fn token(
    context: &Context,
    texts: &[&str],
    maps: &[&BTreeMap<String, String>],
) -> String {
    marked(context, texts, maps, "")
}

/// Makes the token of a step of a rename, which the history of the stack tells from an update.
pub(super) fn renaming_token(context: &Context, texts: &[&str]) -> String {
    marked(context, texts, &[], origin::RENAMING)
}

fn marked(
    context: &Context,
    texts: &[&str],
    maps: &[&BTreeMap<String, String>],
    mark: &str,
) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    };
    for text in texts {
        add(text);
    }
    for (key, value) in maps.iter().copied().flatten() {
        add(key);
        add(value);
    }
    let age = context
        .timing
        .now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    add(&age.as_nanos().to_string());
    let mut digest = hex(&hash.finalize());
    digest.truncate(DIGITS);
    let token = format!("{PREFIX}{digest}{mark}");
    origin::sign(token, &context.revision, &context.clients.identity().arn)
}

pub(super) async fn publish<'a>(
    run: &Run,
    context: &Context,
    work: &'a Work,
) -> Result<TemplateSource<'a>, StackError> {
    let stack = &work.manifest;
    let published = async {
        let mut bucket = work.bucket.clone();
        if let Some(bucket) = &bucket {
            publish::artifacts(context, &run.uploads, bucket, stack, &run.artifacts).await?;
        } else if publish::needs_bucket(&work.template) {
            // The template of the source fits into the call; with what others still need of the deployed one it does not.
            bucket = bootstrap::existing(context)
                .await
                .map_err(PublishError::Bucket)?;
            if bucket.is_none() {
                return Err(PublishError::NoBucket(work.template.len()));
            }
        }
        publish::template(context, bucket.as_deref(), &stack.name, &work.template).await
    };
    published.await.map_err(|source| StackError::Publish {
        stack: stack.name.clone(),
        source,
    })
}
