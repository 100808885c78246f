//! Whether the account takes more.

use aws_sdk_apigateway::Client as ApiGateway;

use super::*;

/// `GetAccountSummary` (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html>).
fn summary(roles: u32) -> String {
    format!(
        "<GetAccountSummaryResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><GetAccountSummaryResult><SummaryMap>\
         <entry><key>Roles</key><value>{roles}</value></entry><entry><key>RolesQuota</key><value>1000</value></entry>\
         <entry><key>Policies</key><value>3</value></entry><entry><key>PoliciesQuota</key><value>1500</value></entry>\
         </SummaryMap></GetAccountSummaryResult></GetAccountSummaryResponse>"
    )
}

/// Pages of `ListResources`
/// (<https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_ListResources.html>).
fn page(resources: usize, next: Option<&str>) -> Value {
    let one = json!({"Identifier": "a", "Properties": "{}"});
    let mut page =
        json!({"TypeName": "AWS::Events::EventBus", "ResourceDescriptions": vec![one; resources]});
    if let Some(next) = next {
        page["NextToken"] = next.into();
    }
    page
}

fn roles(number: usize) -> StackDeployment {
    let resources: serde_json::Map<String, Value> = (0..number)
        .map(|at| (format!("Role{at}"), json!({"Type": "AWS::IAM::Role"})))
        .collect();
    named(&Value::Object(resources))
}

#[tokio::test]
async fn roles_that_do_not_fit_are_a_warning_and_the_last_ones_a_note() {
    for (present, weight) in [
        (998, Some(Weight::Warning)),
        (997, Some(Weight::Note)),
        (897, Some(Weight::Note)),
        (896, None),
    ] {
        let signed = may_do_all().text("GetAccountSummary", "", 200, &summary(present));
        let played = signed.with(absent().play_in_any_order());
        let concerns = preflight(&played.context, &[roles(3)]).await;
        signed.finish();
        let expected = weight.map(|weight| {
            (
                weight,
                format!("roles of account 123456789012: there are {present}, this deploy makes 3 more, and 1000 are allowed"),
            )
        });
        assert_eq!(told(&concerns), Vec::from_iter(expected));
    }
}

#[tokio::test]
async fn what_is_there_is_counted_page_by_page_and_only_what_is_new_counts() {
    let stack = || {
        named(&json!({
            "Bus": {"Type": "AWS::Events::EventBus", "Properties": {"Name": {"Ref": "AWS::StackName"}}},
            "Old": {"Type": "AWS::Events::EventBus"},
            "OldDomain": {"Type": "AWS::ApiGateway::DomainName"},
        }))
    };
    let rows = [
        ("Old", "AWS::Events::EventBus", "old", "CREATE_COMPLETE"),
        (
            "OldDomain",
            "AWS::ApiGateway::DomainName",
            "old.example.com",
            "CREATE_COMPLETE",
        ),
    ];
    let template = serde_json::from_str(&stack().template).expect("it is JSON");
    let signed = || {
        may_do_all()
            .json("ListResources", "\"NextToken\":\"2\"", 200, &page(1, None))
            .json(
                "ListResources",
                "AWS::Events::EventBus",
                200,
                &page(100, Some("2")),
            )
    };
    // The account has a value of its own.
    let of_account = signed().json(
        "GetServiceQuota",
        "L-658A4FD9",
        200,
        &json!({"Quota": {"Value": 101.0}}),
    );
    let played = of_account.with(present(&rows, &template).play_in_any_order());
    let concerns = preflight(&played.context, &[stack()]).await;
    assert_eq!(
        told(&concerns),
        [
            (
                Weight::Warning,
                "event buses in eu-central-1: there are 101, this deploy makes 1 more, and 101 are allowed".to_owned()
            ),
            unasked("AWS::Events::EventBus"),
        ]
    );
    assert!(
        concerns[0].hints[0]
            .contains("--service-code events --quota-code L-658A4FD9 --desired-value 204"),
        "{:?}",
        concerns[0].hints
    );
    assert_eq!(of_account.asked("ListResources").len(), 2);

    // It has none (<https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html>).
    let by_default = signed().json(
        "GetServiceQuota",
        "L-658A4FD9",
        400,
        &json!({"__type": "NoSuchResourceException", "Message": "The request failed because the specified service does not exist."}),
    );
    let played = by_default.with(present(&rows, &template).play_in_any_order());
    let concerns = preflight(&played.context, &[stack()]).await;
    assert_eq!(
        told(&concerns),
        [
            (
                Weight::Warning,
                "event buses in eu-central-1: there are 101, this deploy makes 1 more, and 100 are allowed by default".to_owned()
            ),
            unasked("AWS::Events::EventBus"),
        ]
    );
}

/// `GetRestApis` (<https://docs.aws.amazon.com/apigateway/latest/api/API_GetRestApis.html>), in two pages.
fn rest_apis(script: Script, apis: [(usize, &str); 2]) -> Script {
    let [first, second] = apis.map(|(number, endpoint)| {
        let api = json!({"id": "a", "endpointConfiguration": {"types": [endpoint]}});
        vec![api; number]
    });
    let first = json!({"item": first, "position": "2"}).to_string();
    let second = json!({"item": second}).to_string();
    script
        .apigateway(
            "get_rest_apis",
            mock!(ApiGateway::get_rest_apis)
                .match_requests(|input| input.position().is_none())
                .then_http_response(move || http(200, &first)),
        )
        .apigateway(
            "get_rest_apis",
            mock!(ApiGateway::get_rest_apis)
                .match_requests(|input| input.position() == Some("2"))
                .then_http_response(move || http(200, &second)),
        )
}

#[tokio::test]
async fn apis_count_by_their_endpoints_and_nobody_asks_for_more_of_them() {
    let api = |endpoint: &str| {
        let properties = json!({"EndpointConfiguration": {"Types": [endpoint]}});
        json!({"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": properties}})
    };
    let by_default = json!({"Api": {"Type": "AWS::ApiGateway::RestApi"}});
    let other = json!({"Api": {"Type": "AWS::ApiGatewayV2::Api"}});
    for (resources, apis, others, code, expected) in [
        (
            by_default,
            [(120, "EDGE"), (400, "REGIONAL")],
            None,
            "L-B97207D0",
            Some((
                "edge-optimized APIs in eu-central-1: there are 120, this deploy makes 1 more, and 120 are allowed",
                "AWS raises this quota for nobody: remove what nobody needs, or give APIs regional endpoints, of which more \
                 are allowed",
            )),
        ),
        (
            api("REGIONAL"),
            [(120, "EDGE"), (400, "REGIONAL")],
            Some(40),
            "L-AA0FF27B",
            None,
        ),
        (
            other,
            [(120, "EDGE"), (500, "REGIONAL")],
            Some(100),
            "L-AA0FF27B",
            Some((
                "regional APIs in eu-central-1: there are 600, this deploy makes 1 more, and 600 are allowed",
                "AWS raises this quota for nobody: remove what nobody needs, or deploy to another region or account",
            )),
        ),
        (
            api("PRIVATE"),
            [(300, "PRIVATE"), (300, "PRIVATE")],
            None,
            "L-A966AB5C",
            Some((
                "private APIs in eu-central-1: there are 600, this deploy makes 1 more, and 600 are allowed",
                "AWS raises this quota for nobody: remove what nobody needs, or deploy to another region or account",
            )),
        ),
    ] {
        let value = if code == "L-B97207D0" { 120.0 } else { 600.0 };
        let quota = json!({"Quota": {"Value": value}});
        let mut signed = may_do_all().json("GetServiceQuota", code, 200, &quota);
        if let Some(others) = others {
            signed = signed.json(
                "ListResources",
                "AWS::ApiGatewayV2::Api",
                200,
                &page(others, None),
            );
        }
        let played = signed.with(rest_apis(absent(), apis).play_in_any_order());
        let concerns = preflight(&played.context, &[named(&resources)]).await;
        signed.finish();
        let texts = expected.map(|(text, _)| (Weight::Warning, text.to_owned()));
        assert_eq!(told(&concerns), Vec::from_iter(texts));
        let hints: Vec<&str> = concerns
            .iter()
            .flat_map(|it| &it.hints)
            .map(String::as_str)
            .collect();
        assert_eq!(hints, Vec::from_iter(expected.map(|(_, hint)| hint)));
    }
}

#[tokio::test]
async fn stacks_are_counted_too() {
    let played = stacks(Script::new().resources(&[]), 30, 30).play_in_any_order();
    let concerns = preflight(&played.context, &[named(&json!({}))]).await;
    assert_eq!(
        told(&concerns),
        [(
            Weight::Warning,
            "stacks in eu-central-1: there are 30, this deploy makes 1 more, and 30 are allowed"
                .to_owned()
        )]
    );
    played.finish();
}

#[tokio::test]
async fn new_functions_reserve_no_more_than_there_is() {
    let work = |reserved: u32| {
        let mut stack = named(&json!({
            "Work": {"Type": "AWS::Lambda::Function", "Properties": {"ReservedConcurrentExecutions": reserved}},
        }));
        stack.manifest.artifacts = [("Key".to_owned(), "work".to_owned())].into();
        stack
    };
    // `GetAccountSettings` (<https://docs.aws.amazon.com/lambda/latest/api/API_AccountLimit.html>).
    let body = json!({
        "AccountLimit": {"TotalCodeSize": 80_530_636_800_u64, "ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 140},
        "AccountUsage": {"TotalCodeSize": 1, "FunctionCount": 4},
    });
    for (reserved, expected) in [
        (40, None),
        (
            41,
            Some(
                "Lambda in eu-central-1: new functions reserve a concurrency of 41, and 40 can be reserved: 100 stay for the others",
            ),
        ),
    ] {
        let body = body.to_string();
        let script = absent()
            .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK))
            .lambda(
                "get_account_settings",
                mock!(Lambda::get_account_settings).then_http_response(move || http(200, &body)),
            );
        let signed = may_do_all();
        let played = signed.with(script.play_in_any_order());
        let concerns = preflight(&played.context, &[work(reserved)]).await;
        let expected = expected.map(|text| (Weight::Warning, text.to_owned()));
        assert_eq!(told(&concerns), Vec::from_iter(expected));
    }
}

#[tokio::test]
async fn a_quota_beyond_all_numbers_is_not_met() {
    let stack = named(&json!({"Bus": {"Type": "AWS::Events::EventBus"}}));
    let signed = may_do_all()
        .json("ListResources", "EventBus", 200, &page(99, None))
        .json(
            "GetServiceQuota",
            "L-658A4FD9",
            200,
            &json!({"Quota": {"Value": 1e300}}),
        );
    let played = signed.with(absent().play_in_any_order());
    assert_eq!(preflight(&played.context, &[stack]).await, []);
    signed.finish();
}
