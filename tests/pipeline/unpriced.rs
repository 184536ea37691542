//! What is not known to cost anything is never free: models without a price, tiers without one,
//! totals without classes, through the whole pipeline.

use std::collections::BTreeSet;

use gleaner::domain::usage::NanoUsd;

use crate::house::House;
use crate::support::fake_model::{FakeModel, Mode};

const TASK: &str = "Can someone book a photographer?";

async fn house(fake: &FakeModel, more: &[(&str, &str)]) -> House {
    let url = fake.url();
    let mut pairs = vec![
        ("ANTHROPIC_API_KEY", "any"),
        ("GLEANER__ENDPOINTS__ANTHROPIC__BASE_URL", url.as_str()),
    ];
    pairs.extend_from_slice(more);
    let pairs = pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
    House::open(&pairs.collect::<Vec<_>>()).await
}

/// What a completion event says was charged.
fn charged(done: &serde_json::Value) -> NanoUsd {
    NanoUsd::from_dollars(done["cost_usd"].as_f64().unwrap())
}

#[tokio::test]
async fn a_model_without_a_price_is_not_asked() {
    let fake = FakeModel::start().await;
    let mut house = house(&fake, &[("GLEANER__AGENTS__TASK_ENRICHER__MODEL", "claude-next")]).await;
    let done = house.say("wedding-1", TASK).await;
    assert_eq!((&done["outcome"], &done["reason"]), (&"failed".into(), &"unpriced".into()));
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test]
async fn where_it_only_alerts_such_a_model_answers_and_counts_at_the_dearest_price() {
    let fake = FakeModel::start().await;
    let settings = [
        ("GLEANER__AGENTS__TASK_ENRICHER__MODEL", "claude-next"),
        ("GLEANER__PRICES__UNPRICED", "alert"),
        // Room for one request at the dearest known price, and not for two.
        ("GLEANER__BUDGETS__TOTAL__USD", "0.25"),
    ];
    let mut house = house(&fake, &settings).await;
    let first = house.say("wedding-1", TASK).await;
    assert_eq!((&first["outcome"], &first["model"]), (&"completed".into(), &"claude-next".into()));
    assert_eq!(charged(&first), NanoUsd::ZERO);
    let second = house.say("wedding-2", "Can someone book a florist?").await;
    assert_eq!(second["outcome"], "completed", "{second}");
    assert_ne!(second["model"], "claude-next", "{second}");
    assert_eq!(fake.bill().unpriced, 1);
}

#[tokio::test]
async fn a_tier_without_a_price_leaves_the_answer_and_no_charge() {
    let fake = FakeModel::start().await;
    fake.stand(Mode::Tier { tier: "priority".into() });
    let mut house = house(&fake, &[]).await;
    let done = house.say("wedding-1", TASK).await;
    assert_eq!(done["model"], "claude-sonnet-5-5", "{done}");
    assert_eq!((charged(&done), fake.bill().unpriced), (NanoUsd::ZERO, 1));
}

#[tokio::test]
async fn a_total_is_charged_at_the_price_that_the_endpoint_names() {
    let fake = FakeModel::start().await;
    fake.stand(Mode::Total { price: "per_1k_tokens".into() });
    let named = [("GLEANER__ENDPOINTS__ANTHROPIC__TOTAL_PRICE", "per_1k_tokens")];
    let mut named = house(&fake, &named).await;
    let done = named.say("wedding-1", TASK).await;
    assert!(fake.billed() > NanoUsd::ZERO);
    assert_eq!(charged(&done), fake.billed());
    let mut unnamed = house(&fake, &[]).await;
    assert_eq!(charged(&unnamed.say("wedding-1", TASK).await), NanoUsd::ZERO);
}

#[tokio::test]
async fn each_request_carries_an_id_of_its_own() {
    let fake = FakeModel::start().await;
    fake.script([Mode::ServerError { explained: true }]);
    let mut house = house(&fake, &[]).await;
    let done = house.say("wedding-1", TASK).await;
    assert_eq!(done["model"], "claude-sonnet-5-5", "{done}");
    let ids: BTreeSet<_> = fake.requests().iter().filter_map(|seen| seen.request_id).collect();
    assert_eq!((ids.len(), fake.requests().len()), (2, 2));
}
