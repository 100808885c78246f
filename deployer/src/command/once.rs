//! Stacks that name a region themselves and that several environments of a stage render: each is deployed once.

mod named;

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use serde_json::Value;
use stack_model::assembly::StackManifest;

pub(super) use self::named::nobody;
use self::named::{refuse_unknown, wanted};
use super::environments::label;
use super::place::Place;
use super::{Session, orphans, prepare};
use crate::assembly::Assembly;
use crate::cli;
use crate::config::{Project, Stage, StageConfig};
use crate::error::{Error, Kind, Result};
use crate::repeat::Repeated;

/// A stage as it is rendered for one of its environments.
pub(super) struct Rendered<'a> {
    /// The session of the environment.
    pub(super) session: Session,
    /// The stage.
    pub(super) stage: &'a Stage,
    /// Its stacks.
    pub(super) assembly: Assembly,
    /// Which of them were selected, and are this environment's to deploy.
    pub(super) selected: Vec<usize>,
    /// The stacks that others leave to this environment, whether they were selected or not.
    pub(super) owns: Owned,
    /// What was named and is in no source, where that is not refused: it may be deployed all the same.
    pub(super) unknown: Vec<String>,
}

/// The stacks that others leave to an environment, each with how those others are called.
pub(super) type Owned = BTreeMap<String, Vec<String>>;

/// Where the stacks come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// They are rendered.
    Fresh,
    /// They are rendered, or taken from the last synth where they do not render.
    Known,
}

/// Renders the stacks of a stage for the chosen environments, and gives each stack that several share to one of them.
pub(super) async fn render<'a>(
    session: &Session,
    project: &Project,
    (name, config, chosen): (&str, &'a StageConfig, &[&'a Stage]),
    stacks: &cli::Stacks,
    source: Source,
    place: &Place,
) -> Result<Vec<Rendered<'a>>> {
    let several = chosen.len() > 1;
    if let [stage] = chosen {
        refuse_unknown(session, project, (name, stage), stacks, source)?;
    }
    let is_chosen = |stage: &Stage| chosen.iter().any(|other| other.label == stage.label);
    let of = async |stage: &'a Stage| {
        let own = if several {
            session.within(stage, chosen)
        } else {
            session.clone()
        };
        let assembly = match source {
            Source::Fresh => prepare::assembly(&own, project, name, stage).await,
            Source::Known => prepare::known(&own, project, name, stage).await,
        };
        let assembly = match assembly {
            Err(error) if several || !is_chosen(stage) => Err(error
                .completed(&Repeated::of(&own.global))
                .within(label(stage))),
            assembly => assembly,
        };
        assembly.map(|assembly| (own, assembly))
    };
    let mut sessions = BTreeMap::new();
    let mut assemblies = BTreeMap::new();
    let all = config.environments();
    let position = |stage: &Stage| all.iter().position(|other| other.label == stage.label);
    for stage in chosen {
        let (own, assembly) = of(stage).await?;
        if let Some(position) = position(stage) {
            sessions.insert(position, own);
            assemblies.insert(position, assembly);
        }
    }
    // Whose a stack is depends on all that render it, and nothing in the stacks of one environment says whether another
    // renders one of them too: it may be the other one alone that names the region.
    for (position, stage) in all.iter().enumerate() {
        let has_in_common = |chosen: &&Stage| place.is_local() || chosen.account == stage.account;
        if let Entry::Vacant(missing) = assemblies.entry(position)
            && chosen.iter().any(has_in_common)
        {
            missing.insert(of(stage).await?.1);
        }
    }
    let stages: Vec<&Stage> = assemblies
        .keys()
        .filter_map(|position| all.get(*position))
        .collect();
    let positions: Vec<usize> = assemblies.keys().copied().collect();
    let mut assemblies: Vec<Assembly> = assemblies.into_values().collect();
    let assigned = assign(&stages, &mut assemblies, place.is_local())?;
    let mut rendered = Vec::new();
    let of_chosen = positions.iter().zip(&assemblies);
    let of_chosen = of_chosen.filter(|(position, _)| sessions.contains_key(*position));
    let of_chosen: Vec<&Assembly> = of_chosen.map(|(_, assembly)| assembly).collect();
    let (wanted, unknown) = wanted(&of_chosen, stacks)?;
    if let Some(pattern) = unknown
        .iter()
        .find(|pattern| source == Source::Fresh || !orphans::may_be_one(pattern, name))
    {
        let error = nobody(&of_chosen, pattern, source);
        return Err(match source {
            Source::Fresh => error,
            Source::Known => orphans::left(error, project, name, pattern),
        });
    }
    let label_of = |at: usize| stages.get(at).map_or("", |stage| label(stage)).to_owned();
    let parts = stages.iter().zip(assemblies).zip(assigned).zip(positions);
    for (((stage, assembly), Assigned { elsewhere, owns }), position) in parts {
        let Some(session) = sessions.remove(&position) else {
            continue;
        };
        let names = assembly.manifest.stacks.iter().enumerate();
        let selected = names
            .filter(|(_, stack)| {
                wanted.contains(&stack.name) && !elsewhere.contains_key(&stack.name)
            })
            .map(|(position, _)| position)
            .collect();
        for (stack, owner) in elsewhere {
            let is_left = stages.get(owner).is_some_and(|owner| !is_chosen(owner));
            if is_left && wanted.contains(&stack) {
                let text = format!(
                    "{stack} belongs to {}, which is not chosen",
                    label_of(owner)
                );
                session.ui.done("left", text);
            }
        }
        let owns = owns
            .into_iter()
            .map(|(stack, others)| (stack, others.into_iter().map(label_of).collect()))
            .collect();
        rendered.push(Rendered {
            session,
            stage,
            assembly,
            selected,
            owns,
            unknown: unknown.clone(),
        });
    }
    Ok(rendered)
}

/// Which stacks of an environment are whose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Assigned {
    /// The stacks that another environment deploys, with its position.
    elsewhere: BTreeMap<String, usize>,
    /// The stacks that others leave to this one, with their positions.
    owns: BTreeMap<String, Vec<usize>>,
}

/// Gives every stack to one of the environments that render it for one account and region: the first.
///
/// What the others take from the stack may differ: its outputs are those that any of them has, and it exports what it does
/// for any of them. All else has to be the same.
fn assign(
    environments: &[&Stage],
    assemblies: &mut [Assembly],
    one_account: bool,
) -> Result<Vec<Assigned>> {
    let mut owners: BTreeMap<(Option<String>, String, String), usize> = BTreeMap::new();
    let mut assigned = vec![Assigned::default(); assemblies.len()];
    for (position, stage) in environments.iter().enumerate() {
        let Some(assembly) = assemblies.get(position) else {
            continue;
        };
        let account = stage.account.as_ref().filter(|_| !one_account);
        let mut claimed = Vec::new();
        for manifest in &assembly.manifest.stacks {
            let region = manifest.region.as_deref().unwrap_or(stage.region.as_str());
            let key = (
                account.map(ToString::to_string),
                region.to_owned(),
                manifest.name.clone(),
            );
            let owner = *owners.entry(key).or_insert(position);
            if owner != position {
                claimed.push((owner, manifest.name.clone(), region.to_owned()));
            }
        }
        for (owner, name, region) in claimed {
            let Ok([first, other]) = assemblies.get_disjoint_mut([owner, position]) else {
                continue;
            };
            if let Some(place) = agree(&name, first, other)? {
                let labels =
                    [owner, position].map(|at| environments.get(at).map_or("", |it| label(it)));
                return Err(Error::new(
                    Kind::Assembly,
                    format!("stack {name} is deployed once, to {region}, and the environments disagree about it"),
                )
                .cause(format!("{place} differs between {} and {}", labels[0], labels[1]))
                .hint("render the same stack for all of them, or give it a name of its own in each, such as one with `stage.region()` in it"));
            }
            if let Some(own) = assigned.get_mut(position) {
                own.elsewhere.insert(name.clone(), owner);
            }
            if let Some(owner) = assigned.get_mut(owner) {
                owner.owns.entry(name).or_default().push(position);
            }
        }
    }
    Ok(assigned)
}

/// Adds to a stack the outputs that it has for another environment. Returns what else differs, where something does.
fn agree(name: &str, first: &mut Assembly, other: &Assembly) -> Result<Option<String>> {
    let Some((manifest, template)) = other.stacks().find(|(stack, _)| stack.name == name) else {
        return Ok(None);
    };
    let Some((own, own_template)) = first.stacks().find(|(stack, _)| stack.name == name) else {
        return Ok(None);
    };
    let place = differing(&own_template.json, &template.json, "")
        .or_else(|| (!is_same(own, manifest)).then(|| "what the manifest says of it".to_owned()));
    if place.is_some() {
        return Ok(place);
    }
    let wanted = template.json.get("Outputs").cloned();
    let differs = first.change_template(name, |template| add_outputs(template, wanted.as_ref()))?;
    if let Some(Some(output)) = differs {
        return Ok(Some(format!("Outputs.{output}")));
    }
    let stack = first
        .manifest
        .stacks
        .iter_mut()
        .find(|stack| stack.name == name);
    if let Some(stack) = stack {
        for (key, output) in &manifest.outputs {
            stack
                .outputs
                .entry(key.clone())
                .or_insert_with(|| output.clone());
        }
    }
    Ok(None)
}

/// Returns whether a stack is given the same, whichever environment renders it.
fn is_same(one: &StackManifest, other: &StackManifest) -> bool {
    one.parameters == other.parameters
        && one.references == other.references
        && one.artifacts == other.artifacts
        && one.contents == other.contents
        && one.smoke == other.smoke
        && one.tags == other.tags
}

/// Returns where two templates differ, besides their outputs.
pub(super) fn differing(one: &Value, other: &Value, path: &str) -> Option<String> {
    let (Value::Object(ones), Value::Object(others)) = (one, other) else {
        return (one != other).then(|| path.to_owned());
    };
    let keys: BTreeSet<&String> = ones.keys().chain(others.keys()).collect();
    keys.into_iter().find_map(|key| {
        let below = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        match (ones.get(key), others.get(key)) {
            _ if below == "Outputs" => None,
            (Some(one), Some(other)) => differing(one, other, &below),
            _ => Some(below),
        }
    })
}

/// Adds the outputs that a template lacks, and exports what is to be exported. Returns the output that cannot be both.
fn add_outputs(template: &mut Value, wanted: Option<&Value>) -> Option<String> {
    let wanted = wanted?.as_object()?;
    let outputs = template
        .as_object_mut()?
        .entry("Outputs")
        .or_insert_with(|| Value::Object(serde_json::Map::new()))
        .as_object_mut()?;
    for (key, output) in wanted {
        let Some(own) = outputs.get_mut(key) else {
            outputs.insert(key.clone(), output.clone());
            continue;
        };
        if own.get("Value") != output.get("Value") {
            return Some(key.clone());
        }
        match (own.get("Export"), output.get("Export")) {
            (Some(one), Some(other)) if one != other => return Some(key.clone()),
            (None, Some(export)) => own["Export"] = export.clone(),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;
    use sha2::{Digest as _, Sha256};

    use super::*;
    use crate::config::Config;
    use crate::text::hex;

    /// An assembly of one stack, in a region of its own where one is given.
    fn assembly(directory: &Path, region: Option<&str>, template: &Value) -> Assembly {
        let text = template.to_string();
        let mut stack = json!({
            "name": "edge-prod", "id": "edge", "template": "edge-prod.template.json",
            "sha256": hex(&Sha256::digest(&text)),
        });
        if let Some(region) = region {
            stack["region"] = json!(region);
        }
        let resources = template["Resources"].as_object().expect("are there");
        let resources: serde_json::Map<_, _> = resources
            .iter()
            .map(|(id, body)| {
                (
                    id.clone(),
                    json!({"type": body["Type"], "source": "a.rs:1:1"}),
                )
            })
            .collect();
        stack["resources"] = resources.into();
        let outputs: serde_json::Map<_, _> = template["Outputs"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, _)| (key.clone(), json!({})))
            .collect();
        stack["outputs"] = outputs.into();
        let manifest = json!({
            "format": 1, "stage": "prod", "stacks": [stack], "assets": {}, "contracts": {},
        });
        std::fs::write(directory.join("manifest.json"), manifest.to_string()).expect("is written");
        std::fs::write(directory.join("edge-prod.template.json"), text).expect("is written");
        Assembly::read(directory).expect("is valid")
    }

    fn assigned(
        stage: &str,
        rendered: &[(Option<&str>, Value)],
    ) -> Result<(Vec<Assigned>, Vec<Assembly>)> {
        let config: Config = toml::from_str(&format!("[stages.prod]\n{stage}")).expect("is valid");
        let config = config.stages.into_values().next().expect("is there");
        let environments: Vec<&Stage> = config.environments().iter().collect();
        let mut assemblies: Vec<Assembly> = rendered
            .iter()
            .map(|(region, template)| {
                let directory = tempfile::tempdir().expect("a directory");
                assembly(directory.path(), *region, template)
            })
            .collect();
        let assigned = assign(&environments, &mut assemblies, false)?;
        Ok((assigned, assemblies))
    }

    fn topic(name: &str, outputs: &Value) -> Value {
        json!({
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}},
            "Outputs": outputs,
        })
    }

    #[test]
    fn a_stack_of_one_region_is_deployed_by_the_first_with_the_outputs_of_all() {
        let reference = json!({"Ref": "Topic"});
        let (assigned, assemblies) = assigned(
            r#"regions = ["eu-west-1", "us-east-1"]"#,
            &[
                (Some("us-east-1"), topic("t", &json!({"Arn": {"Value": reference}}))),
                // In its own region it is imported, so it exports.
                (
                    Some("us-east-1"),
                    topic("t", &json!({"Arn": {"Value": reference, "Export": {"Name": "edge:Arn"}}, "Name": {"Value": "t"}})),
                ),
            ],
        )
        .expect("agree");
        let edge = "edge-prod".to_owned();
        assert_eq!(
            assigned,
            [
                Assigned {
                    owns: BTreeMap::from([(edge.clone(), vec![1])]),
                    ..Assigned::default()
                },
                Assigned {
                    elsewhere: BTreeMap::from([(edge, 0)]),
                    ..Assigned::default()
                }
            ]
        );
        let template = assemblies[0].template("edge-prod").expect("is there");
        assert_eq!(
            template.json["Outputs"],
            json!({"Arn": {"Value": reference, "Export": {"Name": "edge:Arn"}}, "Name": {"Value": "t"}})
        );
        let parsed: Value = serde_json::from_str(&template.text).expect("is JSON");
        assert_eq!(parsed, template.json);
        let manifest = &assemblies[0].manifest.stacks[0];
        assert_eq!(manifest.sha256, hex(&Sha256::digest(&template.text)));
        assert!(manifest.outputs.contains_key("Name"));
    }

    #[test]
    fn every_environment_deploys_what_is_its_own() {
        let own = topic("t", &json!({}));
        let (apart, _) = assigned(
            r#"regions = ["eu-west-1", "us-east-1"]"#,
            &[(None, own.clone()), (None, own.clone())],
        )
        .expect("agree");
        assert_eq!(apart, [Assigned::default(), Assigned::default()]);
        // Accounts have nothing in common.
        let (apart, _) = assigned(
            "environments = [{region = \"eu-west-1\", account = \"111111111111\"}, {region = \"eu-west-1\", account = \"222222222222\"}]",
            &[(Some("us-east-1"), own.clone()), (Some("us-east-1"), own)],
        )
        .expect("agree");
        assert_eq!(apart, [Assigned::default(), Assigned::default()]);
    }

    #[test]
    fn a_stack_of_one_region_that_differs_is_refused() {
        let none = json!({});
        for (other, place) in [
            (topic("u", &none), "Resources.Topic.Properties.TopicName"),
            (topic("t", &json!({"Arn": {"Value": "x"}})), "Outputs.Arn"),
        ] {
            let first = topic("t", &json!({"Arn": {"Value": "y"}}));
            let error = assigned(
                r#"regions = ["eu-west-1", "eu-west-2"]"#,
                &[(Some("us-east-1"), first), (Some("us-east-1"), other)],
            )
            .expect_err("differ");
            assert_eq!(
                error.causes(),
                [format!("{place} differs between eu-west-1 and eu-west-2")]
            );
        }
    }
}
