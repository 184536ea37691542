//! A small event, its chat, and what its messages come to.

use std::time::Duration;

use gleaner::domain::chat::{Event, Message, Participant};
use gleaner::domain::enrichment::{
    AnswerEnrichment, Contribution, Enrichment, ExpenseBase, ExpenseEnrichment, ExpenseStatus,
    PollEnrichment, TaskBase, TaskEnrichment,
};
use gleaner::domain::ids::{EventId, Held, ItemId, MessageId, PersonId, RoomId, derived_uuid};
use gleaner::domain::intent::{
    Detection, Entities, FollowUp, FollowUpKind, Intent, QueryEntities, Target, TaskEntities,
};
use gleaner::domain::money::{Currency, split_equally};
use gleaner::domain::outcome::{Outcome, ParkReason, Reason};
use gleaner::domain::suggestion::Suggestion;
use gleaner::domain::usage::{NanoUsd, Usage};
use gleaner::fault::Park;
use gleaner::settings::BudgetKind;
use gleaner::store::{
    AdmissionRequest, Answered, BudgetScope, CacheWrite, Charge, Claim, CompletionEvent,
    IngestBatch, Metric, News, RateScope, Record, RunRecord, Spent, SuggestAfter, Window,
};
use jiff::Timestamp;
use serde_json::json;

pub(crate) fn event_id() -> EventId {
    EventId::parse("wedding").unwrap()
}

pub(crate) fn item(id: &str) -> ItemId {
    ItemId::parse(id).unwrap()
}

pub(crate) fn message_id(id: &str) -> MessageId {
    MessageId::parse(id).unwrap()
}

pub(crate) fn person(name: &str) -> PersonId {
    PersonId(name.to_owned())
}

pub(crate) fn pounds() -> Currency {
    Currency::parse("GBP").unwrap()
}

pub(crate) fn event() -> Event {
    let people = ["Ann", "Ben", "Cai"];
    Event {
        id: event_id(),
        tenant: "acme".to_owned(),
        name: "Ann and Ben's wedding".to_owned(),
        kind: "wedding".to_owned(),
        starts_at: Some(at(1_000_000)),
        time_zone: "Europe/London".to_owned(),
        locale: "en-GB".to_owned(),
        currency: pounds(),
        budget: Some(1_500_000),
        participants: people
            .map(|name| Participant { id: person(name), name: name.to_owned() })
            .to_vec(),
    }
}

/// The chat's clock: so many minutes after it began.
pub(crate) fn at(minutes: i64) -> Timestamp {
    Timestamp::from_microsecond(1_790_000_000_000_123 + minutes * 60_000_000).unwrap()
}

pub(crate) fn message(id: &str, minutes: i64, sender: &str) -> Message {
    Message {
        id: message_id(id),
        room: RoomId::parse("room").unwrap(),
        sender: person(sender),
        sent_at: at(minutes),
        text: format!("this is {id}"),
        revision: 1,
        deleted_at: None,
        detected_intent: None,
        extracted_entities: None,
    }
}

/// An event with messages `m1` to `mN`, a minute apart, all by Ann.
pub(crate) fn chat(messages: usize) -> IngestBatch {
    let messages = (1..=messages).map(|n| message(&format!("m{n}"), n as i64, "Ann")).collect();
    IngestBatch { event: event(), messages }
}

pub(crate) fn completion(held: &Held, outcome: Outcome) -> CompletionEvent {
    let (item, lease) = (held.item.as_str(), held.lease.0.to_string());
    CompletionEvent {
        id: derived_uuid(&[item, &lease]),
        kind: format!("gleaner.message.{}", outcome.name()),
        routing_key: format!("message.{}.unknown", outcome.name()),
        body: format!("{{\"item\":\"{item}\",\"lease\":{lease}}}\u{0}ü").into_bytes(),
    }
}

/// The completion event that a record owes.
pub(crate) fn told(record: &Record) -> CompletionEvent {
    record.completion.clone().unwrap()
}

/// The end of a claim with nothing to do.
pub(crate) fn skipped(claim: &Claim) -> Record {
    Record {
        outcome: Outcome::Skipped,
        reason: Some(Reason::NothingToDo),
        detail: None,
        message: claim.message.clone(),
        event: claim.event.clone(),
        detection: None,
        answered: None,
        contribution: Contribution::default(),
        metric: None,
        cache: None,
        completion: Some(completion(&claim.held, Outcome::Skipped)),
        suggest: None,
        run: None,
    }
}

pub(crate) fn failed(claim: &Claim, reason: Reason) -> Record {
    let completion = Some(completion(&claim.held, Outcome::Failed));
    let detail = Some("seen".to_owned());
    Record { outcome: Outcome::Failed, reason: Some(reason), detail, completion, ..skipped(claim) }
}

/// The end of a claim that gave something.
pub(crate) fn completed(claim: &Claim, contribution: Contribution) -> Record {
    let answered = Answered {
        agent: Some("task_enricher"),
        model: Some("offline".to_owned()),
        level: Some("standard"),
        cached: false,
        enrichment: contribution.enrichment.clone(),
    };
    Record {
        outcome: Outcome::Completed,
        reason: None,
        answered: Some(answered),
        contribution,
        completion: Some(completion(&claim.held, Outcome::Completed)),
        ..skipped(claim)
    }
}

/// The end of a claim that opens a task, and so gives its event a run.
pub(crate) fn changing(claim: &Claim, object: &str, after: SuggestAfter) -> Record {
    Record { suggest: Some(after), ..completed(claim, task(object)) }
}

pub(crate) fn suggestion(object: &str) -> Suggestion {
    Suggestion {
        id: Suggestion::id_of(&event_id(), "book", object),
        title: format!("Book a {object}"),
        object: object.to_owned(),
        action: "book".to_owned(),
        reason: "most weddings have one by now".to_owned(),
        due: Some("2026-12-04".parse().unwrap()),
    }
}

/// The end of a run that suggests these; its event names those that are new.
pub(crate) fn run_end(claim: &Claim, suggested: &[Suggestion]) -> Record {
    let held = claim.held.clone();
    let news = News::new(move |new| CompletionEvent {
        kind: "gleaner.suggestion.created".to_owned(),
        routing_key: "suggestion.created".to_owned(),
        body: new.iter().map(|it| it.title.as_str()).collect::<Vec<_>>().join(", ").into_bytes(),
        ..completion(&held, Outcome::Completed)
    });
    let model = Some("offline".to_owned());
    let run = RunRecord { suggestions: suggested.to_vec(), model, news };
    let outcome = Outcome::Completed;
    Record { outcome, reason: None, completion: None, run: Some(run), ..skipped(claim) }
}

pub(crate) fn task_detected() -> Detection {
    let entities =
        TaskEntities { object: "dj".into(), action: "book".into(), ..Default::default() };
    Detection { confidence: 0.9, entities: Entities::Task(entities), follow_up: None }
}

pub(crate) fn task(object: &str) -> Contribution {
    let base = TaskBase {
        category: "music".into(),
        checklist: vec!["ask for a set list".into()],
        questions: vec!["how long?".into()],
        lead_time_days: 60,
        budget_share_low: 2.0,
        budget_share_high: 5.5,
    };
    gives(Enrichment::Task(TaskEnrichment {
        title: format!("Book the {object}"),
        object: object.to_owned(),
        action: "book".to_owned(),
        assignee: Some("Ann".to_owned()),
        due_said: Some("by Friday".to_owned()),
        due: Some("2026-12-04".parse().unwrap()),
        base,
        cost_range: Some((30_000, 82_500)),
        vendors: Vec::new(),
        concerns: Vec::new(),
    }))
}

pub(crate) fn expense(
    what: &str,
    minor: i64,
    paid_by: &str,
    status: ExpenseStatus,
) -> Contribution {
    gives(Enrichment::Expense(ExpenseEnrichment {
        what: what.to_owned(),
        minor,
        currency: pounds(),
        category: "music".to_owned(),
        paid_by: Some(person(paid_by)),
        split_between: None,
        shares: split_equally(minor, &event().people()),
        status,
        budget_share: Some(3.3),
        base: ExpenseBase { category: "music".into(), typical_share: 4.0, advice: Vec::new() },
        warning: None,
        splits: Vec::new(),
        budget_use: Vec::new(),
        transfers: Vec::new(),
    }))
}

pub(crate) fn poll(options: [&str; 2]) -> Contribution {
    let options = options.map(str::to_owned).to_vec();
    let question = "which day?".to_owned();
    gives(Enrichment::Poll(PollEnrichment { question, options, ..PollEnrichment::default() }))
}

pub(crate) fn answer(text: &str) -> Contribution {
    gives(Enrichment::Answer(AnswerEnrichment {
        query: QueryEntities { topic: "spending".to_owned(), subject: None },
        answer: text.to_owned(),
        sources: vec![derived_uuid(&["cited by", text])],
    }))
}

pub(crate) fn follow_up(kind: FollowUpKind, target: Target) -> Contribution {
    Contribution { enrichment: None, follow_up: Some(FollowUp { kind, target }) }
}

fn gives(enrichment: Enrichment) -> Contribution {
    Contribution { enrichment: Some(enrichment), follow_up: None }
}

pub(crate) fn park(after: Duration) -> Park {
    Park {
        after,
        reason: ParkReason::RateLimited,
        spend_attempt: false,
        detail: None,
        flight: None,
    }
}

/// A park that waits for a flight.
pub(crate) fn park_on(key: &str, after: Duration) -> Park {
    Park { reason: ParkReason::FlightTaken, flight: Some(key.to_owned()), ..park(after) }
}

/// A park that spends the attempt.
pub(crate) fn retry(after: Duration) -> Park {
    let detail = Some("overloaded".to_owned());
    Park { reason: ParkReason::Retry, spend_attempt: true, detail, ..park(after) }
}

/// A request of that worst case which no scope limits.
pub(crate) fn request(worst_case: i64) -> AdmissionRequest {
    AdmissionRequest {
        event: event_id(),
        tenant: "acme".to_owned(),
        revision: 1,
        sent_at: at(1),
        agent: "task_enricher",
        model: "sonnet".to_owned(),
        fingerprint: "task/1".to_owned(),
        worst_case: NanoUsd(worst_case),
        expected: NanoUsd(worst_case),
        rates: Vec::new(),
        budgets: Vec::new(),
        provider: None,
        queues: false,
    }
}

pub(crate) fn rate(key: &str, limit: u32, window: Duration) -> RateScope {
    RateScope { key: key.to_owned(), limit, window, send_within: Duration::from_millis(20) }
}

pub(crate) fn budget(key: &str, limit: i64) -> BudgetScope {
    BudgetScope {
        name: key.to_owned(),
        limit: Some(NanoUsd(limit)),
        kind: BudgetKind::Hard,
        in_flight_share: 1.0,
        waits: false,
        windows: vec![Window { key: key.to_owned(), starts_at: None, ends_at: None }],
    }
}

pub(crate) fn usage() -> Usage {
    Usage { input: 100, output: 20, cache_read: 3, cache_write_5m: 2, cache_write_1h: 1 }
}

pub(crate) fn charge(cost: i64) -> Charge {
    Charge {
        usage: usage(),
        cost: Some(NanoUsd(cost)),
        model: "sonnet-20260901".to_owned(),
        answer: Some(json!({"category": "music", "steps": ["ask", "book"]})),
    }
}

pub(crate) fn entry(key: &str, ttl: Duration) -> CacheWrite {
    CacheWrite {
        key: key.to_owned(),
        event: None,
        answer: json!({"category": "music"}),
        model: "sonnet".to_owned(),
        usage: usage(),
        cost: NanoUsd(700),
        ttl,
    }
}

/// What a task cost and avoided.
pub(crate) fn metric(cached: bool) -> Metric {
    Metric {
        intent: Intent::TaskCreation,
        agent: Some("task_enricher"),
        model: Some("sonnet".to_owned()),
        cached,
        latency: Duration::from_millis(1_234),
        spent: Spent::default(),
        avoided_usage: if cached { usage() } else { Usage::default() },
        avoided_cost: if cached { NanoUsd(700) } else { NanoUsd::ZERO },
    }
}
