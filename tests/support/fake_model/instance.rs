//! The smallest instance of a JSON schema, always the same one for the same schema.

use serde_json::{Map, Value, json};

/// How deep references are followed before a nullable place stays null.
const DEEPEST: usize = 16;

/// An instance that fits the schema, as far as the schema's keywords are those that constrained
/// decoding knows, with bounds.
pub(super) fn of(schema: &Value) -> Value {
    build(schema, schema, 0)
}

fn build(schema: &Value, root: &Value, depth: usize) -> Value {
    if let Some(fixed) = fixed(schema) {
        return fixed;
    }
    if let Some(target) = schema["$ref"].as_str() {
        let pointer = target.trim_start_matches('#');
        let target = root.pointer(pointer).unwrap_or(&Value::Bool(true));
        return if depth < DEEPEST { build(target, root, depth + 1) } else { Value::Null };
    }
    for choice in ["anyOf", "oneOf"] {
        if let Some(first) = schema[choice].as_array().and_then(|any| pick(any, depth)) {
            return build(first, root, depth + 1);
        }
    }
    if let Some(all) = schema["allOf"].as_array() {
        return build(&merged(schema, all, root), root, depth + 1);
    }
    match kind(schema) {
        "object" => object(schema, root, depth),
        "array" => array(schema, root, depth),
        "string" => string(schema),
        "integer" => json!(number(schema).ceil() as i64),
        "number" => json!(number(schema)),
        "boolean" => json!(true),
        _ => Value::Null,
    }
}

fn fixed(schema: &Value) -> Option<Value> {
    let first = |list: &Value| list.as_array().and_then(|list| list.first().cloned());
    schema.get("const").cloned().or_else(|| first(&schema["enum"]))
}

/// The first choice that is not null; deep down, null if that is one.
fn pick(any: &[Value], depth: usize) -> Option<&Value> {
    let null = any.iter().find(|choice| choice["type"] == "null");
    let other = any.iter().find(|choice| choice["type"] != "null");
    if depth < DEEPEST { other.or(null) } else { null.or(other) }
}

/// The type; where it is not said, what the keywords suggest.
fn kind(schema: &Value) -> &str {
    let kinds = schema["type"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let named = schema["type"].as_str().or_else(|| kinds.into_iter().find(|kind| *kind != "null"));
    named.unwrap_or(if schema.get("items").is_some() { "array" } else { "object" })
}

fn object(schema: &Value, root: &Value, depth: usize) -> Value {
    let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let property = |name: &str| build(&schema["properties"][name], root, depth + 1);
    Value::Object(required.map(|name| (name.to_owned(), property(name))).collect::<Map<_, _>>())
}

fn array(schema: &Value, root: &Value, depth: usize) -> Value {
    // An empty list fits most schemas and answers nothing, so there is one line at least.
    let least = schema["minItems"].as_u64().unwrap_or(0).max(1);
    Value::Array((0..least).map(|_| build(&schema["items"], root, depth + 1)).collect())
}

fn string(schema: &Value) -> Value {
    let text = match schema["format"].as_str() {
        Some("date") => "2026-06-20",
        Some("date-time") => "2026-06-20T12:00:00Z",
        Some("time") => "12:00:00Z",
        Some("duration") => "P1D",
        Some("email") => "fake@example.org",
        Some("uri") => "https://example.org/",
        Some("uuid") => "00000000-0000-4000-8000-000000000000",
        _ => "fake",
    };
    let least = schema["minLength"].as_u64().unwrap_or(0) as usize;
    let most = schema["maxLength"].as_u64().map_or(usize::MAX, |most| most as usize);
    let padding = "-".repeat(least.saturating_sub(text.len()));
    json!(format!("{text}{padding}").chars().take(most.max(least)).collect::<String>())
}

fn number(schema: &Value) -> f64 {
    let bound = |name: &str| schema[name].as_f64();
    let least = bound("minimum").or_else(|| bound("exclusiveMinimum").map(|bound| bound + 1.0));
    let most = bound("maximum").or_else(|| bound("exclusiveMaximum").map(|bound| bound - 1.0));
    let wished = least.map_or(1.0, |least| least.max(1.0));
    most.map_or(wished, |most| wished.min(most))
}

/// All parts of an `allOf` as one schema.
fn merged(schema: &Value, all: &[Value], root: &Value) -> Value {
    let mut whole = schema.as_object().cloned().unwrap_or_default();
    whole.remove("allOf");
    for part in all {
        let target = part["$ref"].as_str().and_then(|at| root.pointer(at.trim_start_matches('#')));
        for (keyword, value) in target.unwrap_or(part).as_object().into_iter().flatten() {
            match (whole.get_mut(keyword), value) {
                (Some(Value::Object(here)), Value::Object(more)) => here.extend(more.clone()),
                (Some(Value::Array(here)), Value::Array(more)) => here.extend(more.clone()),
                _ => {
                    whole.insert(keyword.clone(), value.clone());
                }
            }
        }
    }
    Value::Object(whole)
}
