//! What is known to help against the failures that are met most, as data.

/// One entry: a part of the resource type, parts of the reason that must all occur, and the hint.
struct Entry {
    resource_type: &'static str,
    reason: &'static [&'static str],
    hint: &'static str,
}

/// The catalogue. The first entry that matches counts; particular ones stand before general ones.
const CATALOGUE: &[Entry] = &[
    Entry {
        resource_type: "AWS::SQS::Queue",
        reason: &["you must wait 60 seconds"],
        hint: "SQS keeps the name of a deleted queue for a minute: wait, and deploy again",
    },
    Entry {
        resource_type: "AWS::SecretsManager::Secret",
        reason: &["scheduled for deletion"],
        hint: "the deleted secret keeps its name until its recovery window ends: restore it, or delete it with `aws secretsmanager delete-secret --force-delete-without-recovery`",
    },
    Entry {
        resource_type: "AWS::S3::Bucket",
        reason: &["not empty"],
        hint: "somebody wrote to the bucket while it was being deleted: stop the writers and run `stackctl destroy` again",
    },
    Entry {
        resource_type: "AWS::S3::Bucket",
        reason: &["already exists"],
        hint: "bucket names are shared by all accounts: leave the name out, and CloudFormation makes one",
    },
    Entry {
        resource_type: "AWS::Lambda::EventSourceMapping",
        reason: &["visibility timeout"],
        hint: "give the queue a visibility timeout of at least the function's timeout, better six times that",
    },
    Entry {
        resource_type: "AWS::Lambda::",
        reason: &["cannot be assumed by Lambda"],
        hint: "a new role takes a moment to become known: deploy again",
    },
    Entry {
        resource_type: "AWS::Lambda::",
        reason: &["UnreservedConcurrentExecution"],
        hint: "the account has too little concurrency left to reserve any: leave the reservation out, or raise the quota",
    },
    Entry {
        resource_type: "AWS::Lambda::",
        reason: &["S3 Error Code: NoSuchKey"],
        hint: "somebody removed the artifact from the bucket: deploy again, and it is uploaded again",
    },
    Entry {
        resource_type: "AWS::Lambda::",
        reason: &["Unzipped size must be smaller"],
        hint: "build the function with the `function` profile, which strips it",
    },
    Entry {
        resource_type: "AWS::ApiGateway::",
        reason: &["CloudWatch Logs role ARN must be set"],
        hint: "API Gateway needs a role of the account to write logs: add an `AWS::ApiGateway::Account`, once per region",
    },
    Entry {
        resource_type: "AWS::DynamoDB::Table",
        reason: &["more than one GSI"],
        hint: "DynamoDB adds or removes one index per update: deploy them one after the other",
    },
    Entry {
        resource_type: "",
        reason: &["cannot update a stack when a custom-named resource requires replacing"],
        hint: "the change replaces a resource whose name is fixed: give it another name, or leave the name out",
    },
    Entry {
        resource_type: "",
        reason: &["no export named"],
        hint: "deploy the stack that exports it first, or all stacks at once",
    },
    Entry {
        resource_type: "",
        reason: &["as it is in use by"],
        hint: "another stack imports that value: deploy or destroy that stack first",
    },
    Entry {
        resource_type: "",
        reason: &["already exists in stack"],
        hint: "that resource belongs to another stack: choose another name",
    },
    Entry {
        resource_type: "",
        reason: &["already exist"],
        hint: "a resource with that name exists outside of this stack: choose another name, leave it out, or delete the resource",
    },
    Entry {
        resource_type: "",
        reason: &["not authorized to perform"],
        hint: "the credentials of the deploy lack the action that the reason names",
    },
    Entry {
        resource_type: "",
        reason: &["AccessDenied"],
        hint: "the credentials of the deploy lack a permission for this resource",
    },
    Entry {
        resource_type: "",
        reason: &["limit", "exceed"],
        hint: "a quota of the account is used up: remove something, or raise the quota in Service Quotas",
    },
    Entry {
        resource_type: "",
        reason: &["Rate exceeded"],
        hint: "AWS was asked too much at once: deploy again",
    },
];

/// Returns what is known to help against the reason of a resource.
pub(super) fn find(resource_type: &str, reason: &str) -> Vec<String> {
    let reason = reason.to_lowercase();
    CATALOGUE
        .iter()
        .find(|entry| {
            resource_type.starts_with(entry.resource_type)
                && entry
                    .reason
                    .iter()
                    .all(|part| reason.contains(&part.to_lowercase()))
        })
        .map(|entry| entry.hint.to_owned())
        .into_iter()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn particular_hints_come_before_general_ones() {
        let hint = |resource_type, reason| find(resource_type, reason).join("");
        assert!(hint("AWS::S3::Bucket", "intake-dev-x already exists").contains("all accounts"));
        assert!(
            hint(
                "AWS::IAM::Role",
                "Resource of type 'AWS::IAM::Role' with identifier 'x' already exists."
            )
            .contains("outside of this stack")
        );
        assert!(
            hint(
                "AWS::IAM::Role",
                "User: arn:aws:iam::1:user/x is not authorized to perform: iam:CreateRole on resource: y"
            )
            .contains("lack the action")
        );
        assert_eq!(hint("AWS::IAM::Role", "something new"), "");
    }

    #[test]
    fn every_entry_can_be_found() {
        for entry in CATALOGUE {
            let found = find(entry.resource_type, &entry.reason.join(" .. "));
            assert_eq!(
                found,
                [entry.hint],
                "an earlier entry hides {:?}",
                entry.reason
            );
        }
    }
}
