//! From a response on the wire to nano-dollars: bodies as providers sent them, and what they billed.

use gleaner::domain::usage::{NanoUsd, Tier};
use gleaner::model::prices::PriceBook;
use gleaner::model::pricing::Pricing;
use gleaner::model::{Billing, ModelResponse};
use gleaner::settings::{Protocol, Unpriced};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{anthropic, ask, openai};
use crate::support::fake_model::{FakeModel, Mode};

/// What a response is counted at that has this body.
async fn counted(protocol: Protocol, model: &str, body: Value) -> Option<NanoUsd> {
    let fake = FakeModel::start().await;
    fake.stand(Mode::Recorded { body });
    let response = match protocol {
        Protocol::Openai => ask(&openai(&fake.openai_url(), model)).await,
        Protocol::Anthropic | Protocol::Offline => ask(&anthropic(&fake.url(), model, 10)).await,
    };
    cost(model, "", &response.unwrap())
}

/// What it costs by the bundled book, with the endpoint's price for totals.
fn cost(model: &str, total: &str, response: &ModelResponse) -> Option<NanoUsd> {
    let at: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
    let book = PriceBook::bundled();
    let total = book.total(total);
    Pricing::new(book, model, total, Unpriced::Block).price(response.tier, &response.usage, at)
}

/// A message with this usage.
fn message(model: &str, usage: Value) -> Value {
    json!({
        "id": "msg_01", "type": "message", "role": "assistant", "model": model,
        "content": [{"type": "text", "text": "{\"lead\": \"6 months\"}"}],
        "stop_reason": "end_turn", "stop_sequence": null, "stop_details": null, "usage": usage,
    })
}

/// A completion with this usage, in this tier.
fn completion(model: &str, tier: &str, usage: Value) -> Value {
    let said = json!({"role": "assistant", "content": "{\"lead\": \"6 months\"}", "refusal": null});
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_764_000_000, "model": model,
        "choices": [{"index": 0, "message": said, "logprobs": null, "finish_reason": "stop"}],
        "usage": usage, "service_tier": tier, "system_fingerprint": null,
    })
}

/// Messages that cost what is said, in nano-dollars, or have no price.
async fn hold(cases: &[(&str, Value, Option<i64>)]) {
    for (model, usage, nanos) in cases {
        let counted = counted(Protocol::Anthropic, model, message(model, usage.clone())).await;
        assert_eq!(counted, nanos.map(NanoUsd), "{model} {usage}");
    }
}

#[tokio::test]
async fn each_class_of_a_messages_tokens_is_billed_once_as_on_the_invoice() {
    // Cached tokens are in no other class: once counted twice, at 0.091311.
    let written = json!({"input_tokens": 3, "cache_creation_input_tokens": 12_304,
        "cache_read_input_tokens": 0, "output_tokens": 550});
    // An hour's write costs 1.6 times one of five minutes.
    let hour = json!({"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 344_139});
    let hour = json!({"input_tokens": 0, "cache_creation_input_tokens": 344_139,
        "cache_read_input_tokens": 0, "output_tokens": 0, "service_tier": "standard",
        "cache_creation": hour});
    let read = json!({"input_tokens": 10, "cache_creation_input_tokens": 32_435,
        "cache_read_input_tokens": 66_360, "output_tokens": 5_120,
        "service_tier": "standard", "inference_geo": "not_available"});
    hold(&[
        ("claude-3-7-sonnet", written, Some(54_399_000)),
        ("claude-opus-5", hour, Some(3_441_390_000)),
        ("claude-opus-4-5", read.clone(), Some(363_948_750)),
        ("claude-next", read, None),
    ])
    .await;
}

#[tokio::test]
async fn a_messages_band_is_that_of_all_its_input_and_holds_for_its_output() {
    let usage = |input: u64| json!({"input_tokens": input, "cache_read_input_tokens": 40_000, "output_tokens": 1_000});
    hold(&[
        ("claude-haiku-5-5", usage(60_000), Some(6_000_000 + 400_000 + 500_000)),
        ("claude-haiku-5-5", usage(60_001), Some(30_000_500 + 2_000_000 + 2_500_000)),
    ])
    .await;
}

#[tokio::test]
async fn a_message_is_billed_in_the_tier_that_it_names() {
    let usage = |tier: &str, geo: Value| {
        json!({"input_tokens": 1_000, "output_tokens": 100, "service_tier": tier,
            "inference_geo": geo})
    };
    let model = "claude-opus-5-5";
    hold(&[
        (model, usage("standard", json!("global")), Some(4_000_000 + 2_000_000)),
        (model, usage("standard", json!("us")), Some(4_400_000 + 2_200_000)),
        (model, usage("batch", Value::Null), Some(2_000_000 + 1_000_000)),
        (model, usage("priority", Value::Null), None),
        (model, usage("something_new", Value::Null), None),
    ])
    .await;
}

#[tokio::test]
async fn a_completion_costs_what_its_invoice_says() {
    let usage = |prompt: u64, cached: u64, written: u64, output: u64| {
        json!({"prompt_tokens": prompt, "completion_tokens": output,
            "total_tokens": prompt + output,
            "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
            "completion_tokens_details": {"reasoning_tokens": 0}})
    };
    let used = usage(10_000, 6_000, 3_000, 500);
    let standard = 2_000_000 + 1_200_000 + 7_500_000 + 5_000_000;
    for (model, tier, usage, nanos) in [
        ("gpt-6-sol", "default", used.clone(), Some(standard)),
        ("gpt-6-sol", "flex", used.clone(), Some(standard / 2)),
        ("gpt-6-sol", "priority", used.clone(), Some(standard * 2)),
        ("gpt-6-sol", "scale", used.clone(), None),
        ("gpt-6-sol", "default", usage(272_000, 0, 0, 10), Some(544_000_000 + 100_000)),
        ("gpt-6-sol", "default", usage(272_001, 0, 0, 10), Some(1_088_004_000 + 150_000)),
        ("gpt-6.1-sol", "default", used.clone(), None),
        ("llama-9", "default", used, None),
    ] {
        let body = completion(model, tier, usage.clone());
        let counted = counted(Protocol::Openai, model, body).await;
        assert_eq!(counted, nanos.map(NanoUsd), "{model} {tier} {usage}");
    }
}

#[tokio::test]
async fn a_total_alone_is_priced_only_where_the_endpoint_names_the_price() {
    let fake = FakeModel::start().await;
    fake.stand(Mode::Total { price: "per_1k_tokens".into() });
    let priced = ["claude-sonnet-5-5", "claude-next"].map(|name| anthropic(&fake.url(), name, 10));
    let local = ["gpt-6-sol", "llama-9"].map(|name| openai(&fake.openai_url(), name));
    for model in priced.into_iter().chain(local) {
        let response = ask(&model).await.unwrap();
        let billed = fake.requests().pop().unwrap();
        assert_eq!((response.tier, Some(response.usage)), (Tier::Total, billed.usage));
        assert_eq!(cost(model.name(), "", &response), None, "{}", model.name());
        assert_eq!(cost(model.name(), "per_1k_tokens", &response), billed.cost);
        assert!(billed.cost.is_some_and(|cost| cost.0 > 0));
    }
}

#[tokio::test]
async fn the_endpoint_bills_the_tier_that_it_answers_in() {
    let fake = FakeModel::start().await;
    let sol = openai(&fake.openai_url(), "gpt-6-sol");
    let mut costs = Vec::new();
    for tier in ["default", "flex", "priority"] {
        fake.stand(Mode::Tier { tier: tier.into() });
        let response = ask(&sol).await.unwrap();
        let billed = fake.requests().pop().unwrap().cost;
        assert_eq!(cost("gpt-6-sol", "", &response), billed, "{tier}");
        costs.push(billed.unwrap().0);
    }
    assert_eq!((costs[1] * 2, costs[2]), (costs[0], costs[0] * 2));
    fake.stand(Mode::Tier { tier: "priority".into() });
    let sonnet = anthropic(&fake.url(), "claude-sonnet-5-5", 10);
    assert_eq!(ask(&sonnet).await.unwrap().tier, Tier::Priority);
    assert_eq!(fake.bill().unpriced, 1);
}

#[tokio::test]
async fn a_refusal_is_billed_in_its_tier_too() {
    let usage = json!({"input_tokens": 1_000, "output_tokens": 1, "inference_geo": "us"});
    let mut body = message("claude-opus-5-5", usage);
    body["stop_reason"] = json!("refusal");
    let fake = FakeModel::start().await;
    fake.stand(Mode::Recorded { body });
    let error = ask(&anthropic(&fake.url(), "claude-opus-5-5", 10)).await.unwrap_err();
    assert!(matches!(error.billing(), Billing::Charged { tier: Tier::Us, .. }), "{error}");
}
