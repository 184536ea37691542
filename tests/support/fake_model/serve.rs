//! Requests, control and the bill over HTTP.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State as Shared;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::StreamExt as _;
use gleaner::domain::usage::{Tier, Usage};
use gleaner::settings::Protocol;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::asked::{Asked, tokens};
use super::book::Book;
use super::limits::{self, Limits};
use super::mode::{Mode, Nonsense};
use super::speak::{self, End};
use super::{faithful, obey, rules};

/// All that requests share.
pub(super) struct State {
    modes: Mutex<Modes>,
    book: Mutex<Book>,
    count: watch::Sender<usize>,
    limits: Limits,
}

struct Modes {
    script: VecDeque<Mode>,
    standing: Mode,
}

impl State {
    pub(super) fn new() -> Self {
        let modes = Modes { script: VecDeque::new(), standing: Mode::Answer };
        let (modes, book) = (Mutex::new(modes), Mutex::new(Book::default()));
        Self { modes, book, count: watch::Sender::new(0), limits: Limits::default() }
    }

    pub(super) fn stand(&self, mode: Mode) {
        self.modes().standing = mode;
    }

    pub(super) fn script(&self, modes: impl IntoIterator<Item = Mode>) {
        self.modes().script.extend(modes);
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().expect("nobody panics with the book")
    }

    pub(super) async fn arrived(&self, count: usize) {
        let mut counted = self.count.subscribe();
        counted.wait_for(|seen| *seen >= count).await.expect("the counter is ours");
    }

    fn modes(&self) -> MutexGuard<'_, Modes> {
        self.modes.lock().expect("nobody panics with the modes")
    }

    fn next_mode(&self) -> Mode {
        let mut modes = self.modes();
        modes.script.pop_front().unwrap_or_else(|| modes.standing.clone())
    }
}

/// The routes; whatever hangs ends when `stop` is cancelled.
pub(super) fn router(state: Arc<State>, stop: CancellationToken) -> Router {
    let ask = |protocol| {
        let stop = stop.clone();
        move |Shared(state): Shared<Arc<State>>, uri: Uri, headers: HeaderMap, body: Bytes| {
            let stop = stop.clone();
            async move {
                tokio::select! {
                    response = ask(&state, protocol, uri.path(), &headers, &body) => response,
                    () = stop.cancelled() => speak::response(503, Body::empty()),
                }
            }
        }
    };
    Router::new()
        .route("/v1/messages", post(ask(Protocol::Anthropic)))
        .route("/v1/chat/completions", post(ask(Protocol::Openai)))
        .route("/control", post(control))
        .route("/bill", get(async |Shared(state): Shared<Arc<State>>| Json(state.book().bill())))
        .route(
            "/requests",
            get(async |Shared(state): Shared<Arc<State>>| Json(state.book().requests().to_vec())),
        )
        .route("/forget", post(async |Shared(state): Shared<Arc<State>>| state.book().forget()))
        .with_state(state)
}

/// `{"mode": …}` stands from now on; with `"times": n` it holds for the next n requests.
#[derive(Deserialize)]
struct Control {
    #[serde(flatten)]
    mode: Mode,
    times: Option<usize>,
}

async fn control(
    Shared(state): Shared<Arc<State>>,
    body: Bytes,
) -> Result<Json<Value>, (StatusCode, String)> {
    let control: Control = serde_json::from_slice(&body)
        .map_err(|error| (StatusCode::BAD_REQUEST, format!("{error}\n")))?;
    let told = format!("{:?}", control.mode);
    match control.times {
        Some(times) => state.script(std::iter::repeat_n(control.mode, times)),
        None => state.stand(control.mode),
    }
    Ok(Json(json!({"mode": told, "times": control.times})))
}

async fn ask(
    state: &State,
    protocol: Protocol,
    path: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Response<Body> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let asked = Asked::read(protocol, &body);
    let broken = rules::broken(&asked, headers, &body);
    let id = headers.get("x-client-request-id").and_then(|id| id.to_str().ok());
    let id = id.and_then(|id| Uuid::parse_str(id).ok());
    let place = state.book().note(path, &asked, id, body);
    state.count.send_modify(|count| *count += 1);
    let response = match broken {
        Some((status, kind, message)) => error(status, say(protocol, kind, &message)),
        None => act(state, place, &asked, state.next_mode()).await,
    };
    if response.extensions().get::<IsCut>().is_none() {
        state.book().answered(place, response.status().as_u16());
    }
    response
}

/// Does what the mode says. Whatever an answer was made for is billed before it is sent.
async fn act(state: &State, place: usize, asked: &Asked, mode: Mode) -> Response<Body> {
    let valid = faithful::answer(asked).to_string();
    let answer = |text: &str| answer(state, place, asked, text);
    let charge = |output| state.book().charge(place, asked, output, Tier::Standard);
    match mode {
        Mode::Answer => ok(answer(&valid)),
        Mode::Obey { orders } => ok(answer(&obey::answer(&orders, asked))),
        Mode::AnswerWith { answer: wanted } => ok(answer(&wanted.to_string())),
        Mode::Slow { ms } => late(answer(&valid), ms).await,
        Mode::Long { tokens, ms } => {
            late(whole(asked, &valid, &charge(tokens.min(asked.max_tokens))), ms).await
        }
        Mode::Hang => hang(&answer(&valid)).await,
        Mode::Cut => cut(&answer(&valid)),
        Mode::Nonsense { kind } => nonsense(asked, kind, answer),
        Mode::Refuse => ok(speak::message(asked, "", End::Refused, Some(&charge(1)))),
        Mode::MaxTokens => ok(cut_short(asked, &charge(asked.max_tokens))),
        Mode::EmptyUsage => {
            charge(tokens(&valid));
            ok(speak::message(asked, &valid, End::Whole, None))
        }
        Mode::Tier { tier } => ok(in_tier(state, place, asked, &valid, &tier)),
        Mode::Total { price } => ok(in_total(state, place, asked, &valid, &price)),
        Mode::Recorded { body } => ok(body),
        Mode::Room { places, ms } => {
            let Some(_place) = state.limits.enter(places) else { return too_many(asked.protocol) };
            late(answer(&valid), ms).await
        }
        Mode::Window { requests, ms } => {
            let (taken, left) = state.limits.take(requests, Duration::from_millis(ms));
            let response = if taken { ok(answer(&valid)) } else { too_many(asked.protocol) };
            limits::tell(response, asked.protocol, left)
        }
        Mode::RateLimit { .. }
        | Mode::Overload { .. }
        | Mode::ServerError { .. }
        | Mode::NoModel
        | Mode::AccountStopped { .. } => fail(asked.protocol, &mode),
    }
}

/// A billed 200 that is of no use.
fn nonsense(asked: &Asked, kind: Nonsense, answer: impl Fn(&str) -> Value) -> Response<Body> {
    let prose = answer("I would ask three of them.");
    match kind {
        Nonsense::Page => speak::response(200, "<html>Welcome to the proxy</html>"),
        Nonsense::Error => ok(say(asked.protocol, "overloaded_error", "Overloaded")),
        Nonsense::Prose => ok(prose),
        Nonsense::Schema => ok(answer("{\"unasked\": true}")),
    }
}

/// An error status, which is not billed.
fn fail(protocol: Protocol, mode: &Mode) -> Response<Body> {
    match mode {
        Mode::RateLimit { retry_after } => with_wait(too_many(protocol), *retry_after),
        Mode::Overload { retry_after } => {
            with_wait(error(529, say(protocol, "overloaded_error", "Overloaded")), *retry_after)
        }
        Mode::AccountStopped { how, retry_after } => {
            let (status, body) = speak::stopped(protocol, *how);
            with_wait(error(status, body), *retry_after)
        }
        Mode::NoModel => error(404, say(protocol, "not_found_error", "there is no such model")),
        Mode::ServerError { explained: false } => speak::response(500, Body::empty()),
        Mode::ServerError { explained: true }
        | Mode::Answer
        | Mode::AnswerWith { .. }
        | Mode::Slow { .. }
        | Mode::Long { .. }
        | Mode::Room { .. }
        | Mode::Window { .. }
        | Mode::Hang
        | Mode::Cut
        | Mode::Nonsense { .. }
        | Mode::Refuse
        | Mode::MaxTokens
        | Mode::EmptyUsage
        | Mode::Tier { .. }
        | Mode::Total { .. }
        | Mode::Recorded { .. }
        | Mode::Obey { .. } => error(500, say(protocol, "api_error", "internal")),
    }
}

fn too_many(protocol: Protocol) -> Response<Body> {
    error(429, say(protocol, "rate_limit_error", "too many requests"))
}

fn say(protocol: Protocol, kind: &str, message: &str) -> Value {
    speak::error(protocol, kind, message, None)
}

/// An answer in a service tier, billed at its price.
fn in_tier(state: &State, place: usize, asked: &Asked, text: &str, tier: &str) -> Value {
    let named = Tier::named(Some(tier));
    let usage = state.book().charge(place, asked, tokens(text), named);
    let whole = speak::message(asked, text, End::Whole, Some(&usage));
    speak::in_tier(asked.protocol, whole, tier)
}

/// An answer that reports its tokens as one total, billed at the price for totals of that name.
fn in_total(state: &State, place: usize, asked: &Asked, text: &str, price: &str) -> Value {
    let total = asked.prompt_tokens() + tokens(text);
    state.book().charge_total(place, total, price);
    let mut whole = speak::message(asked, text, End::Whole, None);
    whole["usage"] = json!({"total_tokens": total});
    whole
}

/// A billed answer; one that is longer than was paid for is cut.
fn answer(state: &State, place: usize, asked: &Asked, text: &str) -> Value {
    let output = tokens(text).min(asked.max_tokens);
    let usage = state.book().charge(place, asked, output, Tier::Standard);
    if output < tokens(text) {
        return cut_short(asked, &usage);
    }
    speak::message(asked, text, End::Whole, Some(&usage))
}

/// What is left of an answer that was cut at `max_tokens`.
fn cut_short(asked: &Asked, usage: &Usage) -> Value {
    speak::message(asked, "{\"cut", End::MaxTokens, Some(usage))
}

/// Billed, and never answered.
async fn hang(_billed: &Value) -> Response<Body> {
    std::future::pending().await
}

/// An answer under a usage that was billed already.
fn whole(asked: &Asked, text: &str, usage: &Usage) -> Value {
    speak::message(asked, text, End::Whole, Some(usage))
}

async fn late(body: Value, ms: u64) -> Response<Body> {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    ok(body)
}

fn ok(body: Value) -> Response<Body> {
    speak::response(200, body.to_string())
}

fn error(status: u16, body: Value) -> Response<Body> {
    speak::response(status, body.to_string())
}

fn with_wait(mut response: Response<Body>, retry_after: super::RetryAfter) -> Response<Body> {
    if let Some((name, value)) = speak::retry_header(retry_after) {
        let value = HeaderValue::try_from(value).expect("a number or a date");
        response.headers_mut().insert(name, value);
    }
    response
}

/// Marks a response that never arrives whole.
#[derive(Clone)]
struct IsCut;

/// Half of a body, then the connection breaks.
fn cut(body: &Value) -> Response<Body> {
    let body = body.to_string();
    let half = body[..body.len() / 2].to_owned();
    let broken = async {
        // The half must be on its way before the connection goes.
        tokio::time::sleep(Duration::from_millis(20)).await;
        Err(io::Error::other("cut"))
    };
    let parts = futures::stream::iter([Ok(half)]).chain(futures::stream::once(broken));
    let mut response = speak::response(200, Body::from_stream(parts));
    response.extensions_mut().insert(IsCut);
    response
}
