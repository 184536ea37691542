//! The summary as text, on wide and narrow pages.

use super::*;
use crate::cli::columns::width;
use crate::domain::chat::Participant;
use crate::domain::ids::{EventId, PersonId};
use crate::domain::money::Currency;
use crate::monitor::summary::{AnswerLine, Dollars, Named, TransferLine};

fn gbp(minor: i64) -> Amount {
    Amount { minor, currency: Currency::parse("GBP").unwrap() }
}

fn event() -> Event {
    Event {
        id: EventId::parse("evt-1").unwrap(),
        tenant: "default".into(),
        name: "Priya & Tom's wedding".into(),
        kind: "wedding".into(),
        starts_at: None,
        time_zone: "UTC".into(),
        locale: "en".into(),
        currency: Currency::parse("GBP").unwrap(),
        budget: None,
        participants: vec![Participant { id: PersonId("Tom".into()), name: "Tom".into() }],
    }
}

fn task(title: &str, assignee: Option<&str>, due: Option<&str>, status: TaskStatus) -> TaskLine {
    TaskLine {
        title: title.into(),
        object: "x".into(),
        assignee: assignee.map(str::to_owned),
        due: due.map(|date| date.parse().unwrap()),
        status,
        due_said: Some("before the heat".into()),
    }
}

fn expense(what: &str, minor: i64, payer: Option<&str>, status: ExpenseStatus) -> ExpenseLine {
    ExpenseLine {
        what: what.into(),
        amount: gbp(minor),
        currency: gbp(0).currency,
        category: "other".into(),
        paid_by: payer.map(str::to_owned),
        split_between: None,
        status,
    }
}

fn poll(question: &str, options: [(&str, usize); 2], result: Option<&str>) -> PollLine {
    PollLine {
        question: question.into(),
        options: options.map(|(option, _)| option.to_owned()).into(),
        result: result.map(str::to_owned),
        votes: options.map(|(_, votes)| votes).into(),
    }
}

fn suggestion(title: &str, due: Option<&str>, status: SuggestionStatus) -> SuggestionLine {
    SuggestionLine {
        id: uuid::Uuid::nil(),
        title: title.into(),
        object: "x".into(),
        reason: "Most weddings have one\nby now.".into(),
        due: due.map(|date| date.parse().unwrap()),
        status,
    }
}

fn answer() -> AnswerLine {
    AnswerLine {
        message_id: "m".into(),
        question: "how much so far?".into(),
        answer: "£1,200.00 was paid.\u{1b}[2J".into(),
        sources: Vec::new(),
    }
}

fn full() -> Summary {
    let mut ring = expense("rings", 120_000, Some("Priya"), ExpenseStatus::Paid);
    ring.split_between = Some(vec!["Priya".into(), "Tom".into()]);
    let counts = [("task_creation", 41), ("expense_entry", 12), ("none", 1_300)];
    Summary {
        messages: 1_353,
        by_intent: Named(counts.map(|(name, count)| (name.to_owned(), count)).into()),
        tasks: vec![
            task("Buy the cake", None, None, TaskStatus::Cancelled),
            task("Book the DJ", Some("Gareth"), Some("2026-05-01"), TaskStatus::Done),
            task("Book the photographer", Some("Meera"), None, TaskStatus::Open),
        ],
        expenses: vec![
            ring,
            expense("barn", 6_495, None, ExpenseStatus::Due),
            expense("band", 100, None, ExpenseStatus::Cancelled),
        ],
        polls: vec![
            poll("Where to?", [("Bath", 2), ("York", 1)], Some("Bath")),
            poll("When?", [("May", 1), ("June", 1)], None),
        ],
        answers: vec![answer()],
        suggestions: vec![
            suggestion("Book a florist", Some("2026-07-01"), SuggestionStatus::Open),
            suggestion("Book a band", None, SuggestionStatus::Dismissed),
        ],
        total_spent: gbp(120_000),
        total_outstanding: gbp(6_495),
        per_person_paid: Named(vec![("Priya".into(), gbp(120_000))]),
        transfers: vec![TransferLine {
            from: "Tom".into(),
            to: "Priya".into(),
            amount: gbp(60_000),
        }],
        ..billed()
    }
}

/// A bill without a chat.
fn billed() -> Summary {
    Summary {
        cache_hits: 17,
        model_calls: 24,
        total_tokens: 48_120,
        total_cost: Dollars(NanoUsd(120_000_000)),
        avoided_cost: Dollars(NanoUsd(52_000_000)),
        naive_cost: Some(Dollars(NanoUsd(6_000_000_000))),
        duration_ms: 4_210,
        ..empty()
    }
}

fn empty() -> Summary {
    Summary {
        messages: 0,
        by_intent: Named(vec![("none".into(), 0)]),
        tasks: Vec::new(),
        expenses: Vec::new(),
        polls: Vec::new(),
        answers: Vec::new(),
        suggestions: Vec::new(),
        total_spent: gbp(0),
        total_outstanding: gbp(0),
        other_currencies: Named(Vec::new()),
        per_person_paid: Named(Vec::new()),
        transfers: Vec::new(),
        cache_hits: 0,
        model_calls: 0,
        total_tokens: 0,
        total_cost: Dollars::default(),
        avoided_cost: Dollars::default(),
        naive_cost: None,
        duration_ms: 12,
    }
}

fn shown(it: &Summary, columns: usize) -> String {
    summary(it, &event(), Page::new(columns, false))
}

const PAGE: &str = "
 Priya & Tom's wedding
 ─────────────────────

 Messages  1,353 in 4.2 s
   task creation       41  ▇
   expense entry       12  ▇
   none             1,300  ▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇▇

 Tasks  1 open · 1 done · 1 cancelled
   ○ Book the photographer  Meera · before the heat
   ✓ Book the DJ  Gareth · by 1 May 2026
   ✗ Buy the cake  before the heat

 Expenses  1,200.00 GBP spent · 64.95 GBP due
   ✓ 1,200.00 GBP  rings  Priya paid, for Priya, Tom
   ○    64.95 GBP  barn  due
   ✗     1.00 GBP  band  cancelled

 Who owes whom  the fewest payments that make everybody even
   • Tom → Priya  600.00 GBP

 Polls  2
   ? Where to?
     → Bath  Bath 2, York 1
   ? When?
     → undecided  May 1, June 1

 Answers  1
   ? how much so far?
     £1,200.00 was paid. [2J

 What next  1
   → Book a florist  by 1 Jul 2026
     Most weddings have one by now.

 The bill
   answered from cache                  17
   model calls                          24
   tokens                           48,120
   cost                            $0.1200
   avoided by the cache            $0.0520
   one full call a message           $6.00
   saved                            98.0 %
";

#[test]
fn the_whole_page_reads_like_this() {
    assert_eq!(shown(&full(), 80), PAGE);
}

#[test]
fn an_empty_chat_shows_its_messages_and_its_bill_alone() {
    let text = shown(&empty(), 80);
    assert!(text.contains("Messages  0 in 12 ms") && text.contains("$0.00"), "{text}");
    assert!(text.contains("no price known"), "{text}");
    for absent in ["Tasks", "Expenses", "Who owes", "Polls", "Answers", "What next", "saved"] {
        assert!(!text.contains(absent), "{absent} in {text}");
    }
}

#[test]
fn no_line_is_wider_than_the_page() {
    let mut long = full();
    long.tasks[0].title =
        "Buy 🎂🎂🎂 and everything else that a cake table needs for 98 people".into();
    long.tasks[0].assignee = Some("everybody who is not otherwise busy".into());
    long.answers[0].answer = "word ".repeat(60) + &"x".repeat(200);
    long.suggestions[0].title = "Book 🎂🎂 ".repeat(30);
    long.suggestions[0].reason = "because ".repeat(40);
    long.transfers[0].from = "A very long name indeed".into();
    for columns in [20, 44, 60, 80, 100] {
        for line in shown(&long, columns).lines() {
            assert!(width(line) <= columns.max(NARROWEST), "{columns}: {line:?}");
        }
    }
}

#[test]
fn colour_is_only_there_when_it_is_wanted() {
    let coloured = summary(&full(), &event(), Page::new(80, true));
    assert!(coloured.contains("\u{1b}[32m✓\u{1b}[0m"), "{coloured:?}");
    assert!(!shown(&full(), 80).contains('\u{1b}'));
}

#[test]
fn a_long_list_is_cut_and_says_how_many_are_left() {
    let mut many = full();
    many.tasks =
        (0..60).map(|n| task(&format!("Task {n}"), None, None, TaskStatus::Open)).collect();
    let text = shown(&many, 80);
    assert!(text.contains("Task 39 ") && !text.contains("Task 40 "), "{text}");
    assert!(text.contains("… and 20 more"), "{text}");
}

#[test]
fn a_settled_group_is_told_so_and_other_currencies_stand_apart() {
    let mut even = full();
    even.transfers.clear();
    let eur = Amount { minor: 12_550, currency: Currency::parse("EUR").unwrap() };
    even.other_currencies = Named(vec![("EUR".into(), eur)]);
    let text = shown(&even, 80);
    assert!(text.contains("nobody owes anybody anything"), "{text}");
    assert!(text.contains("· 125.50 EUR apart"), "{text}");
}

#[test]
fn small_sums_keep_the_decimals_that_tell_them_from_nothing() {
    let shown =
        [0, 12_000_000_000, 54_399_000, 1_250_000, 999].map(|nanos| dollars(NanoUsd(nanos)));
    assert_eq!(shown, ["$0.00", "$12.00", "$0.0544", "$0.001250", "under $0.000001"]);
}

#[test]
fn a_saving_needs_something_to_compare_with() {
    assert_eq!(saving(NanoUsd(0), NanoUsd(10)).as_deref(), Some("100.0 %"));
    assert_eq!(saving(NanoUsd(15), NanoUsd(10)).as_deref(), Some("-50.0 %"));
    assert_eq!(saving(NanoUsd(0), NanoUsd::ZERO), None);
}

#[test]
fn the_progress_bar_is_silent_where_standard_error_is_no_terminal() {
    let bar = progress_bar(10);
    bar.inc(3);
    assert_eq!(bar.position(), 3);
    assert_eq!(bar.is_hidden(), !std::io::stderr().is_terminal());
}
