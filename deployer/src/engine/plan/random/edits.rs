//! Changes of a template.

use serde_json::{Map, Value, json};

use super::Choices;
use super::made::{resource, statement};

/// One change of a template.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    /// The JSON pointer to what changes.
    pub(crate) place: String,
    /// What stands there afterwards; nothing, where it goes.
    pub(crate) after: Option<Value>,
}

impl Edit {
    /// Changes a template, where the place is still there.
    pub(crate) fn apply(&self, template: &mut Value) {
        let Some((parent, key)) = self.place.rsplit_once('/') else {
            return;
        };
        let key = key.replace("~1", "/").replace("~0", "~");
        match (template.pointer_mut(parent), &self.after) {
            (Some(Value::Object(entries)), Some(after)) => {
                entries.insert(key, after.clone());
            }
            (Some(Value::Object(entries)), None) => {
                entries.remove(&key);
            }
            (Some(Value::Array(elements)), after) => {
                let position = key.parse().unwrap_or(elements.len());
                match after {
                    Some(after) if position < elements.len() => elements[position] = after.clone(),
                    Some(after) => elements.push(after.clone()),
                    None if position < elements.len() => drop(elements.remove(position)),
                    None => {}
                }
            }
            _ => {}
        }
    }
}

/// Chooses changes of a template, none at a place within that of another one.
pub(crate) fn edits(template: &Value, choices: &mut Choices<'_>, most: usize) -> Vec<Edit> {
    let mut places = Vec::new();
    let resources = template["Resources"].as_object().expect("has resources");
    let parameters = template["Parameters"].as_object();
    for (id, body) in resources {
        let own = format!("/Resources/{id}");
        collect(
            &body["Properties"],
            &format!("{own}/Properties"),
            &mut places,
        );
    }
    let ids: Vec<&String> = resources.keys().collect();
    let mut found: Vec<Edit> = Vec::new();
    for number in 0..choices.below(most + 1) {
        let edit = match choices.below(12) {
            0..=8 if !places.is_empty() => {
                let (place, value) = choices.pick(&places);
                let after = match value {
                    // Elements of lists keep names of their own.
                    Value::String(text) if place.ends_with("Name") => {
                        Some(json!(format!("{text}x")))
                    }
                    _ => other(value, parameters.is_some(), choices),
                };
                // An element that goes would move those behind it away from the places of other changes.
                let is_element = place
                    .rsplit('/')
                    .next()
                    .is_some_and(|key| key.parse::<usize>().is_ok());
                Edit {
                    place: place.clone(),
                    after: after.or_else(|| is_element.then(|| json!("gone"))),
                }
            }
            9 => Edit {
                place: format!("/Resources/{}", choices.pick(&ids)),
                after: None,
            },
            10 => Edit {
                place: format!("/Resources/New{number}"),
                after: Some(resource(choices, 0)),
            },
            _ => Edit {
                place: format!(
                    "/Resources/{}/{}",
                    choices.pick(&ids),
                    choices.pick(&["DeletionPolicy", "UpdateReplacePolicy"])
                ),
                after: [None, Some(json!("Retain")), Some(json!("Delete"))][choices.below(3)]
                    .clone(),
            },
        };
        add(&mut found, edit);
    }
    found
}

/// Adds a change, where it is of no place within that of another one.
fn add(found: &mut Vec<Edit>, edit: Edit) {
    let apart = |one: &str, other: &str| {
        one != other
            && !one.starts_with(&format!("{other}/"))
            && !other.starts_with(&format!("{one}/"))
    };
    if found.iter().all(|known| apart(&known.place, &edit.place)) {
        found.push(edit);
    }
}

/// Gives a template what it may have besides resources: conditions that decide about outputs, and mappings that they take
/// values from.
pub(crate) fn furnished(mut template: Value, choices: &mut Choices<'_>) -> Value {
    let sections = [
        (
            "Conditions",
            json!({
                "IsOne": {"Fn::Equals": [{"Ref": "Kind"}, "one"]},
                "IsHere": {"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]},
            }),
        ),
        (
            "Mappings",
            json!({"Sizes": {"one": {"Size": "1", "Names": ["a", "b"]}, "two": {"Size": "2"}}}),
        ),
        ("Metadata", json!({"Owner": {"Team": "a"}})),
        (
            "Rules",
            json!({"Known": {"Assertions": [{"Assert": {"Fn::Contains": [["one", "two"], {"Ref": "Kind"}]}}]}}),
        ),
    ];
    for (section, value) in sections {
        if choices.chance(70) {
            template[section] = value;
        }
    }
    template["Parameters"]["Kind"] =
        json!({"Type": "String", "Default": choices.pick(&["one", "two"])});
    let condition = choices.pick(&["IsOne", "IsHere"]);
    template["Outputs"]["Size"] = json!({
        "Value": {"Fn::FindInMap": ["Sizes", {"Ref": "Kind"}, "Size"]},
        "Condition": condition,
    });
    template["Outputs"]["Choice"] = json!({
        "Value": {"Fn::If": [condition, {"Ref": "Kind"}, "another"]},
        "Export": {"Name": {"Fn::Sub": "${AWS::StackName}-${Kind}"}},
    });
    template
}

/// Lists what a section of a template has.
fn names<'a>(template: &'a Value, section: &str) -> Vec<&'a String> {
    let entries = template[section].as_object();
    entries.into_iter().flat_map(Map::keys).collect()
}

/// Chooses changes of what a template has besides resources.
pub(crate) fn edits_besides(template: &Value, choices: &mut Choices<'_>, most: usize) -> Vec<Edit> {
    let (outputs, parameters) = (names(template, "Outputs"), names(template, "Parameters"));
    let mut found: Vec<Edit> = Vec::new();
    for number in 0..choices.below(most + 1) {
        let output = format!("/Outputs/{}", choices.pick(&outputs));
        let parameter = format!("/Parameters/{}", choices.pick(&parameters));
        let (place, after) = match choices.below(15) {
            0 => ("/Description".to_owned(), Some(json!("another"))),
            1 => ("/Description".to_owned(), None),
            2 => (
                format!("/Outputs/New{number}"),
                Some(json!({"Value": {"Ref": "AWS::Region"}})),
            ),
            3 => (output, None),
            4 => (
                format!("{output}/Value"),
                Some(json!({"Fn::Sub": "${AWS::StackName}-x"})),
            ),
            5 => (format!("{output}/Export"), Some(json!({"Name": "shared"}))),
            6 => (format!("{output}/Condition"), None),
            7 => (
                format!("/Conditions/New{number}"),
                Some(json!({"Fn::Equals": [{"Ref": "AWS::AccountId"}, "1"]})),
            ),
            8 => (
                "/Conditions/IsOne".to_owned(),
                Some(json!({"Fn::Not": [{"Fn::Equals": [{"Ref": "Kind"}, "one"]}]})),
            ),
            9 => ("/Mappings/Sizes/one/Size".to_owned(), Some(json!(3))),
            10 => (
                "/Mappings/Sizes/one/Names".to_owned(),
                Some(json!(["b", "c"])),
            ),
            11 => (format!("{parameter}/Default"), Some(json!("two"))),
            12 => (format!("{parameter}/Type"), Some(json!("Number"))),
            13 => ("/Metadata/Owner/Team".to_owned(), Some(json!("b"))),
            _ => ("/Rules".to_owned(), None),
        };
        add(&mut found, Edit { place, after });
    }
    found
}

/// Lists the places of a value and of all in it, but for what intrinsics are made of.
fn collect<'a>(value: &'a Value, place: &str, places: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(entries) => {
            let is_intrinsic = entries.len() == 1
                && entries
                    .keys()
                    .all(|key| key == "Ref" || key.starts_with("Fn::"));
            if is_intrinsic {
                return;
            }
            for (key, entry) in entries {
                let place = format!("{place}/{}", key.replace('~', "~0").replace('/', "~1"));
                places.push((place.clone(), entry));
                collect(entry, &place, places);
            }
        }
        Value::Array(elements) => {
            for (position, element) in elements.iter().enumerate() {
                let place = format!("{place}/{position}");
                places.push((place.clone(), element));
                collect(element, &place, places);
            }
        }
        _ => {}
    }
}

/// Chooses what takes the place of a value; nothing, where it goes.
fn other(value: &Value, parameters: bool, choices: &mut Choices<'_>) -> Option<Value> {
    if choices.chance(20) {
        return None;
    }
    Some(match value {
        Value::Bool(value) => json!(!value),
        Value::Number(number) => json!(number.as_i64().unwrap_or_default().saturating_add(1)),
        Value::String(text) => match choices.below(5) {
            0 => json!(format!("{text}x")),
            1 => json!("*"),
            2 => json!("NONE"),
            3 if parameters => json!({"Fn::Sub": "${AWS::StackName}-other"}),
            _ => json!({"Fn::If": ["Unknown", text, "other"]}),
        },
        Value::Array(elements) => {
            let mut elements = elements.clone();
            match choices.below(3) {
                0 => elements.push(elements.first().cloned().unwrap_or_else(|| json!("more"))),
                1 => drop(elements.pop()),
                _ => elements.push(statement(choices)),
            }
            Value::Array(elements)
        }
        Value::Object(entries) => {
            let mut entries = entries.clone();
            entries.insert("Added".to_owned(), json!("more"));
            Value::Object(entries)
        }
        Value::Null => json!("something"),
    })
}
