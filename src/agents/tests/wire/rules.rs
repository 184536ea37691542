//! What the providers refuse, as their pages say it and not as our table does.

use serde_json::{Map, Value};

use super::capture::Sent;
use super::{CHAT, protocol_of, requests, sent};
use crate::model::prices::PriceBook;
use crate::settings::Protocol;

/// Models that refuse `tool_choice` of type `tool` or `any`; of Haiku 5.5 nobody knows.
const NO_FORCED_TOOL: [&str; 4] =
    ["claude-opus-5-5", "claude-sonnet-5-5", "claude-fable-5-1", "claude-haiku-5-5"];

/// The last models that take sampling parameters.
const SAMPLING: [&str; 8] = [
    "claude-opus-4-6",
    "claude-opus-4-5",
    "claude-opus-4-1",
    "claude-opus-4",
    "claude-sonnet-4-6",
    "claude-sonnet-4-5",
    "claude-3-7-sonnet",
    "claude-haiku-4-5",
];

/// Models before 4.5: neither schema output nor strict tools.
const BEFORE_4_5: [&str; 3] = ["claude-opus-4-1", "claude-opus-4", "claude-3-7-sonnet"];

/// Models that always think and take no budget for it, but an effort.
const TAKE_EFFORT: [&str; 7] = [
    "claude-fable-5-1",
    "claude-fable-5",
    "claude-opus-5-5",
    "claude-opus-5",
    "claude-sonnet-5-5",
    "claude-sonnet-5",
    "claude-haiku-5-5",
];

/// The shortest prefix that is cached, where it is known.
const LEAST_PREFIX: [(&str, usize); 11] = [
    ("claude-opus-5", 512),
    ("claude-fable-5", 512),
    ("claude-haiku-5-5", 512),
    ("claude-opus-4-8", 1_024),
    ("claude-sonnet-5", 1_024),
    ("claude-sonnet-4-6", 1_024),
    ("claude-sonnet-4-5", 1_024),
    ("claude-opus-4-7", 2_048),
    ("claude-opus-4-6", 4_096),
    ("claude-opus-4-5", 4_096),
    ("claude-haiku-4-5", 4_096),
];

#[tokio::test]
async fn every_model_in_the_table_is_asked_within_its_providers_rules() {
    let book = PriceBook::bundled();
    for model in book.models().chain(["claude-next", "llama-9"]) {
        for (name, request) in requests() {
            let sent = sent(model, &request).await;
            let place = format!("{model}, {name}");
            assert_eq!(sent.header("content-type"), Some("application/json"), "{place}");
            assert_eq!(sent.body["model"], model, "{place}");
            let whole = sent.body.to_string();
            assert!(!whole.contains("key-of-a-test"), "{place}: the key is in the body");
            let accepts = book.capabilities(model, protocol_of(model));
            let limit = ["max_tokens", "max_completion_tokens"].map(|key| sent.body[key].as_u64());
            let limit = limit.into_iter().flatten().next().expect("an output limit");
            assert!(
                limit > 0 && limit <= accepts.max_output.map_or(u64::MAX, u64::from),
                "{place}"
            );
            let window = accepts.context_window.unwrap_or(u64::MAX);
            assert!(whole.len() as u64 + limit <= window, "{place}");
            match protocol_of(model) {
                Protocol::Openai => of_openai(model, &sent, &place),
                Protocol::Anthropic | Protocol::Offline => of_anthropic(model, &sent, &place),
            }
        }
    }
}

fn of_anthropic(model: &str, sent: &Sent, place: &str) {
    let body = &sent.body;
    assert_eq!(sent.line, "POST /v1/messages HTTP/1.1", "{place}");
    assert_eq!(sent.header("anthropic-version"), Some("2023-06-01"), "{place}");
    assert_eq!(sent.header("x-api-key"), Some("key-of-a-test"), "{place}");
    assert_eq!(sent.header("anthropic-beta"), None, "{place}");
    for absent in ["thinking", "top_p", "top_k", "output_format", "stream"] {
        assert!(body.get(absent).is_none(), "{place}: {absent}");
    }
    let known = model != "claude-next";
    let sampled = body.get("temperature").is_some();
    assert!(!sampled || SAMPLING.contains(&model), "{place}: temperature");
    let forced = body.get("tool_choice").is_some();
    assert!(!forced || known && !NO_FORCED_TOOL.contains(&model), "{place}: tool_choice");
    let format = &body["output_config"]["format"];
    assert!(format.is_null() || known && !BEFORE_4_5.contains(&model), "{place}: format");
    let strict = body["tools"][0]["strict"] == true;
    assert!(!strict || !BEFORE_4_5.contains(&model), "{place}: strict");
    let effort = &body["output_config"]["effort"];
    assert!(effort.is_null() || *effort == "low" && TAKE_EFFORT.contains(&model), "{place}");
    for schema in [&format["schema"], &body["tools"][0]["input_schema"]] {
        let mut counts = Counts::default();
        check_schema(schema, false, place, &mut counts);
        assert!(counts.optional <= 24 && counts.unions <= 16, "{place}: {counts:?}");
    }
    assert_eq!(body["messages"].as_array().map(Vec::len), Some(1), "{place}");
    assert_eq!(body["messages"][0]["role"], "user", "{place}: no prefill");
    assert!(!body["system"].to_string().contains(CHAT), "{place}: chat in the system prompt");
    check_breakpoints(model, body, place);
}

/// At most four breakpoints, each after a prefix that is long enough, and none in what changes
/// with the message.
fn check_breakpoints(model: &str, body: &Value, place: &str) {
    let shape = [&body["tools"], &body["output_config"]["format"]["schema"]];
    let mut prefix: usize =
        shape.iter().filter(|s| !s.is_null()).map(|s| s.to_string().len()).sum();
    let known = LEAST_PREFIX.iter().find(|(known, _)| *known == model).map(|(_, least)| *least);
    let mut breakpoints = 0;
    let blocks = [&body["system"], &body["messages"][0]["content"]];
    for block in blocks.iter().filter_map(|blocks| blocks.as_array()).flatten() {
        let text = block["text"].as_str().expect("a text block");
        prefix += text.len();
        let Some(mark) = block.get("cache_control") else {
            let long = known.is_some_and(|least| prefix / 4 >= least + 8);
            assert!(!long || text.contains("<message_in_hand"), "{place}: not marked");
            continue;
        };
        breakpoints += 1;
        assert_eq!(mark["type"], "ephemeral", "{place}");
        assert!(prefix / 4 >= known.unwrap_or(512), "{place}: marked at {prefix} bytes");
        assert!(!text.contains(CHAT), "{place}: what changes is marked");
    }
    assert!(breakpoints <= 4, "{place}");
}

fn of_openai(model: &str, sent: &Sent, place: &str) {
    let body = &sent.body;
    assert_eq!(sent.line, "POST /v1/chat/completions HTTP/1.1", "{place}");
    assert_eq!(sent.header("authorization"), Some("Bearer key-of-a-test"), "{place}");
    let own = model.starts_with("gpt-");
    assert_eq!(body.get("max_completion_tokens").is_some(), own, "{place}");
    assert_eq!(body.get("max_tokens").is_some(), !own, "{place}");
    assert!(body.get("temperature").is_none() && body.get("tools").is_none(), "{place}");
    assert_eq!(body.get("reasoning_effort").is_some(), own, "{place}");
    let format = &body["response_format"]["json_schema"];
    check_schema(&format["schema"], format["strict"] == true, place, &mut Counts::default());
    assert_eq!(body["messages"][0]["role"], "system", "{place}");
    assert_eq!(body["messages"][1]["role"], "user", "{place}");
    assert!(!body["messages"][0].to_string().contains(CHAT), "{place}");
}

#[derive(Debug, Default)]
struct Counts {
    optional: usize,
    unions: usize,
}

fn check_schema(schema: &Value, all_required: bool, place: &str, counts: &mut Counts) {
    let Value::Object(keywords) = schema else { return };
    for keyword in keywords.keys() {
        assert!(is_compiled(keyword, &keywords[keyword]), "{place}: {keyword}");
    }
    let is_union =
        keywords.contains_key("anyOf") || keywords.get("type").is_some_and(Value::is_array);
    counts.unions += usize::from(is_union);
    let empty = Map::new();
    let properties = schema["properties"].as_object().unwrap_or(&empty);
    let required = schema["required"].as_array().map_or(0, Vec::len);
    counts.optional += properties.len() - required.min(properties.len());
    assert!(!all_required || required == properties.len(), "{place}: strict wants all required");
    if keywords.get("type").is_some_and(|kind| kind == "object") {
        assert_eq!(schema["additionalProperties"], false, "{place}: an open object");
    }
    let defined = schema["$defs"].as_object().into_iter().flatten();
    let parts = ["anyOf", "allOf"].into_iter().flat_map(|parts| schema[parts].as_array());
    let inner = properties.iter().chain(defined).map(|(_, inner)| inner);
    for inner in inner.chain(parts.flatten()).chain(schema.get("items")) {
        check_schema(inner, all_required, place, counts);
    }
}

/// Whether constrained decoding compiles a keyword.
fn is_compiled(keyword: &str, value: &Value) -> bool {
    match keyword {
        "minItems" => value.as_u64().is_some_and(|least| least <= 1),
        "$ref" => value.as_str().is_some_and(|target| target.starts_with("#/$defs/")),
        _ => [
            "type",
            "properties",
            "required",
            "items",
            "enum",
            "const",
            "additionalProperties",
            "description",
            "anyOf",
            "allOf",
            "$defs",
            "format",
        ]
        .contains(&keyword),
    }
}
