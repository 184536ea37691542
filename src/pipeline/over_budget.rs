//! A spent budget: what is asked for less, and what is not asked at all.

use super::Pipeline;
use super::answer::Found;
use super::ask::{Asked, Rung, Unanswered};
use crate::context::Level;
use crate::domain::usage::NanoUsd;
use crate::fault::Fault;
use crate::limits::Limits;
use crate::settings::OverBudget;

/// A budget that has no room for a request.
#[derive(Debug)]
pub(super) struct Spent {
    /// Its name.
    pub(super) budget: String,
    /// What is done about it.
    pub(super) over: OverBudget,
    /// What a request may cost at most.
    pub(super) room: NanoUsd,
}

impl Pipeline {
    /// What a spent budget leaves: with `degrade` the first answer that it has room for, down from
    /// the next lower context level of the agent's own model to the offline model, which is free.
    pub(super) async fn ask_for_less(
        &self,
        asked: &Asked<'_>,
        spent: Spent,
    ) -> Result<Found, Fault> {
        if spent.over != OverBudget::Degrade {
            return Err(Limits::refuse(&spent.budget));
        }
        let mut room = spent.room;
        for rung in cheaper(asked) {
            match self.ask_model(asked, Rung { room: Some(room), ..rung }).await {
                // It never sits under the key of the whole question.
                Ok(found) => return Ok(found.unshared()),
                // It answers, but not yet: its turn is worth the wait.
                Err(Unanswered::Fault(wait @ Fault::Deferred { .. })) => return Err(wait),
                Err(Unanswered::OverBudget(other)) => room = room.min(other.room),
                // Its failure is not the message's.
                Err(Unanswered::Fault(_) | Unanswered::Unavailable(_)) => {}
            }
        }
        let free = asked.whole(self.models.offline());
        match self.ask_model(asked, free).await {
            Ok(found) => Ok(found.unshared()),
            Err(Unanswered::Fault(fault) | Unanswered::Unavailable(fault)) => Err(fault),
            Err(Unanswered::OverBudget(spent)) => Err(Limits::refuse(&spent.budget)),
        }
    }
}

/// All who may be asked for less, in order: the agent's own model at each lower level, then each
/// cheaper model from the question's own level down.
pub(super) fn cheaper<'a>(asked: &Asked<'a>) -> Vec<Rung<'a>> {
    let own = asked.question.level();
    let lower = || {
        let below = move |level: &Level| own.is_some_and(|own| *level < own);
        Level::ALL.into_iter().rev().filter(below).map(Some)
    };
    let primary = &asked.assigned.primary;
    let rung = |choice, level| Rung { choice, level, room: None };
    let mut rungs: Vec<Rung<'a>> = lower().map(|level| rung(primary, level)).collect();
    for choice in asked.assigned.cheaper.iter().filter(|choice| !choice.is(primary)) {
        rungs.extend(std::iter::once(own).chain(lower()).map(|level| rung(choice, level)));
    }
    rungs
}
