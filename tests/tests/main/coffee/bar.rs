//! The deployed bar: its services, looked at from outside.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use system_tests::account::Account;
use system_tests::http::{self, Answer};
use system_tests::poll::{PATIENCE, eventually};
use system_tests::sandbox::{Outputs, Sandbox};

use super::text;

const ORDERS: &str = "serverlesspresso-order-table-dev";
const CODES: &str = "serverlesspresso-validator-table-dev";

/// The deployed bar.
pub(super) struct Bar {
    /// The account in the region of the system, as its administrator sees it.
    pub(super) account: Account,
    outputs: Outputs,
    pub(super) order_processor: String,
    pub(super) order_manager: String,
}

impl Bar {
    pub(super) fn look_at(sandbox: &Sandbox) -> Self {
        let account = sandbox.account().in_region(super::REGION);
        let outputs = sandbox.outputs("coffee-*");
        let machines = account.call("states", "AWSStepFunctions.ListStateMachines", &json!({}));
        let machine = |name: &str| {
            let machines = machines["stateMachines"].as_array().expect("it is a list");
            let arns = machines.iter().map(|found| text(&found["stateMachineArn"]));
            let mut of_name = arns.filter(|arn| arn.contains(name));
            let found = of_name.next();
            found.unwrap_or_else(|| panic!("no {name} in {machines:?}"))
        };
        Self {
            order_processor: machine("-OrderProcessor-"),
            order_manager: machine("-OrderManager-"),
            account,
            outputs,
        }
    }

    /// Returns an output of the core.
    pub(super) fn output(&self, key: &str) -> String {
        self.outputs.text("coffee-core-dev", key)
    }

    /// Calls an API with a token, or without one.
    pub(super) fn call(
        &self,
        api: &str,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &str,
    ) -> Answer {
        let url = format!("{}{path}", self.output(api));
        let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        headers.extend(token.map(|token| ("authorization".to_owned(), token.to_owned())));
        http::send(method, &url, &headers, body)
    }

    /// Returns an order as the table has it.
    pub(super) fn order(&self, id: &str) -> Option<Value> {
        let key = json!({"PK": {"S": "orders"}, "SK": {"S": id}});
        let arguments = json!({"TableName": ORDERS, "Key": key, "ConsistentRead": true});
        let answer = self
            .account
            .call("dynamodb", "DynamoDB_20120810.GetItem", &arguments);
        answer.get("Item").cloned()
    }

    /// Waits until an order is as expected, and returns it.
    pub(super) fn order_where(
        &self,
        id: &str,
        what: &str,
        holds: impl Fn(&Value) -> bool,
    ) -> Value {
        eventually(&format!("{what} of the order {id}"), PATIENCE, || {
            self.order(id).filter(&holds)
        })
    }

    /// Waits until an order waits for the choice of a drink.
    pub(super) fn awaits_choice(&self, id: &str) -> Value {
        let order = self.order_where(id, "the token", |order| order.get("TaskToken").is_some());
        assert_eq!(order["ORDERSTATE"], json!({"S": "CREATED"}));
        assert_eq!(order.get("orderNumber"), None, "{order}");
        order
    }

    /// Waits until an order has a number and waits for a barista, and returns the number.
    pub(super) fn awaits_barista(&self, id: &str) -> String {
        let order = self.order_where(id, "the number", |order| order.get("orderNumber").is_some());
        text(&order["orderNumber"]["S"])
    }

    /// Changes the token of an order.
    pub(super) fn set_token(&self, order: &str, token: &Value) {
        let arguments = json!({
            "TableName": ORDERS,
            "Key": {"PK": {"S": "orders"}, "SK": {"S": order}},
            "UpdateExpression": "SET TaskToken = :token",
            "ExpressionAttributeValues": {":token": token},
        });
        self.account
            .call("dynamodb", "DynamoDB_20120810.UpdateItem", &arguments);
    }

    /// Starts an execution.
    pub(super) fn start(&self, machine: &str, input: &Value) -> String {
        let arguments = json!({"stateMachineArn": machine, "input": input.to_string()});
        let answer = self
            .account
            .call("states", "AWSStepFunctions.StartExecution", &arguments);
        text(&answer["executionArn"])
    }

    /// Returns the ARNs of the executions of a state machine, those of one status or all.
    pub(super) fn executions(&self, machine: &str, status: Option<&str>) -> BTreeSet<String> {
        let mut arguments = json!({"stateMachineArn": machine, "maxResults": 1000});
        if let Some(status) = status {
            arguments["statusFilter"] = json!(status);
        }
        let answer = self
            .account
            .call("states", "AWSStepFunctions.ListExecutions", &arguments);
        let executions = answer["executions"].as_array().expect("it is a list");
        executions
            .iter()
            .map(|execution| text(&execution["executionArn"]))
            .collect()
    }

    fn describe(&self, execution: &str) -> Value {
        let arguments = json!({ "executionArn": execution });
        self.account
            .call("states", "AWSStepFunctions.DescribeExecution", &arguments)
    }

    /// Waits until an execution has ended, and returns what became of it.
    pub(super) fn end_of(&self, execution: &str) -> Value {
        eventually(&format!("the end of {execution}"), PATIENCE, || {
            Some(self.describe(execution)).filter(|found| found["status"] != "RUNNING")
        })
    }

    /// Returns the names of the states that an execution went through.
    pub(super) fn states_of(&self, execution: &str) -> Vec<String> {
        let arguments = json!({"executionArn": execution, "maxResults": 1000});
        let answer =
            self.account
                .call("states", "AWSStepFunctions.GetExecutionHistory", &arguments);
        let events = answer["events"].as_array().expect("it is a list");
        events
            .iter()
            .filter_map(|event| event["stateEnteredEventDetails"]["name"].as_str())
            .map(str::to_owned)
            .collect()
    }

    /// Returns the executions of `OrderProcessor` that were started for an order.
    pub(super) fn workflows_of(&self, id: &str) -> Vec<String> {
        let executions = self.executions(&self.order_processor, None).into_iter();
        let of_order = executions.filter(|execution| {
            let input = text(&self.describe(execution)["input"]);
            let input: Value = serde_json::from_str(&input).expect("inputs are JSON");
            input["detail"]["orderId"] == id
        });
        of_order.collect()
    }

    /// Returns the one execution of `OrderProcessor` that was started for an order.
    pub(super) fn workflow_of(&self, id: &str) -> String {
        let workflows = self.workflows_of(id);
        assert_eq!(workflows.len(), 1, "{workflows:?} carry {id}");
        workflows.into_iter().next().expect("there is one")
    }

    /// Waits until the workflow of an order has ended well, and returns the states that it went through.
    pub(super) fn end_of_workflow(&self, id: &str) -> Vec<String> {
        let execution = self.workflow_of(id);
        let end = self.end_of(&execution);
        assert_eq!(end["status"], "SUCCEEDED", "{end}");
        self.states_of(&execution)
    }

    /// Ends all workflows that still run.
    pub(super) fn stop_workflows(&self) {
        for execution in self.executions(&self.order_processor, Some("RUNNING")) {
            let arguments = json!({ "executionArn": execution });
            self.account
                .call("states", "AWSStepFunctions.StopExecution", &arguments);
        }
    }

    /// Puts an event of the system on the bus.
    pub(super) fn put_event(&self, detail_type: &str, detail: &Value) {
        let entry = json!({
            "EventBusName": "Serverlesspresso-dev",
            "Source": "awsserverlessda.serverlesspresso",
            "DetailType": detail_type,
            "Detail": detail.to_string(),
        });
        let answer = self.account.call(
            "events",
            "AWSEvents.PutEvents",
            &json!({ "Entries": [entry] }),
        );
        assert_eq!(answer["FailedEntryCount"], 0, "{answer}");
    }

    /// Returns a function of the core, as its services describe it.
    fn function(&self, id: &str) -> Value {
        let functions = self.account.get("lambda", "/2015-03-31/functions").json();
        let functions = functions["Functions"].as_array().expect("it is a list");
        let name = format!("coffee-core-dev-{id}-");
        let mut of_name = functions
            .iter()
            .filter(|function| text(&function["FunctionName"]).starts_with(&name));
        let function = of_name.next();
        function
            .unwrap_or_else(|| panic!("no {name} in {functions:?}"))
            .clone()
    }

    /// Waits until a function has logged something about an order.
    pub(super) fn logged(&self, function: &str, message: &str, order: &str) {
        let function = self.function(function);
        let group = json!({"logGroupName": function["LoggingConfig"]["LogGroup"]});
        eventually(&format!("`{message}` of {order}"), PATIENCE, || {
            let answer = self
                .account
                .call("logs", "Logs_20140328.FilterLogEvents", &group);
            let events = answer["events"].as_array().expect("it is a list");
            let mut messages = events.iter().map(|event| text(&event["message"]));
            messages.find(|line| line.contains(message) && line.contains(order))
        });
    }

    /// Hands an event to a function as the bus does, which waits for no answer.
    ///
    /// The bus of the engine calls a function once, and does not tell Lambda to try again.
    pub(super) fn deliver(&self, function: &str, event: &Value) {
        let name = text(&self.function(function)["FunctionName"]);
        let path = format!("/2015-03-31/functions/{name}/invocations");
        let headers = [("x-amz-invocation-type", "Event".to_owned())];
        let answer = self
            .account
            .request("lambda", "POST", &path, &headers, &event.to_string());
        assert_eq!(answer.status, 202, "{answer:?}");
    }

    /// Waits for an event that came to nothing in the core, and returns what Lambda says of it.
    pub(super) fn lost_event(&self) -> Value {
        let prefix = json!({"QueueNamePrefix": "coffee-core-dev-LostEvents"});
        let queues = self.account.call("sqs", "AmazonSQS.ListQueues", &prefix);
        let url = &queues["QueueUrls"][0];
        let request = json!({"QueueUrl": url, "WaitTimeSeconds": 1, "MaxNumberOfMessages": 10});
        let message = eventually("an event that came to nothing", PATIENCE, || {
            let answer = self
                .account
                .call("sqs", "AmazonSQS.ReceiveMessage", &request);
            let messages = answer["Messages"].as_array()?.clone();
            assert!(messages.len() < 2, "{messages:#?}");
            messages.into_iter().next()
        });
        serde_json::from_str(&text(&message["Body"])).expect("Lambda writes JSON")
    }

    /// Returns how many drinks a code has left.
    pub(super) fn drinks_left(&self, bucket: &Value) -> i64 {
        let arguments =
            json!({"TableName": CODES, "Key": code_key(bucket), "ConsistentRead": true});
        let answer = self
            .account
            .call("dynamodb", "DynamoDB_20120810.GetItem", &arguments);
        let left = text(&answer["Item"]["availableTokens"]["N"]);
        left.parse().expect("it is a number")
    }

    /// Gives a code drinks.
    pub(super) fn refill(&self, bucket: &Value, drinks: i64) {
        let arguments = json!({
            "TableName": CODES,
            "Key": code_key(bucket),
            "UpdateExpression": "SET availableTokens = :drinks",
            "ExpressionAttributeValues": {":drinks": {"N": drinks.to_string()}},
        });
        self.account
            .call("dynamodb", "DynamoDB_20120810.UpdateItem", &arguments);
    }
}

fn code_key(bucket: &Value) -> Value {
    json!({"PK": {"N": bucket["PK"].to_string()}})
}
