//! The watch: alerts are judged by one replica at a time, and told by any.
//!
//! What changes is written together with what is owed to be told of it, and only
//! then told, so that neither a crash nor a receiver that is away loses anything:
//! another replica, or the next try, tells the same bytes under the same ID.

mod facts;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt as _;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::alerts::{Rule, Telling, judge};
use super::webhook::Webhook;
use crate::delay::DelayPolicy;
use crate::limits::Budgets;
use crate::model::http::BadEndpoint;
use crate::pipeline::Pipeline;
use crate::settings::{AlertSettings, Settings};
use crate::store::{AlertRow, Channel, DueNotice, StoreError, Stored};
use crate::telemetry::metrics;

/// The duty's name: who has it judges for all.
const DUTY: &str = "alerts";
/// How often it is looked whether there is anything to tell.
const LOOK: Duration = Duration::from_secs(1);
/// How many notices are told at the same time.
const AT_ONCE: u32 = 16;
/// How long the store may take for one round.
const ROUND: Duration = Duration::from_secs(60);
/// Pauses while the store is away.
const AWAY: DelayPolicy = DelayPolicy::new(Duration::from_secs(1), Duration::from_secs(30));

/// What one replica's watch works with.
pub struct Watch {
    pipeline: Arc<Pipeline>,
    settings: AlertSettings,
    budgets: Budgets,
    webhook: Option<Webhook>,
    /// How long a notice that is being told is left alone by the others.
    first: Duration,
}

/// Why a round came to nothing.
#[derive(Debug, thiserror::Error)]
enum Missed {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("no answer within {} s", ROUND.as_secs())]
    Silence,
}

impl Watch {
    /// A watch by the settings.
    ///
    /// # Errors
    /// When the webhook's client cannot be made.
    pub fn new(settings: &Settings, pipeline: &Arc<Pipeline>) -> Result<Self, BadEndpoint> {
        let webhook = Webhook::new(&settings.alerts.webhook)?;
        // A publish may wait for the broker and then for its confirm.
        let longest = settings.alerts.webhook.timeout_s.max(2 * settings.broker.confirm_timeout_s);
        Ok(Self {
            pipeline: Arc::clone(pipeline),
            settings: settings.alerts.clone(),
            budgets: Budgets::new(settings.budgets.clone()),
            webhook,
            first: Duration::from_secs(longest + 1),
        })
    }

    /// Judges and tells until `stop`, and ends at once then: what was not told is told by another
    /// replica, or after the next start.
    pub async fn run(&self, stop: CancellationToken) {
        tokio::select! {
            () = stop.cancelled() => {}
            () = self.judge_for_ever() => {}
            () = self.tell_for_ever() => {}
        }
    }

    async fn judge_for_ever(&self) {
        let every = Duration::from_secs(self.settings.every_s);
        let mut pauses = AWAY.pauses();
        loop {
            let pause = match within(self.judge_once(every)).await {
                // Nothing is judged any more, and what was open is resolved by now.
                Ok(()) if every == Duration::ZERO => return std::future::pending().await,
                Ok(()) => {
                    pauses = AWAY.pauses();
                    every
                }
                Err(error) => {
                    warn!(%error, "could not judge the alerts; trying again");
                    pauses.next().max(LOOK)
                }
            };
            sleep(pause).await;
        }
    }

    /// Shows what is open, and where the duty is ours judges what there is.
    async fn judge_once(&self, every: Duration) -> Stored<()> {
        let store = &self.pipeline.store;
        let mut open = store.alerts(0).await?;
        // A little less, so that whoever looks at the same pace does not come a moment too early.
        if store.take_duty(DUTY, every.mul_f64(0.9)).await? {
            let facts = facts::gather(store.as_ref(), &self.settings, &self.budgets, &open).await?;
            let telling =
                Telling { source: &self.pipeline.source, webhook: self.webhook.is_some() };
            let changes = judge(&facts, &self.settings, &open, &telling);
            if !changes.is_empty() {
                store.change_alerts(&changes).await?.iter().for_each(say);
                open = store.alerts(0).await?;
            }
        }
        show(&open);
        Ok(())
    }

    async fn tell_for_ever(&self) {
        let mut pauses = AWAY.pauses();
        loop {
            let due = within(self.pipeline.store.due_notices(self.first, AT_ONCE)).await;
            let pause = match due {
                Ok(due) => {
                    pauses = AWAY.pauses();
                    let full = due.len() >= AT_ONCE as usize;
                    self.tell(due).await;
                    if full { Duration::ZERO } else { LOOK }
                }
                Err(error) => {
                    warn!(%error, "could not look for what is to be told; trying again");
                    pauses.next().max(LOOK)
                }
            };
            sleep(pause).await;
        }
    }

    async fn tell(&self, due: Vec<DueNotice>) {
        let all = futures::stream::iter(due);
        all.for_each_concurrent(AT_ONCE as usize, |due| async move {
            if self.is_taken(&due).await {
                self.confirm(&due).await;
            }
        })
        .await;
    }

    /// Tells it once; `false` leaves it to the next try.
    async fn is_taken(&self, due: &DueNotice) -> bool {
        let event = &due.notice.event;
        match due.notice.channel {
            Channel::Event => self.pipeline.publisher.tell(event).await.unwrap_or_else(|error| {
                warn!(kind = event.kind, id = %event.id, tries = due.tries + 1, %error,
                    "could not publish {}; it is tried again", event.kind);
                false
            }),
            Channel::Webhook => self.is_posted(due).await,
        }
    }

    async fn is_posted(&self, due: &DueNotice) -> bool {
        let event = &due.notice.event;
        let Some(webhook) = &self.webhook else {
            debug!(id = %event.id, "this replica has no webhook; another one may");
            return false;
        };
        let Err(error) = webhook.post(event).await else { return true };
        let host = webhook.host();
        warn!(host, kind = event.kind, id = %event.id, tries = due.tries + 1, %error,
            "the webhook at {host} did not take {}; it is tried again", event.kind);
        false
    }

    async fn confirm(&self, due: &DueNotice) {
        let (channel, id) = (due.notice.channel, due.notice.event.id);
        if let Err(error) = within(self.pipeline.store.confirm_notice(channel, id)).await {
            // Who took it knows it by its ID.
            warn!(%id, %error, "could not write down that {} was told; it is told again", due.notice.event.kind);
        }
    }
}

async fn within<T>(round: impl Future<Output = Stored<T>>) -> Result<T, Missed> {
    match timeout(ROUND, round).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(Missed::Silence),
    }
}

/// One line and one count for a change that was made here.
fn say(alert: &AlertRow) {
    let (rule, key) = (alert.rule.as_str(), alert.key.as_str());
    let what = if alert.resolved_at.is_some() { "resolved" } else { "fired" };
    match alert.resolved_at {
        None => warn!(
            rule,
            key,
            value = alert.value,
            threshold = alert.threshold,
            "alert {key} fired: {}",
            alert.text
        ),
        Some(_) => info!(rule, key, "alert {key} is resolved"),
    }
    if let Some(rule) = Rule::named(rule) {
        metrics::alert_changed(rule.name(), what);
    }
}

/// How many alerts of each rule are open.
fn show(open: &[AlertRow]) {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for alert in open {
        *counts.entry(alert.rule.as_str()).or_default() += 1;
    }
    for rule in Rule::ALL {
        metrics::alerts_open(rule.name(), counts.get(rule.name()).copied().unwrap_or(0));
    }
}
