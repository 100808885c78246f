//! A plan as a page: what changes in every stack, how dangerous it is, why, and what it reaches.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use stack_graph::{Graph, Part, Place, Tone};

use super::{Page, drawing, escape, value};
use crate::engine::plan::{Action, Grade, Plan, PropertyChange, ResourceChange, Said, StackPlan};
use crate::text::count;

/// What the page looks like.
const STYLE: &str = include_str!("changes.css");

/// What runs in the page.
const SCRIPT: &str = concat!(include_str!("drawing.js"), include_str!("changes.js"));

/// The plan of one environment.
#[derive(Debug)]
pub struct Compared<'a> {
    /// How the environment is called, where there are several.
    pub environment: Option<&'a str>,
    /// The plan.
    pub plan: &'a Plan,
    /// The graph of what changes.
    pub graph: &'a Graph,
}

/// How much is shown of a value that is live.
const LIVE: usize = 400;

/// The grades, the most dangerous first.
const GRADES: [Grade; 8] = [
    Grade::Impossible,
    Grade::DataLoss,
    Grade::ExposureWidened,
    Grade::PermissionWidened,
    Grade::Replacement,
    Grade::Interruption,
    Grade::UpdateInPlace,
    Grade::None,
];

/// Renders plans as a page.
pub fn changes(stage: &str, compared: &[Compared<'_>]) -> String {
    let mut body = String::new();
    let changed: Vec<(&Compared<'_>, &StackPlan)> = compared
        .iter()
        .flat_map(|one| one.plan.stacks.iter().map(move |stack| (one, stack)))
        .filter(|(_, stack)| !stack.is_empty())
        .collect();
    // Writing to a string cannot fail.
    if changed.is_empty() {
        body.push_str("<p class=\"about\">Nothing would change.</p>\n");
    } else {
        let resources = changed.iter().map(|(_, stack)| stack.changes.len()).sum();
        let _ = writeln!(
            body,
            "<p class=\"about\">{} of resources in {}. Nothing was changed yet.</p>",
            count(resources, "change"),
            count(changed.len(), "stack")
        );
        filter(&mut body, &changed);
    }
    let mut anchors = Anchors::default();
    for one in compared {
        section(&mut body, one, &mut anchors);
    }
    let style = [&drawing::style(), STYLE, &filters(), &tones()].concat();
    let page = Page {
        title: &format!("Changes of stage {stage}"),
        style: &style,
        script: Some(SCRIPT),
        body: &body,
    };
    page.html()
}

/// Numbers the changes of the page, so that drawings and lists lead to them.
#[derive(Debug, Default)]
struct Anchors {
    last: usize,
}

impl Anchors {
    /// Returns the names of the changes of a plan.
    fn of(&mut self, plan: &Plan) -> BTreeMap<Place, String> {
        let mut anchors = BTreeMap::new();
        for stack in &plan.stacks {
            for change in &stack.changes {
                self.last += 1;
                anchors.insert(place(stack, change), format!("c{}", self.last));
            }
        }
        anchors
    }
}

fn place(stack: &StackPlan, change: &ResourceChange) -> Place {
    Place {
        stack: stack.stack.clone(),
        logical_id: change.logical_id.clone(),
    }
}

/// Writes how many changes there are of each grade, each of which can be left out. That needs no script.
fn filter(body: &mut String, changed: &[(&Compared<'_>, &StackPlan)]) {
    body.push_str("<fieldset class=\"grades\"><legend>Show</legend>\n");
    for grade in GRADES {
        let of_grade = |(_, stack): &(&Compared<'_>, &StackPlan)| {
            let all = stack.changes.iter();
            all.filter(|change| change.grade == grade).count()
        };
        let number: usize = changed.iter().map(of_grade).sum();
        if number > 0 {
            let _ = writeln!(
                body,
                "<label class=\"chip {tone}\"><input type=\"checkbox\" id=\"f-{key}\" checked> <b>{number}</b> {words}</label>",
                tone = tone(grade, false).class(),
                key = key(grade),
                words = words(grade),
            );
        }
    }
    body.push_str("</fieldset>\n");
}

/// Returns the rules by which what is not to be shown is not.
fn filters() -> String {
    let mut rules = String::new();
    for grade in GRADES {
        let key = key(grade);
        let _ = writeln!(
            rules,
            "body:has(#f-{key}:not(:checked)) .g-{key}{{display:none}}"
        );
        for leaves in [false, true] {
            let class = tone(grade, leaves).class();
            if leaves && grade != Grade::None {
                continue;
            }
            let _ = writeln!(
                rules,
                "body:has(#f-{key}:not(:checked)) svg g.{class}:not(.swatch){{opacity:.15}}"
            );
        }
    }
    rules
}

/// Returns the colours of what is dangerous, for what is no drawing.
fn tones() -> String {
    let rules = |colours: fn(Tone) -> (&'static str, &'static str)| -> String {
        let rule = |tone: &Tone| {
            let (strong, soft) = colours(*tone);
            format!(".{}{{--strong:{strong};--soft:{soft}}}", tone.class())
        };
        Tone::ALL.iter().map(rule).collect::<Vec<_>>().concat()
    };
    format!(
        "{}\n@media screen and (prefers-color-scheme:dark){{{}}}\n",
        rules(Tone::light),
        rules(Tone::dark)
    )
}

fn section(body: &mut String, one: &Compared<'_>, anchors: &mut Anchors) {
    if let Some(environment) = one.environment {
        let _ = writeln!(body, "<h2>{}</h2>", escape(environment));
    }
    let name = format!("d{}", anchors.last);
    let anchors = anchors.of(one.plan);
    alarm(body, one.plan, &anchors);
    let links: BTreeMap<Place, String> = anchors
        .iter()
        .map(|(place, anchor)| (place.clone(), format!("#{anchor}")))
        .collect();
    if !one.graph.marks().is_empty() {
        let part = Part {
            name: &name,
            links: &links,
        };
        drawing::figure(
            body,
            one.graph,
            "What changes, and what stands next to it",
            &part,
        );
    }
    let (unchanged, changed): (Vec<_>, Vec<_>) = (one.plan.stacks.iter()).partition(|stack| {
        let told = stack.note.is_none() && stack.said.is_empty();
        stack.is_empty() && told && stack.is_live_as_deployed()
    });
    for stack in changed {
        of_stack(body, stack, one.graph, &anchors);
    }
    if !one.plan.is_empty() {
        let _ = writeln!(
            body,
            "<p class=\"about\">SHA-256 of all changes: <code>{}</code></p>",
            one.plan.digest()
        );
    }
    if !unchanged.is_empty() {
        let names: Vec<String> = unchanged
            .iter()
            .map(|stack| format!("<code>{}</code>", escape(&stack.stack)))
            .collect();
        let _ = writeln!(
            body,
            "<p class=\"about\">Unchanged: {}</p>",
            names.join(", ")
        );
    }
}

/// Lists what is dangerous, the most dangerous first.
fn alarm(body: &mut String, plan: &Plan, anchors: &BTreeMap<Place, String>) {
    let dangerous: Vec<_> = GRADES
        .into_iter()
        .filter(|grade| *grade == Grade::Impossible || Grade::DANGERS.contains(grade))
        .flat_map(|grade| plan.of_grade(grade))
        // What holds nothing is replaced every day.
        .filter(|(_, change)| change.grade != Grade::Replacement || !change.dangers.is_empty())
        .collect();
    let Some((_, first)) = dangerous.first() else {
        return;
    };
    let _ = writeln!(
        body,
        "<section class=\"alarm {}\"><h2>Look at {} first</h2>\n<ul>",
        tone(first.grade, false).class(),
        if dangerous.len() == 1 {
            "this"
        } else {
            "these"
        }
    );
    for (stack, change) in dangerous {
        let anchor = anchors.get(&place(stack, change));
        let _ = writeln!(
            body,
            "<li class=\"g-{key}\">{badge} <a href=\"#{anchor}\"><code>{stack}/{id}</code></a>: {reason}</li>",
            key = key(change.grade),
            badge = badge(change),
            anchor = anchor.map_or("", String::as_str),
            stack = escape(&stack.stack),
            id = escape(&change.logical_id),
            reason = escape(change.reasons.first().map_or("", String::as_str)),
        );
    }
    body.push_str("</ul></section>\n");
}

fn of_stack(
    body: &mut String,
    stack: &StackPlan,
    graph: &Graph,
    anchors: &BTreeMap<Place, String>,
) {
    let about = if stack.is_empty() {
        "unchanged".to_owned()
    } else {
        let changes = count(stack.changes.len(), "change");
        let new = if stack.create { "new, " } else { "" };
        format!("{new}{changes}")
    };
    let open = if stack.is_empty() { "" } else { " open" };
    let _ = writeln!(
        body,
        "<details class=\"stack\"{open}><summary><span>{}</span> <small>{about}</small></summary>",
        escape(&stack.stack)
    );
    if let Some(note) = &stack.note {
        let _ = writeln!(body, "<p class=\"note\">{}</p>", escape(note));
    }
    for reason in &stack.refused {
        let _ = writeln!(
            body,
            "<p class=\"note\"><strong>CANNOT BE DEPLOYED</strong> {}</p>",
            escape(reason)
        );
    }
    for line in stack.live_incomplete() {
        let _ = writeln!(body, "<p class=\"note\">{}</p>", escape(&line));
    }
    for live in stack.live_alone() {
        let _ = writeln!(
            body,
            "<p class=\"note\">live: <code>{}</code> <span class=\"type\">{}</span></p>",
            escape(&live.logical_id),
            escape(&live.resource_type)
        );
        list(body, live.lines(LIVE).iter().map(|line| escape(line)));
    }
    said(body, &stack.said, None);
    if !stack.is_empty() {
        body.push_str("<ul class=\"tree\">\n");
        for change in &stack.changes {
            resource(body, stack, change, graph, anchors);
        }
        if !stack.other.is_empty() {
            let other: Vec<&PropertyChange> = stack.other.iter().collect();
            let _ = writeln!(
                body,
                "<li class=\"change {}\"><details><summary><span class=\"sign\">~</span> <span class=\"word\">update</span> \
                 <span>{}</span></summary><div class=\"body\"><table>",
                Tone::InPlace.class(),
                escape(&PropertyChange::besides(&other).join(", "))
            );
            for property in &stack.other {
                value::row(body, property);
            }
            body.push_str("</table></div></details></li>\n");
        }
        body.push_str("</ul>\n");
    }
    body.push_str("</details>\n");
}

fn resource(
    body: &mut String,
    stack: &StackPlan,
    change: &ResourceChange,
    graph: &Graph,
    anchors: &BTreeMap<Place, String>,
) {
    let place = place(stack, change);
    let open = if change.grade >= Grade::Interruption {
        " open"
    } else {
        ""
    };
    let (sign, word) = sign(change.action);
    let _ = writeln!(
        body,
        "<li class=\"change g-{key} {tone}\"><details{open}><summary><span class=\"sign\">{sign}</span> \
         <span class=\"word\">{word}</span> <code class=\"name\">{id}</code> <span class=\"type\">{kind}</span> {badge}</summary>\n\
         <div class=\"body\" id=\"{anchor}\">",
        key = key(change.grade),
        tone = tone_of(change).class(),
        id = escape(&change.logical_id),
        kind = escape(&change.resource_type),
        badge = badge(change),
        anchor = anchors.get(&place).map_or("", String::as_str),
    );
    said(body, &change.said, Some(&change.logical_id));
    let code = change.code.iter();
    let code = code.map(|code| escape(&format!("its code changed: {code}")));
    let reasons = change.told_reasons().map(|reason| escape(reason));
    let live = stack.live_of(&change.logical_id).into_iter();
    let live = live.flat_map(|live| live.lines(LIVE));
    let live = live.map(|line| format!("<strong>live: {}</strong>", escape(&line)));
    list(body, reasons.chain(code).chain(live));
    let properties: Vec<_> = change.beside_texts().collect();
    table(body, &properties);
    for text in &change.texts {
        value::text(body, text);
    }
    let policies: Vec<&PropertyChange> = change.told_properties().collect();
    if !policies.is_empty() {
        body.push_str("<details class=\"policies\"><summary>as it is written</summary>");
        table(body, &policies);
        body.push_str("</details>\n");
    }
    let reached = graph.reach().iter().filter(|(from, _)| *from == place);
    let reached: Vec<String> = reached
        .map(|(_, to)| {
            let name = if to.stack == place.stack {
                to.logical_id.clone()
            } else {
                format!("{}/{}", to.stack, to.logical_id)
            };
            let anchor = anchors.get(to).map_or("", String::as_str);
            format!("<a href=\"#{anchor}\"><code>{}</code></a>", escape(&name))
        })
        .collect();
    if !reached.is_empty() {
        let _ = writeln!(body, "<p>It reaches {}.</p>", reached.join(", "));
    }
    if let Some(source) = &change.source {
        let _ = writeln!(body, "<p>Declared in <code>{}</code></p>", escape(source));
    }
    if !change.sources.is_empty() {
        let pages = change.sources.iter().map(|page| {
            let page = escape(page);
            format!("<a href=\"{page}\" rel=\"noreferrer\">{page}</a>")
        });
        let pages: Vec<String> = pages.collect();
        let _ = writeln!(body, "<p>AWS says so: {}</p>", pages.join(", "));
    }
    body.push_str("</div></details></li>\n");
}

/// Writes what CloudFormation says, once there is a change set.
fn said(body: &mut String, said: &Said, of: Option<&str>) {
    let lines = said.lines(of).into_iter().map(|(weighty, line)| {
        let line = escape(&line);
        if weighty {
            format!("<strong>{line}</strong>")
        } else {
            line
        }
    });
    list(body, lines);
}

fn table(body: &mut String, properties: &[&PropertyChange]) {
    if !properties.is_empty() {
        body.push_str("<table>\n");
        for property in properties {
            value::row(body, property);
        }
        body.push_str("</table>\n");
    }
}

fn list(body: &mut String, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.map(|item| format!("<li>{item}</li>")).collect();
    if !items.is_empty() {
        let _ = writeln!(body, "<ul>{}</ul>", items.concat());
    }
}

/// Writes what is dangerous in words.
fn badge(change: &ResourceChange) -> String {
    if change.grade <= Grade::UpdateInPlace {
        return String::new();
    }
    format!(
        "<span class=\"badge {}\">{}</span>",
        tone_of(change).class(),
        words(change.grade)
    )
}

fn tone_of(change: &ResourceChange) -> Tone {
    let leaves = matches!(change.action, Action::Delete | Action::Retain);
    tone(change.grade, leaves)
}

const fn tone(grade: Grade, leaves: bool) -> Tone {
    match grade {
        Grade::None if leaves => Tone::Leaves,
        Grade::None => Tone::New,
        Grade::UpdateInPlace => Tone::InPlace,
        Grade::Interruption => Tone::Interruption,
        Grade::Replacement => Tone::Replacement,
        Grade::PermissionWidened => Tone::Permission,
        Grade::ExposureWidened => Tone::Exposure,
        Grade::DataLoss => Tone::Loss,
        Grade::Impossible => Tone::Impossible,
    }
}

const fn words(grade: Grade) -> &'static str {
    match grade {
        Grade::None => "nothing touched",
        Grade::UpdateInPlace => "in place",
        Grade::Interruption => "interruption",
        Grade::Replacement => "replacement",
        Grade::PermissionWidened => "permission widened",
        Grade::ExposureWidened => "exposure widened",
        Grade::DataLoss => "data loss",
        Grade::Impossible => "cannot be deployed",
    }
}

/// Returns the grade as it is called in JSON.
const fn key(grade: Grade) -> &'static str {
    match grade {
        Grade::None => "none",
        Grade::UpdateInPlace => "update_in_place",
        Grade::Interruption => "interruption",
        Grade::Replacement => "replacement",
        Grade::PermissionWidened => "permission_widened",
        Grade::ExposureWidened => "exposure_widened",
        Grade::DataLoss => "data_loss",
        Grade::Impossible => "impossible",
    }
}

/// Returns the sign of what happens, as it stands in a page, and the word.
const fn sign(action: Action) -> (&'static str, &'static str) {
    match action {
        Action::Create => ("+", "create"),
        Action::Update => ("~", "update"),
        Action::Replace => ("±", "replace"),
        Action::Delete => ("-", "delete"),
        Action::Import => ("&lt;", "import"),
        Action::Retain => ("&gt;", "retain"),
    }
}
