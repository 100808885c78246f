//! What still carries the tags of removed stacks, in their regions and where what is global stands.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_resourcegroupstagging::Client as Tagging;
use aws_smithy_mocks::mock;
use serde_json::json;

use super::super::{
    answers::{self, Stack},
    script::{Played, STACK, Script, http},
    signed::Signed,
};
use crate::aws::{AwsError, Fault};
use crate::engine::{
    DestroyReport, DestroyedStack, Evidence, Left, Outcome, Survivor, SurvivorSearch, survivors,
};

/// The code of <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/CommonErrors.html>.
fn denied() -> serde_json::Value {
    json!({
        "__type": "AccessDeniedException",
        "message": "User: arn:aws:iam::123456789012:user/ana is not authorized to perform: cloudformation:GetResource",
    })
}

/// Plays for a caller who may not look whether what was found is there.
fn unseeing(script: Script) -> Played {
    let signed = Signed::new().json("GetResource", "", 400, &denied());
    signed.with(script.play())
}

/// `GetResources`, as <https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html>
/// shows it; the last page has an empty token.
pub(super) fn tagged(
    script: Script,
    page: Option<&'static str>,
    rows: &[(&str, Option<&str>)],
    next: &str,
) -> Script {
    let rows: Vec<_> = rows
        .iter()
        .map(|(arn, stack)| {
            let mut tags = vec![json!({"Key": "stackctl:stage", "Value": "dev"})];
            tags.extend(
                stack.map(|stack| json!({"Key": "aws:cloudformation:stack-name", "Value": stack})),
            );
            json!({"ResourceARN": arn, "Tags": tags})
        })
        .collect();
    let body = json!({"ResourceTagMappingList": rows, "PaginationToken": next}).to_string();
    script.tagging(
        "get_resources",
        mock!(Tagging::get_resources)
            .match_requests(move |input| {
                let filter = &input.tag_filters()[0];
                input.pagination_token() == page
                    && filter.key() == Some("stackctl:stage")
                    && filter.values() == ["dev"]
            })
            .then_http_response(move || http(200, &body)),
    )
}

#[tokio::test]
async fn what_is_left_is_named_and_what_was_seen_to_go_or_to_stay_is_not() {
    let mut script = tagged(
        Script::new(),
        None,
        &[
            ("arn:aws:sqs:eu-central-1:1:gone", Some(STACK)),
            ("arn:aws:dynamodb:eu-central-1:1:table/kept", Some(STACK)),
            ("arn:aws:s3:::another-stack", Some("reports-dev")),
            ("arn:aws:s3:::made-by-hand", None),
        ],
        "2",
    );
    script = tagged(
        script,
        Some("2"),
        &[
            (
                "arn:aws:dynamodb:eu-central-1:1:table/replaced",
                Some(STACK),
            ),
            ("arn:aws:dynamodb:eu-central-1:1:table/swept", Some(STACK)),
            (
                "arn:aws:dynamodb:eu-central-1:1:table/kept-before",
                Some(STACK),
            ),
            (
                // Not the function of this name, which is gone.
                "arn:aws:logs:eu-central-1:1:log-group:/aws/lambda/gone",
                Some(STACK),
            ),
        ],
        "",
    );
    // The index of the region in which what is global stands says nothing of the region of its stack here.
    let elsewhere = [("arn:aws:cloudfront::1:distribution/E1", Some(STACK))];
    let script = tagged(script, None, &elsewhere, "");
    // The answers of <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_GetResource.html>.
    let there = json!({"TypeName": "AWS::DynamoDB::Table", "ResourceDescription": {
        "Identifier": "replaced", "Properties": "{}"
    }});
    let gone = json!({"__type": "ResourceNotFoundException", "Message": "it was not found"});
    let signed = Signed::new()
        .json("GetResource", "replaced", 200, &there)
        .json("GetResource", "swept", 400, &gone)
        .json("GetResource", "/aws/lambda/gone", 400, &denied());
    let played = signed.with(script.play());
    let report = DestroyReport {
        stacks: vec![DestroyedStack {
            stack: STACK.to_owned(),
            outcome: Outcome::Deleted,
            failure: None,
            retained: [("Table".to_owned(), "kept".to_owned())].into(),
            left: Left {
                gone: vec!["https://sqs.eu-central-1.amazonaws.com/1/gone".to_owned()],
                ..Left::default()
            },
        }],
    };
    let kept = ["kept-before".to_owned()].into();
    let search = SurvivorSearch {
        stage: "dev",
        kept: &kept,
        whole: None,
    };
    let found = survivors(&played.context, search, &report)
        .await
        .expect("the account is searched");
    let [table, logs] = found.found.as_slice() else {
        panic!("{found:?}");
    };
    // What is there is named with the commands that remove it.
    assert_eq!(table.arn, "arn:aws:dynamodb:eu-central-1:1:table/replaced");
    let Evidence::There { remove, remark } = &table.evidence else {
        panic!("{table:?}");
    };
    assert_eq!(
        remove.last().map(String::as_str),
        Some(
            "aws dynamodb delete-table --table-name replaced --region eu-central-1 --profile work"
        )
    );
    assert_eq!(*remark, None);
    // Of the rest nobody knows.
    let arn = "arn:aws:logs:eu-central-1:1:log-group:/aws/lambda/gone";
    assert_eq!((&*logs.arn, &logs.evidence), (arn, &Evidence::Tags));
    let unseen = found.unseen.as_ref().map(AwsError::fault);
    assert!(matches!(unseen, Some(Fault::Denied { .. })), "{unseen:?}");
    let told = serde_json::to_value(&found.found).expect("is JSON");
    assert_eq!(
        told[0]["remove"].as_array().map(Vec::len),
        Some(3),
        "{told}"
    );
    assert!(told[1].get("remove").is_none(), "{told}");
    signed.finish();
    played.finish_as("destroy");
}

/// A removal of one stack that left nothing itself.
fn removed() -> DestroyReport {
    DestroyReport {
        stacks: vec![DestroyedStack {
            stack: STACK.to_owned(),
            outcome: Outcome::Deleted,
            failure: None,
            retained: BTreeMap::new(),
            left: Left::default(),
        }],
    }
}

/// What is in no region stands in the index of another one than its stack was in, and the same index has what is of others.
#[tokio::test]
async fn what_is_global_is_named_where_its_stack_was_removed_in_its_region() {
    let row = |arn: &str, stack: &str, region: Option<&str>| {
        let mut tags = vec![
            json!({"Key": "stackctl:stage", "Value": "dev"}),
            json!({"Key": "stackctl:app", "Value": "shop"}),
            json!({"Key": "aws:cloudformation:stack-name", "Value": stack}),
        ];
        tags.extend(region.map(|region| {
            let id = format!("arn:aws:cloudformation:{region}:1:stack/{stack}/1");
            json!({"Key": "aws:cloudformation:stack-id", "Value": id})
        }));
        json!({"ResourceARN": arn, "Tags": tags})
    };
    let index = |script: Script, rows: &[serde_json::Value]| {
        let body = json!({"ResourceTagMappingList": rows, "PaginationToken": ""}).to_string();
        script.tagging(
            "get_resources",
            mock!(Tagging::get_resources).then_http_response(move || http(200, &body)),
        )
    };
    let here = Some("eu-central-1");
    let own = "arn:aws:cloudfront::1:distribution/OWN";
    let before = "arn:aws:route53:::hostedzone/BEFORE";
    let global = [
        row(own, STACK, here),
        row(
            "arn:aws:cloudfront::1:distribution/OTHER",
            STACK,
            Some("us-east-1"),
        ),
        row("arn:aws:cloudfront::1:distribution/UNSAID", STACK, None),
        row("arn:aws:sqs:us-east-1:1:other", STACK, Some("us-east-1")),
        row(before, "reports-dev", here),
        row(
            "arn:aws:route53:::hostedzone/FAR",
            "reports-dev",
            Some("ap-south-1"),
        ),
    ];
    let regions = ["eu-central-1".to_owned()].into();
    for (whole, expected) in [
        (None, &[(STACK, own)][..]),
        (Some(&regions), &[(STACK, own), ("reports-dev", before)]),
    ] {
        let mut script = index(index(Script::new(), &[]), &global);
        if whole.is_some() {
            script = script.describe("reports-dev", answers::absent("reports-dev"));
        }
        let played = unseeing(script);
        let context = played.context.clone().of_app(Some("shop"));
        let search = SurvivorSearch {
            stage: "dev",
            kept: &BTreeSet::new(),
            whole,
        };
        let found = survivors(&context, search, &removed())
            .await
            .expect("is searched");
        let mut expected: Vec<Survivor> = expected
            .iter()
            .map(|(stack, arn)| Survivor {
                stack: (*stack).to_owned(),
                arn: (*arn).to_owned(),
                evidence: Evidence::Tags,
            })
            .collect();
        expected.sort();
        assert_eq!(found.found, expected);
        assert!(found.unsearched.is_empty(), "{:?}", found.unsearched);
        played.finish_as("destroy");
    }
}

/// Where a region is closed to somebody, for example by
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples_general.html>, what was found
/// in the others is told all the same.
#[tokio::test]
async fn a_region_beside_those_of_the_stacks_may_be_closed() {
    let script = tagged(
        Script::new(),
        None,
        &[("arn:aws:sqs:eu-central-1:1:own", Some(STACK))],
        "",
    );
    let denied = json!({
        "__type": "AccessDeniedException",
        "Message": "User: arn:aws:iam::123456789012:user/ana is not authorized to perform: tag:GetResources \
                    with an explicit deny in a service control policy",
    })
    .to_string();
    let played = unseeing(script.tagging(
        "get_resources",
        mock!(Tagging::get_resources).then_http_response(move || http(400, &denied)),
    ));
    let search = SurvivorSearch {
        stage: "dev",
        kept: &BTreeSet::new(),
        whole: None,
    };
    let found = survivors(&played.context, search, &removed())
        .await
        .expect("the region of the stack is searched");
    assert_eq!(found.found.len(), 1, "{found:?}");
    let unsearched: Vec<(&str, &Fault)> = found
        .unsearched
        .iter()
        .map(|(region, error)| (*region, error.fault()))
        .collect();
    assert!(
        matches!(unsearched[..], [("us-east-1", Fault::Denied { .. })]),
        "{unsearched:?}"
    );
    played.finish_as("destroy");
}

/// Another stack was removed there, so that the region is searched for what that one left, and for nothing of a stack whose name
/// one has that was removed elsewhere.
#[tokio::test]
async fn a_stack_of_the_same_name_in_another_region_left_nothing() {
    let row = |name: &str, stack: &str, region: &str| {
        let id = format!("arn:aws:cloudformation:{region}:1:stack/{stack}/1");
        let tags = [
            ("stackctl:stage", "dev"),
            ("aws:cloudformation:stack-name", stack),
            ("aws:cloudformation:stack-id", &id),
        ];
        let tags = tags.map(|(key, value)| json!({"Key": key, "Value": value}));
        json!({"ResourceARN": format!("arn:aws:sqs:{region}:1:{name}"), "Tags": tags})
    };
    let (here, there) = ("eu-central-1", "us-east-1");
    let indexes = [
        [row("own", STACK, here), row("other", "web-dev", here)],
        [
            row("same-name", STACK, there),
            row("webs", "web-dev", there),
        ],
    ];
    let script = indexes.into_iter().fold(Script::new(), |script, rows| {
        let body = json!({"ResourceTagMappingList": rows, "PaginationToken": ""}).to_string();
        let answer = mock!(Tagging::get_resources).then_http_response(move || http(200, &body));
        script.tagging("get_resources", answer)
    });
    let played = unseeing(script);
    let mut report = removed();
    let mut web = report.stacks[0].clone();
    web.stack = "web-dev".to_owned();
    web.left.region = Some(there.to_owned());
    report.stacks.push(web);
    let search = SurvivorSearch {
        stage: "dev",
        kept: &BTreeSet::new(),
        whole: None,
    };
    let found = survivors(&played.context, search, &report)
        .await
        .expect("both regions are searched");
    let names: Vec<_> = found
        .found
        .iter()
        .map(|it| it.arn.rsplit(':').next().unwrap_or_default())
        .collect();
    assert_eq!(names, ["own", "webs"]);
    played.finish_as("destroy");
}

/// A removal of all of the stage: what other stacks of the app left in it is found as well, and what others have is not.
#[tokio::test]
async fn what_any_stack_of_the_app_left_in_the_stage_is_named_where_all_of_it_goes() {
    // The tags of what CloudFormation made are those of
    // <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-properties-resource-tags.html>.
    let row = |name: &str, app: Option<&str>, stack: &str, region: &str| {
        let id = format!("arn:aws:cloudformation:{region}:123456789012:stack/{stack}/1");
        let mut tags = vec![
            json!({"Key": "stackctl:stage", "Value": "dev"}),
            json!({"Key": "aws:cloudformation:stack-name", "Value": stack}),
            json!({"Key": "aws:cloudformation:stack-id", "Value": id}),
        ];
        tags.extend(app.map(|app| json!({"Key": "stackctl:app", "Value": app})));
        json!({"ResourceARN": format!("arn:aws:sqs:eu-central-1:1:{name}"), "Tags": tags})
    };
    let shop = Some("shop");
    let here = "eu-central-1";
    let body = json!({"ResourceTagMappingList": [
        row("own", shop, STACK, here),
        row("before", shop, "reports-dev", here),
        row("before-2", shop, "reports-dev", here),
        row("kept", shop, "reports-dev", here),
        row("in-use", shop, "billing-dev", here),
        row("others", Some("blog"), "gone-dev", here),
        row("nobodys", None, "gone-dev", here),
    ], "PaginationToken": ""})
    .to_string();
    let tagged = |script: Script| {
        let body = body.clone();
        script.tagging(
            "get_resources",
            mock!(Tagging::get_resources).then_http_response(move || http(200, &body)),
        )
    };
    let report = removed();
    let kept = ["kept".to_owned()].into();
    let regions = [here.to_owned()].into();
    for (app, whole, expected) in [
        // Each stack is asked about once: this one is gone, and the other one is there.
        (
            shop,
            true,
            &[
                "reports-dev before",
                "reports-dev before-2",
                "intake-dev own",
            ][..],
        ),
        (shop, false, &["intake-dev own"]),
        (None, true, &["intake-dev own"]),
    ] {
        let mut script = tagged(tagged(Script::new()));
        if expected.len() > 1 {
            script = script
                .describe("reports-dev", answers::absent("reports-dev"))
                .describe("billing-dev", Stack::new("UPDATE_COMPLETE").xml());
        }
        let played = unseeing(script);
        let search = SurvivorSearch {
            stage: "dev",
            kept: &kept,
            whole: Some(&regions).filter(|_| whole),
        };
        let context = played.context.clone().of_app(app);
        let found = survivors(&context, search, &report)
            .await
            .expect("is searched");
        let mut found: Vec<String> = found
            .found
            .iter()
            .map(|it| {
                format!(
                    "{} {}",
                    it.stack,
                    it.arn.rsplit(':').next().unwrap_or_default()
                )
            })
            .collect();
        found.sort();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected, "{app:?} {whole}");
        played.finish_as("destroy");
    }
}
