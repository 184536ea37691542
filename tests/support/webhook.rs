//! A webhook's receiver over real HTTP, which takes or refuses posts as it is told.

use std::collections::HashSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State as Shared;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use ring::hmac;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::world::PATIENCE;

/// What posts are signed with.
pub(crate) const SECRET: &str = "a-secret-of-both-sides";

/// A post as it came.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) id: String,
    timestamp: String,
    signature: String,
    pub(crate) body: Vec<u8>,
    pub(crate) is_taken: bool,
}

impl Post {
    /// What the body says, if it was signed by who knows the secret.
    pub(crate) fn verified(&self) -> serde_json::Value {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        let signed = [format!("v1:{}:", self.timestamp).as_bytes(), &self.body].concat();
        let hex = self.signature.strip_prefix("v1=").expect("a signature of version 1");
        let digits = hex.as_bytes().chunks(2).map(|two| std::str::from_utf8(two).unwrap());
        let tag: Vec<u8> = digits.map(|two| u8::from_str_radix(two, 16).unwrap()).collect();
        hmac::verify(&key, &signed, &tag).expect("the signature verifies");
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Default)]
struct State {
    posts: Mutex<Vec<Post>>,
    /// How many are refused yet, and how.
    refusals: Mutex<(usize, u16)>,
}

/// A running receiver; it stops when this is dropped.
pub(crate) struct Receiver {
    address: SocketAddr,
    state: Arc<State>,
    _server: JoinSet<()>,
}

impl Receiver {
    /// A receiver that refuses so many posts with a status, and takes all after them.
    pub(crate) async fn refusing(count: usize, status: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        *state.refusals.lock().unwrap() = (count, status);
        let app = Router::new().route("/hook/{name}", post(receive)).with_state(Arc::clone(&state));
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, app).await.expect("the receiver runs") });
        Self { address, state, _server: server }
    }

    /// Where it is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook/a-secret-path", self.address)
    }

    /// Takes everything from now on.
    pub(crate) fn take_all(&self) {
        self.state.refusals.lock().unwrap().0 = 0;
    }

    /// All posts so far.
    pub(crate) fn posts(&self) -> Vec<Post> {
        self.state.posts.lock().unwrap().clone()
    }

    /// Returns all posts once that many notices were posted, or, with `is_taken`, taken.
    pub(crate) async fn until(&self, count: usize, is_taken: bool) -> Vec<Post> {
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let posts = self.posts();
            let counted = posts.iter().filter(|post| post.is_taken || !is_taken);
            let notices: HashSet<&str> = counted.map(|post| post.id.as_str()).collect();
            if notices.len() >= count {
                return posts;
            }
            assert!(tokio::time::Instant::now() < until, "only these came: {posts:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn receive(Shared(state): Shared<Arc<State>>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let (is_taken, status) = {
        let mut refusals = state.refusals.lock().unwrap();
        let is_taken = refusals.0 == 0;
        refusals.0 = refusals.0.saturating_sub(1);
        (is_taken, if is_taken { 200 } else { refusals.1 })
    };
    state.posts.lock().unwrap().push(Post {
        id: header("x-gleaner-id"),
        timestamp: header("x-gleaner-timestamp"),
        signature: header("x-gleaner-signature"),
        body: body.to_vec(),
        is_taken,
    });
    let status = StatusCode::from_u16(status).unwrap();
    match status {
        StatusCode::TOO_MANY_REQUESTS => (status, [("retry-after", "30")]).into_response(),
        _ => status.into_response(),
    }
}
