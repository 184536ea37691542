//! Bodies that are sent, responses that are read.

use super::*;
use crate::model::Brief;
use crate::model::prices::PriceBook;
use crate::settings::Protocol;

fn model(name: &str) -> Anthropic {
    accepting(name, PriceBook::bundled().capabilities(name, Protocol::Anthropic))
}

fn accepting(name: &str, accepts: Capabilities) -> Anthropic {
    let endpoint = EndpointSettings {
        protocol: Protocol::Anthropic,
        base_url: "http://127.0.0.1:1".into(),
        api_key: "sk-ant-secret".into(),
        connect_timeout_s: 1,
        call_timeout_s: 1,
        concurrency: 64,
        total_price: String::new(),
    };
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
    assert!(body["tools"][0].get("strict").is_none());
    assert_eq!(body["temperature"], 0);
    assert!(body.get("output_config").is_none());
    let mut accepts = model("claude-opus-4-1").accepts;
    accepts.strict_tool = true;
    let body = accepting("claude-strict", accepts).body(&request("You plan events."));
    assert_eq!(body["tools"][0]["strict"], true);
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
    let schema = schema::constrained(&request("").schema).to_string().len() / 4;
    let marked = |name: &str, tokens: usize| {
        let body = model(name).body(&request(&"x".repeat(4 * (tokens - schema))));
        body["system"][0].get("cache_control").is_some()
    };
    assert!(!marked("claude-sonnet-5-5", 1_023));
    assert!(marked("claude-sonnet-5-5", 1_024));
    assert!(!marked("claude-haiku-4-5", 4_095));
    assert!(marked("claude-haiku-4-5", 4_096));
    assert!(!marked("claude-next", 100_000));
}

/// Which blocks are marked for the cache: the system's, the facts', the rest's.
fn marks(system: usize, facts: usize) -> [bool; 3] {
    let mut request = request(&"x".repeat(4 * system));
    request.facts = "f".repeat(4 * facts);
    let body = model("claude-sonnet-5-5").body(&request);
    let content = &body["messages"][0]["content"];
    [&body["system"][0], &content[0], &content[1]]
        .map(|block| block["cache_control"] == json!({"type": "ephemeral"}))
}

#[test]
fn the_facts_are_marked_where_the_prefix_up_to_their_end_is_long_enough() {
    assert_eq!(marks(100, 100), [false, false, false]);
    assert_eq!(marks(900, 200), [false, true, false]);
    assert_eq!(marks(1_100, 10), [true, true, false]);
}

#[test]
fn two_messages_of_an_event_have_an_equal_prefix_up_to_the_end_of_the_facts() {
    let body = |user: &str| {
        let system = "You plan events. ".repeat(300);
        let facts = "<event>wedding</event>\n".to_owned();
        model("claude-opus-5").body(&ModelRequest { facts, user: user.into(), ..request(&system) })
    };
    let (mut one, mut two) = (body("book the cake"), body("and who pays the band?"));
    for body in [&mut one, &mut two] {
        let rest = body["messages"][0]["content"].as_array_mut().unwrap().pop().unwrap();
        assert!(rest.get("cache_control").is_none());
    }
    assert_eq!(one.to_string(), two.to_string());
    assert!(one["messages"][0]["content"][0].get("cache_control").is_some());
}

#[test]
fn what_surely_passes_the_context_window_is_not_sent() {
    let mut accepts = model("claude-haiku-4-5").accepts;
    accepts.context_window = Some(8_192);
    let model = accepting("claude-small", accepts);
    let fits = request(&"word ".repeat(6_000));
    assert_eq!(model.accepts.check_fits(&fits), Ok(()));
    let error = model.accepts.check_fits(&request(&"word ".repeat(7_000))).unwrap_err();
    assert!(matches!(error, ModelError::TooLong { window: 8_192, max_tokens: 512, .. }));
    assert_eq!(error.billing(), crate::model::Billing::Nothing { sent: false });
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
fn the_answer_is_found_among_whatever_blocks_there_are() {
    let thinking = json!({"type": "thinking", "thinking": "{}", "signature": "s"});
    let redacted = json!({"type": "redacted_thinking", "data": "x"});
    let said = |text: &str| json!({"type": "text", "text": text});
    let tool =
        |input: Value| json!({"type": "tool_use", "id": "t", "name": "answer", "input": input});
    for content in [
        json!([redacted, thinking, said("{\"lead\":\"x\"}")]),
        json!([said("{\"lead\":"), said("\"x\"}")]),
        json!([said("Here it is:"), said("```json\n{\"lead\":\"x\"}\n```")]),
        json!([said(""), {"type": "something_new", "text": 7}, said("{\"lead\":\"x\"}")]),
        json!([said("I give the answer."), tool(json!({"lead": "x"}))]),
        json!([tool(Value::Null), said("{\"lead\":\"x\"}")]),
    ] {
        let response = read(message("end_turn", content.clone()));
        assert_eq!(response.unwrap().answer, json!({"lead": "x"}), "{content}");
    }
}

#[test]
fn content_without_an_answer_is_charged_and_unusable() {
    let thinking = json!([{"type": "thinking", "thinking": "{\"lead\":1}", "signature": "s"}]);
    for content in [json!([]), Value::Null, thinking, text(""), text("[]")] {
        let result = read(message("end_turn", content.clone()));
        assert!(matches!(result, Err(ModelError::Unusable { usage, .. }) if usage.total() == 15));
    }
}

#[test]
fn usage_is_read_into_disjoint_classes() {
    let usage =
        |usage: Value| serde_json::from_value::<WireUsage>(usage).unwrap().billed().unwrap().0;
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
fn the_tier_is_what_the_response_says() {
    let billed = |usage: Value| serde_json::from_value::<WireUsage>(usage).unwrap().billed();
    let tier = |said: Value| {
        let mut usage = json!({"input_tokens": 1, "output_tokens": 2});
        usage.as_object_mut().unwrap().extend(said.as_object().unwrap().clone());
        billed(usage).unwrap().1
    };
    assert_eq!(tier(json!({})), Tier::Standard);
    assert_eq!(tier(json!({"service_tier": null, "inference_geo": null})), Tier::Standard);
    let global = json!({"service_tier": "standard", "inference_geo": "global"});
    assert_eq!(tier(global), Tier::Standard);
    assert_eq!(tier(json!({"service_tier": "standard", "inference_geo": "us"})), Tier::Us);
    assert_eq!(tier(json!({"service_tier": "priority"})), Tier::Priority);
    for said in [
        json!({"service_tier": "priority", "inference_geo": "us"}),
        json!({"inference_geo": "mars"}),
        json!({"service_tier": "fast"}),
    ] {
        assert_eq!(tier(said.clone()), Tier::Unknown, "{said}");
    }
    assert_eq!(billed(json!({"total_tokens": 7})), Some(Usage::of_total(7)));
    assert_eq!(billed(json!({"input_tokens": 1, "total_tokens": 7})), None);
}

#[test]
fn only_a_request_with_a_marked_block_can_write_to_the_cache() {
    let model = model("claude-sonnet-5-5");
    assert!(!model.terms(&request("You plan events.")).writes_cache);
    assert!(model.terms(&request(&"You plan events. ".repeat(400))).writes_cache);
    let quoted = request("");
    let quoted = ModelRequest { user: "\"cache_control\": {}".into(), ..quoted };
    assert!(!model.terms(&quoted).writes_cache);
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
