//! What an error status means: one table for both protocols, whose error bodies are alike.
//!
//! The provider's words are kept for the operator, cut short, and left out when
//! they repeat what the request held: chat text never reaches a log.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::http::Reply;
use super::stop;
use super::{ModelError, ModelRequest};

/// Codes by which a provider says that the account is stopped, whatever the status.
const STOPPED_CODES: [&str; 6] = [
    "enforced_spend_limit_reached",
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "account_deactivated",
];

/// The code by which OpenAI says that the model is not there, or not for this account.
const MODEL_CODE: &str = "model_not_found";

/// Words in a 400 that say the same as the codes of a stopped account.
const STOPPED_WORDS: [&str; 2] = ["credit balance is too low", "api usage limits"];

/// The most characters of a provider's message that are kept.
const LONGEST_MESSAGE: usize = 300;

/// A run of this many characters that also stands in the request counts as a quotation.
const QUOTATION: usize = 16;

/// What the provider said in its error body.
struct Explanation {
    /// `error.type`, `error.code` and `error.details.error_code`, where they are.
    codes: Vec<String>,
    message: String,
}

/// The error that a reply without success is.
pub(super) fn judge(reply: &Reply, request: &ModelRequest) -> ModelError {
    let explanation = explanation(&reply.body);
    let stopped = explanation.as_ref().is_some_and(is_stopped);
    let explained = explanation.is_some();
    let status = reply.status;
    let now = Timestamp::now();
    let retry_after = retry_after(reply, now);
    let no_model =
        explanation.as_ref().is_some_and(|said| said.codes.iter().any(|c| c == MODEL_CODE));
    let stop_ends = explanation.as_ref().and_then(|said| stop::ends(&said.message, now));
    let message = words(reply, explanation, request);
    let stop =
        |message| ModelError::AccountStopped { message, retry_after: retry_after.or(stop_ends) };
    let error = match status {
        _ if stopped => stop(message),
        // No redirect is followed: the base URL must be set right.
        300..=399 => stop(format!("it redirects elsewhere: {message}")),
        _ if no_model => ModelError::ModelMissing(message),
        404 => ModelError::ModelMissing(message),
        401..=403 => stop(message),
        429 => ModelError::RateLimited { retry_after },
        529 => ModelError::Overloaded { retry_after },
        // A bare 503 may come from something on the way, after the model worked.
        503 if explained || retry_after.is_some() => ModelError::Overloaded { retry_after },
        408 | 409 | 500..=599 => ModelError::Server { status, explained, message },
        _ => ModelError::Rejected { status, message },
    };
    match reply.header("x-should-retry") {
        Some("true") => worth_a_try(error, explained),
        Some("false") => only_later(error),
        _ => error,
    }
}

/// The provider says that the same request may work: what looked final is a passing failure.
fn worth_a_try(error: ModelError, explained: bool) -> ModelError {
    if let ModelError::Rejected { status, message } = error {
        return ModelError::Server { status, explained, message };
    }
    error
}

/// The provider says that another try is of no use: what passes is left for later.
fn only_later(error: ModelError) -> ModelError {
    let passes = matches!(
        error,
        ModelError::RateLimited { .. } | ModelError::Overloaded { .. } | ModelError::Server { .. }
    );
    if passes { ModelError::OnlyLater(Box::new(error)) } else { error }
}

/// How long the provider asks to wait: `retry-after-ms`, else `retry-after` in seconds or as a
/// date, held against the reply's own `date` so that clocks need not agree.
pub(super) fn retry_after(reply: &Reply, now: Timestamp) -> Option<Duration> {
    let number = |name| reply.header(name)?.parse::<f64>().ok().filter(|number| *number >= 0.0);
    if let Some(millis) = number("retry-after-ms") {
        return Duration::try_from_secs_f64(millis / 1e3).ok();
    }
    if let Some(seconds) = number("retry-after") {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = |name| {
        let text = reply.header(name)?;
        jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
    };
    let until = date("retry-after")?.duration_since(date("date").unwrap_or(now));
    Some(until.try_into().unwrap_or(Duration::ZERO))
}

fn explanation(body: &[u8]) -> Option<Explanation> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let error = body.get("error")?;
    if let Value::String(message) = error {
        return Some(Explanation { codes: Vec::new(), message: message.clone() });
    }
    error.as_object()?;
    let codes = [&error["type"], &error["code"], &error["details"]["error_code"]];
    Some(Explanation {
        codes: codes.into_iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        message: error["message"].as_str().unwrap_or_default().to_owned(),
    })
}

fn is_stopped(explanation: &Explanation) -> bool {
    let message = explanation.message.to_lowercase();
    explanation.codes.iter().any(|code| STOPPED_CODES.contains(&code.as_str()))
        || STOPPED_WORDS.iter().any(|words| message.contains(words))
}

/// The provider's words with its request ID, for whoever asks the provider's support.
fn words(reply: &Reply, explanation: Option<Explanation>, request: &ModelRequest) -> String {
    let id = reply.header("request-id").or_else(|| reply.header("x-request-id"));
    let id = id.map(|id| format!(" (request {})", printable(id))).unwrap_or_default();
    let Some(Explanation { codes, message }) = explanation else {
        return format!("status {} without the provider's explanation{id}", reply.status);
    };
    let code = codes.first().map(|code| printable(code)).unwrap_or_else(|| "error".into());
    let message: String = message.chars().take(LONGEST_MESSAGE).collect();
    if quotes(&message, &request.facts) || quotes(&message, &request.user) {
        return format!("{code}, in words that quote the request{id}");
    }
    format!("{code}: {}{id}", message.replace(char::is_control, " "))
}

/// Whether a message repeats a part of the request's data.
fn quotes(message: &str, data: &str) -> bool {
    let starts: Vec<usize> = message.char_indices().map(|(at, _)| at).collect();
    starts.iter().enumerate().any(|(nth, start)| {
        let end = starts.get(nth + QUOTATION).copied();
        let end = end.or((nth + QUOTATION == starts.len()).then_some(message.len()));
        end.is_some_and(|end| data.contains(&message[*start..end]))
    })
}

/// A name from outside, fit for a log line: visible ASCII, at most 100 characters.
pub(super) fn printable(name: &str) -> String {
    name.chars().filter(char::is_ascii_graphic).take(100).collect()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName};
    use serde_json::json;

    use super::*;
    use crate::model::Brief;

    fn reply(status: u16, body: Value, headers: &[(&'static str, &str)]) -> Reply {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        Reply { status, headers, body: body.to_string().into_bytes() }
    }

    fn request() -> ModelRequest {
        ModelRequest {
            agent: "task_enricher",
            system: "You know how events are planned.".into(),
            facts: String::new(),
            user: "message: aunt Greta's divorce party needs a photographer".into(),
            brief: Brief::Task { object: "photographer".into(), action: "book".into() },
            schema: json!({}),
            max_tokens: 100,
        }
    }

    fn judged(status: u16, kind: &str, message: &str) -> ModelError {
        let body = json!({"type": "error", "error": {"type": kind, "message": message}});
        judge(&reply(status, body, &[]), &request())
    }

    #[test]
    fn what_only_a_person_can_mend_stops_the_account() {
        let stopped = |error| matches!(error, ModelError::AccountStopped { .. });
        assert!(stopped(judged(401, "authentication_error", "invalid x-api-key")));
        assert!(stopped(judged(402, "billing_error", "payment due")));
        assert!(stopped(judged(403, "permission_error", "no")));
        assert!(stopped(judged(
            400,
            "invalid_request_error",
            "Your credit balance is too low to access the Anthropic API."
        )));
        assert!(stopped(judged(
            400,
            "invalid_request_error",
            "You have reached your specified API usage limits."
        )));
        let limit = json!({"error": {"type": "rate_limit_error", "message": "until 2026-12-01",
            "details": {"error_code": "enforced_spend_limit_reached"}}});
        assert!(stopped(judge(&reply(429, limit, &[]), &request())));
        let quota = json!({"error": {"message": "quota", "code": "insufficient_quota"}});
        assert!(stopped(judge(&reply(429, quota, &[]), &request())));
        assert!(stopped(judge(&reply(307, json!({}), &[]), &request())));
    }

    #[test]
    fn a_stop_says_until_when_in_its_header_or_in_its_words() {
        let error = |message: &str, headers: &[(&'static str, &str)]| {
            let body = json!({"error": {"type": "rate_limit_error", "message": message,
                "details": {"error_code": "enforced_spend_limit_reached"}}});
            let judged = judge(&reply(429, body, headers), &request());
            let ModelError::AccountStopped { retry_after, .. } = judged else { panic!("{judged}") };
            retry_after
        };
        assert_eq!(error("spend limit", &[("retry-after", "90")]), Some(Duration::from_secs(90)));
        assert!(error("You will regain access on 2999-12-01 at 00:00 UTC.", &[]).is_some());
        assert_eq!(error("spend limit", &[]), None);
    }

    #[test]
    fn a_model_that_is_not_there_is_no_stopped_account() {
        let missing = |error| matches!(error, ModelError::ModelMissing(_));
        assert!(missing(judged(404, "not_found_error", "model: claude-next")));
        let body = json!({"error": {"message": "no access", "code": "model_not_found"}});
        assert!(missing(judge(&reply(403, body, &[]), &request())));
    }

    #[test]
    fn the_providers_word_on_another_try_goes_over_the_status() {
        let body = || json!({"error": {"type": "api_error", "message": "m"}});
        let told =
            |status, word| judge(&reply(status, body(), &[("x-should-retry", word)]), &request());
        assert!(matches!(
            told(400, "true"),
            ModelError::Server { status: 400, explained: true, .. }
        ));
        assert!(matches!(told(400, "false"), ModelError::Rejected { .. }));
        for status in [429, 500, 529] {
            assert!(matches!(told(status, "false"), ModelError::OnlyLater(_)));
            assert!(!matches!(told(status, "true"), ModelError::OnlyLater(_)));
        }
        assert!(matches!(told(402, "true"), ModelError::AccountStopped { .. }));
    }

    #[test]
    fn a_wrong_request_is_rejected() {
        for status in [400, 413, 422] {
            let error = judged(status, "invalid_request_error", "max_tokens is too large");
            assert!(matches!(error, ModelError::Rejected { status: s, .. } if s == status));
        }
    }

    #[test]
    fn a_failing_server_is_told_from_a_busy_one_and_whether_it_explained_itself() {
        assert!(matches!(judged(529, "overloaded_error", ""), ModelError::Overloaded { .. }));
        assert!(matches!(judged(503, "api_error", ""), ModelError::Overloaded { .. }));
        for status in [408, 409, 500, 502, 504] {
            let error = judged(status, "api_error", "internal");
            assert!(matches!(error, ModelError::Server { explained: true, .. }), "{error:?}");
            let bare = judge(&reply(status, Value::Null, &[]), &request());
            assert!(matches!(bare, ModelError::Server { explained: false, .. }), "{bare:?}");
        }
        let bare = judge(&reply(503, Value::Null, &[]), &request());
        assert!(matches!(bare, ModelError::Server { status: 503, explained: false, .. }));
    }

    #[test]
    fn a_wait_is_read_in_seconds_milliseconds_and_as_a_date() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let wait = |headers: &[_]| retry_after(&reply(429, Value::Null, headers), now);
        assert_eq!(wait(&[("retry-after", "300")]), Some(Duration::from_secs(300)));
        assert_eq!(wait(&[("retry-after", "0.5")]), Some(Duration::from_millis(500)));
        assert_eq!(
            wait(&[("retry-after", "300"), ("retry-after-ms", "250")]),
            Some(Duration::from_millis(250))
        );
        let date = ("retry-after", "Sun, 22 Nov 2026 12:01:30 GMT");
        assert_eq!(wait(&[date]), Some(Duration::from_secs(90)));
        let skewed = ("date", "Sun, 22 Nov 2026 12:01:00 GMT");
        assert_eq!(wait(&[date, skewed]), Some(Duration::from_secs(30)));
        let past = ("retry-after", "Sun, 22 Nov 2026 11:00:00 GMT");
        assert_eq!(wait(&[past]), Some(Duration::ZERO));
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        assert_eq!(wait(&[("retry-after", "-1")]), None);
        assert_eq!(wait(&[("retry-after", "1e300")]), None);
    }

    #[test]
    fn the_providers_words_are_kept_unless_they_quote_the_request() {
        let error = judged(400, "invalid_request_error", "schema is too complex");
        assert!(error.to_string().contains("schema is too complex"));
        let error = judged(400, "invalid_request_error", "bad: 'aunt Greta's divorce party'");
        assert!(!error.to_string().contains("Greta") && error.to_string().contains("quote"));
    }

    #[test]
    fn the_providers_request_id_is_kept_for_its_support() {
        let body = json!({"error": {"type": "api_error", "message": "internal"}});
        let error = judge(&reply(500, body, &[("request-id", "req_011")]), &request());
        assert!(error.to_string().contains("req_011"));
    }
}
