//! How an answer's schema is told to a model, and how its text is read back.
//!
//! Providers refuse keywords that they cannot compile. What is taken away here
//! is still held against the answer: it is checked with the whole schema.

use serde_json::{Map, Value};

/// Keywords whose value is a map from names to schemas.
const NAMED_SCHEMAS: [&str; 3] = ["properties", "$defs", "definitions"];

/// Keywords that every dialect accepts as they stand.
const KEPT: [&str; 6] = ["type", "enum", "const", "required", "description", "$ref"];

/// String formats that are understood; others, such as `uint32`, are refused.
const FORMATS: [&str; 8] =
    ["date-time", "time", "date", "duration", "email", "uri", "uuid", "hostname"];

/// A schema for constrained decoding: objects closed, and only keywords that compile.
pub(super) fn constrained(schema: &Value) -> Value {
    let Value::Object(keywords) = schema else { return schema.clone() };
    let mut kept = Map::new();
    for (keyword, value) in keywords {
        if let Some((keyword, value)) = constrained_keyword(keyword, value) {
            kept.insert(keyword, value);
        }
    }
    if kept.contains_key("properties") || kept.get("type") == Some(&Value::from("object")) {
        kept.insert("additionalProperties".into(), Value::Bool(false));
    }
    Value::Object(kept)
}

fn constrained_keyword(keyword: &str, value: &Value) -> Option<(String, Value)> {
    let all = |schemas: &Vec<Value>| Value::Array(schemas.iter().map(constrained).collect());
    match (keyword, value) {
        (name, Value::Object(schemas)) if NAMED_SCHEMAS.contains(&name) => {
            let schemas = schemas.iter().map(|(name, schema)| (name.clone(), constrained(schema)));
            Some((name.into(), Value::Object(schemas.collect())))
        }
        ("anyOf" | "oneOf", Value::Array(schemas)) => Some(("anyOf".into(), all(schemas))),
        ("allOf", Value::Array(schemas)) => Some(("allOf".into(), all(schemas))),
        ("items", schema) => Some(("items".into(), constrained(schema))),
        ("minItems", least) if least.as_u64().is_some_and(|least| least <= 1) => {
            Some(("minItems".into(), least.clone()))
        }
        ("format", Value::String(format)) if FORMATS.contains(&format.as_str()) => {
            Some(("format".into(), value.clone()))
        }
        (kept, value) if KEPT.contains(&kept) => Some((kept.into(), value.clone())),
        _ => None,
    }
}

/// The schema in OpenAI's strict dialect, where every property is required and an optional one
/// may be null; `None` when an optional property does not allow null.
pub(super) fn all_required(schema: &Value) -> Option<Value> {
    match schema {
        Value::Object(keywords) => {
            let mut all = Map::new();
            for (keyword, value) in keywords {
                all.insert(keyword.clone(), all_required(value)?);
            }
            if let Some(Value::Object(properties)) = keywords.get("properties") {
                let required = keywords.get("required").and_then(Value::as_array);
                let is_required = |name: &str| {
                    required.is_some_and(|names| names.iter().any(|required| required == name))
                };
                let mut optional = properties.iter().filter(|(name, _)| !is_required(name));
                if !optional.all(|(_, schema)| allows_null(schema)) {
                    return None;
                }
                all.insert("required".into(), properties.keys().cloned().collect());
            }
            Some(Value::Object(all))
        }
        Value::Array(items) => items.iter().map(all_required).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Some(schema.clone()),
    }
}

fn allows_null(schema: &Value) -> bool {
    let is_null = |kind: &Value| kind == "null";
    is_null(&schema["type"])
        || schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(is_null))
        || schema["anyOf"].as_array().is_some_and(|any| any.iter().any(allows_null))
}

/// The system prompt with the schema in it, for a model that can only be told.
pub(super) fn instruct(system: &str, schema: &Value) -> String {
    format!(
        "{system}\n\nAnswer with one JSON object that fits this JSON Schema, and with nothing \
         else:\n{schema}"
    )
}

/// The JSON object that a text is, or the last one that it holds: models put answers in code
/// fences, and say something before them.
pub(super) fn read(text: &str) -> Option<Value> {
    let text = text.trim();
    if let Ok(whole) = serde_json::from_str::<Value>(text) {
        return Some(whole).filter(Value::is_object);
    }
    last_object(text)
}

/// How many opening braces are tried as an object's beginning.
const MOST_BRACES: usize = 64;

/// The last whole object in a text, an object's own parts aside.
fn last_object(text: &str) -> Option<Value> {
    let mut last = None;
    let mut from = 0;
    for _ in 0..MOST_BRACES {
        let Some(at) = text[from..].find('{').map(|at| from + at) else { break };
        let mut values = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
        match values.next() {
            Some(Ok(object)) => {
                from = at + values.byte_offset();
                // Empty braces in prose are no answer, unless there is no other.
                if last.is_none() || object.as_object().is_some_and(|object| !object.is_empty()) {
                    last = Some(object);
                }
            }
            Some(Err(_)) | None => from = at + 1,
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_cannot_be_compiled_is_taken_away_and_objects_are_closed() {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Base",
            "type": "object", "required": ["title", "share"],
            "properties": {
                "title": {"type": "string", "minLength": 1, "maxLength": 80},
                "share": {"type": "number", "format": "double", "minimum": 0, "maximum": 100},
                "steps": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/Step"}},
                "kind": {"oneOf": [{"const": "paid"}, {"const": "due"}]},
            },
            "$defs": {"Step": {"type": "object", "properties": {"day": {"type": "string", "format": "date"}}}},
        });
        let expected = json!({
            "type": "object", "required": ["title", "share"], "additionalProperties": false,
            "properties": {
                "title": {"type": "string"},
                "share": {"type": "number"},
                "steps": {"type": "array", "items": {"$ref": "#/$defs/Step"}},
                "kind": {"anyOf": [{"const": "paid"}, {"const": "due"}]},
            },
            "$defs": {"Step": {"type": "object", "additionalProperties": false,
                "properties": {"day": {"type": "string", "format": "date"}}}},
        });
        assert_eq!(constrained(&schema), expected);
    }

    #[test]
    fn an_object_is_read_from_fences_and_after_prose() {
        for text in [
            " {\"a\": 1}\n",
            "```json\n{\"a\": 1}\n```",
            "```JSON\n{\"a\": 1}\n```",
            "```\n{\"a\": 1}\n```",
            "Here you are: {\"a\": 1}",
            "Sure!\n```json\n{\"a\": 1}\n```\nAnything else?",
            "<think>a {set} or {}?</think>{\"a\": 1}",
            "{\"a\": 1}, and nothing in {} besides",
            "First {\"a\": {\"b\": 2}}, or rather {\"a\": 1}",
        ] {
            assert_eq!(read(text), Some(json!({"a": 1})), "{text}");
        }
    }

    #[test]
    fn what_holds_no_whole_object_is_no_answer() {
        for text in ["", "[1]", "\"{}\"", "[{\"a\": 1}]", "{\"a\": 1", "so {it goes}"] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read(&"{\"a\":".repeat(100_000)), None);
    }

    #[test]
    fn a_property_named_like_a_keyword_stays() {
        let schema = json!({"type": "object", "properties": {"title": {"type": "string"}, "pattern": {"type": "string"}}});
        let kept = constrained(&schema);
        assert!(
            kept["properties"]["title"].is_object() && kept["properties"]["pattern"].is_object()
        );
    }

    #[test]
    fn strictness_needs_optional_properties_to_allow_null() {
        let nullable = json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": "string"}, "b": {"type": ["string", "null"]},
            "c": {"anyOf": [{"type": "object", "properties": {}}, {"type": "null"}]}}});
        let strict = all_required(&nullable).unwrap();
        assert_eq!(strict["required"], json!(["a", "b", "c"]));
        let plain = json!({"type": "object", "properties": {"a": {"type": "string"}}});
        assert_eq!(all_required(&plain), None);
    }
}
