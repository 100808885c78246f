//! The bodies of answers, as CloudFormation's query protocol sends them.

use std::{
    fmt::Write,
    time::{Duration, SystemTime},
};

pub(super) const STACK_ID: &str = "arn:aws:cloudformation:eu-central-1:123456789012:stack/intake-dev/aaf549a0-a413-11df-adb3-5081b3858e83";

pub(super) const CHANGE_SET_ID: &str = "arn:aws:cloudformation:eu-central-1:123456789012:changeSet/stackctl-x/1a2345b6-0000-00a0-a123-00abc0abc000";

pub(super) const CREATED_CHANGE_SET: &str = concat!(
    r#"<CreateChangeSetResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><CreateChangeSetResult>"#,
    "<StackId>arn:aws:cloudformation:eu-central-1:123456789012:stack/intake-dev/aaf549a0-a413-11df-adb3-5081b3858e83</StackId>",
    "<Id>arn:aws:cloudformation:eu-central-1:123456789012:changeSet/stackctl-x/1a2345b6-0000-00a0-a123-00abc0abc000</Id>",
    "</CreateChangeSetResult><ResponseMetadata><RequestId>b9b4b068-3a41-11e5-94eb-example</RequestId></ResponseMetadata>",
    "</CreateChangeSetResponse>"
);

/// The time at which scripts begin.
pub(super) fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)
}

/// Wraps a result of an operation.
pub(super) fn result(operation: &str, body: &str) -> String {
    format!(
        "<{operation}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\">\
         <{operation}Result>{body}</{operation}Result>\
         <ResponseMetadata><RequestId>b9b4b068-3a41-11e5-94eb-example</RequestId></ResponseMetadata>\
         </{operation}Response>"
    )
}

/// An answer without anything in it.
pub(super) fn empty(operation: &str) -> String {
    result(operation, "")
}

/// An error (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html>).
pub(super) fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><Error><Type>Sender</Type>\
         <Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>b9b4b068-3a41-11e5-94eb-example</RequestId></ErrorResponse>"
    )
}

/// What `DescribeStacks` answers where there is no such stack.
pub(super) fn absent(name: &str) -> String {
    error(
        "ValidationError",
        &format!("Stack with id {name} does not exist"),
    )
}

/// The HTTP status that belongs to a body.
pub(super) fn status_of(body: &str) -> u16 {
    if body.starts_with("<ErrorResponse") {
        400
    } else {
        200
    }
}

/// One stack of `DescribeStacks`.
pub(super) struct Stack {
    pub(super) status: &'static str,
    pub(super) reason: &'static str,
    pub(super) parameters: Vec<(&'static str, String)>,
    pub(super) tags: Vec<(&'static str, &'static str)>,
    pub(super) outputs: Vec<(&'static str, &'static str)>,
    /// The names that outputs are exported under, by output key.
    pub(super) exports: Vec<(&'static str, &'static str)>,
    pub(super) protected: bool,
    pub(super) express: bool,
    pub(super) name: &'static str,
    /// When it was updated last.
    pub(super) updated: &'static str,
    /// When its removal began.
    pub(super) removed: Option<&'static str>,
}

impl Stack {
    /// A stack of ours, tagged as `script::stack` asks for.
    pub(super) fn new(status: &'static str) -> Self {
        Self {
            status,
            reason: "",
            parameters: Vec::new(),
            tags: vec![("stackctl:stage", "dev"), ("team", "blue")],
            outputs: vec![("QueueUrl", "https://sqs.eu-central-1.amazonaws.com/1/q")],
            exports: Vec::new(),
            protected: false,
            express: false,
            name: "intake-dev",
            updated: "2026-07-28T06:00:00.000Z",
            removed: None,
        }
    }

    /// The answer.
    pub(super) fn xml(&self) -> String {
        let mut body = format!(
            "<Stacks><member><StackName>{}</StackName><StackId>{STACK_ID}</StackId>\
             <CreationTime>2026-07-27T22:28:28.000Z</CreationTime>\
             <LastUpdatedTime>{}</LastUpdatedTime>\
             <StackStatus>{}</StackStatus><DisableRollback>false</DisableRollback>\
             <EnableTerminationProtection>{}</EnableTerminationProtection>",
            self.name, self.updated, self.status, self.protected
        );
        if !self.reason.is_empty() {
            let _ = write!(
                body,
                "<StackStatusReason>{}</StackStatusReason>",
                self.reason
            );
        }
        if let Some(removed) = self.removed {
            let _ = write!(body, "<DeletionTime>{removed}</DeletionTime>");
        }
        if self.express {
            body += "<DeploymentConfig><Mode>EXPRESS</Mode><DisableRollback>true</DisableRollback></DeploymentConfig>";
        }
        body += "<Parameters>";
        for (key, value) in &self.parameters {
            let _ = write!(
                body,
                "<member><ParameterKey>{key}</ParameterKey><ParameterValue>{value}</ParameterValue></member>"
            );
        }
        body += "</Parameters><Tags>";
        for (key, value) in &self.tags {
            let _ = write!(
                body,
                "<member><Key>{key}</Key><Value>{value}</Value></member>"
            );
        }
        body += "</Tags><Outputs>";
        for (key, value) in &self.outputs {
            let _ = write!(
                body,
                "<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue>"
            );
            if let Some((_, name)) = self.exports.iter().find(|(of, _)| of == key) {
                let _ = write!(body, "<ExportName>{name}</ExportName>");
            }
            body += "</member>";
        }
        body += "</Outputs></member></Stacks>";
        result("DescribeStacks", &body)
    }
}

/// `GetTemplate`: the template is escaped text.
pub(super) fn template(template: &str) -> String {
    let escaped = template
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;");
    result(
        "GetTemplate",
        &format!(
            "<TemplateBody>{escaped}</TemplateBody><StagesAvailable><member>Original</member>\
             <member>Processed</member></StagesAvailable>"
        ),
    )
}

/// `ListChangeSets`: names and ages in minutes.
pub(super) fn change_sets(rows: &[(&str, u64)]) -> String {
    let mut body = String::from("<Summaries>");
    for (name, minutes) in rows {
        let created = aws_smithy_types::DateTime::from(now() - Duration::from_mins(*minutes))
            .fmt(aws_smithy_types::date_time::Format::DateTime)
            .expect("the time of a script can be written");
        let _ = write!(
            body,
            "<member><StackId>{STACK_ID}</StackId><StackName>intake-dev</StackName>\
             <ChangeSetName>{name}</ChangeSetName><ChangeSetId>{CHANGE_SET_ID}</ChangeSetId>\
             <CreationTime>{created}</CreationTime><Status>CREATE_COMPLETE</Status>\
             <ExecutionStatus>AVAILABLE</ExecutionStatus></member>"
        );
    }
    result("ListChangeSets", &(body + "</Summaries>"))
}

/// `DescribeChangeSet`.
pub(super) fn change_set(status: &str, reason: &str, changes: &str, next: Option<&str>) -> String {
    let execution = if status == "CREATE_COMPLETE" {
        "AVAILABLE"
    } else {
        "UNAVAILABLE"
    };
    let reason = if reason.is_empty() {
        String::new()
    } else {
        format!("<StatusReason>{reason}</StatusReason>")
    };
    let next = next.map_or_else(String::new, |next| format!("<NextToken>{next}</NextToken>"));
    result(
        "DescribeChangeSet",
        &format!(
            "<ChangeSetId>{CHANGE_SET_ID}</ChangeSetId><StackId>{STACK_ID}</StackId>\
             <StackName>intake-dev</StackName><Status>{status}</Status>\
             <ExecutionStatus>{execution}</ExecutionStatus>{reason}<Changes>{changes}</Changes>{next}"
        ),
    )
}

/// One change that adds a queue.
pub(super) const ADD_ORDERS: &str = "<member><Type>Resource</Type><ResourceChange><Action>Add</Action>\
     <LogicalResourceId>Orders</LogicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType>\
     <Scope/><Details/></ResourceChange></member>";

/// One change that replaces a queue, and why
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html>).
pub(super) const REPLACE_ORDERS: &str = "<member><Type>Resource</Type><ResourceChange>\
     <PolicyAction>ReplaceAndDelete</PolicyAction><Action>Modify</Action>\
     <LogicalResourceId>Orders</LogicalResourceId>\
     <PhysicalResourceId>https://sqs.eu-central-1.amazonaws.com/1/q</PhysicalResourceId>\
     <ResourceType>AWS::SQS::Queue</ResourceType><Replacement>True</Replacement>\
     <Scope><member>Properties</member></Scope><Details>\
     <member><Target><Attribute>Properties</Attribute><Name>QueueName</Name>\
     <RequiresRecreation>Always</RequiresRecreation></Target><Evaluation>Static</Evaluation>\
     <ChangeSource>DirectModification</ChangeSource></member>\
     <member><Target><Attribute>Properties</Attribute><Name>DelaySeconds</Name>\
     <RequiresRecreation>Never</RequiresRecreation></Target><Evaluation>Static</Evaluation>\
     <ChangeSource>DirectModification</ChangeSource></member></Details></ResourceChange></member>";

/// One event: id, logical id, status, reason, token.
pub(super) type EventRow = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// `DescribeStackEvents`; a row whose logical id is that of the stack is about the stack.
pub(super) fn events(rows: &[EventRow], token: &str, next: Option<&str>) -> String {
    let mut body = String::from("<StackEvents>");
    for (id, logical_id, status, reason, row_token) in rows {
        let row_token = if *row_token == "*" { token } else { row_token };
        let resource_type = match *logical_id {
            "intake-dev" | "stackctl-bootstrap" => "AWS::CloudFormation::Stack",
            "Uploads" => "AWS::S3::Bucket",
            "Part" => "AWS::ApiGateway::Deployment",
            _ => "AWS::SQS::Queue",
        };
        let stack = if *logical_id == "stackctl-bootstrap" {
            "stackctl-bootstrap"
        } else {
            "intake-dev"
        };
        let _ = write!(
            body,
            "<member><EventId>{id}</EventId><StackId>{STACK_ID}</StackId><StackName>{stack}</StackName>\
             <LogicalResourceId>{logical_id}</LogicalResourceId>\
             <PhysicalResourceId>{logical_id}-physical</PhysicalResourceId>\
             <ResourceType>{resource_type}</ResourceType><Timestamp>2026-07-28T06:00:0{}.000Z</Timestamp>\
             <ResourceStatus>{status}</ResourceStatus>",
            rows.len() % 10
        );
        if !reason.is_empty() {
            let _ = write!(
                body,
                "<ResourceStatusReason>{reason}</ResourceStatusReason>"
            );
        }
        if !row_token.is_empty() {
            let _ = write!(body, "<ClientRequestToken>{row_token}</ClientRequestToken>");
        }
        body += "</member>";
    }
    body += "</StackEvents>";
    if let Some(next) = next {
        let _ = write!(body, "<NextToken>{next}</NextToken>");
    }
    result("DescribeStackEvents", &body)
}

/// `ListStackResources`: logical id, type, physical id, status.
pub(super) fn resources(rows: &[(&str, &str, &str, &str)]) -> String {
    let rows: Vec<_> = rows
        .iter()
        .map(|(logical_id, resource_type, physical_id, status)| {
            (*logical_id, *resource_type, *physical_id, *status, "")
        })
        .collect();
    resources_with_reasons(&rows)
}

/// `DescribeStackResources` of what is in a stack
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html>).
pub(super) fn stack_of(stack: &str, physical_id: &str) -> String {
    let body = format!(
        "<StackResources><member><StackName>{stack}</StackName><LogicalResourceId>Kept</LogicalResourceId>\
         <PhysicalResourceId>{physical_id}</PhysicalResourceId><ResourceType>AWS::DynamoDB::Table</ResourceType>\
         <Timestamp>2026-07-28T06:00:00.000Z</Timestamp><ResourceStatus>IMPORT_COMPLETE</ResourceStatus></member></StackResources>"
    );
    result("DescribeStackResources", &body)
}

/// `ListStackResources`: logical id, type, physical id, status, reason.
pub(super) fn resources_with_reasons(rows: &[(&str, &str, &str, &str, &str)]) -> String {
    let mut body = String::from("<StackResourceSummaries>");
    for (logical_id, resource_type, physical_id, status, reason) in rows {
        let _ = write!(
            body,
            "<member><LogicalResourceId>{logical_id}</LogicalResourceId>\
             <PhysicalResourceId>{physical_id}</PhysicalResourceId><ResourceType>{resource_type}</ResourceType>\
             <LastUpdatedTimestamp>2026-07-28T06:00:00.000Z</LastUpdatedTimestamp>\
             <ResourceStatus>{status}</ResourceStatus>"
        );
        if !reason.is_empty() {
            let _ = write!(
                body,
                "<ResourceStatusReason>{reason}</ResourceStatusReason>"
            );
        }
        body += "</member>";
    }
    result("ListStackResources", &(body + "</StackResourceSummaries>"))
}
