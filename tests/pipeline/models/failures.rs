//! What each failure of the endpoint is called, and what it means for the money.

use std::time::Duration;

use gleaner::model::{Billing, ModelError};

use super::{anthropic, ask, both};
use crate::support::fake_model::{FakeModel, Mode, Nonsense, RetryAfter, Stopped};

/// What both clients make of a mode.
async fn errors(mode: Mode) -> Vec<ModelError> {
    let fake = FakeModel::start().await;
    fake.stand(mode);
    let mut errors = Vec::new();
    for model in both(&fake) {
        errors.push(ask(&model).await.expect_err("the mode is no answer"));
    }
    errors
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back_in_each_of_its_three_ways() {
    let waits = [
        (RetryAfter::None, None),
        (RetryAfter::Seconds(300), Some(Duration::from_secs(300))),
        (RetryAfter::Ms(250), Some(Duration::from_millis(250))),
    ];
    for (told, wait) in waits {
        for error in errors(Mode::RateLimit { retry_after: told }).await {
            assert_eq!(error, ModelError::RateLimited { retry_after: wait });
            assert_eq!(error.billing(), Billing::Nothing { sent: true });
        }
    }
    for error in errors(Mode::RateLimit { retry_after: RetryAfter::Date(90) }).await {
        let ModelError::RateLimited { retry_after: Some(wait) } = error else { panic!("{error}") };
        assert!((88..=90).contains(&wait.as_secs()), "{wait:?}");
    }
}

#[tokio::test]
async fn an_overload_is_no_rate_limit() {
    for error in errors(Mode::Overload { retry_after: RetryAfter::Seconds(7) }).await {
        assert_eq!(error, ModelError::Overloaded { retry_after: Some(Duration::from_secs(7)) });
    }
}

#[tokio::test]
async fn a_server_error_is_free_only_when_it_is_explained() {
    for error in errors(Mode::ServerError { explained: true }).await {
        assert_eq!(error.billing(), Billing::Nothing { sent: true }, "{error}");
    }
    for error in errors(Mode::ServerError { explained: false }).await {
        assert_eq!(error.billing(), Billing::Ambiguous, "{error}");
    }
}

#[tokio::test]
async fn a_stopped_account_is_told_from_a_rate_limit_and_a_wrong_request() {
    for how in [Stopped::Credit, Stopped::SpendLimit, Stopped::Key] {
        for error in errors(Mode::AccountStopped { how, retry_after: RetryAfter::None }).await {
            assert!(matches!(error, ModelError::AccountStopped { .. }), "{how:?}: {error}");
            assert!(!error.to_string().contains("fake-key"));
        }
    }
}

#[tokio::test]
async fn a_model_that_is_not_there_stops_no_account() {
    for error in errors(Mode::NoModel).await {
        assert!(matches!(error, ModelError::ModelMissing(_)), "{error}");
        assert_eq!(error.billing(), Billing::Nothing { sent: true });
    }
}

#[tokio::test]
async fn a_refusal_and_a_cut_answer_are_charged_for_what_they_used() {
    for (mode, is_refused) in [(Mode::Refuse, true), (Mode::MaxTokens, false)] {
        let fake = FakeModel::start().await;
        fake.stand(mode);
        for (nth, model) in both(&fake).into_iter().enumerate() {
            let error = ask(&model).await.unwrap_err();
            assert_eq!(matches!(error, ModelError::Refused { .. }), is_refused, "{error}");
            let Billing::Charged { usage, model, .. } = error.billing() else { panic!("{error}") };
            let seen = &fake.requests()[nth];
            assert_eq!((Some(usage), &model), (seen.usage, &seen.model));
        }
    }
}

#[tokio::test]
async fn prose_is_charged_and_unusable() {
    for error in errors(Mode::Nonsense { kind: Nonsense::Prose }).await {
        assert!(matches!(error, ModelError::Unusable { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_200_without_usage_may_have_been_billed() {
    for mode in [
        Mode::Nonsense { kind: Nonsense::Page },
        Mode::Nonsense { kind: Nonsense::Error },
        Mode::EmptyUsage,
    ] {
        for error in errors(mode.clone()).await {
            assert!(matches!(error, ModelError::Unreadable(_)), "{mode:?}: {error}");
            assert_eq!(error.billing(), Billing::Ambiguous);
        }
    }
}

#[tokio::test]
async fn a_request_that_breaks_the_endpoints_rules_is_rejected() {
    let fake = FakeModel::start().await;
    let model = anthropic(&fake.url(), "claude-sonnet-5-5", 10);
    let request = gleaner::model::ModelRequest { max_tokens: 128_001, ..super::request() };
    let error = model.ask(&request, uuid::Uuid::new_v4()).await.unwrap_err();
    assert!(matches!(error, ModelError::Rejected { status: 400, .. }), "{error}");
    assert_eq!(fake.bill().billed, 0);
}
