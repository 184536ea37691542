//! What comes into the cache, what stays out of it, and what a hit is said to have avoided.

use gleaner::domain::ids::EventId;
use gleaner::domain::usage::NanoUsd;
use serde_json::json;

use crate::house::House;
use crate::support::asks::asks;
use crate::support::fake_model::{FakeModel, Mode, RetryAfter};

const TASK: &str = "Can someone book a photographer?";

fn settings(fake: &FakeModel, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let url = fake.url();
    let mut pairs = vec![
        ("ANTHROPIC_API_KEY", "any"),
        ("GLEANER__ENDPOINTS__ANTHROPIC__BASE_URL", url.as_str()),
        ("GLEANER__ENDPOINTS__OPENAI__BASE_URL", url.as_str()),
        ("GLEANER__AGENTS__TASK_ENRICHER__ON_UNAVAILABLE", "park"),
    ];
    pairs.extend_from_slice(more);
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn unfit() -> Mode {
    Mode::AnswerWith { answer: json!({"unasked": true}) }
}

/// What an event's cache hits avoided.
async fn avoided(house: &House, event: &str) -> NanoUsd {
    let event = EventId::parse(event).unwrap();
    house.store().event_report(&event).await.unwrap().unwrap().avoided_cost
}

#[tokio::test]
async fn an_answer_that_stays_invalid_is_not_cached() {
    let fake = FakeModel::start().await;
    fake.script([unfit(), unfit()]);
    let mut house = House::open(&settings(&fake, &[])).await;
    let done = house.say("wedding-1", TASK).await;
    assert_eq!((&done["outcome"], &done["reason"]), (&"failed".into(), &"answer_invalid".into()));
    assert_eq!(house.cached().await, [""; 0]);
    let done = house.say("wedding-2", TASK).await;
    assert_eq!((&done["outcome"], &done["cached"]), (&"completed".into(), &false.into()));
}

#[tokio::test]
async fn a_refusal_is_not_cached() {
    let fake = FakeModel::start().await;
    fake.script([Mode::Refuse]);
    let mut house = House::open(&settings(&fake, &[])).await;
    assert_eq!(house.say("wedding-1", TASK).await["outcome"], "failed");
    assert_eq!(house.cached().await, [""; 0]);
    assert_eq!(house.say("wedding-2", TASK).await["cached"], false);
}

#[tokio::test]
async fn a_fallbacks_answer_is_not_cached() {
    let (fake, other) = (FakeModel::start().await, FakeModel::start().await);
    fake.stand(Mode::Overload { retry_after: RetryAfter::Seconds(30) });
    let url = other.openai_url();
    let chain = [
        ("GLEANER__ENDPOINTS__OPENAI__BASE_URL", url.as_str()),
        ("GLEANER__AGENTS__TASK_ENRICHER__FALLBACKS", "openai:gpt-6-sol, offline"),
    ];
    let mut house = House::open(&settings(&fake, &chain)).await;
    assert_eq!(house.say("wedding-1", TASK).await["model"], "gpt-6-sol");
    other.stand(Mode::Overload { retry_after: RetryAfter::Seconds(30) });
    assert_eq!(house.say("wedding-2", TASK).await["model"], "offline");
    assert_eq!(house.cached().await, [""; 0]);
}

#[tokio::test]
async fn an_answer_for_less_is_not_cached() {
    let fake = FakeModel::start().await;
    // Room for a cheaper model, then for none.
    for budget in ["0.005", "0.000001"] {
        let spent = [
            ("GLEANER__BUDGETS__EVENT__USD", budget),
            ("GLEANER__BUDGETS__EVENT__OVER", "degrade"),
        ];
        let mut house = House::open(&settings(&fake, &spent)).await;
        house.take(&asks("degraded", 1)).await;
        let done = house.done().await;
        assert_eq!(done["outcome"], "completed", "{done}");
        assert_ne!(done["model"], "claude-sonnet-5-5");
        assert_eq!(house.cached().await, [""; 0]);
    }
}

#[tokio::test]
async fn a_request_that_never_ended_is_not_cached() {
    let fake = FakeModel::start().await;
    fake.script([Mode::Cut, Mode::ServerError { explained: true }]);
    fake.stand(Mode::Hang);
    let house = House::open(&settings(&fake, &[])).await;
    house.tell("wedding-1", TASK).await;
    fake.arrived(3).await;
    assert_eq!(house.cached().await, [""; 0]);
}

#[tokio::test]
async fn with_bypass_every_question_goes_to_its_model_and_its_answer_is_kept() {
    let fake = FakeModel::start().await;
    let mut house = House::open(&settings(&fake, &[("GLEANER__CACHE__BYPASS", "true")])).await;
    for event in ["wedding-1", "wedding-2"] {
        let done = house.say(event, TASK).await;
        assert_eq!((&done["outcome"], &done["cached"]), (&"completed".into(), &false.into()));
    }
    assert_eq!(fake.requests().len(), 2);
    assert_eq!(house.cached().await.len(), 1);
}

#[tokio::test]
async fn with_bypass_nobody_waits_for_another_ones_answer() {
    let fake = FakeModel::start().await;
    fake.stand(Mode::Slow { ms: 500 });
    let mut house = House::open(&settings(&fake, &[("GLEANER__CACHE__BYPASS", "true")])).await;
    house.tell("wedding-1", TASK).await;
    house.tell("wedding-2", TASK).await;
    for _ in 0..2 {
        let done = house.done().await;
        assert_eq!((&done["cached"], &done["attempt"]), (&false.into(), &1.into()));
    }
    let requests = fake.requests();
    assert_eq!(requests.len(), 2);
    let apart = requests[1].instant - requests[0].instant;
    assert!(apart.as_millis() < 500, "the second came {apart:?} after the first");
}

#[tokio::test]
async fn a_hit_avoids_what_the_question_cost_and_not_what_the_doubt_did() {
    let fake = FakeModel::start().await;
    let mut house = House::open_with(&settings(&fake, &[]), 1.0, None).await;
    house.say("wedding-1", TASK).await;
    let models: Vec<String> = fake.requests().iter().map(|seen| seen.model.clone()).collect();
    assert_eq!(models, ["claude-haiku-5-5", "claude-sonnet-5-5"], "a doubt, then the question");
    assert_eq!(house.say("wedding-2", TASK).await["cached"], true);
    assert_eq!(avoided(&house, "wedding-2").await, fake.requests()[1].cost.unwrap());
}

#[tokio::test]
async fn a_hit_avoids_the_repair_too() {
    let fake = FakeModel::start().await;
    fake.script([unfit()]);
    let mut house = House::open(&settings(&fake, &[])).await;
    house.say("wedding-1", TASK).await;
    assert_eq!(house.say("wedding-2", TASK).await["cached"], true);
    assert_eq!(fake.bill().billed, 2);
    assert_eq!(avoided(&house, "wedding-2").await, fake.billed());
}

#[tokio::test]
async fn a_hit_avoids_what_an_earlier_run_was_charged_too() {
    let fake = FakeModel::start().await;
    // A paid answer that does not fit, and a repair that must wait: the message is parked between.
    fake.script([unfit(), Mode::RateLimit { retry_after: RetryAfter::Seconds(6) }]);
    let mut house = House::open(&settings(&fake, &[])).await;
    assert_eq!(house.say("wedding-1", TASK).await["outcome"], "completed");
    assert_eq!(house.say("wedding-2", TASK).await["cached"], true);
    assert_eq!((fake.requests().len(), fake.bill().billed), (3, 2));
    assert_eq!(avoided(&house, "wedding-2").await, fake.billed());
}
