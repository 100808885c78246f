//! The pages whose examples stand alone: `build.rs` takes the code from the page. What an example gets from elsewhere
//! is added to the same stack.

use stack_model::acm::CertificateRef;
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, MappingTemplate, MethodProps, RestApiProps, StageProps,
    StageRef,
};
use stack_model::route53::HostedZoneRef;
use stack_model::sqs::{QueueProps, QueueRef};
use stack_model::{Arn, Stack};

pub mod acm {
    include!(concat!(env!("OUT_DIR"), "/acm.rs"));

    pub fn page(app: &mut stack_model::App) {
        site_certificate(app, &super::zone());
    }
}

pub mod cloudfront {
    include!(concat!(env!("OUT_DIR"), "/cloudfront.rs"));

    pub fn page(app: &mut stack_model::App) {
        let stack = &mut app.stack("guide");
        let api = super::live_api(stack);
        site(stack, &super::zone(), &super::certificate(), &api);
    }
}

pub mod cloudwatch {
    include!(concat!(env!("OUT_DIR"), "/cloudwatch.rs"));

    #[derive(stack_bindings::Bindings)]
    #[function(binary = "guide-given", accepts(stack_bindings::QueueBatch<String>))]
    struct Given {}

    pub fn page(app: &mut stack_model::App) {
        let stack = &mut app.stack("guide");
        let wired = Given::bind(GivenWiring {});
        let work = stack.function("Work", wired, stack_model::lambda::FunctionProps::default());
        let dead = super::queue::<String>(stack, "Dead");
        let orders = super::queue::<String>(stack, "Orders");
        monitoring(stack, &work, &orders, &dead);
    }
}

pub mod codebuild {
    include!(concat!(env!("OUT_DIR"), "/codebuild.rs"));

    pub fn page(app: &mut stack_model::App) {
        super::queue::<String>(&mut app.stack("orders-core"), "Orders");
        pipeline(app);
    }
}

pub mod codepipeline {
    include!(concat!(env!("OUT_DIR"), "/codepipeline.rs"));

    pub fn page(app: &mut stack_model::App) {
        let connection = "arn:aws:codeconnections:us-east-1:111122223333:connection/4dc2a2ed";
        pipeline(&mut app.stack("guide"), connection);
    }
}

pub mod cognito {
    include!(concat!(env!("OUT_DIR"), "/cognito.rs"));

    pub fn page(app: &mut stack_model::App) {
        identities(&mut app.stack("guide"));
    }
}

pub mod domains {
    include!(concat!(env!("OUT_DIR"), "/domains.rs"));

    pub fn page(app: &mut stack_model::App) {
        let stack = &mut app.stack("guide");
        let api = super::live_api(stack);
        under_a_name(stack, &super::zone(), &super::certificate(), &api);
    }
}

pub mod iam {
    include!(concat!(env!("OUT_DIR"), "/iam.rs"));

    pub fn page(app: &mut stack_model::App) {
        reader(&mut app.stack("guide"));
    }
}

pub mod kms {
    include!(concat!(env!("OUT_DIR"), "/kms.rs"));

    pub fn page(app: &mut stack_model::App) {
        encrypted(&mut app.stack("guide"));
    }
}

pub mod logs {
    include!(concat!(env!("OUT_DIR"), "/logs.rs"));

    pub fn page(app: &mut stack_model::App) {
        audit(&mut app.stack("guide"));
    }
}

pub mod pipes {
    include!(concat!(env!("OUT_DIR"), "/pipes.rs"));

    pub fn page(app: &mut stack_model::App) {
        let stack = &mut app.stack("guide");
        let payments = super::queue::<String>(stack, "Payments");
        let bus = stack.event_bus("Bus", stack_model::events::EventBusProps::default());
        payments_become_events(stack, &payments, &bus);
    }
}

pub mod route53 {
    include!(concat!(env!("OUT_DIR"), "/route53.rs"));

    pub fn page(app: &mut stack_model::App) {
        records(&mut app.stack("guide"));
    }
}

pub mod s3 {
    include!(concat!(env!("OUT_DIR"), "/s3.rs"));

    #[derive(stack_bindings::Bindings)]
    #[function(binary = "guide-given", accepts(stack_bindings::ObjectChanges))]
    struct Given {}

    pub fn page(app: &mut stack_model::App) {
        let stack = &mut app.stack("guide");
        let photos = photos(stack);
        let wired = Given::bind(GivenWiring {});
        let label = stack.function(
            "Label",
            wired,
            stack_model::lambda::FunctionProps::default(),
        );
        label_uploads(stack, &photos, &label);
    }
}

pub mod scheduler {
    include!(concat!(env!("OUT_DIR"), "/scheduler.rs"));

    #[derive(stack_bindings::Bindings)]
    #[function(binary = "guide-given", accepts(stack_bindings::Invocation<ResetCounter>))]
    struct Given {}

    pub fn page(app: &mut stack_model::App) {
        let stack = &mut app.stack("guide");
        let wired = Given::bind(GivenWiring {});
        let reset = stack.function(
            "Reset",
            wired,
            stack_model::lambda::FunctionProps::default(),
        );
        nightly(stack, &reset);
    }
}

pub mod secretsmanager {
    include!(concat!(env!("OUT_DIR"), "/secretsmanager.rs"));

    #[derive(stack_bindings::Bindings)]
    #[function(binary = "guide-given", accepts(stack_bindings::Invocation<serde_json::Value>))]
    struct Given {}

    pub fn page(app: &mut stack_model::App) {
        let stack = &mut app.stack("guide");
        let wired = Given::bind(GivenWiring {});
        let rotate = stack.function(
            "Rotate",
            wired,
            stack_model::lambda::FunctionProps::default(),
        );
        secrets(stack, &rotate);
    }
}

pub mod sns {
    include!(concat!(env!("OUT_DIR"), "/sns.rs"));

    pub fn page(app: &mut stack_model::App) {
        let stack = &mut app.stack("guide");
        let invoices = super::queue(stack, "InvoiceOrders");
        placed(stack, &invoices);
    }
}

pub mod sqs {
    include!(concat!(env!("OUT_DIR"), "/sqs.rs"));

    pub fn page(app: &mut stack_model::App) {
        orders(&mut app.stack("guide"));
    }
}

pub mod ssm {
    include!(concat!(env!("OUT_DIR"), "/ssm.rs"));

    pub fn page(app: &mut stack_model::App) {
        parameters(&mut app.stack("guide"), "https://orders.example.com".into());
    }
}

pub mod stepfunctions {
    use stack_bindings::Item;
    use stack_model::dynamodb::TableProps;
    use stack_model::events::EventBusProps;
    use stack_model::stepfunctions::{
        Attribute, Catch, Choice, Event, Fail, Flow, Key, StateMachineProps, Task, UpdateItem,
        context, errors,
    };
    use stack_model::{path, payload};

    #[derive(serde::Serialize, serde::Deserialize, Item)]
    pub struct Order {
        #[item(partition_key)]
        id: String,
    }

    pub struct OrderPlaced;

    #[expect(
        unused_variables,
        reason = "the page ends with the handle, which other resources would use"
    )]
    pub fn page(app: &mut stack_model::App) {
        let stack = &mut app.stack("guide");
        include!(concat!(env!("OUT_DIR"), "/stepfunctions.rs"));
    }
}

pub mod waf {
    include!(concat!(env!("OUT_DIR"), "/waf.rs"));

    pub fn page(app: &mut stack_model::App) {
        let stack = &mut app.stack("guide");
        let live = super::live_api(stack);
        firewall(stack, &live);
    }
}

fn zone() -> HostedZoneRef {
    HostedZoneRef::existing("Z0123456789ABCDEFGHIJ", "example.com")
}

fn certificate() -> CertificateRef {
    let arn = "arn:aws:acm:us-east-1:111122223333:certificate/12345678-1234-1234-1234-123456789012";
    CertificateRef::existing(Arn::parse(arn).expect("it is an ARN"))
}

fn queue<M>(stack: &mut Stack<'_>, id: &str) -> QueueRef<M> {
    stack.queue(id, QueueProps::default())
}

fn live_api(stack: &mut Stack<'_>) -> StageRef {
    let api = stack.rest_api("Api", RestApiProps::default());
    let answer = Integration::mock(200, MappingTemplate::message("Here"));
    let answer = MethodProps::new(HttpMethod::Get, Authorization::Iam, answer);
    stack.rest_method("Ping", &api.root(), answer);
    stack.rest_stage("Live", &api, StageProps::named("live"))
}
