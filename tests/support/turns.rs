//! A TCP proxy before PostgreSQL that counts round trips: how often a client speaks after its
//! server did. A lone `Sync`, by which a pool tries out a connection between two uses, is none.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::proxy::host_and_port;

/// PostgreSQL's `Sync` message.
const SYNC: &[u8] = b"S\0\0\0\x04";

/// The proxy; it ends with its owner.
#[derive(Debug)]
pub(crate) struct Turns {
    address: SocketAddr,
    count: Arc<AtomicUsize>,
    _tasks: JoinSet<()>,
}

impl Turns {
    /// A proxy for the server that a URL names.
    pub(crate) async fn before(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let count = Arc::new(AtomicUsize::new(0));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, host_and_port(url), count.clone()));
        Self { address, count, _tasks: tasks }
    }

    /// The URL with its host and port replaced by the proxy's.
    pub(crate) fn stand_in(&self, url: &str) -> String {
        url.replacen(&host_and_port(url), &self.address.to_string(), 1)
    }

    /// Round trips so far, over all connections.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

async fn accept(listener: TcpListener, target: String, count: Arc<AtomicUsize>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let Ok(server) = TcpStream::connect(&target).await else { continue };
        // Nobody has spoken yet, so the client's first words are a turn.
        let server_spoke = Arc::new(AtomicBool::new(true));
        let (from_client, to_client) = client.into_split();
        let (from_server, to_server) = server.into_split();
        let (spoke, count) = (server_spoke.clone(), count.clone());
        connections.spawn(carry(from_client, to_server, move |part| {
            if part != SYNC && spoke.swap(false, Ordering::SeqCst) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        }));
        connections.spawn(carry(from_server, to_client, move |_| {
            server_spoke.store(true, Ordering::SeqCst);
        }));
    }
}

/// Carries bytes one way, and says so before each part is handed on.
async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    spoken: impl Fn(&[u8]),
) {
    let mut part = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut part).await {
        spoken(&part[..read]);
        if to.write_all(&part[..read]).await.is_err() {
            return;
        }
    }
}
