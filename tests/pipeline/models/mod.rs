//! The clients of both protocols against the fake endpoint, over real HTTP.

use std::sync::Arc;

use gleaner::model::anthropic::Anthropic;
use gleaner::model::openai::OpenAi;
use gleaner::model::prices::PriceBook;
use gleaner::model::{Brief, Model, ModelError, ModelRequest, ModelResponse};
use gleaner::settings::{EndpointSettings, Protocol};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::fake_model::FakeModel;

mod access;
mod answers;
mod estimate;
mod fake;
mod failures;
mod invoices;
mod transport;

/// A model of each protocol at the fake endpoint.
fn both(fake: &FakeModel) -> [Arc<dyn Model>; 2] {
    [anthropic(&fake.url(), "claude-sonnet-5-5", 10), openai(&fake.openai_url(), "gpt-6-sol")]
}

fn endpoint(protocol: Protocol, base_url: &str, call_timeout_s: u64) -> EndpointSettings {
    EndpointSettings {
        protocol,
        base_url: base_url.into(),
        api_key: "fake-key".into(),
        connect_timeout_s: 5,
        call_timeout_s,
        concurrency: 64,
        total_price: String::new(),
    }
}

fn anthropic(url: &str, model: &str, call_timeout_s: u64) -> Arc<dyn Model> {
    let endpoint = endpoint(Protocol::Anthropic, url, call_timeout_s);
    let accepts = PriceBook::bundled().capabilities(model, Protocol::Anthropic);
    Arc::new(Anthropic::new(&endpoint, model, accepts).expect("the endpoint is right"))
}

fn openai(url: &str, model: &str) -> Arc<dyn Model> {
    let endpoint = endpoint(Protocol::Openai, url, 10);
    let accepts = PriceBook::bundled().capabilities(model, Protocol::Openai);
    Arc::new(OpenAi::new(&endpoint, model, accepts).expect("the endpoint is right"))
}

/// A schema with all that an agent's may hold.
fn schema() -> Value {
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "TaskBase",
        "type": "object",
        "required": ["steps", "weeks", "share", "kind", "first"],
        "properties": {
            "steps": {"type": "array", "minItems": 2, "items": {"$ref": "#/$defs/Step"}},
            "weeks": {"type": "integer", "format": "uint32", "minimum": 0},
            "share": {"type": ["number", "null"], "format": "double"},
            "kind": {"oneOf": [{"const": "paid", "type": "string"}, {"const": "due", "type": "string"}]},
            "first": {"anyOf": [{"$ref": "#/$defs/Step"}, {"type": "null"}]},
            "note": {"type": ["string", "null"]},
        },
        "$defs": {"Step": {
            "type": "object",
            "required": ["what"],
            "properties": {"what": {"type": "string", "minLength": 1}, "by": {"type": ["string", "null"], "format": "date"}},
        }},
    })
}

fn request() -> ModelRequest {
    ModelRequest {
        agent: "task_enricher",
        system: "You know how events are planned.".into(),
        facts: String::new(),
        user: "event_id: wedding-1\nmessage: someone book the photographer".into(),
        brief: Brief::Task { object: "photographer".into(), action: "book".into() },
        schema: schema(),
        max_tokens: 512,
    }
}

async fn ask(model: &Arc<dyn Model>) -> Result<ModelResponse, ModelError> {
    model.ask(&request(), Uuid::new_v4()).await
}
