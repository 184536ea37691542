//! An alert as a message that Slack, and what understands its messages, can show.
//!
//! `text` is what a notification shows, `blocks` what the channel shows, and
//! `metadata` what a program reads: it is flat and holds no nulls, as Slack demands.

use serde_json::{Map, Value, json};

use crate::store::AlertRow;

/// The most characters that are said of an alert; Slack refuses a block of over 3,000, and an
/// escaped character is up to five.
const LONGEST_TEXT: usize = 550;

/// The message's bytes: fired, or, once the alert has an end, resolved.
pub(in crate::monitor) fn message(source: &str, alert: &AlertRow) -> Vec<u8> {
    let (title, kind) = match alert.resolved_at {
        None => ("Alert", "gleaner_alert_fired"),
        Some(_) => ("Resolved", "gleaner_alert_resolved"),
    };
    let said: String = alert.text.chars().take(LONGEST_TEXT).collect();
    let (rule, said) = (escaped(&alert.rule), escaped(&said));
    let mut when = format!("fired {:.0}", alert.fired_at);
    if let Some(resolved_at) = alert.resolved_at {
        when = format!("{when}, resolved {resolved_at:.0}");
    }
    let context = format!("{} · {} · {when}", escaped(source), escaped(&alert.key));
    let message = json!({
        "text": format!("{title}: {rule}: {said}"),
        "blocks": [
            {"type": "section", "text": {"type": "mrkdwn", "text": format!("*{title}: {rule}*\n{said}")}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": context}]},
        ],
        "metadata": {"event_type": kind, "event_payload": payload(source, alert)},
    });
    message.to_string().into_bytes()
}

fn payload(source: &str, alert: &AlertRow) -> Map<String, Value> {
    let mut payload = Map::new();
    let mut set = |key: &str, value: Value| payload.insert(key.to_owned(), value);
    set("source", source.into());
    set("alert_id", alert.id.to_string().into());
    set("rule", alert.rule.as_str().into());
    set("key", alert.key.as_str().into());
    set("value", alert.value.into());
    set("threshold", alert.threshold.into());
    set("fired_at", alert.fired_at.to_string().into());
    if let Some(resolved_at) = alert.resolved_at {
        set("resolved_at", resolved_at.to_string().into());
    }
    payload
}

/// Slack reads `<!channel>` and its like as commands, and these three characters make them.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn alert() -> AlertRow {
        AlertRow {
            id: Uuid::from_u128(7),
            key: "budget:80:budget:event:<!channel>".into(),
            rule: "budget".into(),
            text: "81 % of the budget event:<!channel> & more is spent.".into(),
            value: 81.0,
            threshold: 80.0,
            fired_at: "2026-11-22T10:00:00Z".parse().unwrap(),
            resolved_at: None,
        }
    }

    fn json_of(alert: &AlertRow) -> Value {
        serde_json::from_slice(&message("/gleaner", alert)).unwrap()
    }

    #[test]
    fn what_slack_would_obey_is_escaped() {
        let message = json_of(&alert());
        let said = "81 % of the budget event:&lt;!channel&gt; &amp; more is spent.";
        assert_eq!(message["text"], format!("Alert: budget: {said}"));
        assert_eq!(message["blocks"][0]["text"]["text"], format!("*Alert: budget*\n{said}"));
        let context = message["blocks"][1]["elements"][0]["text"].as_str().unwrap();
        assert_eq!(
            context,
            "/gleaner · budget:80:budget:event:&lt;!channel&gt; · fired 2026-11-22T10:00:00Z"
        );
    }

    #[test]
    fn a_program_reads_the_same_from_the_metadata_and_meets_no_null() {
        let message = json_of(&alert());
        assert_eq!(message["metadata"]["event_type"], "gleaner_alert_fired");
        let payload = &message["metadata"]["event_payload"];
        assert_eq!(payload["key"], "budget:80:budget:event:<!channel>");
        assert_eq!((&payload["value"], &payload["threshold"]), (&81.0.into(), &80.0.into()));
        assert!(!message.to_string().contains("null"), "{message}");
    }

    #[test]
    fn a_resolved_alert_says_so_and_when() {
        let end = Some("2026-11-22T11:00:00Z".parse().unwrap());
        let message = json_of(&AlertRow { resolved_at: end, ..alert() });
        assert!(message["text"].as_str().unwrap().starts_with("Resolved: budget: "));
        assert_eq!(message["metadata"]["event_type"], "gleaner_alert_resolved");
        assert_eq!(message["metadata"]["event_payload"]["resolved_at"], "2026-11-22T11:00:00Z");
    }

    #[test]
    fn a_text_of_any_length_fits_a_block() {
        let long = AlertRow { text: "&".repeat(5_000), ..alert() };
        let section = json_of(&long)["blocks"][0]["text"]["text"].as_str().unwrap().len();
        assert!(section > 1_000 && section <= 3_000, "{section}");
    }
}
