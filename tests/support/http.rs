//! Plain HTTP/1.1 requests, so that tests of the port need no client library.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Status and body of a GET.
pub(crate) async fn get(address: &str, path: &str) -> (u16, String) {
    request(address, &format!("GET {path}"), "", "").await
}

/// Status and body of a request: a method with its path, header lines that each end with a line
/// end, and a body.
pub(crate) async fn request(address: &str, what: &str, headers: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("the port is open");
    let length = body.len();
    let request = format!(
        "{what} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-length: {length}\r\n{headers}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status =
        answer.split_whitespace().nth(1).and_then(|code| code.parse().ok()).expect("a status line");
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
    (status, body)
}
