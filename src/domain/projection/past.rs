//! What was done to which row, by whom and when: how follow-ups that name nothing find their row.

use std::collections::HashMap;

use jiff::Timestamp;
use uuid::Uuid;

use super::{Effect, Entry};
use crate::domain::enrichment::Enrichment;
use crate::domain::ids::PersonId;

/// For how many hours what was said last may be meant by an answer that names nothing.
pub(super) const FRESH: f64 = 48.0;

/// Something that was done to a row.
#[derive(Debug, Clone)]
pub(super) struct Touch {
    pub(super) row: Uuid,
    pub(super) by: PersonId,
    pub(super) at: Timestamp,
    pub(super) effect: Effect,
}

/// All that was done before an entry, in order.
#[derive(Debug, Default)]
pub(super) struct Past {
    touches: Vec<Touch>,
    /// By row: the places of its first and its last touch.
    rows: HashMap<Uuid, (usize, usize)>,
    /// By task: the expense category that it falls under.
    categories: HashMap<Uuid, String>,
}

impl Past {
    /// Takes in what an entry did.
    pub(super) fn push(&mut self, entry: &Entry, row: Uuid, effect: Effect) {
        let at = self.touches.len();
        if let Some(Enrichment::Task(task)) = &entry.contribution.enrichment {
            self.categories.insert(row, task.base.category.clone());
        }
        self.rows.entry(row).or_insert((at, at)).1 = at;
        let (by, at) = (entry.sender.clone(), entry.sent_at);
        self.touches.push(Touch { row, by, at, effect });
    }

    /// The expense category that a task falls under, where it falls under one.
    pub(super) fn category(&self, task: Uuid) -> Option<&str> {
        self.categories.get(&task).map(String::as_str).filter(|name| *name != "other")
    }

    /// Who opened a row.
    pub(super) fn opener(&self, row: Uuid) -> Option<&PersonId> {
        let (first, _) = self.rows.get(&row)?;
        self.touches.get(*first).map(|touch| &touch.by)
    }

    /// The place of a row's last touch: the greater, the later.
    pub(super) fn place(&self, row: Uuid) -> usize {
        self.rows.get(&row).map_or(0, |(_, last)| *last)
    }

    /// Hours from a row's last touch to this moment.
    pub(super) fn hours_since(&self, row: Uuid, now: Timestamp) -> f64 {
        let last = self.rows.get(&row).and_then(|(_, last)| self.touches.get(*last));
        last.map_or(f64::INFINITY, |touch| hours(touch.at, now))
    }

    /// What was done, the latest first.
    pub(super) fn latest(&self) -> impl Iterator<Item = &Touch> {
        self.touches.iter().rev()
    }
}

/// Hours from one moment to another.
pub(super) fn hours(from: Timestamp, to: Timestamp) -> f64 {
    (to.as_second() - from.as_second()) as f64 / 3600.0
}
