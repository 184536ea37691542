//! The token estimate learns from a real endpoint's reports.

use gleaner::agents::{self, Plan, Question};
use gleaner::context::{Level, assemble};
use gleaner::domain::chat::{Event, Message, Participant};
use gleaner::domain::ids::{EventId, MessageId, PersonId, RoomId};
use gleaner::domain::intent::{Detection, Entities, ExpenseEntities, TaskEntities};
use gleaner::domain::money::Currency;
use gleaner::model::ModelRequest;
use gleaner::model::estimate::{Estimate, TokenEstimates, estimate};
use gleaner::store::ContextRows;
use jiff::{Timestamp, ToSpan as _};
use uuid::Uuid;

use super::{anthropic, openai};
use crate::support::fake_model::FakeModel;

/// Lines such as groups write.
const SAID: [&str; 6] = [
    "ok so who is ringing the caterer? they want numbers by the 14th",
    "Paid £450 for the marquee, split it between the four of us please 🙏",
    "can't do Saturday :( could we say Sunday 7 June, around 2.30pm?",
    "the florist – Blüten & Co – says €380 incl. delivery",
    "Nani wants marigolds, I want peonies… vote?",
    "yes!!",
];

fn event() -> Event {
    let people = (0..40).map(|nr| format!("Guest number {nr} of the groom's side"));
    Event {
        id: EventId::parse("wedding-1").unwrap(),
        tenant: Event::DEFAULT_TENANT.into(),
        name: "Priya & Tom's wedding".into(),
        kind: "wedding".into(),
        starts_at: Some("2026-06-06T12:00:00Z".parse().unwrap()),
        time_zone: "Europe/London".into(),
        locale: "en-GB".into(),
        currency: Currency::parse("GBP").unwrap(),
        budget: Some(2_000_000),
        participants: people.map(|name| Participant { id: PersonId(name.clone()), name }).collect(),
    }
}

fn message(minute: i64) -> Message {
    let start: Timestamp = "2026-03-02T18:00:00Z".parse().unwrap();
    let said = (0..=minute % 3).map(|nr| SAID[(minute * 5 + nr) as usize % SAID.len()]);
    Message {
        id: MessageId::parse(&format!("m{minute:04}")).unwrap(),
        room: RoomId::parse("room").unwrap(),
        sender: PersonId("Guest number 3 of the groom's side".into()),
        sent_at: start + minute.minutes(),
        text: said.collect::<Vec<_>>().join(" "),
        revision: 0,
        deleted_at: None,
        detected_intent: None,
        extracted_entities: None,
    }
}

/// The request for the message of that minute, after so much was said: of two agents, in turn
/// shared and private.
fn request(minute: i64, by: &Estimate) -> ModelRequest {
    let task = |object: &str| {
        Entities::Task(TaskEntities {
            object: object.into(),
            action: "book".into(),
            ..TaskEntities::default()
        })
    };
    let entities = match minute % 4 {
        0 => task("photographer"),
        1 => task("harmonium"),
        _ => Entities::Expense(ExpenseEntities { amount: 450.0, ..ExpenseEntities::default() }),
    };
    let detection = Detection { confidence: 0.9, entities, follow_up: None };
    let (event, message) = (event(), message(minute));
    match agents::plan(&event, &message, &detection) {
        Plan::Ask(Question::Shared(question)) => question.request(800),
        Plan::Ask(Question::Private(question)) => {
            let messages = (0..minute).map(self::message).collect();
            let rows = ContextRows { messages, ..ContextRows::default() };
            let level = if minute % 4 == 1 { Level::Standard } else { Level::Rich };
            question.request(&assemble(level, &event, &message, &rows, by), 800)
        }
        other @ (Plan::Answer(_) | Plan::Records(_) | Plan::Nothing) => panic!("planned {other:?}"),
    }
}

fn is_within_a_tenth(estimated: u64, reported: u64) -> bool {
    estimated.abs_diff(reported) * 10 <= reported
}

#[tokio::test]
async fn after_twenty_calls_the_estimate_is_within_a_tenth_of_what_is_reported() {
    let fake = FakeModel::start().await;
    for model in [
        anthropic(&fake.url(), "claude-sonnet-5-5", 30),
        anthropic(&fake.url(), "claude-opus-4-1", 30),
        openai(&fake.openai_url(), "gpt-6-sol"),
    ] {
        let estimates = TokenEstimates::default();
        for minute in 0..40 {
            let request = request(minute, &estimates.of(model.name()));
            let usage = model.ask(&request, Uuid::new_v4()).await.unwrap().usage;
            let forecast = estimates.forecast(model.name(), &request);
            assert!(
                minute < 20 || is_within_a_tenth(forecast, usage.prompt()),
                "{}, call {minute}: {forecast} for {}",
                model.name(),
                usage.prompt()
            );
            estimates.learn(model.name(), &request, &usage);
        }
        let said = SAID.join("\n");
        let learnt = u64::from(estimates.of(model.name()).tokens(&said));
        assert!(learnt * 4 < u64::from(estimate(&said)) * 3, "{}: {learnt}", model.name());
    }
}

#[tokio::test]
async fn the_second_message_of_an_event_reads_its_facts_from_the_providers_cache() {
    let fake = FakeModel::start().await;
    let model = anthropic(&fake.url(), "claude-opus-5", 30);
    let first = model.ask(&request(22, &Estimate::HIGH), Uuid::new_v4()).await.unwrap().usage;
    let second = model.ask(&request(23, &Estimate::HIGH), Uuid::new_v4()).await.unwrap().usage;
    assert!(first.cache_write_5m >= 512 && first.cache_read == 0, "{first:?}");
    assert_eq!((second.cache_read, second.cache_write_5m), (first.cache_write_5m, 0));
}
