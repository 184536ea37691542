//! A model endpoint to try the daemon with, without a key and without costs.
//!
//! `cargo run --example fake-model -- --port 9100`
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for people")]

use std::process::ExitCode;

#[path = "../tests/support/fake_model/mod.rs"]
mod fake_model;

const USAGE: &str = "usage: fake-model [--port PORT]    PORT 0 takes a free one; default 9100";

#[tokio::main]
async fn main() -> ExitCode {
    let Some(port) = port() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let fake = match fake_model::FakeModel::start_on(port).await {
        Ok(fake) => fake,
        Err(error) => {
            eprintln!("cannot listen on port {port}: {error}");
            return ExitCode::FAILURE;
        }
    };
    println!("{}", how_to(&fake.url()));
    tokio::select! {
        () = fake.run() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    ExitCode::SUCCESS
}

fn port() -> Option<u16> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => Some(9100),
        ["--port", port] => port.parse().ok(),
        _ => None,
    }
}

fn how_to(url: &str) -> String {
    format!(
        r#"A fake model listens at {url} (Anthropic) and {url}/v1 (OpenAI).

Point the daemon at it:
  export GLEANER__ENDPOINTS__ANTHROPIC__BASE_URL={url} ANTHROPIC_API_KEY=fake

Tell it what to do from now on, or for the next requests with "times":
  curl {url}/control -d '{{"mode": "answer"}}'
  curl {url}/control -d '{{"mode": "slow", "ms": 1500}}'
  curl {url}/control -d '{{"mode": "rate_limit", "retry_after": {{"seconds": 3}}}}'   also date, ms; or "none"
  curl {url}/control -d '{{"mode": "overload", "times": 3}}'
  curl {url}/control -d '{{"mode": "server_error", "explained": false}}'
  curl {url}/control -d '{{"mode": "nonsense", "kind": "page"}}'                    also error, prose, schema
  curl {url}/control -d '{{"mode": "account_stopped", "how": "credit"}}'            also spend_limit, key
  and: hang, cut, refuse, max_tokens, empty_usage, answer_with (with "answer": {{…}})

See what it was asked and what it would have cost:
  curl {url}/bill
  curl {url}/requests
  curl -X POST {url}/forget"#
    )
}
