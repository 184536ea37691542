//! The one HTTP client: time-outs on connecting and on the whole call, no
//! redirects, a bound on what is read, and errors that say what became of a request.

use std::sync::{Arc, Once};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::redirect;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use uuid::Uuid;

use super::ModelError;
use super::gate::Gate;
use super::headroom::Headroom;
use crate::settings::EndpointSettings;

/// The header that tells the request's ID: OpenAI logs it, and who knows it not ignores it.
const REQUEST_ID: &str = "x-client-request-id";

/// The most that is read of a response; answers are a few kilobytes.
const LONGEST_BODY: usize = 4 * 1024 * 1024;

/// Why an endpoint's settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadEndpoint {
    /// The address is no http or https URL.
    #[error("{0}")]
    BaseUrl(String),
    /// The key cannot stand in an HTTP header.
    #[error("it holds characters that cannot be sent in an HTTP header")]
    Key,
    /// No client can be made, for want of root certificates, say.
    #[error("no HTTP client can be made: {0}")]
    Client(String),
}

/// A client for one URL.
#[derive(Debug, Clone)]
pub(super) struct Http {
    client: reqwest::Client,
    url: reqwest::Url,
    call_timeout: Duration,
    /// Whom to tell what responses say of the provider's limits.
    gate: Option<Arc<Gate>>,
}

/// A response, read whole.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Http {
    /// A client that posts to `path` below the endpoint's base URL, with these headers.
    pub(super) fn new(
        endpoint: &EndpointSettings,
        path: &str,
        headers: HeaderMap,
    ) -> Result<Self, BadEndpoint> {
        let url = join(&endpoint.base_url, path)?;
        let connect_timeout = Duration::from_secs(endpoint.connect_timeout_s);
        let call_timeout = Duration::from_secs(endpoint.call_timeout_s);
        let client = client(&url, headers, connect_timeout, call_timeout)?;
        Ok(Self { client, url, call_timeout, gate: None })
    }

    /// Tells a gate what each response says of the provider's limits.
    pub(super) fn telling(self, gate: Arc<Gate>) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// Posts once, under an ID, and reads the response whole.
    pub(super) async fn post(&self, body: &Value, id: Uuid) -> Result<Reply, ModelError> {
        let post = self.client.post(self.url.clone()).header(REQUEST_ID, id.to_string());
        let sent = post.json(body).send().await;
        let mut response = sent.map_err(|error| self.broken(error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let read = self.read(&mut response).await;
        // An error status says enough also without its body.
        let body = if (200..300).contains(&status) { read? } else { read.unwrap_or_default() };
        let reply = Reply { status, headers, body };
        self.tell(&reply);
        Ok(reply)
    }

    /// Asks for the list of models, beside the URL that is posted to: it costs nothing and needs the key.
    pub(super) async fn reach(&self, beside: &str) -> Result<String, ModelError> {
        let url =
            self.url.join(beside).map_err(|error| ModelError::NotConnected(error.to_string()))?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let sent = self.client.get(url).send().await;
        let status = sent.map_err(|error| self.broken(error))?.status().as_u16();
        match status {
            401 | 403 => Err(ModelError::AccountStopped {
                message: format!("{host} refuses the key with status {status}"),
                retry_after: None,
            }),
            _ => Ok(format!("{host} answers")),
        }
    }

    fn tell(&self, reply: &Reply) {
        let Some(gate) = &self.gate else { return };
        let headroom = Headroom::of(reply, jiff::Timestamp::now());
        if !headroom.is_silent() {
            gate.learn(&headroom);
        }
    }

    async fn read(&self, response: &mut reqwest::Response) -> Result<Vec<u8>, ModelError> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(error))? {
            if body.len() + chunk.len() > LONGEST_BODY {
                return Err(ModelError::Unreadable(format!("it is over {LONGEST_BODY} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// What a transport error means. Only what failed before or while connecting was surely not
    /// sent; a time-out while connecting is such a failure too.
    fn broken(&self, error: reqwest::Error) -> ModelError {
        let error = error.without_url();
        if error.is_connect() || error.is_builder() {
            ModelError::NotConnected(chain(&error))
        } else if error.is_timeout() {
            ModelError::TimedOut(self.call_timeout)
        } else {
            ModelError::Cut(chain(&error))
        }
    }
}

/// A client for one URL, which does not retry by itself.
pub(crate) fn client(
    url: &reqwest::Url,
    headers: HeaderMap,
    connect_timeout: Duration,
    call_timeout: Duration,
) -> Result<reqwest::Client, BadEndpoint> {
    install_crypto();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("gleaner/", env!("CARGO_PKG_VERSION")))
        .default_headers(headers)
        .connect_timeout(connect_timeout)
        .timeout(call_timeout)
        .tcp_keepalive(Duration::from_secs(60))
        // A redirect would be a second request without an admission, and could carry the
        // key to another host.
        .redirect(redirect::Policy::none())
        // Whoever asks is the only one who retries.
        .retry(reqwest::retry::never());
    if url.scheme() == "http" {
        // No TLS: root certificates need not be there.
        builder = builder.tls_certs_only([]);
    }
    if is_loopback(url) {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| BadEndpoint::Client(chain(&error)))
}

impl Reply {
    /// Whether the status is a 2xx.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header as text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }

    /// The body as JSON. The error tells where it breaks and never what it holds.
    pub(super) fn json(&self) -> Result<Value, ModelError> {
        serde_json::from_slice(&self.body).map_err(|error| {
            let (bytes, line) = (self.body.len(), error.line());
            ModelError::Unreadable(format!("{bytes} bytes that are no JSON from line {line} on"))
        })
    }
}

/// A header value that is never printed; `None` for an empty secret.
pub(super) fn secret_header(
    before: &str,
    secret: &SecretString,
) -> Result<Option<HeaderValue>, BadEndpoint> {
    let secret = secret.expose_secret();
    if secret.is_empty() {
        return Ok(None);
    }
    let mut value =
        HeaderValue::try_from(format!("{before}{secret}")).map_err(|_| BadEndpoint::Key)?;
    value.set_sensitive(true);
    Ok(Some(value))
}

/// Makes *ring* the process's TLS provider, unless somebody was first.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error means that one is installed: any will do.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}

fn join(base_url: &str, path: &str) -> Result<reqwest::Url, BadEndpoint> {
    let base = parse(base_url)?;
    parse(&format!("{}{path}", base.as_str().trim_end_matches('/')))
}

/// An http or https URL; the error does not show it.
pub(crate) fn parse(url: &str) -> Result<reqwest::Url, BadEndpoint> {
    let wrong = |why: String| BadEndpoint::BaseUrl(format!("it is no http or https URL: {why}"));
    let url = reqwest::Url::parse(url).map_err(|error| wrong(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(format!("its scheme is {}", url.scheme())));
    }
    Ok(url)
}

fn is_loopback(url: &reqwest::Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost"
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// An error with all its causes, as one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_url_is_joined_with_or_without_its_slash() {
        for base in ["http://127.0.0.1:9100", "http://127.0.0.1:9100/"] {
            assert_eq!(
                join(base, "/v1/messages").unwrap().as_str(),
                "http://127.0.0.1:9100/v1/messages"
            );
        }
        for wrong in ["", "api.anthropic.com", "ftp://example.org", "http://"] {
            assert!(matches!(join(wrong, "/x"), Err(BadEndpoint::BaseUrl(_))), "{wrong}");
        }
    }

    #[test]
    fn a_key_is_never_printed() {
        let header = secret_header("Bearer ", &"sk-ant-1".into()).unwrap().unwrap();
        assert!(header.is_sensitive() && !format!("{header:?}").contains("sk-ant"));
        assert_eq!(secret_header("", &"".into()), Ok(None));
        assert_eq!(secret_header("", &"line\nbreak".into()), Err(BadEndpoint::Key));
    }

    #[test]
    fn only_a_loopback_address_goes_around_the_proxy() {
        let is = |url: &str| is_loopback(&url.parse().unwrap());
        assert!(is("http://127.0.0.1:1/") && is("http://[::1]:1/") && is("http://localhost/"));
        assert!(!is("https://api.anthropic.com/") && !is("http://10.0.0.1/"));
    }
}
