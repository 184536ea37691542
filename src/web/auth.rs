//! Who may read what is not a probe.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

/// Whether a request with this `Authorization` header may pass. Without a token everyone may.
pub(super) fn allows(token: &SecretString, authorization: Option<&[u8]>) -> bool {
    let token = token.expose_secret();
    if token.is_empty() {
        return true;
    }
    let Some((scheme, sent)) = authorization.and_then(|header| header.split_at_checked(7)) else {
        return false;
    };
    // Digests compare in constant time, whatever was sent and however long it is.
    scheme.eq_ignore_ascii_case(b"Bearer ") && blake3::hash(sent) == blake3::hash(token.as_bytes())
}

/// Whether this `Authorization` header has the token as a password, under whatever name: how a
/// browser asks people for it.
pub(super) fn knows_password(token: &SecretString, authorization: Option<&[u8]>) -> bool {
    let Some((scheme, sent)) = authorization.and_then(|header| header.split_at_checked(6)) else {
        return false;
    };
    let Ok(pair) = BASE64_STANDARD.decode(sent.trim_ascii()) else { return false };
    let password = pair.iter().position(|byte| *byte == b':').map(|colon| &pair[colon + 1..]);
    let token = token.expose_secret();
    !token.is_empty()
        && scheme.eq_ignore_ascii_case(b"Basic ")
        && password.is_some_and(|sent| blake3::hash(sent) == blake3::hash(token.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_passes() {
        let token = SecretString::from("t0ken");
        assert!(allows(&token, Some(b"Bearer t0ken")) && allows(&token, Some(b"bearer t0ken")));
        for sent in [&b"Bearer t0ke"[..], b"Bearer t0kens", b"Basic t0ken", b"Bearer ", b"t0ken"] {
            assert!(!allows(&token, Some(sent)));
        }
        assert!(!allows(&token, None));
    }

    #[test]
    fn a_browser_may_send_the_token_as_a_password() {
        let token = SecretString::from("t0ken");
        let header = |pair: &str| format!("Basic {}", BASE64_STANDARD.encode(pair));
        assert!(knows_password(&token, Some(header("ana:t0ken").as_bytes())));
        assert!(knows_password(&token, Some(header(":t0ken").as_bytes())));
        for pair in ["ana:t0kens", "t0ken", "t0ken:", "t0ken:ana"] {
            assert!(!knows_password(&token, Some(header(pair).as_bytes())), "{pair}");
        }
        assert!(!knows_password(&token, Some(b"Basic ???")) && !knows_password(&token, None));
        assert!(!knows_password(&SecretString::from(""), Some(header("ana:").as_bytes())));
    }

    #[test]
    fn without_a_token_nobody_is_asked() {
        assert!(allows(&SecretString::from(""), None));
    }
}
