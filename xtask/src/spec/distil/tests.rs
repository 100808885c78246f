use serde_json::{Value, json};

use super::distil;

/// The lines of a schema with the given keywords.
fn lines(more: Value) -> String {
    let mut schema = json!({"properties": {}, "additionalProperties": false});
    if let (Some(schema), Value::Object(more)) = (schema.as_object_mut(), more) {
        schema.extend(more);
    }
    distil("A::B::C", &schema, &mut Vec::new()).to_string()
}

#[track_caller]
fn check(schema: Value, wanted: &[&str]) {
    assert_eq!(lines(schema).lines().collect::<Vec<_>>(), wanted);
}

#[test]
fn kinds_and_limits() {
    check(
        json!({
            "required": ["Text", "Unlisted"],
            "properties": {
                "Bool": {"type": "boolean", "default": true},
                "Count": {"type": "integer", "minimum": 0, "maximum": 5},
                "Either": {"type": ["object", "string"]},
                "Free": {"type": "object"},
                "Numbers": {"type": "array", "items": {"type": "number"}, "minItems": 0, "uniqueItems": true},
                "Odd name!": {"type": "string", "const": "a|b c"},
                "Text": {"type": "string", "minLength": 0, "maxLength": 9, "pattern": "^a b$"},
                "Values": {"type": "object", "patternProperties": {"^x$": {"type": "string", "enum": ["a", "b"]}}},
            },
        }),
        &[
            "type A::B::C",
            "  Bool b default=true",
            "  Count i range=0..5",
            "  Either jos",
            "  Free jo",
            "  Numbers [ unique > n",
            "  Odd~_name~e s enum=a~/b~_c",
            "  Text! s len=..9 pat=^a~_b$",
            "  Values { keys=^x$ > s enum=a|b",
        ],
    );
}

#[test]
fn shapes_are_shared_by_reference_and_named_by_place() {
    check(
        json!({
            "properties": {
                "First": {"$ref": "#/definitions/key-value"},
                "Inner": {"type": "object", "properties": {"Deep": {"properties": {"X": {"type": "string"}}}}},
                "List": {"$ref": "#/definitions/Pairs"},
                "More": {"$ref": "#/definitions/Pairs", "maxItems": 2},
                "Second": {"type": "array", "items": {"$ref": "#/definitions/key-value"}},
            },
            "definitions": {
                "key-value": {"type": "object", "additionalProperties": false, "properties": {"K": {"type": "string"}}},
                "Pairs": {"type": "array", "items": {"properties": {"L": {"type": "string"}}}},
            },
        }),
        &[
            "type A::B::C",
            "  First :KeyValue",
            "  Inner :Inner",
            "  List [ > :PairsItem",
            "  More [ len=..2 > :PairsItem",
            "  Second [ > :KeyValue",
            "shape Inner open",
            "  Deep :InnerDeep",
            "shape InnerDeep open",
            "  X s",
            "shape KeyValue",
            "  K s",
            "shape PairsItem open",
            "  L s",
        ],
    );
}

#[test]
fn recursion_ends() {
    check(
        json!({
            "properties": {"A": {"$ref": "#/definitions/Node"}, "B": {"$ref": "#/definitions/Loop"}},
            "definitions": {
                "Node": {"properties": {"Next": {"$ref": "#/definitions/Node"}}, "additionalProperties": false},
                "Loop": {"$ref": "#/definitions/Loop"},
            },
        }),
        &[
            "type A::B::C",
            "  A :Node",
            "  B j",
            "shape Node",
            "  Next :Node",
        ],
    );
}

#[test]
fn alternatives() {
    check(
        json!({
            "properties": {
                "Any": {"anyOf": [{"format": "X.Arn"}, {"format": "X.Id"}], "type": "string"},
                "Mixed": {"oneOf": [{"type": "string"}, {"type": "object"}]},
                "Union": {"oneOf": [
                    {"type": "object", "required": ["P"], "properties": {"P": {"type": "string"}}, "additionalProperties": false},
                    {"type": "object", "required": ["Q"], "properties": {"Q": {"type": "string"}}, "additionalProperties": false},
                ]},
            },
            "oneOf": [{"required": ["Any"]}, {"required": ["Mixed", "Union"]}],
            "dependentExcluded": {"Any": ["Mixed"]},
            "dependentRequired": {"Mixed": ["Union"]},
        }),
        &[
            "type A::B::C",
            "needs Mixed Union",
            "excludes Any Mixed",
            "oneof Any Mixed+Union",
            "  Any s fmt=X.Arn|X.Id",
            "  Mixed jos",
            "  Union :Union",
            // Nothing says that only one of them is possible beyond the keys that each accepts.
            "shape Union",
            "anyof P Q",
            "  P s",
            "  Q s",
        ],
    );
}

#[test]
fn headers_and_paths() {
    let schema = json!({
        "properties": {
            "Id": {"type": "string"},
            "Map": {"type": "object", "patternProperties": {".*": {"$ref": "#/definitions/Rule"}}},
            "Free": {"type": "object"},
            "Rules": {"type": "array", "items": {"$ref": "#/definitions/Rule"}},
            "Tags": {"type": "object", "patternProperties": {".*": {"type": "string"}}},
        },
        "definitions": {"Rule": {"properties": {"Name": {"type": "string"}}}},
        "primaryIdentifier": ["/properties/Id"],
        "additionalIdentifiers": [["/properties/Rules/*/Name"]],
        "createOnlyProperties": ["/properties/Rules/items/properties/Name", "/properties/Free/Any", "/properties/None"],
        "readOnlyProperties": ["/properties/Map/*/Name", "/properties/Id", "/properties/Rules/Name"],
        "replacementStrategy": "delete_then_create",
        "handlers": {"create": {}},
        "attributes": ["*"],
    });
    let mut dropped = Vec::new();
    let spec = distil("A::B::C", &schema, &mut dropped).to_string();
    let header: Vec<&str> = spec
        .lines()
        .take_while(|line| !line.starts_with("  "))
        .collect();
    assert_eq!(
        header,
        [
            "type A::B::C open",
            "id Id",
            "alternative Rules/*/Name",
            "tags Tags",
            "create Free/Any Rules/*/Name",
            "read Id Map/*/Name Rules/*/Name",
            "attributes *",
            "traits no-update delete-first",
        ]
    );
    assert_eq!(dropped, ["A::B::C \"/properties/None\""]);
}
