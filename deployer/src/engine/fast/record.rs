//! What was changed past CloudFormation, written down beside the artifacts.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_lambda::types::LastUpdateStatus;
use aws_sdk_s3::{operation::get_object::GetObjectError, primitives::ByteStream};
use serde::{Deserialize, Serialize};

use crate::{
    aws::{AwsError, Fault, OrAws},
    engine::{Context, Event, inspect, publish},
};

/// What the keys of the records begin with. No stack is called so: the name of a stack ends with its stage.
const PREFIX: &str = "fast/";

/// The functions of a stack that were given code past CloudFormation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct Record {
    /// The ARN of the stack: one that was made anew under the same name has nothing to do with this.
    stack_id: String,
    /// The functions by logical id.
    pub(super) functions: BTreeMap<String, Direct>,
}

/// The code of one function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Direct {
    /// The object that CloudFormation believes the function to run.
    pub(super) deployed: String,
    /// The object that it runs, or is about to.
    pub(super) live: String,
}

/// The names of the stacks that have records, in one bucket.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Records(BTreeSet<String>);

impl Records {
    /// Lists the records of a bucket. Whoever may not list has never written one either.
    pub(in crate::engine) async fn list(context: &Context, bucket: &str) -> Result<Self, AwsError> {
        let clients = &context.clients;
        let mut names = BTreeSet::new();
        let mut next = None;
        loop {
            let page = clients
                .s3
                .list_objects_v2()
                .bucket(bucket)
                .expected_bucket_owner(&clients.identity().account)
                .prefix(PREFIX)
                .set_continuation_token(next)
                .send()
                .await
                .or_aws(clients, "ListObjectsV2")?;
            let keys = page.contents.unwrap_or_default().into_iter();
            names.extend(keys.filter_map(|object| {
                let key = object.key?;
                let name = key.strip_prefix(PREFIX)?.strip_suffix(".json")?;
                Some(name.to_owned())
            }));
            next = page.next_continuation_token;
            if next.is_none() {
                return Ok(Self(names));
            }
        }
    }

    /// Returns whether a stack has a record.
    pub(in crate::engine) fn has(&self, stack: &str) -> bool {
        self.0.contains(stack)
    }
}

impl Record {
    /// Makes the record of a stack in which nothing was changed past CloudFormation.
    pub(super) fn of(stack_id: &str) -> Self {
        Self {
            stack_id: stack_id.to_owned(),
            functions: BTreeMap::new(),
        }
    }

    /// Reads the record of a stack; an empty one, where there is none of this very stack.
    pub(in crate::engine) async fn read(
        context: &Context,
        bucket: &str,
        stack: &str,
        stack_id: &str,
    ) -> Result<Self, AwsError> {
        const OPERATION: &str = "GetObject";
        let clients = &context.clients;
        let answer = clients
            .s3
            .get_object()
            .bucket(bucket)
            .expected_bucket_owner(&clients.identity().account)
            .key(key(stack))
            .send()
            .await;
        let object = match answer {
            Ok(object) => object,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(GetObjectError::is_no_such_key) =>
            {
                return Ok(Self::of(stack_id));
            }
            Err(error) => return Err(AwsError::new(clients, OPERATION, error)),
        };
        let bytes = object
            .body
            .collect()
            .await
            .map_err(|_| AwsError::incomplete(OPERATION, "whole object"))?;
        let record: Self = serde_json::from_slice(&bytes.into_bytes())
            .map_err(|_| AwsError::incomplete(OPERATION, "record of code that can be read"))?;
        Ok(if record.stack_id == stack_id {
            record
        } else {
            Self::of(stack_id)
        })
    }

    /// Returns the keys of the objects that functions run, or go back to.
    pub(in crate::engine) fn keys(&self) -> impl Iterator<Item = &String> {
        let functions = self.functions.values();
        functions.flat_map(|direct| [&direct.deployed, &direct.live])
    }

    /// Writes the record.
    pub(super) async fn write(
        &self,
        context: &Context,
        bucket: &str,
        stack: &str,
    ) -> Result<(), AwsError> {
        let clients = &context.clients;
        // Texts and maps of texts are always JSON.
        let body = serde_json::to_vec(self).unwrap_or_default();
        clients
            .s3
            .put_object()
            .bucket(bucket)
            .expected_bucket_owner(&clients.identity().account)
            .key(key(stack))
            .body(ByteStream::from(body))
            .content_type("application/json")
            .send()
            .await
            .or_aws(clients, "PutObject")?;
        Ok(())
    }

    /// Makes what CloudFormation believes true again, and forgets the record. Where the deploy has just changed the code
    /// of a function by way of CloudFormation, that is so already: `parameters` are those that are deployed now.
    ///
    /// Returns whether any function got other code.
    pub(in crate::engine) async fn restore(
        self,
        context: &Context,
        bucket: &str,
        stack: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Result<bool, AwsError> {
        if self.functions.is_empty() {
            return Ok(false);
        }
        let clients = &context.clients;
        let believed: BTreeSet<&String> = parameters.values().collect();
        let mut restored = false;
        let stale: Vec<_> = self
            .functions
            .iter()
            .filter(|(_, direct)| believed.contains(&direct.deployed))
            .collect();
        if !stale.is_empty() {
            let resources = inspect::resources(clients, &self.stack_id).await?;
            for (logical_id, direct) in stale {
                let found = resources.iter().find(|it| it.logical_id == *logical_id);
                let Some(function) = found else {
                    continue;
                };
                let code = update(
                    context,
                    &function.physical_id,
                    bucket,
                    &direct.deployed,
                    None,
                )
                .await?;
                // The record stays, so that the next deploy tries again.
                if let Some(reason) = code.trouble(&direct.deployed) {
                    let message = format!("{logical_id} did not take the code: {reason}");
                    return Err(AwsError::service(
                        "UpdateFunctionCode",
                        "NotTaken",
                        &message,
                    ));
                }
                restored = true;
                context.emit(Event::CodeUpdated {
                    stack: stack.to_owned(),
                    logical_id: logical_id.clone(),
                    key: direct.deployed.clone(),
                });
            }
        }
        let forgotten = clients
            .s3
            .delete_object()
            .bucket(bucket)
            .expected_bucket_owner(&clients.identity().account)
            .key(key(stack))
            .send()
            .await
            .or_aws(clients, "DeleteObject");
        match forgotten {
            Ok(_) => {}
            // Whoever publishes packages may write, and not always delete: a record without functions says the same.
            Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {
                Self::of(&self.stack_id)
                    .write(context, bucket, stack)
                    .await?;
            }
            Err(error) => return Err(error),
        }
        Ok(restored)
    }
}

/// Returns the key of the record of a stack.
pub(in crate::engine) fn key(stack: &str) -> String {
    format!("{PREFIX}{stack}.json")
}

/// The code that a function runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Code {
    /// The SHA-256 of the package, in base64, as Lambda has it.
    sha256: String,
    /// What Lambda calls the state of the function.
    pub(super) revision: Option<String>,
    /// Why the last change of the function failed, where it did.
    failure: Option<String>,
}

impl Code {
    /// Looks at a function, once no change of it is on its way.
    pub(super) async fn of(context: &Context, name: &str) -> Result<Self, AwsError> {
        const OPERATION: &str = "GetFunction";
        let clients = &context.clients;
        for wait in context.pace.waits() {
            // Whoever may have CloudFormation make a function may call this; `GetFunctionConfiguration` is another action.
            let answer = clients
                .lambda
                .get_function()
                .function_name(name)
                .send()
                .await
                .or_aws(clients, OPERATION)?
                .configuration
                .ok_or_else(|| AwsError::incomplete(OPERATION, "configuration"))?;
            match answer.last_update_status {
                Some(LastUpdateStatus::InProgress) => context.timing.sleep(wait).await,
                status => {
                    let failed = status == Some(LastUpdateStatus::Failed);
                    return Ok(Self {
                        sha256: answer
                            .code_sha256
                            .ok_or_else(|| AwsError::incomplete(OPERATION, "code hash"))?,
                        revision: answer.revision_id,
                        failure: failed
                            .then(|| answer.last_update_status_reason.unwrap_or_default()),
                    });
                }
            }
        }
        Err(AwsError::incomplete(OPERATION, "end of an update"))
    }

    /// Returns whether this is the code of one of these objects, whose keys end with the hash of the content.
    pub(super) fn is_one_of<'a>(&self, keys: impl IntoIterator<Item = &'a String>) -> bool {
        keys.into_iter()
            .any(|key| publish::sha256_of(key).is_some_and(|sha256| sha256 == self.sha256))
    }

    /// Returns why the function does not run the code of an object, if so.
    pub(super) fn trouble(&self, key: &String) -> Option<String> {
        match &self.failure {
            Some(reason) => Some(reason.clone()),
            None if self.is_one_of([key]) => None,
            None => Some("it runs other code than it was given".to_owned()),
        }
    }
}

/// Gives a function the code of an object, and waits until it runs it. With a revision, only where nothing has changed
/// since (<https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html>).
pub(super) async fn update(
    context: &Context,
    name: &str,
    bucket: &str,
    key: &str,
    revision: Option<String>,
) -> Result<Code, AwsError> {
    let clients = &context.clients;
    clients
        .lambda
        .update_function_code()
        .function_name(name)
        .s3_bucket(bucket)
        .s3_key(key)
        .set_revision_id(revision)
        .send()
        .await
        .or_aws(clients, "UpdateFunctionCode")?;
    Code::of(context, name).await
}
