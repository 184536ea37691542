//! Bodies that are sent, responses that are read.

use super::*;
use crate::model::Brief;
use crate::model::prices::PriceBook;
use crate::settings::Protocol;

fn model(name: &str) -> OpenAi {
    let endpoint = EndpointSettings {
        protocol: Protocol::Openai,
        base_url: "http://127.0.0.1:1/v1".into(),
        api_key: "".into(),
        connect_timeout_s: 1,
        call_timeout_s: 1,
        concurrency: 64,
        total_price: String::new(),
    };
    let accepts = PriceBook::bundled().capabilities(name, Protocol::Openai);
    OpenAi::new(&endpoint, name, accepts).unwrap()
}

fn request(schema: Value) -> ModelRequest {
    ModelRequest {
        agent: "task_enricher",
        system: "You plan events.".into(),
        facts: String::new(),
        user: "book the photographer".into(),
        brief: Brief::Task { object: "photographer".into(), action: "book".into() },
        schema,
        max_tokens: 512,
    }
}

fn read(body: Value) -> Result<ModelResponse, ModelError> {
    let body = body.to_string().into_bytes();
    model("gpt-6-sol").read(&Reply { status: 200, headers: HeaderMap::new(), body })
}

fn completion(finish: &str, message: Value) -> Value {
    json!({"model": "gpt-6-sol-2026-09-22", "choices": [{"message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5}})
}

#[test]
fn the_schema_is_strict_where_every_optional_field_may_be_null() {
    let schema = json!({"type": "object", "properties": {"a": {"type": ["string", "null"]}}});
    let format = &model("gpt-6-sol").body(&request(schema))["response_format"]["json_schema"];
    assert_eq!((&format["strict"], &format["schema"]["required"]), (&json!(true), &json!(["a"])));
    let loose = json!({"type": "object", "properties": {"a": {"type": "string"}}});
    let format = &model("gpt-6-sol").body(&request(loose))["response_format"]["json_schema"];
    assert_eq!(format["strict"], false);
}

#[test]
fn the_output_limit_has_the_name_that_the_server_knows() {
    let own = model("gpt-6-sol").body(&request(json!({})));
    assert_eq!(own["max_completion_tokens"], 512);
    assert!(own.get("max_tokens").is_none() && own.get("temperature").is_none());
    let local = model("llama-9").body(&request(json!({})));
    assert_eq!(local["max_tokens"], 512);
    assert!(local.get("max_completion_tokens").is_none());
}

#[test]
fn cached_tokens_are_taken_off_the_prompt() {
    let mut body = completion("stop", json!({"content": "{\"a\":1}"}));
    body["usage"] = json!({"prompt_tokens": 100, "completion_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 30}});
    let response = read(body).unwrap();
    assert_eq!(response.model, "gpt-6-sol-2026-09-22");
    assert_eq!(
        response.usage,
        Usage { input: 10, output: 5, cache_read: 60, cache_write_5m: 30, cache_write_1h: 0 }
    );
}

#[test]
fn the_tier_is_what_the_response_says_and_own_models_are_asked_for_the_standard_one() {
    let tier = |said: Value| {
        let mut body = completion("stop", json!({"content": "{}"}));
        body["service_tier"] = said;
        read(body).unwrap().tier
    };
    assert_eq!((tier(Value::Null), tier(json!("default"))), (Tier::Standard, Tier::Standard));
    assert_eq!((tier(json!("flex")), tier(json!("priority"))), (Tier::Flex, Tier::Priority));
    assert_eq!((tier(json!("scale")), tier(json!("auto"))), (Tier::Unknown, Tier::Unknown));
    let (own, local) = (model("gpt-6-sol"), model("llama-9"));
    let asked = request(json!({}));
    assert_eq!(own.body(&asked)["service_tier"], "default");
    assert_eq!(own.terms(&asked).tiers, [Tier::Standard]);
    assert!(local.body(&asked).get("service_tier").is_none());
    assert!(local.terms(&asked).tiers.contains(&Tier::Priority));
}

#[test]
fn a_total_alone_is_read_as_one() {
    let mut body = completion("stop", json!({"content": "{}"}));
    body["usage"] = json!({"total_tokens": 70});
    let response = read(body.clone()).unwrap();
    assert_eq!((response.usage, response.tier), Usage::of_total(70));
    body["usage"] = json!({"total_tokens": 70, "prompt_tokens": 60});
    assert!(matches!(read(body), Err(ModelError::Unreadable(_))));
}

#[test]
fn a_refusal_is_told_from_an_unusable_answer() {
    let refusal = completion("stop", json!({"content": null, "refusal": "I cannot"}));
    assert!(matches!(read(refusal), Err(ModelError::Refused { .. })));
    let filtered = completion("content_filter", json!({"content": ""}));
    assert!(matches!(read(filtered), Err(ModelError::Refused { .. })));
    let empty = completion("stop", json!({"content": "{\"a\":1}", "refusal": ""}));
    assert_eq!(read(empty).unwrap().answer, json!({"a": 1}));
    for (finish, content) in [("length", "{}"), ("something_new", "{}"), ("stop", "hello")] {
        let result = read(completion(finish, json!({"content": content})));
        assert!(matches!(result, Err(ModelError::Unusable { .. })), "{finish}");
    }
}

#[test]
fn what_is_no_completion_with_usage_is_unreadable() {
    let mut without_usage = completion("stop", json!({"content": "{}"}));
    without_usage["usage"] = Value::Null;
    for body in [without_usage, json!({"error": {"type": "server_error"}}), json!(3)] {
        assert!(matches!(read(body.clone()), Err(ModelError::Unreadable(_))), "{body}");
    }
}

#[test]
fn facts_stand_before_the_rest_so_that_equal_beginnings_are_cached() {
    let request = ModelRequest { facts: "<event>x</event>\n".into(), ..request(json!({})) };
    let body = model("gpt-6-sol").body(&request);
    assert_eq!(body["messages"][1]["content"], "<event>x</event>\nbook the photographer");
}

#[test]
fn an_answer_is_read_from_a_text_its_parts_or_after_what_was_thought() {
    for content in [
        json!("{\"a\":1}"),
        json!("<think>{}</think>\n{\"a\":1}"),
        json!([{"type": "text", "text": "{\"a\":"}, {"type": "other"}, {"type": "text", "text": "1}"}]),
    ] {
        let response = read(completion("stop", json!({"content": content})));
        assert_eq!(response.unwrap().answer, json!({"a": 1}));
    }
    let nothing = read(completion("stop", json!({"content": null})));
    assert!(matches!(nothing, Err(ModelError::Unusable { .. })));
}
