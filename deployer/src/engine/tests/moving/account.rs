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
    /// Whether the events tell that a queue left the stack and was kept.
    pub(super) kept: bool,
    /// How a change of what names the queue is listed: when, whether it is replaced, and the details.
    pub(super) detailed: Option<(&'static str, &'static str, &'static str)>,
    /// What was changed past CloudFormation, by logical id: the status and the paths.
    pub(super) drifted: BTreeMap<&'static str, (&'static str, &'static [&'static str])>,
    /// Of what it is asked for that.
    pub(super) looked_at: String,
    /// How many calls it answers before it is dead.
    pub(super) life: usize,
    /// What becomes of the last answer.
    pub(super) lost: Option<Lost>,
    /// The name of the last change set that it made.
    pub(super) made: String,
    /// The physical ids of the queues and tables, by logical id.
    pub(super) physical: BTreeMap<String, String>,
    /// The exports that another stack imports.
    pub(super) imported: Vec<&'static str>,
    /// What belongs to no stack, by physical id.
    pub(super) outside: BTreeSet<String>,
    /// What the change set imports: logical and physical ids.
    importing: Vec<(String, String)>,
    /// Whether it refactors a stack without a policy.
    pub(super) refactors: bool,
    /// What is to become of the stack once it is refactored.
    pub(super) refactored: Option<(Value, Vec<(String, String)>)>,
    /// Which setting of the stack policy nobody may do, counted from none.
    pub(super) denies: Option<usize>,
    pub(super) settings: usize,
    /// Which execution fails and is rolled back, counted from none.
    pub(super) fails: Option<usize>,
    pub(super) executed: usize,
    /// During which change set somebody else updates the stack, counted from none.
    pub(super) between: Option<usize>,
    /// How many change sets were made.
    computed: usize,
    /// When the stack was updated last.
    updated: Option<&'static str>,
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
        physical: BTreeMap::from([("Inbox".to_owned(), URL.to_owned())]),
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

pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('"', "&quot;")
}

impl Account {
    /// Returns what a template makes: a condition is the comparison of two texts.
    fn resources(template: &Value) -> BTreeMap<String, Value> {
        Self::made(template, "Resources")
    }

    /// Returns the entries of a section whose conditions hold.
    fn made(template: &Value, section: &str) -> BTreeMap<String, Value> {
        let entries = template[section].as_object().into_iter().flatten();
        let holds = |entry: &Value| {
            let condition = entry["Condition"].as_str();
            let compared = condition.map(|name| &template["Conditions"][name]["Fn::Equals"]);
            compared.is_none_or(|texts| texts[0] == texts[1])
        };
        let entries = entries.filter(|(_, entry)| holds(entry));
        entries
            .map(|(id, entry)| (id.clone(), entry.clone()))
            .collect()
    }

    fn id(&self, logical_id: &str) -> String {
        let found = self.physical.get(logical_id).cloned();
        found.unwrap_or_else(|| logical_id.to_lowercase())
    }

    /// Returns the value of an output: a text, `Ref`, `Fn::GetAtt` of an ARN, or `Fn::Sub` of one.
    fn value(&self, value: &Value) -> String {
        let arn = |logical_id: &str| {
            let id = self.id(logical_id);
            let name = id.rsplit('/').next().unwrap_or_default();
            format!("arn:aws:sqs:eu-central-1:123456789012:{name}")
        };
        if let Some(text) = value.as_str() {
            return text.to_owned();
        }
        if let Some(logical_id) = value["Ref"].as_str() {
            return self.id(logical_id);
        }
        if let Some(logical_id) = value["Fn::GetAtt"][0].as_str() {
            return arn(logical_id);
        }
        let text = value["Fn::Sub"]
            .as_str()
            .expect("no other function is used");
        let (before, rest) = text.split_once("${").unwrap_or((text, ""));
        match rest.split_once(".Arn}") {
            Some((logical_id, after)) => format!("{before}{}{after}", arn(logical_id)),
            None => text.to_owned(),
        }
    }

    /// Returns the value of every export, by name.
    fn exports(&self, template: &Value) -> BTreeMap<String, String> {
        let outputs = Self::made(template, "Outputs").into_values();
        outputs
            .filter_map(|output| {
                let name = output["Export"]["Name"].as_str()?.to_owned();
                Some((name, self.value(&output["Value"])))
            })
            .collect()
    }

    pub(super) fn describe(&self) -> String {
        let mut body = format!(
            "<Stacks><member><StackName>{STACK}</StackName><StackId>{STACK_ID}</StackId>\
             <CreationTime>2026-07-27T22:28:28.000Z</CreationTime>{}<StackStatus>{}</StackStatus>\
             <DisableRollback>false</DisableRollback>\
             <EnableTerminationProtection>true</EnableTerminationProtection>\
             <Tags><member><Key>stackctl:stage</Key><Value>dev</Value></member>\
             <member><Key>team</Key><Value>blue</Value></member></Tags><Outputs>",
            self.updated.map_or_else(String::new, |at| format!(
                "<LastUpdatedTime>{at}</LastUpdatedTime>"
            )),
            self.status
        );
        for (key, output) in Self::made(&self.template, "Outputs") {
            let value = self.value(&output["Value"]);
            let _ = write!(
                body,
                "<member><OutputKey>{key}</OutputKey><OutputValue>{value}</OutputValue>"
            );
            if let Some(name) = output["Export"]["Name"].as_str() {
                let _ = write!(body, "<ExportName>{name}</ExportName>");
            }
            body += "</member>";
        }
        answers::result("DescribeStacks", &(body + "</Outputs></member></Stacks>"))
    }

    pub(super) fn listed(&self) -> String {
        let mut body = "<StackResourceSummaries>".to_owned();
        for (id, entry) in Self::resources(&self.template) {
            let kind = entry["Type"].as_str().expect("has a type");
            let _ = write!(
                body,
                "<member><LogicalResourceId>{id}</LogicalResourceId><PhysicalResourceId>{}</PhysicalResourceId>\
                 <ResourceType>{kind}</ResourceType><ResourceStatus>UPDATE_COMPLETE</ResourceStatus></member>",
                self.id(&id)
            );
        }
        answers::result("ListStackResources", &(body + "</StackResourceSummaries>"))
    }

    /// Makes a change set, or refuses it.
    pub(super) fn create(&mut self) -> (u16, String) {
        let input = self.asked.take().expect("it was asked");
        // The template is the same afterwards, and the time of the last update is not
        // (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html>).
        if self.between == Some(self.computed) {
            self.updated = Some("2026-07-27T23:00:00.000Z");
        }
        self.computed += 1;
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
            if input.resources_to_import().is_empty() {
                return refuse("Must Provide at least one resource to import");
            }
            for resource in input.resources_to_import() {
                let by = resource.resource_identifier().expect("it is identified");
                let (property, id) = by.iter().next().expect("by something");
                let is_queue = resource.resource_type() == Some("AWS::SQS::Queue");
                assert_eq!(property, if is_queue { "QueueUrl" } else { "TableName" });
                assert!(self.outside.contains(id), "{id} is in the stack");
                let logical_id = resource.logical_resource_id().unwrap_or_default();
                self.importing.push((logical_id.to_owned(), id.clone()));
            }
        }
        let kind = if imports { "IMPORT" } else { "UPDATE" };
        if !imports {
            self.importing.clear();
        }
        self.made.clone_from(&self.token);
        self.change_set = Some((next, kind, changes));
        (200, answers::CREATED_CHANGE_SET.to_owned())
    }

    /// Refactors the stack; see
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stack-refactoring.html>.
    pub(super) fn refactor(&mut self) {
        let (template, moves) = self.refactored.take().expect("it was asked for");
        for (from, to) in moves {
            if let Some(id) = self.physical.remove(&from) {
                self.physical.insert(to, id);
            }
        }
        self.template = template;
        self.done.push("REFACTOR".to_owned());
    }

    /// Takes a policy, but for one that names what is not there, as AWS does in these words.
    pub(super) fn guard(&mut self) -> (u16, String) {
        let setting = self.settings;
        self.settings += 1;
        if self.denies == Some(setting) {
            let message = "User: arn:aws:iam::123456789012:user/me is not authorized to perform: cloudformation:SetStackPolicy";
            return (403, answers::error("AccessDenied", message));
        }
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
    pub(super) fn drift(&self) -> String {
        let id = self.looked_at.as_str();
        let drifted = self.drifted.get(id).copied();
        let (status, paths) = drifted.unwrap_or(("IN_SYNC", &[]));
        let kind = self.template["Resources"][id]["Type"].as_str();
        let mut body = format!(
            "<StackResourceDrift><StackId>{STACK_ID}</StackId><LogicalResourceId>{id}</LogicalResourceId>\
             <PhysicalResourceId>{}</PhysicalResourceId><ResourceType>{}</ResourceType>\
             <StackResourceDriftStatus>{status}</StackResourceDriftStatus>\
             <Timestamp>2026-07-28T06:00:00.000Z</Timestamp><PropertyDifferences>",
            self.id(id),
            kind.expect("it is asked of what is there")
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
    pub(super) fn delete(&mut self) {
        for (id, entry) in Self::resources(&self.template) {
            let stays = entry["DeletionPolicy"] == "Retain";
            let word = if stays { "stays" } else { "deleted" };
            self.done.push(format!("{id} {word}"));
        }
        self.status = "DELETE_COMPLETE";
    }

    pub(super) fn execute(&mut self) {
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
        // An export in use is neither deleted nor changed
        // (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-stack-exports.html>).
        let (before, after) = (self.exports(&self.template), self.exports(&next));
        let breaks = |name: &&str| before.get(*name) != after.get(*name);
        if let Some(name) = self.imported.iter().find(|name| breaks(name)) {
            self.done.push(format!("{name} breaks"));
            self.status = "UPDATE_ROLLBACK_COMPLETE";
            return;
        }
        let (old, new) = (Self::resources(&self.template), Self::resources(&next));
        for id in new.keys().filter(|id| !old.contains_key(*id)) {
            let imported = self.importing.iter().find(|(to, _)| to == id);
            let physical_id = match imported {
                Some((_, physical_id)) => physical_id.clone(),
                None => format!("{URL}-anew"),
            };
            self.outside.remove(&physical_id);
            self.physical.insert(id.clone(), physical_id);
        }
        for (id, entry) in old {
            if !new.contains_key(&id) {
                self.outside.extend(self.physical.remove(&id));
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
