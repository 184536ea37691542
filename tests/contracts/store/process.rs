//! The process: schema, clock, run-time settings.

use gleaner::domain::ids::EventId;
use gleaner::store::{RuntimeSettings, Store as _};
use jiff::Timestamp;

use super::harness::Harness;

promises! {
    migrating_again_changes_nothing,
    the_check_names_the_server_and_the_schema,
    the_clock_is_told,
    run_time_settings_begin_with_everything_on,
    run_time_settings_come_back_as_they_were_set,
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

async fn run_time_settings_come_back_as_they_were_set(h: &impl Harness) {
    let event = |id| EventId::parse(id).unwrap();
    let set = RuntimeSettings {
        rollout_percent: 10,
        allow: vec![event("a"), event("b")],
        deny: vec![event("c")],
        paused: true,
    };
    h.store().set_runtime(&set).await.unwrap();
    assert_eq!(h.store().runtime().await.unwrap(), set);
    let later = RuntimeSettings { allow: Vec::new(), paused: false, ..set };
    h.store().set_runtime(&later).await.unwrap();
    assert_eq!(h.store().runtime().await.unwrap(), later);
}

async fn the_same_process_may_take_its_seat_twice(h: &impl Harness) {
    h.store().take_seat().await.unwrap();
    h.store().take_seat().await.unwrap();
}
