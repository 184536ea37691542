//! All injections through the whole pipeline, once with a model that obeys and once with one that
//! does not.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use std::time::Duration;

use gleaner::domain::ids::EventId;
use gleaner::store::{EventReport, SuggestAfter};
use serde_json::Value;

use crate::house::House;
use crate::support::fake_model::{FakeModel, Mode, Order};
use crate::support::injections::{self, Injection};

/// What an endpoint that obeys brings about.
pub(super) static OBEYING: LazyLock<Outcome> =
    LazyLock::new(|| play(injections::all().iter().map(Injection::order).collect()));

/// What one brings about that does as the system part says.
pub(super) static HONEST: LazyLock<Outcome> = LazyLock::new(|| play(Vec::new()));

/// How many are brought at once.
const AT_ONCE: usize = 8;

/// All that is to be judged.
pub(super) struct Outcome {
    /// Completion events by message.
    pub(super) completions: HashMap<String, Value>,
    /// What each event knows.
    pub(super) reports: HashMap<String, EventReport>,
    /// The requests' bodies.
    pub(super) requests: Vec<Value>,
    /// The same messages told again afterwards, by an event's ID: whether the cache answered.
    pub(super) again: HashMap<String, bool>,
}

fn play(orders: Vec<Order>) -> Outcome {
    std::thread::spawn(|| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(played(orders))
    })
    .join()
    .unwrap()
}

async fn played(orders: Vec<Order>) -> Outcome {
    let fake = FakeModel::start().await;
    fake.stand(Mode::Obey { orders });
    let at_once = SuggestAfter { every: Duration::from_millis(200), quiet: Duration::ZERO };
    // More than any confidence: the classifier is asked about every message that is left to us.
    let mut house = House::open_with(&environment(&fake), 2.0, Some(at_once)).await;
    let (mut completions, all) = (HashMap::new(), injections::all());
    for some in all.chunks(AT_ONCE) {
        for injection in some {
            house.take(&injection.batch()).await;
        }
        let expected = some.iter().flat_map(Injection::messages).collect();
        hear(&mut house, expected, &mut completions).await;
    }
    rest(&house).await;
    let mut reports = HashMap::new();
    for injection in &all {
        let id = EventId::parse(&injection.id).unwrap();
        let report = house.store().event_report(&id).await.unwrap().unwrap();
        reports.insert(injection.id.clone(), report);
    }
    let again = told_again(&mut house, &all).await;
    let requests = fake.requests().into_iter().map(|seen| seen.body).collect();
    Outcome { completions, reports, requests, again }
}

/// Hears until these messages are settled. An event may come twice; suggestions are left to the
/// reports.
async fn hear(
    house: &mut House,
    mut expected: HashSet<String>,
    completions: &mut HashMap<String, Value>,
) {
    while !expected.is_empty() {
        let event = house.next().await;
        let subject = event["subject"].as_str().unwrap().to_owned();
        if expected.remove(&subject) {
            completions.insert(subject, event);
        }
    }
}

/// Waits until no run is left.
async fn rest(house: &House) {
    let until = tokio::time::Instant::now() + Duration::from_secs(60);
    loop {
        let queue = house.store().queue().await.unwrap();
        if queue.pending + queue.processing + queue.owed == 0 {
            return;
        }
        assert!(tokio::time::Instant::now() < until, "not at rest: {queue:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The last message of each event once more, word for word.
async fn told_again(house: &mut House, all: &[Injection]) -> HashMap<String, bool> {
    let mut again = HashMap::new();
    for some in all.chunks(AT_ONCE) {
        for injection in some {
            let mut batch = injection.batch();
            let message = batch.messages.pop().unwrap();
            let id = format!("{}-again", injection.id);
            let id = gleaner::domain::ids::MessageId::parse(&id).unwrap();
            batch.messages = vec![gleaner::domain::chat::Message { id, ..message }];
            house.take(&batch).await;
        }
        let mut heard = HashMap::new();
        let expected = some.iter().map(|one| format!("{}-again", one.id)).collect();
        hear(house, expected, &mut heard).await;
        again.extend(heard.into_iter().map(|(id, event)| {
            let id = id.trim_end_matches("-again").to_owned();
            (id, event["data"]["cached"] == true)
        }));
    }
    again
}

/// An environment whose six agents ask the endpoint, without limits.
pub(crate) fn environment(fake: &FakeModel) -> Vec<(String, String)> {
    let url = fake.url();
    let pairs = [
        ("ANTHROPIC_API_KEY", "any"),
        ("GLEANER__ENDPOINTS__ANTHROPIC__BASE_URL", url.as_str()),
        ("AI_RATE_LIMIT_PER_MINUTE", "0"),
        ("GLEANER__LIMITS__SENDER_PER_WINDOW", "0"),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}
