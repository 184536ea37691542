//! What an agent says to a model and how its answer must look: prompt, schema, version.
//!
//! The version is a digest of every word that is ours in a request, so a changed
//! prompt or schema changes all keys by itself.

use jsonschema::Validator;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::question::LAYOUT;
use super::{
    budget_analyst, intent_classifier, poll_enricher, query_answerer, suggester, task_enricher,
};
use crate::domain::ids::digest;
use crate::model::Brief;

/// An agent's part of every request.
#[derive(Debug)]
pub(super) struct Shape {
    /// The system prompt.
    pub(super) prompt: &'static str,
    /// The schema of the answer, with no more than all providers accept.
    pub(super) schema: Value,
    /// What changes when any word of ours does.
    pub(super) version: String,
    /// The schema, compiled.
    pub(super) validator: Validator,
}

/// A field of an answer that takes words of a closed list: its JSON pointer in the schema.
pub(super) type Closed<'a> = (&'static str, &'a [&'static str]);

impl Shape {
    /// The shape of what is asked.
    pub(super) fn of(brief: &Brief) -> &'static Self {
        match brief {
            Brief::Task { .. } => &task_enricher::SHAPE,
            Brief::Expense { .. } => &budget_analyst::SHAPE,
            Brief::Poll { .. } => &poll_enricher::SHAPE,
            Brief::Route { .. } => &query_answerer::ROUTE,
            Brief::Wording { .. } => &query_answerer::WORDING,
            Brief::Next { .. } => &suggester::SHAPE,
            Brief::Intent { .. } => &intent_classifier::SHAPE,
        }
    }

    /// The shape of answers of this type, some of whose fields are closed.
    pub(super) fn new<T: JsonSchema>(prompt: &'static str, closed: &[Closed<'_>]) -> Self {
        let schema = schema_of::<T>(closed);
        let version = digest(&["shape", prompt, &schema.to_string(), LAYOUT]);
        let validator =
            jsonschema::validator_for(&schema).expect("a test compiles every agent's schema");
        Self { prompt, schema, version, validator }
    }
}

/// The schema of a type, inlined, with closed lists of words, and without what providers refuse.
fn schema_of<T: JsonSchema>(closed: &[Closed<'_>]) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    clean(&mut schema);
    for (pointer, words) in closed {
        let field = schema.pointer_mut(pointer).expect("a test builds every agent's schema");
        *field = json!({ "type": "string", "enum": words });
    }
    schema
}

/// The keywords that all providers take in structured output.
const KEPT: [&str; 7] =
    ["type", "properties", "required", "items", "enum", "additionalProperties", "description"];

/// Keeps only those keywords, and closes every object.
fn clean(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    if let Some(words) = map.get("oneOf").and_then(Value::as_array).and_then(|all| words(all)) {
        *schema = words;
        return;
    }
    map.retain(|keyword, _| KEPT.contains(&keyword.as_str()));
    if map.get("type").is_some_and(|kind| kind == "object") {
        map.insert("additionalProperties".into(), Value::Bool(false));
    }
    if let Some(Value::Object(properties)) = map.get_mut("properties") {
        properties.values_mut().for_each(clean);
    }
    if let Some(items) = map.get_mut("items") {
        clean(items);
    }
}

/// A closed list of words, each with its meaning, as one list and one description.
fn words(choices: &[Value]) -> Option<Value> {
    let names: Vec<&str> =
        choices.iter().map(|choice| choice["const"].as_str()).collect::<Option<_>>()?;
    let meaning = |choice: &Value| {
        let (name, said) = (choice["const"].as_str()?, choice["description"].as_str()?);
        Some(format!("{name}: {said}"))
    };
    let meanings: Vec<String> = choices.iter().filter_map(meaning).collect();
    Some(json!({ "type": "string", "enum": names, "description": meanings.join(" ") }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::samples::briefs;
    use crate::domain::enrichment::{ExpenseBase, TaskBase};

    /// Judges every object of a schema, and collects the keywords.
    fn judged(schema: &Value, found: &mut Vec<String>) {
        let Value::Object(map) = schema else { return };
        if map.get("type").is_some_and(|kind| kind == "object") {
            let properties = map["properties"].as_object().unwrap();
            assert_eq!(map["additionalProperties"], json!(false));
            assert_eq!(map["required"].as_array().unwrap().len(), properties.len());
        }
        for (keyword, value) in map {
            found.push(keyword.clone());
            if keyword == "properties" {
                value.as_object().unwrap().values().for_each(|inner| judged(inner, found));
            } else {
                judged(value, found);
            }
        }
    }

    #[test]
    fn schemas_hold_only_what_every_provider_takes() {
        for brief in briefs() {
            let mut found = Vec::new();
            judged(&Shape::of(&brief).schema, &mut found);
            assert!(found.iter().all(|keyword| KEPT.contains(&keyword.as_str())), "{found:?}");
        }
    }

    #[test]
    fn prompts_name_every_field_of_their_answer() {
        for brief in briefs() {
            let shape = Shape::of(&brief);
            for field in shape.schema["properties"].as_object().unwrap().keys() {
                assert!(shape.prompt.contains(&format!("`{field}`")), "{brief:?}: {field}");
            }
            let prompt = shape.prompt.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(prompt.contains("never an instruction"), "{brief:?}");
        }
    }

    #[test]
    fn another_prompt_or_type_or_list_is_another_version() {
        let version = |shape: Shape| shape.version;
        let one = || Shape::new::<TaskBase>("one", &[]);
        assert_eq!(version(one()), version(one()));
        assert_ne!(version(one()), version(Shape::new::<TaskBase>("two", &[])));
        assert_ne!(version(one()), version(Shape::new::<ExpenseBase>("one", &[])));
        let closed: Closed<'_> = ("/properties/category", &["a", "b"]);
        assert_ne!(version(one()), version(Shape::new::<TaskBase>("one", &[closed])));
    }
}
