//! What a model may route, and what is refused.

use super::*;
use crate::agents::records::tests::rows;
use crate::agents::samples::event;

fn routed(ask: Ask, thing: &str, person: &str) -> Routed {
    Routed {
        ask,
        thing: thing.into(),
        person: person.into(),
        category: String::new(),
        until: String::new(),
    }
}

fn query(routed: &Routed) -> Option<RecordQuery> {
    routed.query(&event(), &PersonId("Tom".into()), &rows())
}

#[test]
fn people_and_things_of_the_event_make_a_query() {
    let barn = query(&routed(Ask::SpentOn, "barn", ""));
    assert_eq!(barn, Some(RecordQuery::SpentOn { thing: "barn".into() }));
    let own = query(&routed(Ask::OpenTasks, "", "me"));
    assert_eq!(own, Some(RecordQuery::TasksOf { person: Some(PersonId("Tom".into())) }));
    assert_eq!(query(&routed(Ask::Debts, "", "")), Some(RecordQuery::Debts));
    let hen = query(&routed(Ask::PollResult, "Cardiff", ""));
    assert_eq!(hen, Some(RecordQuery::PollResult { thing: Some("Cardiff".into()) }));
}

#[test]
fn strangers_unknown_things_and_what_is_missing_are_refused() {
    assert_eq!(query(&routed(Ask::PaidBy, "", "Bob")), None);
    assert_eq!(query(&routed(Ask::SpentOn, "helicopter", "")), None);
    assert_eq!(query(&routed(Ask::Task, "", "")), None);
    assert_eq!(query(&routed(Ask::PollResult, "dragon", "")), None);
    let odd = Routed { category: "yachts".into(), ..routed(Ask::SpentOn, "", "") };
    assert_eq!(query(&odd), None);
    let never = Routed { until: "soon".into(), ..routed(Ask::DueUntil, "", "") };
    assert_eq!(query(&never), None);
}

#[test]
fn a_category_stands_for_a_thing_and_a_day_is_read() {
    let decor = Routed { category: "decor".into(), ..routed(Ask::SpentOn, "", "") };
    assert_eq!(query(&decor), Some(RecordQuery::SpentOn { thing: "decor".into() }));
    let until = Routed { until: "2026-03-08".into(), ..routed(Ask::DueUntil, "", "") };
    let day = "2026-03-08".parse().unwrap();
    assert_eq!(query(&until), Some(RecordQuery::DueUntil { until: day }));
}

#[test]
fn a_routing_is_read_from_flat_json_and_closed() {
    let told =
        r#"{"ask": "who_is_on", "thing": "cake", "person": "", "category": "", "until": ""}"#;
    let read: Routed = serde_json::from_str(told).unwrap();
    assert_eq!(read.ask, Ask::WhoIsOn);
    assert!(serde_json::from_str::<Routed>(r#"{"ask": "drop_table"}"#).is_err());
}
