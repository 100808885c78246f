//! Variables in policies.

use serde_json::{Value, json};
use system_tests::account::Account;
use system_tests::support::TestEngine;

/// Who may read which object, by a policy with variables; see
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>.
#[test]
fn variables_of_policies_are_what_is_known_of_the_caller() {
    let engine = TestEngine::start_blocking();
    let account = Account::root(engine.url());
    let made = account.request("s3", "PUT", "/letters", &[], "");
    assert_eq!(made.status, 200, "{made:?}");
    for key in ["blue/a", "red/a", "green/a", "b", "bb"] {
        let put = account.request("s3", "PUT", &format!("/letters/{key}"), &[], "-");
        assert_eq!(put.status, 200, "{put:?}");
    }
    let on = |pattern: &str| format!("arn:aws:s3:::letters/{pattern}");
    let statement = |effect: &str, pattern: &str| json!({"Effect": effect, "Action": "s3:GetObject", "Resource": on(pattern)});
    let where_equal = |key: &str, value: &str| {
        let mut allowed = statement("Allow", "*");
        allowed["Condition"] = json!({"StringEquals": { (key): value }});
        allowed
    };
    let cases: Vec<(&str, Value, &[&str])> = vec![
        (
            "a tag",
            statement("Allow", "${aws:PrincipalTag/team}/*"),
            &["blue/a"],
        ),
        (
            "a tag whatever its case",
            statement("Allow", "${AWS:principaltag/TEAM}/*"),
            &["blue/a"],
        ),
        (
            "an unknown tag",
            statement("Allow", "${aws:PrincipalTag/none}/*"),
            &[],
        ),
        (
            "an unknown tag with a default",
            statement("Allow", "${aws:PrincipalTag/none, 'green'}/*"),
            &["green/a"],
        ),
        (
            "a tag with a default",
            statement("Allow", "${aws:PrincipalTag/team, 'green'}/*"),
            &["blue/a"],
        ),
        (
            "a literal that is no wildcard",
            statement("Allow", "${*}"),
            &["b"],
        ),
        (
            "a denied tag",
            json!([
                statement("Allow", "*"),
                statement("Deny", "${aws:PrincipalTag/team}/*")
            ]),
            &["red/a", "green/a", "b", "bb"],
        ),
        (
            "what is not the tag's",
            json!({"Effect": "Allow", "Action": "s3:GetObject", "NotResource": on("${aws:PrincipalTag/team}/*")}),
            &["red/a", "green/a", "b", "bb"],
        ),
        (
            "a condition of two tags that are equal",
            where_equal("aws:PrincipalTag/team", "${aws:PrincipalTag/same}"),
            &["blue/a", "red/a", "green/a", "b", "bb"],
        ),
        (
            "a condition of two tags that are not",
            where_equal("aws:PrincipalTag/team", "${aws:PrincipalTag/other}"),
            &[],
        ),
        (
            "the role of the session",
            where_equal(
                "aws:PrincipalArn",
                "arn:aws:iam::000000000000:role/reader-10",
            ),
            &["blue/a", "red/a", "green/a", "b", "bb"],
        ),
        (
            "a condition of an unknown tag",
            where_equal("aws:PrincipalTag/none", "${aws:PrincipalTag/none}"),
            &[],
        ),
    ];
    for (number, (name, statement, expected)) in cases.into_iter().enumerate() {
        let policy = json!({"Version": "2012-10-17", "Statement": statement});
        let role = format!("reader-{number}");
        let reader = account.as_role(&role, Some(&policy));
        let mut tags = vec![("RoleName".to_owned(), role)];
        for (position, (key, value)) in [("team", "blue"), ("same", "blue"), ("other", "red")]
            .iter()
            .enumerate()
        {
            tags.push((
                format!("Tags.member.{}.Key", position + 1),
                (*key).to_owned(),
            ));
            tags.push((
                format!("Tags.member.{}.Value", position + 1),
                (*value).to_owned(),
            ));
        }
        let tags: Vec<(&str, &str)> = tags.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        account.query("iam", "2010-05-08", "TagRole", &tags);
        let mut read = Vec::new();
        for key in ["blue/a", "red/a", "green/a", "b", "bb"] {
            match reader.get("s3", &format!("/letters/{key}")).status {
                200 => read.push(key),
                status => assert_eq!(status, 403, "{name}: {key}"),
            }
        }
        assert_eq!(read, expected, "{name}");
    }
}
