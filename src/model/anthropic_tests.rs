//! Bodies that are sent, responses that are read.

use super::*;
use crate::model::Brief;
use crate::model::prices::PriceBook;
use crate::settings::Protocol;

fn model(name: &str) -> Anthropic {
    let endpoint = EndpointSettings {
        protocol: Protocol::Anthropic,
        base_url: "http://127.0.0.1:1".into(),
        api_key: "sk-ant-secret".into(),
        connect_timeout_s: 1,
        call_timeout_s: 1,
        concurrency: 64,
    };
    let accepts = PriceBook::bundled().capabilities(name, Protocol::Anthropic);
    Anthropic::new(&endpoint, name, accepts).unwrap()
}

fn request(system: &str) -> ModelRequest {
    ModelRequest {
        agent: "task_enricher",
        system: system.into(),
        facts: String::new(),
        user: "book the photographer".into(),
        brief: Brief::Task { object: "photographer".into(), action: "book".into() },
        schema: json!({"type": "object", "properties": {"lead": {"type": "string", "minLength": 1}},
            "required": ["lead"]}),
        max_tokens: 512,
    }
}

fn read(body: Value) -> Result<ModelResponse, ModelError> {
    let body = body.to_string().into_bytes();
    model("claude-sonnet-5-5").read(&Reply { status: 200, headers: HeaderMap::new(), body })
}

fn message(stop_reason: &str, content: Value) -> Value {
    json!({"type": "message", "model": "claude-sonnet-5-5", "content": content,
        "stop_reason": stop_reason, "usage": {"input_tokens": 10, "output_tokens": 5}})
}

fn text(text: &str) -> Value {
    json!([{"type": "text", "text": text}])
}

#[test]
fn a_model_with_its_own_schema_output_is_asked_by_format() {
    let body = model("claude-sonnet-5-5").body(&request("You plan events."));
    let format = &body["output_config"]["format"];
    assert_eq!(format["type"], "json_schema");
    assert_eq!(format["schema"]["additionalProperties"], false);
    assert!(format["schema"]["properties"]["lead"].get("minLength").is_none());
    assert_eq!(body["output_config"]["effort"], "low");
    assert_eq!((&body["max_tokens"], &body["model"]), (&json!(512), &json!("claude-sonnet-5-5")));
    for absent in ["tool_choice", "tools", "temperature", "thinking"] {
        assert!(body.get(absent).is_none(), "{absent}");
    }
}

#[test]
fn an_older_model_is_forced_to_the_tool() {
    let body = model("claude-opus-4-1").body(&request("You plan events."));
    assert_eq!(body["tool_choice"]["name"], body["tools"][0]["name"]);
    assert_eq!(body["tool_choice"]["type"], "tool");
    assert_eq!(body["tools"][0]["strict"], true);
    assert_eq!(body["temperature"], 0);
    assert!(body.get("output_config").is_none());
}

#[test]
fn an_unknown_model_is_told_the_schema() {
    let body = model("claude-next").body(&request("You plan events."));
    let system = body["system"][0]["text"].as_str().unwrap();
    assert!(system.starts_with("You plan events.") && system.contains("\"required\":[\"lead\"]"));
    assert!(body.get("output_config").is_none() && body.get("tools").is_none());
}

#[test]
fn only_a_prefix_that_the_model_caches_is_marked() {
    let marked = |model_name: &str, characters: usize| {
        let body = model(model_name).body(&request(&"x".repeat(characters)));
        body["system"][0].get("cache_control").is_some()
    };
    assert!(!marked("claude-sonnet-5-5", 4 * 1024 - 1));
    assert!(marked("claude-sonnet-5-5", 4 * 1024));
    assert!(!marked("claude-haiku-4-5", 4 * 1024));
    assert!(!marked("claude-next", 400_000));
}

#[test]
fn chat_text_never_stands_in_the_system_prompt() {
    for name in ["claude-sonnet-5-5", "claude-opus-4-1", "claude-next"] {
        let body = model(name).body(&request("You plan events."));
        assert!(!body["system"].to_string().contains("photographer"), "{name}");
    }
}

#[test]
fn thinking_is_skipped_and_the_text_read() {
    let content = json!([{"type": "thinking", "thinking": "", "signature": "s"},
        {"type": "text", "text": "{\"lead\":\"6 months\"}"}]);
    let response = read(message("end_turn", content)).unwrap();
    assert_eq!(response.answer, json!({"lead": "6 months"}));
    assert_eq!((response.usage.input, response.usage.output), (10, 5));
}

#[test]
fn the_tools_input_is_the_answer() {
    let content =
        json!([{"type": "tool_use", "id": "toolu_1", "name": "answer", "input": {"lead": "x"}}]);
    assert_eq!(read(message("tool_use", content)).unwrap().answer, json!({"lead": "x"}));
}

#[test]
fn usage_is_read_into_disjoint_classes() {
    let usage = |usage: Value| serde_json::from_value::<WireUsage>(usage).unwrap().disjoint();
    let split = usage(json!({"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": 4,
        "cache_creation_input_tokens": 24,
        "cache_creation": {"ephemeral_5m_input_tokens": 8, "ephemeral_1h_input_tokens": 16}}));
    assert_eq!(
        split,
        Usage { input: 1, output: 2, cache_read: 4, cache_write_5m: 8, cache_write_1h: 16 }
    );
    let whole =
        usage(json!({"input_tokens": 1, "output_tokens": 2, "cache_creation_input_tokens": 24,
        "cache_creation": null}));
    assert_eq!((whole.cache_write_5m, whole.cache_write_1h), (24, 0));
}

#[test]
fn a_refusal_is_told_with_its_category_and_cost() {
    let mut body = message("refusal", json!([]));
    body["stop_details"] = json!({"type": "refusal", "category": "cyber"});
    let Err(ModelError::Refused { category, usage, .. }) = read(body) else {
        panic!("not refused")
    };
    assert_eq!((category.as_str(), usage.total()), ("cyber", 15));
}

#[test]
fn only_a_known_stop_is_a_success() {
    for stop in ["max_tokens", "pause_turn", "model_context_window_exceeded", "something_new"] {
        let result = read(message(stop, text("{\"lead\":\"x\"}")));
        assert!(matches!(result, Err(ModelError::Unusable { usage, .. }) if usage.total() == 15));
    }
    let mut without = message("end_turn", text("{}"));
    without["stop_reason"] = Value::Null;
    assert!(matches!(read(without), Err(ModelError::Unusable { .. })));
}

#[test]
fn text_where_json_was_due_is_unusable_and_not_repeated_in_the_error() {
    let error = read(message("end_turn", text("aunt Greta says hello"))).unwrap_err();
    assert!(matches!(error, ModelError::Unusable { .. }));
    assert!(!error.to_string().contains("Greta"));
}

#[test]
fn what_is_no_message_with_usage_is_unreadable() {
    let mut without_usage = message("end_turn", text("{}"));
    without_usage.as_object_mut().unwrap().remove("usage");
    let mut empty_usage = message("end_turn", text("{}"));
    empty_usage["usage"] = json!({});
    let error = json!({"type": "error", "error": {"type": "overloaded_error", "message": "busy"}});
    for body in [without_usage, empty_usage, error, json!([]), json!("hello")] {
        assert!(matches!(read(body.clone()), Err(ModelError::Unreadable(_))), "{body}");
    }
}

#[test]
fn the_key_is_never_printed() {
    assert!(!format!("{:?}", model("claude-sonnet-5-5")).contains("sk-ant"));
}
