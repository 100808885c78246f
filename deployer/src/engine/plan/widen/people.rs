//! Finds who is let in by resources that are no policies: users, keys, memberships, providers of identities.

use serde_json::Value;

use super::super::canonical::same;
use super::{elements, text};

/// Returns who else may do what others may already, one phrase each; for a new resource, `old` is null.
pub(super) fn newcomers(old: &Value, new: &Value) -> Vec<String> {
    let part = |side: &'_ Value, name: &str| side.get("Properties")?.get(name).cloned();
    let had = |name: &str| part(old, name);
    let has = |name: &str| part(new, name);
    let said = |name: &str| has(name).map_or_else(|| "it".to_owned(), |value| text(&value));
    // The elements of a list that were not in it.
    let more = |name: &str| -> Vec<String> {
        let (before, after) = (had(name), has(name));
        let before = elements(before.as_ref());
        elements(after.as_ref())
            .into_iter()
            .filter(|one| !before.iter().any(|before| same(before, one)))
            .map(text)
            .collect()
    };
    let differs = |name: &str| match (had(name), has(name)) {
        (Some(before), Some(after)) => !same(&before, &after),
        (None, after) => after.is_some(),
        (Some(_), None) => false,
    };
    let is =
        |value: Option<Value>, word: &str| value.as_ref().and_then(Value::as_str) == Some(word);
    let mut found = Vec::new();
    match new.get("Type").and_then(Value::as_str).unwrap_or_default() {
        // See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-accesskey.html>.
        "AWS::IAM::AccessKey" => {
            let active = !is(has("Status"), "Inactive");
            if active && (old.is_null() || differs("UserName") || is(had("Status"), "Inactive")) {
                found.push(format!("whoever has the key acts as {}", said("UserName")));
            }
        }
        "AWS::IAM::OIDCProvider" => {
            if differs("Url") {
                found.push(format!(
                    "who signs in at {} takes the roles that trust it",
                    said("Url")
                ));
            }
            let audiences = more("ClientIdList").into_iter();
            found.extend(audiences.map(|audience| format!("tokens for {audience} are taken")));
        }
        "AWS::IAM::SAMLProvider" if differs("SamlMetadataDocument") => {
            found.push("whom its document names takes the roles that trust it".to_owned());
        }
        "AWS::IAM::User" => {
            let groups = more("Groups").into_iter();
            found.extend(groups.map(|group| format!("it is a member of {group}")));
            if differs("LoginProfile") {
                found.push("it signs in with a password".to_owned());
            }
        }
        "AWS::IAM::UserToGroupAddition" => {
            let users = more("Users").into_iter();
            let group = said("GroupName");
            found.extend(users.map(|user| format!("{user} is a member of {group}")));
        }
        // See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolidentityprovider.html>.
        "AWS::Cognito::UserPoolIdentityProvider" => {
            if differs("ProviderDetails") || differs("ProviderName") {
                found.push(format!(
                    "who signs in at {} gets into {}",
                    said("ProviderName"),
                    said("UserPoolId")
                ));
            }
        }
        "AWS::Cognito::IdentityPoolRoleAttachment" if old.is_null() => {
            let roles = has("Roles");
            let roles = roles.as_ref().and_then(Value::as_object);
            for (who, role) in roles.into_iter().flatten() {
                found.push(format!(
                    "who is {who} in {} acts as {}",
                    said("IdentityPoolId"),
                    text(role)
                ));
            }
            if has("RoleMappings").is_some() {
                found.push(format!(
                    "rules say as whom people in {} act",
                    said("IdentityPoolId")
                ));
            }
        }
        "AWS::Lambda::LayerVersionPermission" if differs("Principal") => {
            found.push(format!(
                "{} uses {}",
                said("Principal"),
                said("LayerVersionArn")
            ));
        }
        "AWS::Logs::Destination" if differs("DestinationPolicy") => {
            found.push(format!(
                "whom its policy names writes to {}",
                said("TargetArn")
            ));
        }
        "AWS::RAM::ResourceShare" => {
            for name in ["Principals", "ResourceArns"] {
                let others = more(name).into_iter();
                found.extend(others.map(|one| format!("{one} is part of what is shared")));
            }
            if !old.is_null()
                && differs("AllowExternalPrincipals")
                && !is(has("AllowExternalPrincipals"), "false")
                && has("AllowExternalPrincipals") != Some(Value::Bool(false))
            {
                found.push("other organizations may be part of it".to_owned());
            }
        }
        _ => {}
    }
    found
}
