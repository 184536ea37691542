//! A model endpoint over real HTTP that speaks Anthropic's Messages API and OpenAI's chat
//! completions, holds requests to the rules of the real ones, keeps its own bill and clock, and
//! does what it is told: answer, be slow, limit the rate, overload, hang, cut, talk nonsense.
//!
//! Tokens are characters ÷ 4, rounded up, of all text that is sent, schema included. Whatever
//! began to be answered is billed, also when the answer never arrives whole: the bill is that of
//! the least forgiving provider.
#![allow(dead_code, unused_imports, reason = "each binary that includes it uses a part of it")]

mod asked;
mod book;
mod faithful;
mod instance;
mod limits;
mod mode;
mod obey;
mod rules;
mod serve;
mod speak;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use gleaner::domain::usage::NanoUsd;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) use book::{Bill, Seen};
pub(crate) use mode::{Mode, Nonsense, Order, RetryAfter, Stopped};

/// A running endpoint; it stops when this is dropped.
pub(crate) struct FakeModel {
    address: SocketAddr,
    state: Arc<serve::State>,
    server: JoinSet<()>,
    stop: CancellationToken,
}

impl FakeModel {
    /// An endpoint on a free port of this machine, which answers.
    pub(crate) async fn start() -> Self {
        Self::start_on(0).await.expect("a free port")
    }

    /// An endpoint on a port of this machine; 0 takes a free one.
    pub(crate) async fn start_on(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let (state, stop) = (Arc::new(serve::State::new()), CancellationToken::new());
        let app = serve::router(state.clone(), stop.clone());
        let stopped = stop.clone().cancelled_owned();
        let mut server = JoinSet::new();
        server.spawn(async move {
            axum::serve(listener, app)
                .with_graceful_shutdown(stopped)
                .await
                .expect("the fake model's server runs until it is stopped");
        });
        Ok(Self { address, state, server, stop })
    }

    /// The `base_url` of an endpoint with `protocol = "anthropic"`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The `base_url` of an endpoint with `protocol = "openai"`.
    pub(crate) fn openai_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Does so from now on, after what is scripted.
    pub(crate) fn stand(&self, mode: Mode) {
        self.state.stand(mode);
    }

    /// Does each of these for one request, in order, before what it stands at.
    pub(crate) fn script(&self, modes: impl IntoIterator<Item = Mode>) {
        self.state.script(modes);
    }

    /// All requests so far, in the order in which they came.
    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.state.book().requests().to_vec()
    }

    /// What all requests so far cost.
    pub(crate) fn bill(&self) -> Bill {
        self.state.book().bill()
    }

    /// The bill's sum.
    pub(crate) fn billed(&self) -> NanoUsd {
        NanoUsd(self.bill().nano_usd)
    }

    /// The most requests that arrived within any window of that length; those that name the event
    /// only, if one is given.
    pub(crate) fn most_within(&self, window: Duration, event: Option<&str>) -> usize {
        self.state.book().most_within(window, event)
    }

    /// Returns once that many requests have arrived in all.
    pub(crate) async fn arrived(&self, count: usize) {
        self.state.arrived(count).await;
    }

    /// Stops listening, closes all connections, and returns when that is done.
    pub(crate) async fn stop(mut self) {
        self.stop.cancel();
        while self.server.join_next().await.is_some() {}
    }

    /// Runs until it is stopped or its server ends.
    pub(crate) async fn run(mut self) {
        while self.server.join_next().await.is_some() {}
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
