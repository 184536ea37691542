//! What the real endpoints refuse: a client that breaks a rule here would break it there.

use axum::http::HeaderMap;
use gleaner::model::capabilities::StructuredOutput;
use gleaner::model::prices::PriceBook;
use gleaner::settings::Protocol;
use jiff::Timestamp;
use serde_json::Value;

use super::asked::{Asked, Way};

/// A refusal: status, error type, message.
pub(super) type Refusal = (u16, &'static str, String);

/// Keywords that constrained decoding does not compile.
const REFUSED_KEYWORDS: [&str; 12] = [
    "$schema",
    "oneOf",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "pattern",
];

/// Which rule a request breaks, if any.
pub(super) fn broken(asked: &Asked, headers: &HeaderMap, body: &Value) -> Option<Refusal> {
    let refusal = match asked.protocol {
        Protocol::Anthropic => of_anthropic(asked, headers, body),
        Protocol::Openai | Protocol::Offline => of_openai(asked, body),
    };
    refusal.err()
}

fn of_anthropic(asked: &Asked, headers: &HeaderMap, body: &Value) -> Result<(), Refusal> {
    if !headers.contains_key("x-api-key") {
        return Err((401, "authentication_error", "x-api-key header is required".into()));
    }
    let version = headers.get("anthropic-version").and_then(|version| version.to_str().ok());
    demand(version == Some("2023-06-01"), "anthropic-version: is required")?;
    of_both(asked, body)?;
    let book = PriceBook::bundled();
    let accepts = book.capabilities(&asked.model, Protocol::Anthropic);
    let known = book.has_price(&asked.model, Timestamp::now());
    let most = accepts.max_output.map_or(u64::MAX, u64::from);
    demand(asked.max_tokens <= most, "max_tokens: is more than the model gives")?;
    let forced = matches!(body["tool_choice"]["type"].as_str(), Some("tool" | "any"));
    demand(
        !known || !forced || accepts.forced_tool,
        "tool_choice: type \"tool\" and \"any\" are not supported for this model.",
    )?;
    let sampled = ["temperature", "top_p", "top_k"].iter().any(|name| body.get(name).is_some());
    demand(!known || !sampled || accepts.sampling, "temperature: is not supported for this model")?;
    let formatted = asked.way == Way::Format;
    let formats = accepts.structured_output == StructuredOutput::Format;
    demand(!known || !formatted || formats, "output_config: is not supported for this model")?;
    demand(body["thinking"]["type"] != "disabled", "thinking: cannot be disabled")?;
    if formatted || body["tools"][0]["strict"] == true {
        check_schema(&asked.schema, false)?;
    }
    Ok(())
}

fn of_openai(asked: &Asked, body: &Value) -> Result<(), Refusal> {
    of_both(asked, body)?;
    let own = asked.model.starts_with("gpt-");
    demand(!own || body.get("max_tokens").is_none(), "Unsupported parameter: 'max_tokens'")?;
    demand(!own || body.get("temperature").is_none(), "Unsupported value: 'temperature'")?;
    // Other servers refuse what they do not know.
    demand(own || body.get("service_tier").is_none(), "service_tier: Extra inputs")?;
    if body["response_format"]["json_schema"]["strict"] == true {
        check_schema(&asked.schema, true)?;
    }
    Ok(())
}

fn of_both(asked: &Asked, body: &Value) -> Result<(), Refusal> {
    demand(!asked.model.is_empty(), "model: Field required")?;
    demand(asked.max_tokens > 0, "max_tokens: Field required")?;
    let messages = body["messages"].as_array().map_or(0, Vec::len);
    demand(messages > 0, "messages: at least one message is required")
}

fn check_schema(schema: &Value, all_required: bool) -> Result<(), Refusal> {
    let Value::Object(keywords) = schema else { return Ok(()) };
    for keyword in REFUSED_KEYWORDS {
        demand(!keywords.contains_key(keyword), &format!("schema: {keyword} is not supported"))?;
    }
    let items = keywords.get("minItems").and_then(Value::as_u64).unwrap_or(0);
    demand(items <= 1, "schema: minItems is 0 or 1")?;
    if keywords.get("type").is_some_and(|kind| kind == "object") {
        let closed = keywords.get("additionalProperties") == Some(&Value::Bool(false));
        demand(closed, "schema: additionalProperties must be false")?;
    }
    for names in ["properties", "$defs"] {
        for schema in schema[names].as_object().into_iter().flat_map(|map| map.values()) {
            check_schema(schema, all_required)?;
        }
    }
    if all_required {
        let count = |value: &Value| value.as_object().map_or(0, serde_json::Map::len);
        let required = schema["required"].as_array().map_or(0, Vec::len);
        let every = required == count(&schema["properties"]);
        demand(every, "schema: required must name every property")?;
    }
    for parts in ["anyOf", "allOf"] {
        for schema in schema[parts].as_array().into_iter().flatten() {
            check_schema(schema, all_required)?;
        }
    }
    check_schema(&schema["items"], all_required)
}

fn demand(holds: bool, otherwise: &str) -> Result<(), Refusal> {
    if holds { Ok(()) } else { Err((400, "invalid_request_error", otherwise.into())) }
}
