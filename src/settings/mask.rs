//! What a secret looks like when it is printed: not at all.

use secrecy::{ExposeSecret as _, SecretString};
use serde::Serializer;

use super::Settings;

/// What stands for a secret.
const MASK: &str = "***";

/// The effective settings as TOML, every secret masked; a URL keeps all but its password.
pub fn masked(settings: &Settings) -> String {
    toml::to_string(settings).unwrap_or_else(|error| format!("# cannot be written: {error}\n"))
}

/// Serialises a secret that has no part to show; an empty one shows that it is empty.
pub(super) fn secret<S: Serializer>(secret: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(if secret.expose_secret().is_empty() { "" } else { MASK })
}

/// Serialises a URL without its password.
pub(super) fn url<S: Serializer>(url: &SecretString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&without_password(url.expose_secret()))
}

/// The URL with its password masked, and every parameter's value that may hold one.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        // `sqlite:PATH` has no password; anything else without an authority is no URL we know.
        return if url.is_empty() || url.starts_with("sqlite:") { url.into() } else { MASK.into() };
    };
    // The last `@` ends the user's part, whatever unescaped characters a password holds.
    let (user, place) = rest.rsplit_once('@').unwrap_or(("", rest));
    let user = match user.split_once(':') {
        Some((name, _)) => format!("{name}:{MASK}@"),
        None if user.is_empty() => String::new(),
        None => format!("{user}@"),
    };
    let (place, parameters) = place.split_once('?').unwrap_or((place, ""));
    let shown: Vec<String> = parameters.split('&').map(parameter).collect();
    let mark = if parameters.is_empty() { "" } else { "?" };
    format!("{scheme}://{user}{place}{mark}{}", shown.join("&"))
}

/// `password=…` and its like, masked.
fn parameter(parameter: &str) -> String {
    let (name, _) = parameter.split_once('=').unwrap_or((parameter, ""));
    let lower = name.to_ascii_lowercase();
    let telling = ["pass", "secret", "token", "key"].iter().any(|part| lower.contains(part));
    if telling { format!("{name}={MASK}") } else { parameter.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_keeps_all_but_its_password() {
        let shown = [
            ("postgres://gleaner:s3cret@db:5432/app", "postgres://gleaner:***@db:5432/app"),
            ("postgres://gleaner:p@s/s@db/app", "postgres://gleaner:***@db/app"),
            (
                "postgres://gleaner@db/app?sslmode=require",
                "postgres://gleaner@db/app?sslmode=require",
            ),
            ("postgres://db/app?user=a&password=b", "postgres://db/app?user=a&password=***"),
            ("amqps://u:p@mq/%2f?heartbeat=10", "amqps://u:***@mq/%2f?heartbeat=10"),
            ("sqlite:gleaner.db", "sqlite:gleaner.db"),
            ("", ""),
            ("hunter2", "***"),
        ];
        for (url, masked) in shown {
            assert_eq!(without_password(url), masked);
        }
    }
}
