//! A TCP proxy before a server that can be cut, stalled, and closed to newcomers.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What the proxy does with its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weather {
    Fair,
    /// All connections end, and new ones end at once.
    Down,
    /// Nothing moves, and nobody is told.
    Stalled,
}

/// The proxy; it ends with its owner.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    weather: watch::Sender<Weather>,
    _tasks: JoinSet<()>,
}

impl Proxy {
    /// A proxy for an address such as `127.0.0.1:5672`.
    pub(crate) async fn before(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (weather, sky) = watch::channel(Weather::Fair);
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, target, sky));
        Self { address, weather, _tasks: tasks }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL with its host and port replaced by the proxy's.
    pub(crate) fn stand_in(&self, url: &str) -> String {
        url.replacen(&host_and_port(url), &self.address.to_string(), 1)
    }

    /// Ends all connections; new ones go through.
    pub(crate) fn cut(&self) {
        self.weather.send_replace(Weather::Down);
        self.weather.send_replace(Weather::Fair);
    }

    pub(crate) fn go_down(&self) {
        self.weather.send_replace(Weather::Down);
    }

    pub(crate) fn stall(&self) {
        self.weather.send_replace(Weather::Stalled);
    }

    /// What was stalled goes on, and new connections go through.
    pub(crate) fn clear_up(&self) {
        self.weather.send_replace(Weather::Fair);
    }
}

async fn accept(listener: TcpListener, target: String, sky: watch::Receiver<Weather>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let mut sky = sky.clone();
        // Whatever the weather was so far, only a change from now on cuts this one.
        if *sky.borrow_and_update() != Weather::Down {
            connections.spawn(carry(client, target.clone(), sky));
        }
    }
}

async fn carry(mut client: TcpStream, target: String, mut sky: watch::Receiver<Weather>) {
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    let mut stalled = *sky.borrow_and_update() == Weather::Stalled;
    let mut moving = std::pin::pin!(copy_bidirectional(&mut client, &mut server));
    loop {
        tokio::select! {
            changed = sky.changed() => {
                let now = *sky.borrow_and_update();
                // A cut is over before it is seen: fair again, though it was not stalled.
                let cut = now == Weather::Down || (now == Weather::Fair && !stalled);
                if changed.is_err() || cut {
                    return;
                }
                stalled = now == Weather::Stalled;
            }
            _ = &mut moving, if !stalled => return,
        }
    }
}

/// `host:port` of a URL.
pub(crate) fn host_and_port(url: &str) -> String {
    let rest = url.split_once("://").expect("a URL").1;
    let authority = rest.split('/').next().expect("an authority");
    authority.rsplit('@').next().expect("a host").to_owned()
}
