//! How a connection to RabbitMQ is made, and how long anything asked of it may take.
//!
//! lapin's own recovery stays off: a lost connection ends its streams, and the
//! side that owned it builds everything anew. No await on lapin is without a
//! time-out, because a broker that hangs answers nothing at all.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, ErrorKind};
use secrecy::ExposeSecret as _;
use tokio::time::timeout;

use crate::broker::BrokerError;
use crate::delay::{DelayPolicy, Pauses};
use crate::settings::BrokerSettings;

/// How long the whole handshake may take.
const CONNECT: Duration = Duration::from_secs(10);

/// How long the broker may take to answer anything but a publish.
pub(super) const OPERATION: Duration = Duration::from_secs(5);

/// How often an idle side looks whether its connection still stands.
pub(super) const LOOK: Duration = Duration::from_millis(250);

/// How long a connection must have stood for the pauses to begin anew.
pub(super) const STEADY: Duration = Duration::from_secs(10);

/// Two missed heartbeats end a connection.
const HEARTBEAT_S: u16 = 10;

/// The ceiling of the first pause between two attempts to connect.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Makes connections to one broker.
#[derive(Debug, Clone)]
pub(super) struct Dialer {
    uri: AMQPUri,
    shown: String,
    prefix: String,
    policy: DelayPolicy,
}

impl Dialer {
    /// A dialer for the settings' URL.
    ///
    /// # Errors
    /// When the URL is none; the error never shows it, for it may hold a password.
    pub(super) fn new(settings: &BrokerSettings) -> Result<Self, BrokerError> {
        let mut uri: AMQPUri = settings.url.expose_secret().parse().map_err(|_| {
            BrokerError::Unavailable("broker.url is no amqp:// or amqps:// address".into())
        })?;
        uri.query.heartbeat.get_or_insert(HEARTBEAT_S);
        let authority = &uri.authority;
        let shown = format!(
            "{}://{}@{}:{}/{}",
            uri.scheme, authority.userinfo.username, authority.host, authority.port, uri.vhost
        );
        let longest = Duration::from_secs(settings.reconnect_longest_s).max(FIRST_PAUSE);
        let policy = DelayPolicy::new(FIRST_PAUSE, longest);
        Ok(Self { uri, shown, prefix: settings.prefix.clone(), policy })
    }

    /// Where it connects to, without the password.
    pub(super) fn shown(&self) -> &str {
        &self.shown
    }

    /// The parsed address, password included: for connecting only.
    pub(super) fn uri(&self) -> &AMQPUri {
        &self.uri
    }

    /// The pauses between attempts to connect; they never end.
    pub(super) fn pauses(&self) -> Pauses {
        self.policy.pauses()
    }

    /// One attempt to connect, under a name that operators see in RabbitMQ's list.
    ///
    /// # Errors
    /// [`BrokerError::Unavailable`], also when the credentials are refused.
    pub(super) async fn dial(&self, role: &str) -> Result<Connection, BrokerError> {
        let name = format!("{} {role} (process {})", self.prefix, std::process::id());
        let properties = ConnectionProperties::default().with_connection_name(name.into());
        match timeout(CONNECT, Connection::connect_uri(self.uri.clone(), properties)).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(error)) => Err(BrokerError::Unavailable(error.to_string())),
            Err(_) => Err(BrokerError::Unavailable(format!("no handshake within {CONNECT:?}"))),
        }
    }
}

/// A connection that others may look at while its owner lives; closed when the last one lets go.
#[derive(Debug, Default)]
pub(super) struct Link(Mutex<Option<Arc<Connection>>>);

impl Link {
    /// Shows a connection, or that there is none.
    pub(super) fn show(&self, connection: Option<Arc<Connection>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = connection;
    }

    /// The connection, while it stands.
    pub(super) fn live(&self) -> Option<Arc<Connection>> {
        let shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shown.as_ref().filter(|connection| connection.status().connected()).cloned()
    }

    /// Closes the connection in good form, if it stands and the broker answers.
    pub(super) async fn close(&self) {
        let Some(connection) = self.live() else { return };
        self.show(None);
        if let Err(error) = within("close", connection.close(200, "bye".into())).await {
            tracing::debug!(%error, "a connection to RabbitMQ was left without goodbye");
        }
    }
}

/// Opens a channel.
pub(super) async fn open_channel(connection: &Connection) -> Result<Channel, BrokerError> {
    within("open a channel", connection.create_channel()).await
}

/// Waits for an answer of the broker, but not longer than [`OPERATION`].
pub(super) async fn within<T>(
    what: &str,
    asked: impl Future<Output = lapin::Result<T>>,
) -> Result<T, BrokerError> {
    match timeout(OPERATION, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(failed(what, &error)),
        Err(_) => Err(BrokerError::Unavailable(format!("{what}: no answer in {OPERATION:?}"))),
    }
}

/// What an error of a channel means: the broker's own refusals are about the
/// topology, all else is about the connection.
pub(super) fn failed(what: &str, error: &lapin::Error) -> BrokerError {
    if let ErrorKind::ProtocolError(refusal) = error.kind()
        && matches!(
            refusal.kind(),
            AMQPErrorKind::Soft(
                AMQPSoftError::NOTFOUND
                    | AMQPSoftError::PRECONDITIONFAILED
                    | AMQPSoftError::ACCESSREFUSED
                    | AMQPSoftError::RESOURCELOCKED
            )
        )
    {
        return BrokerError::Topology(format!("{what}: {}", refusal.get_message()));
    }
    BrokerError::Unavailable(format!("{what}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Topology;

    fn settings(url: &str) -> BrokerSettings {
        BrokerSettings {
            url: url.to_owned().into(),
            prefix: "gleaner".into(),
            topology: Topology::Declare,
            delivery_limit: 50,
            confirm_timeout_s: 5,
            reconnect_longest_s: 10,
        }
    }

    #[test]
    fn what_is_shown_of_an_address_holds_no_password() {
        let dialer = Dialer::new(&settings("amqp://ann:s3cret@rabbit:5673/%2f")).unwrap();
        assert_eq!(dialer.shown(), "amqp://ann@rabbit:5673//");
        let error = Dialer::new(&settings("ampq:s3cret@rabbit")).unwrap_err();
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }

    #[test]
    fn the_heartbeat_is_ten_seconds_unless_the_address_says_otherwise() {
        let heartbeat = |url| Dialer::new(&settings(url)).unwrap().uri().query.heartbeat;
        assert_eq!(heartbeat("amqp://rabbit"), Some(10));
        assert_eq!(heartbeat("amqp://rabbit/%2f?heartbeat=3"), Some(3));
    }
}
