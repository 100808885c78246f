//! Finds who is let in by resources that are no policies: users, keys, memberships, providers of identities.

use serde_json::Value;

use super::super::canonical::same;
use super::super::compare::type_of;
use super::{elements, text};

/// Returns who else may do what others may already, one phrase each; for a new resource, `old` is null.
pub(super) fn newcomers(old: &Value, new: &Value) -> Vec<String> {
    let sides = Sides { old, new };
    match type_of(new) {
        // See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-usageplankey.html>.
        "AWS::ApiGateway::UsagePlanKey"
            if sides.differs("KeyId") || sides.differs("UsagePlanId") =>
        {
            let (key, plan) = (sides.said("KeyId"), sides.said("UsagePlanId"));
            vec![format!("whoever has {key} calls the stages of {plan}")]
        }
        // See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolusertogroupattachment.html>.
        "AWS::Cognito::UserPoolUserToGroupAttachment"
            if sides.differs("Username") || sides.differs("GroupName") =>
        {
            let (user, group) = (sides.said("Username"), sides.said("GroupName"));
            vec![format!("{user} is a member of {group}")]
        }
        "AWS::IAM::AccessKey" => sides.keys(),
        "AWS::IAM::OIDCProvider" => sides.tokens(),
        "AWS::IAM::SAMLProvider" if sides.differs("SamlMetadataDocument") => {
            vec!["whom its document names takes the roles that trust it".to_owned()]
        }
        "AWS::IAM::User" => sides.user(),
        "AWS::IAM::UserToGroupAddition" => {
            let group = sides.said("GroupName");
            let users = sides.more("Users").into_iter();
            let lines = users.map(|user| format!("{user} is a member of {group}"));
            lines.collect()
        }
        // See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolidentityprovider.html>.
        "AWS::Cognito::UserPoolIdentityProvider"
            if sides.differs("ProviderDetails") || sides.differs("ProviderName") =>
        {
            let (at, pool) = (sides.said("ProviderName"), sides.said("UserPoolId"));
            vec![format!("who signs in at {at} gets into {pool}")]
        }
        // See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iot-policyprincipalattachment.html>.
        "AWS::IoT::PolicyPrincipalAttachment"
            if sides.differs("Principal") || sides.differs("PolicyName") =>
        {
            let (who, policy) = (sides.said("Principal"), sides.said("PolicyName"));
            vec![format!("{who} does what {policy} allows")]
        }
        // See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sso-assignment.html>.
        "AWS::SSO::Assignment"
            if ["PrincipalId", "PermissionSetArn", "TargetId"]
                .iter()
                .any(|name| sides.differs(name)) =>
        {
            let (who, what) = (sides.said("PrincipalId"), sides.said("PermissionSetArn"));
            vec![format!("{who} has {what} in {}", sides.said("TargetId"))]
        }
        "AWS::Cognito::IdentityPoolRoleAttachment" if old.is_null() => sides.attached(),
        "AWS::Lambda::LayerVersionPermission" if sides.differs("Principal") => {
            let (who, what) = (sides.said("Principal"), sides.said("LayerVersionArn"));
            vec![format!("{who} uses {what}")]
        }
        "AWS::Logs::Destination" if sides.differs("DestinationPolicy") => {
            let target = sides.said("TargetArn");
            vec![format!("whom its policy names writes to {target}")]
        }
        "AWS::RAM::ResourceShare" => sides.shared(),
        _ => Vec::new(),
    }
}

/// A resource before and after.
struct Sides<'a> {
    old: &'a Value,
    new: &'a Value,
}

impl Sides<'_> {
    fn had(&self, name: &str) -> Option<&Value> {
        self.old.get("Properties")?.get(name)
    }

    fn has(&self, name: &str) -> Option<&Value> {
        self.new.get("Properties")?.get(name)
    }

    fn said(&self, name: &str) -> String {
        self.has(name).map_or_else(|| "it".to_owned(), text)
    }

    /// Returns the elements of a list that were not in it.
    fn more(&self, name: &str) -> Vec<String> {
        let before = elements(self.had(name));
        let after = elements(self.has(name)).into_iter();
        let more = after.filter(|one| !before.iter().any(|before| same(before, one)));
        more.map(text).collect()
    }

    /// Returns whether a property comes or becomes another.
    fn differs(&self, name: &str) -> bool {
        match (self.had(name), self.has(name)) {
            (Some(before), Some(after)) => !same(before, after),
            (before, after) => before.is_none() && after.is_some(),
        }
    }

    /// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iam-accesskey.html>.
    fn keys(&self) -> Vec<String> {
        let inactive = |status: Option<&Value>| status.and_then(Value::as_str) == Some("Inactive");
        let another = self.old.is_null() || self.differs("UserName");
        let woken = inactive(self.had("Status"));
        let told = !inactive(self.has("Status")) && (another || woken);
        let line = format!("whoever has the key acts as {}", self.said("UserName"));
        told.then_some(line).into_iter().collect()
    }

    fn tokens(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.differs("Url") {
            let url = self.said("Url");
            found.push(format!(
                "who signs in at {url} takes the roles that trust it"
            ));
        }
        let audiences = self.more("ClientIdList").into_iter();
        found.extend(audiences.map(|audience| format!("tokens for {audience} are taken")));
        found
    }

    fn user(&self) -> Vec<String> {
        let groups = self.more("Groups").into_iter();
        let mut found: Vec<String> = groups
            .map(|group| format!("it is a member of {group}"))
            .collect();
        if self.differs("LoginProfile") {
            found.push("it signs in with a password".to_owned());
        }
        found
    }

    /// Returns as whom the people of an identity pool act from now on.
    fn attached(&self) -> Vec<String> {
        let pool = self.said("IdentityPoolId");
        let roles = self.has("Roles").and_then(Value::as_object);
        let mut found: Vec<String> = roles
            .into_iter()
            .flatten()
            .map(|(who, role)| format!("who is {who} in {pool} acts as {}", text(role)))
            .collect();
        if self.has("RoleMappings").is_some() {
            found.push(format!("rules say as whom people in {pool} act"));
        }
        found
    }

    fn shared(&self) -> Vec<String> {
        let all = ["Principals", "ResourceArns"].into_iter();
        let more = all.flat_map(|name| self.more(name));
        let mut found: Vec<String> = more
            .map(|one| format!("{one} is part of what is shared"))
            .collect();
        // Where nothing is said, other organizations may be part of a share.
        let outside = |side: Option<&Value>| match side {
            Some(Value::Bool(allowed)) => *allowed,
            Some(Value::String(allowed)) => allowed != "false",
            _ => true,
        };
        let name = "AllowExternalPrincipals";
        if !self.old.is_null() && outside(self.has(name)) && !outside(self.had(name)) {
            found.push("other organizations may be part of it".to_owned());
        }
        found
    }
}
