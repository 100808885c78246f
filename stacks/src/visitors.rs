//! The visitors system: a number on a page that says how often it was seen.
//!
//! The page calls `GET /count/{userId}` with an API key, and a function counts in a table. Everybody who looks at the
//! page can read the key, so it protects nothing: it is what the quota of requests is counted by.
//!
//! The table and the usage plan have names with the stage in them. The key has none: a key cannot change its value, and
//! what has a name of its own cannot be replaced.

use serde::Deserialize;
use stack_model::apigateway::{
    ApiKeyProps, Authorization, Cors, CorsMaxAge, Endpoint, HttpMethod, Integration, MethodProps,
    PlanStage, Quota, QuotaPeriod, RestApiProps, RestResourceProps, StageProps, UsagePlanProps,
};
use stack_model::cloudfront::PriceClass;
use stack_model::dynamodb::{Billing, CapacityUnits, TableProps};
use stack_model::lambda::FunctionProps;
use stack_model::secretsmanager::SecretRef;
use stack_model::ssm::ParameterRef;
use stack_model::{App, Arn, Value, Violation, Violations, limit};
use visitors::{Count, CountWiring, USER_ID, Visitor};

use crate::domain::EdgeDomain;
use crate::pages;
use crate::site::{Site, SiteVariables};

/// What a stage decides, in the table `[stages.<stage>.variables.visitors]` of `stackctl.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Variables {
    /// Where the value of the API key comes from.
    api_key_value: ApiKeyValue,
    /// How many requests the key may make in a month.
    quota_limit: u32,
    /// The region of the system, where it is not that of the stage.
    region: Option<String>,
    /// Where the API answers besides its own address.
    domain: Option<EdgeDomain>,
    /// The page that is counted.
    site: SiteVariables,
}

impl Default for Variables {
    fn default() -> Self {
        Self {
            api_key_value: ApiKeyValue::default(),
            quota_limit: 1000,
            region: None,
            domain: None,
            site: SiteVariables::default(),
        }
    }
}

/// Where the value of the API key comes from. It never stands in a template.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ApiKeyValue {
    /// API Gateway makes it up.
    #[default]
    Generated,
    /// A secret of Secrets Manager holds it, with this ARN.
    Secret(String),
    /// A parameter of Parameter Store holds it, of the type `String`.
    Parameter(String),
}

impl ApiKeyValue {
    /// Returns what CloudFormation replaces by the value while it deploys.
    fn reference(self) -> Result<Option<Value<String>>, Violation> {
        match self {
            Self::Generated => Ok(None),
            Self::Secret(arn) => {
                let arn = Arn::parse(arn).map_err(|error| {
                    Violation::new(format!("the variable `api_key_value` of visitors: {error}"))
                })?;
                Ok(Some(SecretRef::<String>::existing(arn).value()))
            }
            Self::Parameter(name) => Ok(Some(ParameterRef::<String>::existing(name).value())),
        }
    }
}

/// Adds the stacks `visitors-api` and `visitors-site` to an app, and `visitors-site-certificate` where the site has a
/// domain.
///
/// # Errors
///
/// Fails where the variables of the stage do not fit.
pub fn describe(app: &mut App) -> Result<(), Violations> {
    let variables: Variables = app.stage().variables("visitors")?;
    let stage = app.stage().name().to_owned();
    let mut stack = app.stack("visitors-api");
    stack.describe("Counts the visits of a page");
    if let Some(region) = &variables.region {
        stack.in_region(region);
    }

    let users = stack.table::<Visitor>(
        "UsersTable",
        TableProps {
            name: Some(format!("usersTable-{stage}").into()),
            billing: Billing::Provisioned {
                read: limit!(CapacityUnits, 5),
                write: limit!(CapacityUnits, 5),
            },
            ..TableProps::default()
        },
    );
    let count = stack.function(
        "Count",
        Count::bind(CountWiring {
            users_table: &users,
        }),
        FunctionProps {
            description: Some("Counts one visit and answers with the number".to_owned()),
            ..FunctionProps::default()
        },
    );

    let api = stack.rest_api(
        "Api",
        RestApiProps {
            endpoint: Endpoint::EdgeOptimized,
            ..RestApiProps::default()
        },
    );
    let cors = cors();
    let counts = stack.rest_resource("Counts", &api.root(), "count");
    let user = stack.rest_resource(
        "CountOfUser",
        &counts,
        RestResourceProps {
            path_part: format!("{{{USER_ID}}}"),
            cors: Some(cors.clone()),
        },
    );
    stack.rest_method("GetCount", &user, {
        let proxy = Integration::lambda_proxy(&count);
        let mut get = MethodProps::new(HttpMethod::Get, Authorization::None, proxy);
        get.api_key_required = true;
        get
    });
    // Without these the page could not even read that its quota is used up.
    stack.rest_error_cors("Errors", &api, &cors);
    let live = stack.rest_stage("ApiStage", &api, StageProps::named("Prod"));

    let key = stack.rest_api_key(
        "ApiKey",
        ApiKeyProps {
            description: Some("Counts the requests of the page; everybody can read it".to_owned()),
            value: variables.api_key_value.reference()?,
            ..ApiKeyProps::default()
        },
    );
    let plan = stack.rest_usage_plan(
        "UsagePlan",
        UsagePlanProps {
            name: Some(format!("visitors-api-{stage}-usage-plan").into()),
            stages: vec![PlanStage::from(&live)],
            quota: Some(Quota::new(variables.quota_limit, QuotaPeriod::Month)),
            ..UsagePlanProps::default()
        },
    );
    stack.rest_plan_key("ApiKeyInUsagePlan", &plan, &key);

    stack
        .output("ApiUrl", live.url(&api.root()))
        .description("What the paths begin with, such as count/default")
        .example("curl -H \"X-Api-Key: $API_KEY\" {value}count/default");
    if let Some(domain) = variables.domain {
        let url = domain.add(&mut stack, &live)?;
        stack
            .output("CustomUrl", url)
            .description("The same under a domain of one's own");
    }
    stack
        .output("ApiKeyId", key.key_id())
        .description("The id of the API key")
        .example(
            "API_KEY=$(aws apigateway get-api-key --include-value --query value --output text --api-key {value})",
        );
    stack
        .output("TableName", users.name())
        .description("The table of the numbers");

    let site = Site {
        system: "visitors",
        description: "Shows the page whose visits are counted",
        region: variables.region.as_deref(),
        price_class: PriceClass::All,
    };
    site.describe(app, &variables.site);
    Ok(())
}

/// Lets pages of every origin call, without credentials of the browser; the preflight asks for no key.
fn cors() -> Cors {
    let mut cors = pages::cors([HttpMethod::Get, HttpMethod::Options], ["*"]);
    cors.max_age = Some(limit!(CorsMaxAge, 600));
    cors
}
