//! Responses in the words of each protocol.

use axum::body::Body;
use axum::http::{Response, header};
use gleaner::domain::usage::Usage;
use gleaner::settings::Protocol;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::asked::{Asked, Way};
use super::mode::{RetryAfter, Stopped};

/// How a response ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum End {
    Whole,
    MaxTokens,
    Refused,
}

/// The body of a response with status 200. `None` for the usage leaves it empty.
pub(super) fn message(asked: &Asked, text: &str, end: End, usage: Option<&Usage>) -> Value {
    match asked.protocol {
        Protocol::Anthropic => anthropic(asked, text, end, usage),
        Protocol::Openai | Protocol::Offline => openai(asked, text, end, usage),
    }
}

fn anthropic(asked: &Asked, text: &str, end: End, usage: Option<&Usage>) -> Value {
    let block = match (asked.way, serde_json::from_str::<Value>(text)) {
        (Way::Tool, Ok(input)) => {
            json!({"type": "tool_use", "id": "toolu_fake", "name": "answer", "input": input})
        }
        _ => json!({"type": "text", "text": text}),
    };
    // The first block may be thinking: whoever reads it as the answer is wrong.
    let thinking = json!({"type": "thinking", "thinking": "", "signature": "fake"});
    let content = if end == End::Refused { json!([]) } else { json!([thinking, block]) };
    let stop_reason = match (end, asked.way) {
        (End::Whole, Way::Tool) => "tool_use",
        (End::Whole, Way::Format | Way::Prompt) => "end_turn",
        (End::MaxTokens, _) => "max_tokens",
        (End::Refused, _) => "refusal",
    };
    let details = match end {
        End::Refused => json!({"type": "refusal", "category": "general_harms"}),
        End::Whole | End::MaxTokens => Value::Null,
    };
    let usage = usage.map_or(json!({}), |usage| {
        json!({
            "input_tokens": usage.input,
            "output_tokens": usage.output,
            "cache_read_input_tokens": usage.cache_read,
            "cache_creation_input_tokens": usage.cache_write(),
            "cache_creation": {
                "ephemeral_5m_input_tokens": usage.cache_write_5m,
                "ephemeral_1h_input_tokens": usage.cache_write_1h,
            },
            "service_tier": "standard",
        })
    });
    json!({
        "id": "msg_fake", "type": "message", "role": "assistant", "model": asked.model,
        "content": content, "stop_reason": stop_reason, "stop_sequence": null,
        "stop_details": details, "usage": usage,
    })
}

fn openai(asked: &Asked, text: &str, end: End, usage: Option<&Usage>) -> Value {
    let said = match end {
        End::Refused => json!({"role": "assistant", "content": null, "refusal": "I cannot."}),
        End::Whole | End::MaxTokens => {
            json!({"role": "assistant", "content": text, "refusal": null})
        }
    };
    let finish = if end == End::MaxTokens { "length" } else { "stop" };
    let usage = usage.map_or(json!({}), |usage| {
        json!({
            "prompt_tokens": usage.prompt(),
            "completion_tokens": usage.output,
            "total_tokens": usage.total(),
            "prompt_tokens_details": {"cached_tokens": usage.cache_read},
        })
    });
    json!({
        "id": "chatcmpl-fake", "object": "chat.completion", "model": asked.model,
        "choices": [{"index": 0, "message": said, "finish_reason": finish}], "usage": usage,
        "service_tier": "default",
    })
}

/// The same response in another service tier.
pub(super) fn in_tier(protocol: Protocol, mut response: Value, tier: &str) -> Value {
    match protocol {
        Protocol::Anthropic => response["usage"]["service_tier"] = json!(tier),
        Protocol::Openai | Protocol::Offline => response["service_tier"] = json!(tier),
    }
    response
}

/// An error's body.
pub(super) fn error(protocol: Protocol, kind: &str, message: &str, code: Option<&str>) -> Value {
    let details = code.map_or(Value::Null, |code| json!({"error_code": code}));
    match protocol {
        Protocol::Anthropic => json!({
            "type": "error", "request_id": "req_fake",
            "error": {"type": kind, "message": message, "details": details},
        }),
        Protocol::Openai | Protocol::Offline => json!({
            "error": {"type": kind, "message": message, "code": code, "param": null},
        }),
    }
}

/// The response to an account that is not served.
pub(super) fn stopped(protocol: Protocol, how: Stopped) -> (u16, Value) {
    let credit = "Your credit balance is too low to access the API.";
    let limit = "You have reached your spend limit until the first of the month.";
    match (how, protocol) {
        (Stopped::Credit, Protocol::Anthropic) => {
            (400, error(protocol, "invalid_request_error", credit, None))
        }
        (Stopped::Credit, Protocol::Openai | Protocol::Offline) => {
            (429, error(protocol, "insufficient_quota", credit, Some("insufficient_quota")))
        }
        (Stopped::SpendLimit, _) => {
            (429, error(protocol, "rate_limit_error", limit, Some("enforced_spend_limit_reached")))
        }
        (Stopped::Key, _) => (401, error(protocol, "authentication_error", "invalid key", None)),
    }
}

/// The header that says when to come back.
pub(super) fn retry_header(retry_after: RetryAfter) -> Option<(&'static str, String)> {
    match retry_after {
        RetryAfter::None => None,
        RetryAfter::Seconds(seconds) => Some(("retry-after", seconds.to_string())),
        RetryAfter::Ms(ms) => Some(("retry-after-ms", ms.to_string())),
        RetryAfter::Date(seconds) => {
            let at = Timestamp::now() + SignedDuration::from_secs(seconds as i64);
            let date = jiff::fmt::rfc2822::DateTimePrinter::new()
                .timestamp_to_rfc9110_string(&at)
                .expect("a date of our age");
            Some(("retry-after", date))
        }
    }
}

/// A response of a status and body.
pub(super) fn response(status: u16, body: impl Into<Body>) -> Response<Body> {
    Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/json")
        .header("request-id", "req_fake")
        .body(body.into())
        .expect("the response is right")
}
