//! Connections that are not made, break, hang, or lead elsewhere.

use std::time::Duration;

use gleaner::model::{Billing, ModelError};
use gleaner::settings::Protocol;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::{anthropic, ask, both, endpoint, openai};
use crate::support::fake_model::{FakeModel, Mode};

#[tokio::test]
async fn an_endpoint_that_is_not_there_was_sent_nothing() {
    let fake = FakeModel::start().await;
    let (url, models) = (fake.url(), both(&fake));
    fake.stop().await;
    for model in models {
        let error = ask(&model).await.unwrap_err();
        assert!(matches!(error, ModelError::NotConnected(_)), "{error}");
        assert_eq!(error.billing(), Billing::Nothing { sent: false });
        assert!(!error.to_string().contains(&url), "{error}");
    }
}

#[tokio::test]
async fn an_endpoint_comes_back_without_a_new_client() {
    let fake = FakeModel::start().await;
    let model = anthropic(&fake.url(), "claude-sonnet-5-5", 10);
    ask(&model).await.unwrap();
    let port = fake.url().rsplit(':').next().unwrap().parse().unwrap();
    fake.stop().await;
    assert!(ask(&model).await.is_err());
    let again = FakeModel::start_on(port).await.unwrap();
    ask(&model).await.unwrap();
    assert_eq!(again.requests().len(), 1);
}

#[tokio::test]
async fn a_connection_that_breaks_within_the_answer_may_have_been_billed() {
    let fake = FakeModel::start().await;
    fake.stand(Mode::Cut);
    for model in both(&fake) {
        let error = ask(&model).await.unwrap_err();
        assert!(matches!(error, ModelError::Cut(_)), "{error}");
        assert_eq!(error.billing(), Billing::Ambiguous);
    }
    assert_eq!((fake.requests()[0].status, fake.bill().billed), (None, 2));
}

#[tokio::test]
async fn a_call_that_hangs_ends_with_its_time() {
    let fake = FakeModel::start().await;
    fake.stand(Mode::Hang);
    let error = ask(&anthropic(&fake.url(), "claude-sonnet-5-5", 1)).await.unwrap_err();
    assert_eq!(error, ModelError::TimedOut(Duration::from_secs(1)));
    assert_eq!(fake.requests()[0].status, None);
}

#[tokio::test]
async fn a_slow_answer_within_its_time_is_an_answer() {
    let fake = FakeModel::start().await;
    fake.stand(Mode::Slow { ms: 50 });
    for model in both(&fake) {
        ask(&model).await.unwrap();
    }
}

#[tokio::test]
async fn an_error_is_one_request_because_the_client_never_retries() {
    let fake = FakeModel::start().await;
    fake.stand(Mode::ServerError { explained: false });
    for model in both(&fake) {
        ask(&model).await.unwrap_err();
    }
    assert_eq!(fake.requests().len(), 2);
}

/// Answers one connection with these bytes, and returns the base URL.
async fn canned(response: String) -> (String, tokio::task::JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut server = tokio::task::JoinSet::new();
    server.spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = [0; 65_536];
        assert!(stream.read(&mut request).await.unwrap() > 0);
        drop(stream.write_all(response.as_bytes()).await);
        drop(stream.shutdown().await);
    });
    (url, server)
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let fake = FakeModel::start().await;
    let head = format!("HTTP/1.1 307 Temporary Redirect\r\nlocation: {}/v1/messages", fake.url());
    let (url, _server) = canned(format!("{head}\r\ncontent-length: 0\r\n\r\n")).await;
    let error = ask(&anthropic(&url, "claude-sonnet-5-5", 10)).await.unwrap_err();
    assert!(matches!(error, ModelError::AccountStopped { .. }), "{error}");
    assert!(fake.requests().is_empty());
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_to_its_end() {
    let body = " ".repeat(5 * 1024 * 1024);
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}", body.len());
    let (url, _server) = canned(format!("{head}\r\n\r\n{body}")).await;
    let error = ask(&anthropic(&url, "claude-sonnet-5-5", 10)).await.unwrap_err();
    assert!(matches!(error, ModelError::Unreadable(_)), "{error}");
}

#[tokio::test]
async fn a_rate_limit_whose_body_is_cut_is_still_a_rate_limit() {
    let head = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 9\r\ncontent-length: 500";
    let (url, _server) = canned(format!("{head}\r\n\r\n{{")).await;
    let error = ask(&openai(&url, "gpt-6-sol")).await.unwrap_err();
    assert_eq!(error, ModelError::RateLimited { retry_after: Some(Duration::from_secs(9)) });
}

#[test]
fn the_key_is_in_no_debug_output() {
    let endpoint = endpoint(Protocol::Anthropic, "https://api.anthropic.com", 10);
    assert!(!format!("{endpoint:?}").contains("fake-key"));
}
