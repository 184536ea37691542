//! What becomes of a message that a spent budget has no room for, by the budget's setting.

use gleaner::domain::ids::MessageId;
use gleaner::domain::usage::NanoUsd;
use gleaner::store::{BudgetChange, IngestBatch};
use serde_json::{Value, json};

use crate::house::House;
use crate::support::asks::asks;
use crate::support::fake_model::FakeModel;

/// Settings with one endpoint, and a budget of that many dollars.
fn settings(fake: &FakeModel, budget: &str, usd: &str, over: &str) -> Vec<(String, String)> {
    let key = |part: &str| format!("GLEANER__BUDGETS__{}__{part}", budget.to_uppercase());
    vec![
        ("ANTHROPIC_API_KEY".to_owned(), "any".to_owned()),
        ("GLEANER__ENDPOINTS__ANTHROPIC__BASE_URL".to_owned(), fake.url()),
        ("GLEANER__AGENTS__TASK_ENRICHER__ON_UNAVAILABLE".to_owned(), "park".to_owned()),
        (key("USD"), usd.to_owned()),
        (key("OVER"), over.to_owned()),
    ]
}

/// A question that needs a model, after much that needs none: its context is long at the agent's
/// own level, and empty at the lowest.
fn after_much_talk() -> IngestBatch {
    let mut batch = asks("talk", 1);
    let asked = batch.messages[0].clone();
    for nth in 1..=10 {
        let mut talk = asked.clone();
        talk.id = MessageId::parse(&format!("talk-before-{nth}")).unwrap();
        talk.sent_at = asked.sent_at - jiff::SignedDuration::from_mins(nth);
        talk.text = "the garden was lovely in the rain and nobody minded at all ".repeat(10);
        talk.detected_intent = Some("none".to_owned());
        talk.extracted_entities = Some(json!({}));
        batch.messages.push(talk);
    }
    batch
}

/// What becomes of the question.
async fn answered(house: &mut House) -> Value {
    house.take(&after_much_talk()).await;
    loop {
        let done = house.done().await;
        if done["message_id"] == "talk-0000" {
            return done;
        }
    }
}

async fn degraded(usd: &str) -> (Value, usize) {
    let fake = FakeModel::start().await;
    let mut house = House::open(&settings(&fake, "event", usd, "degrade")).await;
    let done = answered(&mut house).await;
    assert_eq!(done["outcome"], "completed", "{done}");
    assert!(house.store().ledger_balances().await.unwrap().is_ok());
    (done, fake.requests().len())
}

#[tokio::test]
async fn a_budget_with_room_is_asked_at_the_agents_own_level() {
    let (done, requests) = degraded("5").await;
    assert_eq!((&done["model"], &done["level"]), (&"claude-sonnet-5-5".into(), &"standard".into()));
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn with_less_room_the_same_model_is_told_less() {
    let (done, requests) = degraded("0.022").await;
    assert_eq!((&done["model"], &done["level"]), (&"claude-sonnet-5-5".into(), &"minimal".into()));
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn with_little_room_a_cheaper_model_is_asked() {
    let (done, requests) = degraded("0.005").await;
    assert_eq!((&done["model"], &done["level"]), (&"claude-haiku-5-5".into(), &"standard".into()));
    assert_eq!(requests, 1);
}

#[tokio::test]
async fn with_no_room_the_offline_model_answers_also_an_agent_that_would_park() {
    let (done, requests) = degraded("0.000001").await;
    assert_eq!((&done["model"], &done["level"]), (&"offline".into(), &Value::Null));
    assert_eq!(requests, 0);
}

#[tokio::test]
async fn a_budget_that_refuses_fails_the_message() {
    let fake = FakeModel::start().await;
    let mut house = House::open(&settings(&fake, "event", "0.001", "refuse")).await;
    let done = answered(&mut house).await;
    assert_eq!((&done["outcome"], &done["reason"]), (&"failed".into(), &"over_budget".into()));
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test]
async fn a_budget_that_parks_keeps_the_message_until_there_is_room() {
    let fake = FakeModel::start().await;
    let mut house = House::open(&settings(&fake, "day", "0.001", "park")).await;
    house.take(&asks("waits", 1)).await;
    while house.store().budgets(Some("budget:day"), 9).await.unwrap().iter().all(|w| w.waiting == 0)
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(fake.requests().len(), 0);
    let more = BudgetChange::Limit(NanoUsd::from_dollars(1.0));
    house.store().set_budget("budget:day", more, "the test").await.unwrap();
    let done = house.done().await;
    assert_eq!(
        (&done["outcome"], &done["model"]),
        (&"completed".into(), &"claude-sonnet-5-5".into())
    );
    assert_eq!(done["attempt"], 1, "waiting spends no attempt");
}
