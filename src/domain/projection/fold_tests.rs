//! The fold's promises, on entries as short as the chat lines they stand for.

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::{Effect, Entry, Projections, TaskStatus, balances};
use super::fold;
use crate::domain::chat::{Event, Participant};
use crate::domain::enrichment::*;
use crate::domain::ids::{EventId, MessageId, PersonId};
use crate::domain::intent::{FollowUp, FollowUpKind, Target};
use crate::domain::money::{Currency, split_equally};

const NAMES: [&str; 3] = ["Ana", "Ben", "Cleo"];

fn event() -> Event {
    let participant = |name: &str| Participant { id: PersonId(name.into()), name: name.into() };
    Event {
        id: EventId::parse("wedding").unwrap(),
        tenant: "default".into(),
        name: "A wedding".into(),
        kind: "wedding".into(),
        starts_at: None,
        time_zone: "UTC".into(),
        locale: "en".into(),
        currency: Currency::parse("GBP").unwrap(),
        budget: None,
        participants: NAMES.iter().map(|name| participant(name)).collect(),
    }
}

fn entry(minute: i64, sender: &str, contribution: Contribution) -> Entry {
    Entry {
        message: MessageId::parse(&format!("m{minute:03}")).unwrap(),
        sent_at: Timestamp::from_second(1_800_000_000 + minute * 60).unwrap(),
        sender: PersonId(sender.into()),
        contribution,
    }
}

fn task(object: &str, action: &str, assignee: Option<&str>) -> Contribution {
    let base = TaskBase {
        category: "other".into(),
        checklist: vec![],
        questions: vec![],
        lead_time_days: 1,
        budget_share_low: 0.0,
        budget_share_high: 0.0,
    };
    let enrichment = Enrichment::Task(TaskEnrichment {
        title: format!("{action} the {object}"),
        object: object.into(),
        action: action.into(),
        assignee: assignee.map(Into::into),
        due_said: None,
        due: None,
        base,
        cost_range: None,
        vendors: vec![],
        concerns: vec![],
    });
    Contribution { enrichment: Some(enrichment), follow_up: None }
}

fn expense(what: &str, minor: i64, paid_by: Option<&str>) -> Contribution {
    let event = event();
    let base = ExpenseBase { category: "other".into(), typical_share: 5.0, advice: vec![] };
    let enrichment = Enrichment::Expense(ExpenseEnrichment {
        what: what.into(),
        minor,
        currency: event.currency,
        category: "other".into(),
        paid_by: paid_by.map(|who| PersonId(who.into())),
        split_between: None,
        shares: split_equally(minor, &event.people()),
        status: if paid_by.is_some() { ExpenseStatus::Paid } else { ExpenseStatus::Due },
        budget_share: None,
        base,
        warning: None,
        splits: vec![],
        budget_use: vec![],
        transfers: vec![],
    });
    Contribution { enrichment: Some(enrichment), follow_up: None }
}

fn follow_up(kind: FollowUpKind, target: Target) -> Contribution {
    Contribution { enrichment: None, follow_up: Some(FollowUp { kind, target }) }
}

fn thing(thing: &str) -> Target {
    Target { thing: Some(thing.into()), ..Target::default() }
}

fn poll(options: &[&str]) -> Contribution {
    let options = options.iter().map(|option| (*option).into()).collect();
    let enrichment = Enrichment::Poll(PollEnrichment {
        question: "Which?".into(),
        options,
        ..PollEnrichment::default()
    });
    Contribution { enrichment: Some(enrichment), follow_up: None }
}

#[test]
fn a_vote_by_the_key_of_a_choice_counts_for_it() {
    let poll = Enrichment::Poll(PollEnrichment {
        question: "Which?".into(),
        options: vec!["pizza".into(), "tacos".into()],
        keys: vec!["🍕".into(), "🌮".into()],
        ..PollEnrichment::default()
    });
    let poll = Contribution { enrichment: Some(poll), follow_up: None };
    let target = Target { thing: Some("🌮🌮".into()), ..Target::default() };
    let rows = folded(vec![("Ana", poll), ("Ben", follow_up(FollowUpKind::Vote, target))]);
    assert_eq!(rows.polls[0].options[1].votes, [PersonId("Ben".into())]);
}

fn folded(contributions: Vec<(&str, Contribution)>) -> Projections {
    let entries = (0..)
        .zip(contributions)
        .map(|(minute, (sender, what))| entry(minute, sender, what))
        .collect();
    fold(&event(), entries)
}

fn any_contribution() -> impl Strategy<Value = Contribution> {
    let object = prop::sample::select(vec!["venue", "cake", "dj", "flowers"]);
    let who = prop::option::of(prop::sample::select(NAMES.to_vec()));
    let action = prop::sample::select(vec!["book", "buy", "collect"]);
    let kind = prop::sample::select(vec![
        FollowUpKind::Correction,
        FollowUpKind::Cancellation,
        FollowUpKind::Completion,
        FollowUpKind::Vote,
        FollowUpKind::Repayment,
        FollowUpKind::Retraction,
    ]);
    let minor = prop::sample::select(vec![1_000i64, 2_550, 9_999]);
    let words =
        prop::sample::select(vec!["cake", "dj; venue", "same", "second one", "not cake", "2"]);
    let target = (prop::option::of(words), prop::option::of(minor.clone()), who.clone()).prop_map(
        |(thing, minor, person)| Target {
            thing: thing.map(Into::into),
            minor,
            person: person.map(Into::into),
        },
    );
    prop_oneof![
        (object.clone(), action, who.clone())
            .prop_map(|(object, action, who)| task(object, action, who)),
        (object.clone(), minor, who, prop::bool::ANY).prop_map(|(object, minor, who, corrects)| {
            let kind = if corrects { FollowUpKind::Correction } else { FollowUpKind::Completion };
            said(expense(object, minor, who), kind, thing(object))
        }),
        Just(poll(&["cake", "flowers"])),
        (kind, target).prop_map(|(kind, target)| follow_up(kind, target)),
    ]
}

proptest! {
    #[test]
    fn any_order_of_the_same_contributions_gives_the_same_rows(
        made in prop::collection::vec((prop::sample::select(NAMES.to_vec()), any_contribution()), 0..25),
        seed in prop::collection::vec(any::<u64>(), 25),
    ) {
        let entries: Vec<Entry> =
            (0..).zip(made).map(|(minute, (sender, what))| entry(minute / 2, sender, what)).collect();
        // Two messages of one minute differ in their IDs.
        let entries: Vec<Entry> = entries
            .into_iter()
            .enumerate()
            .map(|(n, e)| Entry { message: MessageId::parse(&format!("m{n:03}")).unwrap(), ..e })
            .collect();
        let mut shuffled: Vec<(u64, Entry)> = seed.into_iter().zip(entries.clone()).collect();
        shuffled.sort_by_key(|(key, _)| *key);
        let shuffled = shuffled.into_iter().map(|(_, e)| e).collect();
        prop_assert_eq!(fold(&event(), entries), fold(&event(), shuffled));
    }

    #[test]
    fn balances_always_sum_to_zero_and_a_message_has_one_effect_at_most(
        made in prop::collection::vec((prop::sample::select(NAMES.to_vec()), any_contribution()), 0..25),
    ) {
        let rows = folded(made);
        let event = event();
        let sum: i64 = balances(&rows, event.currency, &event.people()).iter().map(|(_, minor)| minor).sum();
        prop_assert_eq!(sum, 0);
        let mut messages: Vec<_> = rows.sources.iter().map(|source| &source.message).collect();
        messages.dedup();
        prop_assert_eq!(messages.len(), rows.sources.len());
    }
}

#[test]
fn what_was_due_and_then_paid_is_one_expense() {
    let rows = folded(vec![
        ("Ana", expense("band balance", 40_000, None)),
        ("Ben", expense("the band", 40_000, Some("Ben"))),
    ]);
    assert_eq!(rows.expenses.len(), 1);
    assert_eq!(
        (rows.expenses[0].status, rows.sources[1].effect),
        (ExpenseStatus::Paid, Effect::Paid)
    );
    assert_eq!(rows.expenses[0].paid_by, Some(PersonId("Ben".into())));
}

#[test]
fn a_correction_changes_the_amount_and_everybodys_share() {
    let corrected = Contribution {
        follow_up: Some(FollowUp {
            kind: FollowUpKind::Correction,
            target: Target { minor: Some(5_800), ..Target::default() },
        }),
        ..expense("balloons", 8_500, Some("Cleo"))
    };
    let rows =
        folded(vec![("Cleo", expense("balloons", 5_800, Some("Cleo"))), ("Cleo", corrected)]);
    assert_eq!(rows.expenses.len(), 1);
    assert_eq!(rows.expenses[0].minor, 8_500);
    assert_eq!(rows.expenses[0].shares.iter().map(|share| share.minor).sum::<i64>(), 8_500);
}

#[test]
fn a_reminder_meets_its_task_and_fills_in_who_does_it() {
    let rows = folded(vec![
        ("Ana", task("venue", "book", Some("someone"))),
        ("Ben", task("venue", "contact", Some("Ben"))),
    ]);
    assert_eq!(rows.tasks.len(), 1);
    assert_eq!(rows.tasks[0].assignee.as_deref(), Some("Ben"));
    assert_eq!(rows.sources[1].effect, Effect::Confirmed);
}

#[test]
fn two_steps_of_different_jobs_stay_two_tasks() {
    let rows = folded(vec![
        ("Ana", task("guitar", "buy", Some("Ben"))),
        ("Cleo", task("guitar", "collect", Some("Cleo"))),
    ]);
    assert_eq!(rows.tasks.len(), 2);
}

#[test]
fn follow_ups_complete_cancel_vote_and_retract() {
    let rows = folded(vec![
        ("Ana", task("cake", "buy", Some("Ana"))),
        ("Ana", task("dj", "book", None)),
        ("Ana", follow_up(FollowUpKind::Completion, thing("cake"))),
        ("Ben", follow_up(FollowUpKind::Cancellation, thing("dj"))),
        ("Ana", poll(&["sage", "teal"])),
        ("Ben", follow_up(FollowUpKind::Vote, thing("sage"))),
        ("Cleo", follow_up(FollowUpKind::Vote, thing("teal"))),
        ("Cleo", follow_up(FollowUpKind::Vote, thing("sage"))),
        ("Cleo", expense("taxi", 2_000, Some("Cleo"))),
        ("Cleo", follow_up(FollowUpKind::Retraction, Target::default())),
    ]);
    assert_eq!(rows.tasks[0].status, TaskStatus::Done);
    assert_eq!(rows.tasks[1].status, TaskStatus::Cancelled);
    assert_eq!(rows.polls[0].result(), Some("sage"));
    assert_eq!(rows.expenses[0].status, ExpenseStatus::Cancelled);
    assert_eq!(rows.sources.len(), 10);
}

#[test]
fn a_repayment_counts_in_balances_and_not_in_spending() {
    let target = Target { person: Some("Ana".into()), minor: Some(3_000), thing: None };
    let rows = folded(vec![
        ("Ana", expense("cake", 9_000, Some("Ana"))),
        ("Ben", follow_up(FollowUpKind::Repayment, target)),
    ]);
    assert_eq!(rows.expenses.len(), 1);
    let event = event();
    let owed = balances(&rows, event.currency, &event.people());
    assert_eq!(owed.iter().map(|(_, minor)| *minor).collect::<Vec<_>>(), [3_000, 0, -3_000]);
}

fn said(what: Contribution, kind: FollowUpKind, target: Target) -> Contribution {
    Contribution { follow_up: Some(FollowUp { kind, target }), ..what }
}

#[test]
fn an_expense_that_says_that_it_is_done_is_booked_and_completes_the_task_it_names() {
    let done = said(
        expense("guitar", 115_000, Some("Ben")),
        FollowUpKind::Completion,
        thing("guitar; card"),
    );
    let rows = folded(vec![
        ("Ana", task("guitar", "buy", Some("Ben"))),
        ("Ana", task("cake", "buy", Some("Ben"))),
        ("Ben", done),
    ]);
    let status: Vec<_> = rows.tasks.iter().map(|row| row.status).collect();
    assert_eq!(status, [TaskStatus::Done, TaskStatus::Open]);
    assert_eq!((rows.expenses.len(), rows.sources.len()), (1, 3));
    assert_eq!(rows.sources[2].projection, rows.expenses[0].id);
}

#[test]
fn what_was_paid_for_is_bought_and_another_persons_job_is_not() {
    let rows = folded(vec![
        ("Ana", task("chair", "book", Some("Ben"))),
        ("Ana", task("cake", "buy", Some("Ana"))),
        ("Ben", expense("chairs", 14_000, Some("Ben"))),
        ("Ben", expense("cake", 9_000, Some("Ben"))),
        ("Ben", expense("cake", 500, None)),
    ]);
    let status: Vec<_> = rows.tasks.iter().map(|row| row.status).collect();
    assert_eq!(status, [TaskStatus::Done, TaskStatus::Open]);
}

#[test]
fn a_bare_done_means_the_senders_own_latest_task() {
    let rows = folded(vec![
        ("Ana", task("dj", "book", Some("Ben"))),
        ("Ana", task("cake", "buy", Some("Ben"))),
        ("Ana", task("flowers", "buy", Some("Cleo"))),
        ("Ben", follow_up(FollowUpKind::Completion, Target::default())),
    ]);
    let status: Vec<_> = rows.tasks.iter().map(|row| row.status).collect();
    assert_eq!(status, [TaskStatus::Open, TaskStatus::Done, TaskStatus::Open]);
}

#[test]
fn a_bare_done_of_somebody_without_a_task_answers_the_one_just_asked_about() {
    let rows = folded(vec![
        ("Ana", task("flowers", "buy", Some("someone"))),
        ("Ana", task("hall", "book", Some("someone"))),
        ("Ana", task("flowers", "buy", Some("someone"))),
        ("Ben", follow_up(FollowUpKind::Completion, Target::default())),
    ]);
    assert_eq!(rows.sources[3].projection, rows.tasks[0].id);
}

#[test]
fn a_vote_goes_to_the_latest_poll_that_has_what_was_said() {
    let vote = |said: &str| follow_up(FollowUpKind::Vote, thing(said));
    let rows = folded(vec![
        ("Ana", poll(&["lake house", "old barn"])),
        ("Ana", poll(&["friday", "saturday"])),
        ("Ben", vote("second one")),
        ("Cleo", vote("barn")),
        ("Ana", vote("sat")),
        ("Ben", vote("either")),
    ]);
    let votes = |poll: usize, option: usize| rows.polls[poll].options[option].votes.len();
    assert_eq!((votes(0, 1), votes(1, 1), votes(1, 0)), (1, 2, 0));
    assert_eq!(rows.sources.len(), 5);
}

#[test]
fn same_votes_as_the_voter_before_or_as_the_one_who_is_named() {
    let named = Target { person: Some("Ana".into()), ..thing("voting with ana; same") };
    let rows = folded(vec![
        ("Ana", poll(&["tapas", "curry", "pizza"])),
        ("Ana", follow_up(FollowUpKind::Vote, thing("curry"))),
        ("Ben", follow_up(FollowUpKind::Vote, thing("same"))),
        ("Ben", follow_up(FollowUpKind::Vote, thing("pizza"))),
        ("Cleo", follow_up(FollowUpKind::Vote, named)),
    ]);
    assert_eq!(rows.polls[0].result(), Some("curry"));
}

#[test]
fn a_correction_finds_its_expense_by_old_sum_by_thing_or_as_the_senders_latest() {
    let corrected = |what: &str, minor: i64, target: Target| {
        said(expense(what, minor, Some("Ana")), FollowUpKind::Correction, target)
    };
    for (target, new, right) in [
        (Target { minor: Some(9_000), ..Target::default() }, 4_000, 0),
        (thing("taxi"), 4_000, 1),
        (Target::default(), 3_100, 1),
    ] {
        let rows = folded(vec![
            ("Ana", expense("cake", 9_000, Some("Ana"))),
            ("Ana", expense("taxi", 3_000, Some("Ana"))),
            ("Ben", expense("ice", 3_050, Some("Ben"))),
            ("Ana", corrected("other", new, target.clone())),
        ]);
        assert_eq!((rows.expenses.len(), rows.expenses[right].minor), (3, new), "{target:?}");
    }
}

#[test]
fn a_repayment_is_completed_from_the_expense_it_is_for() {
    let repay = |target: Target| follow_up(FollowUpKind::Repayment, target);
    let rows = folded(vec![
        ("Ana", expense("cake", 9_000, Some("Ana"))),
        ("Cleo", expense("taxi", 6_000, Some("Cleo"))),
        ("Ben", repay(Target { minor: Some(3_000), ..Target::default() })),
        ("Cleo", repay(thing("same"))),
        ("Ben", repay(Target { minor: Some(-500), person: Some("Ana".into()), thing: None })),
        ("Ben", repay(Target { minor: Some(-500), ..Target::default() })),
    ]);
    let sent: Vec<_> = rows
        .repayments
        .iter()
        .map(|row| (row.from.0.as_str(), row.to.0.as_str(), row.minor))
        .collect();
    assert_eq!(sent, [("Ben", "Ana", 3_000), ("Cleo", "Ana", 3_000), ("Ana", "Ben", 500)]);
}

#[test]
fn what_is_called_off_is_never_guessed_when_it_is_named() {
    let cancel = |said: &str| follow_up(FollowUpKind::Cancellation, thing(said));
    let rows = folded(vec![
        ("Ana", task("chair", "book", None)),
        ("Ana", follow_up(FollowUpKind::Completion, thing("chair"))),
        ("Ana", task("kayak", "bring", Some("Ana"))),
        ("Ben", cancel("chair")),
        ("Ben", cancel("insurance")),
    ]);
    let status: Vec<_> = rows.tasks.iter().map(|row| row.status).collect();
    // The second one names nothing that is known, and follows the kayak at once.
    assert_eq!(status, [TaskStatus::Done, TaskStatus::Cancelled]);
    assert_eq!(rows.sources.len(), 4);
}

#[test]
fn a_poll_that_is_called_off_takes_no_more_votes() {
    let rows = folded(vec![
        ("Ana", poll(&["tapas", "curry"])),
        ("Ana", follow_up(FollowUpKind::Retraction, Target::default())),
        ("Ben", follow_up(FollowUpKind::Vote, thing("curry"))),
    ]);
    assert_eq!((rows.polls[0].result(), rows.sources.len()), (None, 2));
}

/// What newer rules promise: who takes what up, what is said again, and in which currency.
#[path = "fold_again_tests.rs"]
mod again;
