//! `stackset`: stacks in the accounts of an organisation.

mod reports;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::deploy::taken;
use super::place::{self, Place};
use super::{Session, approval, lock, once, prepare};
use crate::assembly::Assembly;
use crate::aws::AwsError;
use crate::cli::{self, Allowance, StackSetVerb};
use crate::config::{Project, Stage, list};
use crate::engine::plan::Plan;
use crate::engine::{
    self, Context, OrphanSet, RemovalPlan, StackSetPlan, StackSetRequest, StackSetSettings,
};
use crate::error::{Error, Kind, Result};
use crate::text::count;
use crate::ui::{self, Activity, Table};
use reports::Reports;

/// What `stackctl.toml` needs.
const EXAMPLE: &str =
    "organizational_units = [\"ou-ab12-12345678\"]` or `accounts = [\"123456789012\"]";

pub(super) async fn run(session: &Session, arguments: &cli::StackSet) -> Result<u8> {
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let place = Place::of(session);
    if place.is_local() {
        return Err(
            Error::new(Kind::Local, "the local engine knows no stack sets")
                .hint("deploy the stacks themselves: `stackctl deploy --local`"),
        );
    }
    let Some(settings) = &stage.stack_sets else {
        return Err(Error::new(
            Kind::Configuration,
            format!("stage `{name}` does not say which accounts its stack sets are for"),
        )
        .hint(format!(
            "add `[stages.{name}.stacksets]` with `{EXAMPLE}`, and `regions`"
        )));
    };
    let work = Work {
        session,
        project: &project,
        name,
        stage,
        settings,
        place: &place,
    };
    match &arguments.verb {
        StackSetVerb::Deploy { stacks, allow } => Box::pin(work.deploy(stacks, allow)).await,
        StackSetVerb::Status { stacks } => Box::pin(work.status(stacks)).await,
        StackSetVerb::Destroy {
            stacks,
            untargeted,
            retain,
            confirm,
        } => Box::pin(work.destroy(stacks, *untargeted, *retain, confirm.as_deref())).await,
    }
}

struct Work<'a> {
    session: &'a Session,
    project: &'a Project,
    name: &'a str,
    stage: &'a Stage,
    settings: &'a StackSetSettings,
    place: &'a Place,
}

impl Work<'_> {
    /// Renders the stacks once for each region: one template has to serve them all.
    async fn assembly(&self, known: bool) -> Result<Assembly> {
        let mut first: Option<(String, Assembly)> = None;
        for region in self.regions()? {
            let label = format!("stackset/{}", region.region);
            let stage = Stage {
                // No stack may have the administrator's account in its template.
                account: None,
                label: Some(label),
                ..region
            };
            let assembly = if known {
                return prepare::known(self.session, self.project, self.name, &stage).await;
            } else {
                prepare::assembly(self.session, self.project, self.name, &stage).await?
            };
            match &first {
                None => first = Some((stage.region.to_string(), assembly)),
                Some((region, first)) => same(first, &assembly, region, stage.region.as_str())?,
            }
        }
        first
            .map(|(_, assembly)| assembly)
            .ok_or_else(|| Error::new(Kind::Configuration, "the stack sets have no region"))
    }

    /// Returns the stage in each region of its stack sets.
    fn regions(&self) -> Result<Vec<Stage>> {
        self.settings
            .regions
            .iter()
            .map(|region| {
                Ok(Stage {
                    region: region
                        .parse()
                        .map_err(|error: String| Error::new(Kind::Configuration, error))?,
                    ..self.stage.clone()
                })
            })
            .collect()
    }

    async fn open(&self, activity: &Activity) -> Result<Context> {
        let events = activity.sink();
        let (context, _) =
            place::open(self.session, self.project, self.stage, self.place, events).await?;
        Ok(context)
    }

    async fn deploy(&self, stacks: &cli::Stacks, allowed: &[Allowance]) -> Result<u8> {
        let session = self.session;
        let _lock = lock::take(&self.project.state_dir, self.name, false)?;
        let assembly = self.assembly(false).await?;
        let selected = prepare::select(&assembly, stacks)?;
        prepare::refuse_renames(&assembly, &selected, "a stack set")?;
        let rendered: Vec<_> = assembly.stacks().collect();
        let rendered: Vec<_> = selected.iter().filter_map(|at| rendered.get(*at)).collect();
        let mut misfit = None;
        for (manifest, template) in &rendered {
            for reason in
                engine::misfits(manifest, &template.json, template.text.len(), self.settings)
            {
                let error = misfit.take().unwrap_or_else(|| {
                    Error::new(Kind::Assembly, "not every stack can be a stack set")
                        .hint("name those that can: `stackctl stackset deploy STACK`")
                });
                misfit = Some(error.cause(format!("{}: {reason}", manifest.name)));
            }
            if !manifest.smoke.is_empty() {
                session.ui.warn(format!(
                    "{}: nobody sends its smoke checks in other accounts",
                    manifest.name
                ));
            }
        }
        if let Some(error) = misfit {
            return Err(error);
        }
        let activity = Activity::new(&session.ui, "stackset");
        let names = rendered.iter().map(|(manifest, _)| manifest.name.clone());
        let taken_over = taken::over(names, allowed);
        let context = self.open(&activity).await?.taking_over(taken_over);
        let mut planned = Vec::new();
        for (manifest, template) in rendered {
            let request = StackSetRequest {
                stage: self.name.to_owned(),
                manifest: (*manifest).clone(),
                template: template.text.clone(),
                settings: self.settings.clone(),
            };
            let plan = engine::stack_set_plan(&context, &request).await?;
            planned.push((request, plan));
        }
        self.show(&context, &planned);
        self.agree(&context, &planned, allowed).await?;
        let mut reports = Reports::default();
        for (request, plan) in &planned {
            let result = engine::deploy_stack_set(&context, request, plan).await;
            reports.take(&request.manifest.name, result);
            if reports.interrupted() {
                break;
            }
        }
        activity.finish();
        reports.finish(session)
    }

    /// Shows what would happen in the stack of every account and region, and where.
    fn show(&self, context: &Context, planned: &[(StackSetRequest, StackSetPlan)]) {
        let ui = &self.session.ui;
        let stacks: Vec<_> = planned
            .iter()
            .map(|(_, plan)| plan.changes.clone())
            .collect();
        if ui.json() {
            let sets: Vec<Value> = planned.iter().map(|(request, plan)| {
                json!({"stack_set": request.manifest.name, "create": plan.create, "update": plan.update,
                       "outdated": plan.outdated, "add": plan.add, "untargeted": plan.untargeted})
            }).collect();
            ui.json_line(&json!({"type": "plan", "stacks": stacks, "stack_sets": sets}));
        }
        let changes = Plan { stacks };
        ui.line(ui::plan(&changes, ui.verbose() > 1).trim_end());
        for (request, plan) in planned {
            let set = &request.manifest.name;
            if plan.update {
                let behind = match plan.outdated {
                    0 => String::new(),
                    number => format!(
                        ", {} of which {} behind",
                        number,
                        if number == 1 { "is" } else { "are" }
                    ),
                };
                ui.done(
                    "update",
                    format!("{set} in all its accounts and regions{behind}"),
                );
            }
            for (region, names) in &plan.add {
                let names: Vec<&str> = names.iter().map(String::as_str).collect();
                ui.done("add", format!("{set} to {region} in {}", names.join(", ")));
            }
            if !plan.untargeted.is_empty() {
                ui.warn(format!(
                    "{set} is where stackctl.toml does not target it any more, and stays there, updated with the others: {}; \
                     `stackctl stackset destroy {} --untargeted` removes it there",
                    plan.untargeted.join(", "),
                    request.manifest.id
                ));
            }
        }
        ui.done("account", &context.clients.identity().account);
    }

    async fn agree(
        &self,
        context: &Context,
        planned: &[(StackSetRequest, StackSetPlan)],
        allowed: &[Allowance],
    ) -> Result<()> {
        if planned.iter().all(|(_, plan)| plan.is_empty()) {
            return Ok(());
        }
        let plan = Plan {
            stacks: planned
                .iter()
                .map(|(_, plan)| plan.changes.clone())
                .collect(),
        };
        if self.stage.protected {
            let everywhere = Some("every account");
            let placed = [(everywhere, &plan)];
            approval::protect(&self.session.ui, &placed, allowed, self.name)?;
        }
        let account = &context.clients.identity().account;
        let question = format!("Deploy these stack sets from account {account}?");
        approval::ask(self.session, false, &question).await?;
        Ok(())
    }

    async fn status(&self, stacks: &cli::Stacks) -> Result<u8> {
        let session = self.session;
        let names = self.names(stacks).await?;
        let context = self.open(&Activity::new(&session.ui, "stackset")).await?;
        let (mut orphans, mut is_seen) = (Vec::new(), true);
        if stacks.stacks.is_empty() || !names.unknown.is_empty() {
            match self.orphans(&context, &names).await? {
                Ok(found) => orphans = found,
                Err(error) if names.unknown.is_empty() => {
                    is_seen = false;
                    session.ui.warn(format!(
                        "nobody knows whether there are stack sets that the source does not have: {error}"
                    ));
                }
                Err(error) => return Err(error.into()),
            }
        }
        names.refuse_unknown(&orphans)?;
        if !names.unknown.is_empty() {
            orphans.retain(|orphan| names.unknown.contains(&orphan.stack_set));
        }
        let mut found = Vec::new();
        let besides = orphans.iter().map(|orphan| &orphan.stack_set);
        let besides = besides.filter(|name| names.unknown.contains(*name));
        for name in names.selected.iter().chain(besides) {
            let status = engine::stack_set_status(&context, name, self.settings);
            found.push(session.guard(Box::pin(status)).await??);
        }
        orphans.retain(|orphan| orphan.is_owned);
        for OrphanSet {
            stack_set, next, ..
        } in &orphans
        {
            session.ui.warn(format!(
                "stack set {stack_set} is not in this source: `{next}` removes it with all its stacks, if nobody else has it in theirs"
            ));
        }
        if session.ui.json() {
            let mut document = json!({"stack_sets": found});
            if !is_seen {
                document["orphans"] = Value::Null;
            } else if !orphans.is_empty() {
                document["orphans"] = json!(orphans);
            }
            session.ui.document(&document);
            return Ok(0);
        }
        let mut table = Table::new(&["Stack set", "Account", "Region", "Status", "Last", "Reason"]);
        for set in &found {
            if set.instances.is_empty() {
                table.row([set.stack_set.as_str(), "", "", set.status.as_str(), "", ""]);
            }
            for instance in &set.instances {
                table.row([
                    set.stack_set.as_str(),
                    instance.account.as_str(),
                    instance.region.as_str(),
                    instance.status.as_str(),
                    instance.operation.as_deref().unwrap_or_default(),
                    instance.reason.as_deref().unwrap_or_default(),
                ]);
            }
        }
        session.ui.out(table.render());
        Ok(0)
    }

    /// Returns the names of the selected stacks, whatever state the code is in.
    async fn names(&self, stacks: &cli::Stacks) -> Result<Names> {
        let assembly = self.assembly(true).await?;
        let names = assembly.names();
        let (selected, unknown) = cli::select_known(&names, &stacks.stacks)?;
        let mut nobodys = unknown.iter();
        if let Some(pattern) = nobodys.find(|it| !super::orphans::may_be_one(it, self.name)) {
            return Err(cli::unknown(&names, pattern));
        }
        let selected = selected.iter().filter_map(|at| names.get(*at));
        Ok(Names {
            selected: selected.map(|name| name.name.to_owned()).collect(),
            all: names.iter().map(|name| name.name.to_owned()).collect(),
            unknown,
        })
    }

    /// Finds the stack sets of the stage that the source does not have.
    async fn orphans(
        &self,
        context: &Context,
        names: &Names,
    ) -> Result<Result<Vec<OrphanSet>, AwsError>> {
        let found = engine::orphan_sets(context, self.name, &names.all, self.settings);
        self.session.guard(Box::pin(found)).await
    }

    async fn destroy(
        &self,
        stacks: &cli::Stacks,
        untargeted: bool,
        retain: bool,
        confirm: Option<&str>,
    ) -> Result<u8> {
        let session = self.session;
        let _lock = lock::take(&self.project.state_dir, self.name, false)?;
        let names = self.names(stacks).await?;
        let activity = Activity::new(&session.ui, "stackset");
        let context = self.open(&activity).await?;
        let mut planned: Vec<(&String, RemovalPlan)> = Vec::new();
        if !names.unknown.is_empty() {
            let orphans = self.orphans(&context, &names).await??;
            names.refuse_unknown(&orphans)?;
        }
        for name in names.selected.iter().chain(&names.unknown) {
            let plan = engine::removal_plan(&context, name, self.settings, untargeted).await?;
            planned.push((name, plan));
        }
        let parts: Vec<String> = planned
            .iter()
            .filter(|(_, plan)| plan.exists && (plan.whole || !plan.instances.is_empty()))
            .map(|(name, plan)| format!("{name} with {}", count(plan.instances.len(), "stack")))
            .collect();
        if !parts.is_empty() {
            for (name, plan) in &planned {
                for instance in &plan.instances {
                    session.ui.line(format!("  {name} {}", instance.place()));
                }
            }
            let verb = if retain { "lets go of" } else { "deletes" };
            let danger = format!("this {verb} {}", parts.join(", "));
            if self.stage.protected {
                approval::confirm_stage(session, self.name, confirm, &danger).await?;
            } else if !names.unknown.is_empty() {
                let unknown: Vec<&str> = names.unknown.iter().map(String::as_str).collect();
                let why = format!("nothing in the source says what {} was", list(&unknown));
                approval::confirm(session, self.name, confirm, (&danger, &why)).await?;
            } else {
                let verb = if retain { "Let go of" } else { "Delete" };
                let account = &context.clients.identity().account;
                let question = format!("{verb} {} from account {account}?", parts.join(", "));
                approval::ask(session, false, &question).await?;
            }
        }
        let mut reports = Reports::default();
        for (name, plan) in &planned {
            let result =
                engine::remove_stack_set(&context, name, self.settings, plan, retain).await;
            reports.take(name, result);
            if reports.interrupted() {
                break;
            }
        }
        activity.finish();
        reports.finish(session)
    }
}

/// The stacks that the arguments name.
struct Names {
    /// Those of the source.
    selected: Vec<String>,
    /// All of the source.
    all: BTreeSet<String>,
    /// What the source does not have and may be there all the same.
    unknown: Vec<String>,
}

impl Names {
    /// Refuses names of no stack set, in the source or not.
    fn refuse_unknown(&self, orphans: &[OrphanSet]) -> Result<()> {
        let is_none = |name: &&String| orphans.iter().all(|orphan| orphan.stack_set != **name);
        match self.unknown.iter().find(is_none) {
            Some(name) => Err(
                Error::new(Kind::Usage, format!("no stack is called `{name}`"))
                    .cause("neither in the source, nor a stack set of this stage and of this app"),
            ),
            None => Ok(()),
        }
    }
}

/// Refuses a stack whose template is not the same in all regions.
fn same(one: &Assembly, other: &Assembly, region: &str, other_region: &str) -> Result<()> {
    let others: BTreeMap<&str, &Value> = other
        .stacks()
        .map(|(manifest, template)| (manifest.name.as_str(), &template.json))
        .collect();
    for (manifest, template) in one.stacks() {
        let name = manifest.name.as_str();
        let place = match others.get(name) {
            None => Some("the stack itself".to_owned()),
            Some(other) => once::differing(&template.json, other, "").or_else(|| {
                (template.json.get("Outputs") != other.get("Outputs")).then(|| "Outputs".to_owned())
            }),
        };
        if let Some(place) = place {
            return Err(Error::new(
                Kind::Assembly,
                format!("{name} cannot be a stack set: its template is not the same in all regions"),
            )
            .cause(format!("{place} differs between {region} and {other_region}"))
            .hint("use the pseudo parameters `AWS::Region` and `AWS::AccountId`, which every stack resolves for itself"));
        }
    }
    Ok(())
}
