//! What the provider says is left of its limits, and until when.
//!
//! Anthropic names instants, OpenAI durations, both on every response. What is
//! left is plain data with a duration, so that it can also be told to others.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::http::Reply;
use crate::store::Left;

/// No word of a provider holds requests for longer: then one goes out and asks anew.
pub(super) const LONGEST_HOLD: Duration = Duration::from_secs(300);

/// What is left of an endpoint's limits, as one response says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Headroom {
    pub(super) requests: Option<Left>,
    /// The prompt's tokens, or all where the provider counts them together.
    pub(super) input: Option<Left>,
    pub(super) output: Option<Left>,
}

impl Headroom {
    /// Reads a response's headers; a limit whose headers are absent or broken is not there.
    pub(super) fn of(reply: &Reply, now: Timestamp) -> Self {
        let openai = |kind: &str| {
            let remaining = reply.header(&format!("x-ratelimit-remaining-{kind}"))?.parse().ok()?;
            let reset = span(reply.header(&format!("x-ratelimit-reset-{kind}"))?)?;
            Some(Left { remaining, reset })
        };
        let clock = clock(reply).unwrap_or(now);
        let anthropic = |kind: &str| {
            let header = |part: &str| reply.header(&format!("anthropic-ratelimit-{kind}-{part}"));
            let remaining = header("remaining")?.parse().ok()?;
            let reset: Timestamp = header("reset")?.parse().ok()?;
            let reset = reset.duration_since(clock).try_into().unwrap_or(Duration::ZERO);
            Some(Left { remaining, reset })
        };
        let tokens = tightest(anthropic("tokens"), openai("tokens"));
        Self {
            requests: tightest(anthropic("requests"), openai("requests")),
            input: tightest(anthropic("input-tokens"), tokens),
            output: anthropic("output-tokens"),
        }
    }

    /// Whether the response said nothing of limits.
    pub(super) fn is_silent(&self) -> bool {
        *self == Self::default()
    }
}

fn tightest(one: Option<Left>, other: Option<Left>) -> Option<Left> {
    one.into_iter().chain(other).min_by_key(|left| left.remaining)
}

/// The reply's own clock, so that clocks need not agree.
fn clock(reply: &Reply) -> Option<Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(reply.header("date")?).ok()
}

/// A duration such as `6m0s`, `1.5s` or `20ms`; a bare number is seconds.
fn span(text: &str) -> Option<Duration> {
    let mut seconds = 0.0;
    let mut rest = text.trim();
    if let Ok(bare) = rest.parse::<f64>() {
        return Duration::try_from_secs_f64(bare).ok();
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        let (unit, scale) = [("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86_400.0)]
            .into_iter()
            .find(|(unit, _)| rest[digits..].starts_with(unit))?;
        seconds += number * scale;
        rest = &rest[digits + unit.len()..];
    }
    Duration::try_from_secs_f64(seconds).ok()
}

/// What one request needs of what is left.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Needs {
    /// Its prompt's tokens, at most.
    pub input: u64,
    /// The output tokens that are paid for.
    pub output: u64,
}

/// The provider's last word, counted down by what was sent since.
#[derive(Debug, Clone, Default)]
pub(super) struct Hold {
    requests: Option<Until>,
    input: Option<Until>,
    output: Option<Until>,
}

#[derive(Debug, Clone, Copy)]
struct Until {
    remaining: u64,
    reset: Instant,
}

impl Hold {
    /// Takes in a response's word; a limit that it does not name keeps the one before.
    pub(super) fn learn(&mut self, headroom: &Headroom, now: Instant) {
        let until = |left: Left| Until {
            remaining: left.remaining,
            reset: now + left.reset.min(LONGEST_HOLD),
        };
        self.requests = headroom.requests.map(until).or(self.requests);
        self.input = headroom.input.map(until).or(self.input);
        self.output = headroom.output.map(until).or(self.output);
    }

    /// A request goes out: the next word is not there yet, so one less is left.
    pub(super) fn sent(&mut self) {
        if let Some(requests) = &mut self.requests {
            requests.remaining = requests.remaining.saturating_sub(1);
        }
    }

    /// Until when a request with these needs is to be held back; `None`: it may go.
    pub(super) fn until(&self, needs: Needs, now: Instant) -> Option<Instant> {
        let limits = [(self.requests, 1), (self.input, needs.input), (self.output, needs.output)];
        let short = limits.into_iter().filter_map(|(left, need)| {
            let left = left?;
            (left.remaining < need.max(1) && now < left.reset).then_some(left.reset)
        });
        short.max()
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderName};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn headroom(headers: &[(&'static str, &str)]) -> Headroom {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect();
        let reply = Reply { status: 200, headers, body: Vec::new() };
        Headroom::of(&reply, "2026-11-22T12:00:00Z".parse().unwrap())
    }

    fn left(remaining: u64, seconds: u64) -> Option<Left> {
        Some(Left { remaining, reset: Duration::from_secs(seconds) })
    }

    #[test]
    fn anthropics_headers_are_read_by_the_replys_own_clock() {
        let headers = [
            ("anthropic-ratelimit-requests-limit", "50"),
            ("anthropic-ratelimit-requests-remaining", "49"),
            ("anthropic-ratelimit-requests-reset", "2026-11-22T12:00:02Z"),
            ("anthropic-ratelimit-tokens-remaining", "9000"),
            ("anthropic-ratelimit-tokens-reset", "2026-11-22T12:00:20Z"),
            ("anthropic-ratelimit-input-tokens-remaining", "12000"),
            ("anthropic-ratelimit-input-tokens-reset", "2026-11-22T12:00:10Z"),
            ("anthropic-ratelimit-output-tokens-remaining", "4000"),
            ("anthropic-ratelimit-output-tokens-reset", "2026-11-22T12:00:30Z"),
        ];
        let read = headroom(&headers);
        assert_eq!(
            (read.requests, read.input, read.output),
            (left(49, 2), left(9000, 20), left(4000, 30))
        );
        let skewed = [headers.as_slice(), &[("date", "Sun, 22 Nov 2026 12:00:01 GMT")]].concat();
        assert_eq!(headroom(&skewed).requests, left(49, 1));
    }

    #[test]
    fn openais_headers_are_read() {
        let read = headroom(&[
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "6m0s"),
            ("x-ratelimit-remaining-tokens", "149984"),
            ("x-ratelimit-reset-tokens", "1s"),
        ]);
        assert_eq!((read.requests, read.input), (left(0, 360), left(149_984, 1)));
    }

    #[test]
    fn spans_are_read_in_all_their_units_and_broken_headers_say_nothing() {
        let millis = |text| span(text).map(|span| span.as_millis());
        assert_eq!(millis("20ms"), Some(20));
        assert_eq!(millis("1h2m3.5s"), Some(3_723_500));
        assert_eq!(millis("7"), Some(7000));
        assert_eq!(
            (millis("soon"), millis("5x"), millis("1e999s"), millis("-1s")),
            (None, None, None, None)
        );
        let broken = headroom(&[
            ("anthropic-ratelimit-requests-remaining", "many"),
            ("anthropic-ratelimit-requests-reset", "2026-11-22T12:00:02Z"),
            ("anthropic-ratelimit-input-tokens-remaining", "5"),
            ("x-ratelimit-remaining-requests", "0"),
        ]);
        assert!(broken.is_silent(), "{broken:?}");
    }

    #[test]
    fn nothing_left_holds_until_the_reset_and_no_longer() {
        let (mut hold, now) = (Hold::default(), Instant::now());
        assert_eq!(hold.until(Needs::default(), now), None);
        hold.learn(&Headroom { requests: left(0, 2), ..Headroom::default() }, now);
        assert_eq!(hold.until(Needs::default(), now), Some(now + 2 * SECOND));
        assert_eq!(hold.until(Needs::default(), now + 2 * SECOND), None);
        hold.learn(&Headroom { requests: left(3, 60), ..Headroom::default() }, now + SECOND);
        assert_eq!(hold.until(Needs::default(), now + SECOND), None);
    }

    #[test]
    fn requests_that_were_sent_since_are_counted_down() {
        let (mut hold, now) = (Hold::default(), Instant::now());
        hold.learn(&Headroom { requests: left(2, 60), ..Headroom::default() }, now);
        hold.sent();
        assert_eq!(hold.until(Needs::default(), now), None);
        hold.sent();
        assert_eq!(hold.until(Needs::default(), now), Some(now + 60 * SECOND));
    }

    #[test]
    fn a_request_that_needs_more_tokens_than_are_left_is_held_and_a_small_one_goes() {
        let (mut hold, now) = (Hold::default(), Instant::now());
        let (input, output) = (left(3000, 10), left(1000, 20));
        hold.learn(&Headroom { input, output, ..Headroom::default() }, now);
        let until = |input, output| hold.until(Needs { input, output }, now);
        assert_eq!(until(2000, 1000), None);
        assert_eq!(until(4000, 1000), Some(now + 10 * SECOND));
        assert_eq!(until(4000, 1024), Some(now + 20 * SECOND));
    }

    #[test]
    fn a_reset_far_away_is_asked_for_again_after_five_minutes() {
        let (mut hold, now) = (Hold::default(), Instant::now());
        hold.learn(&Headroom { requests: left(0, 86_400), ..Headroom::default() }, now);
        assert_eq!(hold.until(Needs::default(), now), Some(now + 300 * SECOND));
    }
}
