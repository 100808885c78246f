//! A REST API that reads and writes a table by itself: no function runs, and nothing that a caller sends can change what
//! DynamoDB is asked.

use std::process::ExitCode;

use serde::{Deserialize, Serialize};
use stack_bindings::Item;
use stack_model::apigateway::{
    AttributeTemplate, Authorization, Credentials, HttpMethod, Integration, JsonTemplate,
    MethodProps, RequestValue, RestApiProps, ServiceCall, StageProps,
};
use stack_model::dynamodb::TableProps;
use stack_model::iam::RoleProps;

/// A note under its name.
#[derive(Serialize, Deserialize, Item)]
pub struct Note {
    #[item(partition_key)]
    name: String,
    text: String,
}

fn main() -> ExitCode {
    examples::print(|app| {
        let mut stack = app.stack("notes");
        let notes = stack.table::<Note>("Notes", TableProps::default());
        // It gets the two actions of the calls below, on this table.
        let role = stack.role("Caller", RoleProps::for_service("apigateway.amazonaws.com"));
        let call = |call: ServiceCall| Integration::call(call, Credentials::granting(&role));

        let api = stack.rest_api("Api", RestApiProps::default());
        let note = stack.rest_resource("Note", &api.root(), "{name}");
        // A note that is not there is a 404.
        let read = ServiceCall::get_item(&notes, RequestValue::path("name")).answering(
            JsonTemplate::object([("text", JsonTemplate::body_at("$.Item.text.S"))]),
        );
        let get = MethodProps::new(HttpMethod::Get, Authorization::Iam, call(read));
        stack.rest_method("GetNote", &note, get);
        let write = ServiceCall::update_item(&notes, RequestValue::path("name")).set([(
            "text",
            AttributeTemplate::text(RequestValue::body("$.text")),
        )]);
        let put = MethodProps::new(HttpMethod::Put, Authorization::Iam, call(write));
        stack.rest_method("PutNote", &note, put);
        let live = stack.rest_stage("Live", &api, StageProps::named("live"));
        stack.output("Url", live.url(&note));
    })
}
