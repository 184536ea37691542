//! How people ask, and which query that is.

use serde_json::{Value, json};

use super::tests::rows;
use super::*;
use crate::agents::samples::{event, message};
use crate::detect::{Detector, Subject};
use crate::domain::intent::Entities;

/// What is read of a question that Tom asks, with what detection says of it.
fn read_as(detector: &Detector, text: &str) -> Value {
    let (event, message, rows) = (event(), message(text), rows());
    let subject =
        Subject { text, sender: Some("Tom"), sent_at: Some(message.sent_at), event: Some(&event) };
    let query = match detector.detect(&subject).entities {
        Entities::Query(query) => query,
        Entities::Task(_) | Entities::Expense(_) | Entities::Poll(_) | Entities::None => {
            QueryEntities { topic: "other".into(), subject: None }
        }
    };
    serde_json::to_value(read(&event, &message, &query, &rows)).unwrap()
}

/// Reads each question; the complaints of all of them stand in one failure.
fn all_read(questions: &[(&str, Value)]) {
    let detector = Detector::new();
    let wrong: Vec<String> = questions
        .iter()
        .filter_map(|(text, expected)| {
            let read = read_as(&detector, text);
            (read != *expected).then(|| format!("{text}\n  read {read}\n  not  {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn questions_on_money_are_read_however_they_are_put() {
    all_read(&[
        ("what's the damage so far?", json!({"ask": "total", "without": null})),
        ("so what have we spent in total?", json!({"ask": "total", "without": null})),
        ("how much did it all come to in the end?", json!({"ask": "total", "without": null})),
        ("how much have we got left?", json!({"ask": "budget", "asks": "left"})),
        ("are we going to bust the budget?", json!({"ask": "budget", "asks": "over"})),
        ("are we still under 20k?", json!({"ask": "budget", "asks": "within"})),
        ("do I owe anyone?", json!({"ask": "debts_of", "person": null, "asks": "owes"})),
        ("who owes me money?", json!({"ask": "debts_of", "person": null, "asks": "is_owed"})),
        (
            "am i square with everyone?",
            json!({"ask": "debts_of", "person": null, "asks": "is_even"}),
        ),
        (
            "what does Meera still owe?",
            json!({"ask": "debts_of", "person": "Meera", "asks": "owes"}),
        ),
        ("who owes who what?", json!({"ask": "debts"})),
        ("who's put in the most?", json!({"ask": "paid_by_each"})),
        ("how much has Priya paid so far?", json!({"ask": "paid_by", "person": "Priya"})),
        ("how much have I put in?", json!({"ask": "paid_by", "person": null})),
        ("what did the balloons cost us?", json!({"ask": "spent_on", "thing": "balloon"})),
        ("how much went on decor?", json!({"ask": "spent_on", "thing": "decor"})),
        ("has the barn been paid?", json!({"ask": "payment", "thing": "barn", "asks": "whether"})),
        (
            "who paid for the balloons?",
            json!({"ask": "payment", "thing": "balloon", "asks": "who"}),
        ),
        ("which bills are still unpaid?", json!({"ask": "outstanding"})),
        ("who hasn't paid anything yet?", json!({"ask": "not_paid"})),
        ("what is the biggest expense?", json!({"ask": "biggest"})),
        ("how much is that per head?", json!({"ask": "per_head", "thing": null})),
        ("what's my share of the barn?", json!({"ask": "share", "person": null, "thing": "barn"})),
        ("total without the barn?", json!({"ask": "total", "without": "the barn"})),
    ]);
}

#[test]
fn questions_on_tasks_are_read_however_they_are_put() {
    all_read(&[
        ("what's left to do?", json!({"ask": "open_tasks"})),
        ("whats outstanding", json!({"ask": "left_over"})),
        ("is there anything left with my name on it?", json!({"ask": "tasks_of", "person": null})),
        ("what is Meera supposed to be doing?", json!({"ask": "tasks_of", "person": "Meera"})),
        ("who's doing the cake?", json!({"ask": "task", "thing": "cake", "asks": "who"})),
        ("is anybody on the cake?", json!({"ask": "task", "thing": "cake", "asks": "taken"})),
        ("did anyone book the coach?", json!({"ask": "task", "thing": "coach", "asks": "done"})),
        ("any news on the coach?", json!({"ask": "task", "thing": "coach", "asks": "status"})),
        ("is the coach still on me?", json!({"ask": "is_on", "thing": "coach", "person": null})),
        ("what's overdue?", json!({"ask": "overdue"})),
        ("what does nobody have? anything unassigned?", json!({"ask": "unassigned"})),
        ("what have we done so far from the list?", json!({"ask": "done_tasks"})),
        ("how many jobs are left?", json!({"ask": "task_counts"})),
        ("what needs doing before Friday?", json!({"ask": "due_until", "until": "2026-03-05"})),
    ]);
}

#[test]
fn questions_on_people_days_and_polls_are_read_however_they_are_put() {
    all_read(&[
        ("how many of us are there?", json!({"ask": "headcount"})),
        ("who is in this group?", json!({"ask": "participants"})),
        ("when is the wedding?", json!({"ask": "event_start"})),
        ("how many days to go?", json!({"ask": "days_left"})),
        ("when does the coach need to be booked by?", json!({"ask": "due", "thing": "coach"})),
        ("when is the barn deposit due?", json!({"ask": "due", "thing": "barn deposit"})),
        ("what's next on the list?", json!({"ask": "next_due"})),
        ("who won the hen vote?", json!({"ask": "poll_result", "thing": "hen"})),
        ("did Cardiff win?", json!({"ask": "won", "choice": "cardiff"})),
        ("who voted for Bath?", json!({"ask": "votes_for", "choice": "bath"})),
        ("what did Meera vote for?", json!({"ask": "votes_of", "person": "Meera", "thing": null})),
        ("who hasn't voted yet?", json!({"ask": "not_voted", "thing": null})),
        ("which polls are still open?", json!({"ask": "open_polls"})),
    ]);
}

#[test]
fn what_no_row_ever_holds_is_understood_and_not_known() {
    all_read(&[
        ("what's the wifi password?", json!({"ask": "not_kept"})),
        ("how many have RSVP'd yes?", json!({"ask": "not_kept"})),
        ("what time does the coach leave?", json!({"ask": "not_kept"})),
    ]);
}

#[test]
fn what_no_pattern_understands_is_left_to_a_model() {
    let query = QueryEntities { topic: "other".into(), subject: None };
    let looked = look_up(&event(), &message("hmm, and how so?"), &query, &rows());
    assert_eq!(looked, Lookup::NotUnderstood);
    let query = QueryEntities { topic: "spending".into(), subject: Some("helicopter".into()) };
    let looked = look_up(&event(), &message("what did the helicopter cost?"), &query, &rows());
    assert!(matches!(looked, Lookup::Unmatched(RecordQuery::SpentOn { .. })), "{looked:?}");
    let query = QueryEntities { topic: "other".into(), subject: None };
    let looked = look_up(&event(), &message("what's the door code?"), &query, &rows());
    assert_eq!(looked, Lookup::NotOnRecord(RecordQuery::NotKept));
}
