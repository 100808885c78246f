//! From templates to a graph.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::kind::{Drawn, drawn};
use crate::reference::{Named, named};
use crate::{Graph, Node, Place, Template};

/// Reads the graph of templates. What is `told` is drawn although it only makes the rest work.
pub(crate) fn read(templates: &[Template<'_>], told: &BTreeSet<Place>) -> Graph {
    let exports = exports(templates);
    let mut graph = Graph::default();
    for template in templates {
        for (logical_id, resource) in resources(template) {
            let place = place(template, logical_id);
            if is_node(template, resource) || told.contains(&place) {
                let node = Node {
                    label: label(templates, &exports, template, logical_id, resource),
                    resource_type: type_of(resource).to_owned(),
                };
                graph.nodes.insert(place, node);
            }
        }
    }
    for template in templates {
        let places = Places {
            template,
            exports: &exports,
            nodes: &graph.nodes,
        };
        let mut edges = BTreeSet::new();
        for (logical_id, resource) in resources(template) {
            edges.extend(places.edges(logical_id, resource));
        }
        graph.edges.extend(edges);
    }
    graph.edges.retain(|(from, to)| from != to);
    drop_lonely(&mut graph, told);
    graph
}

/// What the exports of stacks carry.
pub(crate) struct Exports(BTreeMap<String, Place>);

impl Exports {
    pub(crate) fn of(templates: &[Template<'_>]) -> Self {
        Self(exports(templates))
    }

    /// Returns the resources that a value in a template names, drawn or not.
    pub(crate) fn named(&self, template: &Template<'_>, value: &Value) -> BTreeSet<Place> {
        named(value)
            .into_iter()
            .filter_map(|name| match name {
                Named::Here(logical_id) => resource(template, &logical_id)
                    .is_some()
                    .then(|| place(template, &logical_id)),
                Named::Export(export) => self.0.get(&export).cloned(),
            })
            .collect()
    }
}

/// Finds what resources name.
struct Places<'a> {
    template: &'a Template<'a>,
    exports: &'a BTreeMap<String, Place>,
    nodes: &'a BTreeMap<Place, Node>,
}

impl Places<'_> {
    fn edges(&self, logical_id: &str, resource: &Value) -> Vec<(Place, Place)> {
        let own = place(self.template, logical_id);
        let properties = &resource["Properties"];
        let cross = |from: BTreeSet<Place>, to: &BTreeSet<Place>| {
            from.into_iter()
                .flat_map(|from| to.iter().map(move |to| (from.clone(), to.clone())))
                .collect::<Vec<_>>()
        };
        let is_drawn = self.nodes.contains_key(&own);
        match drawn(type_of(resource)) {
            Drawn::Arrow(from, to) if is_drawn => {
                let own = BTreeSet::from([own]);
                let mut edges = Vec::new();
                for from in self.named_by(properties, from) {
                    edges.extend(cross(BTreeSet::from([from]), &own));
                }
                edges.extend(cross(own, &self.named_by(properties, to)));
                edges
            }
            Drawn::Arrow(from, to) => cross(
                self.named_by(properties, from),
                &self.named_by(properties, to),
            ),
            _ if !is_drawn => Vec::new(),
            Drawn::Node | Drawn::Hidden => cross(BTreeSet::from([own]), &self.named_in(properties)),
            Drawn::Fed(by) => {
                let feeders = self.named_by(properties, by);
                let fed = feeders.iter().map(|feeder| (feeder.clone(), own.clone()));
                let mut edges: Vec<_> = fed.collect();
                let mut used = self.named_in(properties);
                used.retain(|place| !feeders.contains(place));
                edges.extend(used.into_iter().map(|used| (own.clone(), used)));
                edges
            }
        }
    }

    fn named_by(&self, properties: &Value, names: &[&str]) -> BTreeSet<Place> {
        names
            .iter()
            .flat_map(|name| self.named_in(&properties[*name]))
            .collect()
    }

    /// Returns the nodes that a value names. What names a hidden integration of an HTTP API means its target.
    fn named_in(&self, value: &Value) -> BTreeSet<Place> {
        let mut places = BTreeSet::new();
        for name in named(value) {
            match name {
                Named::Here(logical_id) => {
                    let place = place(self.template, &logical_id);
                    if self.nodes.contains_key(&place) {
                        places.insert(place);
                    } else if let Some(resource) = resource(self.template, &logical_id)
                        && type_of(resource) == "AWS::ApiGatewayV2::Integration"
                    {
                        places.extend(self.named_in(&resource["Properties"]["IntegrationUri"]));
                        places.extend(self.named_in(&resource["Properties"]["RequestParameters"]));
                    } else if let Some(function) = function_of(self.template, &logical_id) {
                        places.insert(function);
                    }
                }
                Named::Export(export) => {
                    let exported = self.exports.get(&export);
                    places.extend(
                        exported
                            .filter(|place| self.nodes.contains_key(place))
                            .cloned(),
                    );
                }
            }
        }
        places
    }
}

/// Leaves out what no arrow leads to or from, unless nothing else is there or it is told.
fn drop_lonely(graph: &mut Graph, told: &BTreeSet<Place>) {
    let connected: BTreeSet<&Place> = graph
        .edges
        .iter()
        .flat_map(|(from, to)| [from, to])
        .collect();
    if !connected.is_empty() {
        let connected: BTreeSet<Place> = connected.into_iter().cloned().collect();
        graph.nodes.retain(|place, node| {
            connected.contains(place)
                || told.contains(place)
                || !node.resource_type.starts_with("AWS::CloudWatch::")
        });
    }
}

/// Returns what every export carries.
fn exports(templates: &[Template<'_>]) -> BTreeMap<String, Place> {
    let mut exports = BTreeMap::new();
    for template in templates {
        for output in template.json["Outputs"]
            .as_object()
            .into_iter()
            .flat_map(|outputs| outputs.values())
        {
            if let Some(name) = output["Export"]["Name"].as_str()
                && let Some(Named::Here(logical_id)) = named(&output["Value"]).first()
            {
                let place = function_of(template, logical_id)
                    .unwrap_or_else(|| place(template, logical_id));
                exports.insert(name.to_owned(), place);
            }
        }
    }
    exports
}

/// Returns the function that an alias stands for, where it is one.
fn function_of(template: &Template<'_>, alias: &str) -> Option<Place> {
    let alias = resource(template, alias)?;
    if type_of(alias) != "AWS::Lambda::Alias" {
        return None;
    }
    match named(&alias["Properties"]["FunctionName"])
        .into_iter()
        .next()?
    {
        Named::Here(function) => Some(place(template, &function)),
        Named::Export(_) => None,
    }
}

fn is_node(template: &Template<'_>, resource: &Value) -> bool {
    let kind = type_of(resource);
    if kind == "AWS::ApiGateway::Method" && resource["Properties"]["Integration"]["Type"] == "MOCK"
    {
        return false;
    }
    match drawn(kind) {
        Drawn::Node | Drawn::Fed(_) => true,
        Drawn::Hidden => kind == "AWS::Logs::LogGroup" && is_target(template, resource),
        Drawn::Arrow(..) => false,
    }
}

/// Returns whether a rule sends events to the log group: then it is more than where somebody's own logs go.
fn is_target(template: &Template<'_>, group: &Value) -> bool {
    let targets: Vec<Named> = resources(template)
        .filter(|(_, resource)| type_of(resource) == "AWS::Events::Rule")
        .flat_map(|(_, rule)| named(&rule["Properties"]["Targets"]))
        .collect();
    resources(template)
        .any(|(id, resource)| resource == group && targets.contains(&Named::Here(id.to_owned())))
}

fn label(
    templates: &[Template<'_>],
    exports: &BTreeMap<String, Place>,
    template: &Template<'_>,
    logical_id: &str,
    resource: &Value,
) -> String {
    let properties = &resource["Properties"];
    match type_of(resource) {
        "AWS::ApiGateway::Method" => {
            let method = properties["HttpMethod"].as_str().unwrap_or_default();
            let path = path(templates, exports, template, &properties["ResourceId"]);
            format!("{method} {path}")
        }
        "AWS::ApiGatewayV2::Route" => properties["RouteKey"]
            .as_str()
            .unwrap_or(logical_id)
            .to_owned(),
        _ => logical_id.to_owned(),
    }
}

/// Returns the path of a resource of a REST API, through the stacks that its segments stand in.
fn path(
    templates: &[Template<'_>],
    exports: &BTreeMap<String, Place>,
    template: &Template<'_>,
    resource_id: &Value,
) -> String {
    let mut segments = Vec::new();
    let mut next = (template, resource_id);
    // A path has as many segments as there are resources at most, so a loop in a template ends.
    let most: usize = templates
        .iter()
        .map(|template| resources(template).count())
        .sum();
    let mut start = "/";
    for _ in 0..=most {
        let place = match named(next.1).first() {
            Some(Named::Here(logical_id)) => Some(place(next.0, logical_id)),
            Some(Named::Export(export)) => {
                let exported = exports.get(export).cloned();
                if exported.is_none() {
                    start = "…/";
                }
                exported
            }
            None => None,
        };
        let parent = place.and_then(|place| {
            let template = templates
                .iter()
                .find(|template| template.stack == place.stack)?;
            let parent = resource(template, &place.logical_id)?;
            (type_of(parent) == "AWS::ApiGateway::Resource").then_some((template, parent))
        });
        let Some((template, parent)) = parent else {
            break;
        };
        segments.push(parent["Properties"]["PathPart"].as_str().unwrap_or("?"));
        next = (template, &parent["Properties"]["ParentId"]);
    }
    segments.reverse();
    format!("{start}{}", segments.join("/"))
}

fn resources<'a>(template: &'a Template<'_>) -> impl Iterator<Item = (&'a str, &'a Value)> {
    template.json["Resources"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(id, resource)| (id.as_str(), resource))
}

fn resource<'a>(template: &'a Template<'_>, logical_id: &str) -> Option<&'a Value> {
    template.json["Resources"].get(logical_id)
}

fn type_of(resource: &Value) -> &str {
    resource["Type"].as_str().unwrap_or_default()
}

fn place(template: &Template<'_>, logical_id: &str) -> Place {
    Place {
        stack: template.stack.to_owned(),
        logical_id: logical_id.to_owned(),
    }
}
