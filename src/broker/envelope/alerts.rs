//! What is told of an alert: CloudEvents 1.0 JSON, structured mode.
//!
//! A pure function of the alert's row, so that replicas that judge the same
//! moment tell the same bytes under the same ID.

use jiff::Timestamp;
use serde::Serialize;
use uuid::Uuid;

use super::{Envelope, wrapped};
use crate::domain::ids::derived_uuid;
use crate::store::{AlertRow, CompletionEvent};

/// Every key is always there; what is not known is null.
#[derive(Serialize)]
struct Data<'a> {
    alert_id: Uuid,
    rule: &'a str,
    key: &'a str,
    text: &'a str,
    value: f64,
    threshold: f64,
    fired_at: Timestamp,
    resolved_at: Option<Timestamp>,
}

/// The event that tells that an alert fired, or, once it has an end, that it is resolved; from the
/// CloudEvents `source` of the settings. Its subject is the alert's key.
pub fn alert_changed(source: &str, alert: &AlertRow) -> CompletionEvent {
    let what = if alert.resolved_at.is_some() { "resolved" } else { "fired" };
    let kind = format!("gleaner.alert.{what}");
    let id = derived_uuid(&["alert", &alert.id.to_string(), what]);
    let data = Data {
        alert_id: alert.id,
        rule: &alert.rule,
        key: &alert.key,
        text: &alert.text,
        value: alert.value,
        threshold: alert.threshold,
        fired_at: alert.fired_at,
        resolved_at: alert.resolved_at,
    };
    let time = alert.resolved_at.unwrap_or(alert.fired_at);
    let body = wrapped(&Envelope::new(id, source, &kind, &alert.key, time, data));
    let routing_key = format!("alert.{what}.{}", alert.rule);
    CompletionEvent { id, kind, routing_key, body }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn latency() -> AlertRow {
        AlertRow {
            id: Uuid::from_u128(7),
            key: "latency".into(),
            rule: "latency".into(),
            text: "slow".into(),
            value: 4_100.0,
            threshold: 3_000.0,
            fired_at: "2026-11-22T10:00:00Z".parse().unwrap(),
            resolved_at: None,
        }
    }

    fn resolved() -> AlertRow {
        AlertRow { resolved_at: Some("2026-11-22T11:00:00Z".parse().unwrap()), ..latency() }
    }

    #[test]
    fn every_attribute_and_every_key_of_the_data_is_there() {
        let made = alert_changed("/gleaner", &latency());
        let expected = json!({
            "specversion": "1.0", "id": made.id, "source": "/gleaner",
            "type": "gleaner.alert.fired", "subject": "latency",
            "time": "2026-11-22T10:00:00Z", "datacontenttype": "application/json",
            "data": {
                "alert_id": Uuid::from_u128(7), "rule": "latency", "key": "latency",
                "text": "slow", "value": 4100.0, "threshold": 3000.0,
                "fired_at": "2026-11-22T10:00:00Z", "resolved_at": null,
            },
        });
        assert_eq!(serde_json::from_slice::<Value>(&made.body).unwrap(), expected);
        assert_eq!(made.kind, "gleaner.alert.fired");
        assert_eq!(made.routing_key, "alert.fired.latency");
    }

    #[test]
    fn an_alert_with_an_end_is_told_as_resolved_at_that_moment() {
        let made = alert_changed("/gleaner", &resolved());
        let body: Value = serde_json::from_slice(&made.body).unwrap();
        assert_eq!(body["type"], "gleaner.alert.resolved");
        assert_eq!(body["time"], "2026-11-22T11:00:00Z");
        assert_eq!(body["data"]["resolved_at"], "2026-11-22T11:00:00Z");
        assert_eq!(made.routing_key, "alert.resolved.latency");
    }

    #[test]
    fn a_repeat_is_equal_byte_for_byte_and_the_two_ends_of_an_alert_are_two_events() {
        assert_eq!(alert_changed("/gleaner", &latency()), alert_changed("/gleaner", &latency()));
        let ids = [latency(), resolved()].map(|alert| alert_changed("/gleaner", &alert).id);
        assert_ne!(ids[0], ids[1]);
    }
}
