//! What came of a whole chat, held against what truly came of it.
//!
//! A pure comparison of two sets of rows: the truth's, as people wrote it down, and the fold's, as
//! the pipeline left it. Nothing is forgiven in money; each difference is named by its row.

mod truth;
mod pairs;
mod money;
mod rows;
mod answers;

use serde::Serialize;

pub use answers::{Answers, Expected, WrongAnswer, read_answers};
pub use money::{Cause, CurrencyFigures, Differs, Money, Sum};
pub use truth::{BadTruth, Chat, Repaid, Truth};

use self::money::Sides;
use self::pairs::{Both, Sources, pair};
use super::Rate;
use crate::domain::projection::Projections;
use crate::store::EventReport;

/// The least share of true expenses that must be found with their sum.
pub const EXPENSES_FOUND: f64 = 0.85;
/// The least share of true tasks that must be found.
pub const TASKS_FOUND: f64 = 0.80;
/// The largest share of found tasks that may not be in the truth.
pub const TASKS_INVENTED: f64 = 0.15;
/// The least share of questions that must be answered rightly.
pub const QUESTIONS_RIGHT: f64 = 0.80;

/// Rows of one kind on both sides.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Rows {
    /// How many of the true rows were found.
    pub found: Rate,
    /// True rows that were not found, each with its first message.
    pub missed: Vec<String>,
    /// Found rows that are not in the truth, each with its first message.
    pub invented: Vec<String>,
    /// How many rows were found in all, but for expenses that were called off.
    pub all_found: usize,
    /// How often the rows that were found agree, by what is compared.
    pub agree: Vec<Agreement>,
    /// Where they do not, a sentence each.
    pub differences: Vec<String>,
}

/// How often one thing agrees in the rows that were found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Agreement {
    /// What is compared.
    pub what: &'static str,
    /// How often it agrees.
    pub rate: Rate,
}

/// A chat's outcome beside its truth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Its tasks.
    pub tasks: Rows,
    /// Its expenses; one with another sum is not found, and not invented either.
    pub expenses: Rows,
    /// Its polls.
    pub polls: Rows,
    /// Totals, who paid how much, who owes whom.
    pub money: Money,
    /// How many repayments were found of which the truth says nothing; they are left out of `money`.
    pub repayments_not_judged: usize,
    /// Its questions, where somebody wrote down what their answers must say.
    pub answers: Option<Answers>,
}

impl Comparison {
    /// Holds a report against the truth, and its answers against what is expected of them.
    pub fn of(truth: &Truth, expected: Option<&[Expected]>, report: &EventReport) -> Self {
        let both = Both { truth: Sources::of(&truth.rows), found: Sources::of(&report.rows) };
        let silent = Projections { repayments: Vec::new(), ..report.rows.clone() };
        let found = if truth.tells_repayments { &report.rows } else { &silent };
        let expenses =
            pair(&truth.rows.expenses, &found.expenses, |t, f| pairs::expenses(&both, t, f));
        let repayments =
            pair(&truth.rows.repayments, &found.repayments, |t, f| both.shared(t.id, f.id));
        let sides = Sides {
            event: &report.event,
            truth: &truth.rows,
            found,
            both: &both,
            expenses: &expenses,
            repayments: &repayments,
        };
        Self {
            tasks: rows::tasks(&both, &truth.rows, found),
            expenses: rows::expenses(&report.event, &both, &truth.rows, found, &expenses),
            polls: rows::polls(&both, truth, found),
            money: sides.compare(),
            repayments_not_judged: report.rows.repayments.len() - found.repayments.len(),
            answers: expected.map(|expected| answers::judge(expected, &report.answers)),
        }
    }

    /// The floors that are missed, a sentence each; none when the outcome is good enough.
    pub fn missed_floors(&self) -> Vec<String> {
        let (tasks, expenses) = (&self.tasks, &self.expenses);
        let (made_up, surplus, all) =
            (expenses.invented.len(), tasks.invented.len(), tasks.all_found);
        let few = surplus as f64 <= all as f64 * TASKS_INVENTED;
        let most = TASKS_INVENTED * 100.0;
        let floors = [
            least("expenses found", expenses.found, EXPENSES_FOUND),
            (made_up == 0, format!("expenses invented: {made_up}, none allowed")),
            least("tasks found", tasks.found, TASKS_FOUND),
            (few, format!("tasks not in the truth: {surplus} of {all}, at most {most:.0} %")),
            (self.money.exact(), "totals and transfers: not exact".to_owned()),
        ];
        floors.into_iter().filter(|(holds, _)| !holds).map(|(_, sentence)| sentence).collect()
    }
}

/// The floor of questions, judged over all chats because one has only a few; `None` when it holds.
pub fn missed_by_questions<'a>(all: impl Iterator<Item = &'a Comparison>) -> Option<String> {
    let (right, all) = all
        .filter_map(|comparison| comparison.answers.as_ref())
        .fold((0, 0), |(right, all), answers| (right + answers.right, all + answers.all));
    let (holds, sentence) = least("questions answered", Rate::of(right, all), QUESTIONS_RIGHT);
    (!holds).then_some(sentence)
}

/// Whether a rate reaches its floor, and the sentence that says that it does not.
fn least(what: &str, rate: Rate, floor: f64) -> (bool, String) {
    let (right, all, least) = (rate.right, rate.all, floor * 100.0);
    (all == 0 || rate.share >= floor, format!("{what}: {right} of {all}, at least {least:.0} %"))
}

#[cfg(test)]
mod tests;
