//! What was changed past CloudFormation, written down beside the artifacts.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws_sdk_lambda::types::LastUpdateStatus;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    FastOrigin, GivenFast,
    definition::{self, Values},
    gave, machine,
};
use crate::{
    aws::{AwsError, Clients, Fault, OrAws, object},
    engine::{
        Context, DeployedStack, Event,
        inspect::{self, DeployedResource},
        publish,
        release::mark,
        stack::rfc3339,
        state_key::{self, About},
    },
};

/// How long to wait for the end of an update of a function: most take seconds, and one that makes network interfaces minutes
/// (<https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html>).
const LONGEST: Duration = Duration::from_mins(5);

/// The code of the error of a run that was stopped while it waited.
pub(super) const STOPPED: &str = "Stopped";

/// Lambda's answer to a revision that is not the last one.
pub(in crate::engine) const OTHER_REVISION: &str = "PreconditionFailedException";

/// What a stack was given past CloudFormation: code of functions, and definitions of state machines.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::engine) struct Record {
    /// The ARN of the stack: one that was made anew under the same name has nothing to do with this.
    stack_id: String,
    /// The functions by logical id.
    pub(super) functions: BTreeMap<String, Direct>,
    /// The state machines by logical id.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) machines: BTreeMap<String, Direct>,
    /// Who gave it something last, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last: Option<FastOrigin>,
    /// The `ETag` of the object that this was read from: nothing is written over a later one.
    #[serde(skip)]
    etag: Option<String>,
}

/// The code of one function, or the definition of one state machine.
///
/// Code is named by the key of its object, and a definition by its hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Direct {
    /// The one that CloudFormation believes to be there.
    pub(super) deployed: String,
    /// The one that is there, or is about to be.
    pub(super) live: String,
    /// The one that was there before, where that is a third one: a run that was killed may have left it at that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<String>,
}

impl Direct {
    /// Returns all that may be there, if nobody else gave it anything.
    pub(super) fn keys(&self) -> impl Iterator<Item = &String> {
        [&self.deployed, &self.live].into_iter().chain(&self.before)
    }
}

/// What is written down about stacks, in one bucket.
#[derive(Clone, Debug, Default)]
pub(in crate::engine) struct Records {
    /// The stacks that have records.
    fast: BTreeSet<String>,
    /// The `ETag`s of the marks, by stack.
    marks: BTreeMap<String, String>,
    /// The stacks that nobody has proven since they were changed.
    unproven: BTreeSet<String>,
    /// Whether marks tell nothing in this bucket.
    no_marks: bool,
}

impl Records {
    /// Lists what a bucket holds.
    pub(in crate::engine) async fn list(context: &Context, bucket: &str) -> Result<Self, AwsError> {
        Self::under(context, bucket, state_key::ALL).await
    }

    /// Lists what a bucket holds of one stack.
    pub(in crate::engine) async fn of(
        context: &Context,
        bucket: &str,
        stack: &str,
    ) -> Result<Self, AwsError> {
        Self::under(context, bucket, &state_key::of(stack)).await
    }

    async fn under(context: &Context, bucket: &str, prefix: &str) -> Result<Self, AwsError> {
        let mut records = Self::default();
        for object in object::listed(&context.clients, bucket, prefix).await? {
            let key = object.key.unwrap_or_default();
            if let Some(stack) = About::Fast.stack_of(&key) {
                records.fast.insert(stack.to_owned());
            } else if let Some(stack) = About::Unproven.stack_of(&key) {
                records.unproven.insert(stack.to_owned());
            } else if mark::says_none(&key) {
                records.no_marks = true;
            } else if let (Some(stack), Some(etag)) = (About::Mark.stack_of(&key), object.e_tag) {
                records.marks.insert(stack.to_owned(), etag);
            }
        }
        Ok(records)
    }

    /// Returns whether a stack has a record.
    pub(in crate::engine) fn has(&self, stack: &str) -> bool {
        self.fast.contains(stack)
    }

    /// Returns whether marks are written in this bucket.
    pub(in crate::engine) fn has_marks(&self) -> bool {
        !self.no_marks
    }

    /// Returns whether it is written down that nobody has proven a stack since it was changed.
    pub(in crate::engine) fn is_unproven(&self, stack: &str) -> bool {
        self.unproven.contains(stack)
    }

    /// Returns the `ETag` of the mark of a stack, where it has one.
    pub(in crate::engine) fn mark(&self, stack: &str) -> Option<String> {
        self.marks.get(stack).cloned()
    }
}

impl Record {
    /// Makes the record of a stack in which nothing was changed past CloudFormation.
    pub(super) fn of(stack_id: &str) -> Self {
        Self {
            stack_id: stack_id.to_owned(),
            ..Self::default()
        }
    }

    /// Reads the record of a stack; an empty one, where there is none of this very stack.
    pub(in crate::engine) async fn read(
        clients: &Clients,
        bucket: &str,
        stack: &str,
        stack_id: &str,
    ) -> Result<Self, AwsError> {
        let object = match object::read(clients, bucket, &About::Fast.key(stack)).await {
            Ok(object) => object,
            Err(error) if error.code() == Some("NoSuchKey") => return Ok(Self::of(stack_id)),
            Err(error) => return Err(error),
        };
        let record: Self = serde_json::from_slice(&object.bytes)
            .map_err(|_| AwsError::incomplete("GetObject", "record of code that can be read"))?;
        let record = if record.stack_id == stack_id {
            record
        } else {
            Self::of(stack_id)
        };
        Ok(Self {
            etag: object.etag,
            ..record
        })
    }

    /// Returns whether nothing was given past CloudFormation.
    pub(in crate::engine) fn is_empty(&self) -> bool {
        self.functions.is_empty() && self.machines.is_empty()
    }

    /// Returns the logical ids of what was given something past CloudFormation.
    pub(super) fn given(&self) -> impl Iterator<Item = &String> {
        self.functions.keys().chain(self.machines.keys())
    }

    /// Returns the keys of the objects that functions run, or go back to.
    pub(in crate::engine) fn keys(&self) -> impl Iterator<Item = &String> {
        self.functions.values().flat_map(Direct::keys)
    }

    /// Writes the record over the one that was read, and over no later one.
    pub(super) async fn write(
        &self,
        context: &Context,
        bucket: &str,
        stack: &str,
    ) -> Result<(), AwsError> {
        let clients = &context.clients;
        // Texts and maps of texts are always JSON.
        let body = serde_json::to_vec(self).unwrap_or_default();
        let etag = self.etag.as_deref();
        let written =
            object::write_over(clients, bucket, &About::Fast.key(stack), body, etag).await;
        match written {
            // A call whose answer was lost was repeated, or somebody else wrote: what is there tells.
            Err(error) if mark::is_overtaken(&error) => {
                let present = Self::read(clients, bucket, stack, &self.stack_id).await?;
                if (&present.functions, &present.machines) == (&self.functions, &self.machines) {
                    Ok(())
                } else {
                    Err(error)
                }
            }
            written => written.map(drop),
        }
    }

    /// Makes what CloudFormation believes true again, and forgets the record. Where the deploy has just changed the code
    /// of a function or a definition by way of CloudFormation, that is so already: `deployed` is the stack as it is now, with
    /// this template.
    ///
    /// Returns whether anything was given back.
    pub(in crate::engine) async fn restore(
        self,
        context: &Context,
        bucket: &str,
        deployed: &DeployedStack,
        template: &str,
    ) -> Result<bool, AwsError> {
        if self.is_empty() {
            return Ok(false);
        }
        let clients = &context.clients;
        let stack = deployed.name();
        let believed: BTreeSet<&String> = deployed.parameters.values().collect();
        let mut restored = false;
        let stale: Vec<_> = self
            .functions
            .iter()
            .filter(|(_, direct)| believed.contains(&direct.deployed))
            .collect();
        if !stale.is_empty() || !self.machines.is_empty() {
            let resources = inspect::resources(clients, &self.stack_id).await?;
            restored |= self
                .redefine(context, deployed, template, &resources)
                .await?;
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
        self.keep(context, bucket, stack).await;
        self.forget(context, bucket, stack).await?;
        Ok(restored)
    }

    /// Keeps who went past CloudFormation, where that is known.
    async fn keep(&self, context: &Context, bucket: &str, stack: &str) {
        let Some(last) = &self.last else {
            return;
        };
        let given = GivenFast {
            stack: stack.to_owned(),
            resources: self.given().cloned().collect(),
            last: Some(last.clone()),
            until: Some(rfc3339(context.timing.now())),
        };
        if let Err(error) = gave::add(&context.clients, bucket, given).await {
            context.emit(Event::Warning {
                stack: stack.to_owned(),
                message: format!(
                    "`stackctl history` will not tell what `deploy --fast` gave it before this deploy: {error}"
                ),
            });
        }
    }

    /// Gives state machines the definitions back that CloudFormation believes them to have. Returns whether there was any.
    async fn redefine(
        &self,
        context: &Context,
        deployed: &DeployedStack,
        template: &str,
        resources: &[DeployedResource],
    ) -> Result<bool, AwsError> {
        if self.machines.is_empty() {
            return Ok(false);
        }
        let template: Value = serde_json::from_str(template).unwrap_or_default();
        let values = Values::of(context, deployed, resources, &[&template]).await?;
        let mut restored = false;
        for (logical_id, direct) in &self.machines {
            let found = resources.iter().find(|it| it.logical_id == *logical_id);
            let machine = &template["Resources"][logical_id];
            // A definition whose values cannot be known is another than was deployed, so that CloudFormation gave it.
            let (Some(found), Ok(definition)) = (found, values.definition(machine)) else {
                continue;
            };
            if definition::hash(&definition) != direct.deployed {
                continue;
            }
            machine::update(context, &found.physical_id, &definition).await?;
            restored = true;
            context.emit(Event::DefinitionUpdated {
                stack: deployed.name().to_owned(),
                logical_id: logical_id.clone(),
            });
        }
        Ok(restored)
    }

    /// Forgets what was given past CloudFormation.
    async fn forget(self, context: &Context, bucket: &str, stack: &str) -> Result<(), AwsError> {
        let clients = &context.clients;
        let forgotten = object::delete(clients, bucket, &About::Fast.key(stack)).await;
        match forgotten {
            // Whoever publishes packages may write, and not always delete: a record without functions says the same.
            Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {
                let empty = Self {
                    functions: BTreeMap::new(),
                    machines: BTreeMap::new(),
                    ..self
                };
                empty.write(context, bucket, stack).await
            }
            forgotten => forgotten,
        }
    }
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
        for wait in context.pace.waits_within(LONGEST) {
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
                Some(LastUpdateStatus::InProgress) => tokio::select! {
                    biased;
                    () = context.cancel.cancelled() => {
                        return Err(AwsError::service(OPERATION, STOPPED, "the run was stopped"));
                    }
                    () = context.timing.sleep(wait) => {}
                },
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
        Err(AwsError::service(
            OPERATION,
            "InProgress",
            &format!(
                "the last update of function {name} has not ended for {} minutes: repeat the command later, or deploy without `--fast`, which gives the function what it should run",
                LONGEST.as_secs() / 60
            ),
        ))
    }

    /// Returns whether this is the code of one of these objects, whose keys end with the hash of the content.
    pub(super) fn is_one_of<'a>(&self, keys: impl IntoIterator<Item = &'a String>) -> bool {
        self.one_of(keys).is_some()
    }

    /// Returns which of these objects this is the code of.
    pub(super) fn one_of<'a>(
        &self,
        keys: impl IntoIterator<Item = &'a String>,
    ) -> Option<&'a String> {
        keys.into_iter()
            .find(|key| publish::sha256_of(key).is_some_and(|sha256| sha256 == self.sha256))
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
    let given = clients
        .lambda
        .update_function_code()
        .function_name(name)
        .s3_bucket(bucket)
        .s3_key(key)
        .set_revision_id(revision)
        .send()
        .await
        .or_aws(clients, "UpdateFunctionCode");
    let code = Code::of(context, name);
    match given {
        Ok(_) => code.await,
        // A call whose answer was lost is repeated, and the revision is no longer the last one: what runs tells.
        Err(error) if error.code() == Some(OTHER_REVISION) => {
            let code = code.await?;
            if code.is_one_of([&key.to_owned()]) {
                Ok(code)
            } else {
                Err(error)
            }
        }
        Err(error) => Err(error),
    }
}
