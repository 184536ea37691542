//! Alerts, what is told of them, and duties.

use std::time::Duration;

use gleaner::domain::ids::derived_uuid;
use gleaner::store::{
    AlertChange, AlertRow, Channel, CompletionEvent, DueNotice, Notice, Retention, Store as _,
};
use jiff::Timestamp;
use uuid::Uuid;

use super::harness::{Harness, LONG};

promises! {
    a_duty_is_taken_once_in_its_time,
    an_alert_fires_once,
    an_alert_is_resolved_once,
    what_is_resolved_may_fire_again,
    alerts_are_listed_the_open_ones_first,
    changes_at_the_same_time_are_made_once,
    an_alert_is_kept_as_it_was_said,
    what_did_not_change_is_not_told,
    notices_are_told_with_the_same_bytes_until_they_are_taken,
    a_notice_that_is_looked_at_moves_ahead,
    as_many_notices_are_told_as_asked,
    channels_are_confirmed_each_for_itself,
    a_notice_that_nobody_takes_is_given_up_after_a_day,
    old_alerts_and_notices_are_swept,
}

const EVERY: Duration = Duration::from_secs(300);
const FIRST: Duration = Duration::from_secs(60);

/// A moment that all engines keep exactly.
async fn now(h: &impl Harness) -> Timestamp {
    let now = h.store().now().await.unwrap();
    Timestamp::from_microsecond(now.as_microsecond()).unwrap()
}

async fn alert(h: &impl Harness, key: &str) -> AlertRow {
    AlertRow {
        id: Uuid::new_v4(),
        key: key.to_owned(),
        rule: "budget".to_owned(),
        text: format!("{key} is spent to 80 % – “soon” none is left"),
        value: 0.825,
        threshold: 0.8,
        fired_at: now(h).await,
        resolved_at: None,
    }
}

fn told(alert: &AlertRow, what: &str, channel: Channel) -> Notice {
    let event = CompletionEvent {
        id: derived_uuid(&[&alert.id.to_string(), what]),
        kind: format!("gleaner.alert.{what}"),
        routing_key: if channel == Channel::Event {
            format!("alert.{what}")
        } else {
            String::new()
        },
        body: format!("{{\"{what}\":\"{}\"}}\u{0}ü", alert.key).into_bytes(),
    };
    Notice { channel, event }
}

fn notices(alert: &AlertRow, what: &str) -> Vec<Notice> {
    Channel::ALL.map(|channel| told(alert, what, channel)).to_vec()
}

fn fires(alert: &AlertRow) -> AlertChange {
    AlertChange::Fire { alert: alert.clone(), notices: notices(alert, "fired") }
}

async fn resolves(h: &impl Harness, alert: &AlertRow) -> AlertChange {
    AlertChange::Resolve { id: alert.id, at: now(h).await, notices: notices(alert, "resolved") }
}

async fn change(h: &impl Harness, changes: &[AlertChange]) -> Vec<AlertRow> {
    h.store().change_alerts(changes).await.unwrap()
}

async fn fired(h: &impl Harness, key: &str) -> AlertRow {
    let alert = alert(h, key).await;
    assert_eq!(change(h, &[fires(&alert)]).await, std::slice::from_ref(&alert));
    alert
}

async fn due(h: &impl Harness) -> Vec<DueNotice> {
    h.store().due_notices(FIRST, 99).await.unwrap()
}

async fn a_duty_is_taken_once_in_its_time(h: &impl Harness) {
    let take = async |name| h.store().take_duty(name, EVERY).await.unwrap();
    let (one, other) = tokio::join!(take("alerts"), take("alerts"));
    assert!(one != other, "one has it");
    assert!(!take("alerts").await);
    assert!(take("retention").await, "another is another's");
    h.pass(4).await;
    assert!(!take("alerts").await);
    h.pass(1).await;
    assert!(take("alerts").await);
    assert!(!take("alerts").await);
}

async fn an_alert_fires_once(h: &impl Harness) {
    let first = fired(h, "latency").await;
    let again = alert(h, "latency").await;
    assert!(change(h, &[fires(&again)]).await.is_empty());
    assert_eq!(h.store().alerts(9).await.unwrap(), [first]);
    assert_eq!(due(h).await.len(), 2);
}

async fn an_alert_is_resolved_once(h: &impl Harness) {
    let alert = fired(h, "latency").await;
    let first = resolves(h, &alert).await;
    let AlertChange::Resolve { at, .. } = &first else { unreachable!() };
    let resolved = AlertRow { resolved_at: Some(*at), ..alert.clone() };
    assert_eq!(change(h, std::slice::from_ref(&first)).await, std::slice::from_ref(&resolved));
    let later = resolves(h, &alert).await;
    assert!(change(h, &[later]).await.is_empty());
    assert!(h.store().alerts(0).await.unwrap().is_empty());
    assert_eq!(h.store().alerts(9).await.unwrap(), [resolved]);
    assert_eq!(due(h).await.len(), 4);
}

async fn what_is_resolved_may_fire_again(h: &impl Harness) {
    let first = fired(h, "latency").await;
    let second = alert(h, "latency").await;
    let changes = [resolves(h, &first).await, fires(&second)];
    assert_eq!(change(h, &changes).await.len(), 2);
    assert_eq!(h.store().alerts(0).await.unwrap(), [second]);
}

async fn alerts_are_listed_the_open_ones_first(h: &impl Harness) {
    let mut all = Vec::new();
    for key in ["a", "b", "c", "d", "e"] {
        all.push(fired(h, key).await);
    }
    for nth in [3, 0, 1] {
        let change_of = resolves(h, &all[nth]).await;
        change(h, &[change_of]).await;
    }
    let keys = async |resolved| {
        let listed = h.store().alerts(resolved).await.unwrap();
        listed.into_iter().map(|row| row.key).collect::<Vec<_>>()
    };
    assert_eq!(keys(0).await, ["c", "e"]);
    assert_eq!(keys(2).await, ["c", "e", "b", "a"]);
    assert_eq!(keys(9).await, ["c", "e", "b", "a", "d"]);
}

async fn changes_at_the_same_time_are_made_once(h: &impl Harness) {
    let (mine, yours) = (alert(h, "latency").await, alert(h, "latency").await);
    let (one, other) = ([fires(&mine)], [fires(&yours)]);
    let (one, other) = tokio::join!(change(h, &one), change(h, &other));
    assert_eq!(one.len() + other.len(), 1);
    let open = h.store().alerts(0).await.unwrap().remove(0);
    let end = [resolves(h, &open).await];
    let (one, other) = tokio::join!(change(h, &end), change(h, &end));
    assert_eq!(one.len() + other.len(), 1);
    assert_eq!(due(h).await.len(), 4);
}

async fn an_alert_is_kept_as_it_was_said(h: &impl Harness) {
    let exact = AlertRow { value: 0.1 + 0.2, threshold: 1e-9, ..alert(h, "latency").await };
    change(h, &[fires(&exact)]).await;
    assert_eq!(h.store().alerts(0).await.unwrap(), [exact]);
}

async fn what_did_not_change_is_not_told(h: &impl Harness) {
    let unknown = alert(h, "never fired").await;
    let end = resolves(h, &unknown).await;
    assert!(change(h, &[end]).await.is_empty());
    assert!(change(h, &[]).await.is_empty());
    assert!(due(h).await.is_empty());
}

async fn notices_are_told_with_the_same_bytes_until_they_are_taken(h: &impl Harness) {
    let alert = fired(h, "latency").await;
    let mut expected = notices(&alert, "fired");
    for tries in 0..3 {
        let mut found = due(h).await;
        found.sort_by_key(|due| due.notice.channel.name());
        assert!(found.iter().all(|due| due.tries == tries), "{found:?}");
        assert_eq!(found.into_iter().map(|due| due.notice).collect::<Vec<_>>(), expected);
        h.pass(60).await;
    }
    let taken = expected.remove(0);
    h.store().confirm_notice(taken.channel, taken.event.id).await.unwrap();
    let left = due(h).await.into_iter().map(|due| due.notice).collect::<Vec<_>>();
    assert_eq!(left, expected);
}

async fn a_notice_that_is_looked_at_moves_ahead(h: &impl Harness) {
    fired(h, "latency").await;
    // One minute, two, four… and never more than an hour.
    for pause in [1, 2, 4, 8, 16, 32, 60, 60] {
        assert_eq!(due(h).await.len(), 2);
        assert!(due(h).await.is_empty());
        if pause > 1 {
            h.pass(pause - 1).await;
            assert!(due(h).await.is_empty(), "before {pause} minutes");
        } else {
            h.pass(pause - 1).await;
        }
        h.pass(1).await;
    }
}

async fn as_many_notices_are_told_as_asked(h: &impl Harness) {
    for key in ["a", "b"] {
        fired(h, key).await;
    }
    let mut found = Vec::new();
    for _ in 0..2 {
        let (one, other) =
            tokio::join!(h.store().due_notices(LONG, 1), h.store().due_notices(LONG, 1));
        found.extend([one.unwrap(), other.unwrap()].concat());
    }
    // Of two who look at the same time, one may find the other's row and pass over it.
    found.extend(h.store().due_notices(LONG, 99).await.unwrap());
    let mut ids: Vec<_> =
        found.iter().map(|due| (due.notice.channel.name(), due.notice.event.id)).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), found.len()), (4, 4), "each once");
}

async fn channels_are_confirmed_each_for_itself(h: &impl Harness) {
    let alert = fired(h, "latency").await;
    let notice = told(&alert, "fired", Channel::Webhook);
    h.store().confirm_notice(Channel::Webhook, notice.event.id).await.unwrap();
    h.store().confirm_notice(Channel::Webhook, notice.event.id).await.unwrap();
    h.store().confirm_notice(Channel::Event, Uuid::new_v4()).await.unwrap();
    let left: Vec<_> = due(h).await.into_iter().map(|due| due.notice.channel).collect();
    assert_eq!(left, [Channel::Event]);
    h.pass_days(3).await;
    assert!(due(h).await.is_empty());
}

async fn a_notice_that_nobody_takes_is_given_up_after_a_day(h: &impl Harness) {
    fired(h, "latency").await;
    h.pass(23 * 60).await;
    assert_eq!(due(h).await.len(), 2);
    h.pass(90).await;
    assert!(due(h).await.is_empty());
    assert_eq!(h.count("select count(*) from notices where look_at is not null").await, 0);
    let unconfirmed = "select count(*) from notices where confirmed_at is null";
    assert_eq!(h.count(unconfirmed).await, 2);
}

async fn old_alerts_and_notices_are_swept(h: &impl Harness) {
    let old = fired(h, "old").await;
    fired(h, "open").await;
    let end = resolves(h, &old).await;
    change(h, &[end]).await;
    for DueNotice { notice, .. } in due(h).await {
        h.store().confirm_notice(notice.channel, notice.event.id).await.unwrap();
    }
    h.pass_days(60).await;
    let young = fired(h, "young").await;
    let end = resolves(h, &young).await;
    change(h, &[end]).await;
    h.pass_days(40).await;
    let kept = Retention { alerts: Some(Duration::from_secs(90 * 86_400)), ..Retention::default() };
    h.store().sweep(&kept).await.unwrap();
    let left: Vec<_> =
        h.store().alerts(9).await.unwrap().into_iter().map(|alert| alert.key).collect();
    assert_eq!(left, ["open", "young"]);
    assert_eq!(h.count("select count(*) from notices where confirmed_at is not null").await, 0);
    assert_eq!(h.count("select count(*) from notices").await, 4);
}
