//! The fake endpoint does what it is told, also over HTTP.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{anthropic, ask, both};
use crate::support::fake_model::{FakeModel, Mode};

/// One plain HTTP request; the response's status and body.
async fn http(fake: &FakeModel, method: &str, path: &str, body: &str) -> (u16, String) {
    let address = fake.url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close");
    let request = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).await.unwrap();
    let (head, body) = response.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

#[tokio::test]
async fn a_script_is_played_before_the_standing_mode() {
    let fake = FakeModel::start().await;
    fake.script([Mode::Overload { retry_after: Default::default() }, Mode::Refuse]);
    let model = anthropic(&fake.url(), "claude-sonnet-5-5", 10);
    for _ in 0..3 {
        drop(ask(&model).await);
    }
    let statuses: Vec<_> = fake.requests().iter().map(|seen| seen.status).collect();
    assert_eq!(statuses, [Some(529), Some(200), Some(200)]);
    assert!(ask(&model).await.is_ok());
}

#[tokio::test]
async fn it_is_steered_and_read_over_http() {
    let fake = FakeModel::start().await;
    let overload = r#"{"mode": "rate_limit", "retry_after": {"seconds": 3}, "times": 1}"#;
    assert_eq!(http(&fake, "POST", "/control", overload).await.0, 200);
    assert_eq!(http(&fake, "POST", "/control", r#"{"mode": "slow", "ms": 1}"#).await.0, 200);
    assert_eq!(http(&fake, "POST", "/control", r#"{"mode": "sing"}"#).await.0, 400);
    let model = anthropic(&fake.url(), "claude-sonnet-5-5", 10);
    ask(&model).await.unwrap_err();
    ask(&model).await.unwrap();
    let bill: Value = serde_json::from_str(&http(&fake, "GET", "/bill", "").await.1).unwrap();
    assert_eq!((&bill["requests"], &bill["billed"]), (&json!(2), &json!(1)));
    assert_eq!(bill["nano_usd"], fake.billed().0);
    let requests: Value =
        serde_json::from_str(&http(&fake, "GET", "/requests", "").await.1).unwrap();
    assert_eq!(requests[0]["status"], 429);
    assert_eq!(http(&fake, "POST", "/forget", "").await.0, 200);
    assert_eq!(fake.bill().requests, 0);
}

#[tokio::test]
async fn it_says_what_it_was_told_to_say() {
    let fake = FakeModel::start().await;
    fake.stand(Mode::AnswerWith { answer: json!({"lead": "6 months"}) });
    for model in both(&fake) {
        assert_eq!(ask(&model).await.unwrap().answer, json!({"lead": "6 months"}));
    }
}

#[tokio::test]
async fn whoever_waits_learns_that_a_request_arrived() {
    let fake = FakeModel::start().await;
    fake.stand(Mode::Hang);
    let model = anthropic(&fake.url(), "claude-sonnet-5-5", 10);
    tokio::select! {
        _ = ask(&model) => panic!("it hangs"),
        () = fake.arrived(1) => {}
    }
    assert_eq!(fake.requests().len(), 1);
}
