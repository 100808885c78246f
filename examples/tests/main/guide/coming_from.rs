//! `docs/coming-from.md`: a table, a queue, a function, a route and a domain.

use stack_model::{App, Violations};

#[expect(unreachable_pub, reason = "it is written as the root of a package")]
mod orders {
    use serde::{Deserialize, Serialize};
    use stack_bindings::{ApiRequest, Bindings, Item, Put, Queue, Send, Table};

    #[derive(Serialize, Deserialize, Item)]
    pub struct Order {
        #[item(partition_key)]
        id: String,
        drink: String,
    }

    #[derive(Bindings)]
    #[function(binary = "orders-place", accepts(ApiRequest))]
    pub struct Place {
        orders: Table<Order, Put>,
        placed: Queue<Order, Send>,
    }
}

mod stacks {
    use super::orders;

    use orders::{Order, Place, PlaceWiring};
    use stack_model::Stack;
    use stack_model::acm::CertificateProps;
    use stack_model::apigateway::{
        Authorization, HttpMethod, Integration, MethodProps, RestApiProps, StageProps,
    };
    use stack_model::domains::{ApiDomainProps, BasePath};
    use stack_model::dynamodb::TableProps;
    use stack_model::lambda::FunctionProps;
    use stack_model::route53::{AliasTarget, HostedZoneRef};
    use stack_model::sqs::QueueProps;

    pub(super) fn order_api(stack: &mut Stack<'_>) {
        let orders = stack.table::<Order>("Orders", TableProps::default());
        let placed = stack.queue::<Order>("Placed", QueueProps::default());
        let wired = Place::bind(PlaceWiring {
            orders: &orders,
            placed: &placed,
        });
        let place = stack.function("Place", wired, FunctionProps::default());

        let api = stack.rest_api("Api", RestApiProps::default());
        let path = stack.rest_resource("OrdersPath", &api.root(), "orders");
        let proxy = Integration::lambda_proxy(&place);
        let post = MethodProps::new(HttpMethod::Post, Authorization::Iam, proxy);
        stack.rest_method("PostOrder", &path, post);
        let live = stack.rest_stage("Live", &api, StageProps::named("live"));

        let zone = HostedZoneRef::existing("Z0123456789ABCDEFGHIJ", "example.com");
        let name = "api.example.com";
        let certificate = stack.certificate("Certificate", CertificateProps::new(name, &zone));
        let domain = stack.api_domain("Domain", ApiDomainProps::regional(name, &certificate));
        stack.map_base_path("DomainRoot", &domain, BasePath::Root, &live);
        stack.alias("DomainAlias", &zone, name, AliasTarget::api(&domain));
        stack.output("Url", domain.url());
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every page describes its stacks so"
)]
fn describe(app: &mut App) -> Result<(), Violations> {
    stacks::order_api(&mut app.stack("orders"));
    Ok(())
}

#[test]
fn the_stack_has_what_the_other_tools_make() {
    let types = super::render(serde_json::json!({}), "orders", describe);
    assert_eq!(
        types,
        [
            "AWS::ApiGateway::BasePathMapping",
            "AWS::ApiGateway::Deployment",
            "AWS::ApiGateway::DomainName",
            "AWS::ApiGateway::Method",
            "AWS::ApiGateway::Resource",
            "AWS::ApiGateway::RestApi",
            "AWS::ApiGateway::Stage",
            "AWS::CertificateManager::Certificate",
            "AWS::DynamoDB::Table",
            "AWS::IAM::Role",
            "AWS::Lambda::Function",
            "AWS::Lambda::Permission",
            "AWS::Logs::LogGroup",
            "AWS::Route53::RecordSet",
            "AWS::SQS::Queue",
            "AWS::SQS::QueuePolicy",
        ]
    );
}
