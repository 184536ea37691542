//! The process: schema, clock, run-time settings.

use gleaner::domain::ids::EventId;
use gleaner::store::{RuntimeChange, RuntimeSettings, Store as _};
use jiff::Timestamp;

use super::harness::Harness;

promises! {
    migrating_again_changes_nothing,
    the_check_names_the_server_and_the_schema,
    the_clock_is_told,
    run_time_settings_begin_with_everything_on,
    run_time_settings_change_one_at_a_time,
    the_same_process_may_take_its_seat_twice,
}

async fn migrating_again_changes_nothing(h: &impl Harness) {
    let before = h.store().check().await.unwrap();
    let (one, other) = tokio::join!(h.store().migrate(), h.store().migrate());
    one.unwrap();
    other.unwrap();
    assert_eq!(h.store().check().await.unwrap(), before);
}

async fn the_check_names_the_server_and_the_schema(h: &impl Harness) {
    let check = h.store().check().await.unwrap();
    assert!(check.version >= 1 && !check.oldest_binary.is_empty(), "{check:?}");
    assert!(check.server.chars().any(|c| c.is_ascii_digit()), "{check:?}");
}

async fn the_clock_is_told(h: &impl Harness) {
    let apart = h.store().now().await.unwrap().duration_since(Timestamp::now());
    assert!(apart.abs().as_secs() < 5, "{apart:?}");
}

async fn run_time_settings_begin_with_everything_on(h: &impl Harness) {
    assert_eq!(h.store().runtime().await.unwrap(), RuntimeSettings::default());
}

async fn run_time_settings_change_one_at_a_time(h: &impl Harness) {
    let event = |id| EventId::parse(id).unwrap();
    let changes = [
        RuntimeChange::Rollout(10),
        RuntimeChange::Allow(event("a")),
        RuntimeChange::Deny(event("c")),
        RuntimeChange::Allow(event("c")),
        RuntimeChange::Deny(event("a")),
        RuntimeChange::Pause(true),
    ];
    for change in &changes {
        h.store().change_runtime(change, "an operator").await.unwrap();
    }
    let set = RuntimeSettings {
        rollout_percent: 10,
        allow: vec![event("c")],
        deny: vec![event("a")],
        paused: true,
        cache_generation: 0,
    };
    assert_eq!(h.store().runtime().await.unwrap(), set);
    let told = h.store().change_runtime(&RuntimeChange::Unlist(event("a")), "another").await;
    assert_eq!(told.unwrap(), RuntimeSettings { deny: Vec::new(), ..set });
}

async fn the_same_process_may_take_its_seat_twice(h: &impl Harness) {
    h.store().take_seat().await.unwrap();
    h.store().take_seat().await.unwrap();
}
