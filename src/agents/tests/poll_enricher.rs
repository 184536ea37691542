//! Choices cleaned, views held against them, and what a day means.

use super::*;
use crate::agents::samples::{event, message};

fn poll(options: &[&str]) -> PollEntities {
    let options = options.iter().map(|option| (*option).to_owned()).collect();
    PollEntities { question: "Which?".into(), options, keys: Vec::new() }
}

fn view(option: &str) -> OptionView {
    OptionView { option: option.into(), pros: vec!["It is near".into()], cons: Vec::new() }
}

fn base(options: &[&str], recommendation: &str) -> PollBase {
    PollBase {
        options: options.iter().map(|option| view(option)).collect(),
        recommendation: recommendation.into(),
        reason: "It is the nearest".into(),
    }
}

fn options() -> Vec<String> {
    vec!["Bath".into(), "Hull".into()]
}

#[test]
fn choices_are_trimmed_and_stand_once_with_their_keys() {
    let poll = PollEntities {
        question: " HEN.  Cardiff, Bath or\nBristol?? ".into(),
        options: ["Cardiff", " - Bath ", "", "bath", "Bristol??"].map(str::to_owned).into(),
        keys: ["A", "B", "C", "D", "E"].map(str::to_owned).into(),
    };
    let poll = cleaned(&poll);
    assert_eq!(poll.question, "HEN. Cardiff, Bath or Bristol??");
    assert_eq!(poll.options, ["Cardiff", "Bath", "Bristol"]);
    assert_eq!(poll.keys, ["A", "B", "E"]);
}

#[test]
fn a_poll_is_bounded() {
    let options = (0..100).map(|nr| format!("{nr} {}", "x".repeat(900))).collect();
    let poll = cleaned(&PollEntities { question: "?".repeat(9_000), options, keys: Vec::new() });
    assert_eq!((poll.options.len(), poll.question.len()), (20, 200));
    assert!(poll.options.iter().all(|option| option.len() <= 200));
    assert!(poll.keys.is_empty());
}

#[test]
fn nothing_is_asked_where_there_is_no_choice() {
    assert!(question(&event(), &poll(&["Bath", "bath!"])).is_none());
    assert!(question(&event(), &poll(&["Bath", "Hull"])).is_some());
}

#[test]
fn views_take_the_order_and_spelling_of_the_choices() {
    let read = checked(base(&["HULL", "bath "], "hull"), &options()).unwrap();
    let spelt: Vec<&str> = read.options.iter().map(|view| view.option.as_str()).collect();
    assert_eq!(spelt, ["Bath", "Hull"]);
    assert_eq!(read.recommendation, "Hull");
}

#[test]
fn a_choice_that_is_missing_doubled_added_or_advised_from_nowhere_is_refused() {
    for wrong in [
        base(&["Bath"], ""),
        base(&["Bath", "Bath"], ""),
        base(&["Bath", "Hull", "Hove"], ""),
        base(&["Bath", "Hove"], ""),
        base(&["Bath", "Hull"], "Hove"),
        PollBase { reason: String::new(), ..base(&["Bath", "Hull"], "Bath") },
    ] {
        assert!(checked(wrong.clone(), &options()).is_err(), "{wrong:?}");
    }
}

#[test]
fn without_an_advice_no_reason_is_kept() {
    let read = checked(base(&["Bath", "Hull"], " "), &options()).unwrap();
    assert_eq!((read.recommendation.as_str(), read.reason.as_str()), ("", ""));
    let done = finish(&event(), &message("Which?"), &poll(&["Bath", "Hull"]), read);
    assert_eq!(done.recommendation, None);
    assert_eq!(done.views.len(), 2);
}

#[test]
fn a_choice_that_is_a_day_says_what_it_means_for_the_event() {
    let poll = poll(&["Saturday 30 May", "8 June"]);
    let base = checked(base(&["Saturday 30 May", "8 June"], ""), &cleaned(&poll).options).unwrap();
    let done = finish(&event(), &message("Which?"), &poll, base);
    assert!(done.views[0].pros.contains(&"30 May is on a weekend".to_owned()), "{done:?}");
    assert!(done.views[0].cons.contains(&"It leaves 7 days until the event".to_owned()));
    assert!(done.views[1].cons.contains(&"It is 2 days after the event began".to_owned()));
}
