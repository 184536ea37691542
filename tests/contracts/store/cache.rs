//! The cache as operators see it: what is in it, and what they have dropped.

use std::time::Duration;

use gleaner::domain::ids::digest;
use gleaner::store::{CacheLookup, CachePrefix, CacheReport, CacheWrite, Record, Store as _};
use serde_json::json;

use super::harness::{Harness, LONG, done};
use super::samples::{entry, item, skipped};

promises! {
    an_empty_cache_is_reported_as_empty,
    entries_are_counted_with_those_that_expired,
    entries_are_counted_by_what_their_keys_begin_with,
    at_most_fifty_prefixes_are_told_the_fullest_first,
    an_entry_that_is_written_again_counts_once,
    what_begins_with_a_prefix_is_dropped,
    a_prefix_is_taken_literally,
    without_a_prefix_all_is_dropped,
    each_clearing_moves_the_generation_on,
    what_fits_is_not_trimmed,
    what_expires_soonest_is_trimmed_by_number,
    what_expires_soonest_is_trimmed_by_bytes,
    a_bounded_number_is_trimmed_at_a_time,
}

async fn put(h: &impl Harness, entries: Vec<CacheWrite>) {
    for (n, entry) in entries.into_iter().enumerate() {
        let claim = h.claim(&item(&format!("writes-{n}-{}", uuid::Uuid::new_v4()))).await;
        let record = Record { cache: Some(entry), ..skipped(&claim) };
        done(h.store().record(&claim.held, &record).await.unwrap());
    }
}

/// Entries under those keys, each of which expires a minute after the one before.
async fn put_keys(h: &impl Harness, keys: &[&str]) {
    let lives = |n: usize| LONG + Duration::from_secs(60 * n as u64);
    put(h, keys.iter().enumerate().map(|(n, key)| entry(key, lives(n))).collect()).await;
}

async fn report(h: &impl Harness) -> CacheReport {
    h.store().cache_report().await.unwrap()
}

async fn is_there(h: &impl Harness, key: &str) -> bool {
    let asks = h.claim(&item(&format!("asks-{}", uuid::Uuid::new_v4()))).await.held;
    matches!(h.store().cached_or_flight(&asks, key).await.unwrap(), CacheLookup::Hit(_))
}

async fn generation(h: &impl Harness) -> u64 {
    h.store().runtime().await.unwrap().cache_generation
}

async fn an_empty_cache_is_reported_as_empty(h: &impl Harness) {
    assert_eq!(report(h).await, CacheReport::default());
}

async fn entries_are_counted_with_those_that_expired(h: &impl Harness) {
    put_keys(h, &["a", "b", "c"]).await;
    h.pass(11).await;
    let told = report(h).await;
    assert_eq!((told.active, told.expired), (1, 2));
}

async fn entries_are_counted_by_what_their_keys_begin_with(h: &impl Harness) {
    let key = |prefix: &str, of: &str| format!("{prefix}:{}", digest(&[of]));
    let keys = [key("task:dj:base", "1"), key("expense:food", "2"), key("task:dj:base", "3")];
    put_keys(h, &[&keys[0], &keys[1], &keys[2], "bare:no-digest"]).await;
    let told = report(h).await;
    let counted: Vec<(&str, u64)> =
        told.by_prefix.iter().map(|one| (one.prefix.as_str(), one.entries)).collect();
    assert_eq!(counted, [("task:dj:base", 2), ("bare:no-digest", 1), ("expense:food", 1)]);
    // Keys, and the text of the answers, however the engine spaces it.
    let bytes = |prefix| told.by_prefix.iter().find(|one| one.prefix == prefix).unwrap().bytes;
    assert_eq!(told.by_prefix.iter().map(|one| one.bytes).sum::<u64>(), told.bytes);
    assert_eq!(bytes("expense:food") - bytes("bare:no-digest"), 45 - 14);
    let answer = json!({"category": "music"}).to_string().len() as u64;
    assert!((answer + 14..answer + 20).contains(&bytes("bare:no-digest")), "{told:?}");
}

async fn at_most_fifty_prefixes_are_told_the_fullest_first(h: &impl Harness) {
    let key = |n: u32, of: &str| format!("p{n:02}:{}", digest(&[of]));
    let mut entries: Vec<_> = (0..55).map(|n| entry(&key(n, "x"), LONG)).collect();
    entries.push(entry(&key(54, "y"), LONG));
    put(h, entries).await;
    let told = report(h).await;
    assert_eq!((told.active, told.by_prefix.len()), (56, 50));
    let CachePrefix { prefix, entries, .. } = &told.by_prefix[0];
    assert_eq!((prefix.as_str(), *entries), ("p54", 2));
}

async fn an_entry_that_is_written_again_counts_once(h: &impl Harness) {
    let short = CacheWrite { answer: json!("short"), ..entry("key", LONG) };
    let long = CacheWrite { answer: json!("a longer one"), ..entry("key", LONG) };
    put(h, vec![long.clone()]).await;
    let before = report(h).await;
    put(h, vec![short]).await;
    let after = report(h).await;
    assert_eq!((after.active, before.bytes - after.bytes), (1, 7));
}

async fn what_begins_with_a_prefix_is_dropped(h: &impl Harness) {
    put_keys(h, &["task:dj:1", "task:cake:2", "expense:task:3", "task"]).await;
    assert_eq!(h.store().clear_cache("task:").await.unwrap(), 2);
    assert!(!is_there(h, "task:dj:1").await && !is_there(h, "task:cake:2").await);
    assert!(is_there(h, "expense:task:3").await && is_there(h, "task").await);
    assert_eq!(h.store().clear_cache("none").await.unwrap(), 0);
}

async fn a_prefix_is_taken_literally(h: &impl Harness) {
    put_keys(h, &["a_b:1", "axb:2", "a%:3", "a\\:4", "A_b:5", "ü:6"]).await;
    assert_eq!(h.store().clear_cache("a_b").await.unwrap(), 1);
    assert_eq!(h.store().clear_cache("a%").await.unwrap(), 1);
    assert_eq!(h.store().clear_cache("%").await.unwrap(), 0);
    assert_eq!(h.store().clear_cache("a\\").await.unwrap(), 1);
    assert_eq!(h.store().clear_cache("ü").await.unwrap(), 1);
    assert_eq!(report(h).await.active, 2);
}

async fn without_a_prefix_all_is_dropped(h: &impl Harness) {
    put_keys(h, &["a:1", "b:2", "c:3"]).await;
    h.pass(11).await;
    assert_eq!(report(h).await.expired, 2);
    assert_eq!(h.store().clear_cache("").await.unwrap(), 3);
    assert_eq!(report(h).await, CacheReport::default());
}

async fn each_clearing_moves_the_generation_on(h: &impl Harness) {
    assert_eq!(generation(h).await, 0);
    h.store().clear_cache("nothing").await.unwrap();
    assert_eq!(generation(h).await, 1);
    let (one, other) = tokio::join!(h.store().clear_cache(""), h.store().clear_cache("a"));
    assert_eq!((one.unwrap(), other.unwrap()), (0, 0));
    assert_eq!(generation(h).await, 3);
    let pause = gleaner::store::RuntimeChange::Pause(true);
    let told = h.store().change_runtime(&pause, "an operator").await.unwrap();
    assert_eq!((told.paused, told.cache_generation), (true, 3));
}

async fn what_fits_is_not_trimmed(h: &impl Harness) {
    assert_eq!(h.store().trim_cache(0, 0).await.unwrap(), 0);
    put_keys(h, &["a:1", "b:2"]).await;
    let bytes = report(h).await.bytes;
    assert_eq!(h.store().trim_cache(2, bytes).await.unwrap(), 0);
    assert_eq!((report(h).await.active, generation(h).await), (2, 0));
}

async fn what_expires_soonest_is_trimmed_by_number(h: &impl Harness) {
    put_keys(h, &["a:1", "b:2", "c:3", "d:4"]).await;
    assert_eq!(h.store().trim_cache(2, u64::MAX / 4).await.unwrap(), 2);
    assert!(is_there(h, "c:3").await && is_there(h, "d:4").await);
    assert_eq!(report(h).await.active, 2);
}

async fn what_expires_soonest_is_trimmed_by_bytes(h: &impl Harness) {
    put_keys(h, &["a:1", "b:2", "c:3", "d:4"]).await;
    let bytes = report(h).await.bytes;
    // All are equally long; a byte less than three of them is room for two.
    let room = bytes / 4 * 3 - 1;
    assert_eq!(h.store().trim_cache(9, room).await.unwrap(), 2);
    assert!(is_there(h, "c:3").await && is_there(h, "d:4").await);
    assert_eq!(h.store().trim_cache(9, room).await.unwrap(), 0);
    assert_eq!(h.store().trim_cache(9, 0).await.unwrap(), 2);
}

async fn a_bounded_number_is_trimmed_at_a_time(h: &impl Harness) {
    const COPY: &str =
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < 1500)
        insert into cache (key, event_id, answer, model, usage, cost, expires_at, bytes)
        select key || i, event_id, answer, model, usage, cost, expires_at, bytes
        from cache, n where key = $1";
    put(h, vec![entry("key", LONG)]).await;
    h.produce(COPY, &["key"]).await;
    assert_eq!(report(h).await.active, 1_501);
    let mut trimmed = Vec::new();
    while trimmed.last() != Some(&0) {
        trimmed.push(h.store().trim_cache(1, u64::MAX / 4).await.unwrap());
    }
    assert_eq!(trimmed.iter().sum::<u64>(), 1_500);
    assert!(trimmed.len() > 2, "{trimmed:?}");
    assert_eq!(report(h).await.active, 1);
}
