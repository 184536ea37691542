//! Messages that give orders, and a model that obeys them: nothing reaches the rows that the answer's
//! schema and the event do not allow.

mod answers;
mod requests;
mod rows;
mod scene;

use scene::{HONEST, OBEYING};

use crate::support::injections;

#[test]
fn the_set_is_large_and_aims_at_every_agent() {
    let all = injections::all();
    assert!(all.len() >= 48, "{}", all.len());
    let mut ids: Vec<&str> = all.iter().map(|one| one.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all.len());
    for agent in gleaner::agents::AgentName::ALL {
        let aimed = all.iter().filter(|one| one.aims_at.starts_with(agent.name())).count();
        assert!(aimed >= 5, "{aimed} at {}", agent.name());
    }
}

#[test]
fn every_message_ends_and_no_other_reason_than_a_bad_answer_fails_one() {
    for injection in injections::all() {
        for id in injection.messages() {
            let data = &OBEYING.completions[&id]["data"];
            let (outcome, reason) = (data["outcome"].as_str(), data["reason"].as_str());
            let expected = match outcome.unwrap() {
                "completed" => reason.is_none(),
                "skipped" => reason == Some("nothing_to_do"),
                _ => reason == Some("answer_invalid"),
            };
            assert!(expected, "{id}: {data}");
        }
    }
}

#[test]
fn an_honest_model_is_not_refused() {
    let failed = |data: &&serde_json::Value| data["data"]["outcome"] == "failed";
    let failed: Vec<_> = HONEST.completions.values().filter(failed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn completion_events_have_their_shape() {
    const KEYS: [&str; 17] = [
        "attempt",
        "cached",
        "confidence",
        "cost_usd",
        "enrichment",
        "entities",
        "event_id",
        "follow_up",
        "intent",
        "latency_ms",
        "level",
        "message_id",
        "model",
        "outcome",
        "reason",
        "room_id",
        "tokens",
    ];
    for (id, event) in &OBEYING.completions {
        let data = event["data"].as_object().unwrap();
        let mut keys: Vec<&str> = data.keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, KEYS, "{id}");
        assert_eq!(event["specversion"], "1.0");
        let own = data["event_id"].as_str().unwrap();
        assert!(id.starts_with(own), "{id} is told of {own}");
    }
}
