//! What the rows say to a question, and what they do not.

use uuid::Uuid;

use super::*;
use crate::agents::samples::{event, message};
use crate::domain::enrichment::ExpenseStatus;
use crate::domain::ids::PersonId;
use crate::domain::money::{Currency, split_equally};
use crate::domain::projection::{ExpenseRow, PollOption, PollRow, TaskRow, TaskStatus};

/// What the rows say; they must be as of the message.
fn answer(
    event: &Event,
    message: &Message,
    query: &QueryEntities,
    rows: &Projections,
) -> AnswerEnrichment {
    let found = match look_up(event, message, query, rows) {
        Lookup::Found(found) => Some(found),
        Lookup::NotOnRecord(_) | Lookup::Unmatched(_) | Lookup::NotUnderstood => None,
    };
    enrichment(query, found)
}

fn person(name: &str) -> PersonId {
    PersonId(name.into())
}

fn expense(id: u128, what: &str, category: &str, minor: i64, payer: Option<&str>) -> ExpenseRow {
    ExpenseRow {
        id: Uuid::from_u128(id),
        what: what.into(),
        minor,
        currency: event().currency,
        category: category.into(),
        paid_by: payer.map(person),
        split_between: None,
        shares: split_equally(minor, &event().people()),
        status: if payer.is_some() { ExpenseStatus::Paid } else { ExpenseStatus::Due },
        opened_at: message("").sent_at,
    }
}

fn task(id: u128, object: &str, who: Option<&str>, status: TaskStatus) -> TaskRow {
    TaskRow {
        id: Uuid::from_u128(id),
        title: format!("Book the {object}"),
        object: object.into(),
        action: "book".into(),
        assignee: who.map(str::to_owned),
        due_said: None,
        due: Some("2026-03-01".parse().unwrap()),
        status,
        opened_at: message("").sent_at,
    }
}

pub(super) fn rows() -> Projections {
    let option = |text: &str, votes: &[&str]| PollOption {
        text: text.into(),
        key: String::new(),
        votes: votes.iter().map(|name| person(name)).collect(),
    };
    Projections {
        tasks: vec![
            task(11, "photographer", Some("Meera"), TaskStatus::Done),
            task(12, "coach", Some("Tom"), TaskStatus::Open),
            task(13, "cake", Some("someone"), TaskStatus::Open),
        ],
        expenses: vec![
            expense(21, "barn deposit", "venue", 150_000, Some("Tom")),
            expense(22, "balloons", "decor", 3_000, Some("Priya")),
            expense(23, "roses", "flowers", 60_000, None),
        ],
        polls: vec![PollRow {
            id: Uuid::from_u128(31),
            question: "HEN. Cardiff or Bath??".into(),
            options: vec![option("Cardiff", &["Priya", "Meera"]), option("Bath", &["Tom"])],
            opened_at: message("").sent_at,
        }],
        ..Projections::default()
    }
}

fn said(topic: &str, subject: Option<&str>, text: &str) -> (String, Vec<u128>) {
    let query = QueryEntities { topic: topic.into(), subject: subject.map(str::to_owned) };
    let answer = answer(&event(), &message(text), &query, &rows());
    (answer.answer, answer.sources.iter().map(|id| id.as_u128()).collect())
}

#[test]
fn the_total_keeps_what_is_paid_and_what_is_due_apart() {
    let (text, sources) = said("spending", Some("total"), "how much have we spent so far, all in?");
    assert_eq!(text, "GBP 1,530.00 spent so far, GBP 600.00 still due.");
    assert_eq!(sources, [21, 22, 23]);
}

#[test]
fn spending_is_told_by_category_thing_and_vendor() {
    let (text, sources) = said("spending", Some("decor"), "whats the total for decor at the mo");
    assert_eq!((text.as_str(), sources), ("balloons: GBP 30.00, paid by Priya.", vec![22]));
    let (text, _) = said("spending", Some("barn"), "what has the barn had off us");
    assert_eq!(text, "barn deposit: GBP 1,500.00, paid by Tom.");
    let (text, _) = said("spending", Some("florist"), "Has the florist been paid yet?");
    assert_eq!(text, "No: roses: GBP 600.00, due.");
}

#[test]
fn spending_is_told_by_person() {
    let (text, _) = said("spending", Some("Priya"), "How much has Priya put in up to today");
    assert_eq!(text, "Priya has paid GBP 30.00: balloons GBP 30.00.");
    let (text, _) = said("spending", Some("per person"), "who's put in the most so far?");
    assert_eq!(text, "Paid so far: Tom GBP 1,500.00, Priya GBP 30.00, Meera GBP 0.00.");
}

#[test]
fn what_is_outstanding_is_listed() {
    let (text, sources) =
        said("spending", Some("unpaid vendors"), "which vendors are still unpaid?");
    assert_eq!((text.as_str(), sources), ("GBP 600.00 outstanding: roses GBP 600.00.", vec![23]));
    let (text, sources) = said("spending", Some("outstanding"), "what's outstanding?");
    assert!(text.starts_with("Still to do: ") && text.ends_with("roses GBP 600.00."), "{text}");
    assert_eq!(sources, [12, 13, 23]);
}

#[test]
fn who_owes_whom_is_worked_out() {
    let (text, sources) = said("spending", Some("debts"), "so who owes who?");
    assert_eq!(text, "Meera owes Tom GBP 510.00, Priya owes Tom GBP 480.00.");
    assert_eq!(sources, [21, 22]);
    let (text, _) = said("spending", None, "what does Meera owe me");
    assert!(text.contains("Meera owes Tom GBP 510.00"), "{text}");
}

#[test]
fn the_budget_says_what_is_left() {
    let (text, _) = said("spending", Some("budget remaining"), "how much is left in the budget");
    assert!(text.starts_with("GBP 17,870.00 of the budget of GBP 20,000.00 is left"), "{text}");
    let (text, _) = said("spending", Some("per head"), "what are we at per head now?");
    assert!(text.starts_with("GBP 710.00 a head"), "{text}");
}

#[test]
fn amounts_in_another_currency_are_never_added() {
    let mut rows = rows();
    rows.expenses[1].currency = Currency::parse("EUR").unwrap();
    let query = QueryEntities { topic: "spending".into(), subject: Some("total".into()) };
    let answer = answer(&event(), &message("total?"), &query, &rows);
    assert!(answer.answer.starts_with("GBP 1,500.00 and EUR 30.00 spent"), "{}", answer.answer);
}

#[test]
fn a_task_is_told_with_who_is_on_it() {
    let (text, sources) = said("tasks", Some("coach"), "status on the coach?");
    assert_eq!(text, "Book the coach: open, Tom is on it, due 1 March 2026.");
    assert_eq!(sources, [12]);
    let (text, _) = said("tasks", Some("photographer"), "is the photographer done?");
    assert_eq!(text, "Yes: Book the photographer: done, Meera was on it.");
    let (text, _) = said("people", Some("cake"), "whos on the cake");
    assert!(text.contains("nobody is on it yet"), "{text}");
}

#[test]
fn open_tasks_are_listed_all_by_person_unassigned_and_overdue() {
    assert_eq!(said("tasks", None, "what's left on the to do list").1, [12, 13]);
    assert_eq!(said("tasks", None, "is there anything left with my name on?").1, [12]);
    assert_eq!(said("tasks", Some("unassigned"), "what's still unassigned?").1, [13]);
    assert_eq!(said("tasks", Some("overdue"), "what's overdue?").1, [12, 13]);
    assert_eq!(said("tasks", Some("Meera"), "what's on Meera").0, "Nothing open is on Meera.");
}

#[test]
fn a_poll_is_told_with_its_votes() {
    let (text, sources) = said("polls", Some("hen"), "who won the hen vote");
    assert_eq!(text, "Cardiff leads: Cardiff 2 votes, Bath 1 vote.");
    assert_eq!(sources, [31]);
}

#[test]
fn when_is_told_for_dated_tasks_and_the_event_itself() {
    let (text, _) = said("schedule", Some("coach"), "when must the coach be booked");
    assert!(text.contains("due 1 March 2026"), "{text}");
    let (text, _) = said("schedule", Some("wedding"), "when is the wedding?");
    assert_eq!(text, "It begins on Saturday, 6 June 2026 at 13:00 BST.");
}

#[test]
fn what_the_rows_do_not_say_is_not_guessed() {
    for (topic, subject, text) in [
        ("spending", Some("helicopter"), "what did the helicopter cost"),
        ("spending", Some("helicopter"), "did I pay the helicopter or is it pending?"),
        ("tasks", Some("helicopter"), "who has the helicopter"),
        ("people", Some("rsvp"), "How many RSVPs have we got?"),
        ("schedule", Some("caterer deposit"), "When is the caterer's deposit due?"),
        ("other", Some("address"), "What's the address of the crem?"),
        ("nonsense", None, "?"),
    ] {
        assert_eq!(said(topic, subject, text), (UNKNOWN.to_owned(), vec![]), "{text}");
    }
}

#[test]
fn a_yes_or_a_no_comes_first_where_it_was_asked_for() {
    for (topic, subject, text, first) in [
        ("spending", Some("barn"), "has the barn been paid?", "Yes: barn deposit"),
        ("spending", Some("budget"), "are we over budget?", "No: GBP 17,870.00"),
        ("spending", Some("balance"), "do I owe anyone?", "No, Tom owes nobody. Meera owes Tom"),
        ("tasks", Some("coach"), "did anyone book the coach?", "Not yet: Book the coach"),
        ("tasks", Some("coach"), "is the coach still on me?", "Yes: Book the coach"),
        ("tasks", Some("cake"), "is anybody on the cake?", "No: Book the cake"),
        ("polls", Some("bath"), "did Bath win?", "No: Cardiff leads"),
    ] {
        let (told, sources) = said(topic, subject, text);
        assert!(told.starts_with(first), "{text}: {told}");
        assert!(!sources.is_empty(), "{text}");
    }
}

#[test]
fn parts_and_people_are_worked_out_over_the_rows() {
    for (topic, subject, text, told) in [
        (
            "spending",
            Some("barn"),
            "what's my share of the barn?",
            "Tom's share is GBP 500.00 of barn deposit.",
        ),
        ("spending", None, "who hasn't paid anything yet?", "Nothing paid so far by Meera."),
        (
            "spending",
            None,
            "what's the biggest expense?",
            "The biggest is barn deposit: GBP 1,500.00, paid by Tom.",
        ),
        (
            "spending",
            None,
            "how much have we spent without the barn?",
            "GBP 30.00 spent so far, GBP 600.00 still due, without barn deposit: GBP 1,500.00, paid by Tom.",
        ),
        ("tasks", None, "how many jobs are left?", "2 open, 1 done."),
        ("polls", None, "who voted for Bath?", "1 vote for Bath: Tom."),
        ("polls", None, "what did Meera vote for?", "Meera voted for Cardiff."),
        ("polls", None, "who hasn't voted yet?", "Everybody has voted: 3 of 3."),
        ("people", None, "how many of us are there?", "3 in this group: Priya, Tom, Meera."),
        ("schedule", None, "how many days to go?", "96 days left: it begins on 6 June 2026."),
    ] {
        assert_eq!(said(topic, subject, text).0, told, "{text}");
    }
}

#[test]
fn a_thing_is_not_taken_for_another_of_its_category() {
    let mut rows = rows();
    rows.expenses.push(expense(24, "suits", "attire", 38_000, Some("Tom")));
    rows.expenses.push(expense(25, "permit", "other", 5_000, Some("Tom")));
    for subject in ["sherwani", "seating plan", "waiver"] {
        let query = QueryEntities { topic: "spending".into(), subject: Some(subject.into()) };
        let asked = message(&format!("what did the {subject} cost?"));
        assert_eq!(answer(&event(), &asked, &query, &rows).answer, UNKNOWN, "{subject}");
    }
}

#[test]
fn by_when_an_expense_is_due_is_not_made_up() {
    let (told, sources) = said("schedule", Some("roses"), "when are the roses due?");
    assert_eq!(told, "roses: GBP 600.00, due; I don't know by when.");
    assert_eq!(sources, [23]);
}
