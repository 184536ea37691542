//! Receive: from a delivery's body to a queue item's ID.

use serde::Deserialize;

use crate::domain::ids::{BadId, ItemId};

/// A body that names no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadDelivery {
    /// It is not UTF-8.
    #[error("the body is not UTF-8")]
    NotText,
    /// It starts like JSON, but is none with a `message_id`.
    #[error("the body starts with '{{', but is no JSON object with a string message_id")]
    NoMessageId,
    /// It is no ID.
    #[error(transparent)]
    BadId(#[from] BadId),
}

impl BadDelivery {
    /// The kind, for metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Self::NotText => "not_text",
            Self::NoMessageId => "no_message_id",
            Self::BadId(_) => "bad_id",
        }
    }
}

/// Reads the ID: plain text, or `message_id` of a JSON object, of which nothing else is read.
///
/// # Errors
/// [`BadDelivery`] when there is none.
pub fn item_id(body: &[u8]) -> Result<ItemId, BadDelivery> {
    #[derive(Deserialize)]
    struct Named {
        message_id: String,
    }
    let text = std::str::from_utf8(body).map_err(|_| BadDelivery::NotText)?.trim();
    if !text.starts_with('{') {
        return Ok(ItemId::parse(text)?);
    }
    let named: Named = serde_json::from_str(text).map_err(|_| BadDelivery::NoMessageId)?;
    Ok(ItemId::parse(&named.message_id)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_an_id_or_json_that_names_one() {
        for body in ["m-1", "  m-1\n", r#"{"message_id":"m-1","text":"ignored"}"#] {
            assert_eq!(item_id(body.as_bytes()).unwrap().as_str(), "m-1");
        }
    }

    #[test]
    fn a_body_that_names_no_message_says_why() {
        let too_long = "x".repeat(129);
        for (body, why) in [
            (b"".as_slice(), "visible ASCII"),
            (b"two words", "visible ASCII"),
            (too_long.as_bytes(), "visible ASCII"),
            (b"\xff\xfe", "UTF-8"),
            (b"{\"id\":1}", "message_id"),
            (b"{\"message_id\":7}", "message_id"),
            (b"{broken", "message_id"),
        ] {
            let error = item_id(body).unwrap_err().to_string();
            assert!(error.contains(why), "{error:?} does not say {why:?}");
        }
    }
}
