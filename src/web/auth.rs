//! Who may read what is not a probe.

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
    fn without_a_token_nobody_is_asked() {
        assert!(allows(&SecretString::from(""), None));
    }
}
