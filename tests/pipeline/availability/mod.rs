//! What becomes of messages whose model is unavailable: the pipeline on the embedded engines,
//! against fake endpoints.

use std::time::Duration;

use crate::house::House;
use crate::support::fake_model::{FakeModel, Mode, RetryAfter, Stopped};

const TASK: &str = "Can someone book a photographer?";
const EXPENSE: &str = "I paid 250 for the hotel";

/// The task enricher asks one endpoint, and another one when that is away.
fn chain(first: &FakeModel, second: &FakeModel, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let (first, second) = (first.url(), second.openai_url());
    let mut pairs = vec![
        ("ANTHROPIC_API_KEY", "any"),
        ("GLEANER__ENDPOINTS__ANTHROPIC__BASE_URL", first.as_str()),
        ("GLEANER__ENDPOINTS__OPENAI__BASE_URL", second.as_str()),
        ("GLEANER__AGENTS__TASK_ENRICHER__FALLBACKS", "openai:gpt-6-sol, offline"),
    ];
    pairs.extend_from_slice(more);
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

#[tokio::test]
async fn the_second_answers_while_the_first_is_down_and_offline_while_both_are() {
    let (first, second) = (FakeModel::start().await, FakeModel::start().await);
    let overload = || Mode::Overload { retry_after: RetryAfter::Seconds(30) };
    first.stand(overload());
    let mut house = House::open(&chain(&first, &second, &[])).await;
    let done = house.say("wedding-1", TASK).await;
    assert_eq!((&done["outcome"], &done["model"]), (&"completed".into(), &"gpt-6-sol".into()));
    second.stand(overload());
    let done = house.say("wedding-2", "Can someone book a florist?").await;
    assert_eq!((&done["model"], &done["attempt"]), (&"offline".into(), &1.into()));
    // The first asked for half a minute, so it was asked once and never again.
    assert_eq!((first.requests().len(), second.requests().len()), (1, 2));
}

#[tokio::test]
async fn a_fallbacks_answer_is_not_found_under_the_primarys_key() {
    let (first, second) = (FakeModel::start().await, FakeModel::start().await);
    first.script([Mode::RateLimit { retry_after: RetryAfter::Seconds(6) }]);
    let mut house = House::open(&chain(&first, &second, &[])).await;
    let mut by_the_fallback = 0;
    let done = loop {
        let done = house.say(&format!("wedding-{by_the_fallback}"), TASK).await;
        assert_eq!(done["cached"], false, "{done}");
        if done["model"] != "gpt-6-sol" {
            break done;
        }
        by_the_fallback += 1;
    };
    assert!(by_the_fallback > 0);
    assert_eq!(done["model"], "claude-sonnet-5-5");
    assert_eq!(house.say("wedding-last", TASK).await["cached"], true);
}

#[tokio::test]
async fn a_stopped_account_pauses_the_other_agents_model_too_and_burns_no_attempt() {
    let fake = FakeModel::start().await;
    let until = RetryAfter::Seconds(3);
    fake.script([Mode::AccountStopped { how: Stopped::Credit, retry_after: until }]);
    let pairs = chain(
        &fake,
        &fake,
        &[
            ("GLEANER__AGENTS__TASK_ENRICHER__FALLBACKS", ""),
            ("GLEANER__AGENTS__TASK_ENRICHER__ON_UNAVAILABLE", "park"),
            ("GLEANER__AGENTS__BUDGET_ANALYST__ON_UNAVAILABLE", "park"),
            ("GLEANER__AGENTS__BUDGET_ANALYST__MODEL", "claude-haiku-5-5"),
            ("GLEANER__WORKER__ATTEMPTS", "1"),
        ],
    );
    let mut house = House::open(&pairs).await;
    house.tell("wedding-1", TASK).await;
    fake.arrived(1).await;
    house.tell("wedding-2", EXPENSE).await;
    let mut models = Vec::new();
    for _ in 0..2 {
        let done = house.done().await;
        assert_eq!(
            (&done["outcome"], &done["attempt"]),
            (&"completed".into(), &1.into()),
            "{done}"
        );
        models.push(done["model"].as_str().unwrap().to_owned());
    }
    models.sort();
    assert_eq!(models, ["claude-haiku-5-5", "claude-sonnet-5-5"]);
    let requests = fake.requests();
    assert_eq!(requests.len(), 3, "one found out, and both were asked after the stop");
    let paused = requests[1].instant - requests[0].instant;
    assert!(paused >= Duration::from_secs(3), "it was left alone for {paused:?}");
}

#[tokio::test]
async fn a_spent_budget_goes_down_the_chain_to_the_free_one() {
    let (first, second) = (FakeModel::start().await, FakeModel::start().await);
    let tiny = [("GLEANER__BUDGETS__EVENT__USD", "0.000001")];
    let mut house = House::open(&chain(&first, &second, &tiny)).await;
    let done = house.say("wedding-1", TASK).await;
    assert_eq!((&done["outcome"], &done["model"]), (&"completed".into(), &"offline".into()));
    assert_eq!(first.requests().len() + second.requests().len(), 0);
}

#[tokio::test]
async fn a_fallbacks_own_failure_leaves_the_primarys_standing() {
    let (first, second) = (FakeModel::start().await, FakeModel::start().await);
    first.script([Mode::RateLimit { retry_after: RetryAfter::Seconds(6) }]);
    second.stand(Mode::Refuse);
    let parks = [
        ("GLEANER__AGENTS__TASK_ENRICHER__FALLBACKS", "openai:gpt-6-sol"),
        ("GLEANER__AGENTS__TASK_ENRICHER__ON_UNAVAILABLE", "park"),
        ("GLEANER__WORKER__ATTEMPTS", "1"),
    ];
    let mut house = House::open(&chain(&first, &second, &parks)).await;
    let done = house.say("wedding-1", TASK).await;
    assert_eq!(done["model"], "claude-sonnet-5-5", "{done}");
    assert_eq!((first.requests().len(), second.requests().len()), (2, 1));
}

#[tokio::test]
async fn what_a_fallback_was_paid_for_is_not_paid_for_again() {
    let (first, second) = (FakeModel::start().await, FakeModel::start().await);
    let six_seconds = || Mode::RateLimit { retry_after: RetryAfter::Seconds(6) };
    first.script([six_seconds()]);
    // A paid answer that does not fit, and a repair that must wait: the message is parked between.
    let unfit = Mode::AnswerWith { answer: serde_json::json!({"unasked": true}) };
    second.script([unfit, six_seconds()]);
    let parks = [
        ("GLEANER__AGENTS__TASK_ENRICHER__FALLBACKS", "openai:gpt-6-sol"),
        ("GLEANER__AGENTS__TASK_ENRICHER__ON_UNAVAILABLE", "park"),
    ];
    let mut house = House::open(&chain(&first, &second, &parks)).await;
    let done = house.say("wedding-1", TASK).await;
    assert_eq!((&done["outcome"], &done["model"]), (&"completed".into(), &"gpt-6-sol".into()));
    assert_eq!((first.requests().len(), second.requests().len()), (1, 3));
    assert_eq!(second.bill().billed, 2);
}
