//! An account that does to its one stack what CloudFormation would.

use super::*;

/// An account with one stack.
#[derive(Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that goes wrong"
)]
pub(super) struct Account {
    pub(super) template: Value,
    pub(super) status: &'static str,
    pub(super) policy: String,
    /// The policy that is asked for.
    pub(super) wished: String,
    /// What is asked for and not answered yet.
    pub(super) asked: Option<CreateChangeSetInput>,
    pub(super) change_set: Option<(Value, &'static str, String)>,
    pub(super) token: String,
    /// What was done, in order.
    pub(super) done: Vec<String>,
    /// Whether the queue still exists.
    pub(super) is_lost: bool,
    /// The types that are imported.
    pub(super) importable: bool,
    /// Why an import fails once it is executed, and the status that it leaves.
    pub(super) failing: Option<(&'static str, &'static str)>,
    /// Whether Cloud Control does not find the queue by its URL.
    pub(super) unproven: bool,
    /// Whether the template was sent in other letters than those of ASCII.
    pub(super) mangles: bool,
    /// Whether nobody may read the stack policy.
    pub(super) secretive: bool,
    /// How a change of what names the queue is listed: when, whether it is replaced, and the details.
    pub(super) detailed: Option<(&'static str, &'static str, &'static str)>,
    /// What was changed past CloudFormation: the status and the paths.
    pub(super) drifted: Option<(&'static str, &'static [&'static str])>,
    /// How many calls it answers before it is dead.
    pub(super) life: usize,
    /// What becomes of the last answer.
    pub(super) lost: Option<Lost>,
    /// The name of the last change set that it made.
    pub(super) made: String,
    /// Which execution fails and is rolled back, counted from none.
    pub(super) fails: Option<usize>,
    pub(super) executed: usize,
}

/// AWS did what it was asked to do, and nobody hears of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// The run dies of it.
    Dying,
    /// The call is repeated.
    Repeated,
}

pub(super) type Shared = Arc<Mutex<Account>>;

pub(super) fn account() -> Shared {
    Arc::new(Mutex::new(Account {
        template: template("Inbox"),
        status: "UPDATE_COMPLETE",
        policy: guard("Inbox"),
        importable: true,
        life: usize::MAX,
        ..Account::default()
    }))
}

pub(super) fn guard(id: &str) -> String {
    json!({"Statement": [
        {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": ["Update:Replace", "Update:Delete"], "Principal": "*",
         "Resource": [format!("LogicalResourceId/{id}")]},
    ]})
    .to_string()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

impl Account {
    fn resources(template: &Value) -> BTreeMap<String, Value> {
        serde_json::from_value(template["Resources"].clone()).expect("there are some")
    }

    /// Returns the value of an output.
    fn value(value: &Value) -> String {
        match value {
            Value::String(text) => text.clone(),
            value if value.get("Ref").is_some() => URL.to_owned(),
            _ => ARN.to_owned(),
        }
    }

    fn describe(&self) -> String {
        let mut body = format!(
            "<Stacks><member><StackName>{STACK}</StackName><StackId>{STACK_ID}</StackId>\
             <CreationTime>2026-07-27T22:28:28.000Z</CreationTime><StackStatus>{}</StackStatus>\
             <DisableRollback>false</DisableRollback>\
             <EnableTerminationProtection>true</EnableTerminationProtection>\
             <Tags><member><Key>stackctl:stage</Key><Value>dev</Value></member>\
             <member><Key>team</Key><Value>blue</Value></member></Tags><Outputs>",
            self.status
        );
        for (key, output) in self.template["Outputs"]
            .as_object()
            .expect("there are some")
        {
            let value = Self::value(&output["Value"]);
            let _ = write!(
                body,
                "<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue></member>"
            );
        }
        answers::result("DescribeStacks", &(body + "</Outputs></member></Stacks>"))
    }

    fn listed(&self) -> String {
        let mut body = "<StackResourceSummaries>".to_owned();
        for (id, entry) in Self::resources(&self.template) {
            let kind = entry["Type"].as_str().expect("has a type");
            let _ = write!(
                body,
                "<member><LogicalResourceId>{id}</LogicalResourceId><PhysicalResourceId>{}</PhysicalResourceId>\
                 <ResourceType>{kind}</ResourceType><ResourceStatus>UPDATE_COMPLETE</ResourceStatus></member>",
                if kind == "AWS::SQS::Queue" {
                    URL
                } else {
                    "sender"
                }
            );
        }
        answers::result("ListStackResources", &(body + "</StackResourceSummaries>"))
    }

    /// Makes a change set, or refuses it.
    fn create(&mut self) -> (u16, String) {
        let input = self.asked.take().expect("it was asked");
        if self.change_set.is_some() && self.made == self.token {
            let message = format!("ChangeSet {} already exists", self.made);
            return (400, answers::error("AlreadyExistsException", &message));
        }
        let body = input.template_body().unwrap_or_default();
        assert!(body.is_ascii() && !body.contains("??"), "{body}");
        let next: Value = serde_json::from_str(body).expect("a template is JSON");
        let imports = input
            .change_set_type()
            .is_some_and(|kind| kind.as_str() == "IMPORT");
        let (old, new) = (Self::resources(&self.template), Self::resources(&next));
        let refuse = |message: &str| (400, answers::error("ValidationError", message));
        let is_restored = next.get("Metadata").is_none();
        let mut changes = String::new();
        let mut others = BTreeSet::new();
        let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for id in ids {
            let mut details = "";
            let modify;
            let (action, more, entry) = match (old.get(id), new.get(id)) {
                (Some(old), Some(new)) if old == new => continue,
                (Some(_), Some(new)) => {
                    let step = if is_restored { "restored" } else { "removed" };
                    let told = self.detailed.filter(|it| id == "Sender" && it.0 == step);
                    let told = told.map(|(_, replacement, details)| (replacement, details));
                    let (replacement, more) = told.unwrap_or(("False", ""));
                    details = more;
                    modify = format!("<Replacement>{replacement}</Replacement>");
                    ("Modify", modify.as_str(), new)
                }
                (Some(old), None) if old["DeletionPolicy"] == "Retain" => {
                    ("Remove", "<PolicyAction>Retain</PolicyAction>", old)
                }
                (Some(old), None) => ("Remove", "<PolicyAction>Delete</PolicyAction>", old),
                (None, Some(new)) if imports => ("Import", "", new),
                (None, Some(new)) => ("Add", "", new),
                (None, None) => continue,
            };
            if action != "Import" {
                others.insert(id.as_str());
            } else if entry.get("DeletionPolicy").is_none() {
                return refuse(
                    "The following resources to import [Orders] must have DeletionPolicy attribute specified in the template.",
                );
            }
            let _ = write!(
                changes,
                "<member><Type>Resource</Type><ResourceChange><Action>{action}</Action>{more}\
                 <LogicalResourceId>{id}</LogicalResourceId><ResourceType>{}</ResourceType><Scope/>\
                 <Details>{details}</Details></ResourceChange></member>",
                entry["Type"].as_str().unwrap_or_default()
            );
        }
        if imports {
            if !others.is_empty() {
                return refuse(
                    "You have modified resources in your template that are not being imported. Update, create or delete operations cannot be executed during import operations.",
                );
            }
            if next["Outputs"] != self.template["Outputs"] || !input.tags().is_empty() {
                return refuse(
                    "As part of the import operation, you cannot modify or add [Outputs, Tags]",
                );
            }
            let [resource] = input.resources_to_import() else {
                return refuse("Must Provide at least one resource to import");
            };
            let by = resource.resource_identifier().expect("it is identified");
            assert_eq!(by.get("QueueUrl").map(String::as_str), Some(URL));
        }
        let kind = if imports { "IMPORT" } else { "UPDATE" };
        self.made.clone_from(&self.token);
        self.change_set = Some((next, kind, changes));
        (200, answers::CREATED_CHANGE_SET.to_owned())
    }

    /// Takes a policy, but for one that names what is not there, as AWS does in these words.
    fn guard(&mut self) -> (u16, String) {
        let wished: Value = serde_json::from_str(&self.wished).expect("a policy is JSON");
        let ids = wished["Statement"][1]["Resource"].as_array();
        for id in ids.into_iter().flatten().filter_map(Value::as_str) {
            let id = id.trim_start_matches("LogicalResourceId/");
            if self.template["Resources"].get(id).is_none() {
                let message = format!(
                    "Error validating stack policy: Unknown logical id 'LogicalResourceId/{id}' in statement {{}} - stack policies \
                     can only be applied to logical ids referenced in the template"
                );
                return (400, answers::error("ValidationError", &message));
            }
        }
        self.policy = std::mem::take(&mut self.wished);
        (200, answers::empty("SetStackPolicy"))
    }

    /// `DetectStackResourceDrift`
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackResourceDrift.html>).
    fn drift(&self) -> String {
        let (status, paths) = self.drifted.unwrap_or(("IN_SYNC", &[]));
        let mut body = format!(
            "<StackResourceDrift><StackId>{STACK_ID}</StackId><LogicalResourceId>Inbox</LogicalResourceId>\
             <PhysicalResourceId>{URL}</PhysicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType>\
             <StackResourceDriftStatus>{status}</StackResourceDriftStatus>\
             <Timestamp>2026-07-28T06:00:00.000Z</Timestamp><PropertyDifferences>"
        );
        for path in paths {
            let _ = write!(
                body,
                "<member><PropertyPath>{path}</PropertyPath><DifferenceType>NOT_EQUAL</DifferenceType>\
                 <ExpectedValue>5</ExpectedValue><ActualValue>9</ActualValue></member>"
            );
        }
        let body = body + "</PropertyDifferences></StackResourceDrift>";
        answers::result("DetectStackResourceDrift", &body)
    }

    /// Deletes the stack, but for what is retained.
    fn delete(&mut self) {
        for (id, entry) in Self::resources(&self.template) {
            let stays = entry["DeletionPolicy"] == "Retain";
            let word = if stays { "stays" } else { "deleted" };
            self.done.push(format!("{id} {word}"));
        }
        self.status = "DELETE_COMPLETE";
    }

    fn execute(&mut self) {
        // The same token again is the same operation.
        let Some((next, kind, _)) = self.change_set.take() else {
            return;
        };
        let fails = self.fails == Some(self.executed);
        self.executed += 1;
        if fails {
            self.done.push(format!("{kind} fails"));
            self.status = if kind == "IMPORT" {
                "IMPORT_ROLLBACK_COMPLETE"
            } else {
                "UPDATE_ROLLBACK_COMPLETE"
            };
            return;
        }
        if let (Some((_, status)), "IMPORT") = (self.failing, kind) {
            self.done.push("IMPORT fails".to_owned());
            self.status = status;
            return;
        }
        let new = Self::resources(&next);
        for (id, entry) in Self::resources(&self.template) {
            if !new.contains_key(&id) {
                assert!(
                    !self.policy.contains(&format!("Id/{id}\"")),
                    "{id} is guarded"
                );
                self.is_lost |= entry["DeletionPolicy"] != "Retain";
                self.done.push(format!("{id} leaves"));
            }
        }
        self.done.push(kind.to_owned());
        self.mangles = false;
        self.template = next;
        self.status = if kind == "IMPORT" {
            "IMPORT_COMPLETE"
        } else {
            "UPDATE_COMPLETE"
        };
    }
}

/// Adds a call: what is seen of its input, and what is answered.
macro_rules! answer {
    ($script:ident, $account:ident, $operation:ident, $see:expr, $answer:expr) => {{
        let (seen, asked) = (Arc::clone(&$account), Arc::clone(&$account));
        $script = $script.cloudformation(
            stringify!($operation),
            mock!(CloudFormation::$operation)
                .match_requests(move |input| {
                    let see: fn(&mut Account, _) = $see;
                    see(&mut seen.lock().expect("no holder panics"), input);
                    true
                })
                .then_http_response(move || {
                    let answer: fn(&mut Account) -> (u16, String) = $answer;
                    alive(&asked, answer)
                }),
        );
    }};
}

/// Answers as long as the account lives.
fn alive(account: &Shared, answer: fn(&mut Account) -> (u16, String)) -> HttpResponse {
    let mut account = account.lock().expect("no holder panics");
    if account.life == 0 {
        return http(403, &answers::error("AccessDenied", "the token expired"));
    }
    account.life -= 1;
    let (status, body) = answer(&mut account);
    match account.lost.filter(|_| account.life == 0) {
        None => http(status, &body),
        Some(Lost::Dying) => http(403, &answers::error("AccessDenied", "the token expired")),
        Some(Lost::Repeated) => {
            account.life = usize::MAX;
            http(500, &answers::error("InternalFailure", "try again"))
        }
    }
}

pub(super) fn play(account: &Shared) -> Played {
    let mut script = Script::new();
    answer!(script, account, describe_stacks, |_, _| (), |it| (
        200,
        it.describe()
    ));
    answer!(script, account, get_template, |_, _| (), |it| {
        let text = it.template.to_string();
        let mangled = |c: char| if it.mangles && !c.is_ascii() { '?' } else { c };
        let text: String = text.chars().map(mangled).collect();
        (200, answers::template(&text))
    });
    answer!(script, account, get_stack_policy, |_, _| (), |it| {
        if it.secretive {
            return (403, answers::error("AccessDenied", "not authorized"));
        }
        let body = escaped(&it.policy);
        let body = format!("<StackPolicyBody>{body}</StackPolicyBody>");
        (200, answers::result("GetStackPolicy", &body))
    });
    answer!(
        script,
        account,
        set_stack_policy,
        |it, input: &aws_sdk_cloudformation::operation::set_stack_policy::SetStackPolicyInput| {
            it.wished = input.stack_policy_body().unwrap_or_default().to_owned();
        },
        Account::guard
    );
    answer!(script, account, list_stack_resources, |_, _| (), |it| (
        200,
        it.listed()
    ));
    answer!(script, account, get_template_summary, |_, _| (), |it| {
        let known = if it.importable {
            "<member><ResourceType>AWS::SQS::Queue</ResourceType>\
             <ResourceIdentifiers><member>QueueUrl</member></ResourceIdentifiers></member>"
        } else {
            ""
        };
        let body = format!("<ResourceIdentifierSummaries>{known}</ResourceIdentifierSummaries>");
        (200, answers::result("GetTemplateSummary", &body))
    });
    // Who may not read the policy tries this first.
    answer!(script, account, create_stack_refactor, |_, _| (), |_| {
        let reason = "Stack refactor doesn't support stacks that have stack policies attached";
        (400, answers::error("ValidationError", reason))
    });
    answer!(
        script,
        account,
        create_change_set,
        |it, input: &CreateChangeSetInput| {
            it.token = input.change_set_name().unwrap_or_default().to_owned();
            it.asked = Some(input.clone());
        },
        Account::create
    );
    answer!(script, account, describe_change_set, |_, _| (), |it| {
        let changes = it.change_set.as_ref().map_or("", |(_, _, changes)| changes);
        let status = if changes.is_empty() {
            "FAILED"
        } else {
            "CREATE_COMPLETE"
        };
        let reason = "The submitted information didn't contain changes.";
        let reason = if changes.is_empty() { reason } else { "" };
        (200, answers::change_set(status, reason, changes, None))
    });
    answer!(script, account, delete_change_set, |_, _| (), |it| {
        it.change_set = None;
        (200, answers::empty("DeleteChangeSet"))
    });
    answer!(script, account, list_change_sets, |_, _| (), |_| (
        200,
        answers::change_sets(&[])
    ));
    answer!(
        script,
        account,
        detect_stack_resource_drift,
        |_, _| (),
        |it| (200, it.drift())
    );
    answer!(
        script,
        account,
        update_termination_protection,
        |_, _| (),
        |_| (200, answers::empty("UpdateTerminationProtection"))
    );
    answer!(
        script,
        account,
        delete_stack,
        |it, input: &aws_sdk_cloudformation::operation::delete_stack::DeleteStackInput| {
            input
                .client_request_token()
                .unwrap_or_default()
                .clone_into(&mut it.token);
        },
        |it| {
            it.delete();
            (200, answers::empty("DeleteStack"))
        }
    );
    answer!(script, account, detect_stack_drift, |_, _| (), |_| {
        let id = "<StackDriftDetectionId>d-1</StackDriftDetectionId>";
        (200, answers::result("DetectStackDrift", id))
    });
    answer!(
        script,
        account,
        describe_stack_drift_detection_status,
        |_, _| (),
        |_| {
            let body = format!(
                "<StackId>{STACK_ID}</StackId><StackDriftDetectionId>d-1</StackDriftDetectionId>\
                 <DetectionStatus>DETECTION_COMPLETE</DetectionStatus><StackDriftStatus>IN_SYNC</StackDriftStatus>\
                 <Timestamp>2026-07-28T06:00:00.000Z</Timestamp>"
            );
            let operation = "DescribeStackDriftDetectionStatus";
            (200, answers::result(operation, &body))
        }
    );
    answer!(
        script,
        account,
        describe_stack_resource_drifts,
        |_, _| (),
        |_| {
            let none = "<StackResourceDrifts></StackResourceDrifts>";
            (200, answers::result("DescribeStackResourceDrifts", none))
        }
    );
    answer!(script, account, execute_change_set, |_, _| (), |it| {
        it.execute();
        (200, answers::empty("ExecuteChangeSet"))
    });
    answer!(script, account, describe_stack_events, |_, _| (), |it| {
        let mut rows = vec![("9", STACK, it.status, "", "*")];
        if let (Some((reason, status)), true) = (it.failing, it.status.contains("ROLLBACK")) {
            rows = vec![
                ("9", STACK, status, "", "*"),
                ("8", "Orders", "IMPORT_FAILED", reason, "*"),
            ];
        }
        (200, answers::events(&rows, &it.token, None))
    });
    let signed = if account.lock().expect("no holder panics").unproven {
        Signed::new().json(
            "GetResource",
            "",
            400,
            &json!({"__type": "ResourceNotFoundException", "Message": "not found"}),
        )
    } else {
        // <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_GetResource.html>
        Signed::new().json(
            "GetResource",
            URL,
            200,
            &json!({
                "TypeName": "AWS::SQS::Queue",
                "ResourceDescription": {"Identifier": URL, "Properties": "{}"},
            }),
        )
    };
    signed.with(script.play_in_any_order())
}
