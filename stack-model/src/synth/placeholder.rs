//! Placeholders in plain texts, which nothing fills in: they would reach AWS as they stand.
//!
//! Many services have placeholders of their own: `${aws:username}` in a policy, `${topic(3)}` in a rule of IoT,
//! `${stageVariables.x}` in the URI of an integration, `{proxy+}` in a path, `{{name}}` in the template of a mail, and
//! anything at all in a script. So only what none of them can mean is reported.

use super::walk::before_dot;

/// What variables of other tools begin with that no service of AWS and no shell has: those of the Serverless Framework
/// and of Terraform.
const OTHER_TOOLS: [&str; 5] = ["self:", "opt:", "sls:", "param:", "var."];

/// The services of dynamic references; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>.
const RESOLVERS: [&str; 3] = ["ssm:", "ssm-secure:", "secretsmanager:"];

/// Says what in a plain text was meant to be filled in; `declared` tells the names of the stack.
pub(super) fn find(text: &str, declared: &dyn Fn(&str) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    // Few texts have a brace, and a search for one byte is the fastest there is.
    if text.as_bytes().contains(&b'{') {
        in_braces(text, declared, &mut found);
    }
    if found.is_empty()
        && let Some(placeholder) = in_arn(text).or_else(|| whole(text))
    {
        found.push(stands(placeholder));
    }
    found
}

fn in_braces(text: &str, declared: &dyn Fn(&str) -> bool, found: &mut Vec<String>) {
    found.extend(
        braced(text, "${", "}")
            .filter(|name| {
                name.starts_with("AWS::")
                    || declared(before_dot(name))
                    || OTHER_TOOLS.iter().any(|start| name.starts_with(start))
            })
            .map(|name| stands(&format!("${{{name}}}"))),
    );
    found.extend(
        braced(text, "{{", "}}")
            .filter(|name| declared(before_dot(name.trim())))
            .map(|name| stands(&format!("{{{{{name}}}}}"))),
    );
    found.extend(text.split("{{resolve:").skip(1).filter_map(|rest| {
        let fine = rest.contains("}}") && RESOLVERS.iter().any(|start| rest.starts_with(start));
        let name = rest.split_once("}}").map_or(rest, |(name, _)| name);
        (!fine).then(|| format!(
            "`{{{{resolve:{name}` is no dynamic reference and would reach AWS as it is: write `{{{{resolve:ssm:..}}}}`, `{{{{resolve:ssm-secure:..}}}}` or `{{{{resolve:secretsmanager:..}}}}`"
        ))
    }));
}

fn stands(placeholder: &str) -> String {
    format!(
        "`{placeholder}` stands in a plain text and would reach AWS as it is: use a token, `text!(..)` or `Fn::Sub`"
    )
}

/// Returns what stands between brackets; `${!x}` is a text of its own.
fn braced<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    let pieces = text.split(open).skip(1);
    pieces
        .filter_map(move |piece| Some(piece.split_once(close)?.0))
        .filter(|name| !name.starts_with('!'))
}

/// Returns a placeholder in the partition, service, region or account of an ARN, where no service fills in anything.
fn in_arn(text: &str) -> Option<&str> {
    let fields = text.strip_prefix("arn:")?.splitn(5, ':').take(4);
    fields
        .filter(|field| field.contains(['{', '<']) && !field.contains("stageVariables"))
        .find(|field| field.contains(['}', '>']))
}

/// Returns the text where it is a word such as `CERTIFICATE_ARN_PLACEHOLDER`.
fn whole(text: &str) -> Option<&str> {
    let mut characters = text.strip_suffix("_PLACEHOLDER")?.chars();
    characters
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
        .then_some(text)
}

#[cfg(test)]
mod tests {
    use super::find;

    fn placeholders(text: &str) -> Vec<String> {
        let declared = |name: &str| name == "Orders";
        find(text, &declared)
            .iter()
            .filter_map(|message| Some(message.split('`').nth(1)?.to_owned()))
            .collect()
    }

    #[test]
    fn what_was_meant_to_be_filled_in_is_found() {
        for (text, expected) in [
            (
                "in ${AWS::Region} and ${AWS::Regoin}",
                vec!["${AWS::Region}", "${AWS::Regoin}"],
            ),
            ("${Orders.Arn}/*", vec!["${Orders.Arn}"]),
            (
                "{{Orders}} and {{ Orders.Arn }}",
                vec!["{{Orders}}", "{{ Orders.Arn }}"],
            ),
            (
                "${self:custom.name}-${opt:stage}",
                vec!["${self:custom.name}", "${opt:stage}"],
            ),
            ("${var.region}", vec!["${var.region}"]),
            ("{{resolve:sm:name}}", vec!["{{resolve:sm:name"]),
            ("{{resolve:ssm:name", vec!["{{resolve:ssm:name"]),
            (
                "arn:aws:apigateway:{AWS_REGION}:dynamodb:action/UpdateItem",
                vec!["{AWS_REGION}"],
            ),
            ("arn:aws:iam::<account>:role/x", vec!["<account>"]),
            (
                "CERTIFICATE_ARN_PLACEHOLDER",
                vec!["CERTIFICATE_ARN_PLACEHOLDER"],
            ),
        ] {
            assert_eq!(placeholders(text), expected, "{text}");
        }
    }

    #[test]
    fn what_a_service_fills_in_or_a_script_means_is_left_alone() {
        for text in [
            "arn:aws:s3:::photos/${aws:username}/*",
            "${cognito-identity.amazonaws.com:sub}",
            "${iot:Connection.Thing.ThingName}",
            "SELECT * FROM 'a' WHERE topic(3) = '${topic(3)}'",
            "arn:aws:apigateway:us-east-1:s3:path/{bucket}/{key}",
            "arn:aws:lambda:us-east-1:123456789012:function:${stageVariables.name}",
            "${stageVariables.url}/{proxy+}",
            "{{name}}, your code is {####}",
            "{{resolve:ssm:/a/b:1}} {{resolve:secretsmanager:x:SecretString:y}}",
            "for f in ${FILES}; do sed s/API_KEY_PLACEHOLDER/$KEY/ $f; done",
            "`${data.x}` {{#if}}",
            "open ${ and {{",
            "${!Orders}",
            "the orders of <name>: {}",
        ] {
            assert_eq!(placeholders(text), Vec::<String>::new(), "{text}");
        }
    }
}
