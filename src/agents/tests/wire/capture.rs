//! An endpoint that takes one request, keeps what came, and answers nothing of use.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came over the wire.
#[derive(Debug)]
pub(super) struct Sent {
    /// Method, path and version.
    pub(super) line: String,
    /// Names in lower case and values, in order of name.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Value,
}

impl Sent {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The request that a call sends to the address it is given; what the call makes of the answer
/// does not matter.
pub(super) async fn one<F: Future>(call: impl FnOnce(SocketAddr) -> F) -> Sent {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let call = call(listener.local_addr().unwrap());
    let (sent, _) = tokio::join!(take(listener), call);
    sent
}

async fn take(listener: TcpListener) -> Sent {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut bytes = Vec::new();
    let head = loop {
        read_more(&mut stream, &mut bytes).await;
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
    };
    let text = String::from_utf8(bytes[..head].to_vec()).unwrap();
    let mut lines = text.split("\r\n");
    let line = lines.next().unwrap().to_owned();
    let mut headers: Vec<_> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    headers.sort();
    let mut sent = Sent { line, headers, body: Value::Null };
    let length: usize = sent.header("content-length").unwrap().parse().unwrap();
    while bytes.len() < head + 4 + length {
        read_more(&mut stream, &mut bytes).await;
    }
    sent.body = serde_json::from_slice(&bytes[head + 4..]).unwrap();
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    stream.write_all(answer).await.unwrap();
    sent
}

async fn read_more(stream: &mut TcpStream, bytes: &mut Vec<u8>) {
    let mut part = vec![0; 64 * 1024];
    let read = stream.read(&mut part).await.unwrap();
    assert!(read > 0, "the request ends before it is whole");
    bytes.extend_from_slice(&part[..read]);
}
