//! What is suggested, and what never again.

use jiff::civil::date;
use uuid::Uuid;

use super::*;
use crate::agents::samples::{event, message};
use crate::domain::money::Currency;
use crate::domain::suggestion::SuggestionStatus;

fn step(object: &str, days_before: i32) -> NextStep {
    let (object, action) = (object.to_owned(), "book".to_owned());
    NextStep { object, action, reason: "It is time".into(), days_before }
}

fn steps(objects: &[&str]) -> NextBase {
    NextBase { steps: objects.iter().map(|object| step(object, 60)).collect() }
}

fn task(object: &str, status: TaskStatus, due: Option<Date>) -> TaskRow {
    TaskRow {
        id: Uuid::nil(),
        title: format!("Book the {object}"),
        object: object.into(),
        action: "book".into(),
        assignee: None,
        due_said: None,
        due,
        status,
        opened_at: message("").sent_at,
    }
}

fn debt(what: &str, opened_at: &str) -> ExpenseRow {
    ExpenseRow {
        id: Uuid::nil(),
        what: what.into(),
        minor: 40_000,
        currency: Currency::parse("GBP").unwrap(),
        category: "other".into(),
        paid_by: None,
        split_between: None,
        shares: Vec::new(),
        status: ExpenseStatus::Due,
        opened_at: opened_at.parse().unwrap(),
    }
}

fn made(rows: &Projections, earlier: &[SuggestionRow], base: NextBase) -> Vec<Suggestion> {
    let event = event();
    Standing { event: &event, at: message("").sent_at, rows, earlier }.suggestions(base)
}

fn titles(suggestions: &[Suggestion]) -> Vec<&str> {
    suggestions.iter().map(|suggestion| suggestion.title.as_str()).collect()
}

#[test]
fn a_step_is_due_by_its_distance_from_the_event_and_never_before_today() {
    let base = NextBase { steps: vec![step("band", 60), step("venue", 300)] };
    let made = made(&Projections::default(), &[], base);
    assert_eq!(made[0].due, Some(date(2026, 4, 7)));
    assert_eq!(made[1].due, Some(date(2026, 3, 2)));
}

#[test]
fn what_is_done_open_called_off_or_paid_for_is_not_suggested() {
    let rows = Projections {
        tasks: vec![
            task("photographer", TaskStatus::Done, None),
            task("dj", TaskStatus::Cancelled, None),
        ],
        expenses: vec![debt("barn deposit", "2026-03-01T10:00:00Z")],
        ..Projections::default()
    };
    let base = steps(&["photographer", "dj", "barn", "cake"]);
    assert_eq!(titles(&made(&rows, &[], base)), ["Book the cake"]);
}

#[test]
fn what_was_suggested_before_does_not_come_again_dismissed_or_not() {
    let first = made(&Projections::default(), &[], steps(&["cake", "band"]));
    let row = |suggestion: &Suggestion, status| SuggestionRow {
        event: event().id,
        suggestion: suggestion.clone(),
        status,
        created_at: message("").sent_at,
        model: None,
        dismissed_at: None,
        dismissed_by: None,
    };
    let earlier =
        [row(&first[0], SuggestionStatus::Dismissed), row(&first[1], SuggestionStatus::Open)];
    let again = made(&Projections::default(), &earlier, steps(&["Cakes", "band", "florist"]));
    assert_eq!(titles(&again), ["Book the florist"]);
}

#[test]
fn what_is_late_or_owed_for_long_comes_first_with_its_figures() {
    let rows = Projections {
        tasks: vec![
            task("caterer", TaskStatus::Open, Some(date(2026, 2, 20))),
            task("bus", TaskStatus::Open, Some(date(2026, 3, 2))),
            task("cake", TaskStatus::Done, Some(date(2026, 2, 20))),
        ],
        expenses: vec![
            debt("marquee balance", "2026-02-01T10:00:00Z"),
            debt("harpist", "2026-02-28T10:00:00Z"),
        ],
        ..Projections::default()
    };
    let made = made(&rows, &[], steps(&["florist"]));
    assert_eq!(titles(&made), ["Check the caterer", "Pay the marquee balance", "Book the florist"]);
    assert!(made[0].reason.contains("20 February"), "{made:?}");
    assert!(made[1].reason.contains("GBP 400.00"), "{made:?}");
}

#[test]
fn a_run_suggests_a_handful_at_most() {
    let objects: Vec<String> = (0..12).map(|nr| format!("thing{nr}")).collect();
    let base = steps(&objects.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(made(&Projections::default(), &[], base).len(), MOST_SUGGESTIONS);
}

#[test]
fn a_question_holds_the_distance_and_what_is_known_and_is_told_apart_by_it() {
    let (event, at) = (event(), message("").sent_at);
    let rows = Projections {
        tasks: vec![task("photographer", TaskStatus::Open, None)],
        ..Projections::default()
    };
    let empty = Projections::default();
    let of = |rows| Standing { event: &event, at, rows, earlier: &[] }.question();
    let Brief::Next { days_left, known, .. } = of(&rows).brief() else { panic!("not next") };
    assert_eq!((days_left, known), (Some(96), vec!["photographer".to_owned()]));
    assert_ne!(of(&rows).key("m"), of(&empty).key("m"));
}

#[test]
fn an_endless_or_absurd_answer_is_refused() {
    let many: Vec<String> = (0..13).map(|nr| format!("thing{nr}")).collect();
    assert!(checked(steps(&many.iter().map(String::as_str).collect::<Vec<_>>())).is_err());
    for days in [9_000, i32::MIN, i32::MAX] {
        assert!(checked(NextBase { steps: vec![step("cake", days)] }).is_err());
    }
    assert!(checked(steps(&[""])).is_err());
    assert!(checked(steps(&[&"x".repeat(100)])).is_err());
    let link = NextStep { reason: "see www.example.org".into(), ..step("cake", 3) };
    assert!(checked(NextBase { steps: vec![link] }).is_err());
    assert_eq!(checked(steps(&[" Cake "])).unwrap().steps[0].object, "cake");
}
