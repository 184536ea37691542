//! The endpoint's own limits: how many at once, and how many in a window.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderValue, Response};
use gleaner::settings::Protocol;
use jiff::{SignedDuration, Timestamp};

/// What is in flight, and what the running window has seen.
#[derive(Debug, Default)]
pub(super) struct Limits {
    in_flight: AtomicUsize,
    window: Mutex<Option<Window>>,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    ends: Instant,
    used: u64,
}

/// What is left of a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Left {
    limit: u64,
    remaining: u64,
    reset: Duration,
}

/// A request in flight.
pub(super) struct InFlight<'a>(&'a Limits);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Limits {
    /// A place, unless so many are taken.
    pub(super) fn enter(&self, places: usize) -> Option<InFlight<'_>> {
        let before = self.in_flight.fetch_add(1, Ordering::SeqCst);
        let entered = InFlight(self);
        (before < places).then_some(entered)
    }

    /// Takes one of so many requests a window; whether there was one, and what is left.
    pub(super) fn take(&self, limit: u64, length: Duration) -> (bool, Left) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let running = window.filter(|window| now < window.ends);
        let mut current = running.unwrap_or(Window { ends: now + length, used: 0 });
        let taken = current.used < limit;
        current.used += u64::from(taken);
        *window = Some(current);
        (taken, Left { limit, remaining: limit - current.used, reset: current.ends - now })
    }
}

/// Says what is left in the protocol's own headers.
pub(super) fn tell(mut response: Response<Body>, protocol: Protocol, left: Left) -> Response<Body> {
    let (limit, remaining) = (left.limit.to_string(), left.remaining.to_string());
    let headers = match protocol {
        Protocol::Anthropic => {
            let reset = SignedDuration::try_from(left.reset).expect("a short window");
            let reset = (Timestamp::now() + reset).to_string();
            [
                ("anthropic-ratelimit-requests-limit", limit),
                ("anthropic-ratelimit-requests-remaining", remaining),
                ("anthropic-ratelimit-requests-reset", reset),
            ]
        }
        Protocol::Openai | Protocol::Offline => [
            ("x-ratelimit-limit-requests", limit),
            ("x-ratelimit-remaining-requests", remaining),
            ("x-ratelimit-reset-requests", format!("{}ms", left.reset.as_millis())),
        ],
    };
    for (name, value) in headers {
        response.headers_mut().insert(name, HeaderValue::try_from(value).expect("plain text"));
    }
    response
}
