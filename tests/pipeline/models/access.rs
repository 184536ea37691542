//! The way to a model, against an endpoint that has limits of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use gleaner::model::access::{Access, Closed, Needs};
use gleaner::model::prices::PriceBook;
use gleaner::model::registry::{Choice, Models};
use gleaner::model::{ModelError, ModelResponse};
use gleaner::settings;
use tokio::task::JoinSet;

use super::request;
use crate::support::fake_model::{FakeModel, Mode};

const NEEDS: Needs = Needs { input: 500, output: 500 };

/// The task enricher's model at the fake endpoint.
fn choice(fake: &FakeModel) -> Choice {
    let url = fake.url();
    let pairs = [("ANTHROPIC_API_KEY", "any"), ("GLEANER__ENDPOINTS__ANTHROPIC__BASE_URL", &url)];
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let settings = settings::load(None, &pairs).unwrap();
    let models = Models::new(&settings, PriceBook::bundled()).unwrap();
    models.agent("task_enricher").unwrap().primary.clone()
}

async fn ask(choice: &Choice) -> Result<Result<ModelResponse, ModelError>, Closed> {
    let entry = choice.access.enter(NEEDS).await?;
    let answered = choice.model.ask(&request(), uuid::Uuid::new_v4()).await;
    entry.saw(&answered);
    Ok(answered)
}

/// Asks until there is an answer; as patient as a queue.
async fn ask_until_answered(choice: &Choice) {
    loop {
        match ask(choice).await {
            Ok(Ok(_)) => return,
            Ok(Err(_)) => {}
            Err(Closed::Busy(after) | Closed::Unavailable(after)) => {
                tokio::time::sleep(after).await;
            }
        }
    }
}

/// The share of requests that were refused, among the later half.
fn refused_later(fake: &FakeModel) -> f64 {
    let requests = fake.requests();
    let later = &requests[requests.len() / 2..];
    let refused = later.iter().filter(|seen| seen.status == Some(429)).count();
    refused as f64 / later.len() as f64
}

#[tokio::test]
async fn thirty_two_slots_settle_near_the_five_places_of_an_endpoint_and_all_are_answered() {
    let fake = FakeModel::start().await;
    fake.stand(Mode::Room { places: 5, ms: 30 });
    let choice = choice(&fake);
    let mut slots = JoinSet::new();
    for _ in 0..32 {
        let choice = choice.clone();
        slots.spawn(async move {
            for _ in 0..10 {
                ask_until_answered(&choice).await;
            }
        });
    }
    while let Some(ended) = slots.join_next().await {
        ended.unwrap();
    }
    let answered = fake.requests().iter().filter(|seen| seen.status == Some(200)).count();
    assert_eq!(answered, 320);
    assert!(refused_later(&fake) < 0.15, "{} were refused", refused_later(&fake));
    let limit = choice.access.concurrency();
    assert!((2..=6).contains(&limit), "it settled at {limit}");
}

#[tokio::test]
async fn places_grow_while_the_endpoint_answers() {
    let fake = FakeModel::start().await;
    fake.stand(Mode::Slow { ms: 20 });
    let choice = choice(&fake);
    assert_eq!(choice.access.concurrency(), 4);
    let mut slots = JoinSet::new();
    for _ in 0..32 {
        let choice = choice.clone();
        slots.spawn(async move {
            for _ in 0..4 {
                ask_until_answered(&choice).await;
            }
        });
    }
    while let Some(ended) = slots.join_next().await {
        ended.unwrap();
    }
    assert!(choice.access.concurrency() >= 24, "{}", choice.access.concurrency());
}

#[tokio::test]
async fn nothing_left_holds_requests_until_the_reset_so_that_none_is_refused() {
    let fake = FakeModel::start().await;
    // The window is longer than the patience in line, so that who is held is sent away.
    fake.stand(Mode::Window { requests: 3, ms: 3_500 });
    let (choice, began) = (choice(&fake), Instant::now());
    for _ in 0..3 {
        ask(&choice).await.unwrap().unwrap();
    }
    let held = ask(&choice).await.map(|answered| answered.is_ok());
    let Err(Closed::Unavailable(after)) = held else { panic!("{held:?}") };
    assert!(after > Duration::from_secs(2) && after < Duration::from_secs(5), "{after:?}");
    assert_eq!(fake.requests().len(), 3);
    ask_until_answered(&choice).await;
    assert!(began.elapsed() >= Duration::from_millis(3_500));
    assert!(fake.requests().iter().all(|seen| seen.status == Some(200)));
}

#[tokio::test]
async fn a_request_that_is_cancelled_leaves_its_place() {
    let fake = FakeModel::start().await;
    fake.stand(Mode::Hang);
    let choice = choice(&fake);
    for _ in 0..3 {
        let mut slots = JoinSet::new();
        let before = fake.requests().len();
        for _ in 0..4 {
            let choice = choice.clone();
            slots.spawn(async move { ask(&choice).await.map(drop) });
        }
        fake.arrived(before + 4).await;
        slots.shutdown().await;
    }
    fake.stand(Mode::Answer);
    ask(&choice).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_missing_model_closes_its_own_way_only() {
    let fake = FakeModel::start().await;
    let choice = choice(&fake);
    fake.script([Mode::NoModel]);
    ask(&choice).await.unwrap().unwrap_err();
    let access: &Arc<Access> = &choice.access;
    assert!(matches!(access.enter(NEEDS).await, Err(Closed::Unavailable(_))));
    assert!(!access.account().is_stopped());
}
