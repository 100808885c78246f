//! What is put into the tables.

use aws_smithy_mocks::mock;
use stack_bindings::sdk::dynamodb::Client;
use stack_bindings::sdk::dynamodb::error::ErrorMetadata;
use stack_bindings::sdk::dynamodb::operation::batch_write_item::{
    BatchWriteItemError, BatchWriteItemOutput,
};
use stack_bindings::sdk::dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use stack_bindings::{Reason, ResourceRequest, Table};

use super::*;
use crate::testing::{Attributes, attributes, number, scripted, text};

fn bindings(config: Client, counting: Client) -> FillDatabases {
    FillDatabases {
        config_table: Table::with_client(config, "config"),
        counting_table: Table::with_client(counting, "counting"),
    }
}

fn resource(action: ResourceAction<()>) -> CustomResource<()> {
    CustomResource {
        action,
        request: ResourceRequest::of("arn:stack", "Fill"),
    }
}

fn create() -> CustomResource<()> {
    resource(ResourceAction::Create { properties: () })
}

fn put(item: Attributes) -> WriteRequest {
    let put = PutRequest::builder().set_item(Some(item)).build().unwrap();
    WriteRequest::builder().put_request(put).build()
}

fn written() -> BatchWriteItemOutput {
    BatchWriteItemOutput::builder().build()
}

fn drinks() -> AttributeValue {
    let drink = |(name, icon): &(&str, &str)| {
        AttributeValue::M(attributes([
            ("drink", text(name)),
            ("available", AttributeValue::Bool(true)),
            ("icon", text(icon)),
            ("modifiers", AttributeValue::L(Vec::new())),
        ]))
    };
    AttributeValue::L(DRINKS.iter().map(drink).collect())
}

#[tokio::test]
async fn the_settings_the_menu_and_the_counter_are_put() {
    let config = mock!(Client::batch_write_item)
        .match_requests(|request| {
            let shop = attributes([
                ("PK", text("config")),
                ("storeOpen", AttributeValue::Bool(true)),
                ("maxOrdersPerUser", number(1)),
                ("maxOrdersInQueue", number(10)),
            ]);
            let menu = attributes([("PK", text("menu")), ("value", drinks())]);
            request.request_items().unwrap()["config"] == [put(shop), put(menu)]
        })
        .then_output(written);
    let counting = mock!(Client::batch_write_item)
        .match_requests(|request| {
            let counter = attributes([("PK", text("orderID")), ("IDvalue", number(0))]);
            request.request_items().unwrap()["counting"] == [put(counter)]
        })
        .then_output(written);
    let bindings = bindings(
        scripted!(dynamodb, [&config]),
        scripted!(dynamodb, [&counting]),
    );
    assert_eq!(handle(&bindings, create()).await.unwrap(), Provided::new());
    assert_eq!((config.num_calls(), counting.num_calls()), (1, 1));
}

#[tokio::test]
async fn what_was_left_out_is_put_again() {
    let first = mock!(Client::batch_write_item).then_output(|| {
        let counter = attributes([("PK", text("menu"))]);
        BatchWriteItemOutput::builder()
            .unprocessed_items("config", vec![put(counter)])
            .build()
    });
    let again = mock!(Client::batch_write_item)
        .match_requests(|request| request.request_items().unwrap()["config"].len() == 1)
        .then_output(written);
    let counting = mock!(Client::batch_write_item).then_output(written);
    let bindings = bindings(
        scripted!(dynamodb, [&first, &again]),
        scripted!(dynamodb, [&counting]),
    );
    assert_eq!(handle(&bindings, create()).await.unwrap(), Provided::new());
    assert_eq!(again.num_calls(), 1);
}

#[tokio::test]
async fn a_table_that_cannot_be_written_fails() {
    let denied = mock!(Client::batch_write_item).then_error(|| {
        BatchWriteItemError::generic(
            ErrorMetadata::builder()
                .code("AccessDeniedException")
                .build(),
        )
    });
    let bindings = bindings(scripted!(dynamodb, [&denied]), scripted!(dynamodb, []));
    let error = handle(&bindings, create()).await.unwrap_err();
    assert_eq!(error.reason(), Reason::AccessDenied);
}

#[tokio::test]
async fn a_deletion_leaves_the_tables_to_themselves() {
    let bindings = bindings(scripted!(dynamodb, []), scripted!(dynamodb, []));
    let delete = resource(ResourceAction::Delete {
        physical_id: "Fill".to_owned(),
        properties: Ok(()),
    });
    assert_eq!(handle(&bindings, delete).await.unwrap(), Provided::new());
}
