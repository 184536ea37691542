//! The webhook: a signed post, and whether it was taken.
//!
//! It posts once; the notice's row says when it is tried again. The URL may be
//! a secret by itself, so nothing but its host is ever shown.

pub(super) mod slack;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use ring::hmac;
use secrecy::ExposeSecret as _;

use crate::model::http::{self, BadEndpoint};
use crate::settings::WebhookSettings;
use crate::store::CompletionEvent;

/// The header with the notice's ID, the same at every try.
const ID: &str = "x-gleaner-id";
/// The header with the seconds since 1970 at which a try was signed.
const TIMESTAMP: &str = "x-gleaner-timestamp";
/// The header with the signature: `v1=` and HMAC-SHA-256, in hex.
const SIGNATURE: &str = "x-gleaner-signature";
/// The longest that a receiver can hold posts back; its notices are looked at as often.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Why a post was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// The receiver answered with another status than a 2xx.
    #[error("it answered with status {0}")]
    Status(u16),
    /// There was no answer.
    #[error("there was no answer: {0}")]
    NoAnswer(String),
    /// The receiver asked not to be asked yet; nothing was sent.
    #[error("it asked for a pause of {} s more", .0.as_secs())]
    Paused(Duration),
}

/// Where alerts are posted.
pub struct Webhook {
    client: reqwest::Client,
    url: reqwest::Url,
    key: Option<hmac::Key>,
    paused_until: Mutex<Option<Instant>>,
}

impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook").field("host", &self.host()).finish_non_exhaustive()
    }
}

impl Webhook {
    /// The webhook that the settings name; `None` when they name none.
    ///
    /// # Errors
    /// When the address is no http or https URL, or no client can be made.
    pub fn new(settings: &WebhookSettings) -> Result<Option<Self>, BadEndpoint> {
        let url = settings.url.expose_secret();
        if url.is_empty() {
            return Ok(None);
        }
        let url = http::parse(url)?;
        let timeout = Duration::from_secs(settings.timeout_s);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let client = http::client(&url, headers, timeout, timeout)?;
        let secret = settings.secret.expose_secret();
        let key =
            (!secret.is_empty()).then(|| hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()));
        Ok(Some(Self { client, url, key, paused_until: Mutex::new(None) }))
    }

    /// The receiver's host, for logs.
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Posts a notice once.
    ///
    /// # Errors
    /// When it was not taken; the receiver may have it all the same where there was no answer.
    pub async fn post(&self, notice: &CompletionEvent) -> Result<(), NotTaken> {
        if let Some(left) = self.pause() {
            return Err(NotTaken::Paused(left));
        }
        let timestamp = Timestamp::now().as_second().to_string();
        let mut post = self.client.post(self.url.clone()).header(ID, notice.id.to_string());
        if let Some(key) = &self.key {
            post = post.header(SIGNATURE, signature(key, &timestamp, &notice.body));
        }
        let sent = post.header(TIMESTAMP, timestamp).body(notice.body.clone()).send().await;
        let response =
            sent.map_err(|error| NotTaken::NoAnswer(http::chain(&error.without_url())))?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        if let Some(pause) = retry_after(response.headers()) {
            self.pause_for(pause);
        }
        Err(NotTaken::Status(status.as_u16()))
    }

    /// How long the receiver is still to be left alone.
    fn pause(&self) -> Option<Duration> {
        let until = *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner);
        let left = until?.saturating_duration_since(Instant::now());
        (left > Duration::ZERO).then_some(left)
    }

    fn pause_for(&self, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST_PAUSE);
        *self.paused_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
    }
}

/// What a receiver computes too: the key over `v1:TIMESTAMP:BODY`.
fn signature(key: &hmac::Key, timestamp: &str, body: &[u8]) -> String {
    let mut signed = hmac::Context::with_key(key);
    signed.update(format!("v1:{timestamp}:").as_bytes());
    signed.update(body);
    let hex: String = signed.sign().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("v1={hex}")
}

/// How long the receiver asks to wait, in seconds, as Slack says it.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn webhook(url: &str) -> Webhook {
        let secret = "s3cret".into();
        let settings = WebhookSettings { url: url.into(), secret, timeout_s: 1 };
        Webhook::new(&settings).unwrap().unwrap()
    }

    #[test]
    fn a_signature_is_what_other_tools_compute() {
        // printf 'v1:1764000000:{"text":"x"}' | openssl dgst -sha256 -hmac s3cret
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"s3cret");
        assert_eq!(
            signature(&key, "1764000000", br#"{"text":"x"}"#),
            "v1=de4fe8a667715ea878c881ac0ccc6d38192626af72a9278737a3f8b52d18b28e"
        );
    }

    #[test]
    fn nothing_but_the_host_of_the_url_is_shown() {
        let webhook = webhook("https://hooks.example.org/services/hunter2");
        assert_eq!(webhook.host(), "hooks.example.org");
        assert!(!format!("{webhook:?}").contains("hunter2"));
        let none = WebhookSettings { url: "".into(), secret: "".into(), timeout_s: 1 };
        assert!(Webhook::new(&none).unwrap().is_none());
        let wrong = WebhookSettings { url: "ftp://me:hunter2@x/".into(), ..none };
        assert!(!Webhook::new(&wrong).unwrap_err().to_string().contains("hunter2"));
    }

    #[tokio::test]
    async fn an_error_of_the_connection_does_not_tell_the_url() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let webhook = webhook(&format!("http://127.0.0.1:{port}/services/hunter2"));
        let (kind, routing_key) = (String::new(), String::new());
        let notice = CompletionEvent { id: uuid::Uuid::nil(), kind, routing_key, body: vec![] };
        let error = webhook.post(&notice).await.unwrap_err();
        assert!(matches!(error, NotTaken::NoAnswer(_)), "{error}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }

    #[test]
    fn a_receiver_that_asks_for_a_pause_is_left_alone_for_an_hour_at_the_most() {
        let webhook = webhook("http://127.0.0.1:9/");
        assert_eq!(webhook.pause(), None);
        webhook.pause_for(Duration::from_secs(1 << 40));
        assert!(webhook.pause().unwrap() <= LONGEST_PAUSE);
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(&headers), None);
        headers.insert(RETRY_AFTER, HeaderValue::from_static("30"));
        assert_eq!(retry_after(&headers), Some(Duration::from_secs(30)));
    }
}
