//! The suggester: what comes next for this kind of event at this distance from its day.
//!
//! A model names things to do and why; what the group has already, and what it
//! dismissed, is left out by code, and dates are worked back by code.

use std::sync::LazyLock;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use super::question::{PrivateQuestion, Question};
use super::reading::{BadAnswer, one_line};
use super::shape::Shape;
use crate::context::Level;
use crate::domain::chat::Event;
use crate::domain::enrichment::{NextBase, NextStep};
use crate::domain::intent::ACTIONS;
use crate::model::Brief;

/// What its questions may see.
pub(super) const LEVEL: Level = Level::Rich;

/// What it says to a model, and what the answer must look like.
pub(super) static SHAPE: LazyLock<Shape> = LazyLock::new(|| {
    let prompt = include_str!("prompts/suggester.md");
    Shape::new::<NextBase>(prompt, &[("/properties/steps/items/properties/action", &ACTIONS)])
});

/// The most steps that are taken from an answer.
const MOST_STEPS: usize = 12;
/// The longest thing, in characters.
const LONGEST_OBJECT: usize = 60;
/// The furthest from the event that a step may lie, in days.
const FURTHEST: i32 = 2_000;

/// The answer, held against its ranges.
pub(super) fn checked(base: NextBase) -> Result<NextBase, BadAnswer> {
    if base.steps.len() > MOST_STEPS {
        return Err(BadAnswer::new(format!("steps must have at most {MOST_STEPS} entries")));
    }
    let steps = base.steps.into_iter().map(checked_step).collect::<Result<_, _>>()?;
    Ok(NextBase { steps })
}

fn checked_step(step: NextStep) -> Result<NextStep, BadAnswer> {
    let object = one_line("object", &step.object)?.to_lowercase();
    if object.chars().count() > LONGEST_OBJECT {
        return Err(BadAnswer::new(format!("object is over {LONGEST_OBJECT} characters")));
    }
    if step.days_before.abs() > FURTHEST {
        return Err(BadAnswer::new(format!("days_before is beyond {FURTHEST}")));
    }
    let reason = one_line("reason", &step.reason)?;
    Ok(NextStep { object, reason, ..step })
}
