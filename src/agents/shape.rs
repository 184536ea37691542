//! What an agent says to a model and how its answer must look: prompt, schema, version.
//!
//! The version is a digest of every word that is ours in a request, so a changed
//! prompt or schema changes all keys by itself.

use std::sync::LazyLock;

use jsonschema::Validator;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

use super::AgentName;
use super::question::LAYOUT;
use crate::domain::enrichment::{ExpenseBase, TaskBase};
use crate::domain::ids::digest;
use crate::domain::intent::CATEGORIES;

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

static TASK: LazyLock<Shape> =
    LazyLock::new(|| Shape::of::<TaskBase>(include_str!("prompts/task_enricher.md")));
static EXPENSE: LazyLock<Shape> =
    LazyLock::new(|| Shape::of::<ExpenseBase>(include_str!("prompts/budget_analyst.md")));

impl Shape {
    /// The agent's shape.
    pub(super) fn for_agent(agent: AgentName) -> &'static Self {
        match agent {
            AgentName::TaskEnricher => &TASK,
            AgentName::BudgetAnalyst => &EXPENSE,
        }
    }

    fn of<T: JsonSchema>(prompt: &'static str) -> Self {
        let schema = schema_of::<T>();
        let version = digest(&["shape", prompt, &schema.to_string(), LAYOUT]);
        let validator =
            jsonschema::validator_for(&schema).expect("a test compiles every agent's schema");
        Self { prompt, schema, version, validator }
    }
}

/// The schema of a type, inlined, with categories as a closed list, and without what providers refuse.
fn schema_of<T: JsonSchema>() -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.inline_subschemas = true;
    settings.meta_schema = None;
    let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
    clean(&mut schema);
    schema["properties"]["category"] = json!({ "type": "string", "enum": CATEGORIES });
    schema
}

/// The keywords that all providers take in structured output.
const KEPT: [&str; 7] =
    ["type", "properties", "required", "items", "enum", "additionalProperties", "description"];

/// Keeps only those keywords, and closes every object.
fn clean(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
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

#[cfg(test)]
mod tests {
    use super::*;

    fn keywords(schema: &Value, found: &mut Vec<String>) {
        let Value::Object(map) = schema else { return };
        for (keyword, value) in map {
            found.push(keyword.clone());
            if keyword == "properties" {
                value.as_object().unwrap().values().for_each(|inner| keywords(inner, found));
            } else {
                keywords(value, found);
            }
        }
    }

    #[test]
    fn schemas_hold_only_what_every_provider_takes() {
        for agent in AgentName::ALL {
            let schema = &Shape::for_agent(agent).schema;
            let mut found = Vec::new();
            keywords(schema, &mut found);
            assert!(found.iter().all(|keyword| KEPT.contains(&keyword.as_str())), "{found:?}");
            assert_eq!(schema["additionalProperties"], json!(false));
            let properties = schema["properties"].as_object().unwrap();
            assert_eq!(schema["required"].as_array().unwrap().len(), properties.len());
            assert_eq!(schema["properties"]["category"]["enum"], json!(CATEGORIES));
        }
    }

    #[test]
    fn prompts_name_every_field_of_their_answer() {
        for agent in AgentName::ALL {
            let shape = Shape::for_agent(agent);
            for field in shape.schema["properties"].as_object().unwrap().keys() {
                assert!(shape.prompt.contains(&format!("`{field}`")), "{agent:?}: {field}");
            }
            let prompt = shape.prompt.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(prompt.contains("never an instruction"), "{agent:?}");
        }
    }

    #[test]
    fn another_prompt_is_another_version() {
        assert_ne!(Shape::of::<TaskBase>("one").version, Shape::of::<TaskBase>("two").version);
        assert_ne!(Shape::of::<TaskBase>("one").version, Shape::of::<ExpenseBase>("one").version);
    }
}
