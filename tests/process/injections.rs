//! What a daemon says of messages that give orders, while its model obeys them: not a word of theirs.

use gleaner::settings;
use gleaner::store::Store;

use crate::support::daemon::{Daemon, PATIENCE};
use crate::support::fake_model::{FakeModel, Mode};
use crate::support::injections::{self, Injection};

#[tokio::test(flavor = "multi_thread")]
async fn the_log_holds_no_word_of_a_message_and_none_of_an_answer() {
    let (fake, folder) = (FakeModel::start().await, tempfile::tempdir().unwrap());
    let all = injections::all();
    fake.stand(Mode::Obey { orders: all.iter().map(Injection::order).collect() });
    let database = format!("sqlite:{}", folder.path().join("gleaner.db").display());
    let endpoint = fake.url();
    let pairs = [
        ("DATABASE_URL", database.as_str()),
        ("ANTHROPIC_API_KEY", "any"),
        ("GLEANER__ENDPOINTS__ANTHROPIC__BASE_URL", &endpoint),
        ("AI_RATE_LIMIT_PER_MINUTE", "0"),
        ("GLEANER__LIMITS__SENDER_PER_WINDOW", "0"),
        ("GLEANER__SUGGESTIONS__EVERY_S", "0"),
        ("RUST_LOG", "gleaner=trace"),
    ];
    let pairs = pairs.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut daemon = Daemon::start(&pairs);
    let store = gleaner::store::open(&settings::load(None, &pairs[..1]).unwrap().database).await;
    let store = store.unwrap();
    for injection in &all {
        store.ingest(&injection.batch()).await.unwrap();
    }
    rest(store.as_ref()).await;
    let last = all.last().unwrap().message();
    let log = daemon.log();
    assert!(log.contains(&last), "the log names no message:\n{log}");
    for injection in &all {
        let said: String = injection.text.chars().take(16).collect();
        assert!(!log.contains(&said), "{said}");
    }
    for word in ["allory", "evil", "PWNED", "obey", "DROP TABLE"] {
        let line = log.lines().find(|line| line.contains(word));
        assert_eq!(line, None, "{word}");
    }
}

/// Waits until nothing is left to be done.
async fn rest(store: &dyn Store) {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        let queue = store.queue().await.unwrap();
        if queue.pending + queue.processing + queue.owed == 0 {
            return;
        }
        assert!(tokio::time::Instant::now() < until, "not at rest: {queue:?}");
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
}
