//! The product and version that a broker greets with; lapin reads the greeting but does not show it.

use std::time::Duration;

use futures::io::{AsyncReadExt as _, AsyncWriteExt as _};
use lapin::tcp::{AMQPUriTcpExt as _, OwnedTLSConfig};
use lapin::uri::AMQPUri;
use tokio::time::timeout;

/// How long the greeting may take; nothing depends on it.
const PATIENCE: Duration = Duration::from_secs(3);

/// The longest greeting that is read, in bytes.
const LONGEST: usize = 16 * 1024;

/// `RabbitMQ 3.10.8`, or `None` when the broker does not say.
pub(super) async fn greeting(uri: &AMQPUri) -> Option<String> {
    let bytes = timeout(PATIENCE, read(uri)).await.ok()?.ok()?;
    Some(format!("{} {}", property(&bytes, "product")?, property(&bytes, "version")?))
}

/// Opens a connection only to hear `connection.start`, the first frame, and leaves.
async fn read(uri: &AMQPUri) -> Result<Vec<u8>, std::io::Error> {
    let runtime = lapin::runtime::default_runtime().map_err(std::io::Error::other)?;
    let tls = OwnedTLSConfig::default();
    let mut stream = uri.connect_with_config_async(tls.as_ref(), &runtime).await?;
    stream.write_all(b"AMQP\x00\x00\x09\x01").await?;
    // Type (1), channel (2), size (4), then so many bytes.
    let mut header = [0u8; 7];
    stream.read_exact(&mut header).await?;
    let size = u32::from_be_bytes([header[3], header[4], header[5], header[6]]) as usize;
    let mut frame = vec![0u8; size.min(LONGEST)];
    stream.read_exact(&mut frame).await?;
    Ok(frame)
}

/// A long string of the greeting's property table: short name, `S`, four bytes of length, text.
fn property(bytes: &[u8], name: &str) -> Option<String> {
    let key: Vec<u8> =
        [&[name.len() as u8], name.as_bytes(), b"S"].into_iter().flatten().copied().collect();
    let start = bytes.windows(key.len()).position(|window| window == key)? + key.len();
    let length: [u8; 4] = bytes.get(start..start + 4)?.try_into().ok()?;
    let text = bytes.get(start + 4..start + 4 + u32::from_be_bytes(length) as usize)?;
    Some(String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(40).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn product_and_version_are_read_and_a_cut_greeting_is_none() {
        let greeting = b"\x00\x0a\x00\x0a\x07productS\x00\x00\x00\x08RabbitMQ\x07versionS\x00\x00\x00\x063.10.8";
        assert_eq!(property(greeting, "product").as_deref(), Some("RabbitMQ"));
        assert_eq!(property(greeting, "version").as_deref(), Some("3.10.8"));
        assert_eq!(property(&greeting[..greeting.len() - 1], "version"), None);
        assert_eq!(property(b"", "product"), None);
    }
}
