//! Title, people, dates and figures of a task.

use jiff::civil::date;

use super::*;
use crate::agents::samples::{event, message};
use crate::domain::money::Currency;

fn base() -> TaskBase {
    TaskBase {
        category: "photography".into(),
        checklist: vec!["Look".into()],
        questions: vec!["Free?".into()],
        lead_time_days: 30,
        budget_share_low: 8.0,
        budget_share_high: 12.0,
    }
}

fn task(due: Option<&str>) -> TaskEntities {
    TaskEntities {
        object: "photographer".into(),
        action: "book".into(),
        assignee: Some("me".into()),
        due: due.map(str::to_owned),
    }
}

fn done(event: &Event, due: Option<&str>) -> TaskEnrichment {
    finish(event, &message("…"), &task(due), base(), &Personal::default())
}

#[test]
fn a_task_reads_as_an_order_with_a_name_at_it() {
    let task = done(&event(), None);
    assert_eq!(
        (task.title.as_str(), task.assignee.as_deref()),
        ("Book the photographer", Some("Tom"))
    );
    assert_eq!(title("collect", "my dress"), "Collect my dress");
    assert_eq!(title("", "cake"), "Arrange the cake");
}

#[test]
fn what_was_said_is_read_on_the_groups_calendar() {
    let task = done(&event(), Some("by friday"));
    assert_eq!((task.due, task.due_said.as_deref()), (Some(date(2026, 3, 6)), Some("by friday")));
    let mut sydney = event();
    sydney.time_zone = "Australia/Sydney".into();
    assert_eq!(done(&sydney, Some("today")).due, Some(date(2026, 3, 3)));
}

#[test]
fn without_a_date_the_lead_time_is_worked_back_from_the_event() {
    assert_eq!(done(&event(), None).due, Some(date(2026, 5, 7)));
    assert_eq!(done(&event(), Some("before half term")).due, Some(date(2026, 5, 7)));
    let unknown = Event { starts_at: None, ..event() };
    assert_eq!(done(&unknown, None).due, None);
}

#[test]
fn a_worked_back_date_is_never_before_the_message_nor_after_the_event() {
    let soon = Event { starts_at: Some("2026-03-12T12:00:00Z".parse().unwrap()), ..event() };
    assert_eq!(done(&soon, None).due, Some(date(2026, 3, 2)));
    let over = Event { starts_at: Some("2026-02-12T12:00:00Z".parse().unwrap()), ..event() };
    assert_eq!(done(&over, None).due, Some(date(2026, 2, 12)));
}

#[test]
fn the_cost_range_is_a_share_of_the_budget() {
    assert_eq!(done(&event(), None).cost_range, Some((160_000, 240_000)));
    assert_eq!(done(&Event { budget: None, ..event() }, None).cost_range, None);
}

#[test]
fn three_vendors_at_most_and_prices_in_the_events_currency_alone() {
    let vendor = |id: &str, code: &str| Vendor {
        id: id.into(),
        name: id.into(),
        kind: "photographer".into(),
        area: None,
        price_from: Some(90_000),
        currency: Currency::parse(code),
        rating: None,
    };
    let vendors = ["GBP", "EUR", "GBP", "GBP"].map(|code| vendor(code, code)).into();
    let personal = Personal { vendors, ..Personal::default() };
    let task = finish(&event(), &message("…"), &task(None), base(), &personal);
    let prices: Vec<_> = task.vendors.iter().map(|vendor| vendor.price_from).collect();
    assert_eq!(prices, [Some(90_000), None, Some(90_000)]);
}
