//! The closed list of what the records can answer.
//!
//! A question becomes one of these, by patterns or by a model's routing, and
//! only then meets the rows. Things stand in the group's own words, people as
//! participants. Where a person may be absent, whoever asks is meant.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::matter::Matter;
use crate::domain::ids::PersonId;
use crate::domain::projection::Projections;

/// What is asked of the records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub enum RecordQuery {
    /// All that was spent and is due.
    Total {
        /// A thing that is to be left out.
        without: Option<String>,
    },
    /// What was spent in each category.
    ByCategory,
    /// What was spent on a thing or in a category.
    SpentOn {
        /// The thing or the category.
        thing: String,
    },
    /// Whether, when or by whom a thing was paid.
    Payment {
        /// The thing.
        thing: String,
        /// What of it is asked.
        asks: PaymentAsk,
    },
    /// What one person has paid.
    PaidBy {
        /// Who; `None` is who asks.
        person: Option<PersonId>,
    },
    /// What each person has paid, the most first.
    PaidByEach,
    /// Who has paid nothing yet.
    NotPaid,
    /// What all of it, or a thing, comes to per head.
    PerHead {
        /// The thing; `None` is everything.
        thing: Option<String>,
    },
    /// One person's part of everything, or of a thing.
    Share {
        /// Whose; `None` is who asks.
        person: Option<PersonId>,
        /// The thing; `None` is everything.
        thing: Option<String>,
    },
    /// What is due and not paid.
    Outstanding,
    /// What is left of the budget.
    Budget {
        /// Which way it is asked.
        asks: BudgetAsk,
    },
    /// Who owes whom, of everybody.
    Debts,
    /// What one person owes and is owed.
    DebtsOf {
        /// Who; `None` is who asks.
        person: Option<PersonId>,
        /// Which way it is asked.
        asks: DebtAsk,
    },
    /// The biggest expense.
    Biggest,
    /// What is open at all: tasks to do, and money that is due.
    LeftOver,
    /// The tasks that are open.
    OpenTasks,
    /// The open tasks of one person.
    TasksOf {
        /// Who; `None` is who asks.
        person: Option<PersonId>,
    },
    /// How a thing's task stands.
    Task {
        /// The thing.
        thing: String,
        /// What of it is asked.
        asks: TaskAsk,
    },
    /// Whether a thing's task is on this person.
    IsOn {
        /// The thing.
        thing: String,
        /// Who; `None` is who asks.
        person: Option<PersonId>,
    },
    /// Open tasks whose day has passed.
    Overdue,
    /// Open tasks that nobody is on.
    Unassigned,
    /// The tasks that are done.
    DoneTasks,
    /// How many tasks are open and how many done.
    TaskCounts,
    /// Open tasks that are due until a day.
    DueUntil {
        /// The last such day.
        until: Date,
    },
    /// Who takes part.
    Participants,
    /// How many take part.
    Headcount,
    /// When the event begins.
    EventStart,
    /// How many days are left until the event.
    DaysLeft,
    /// By when a thing is due.
    Due {
        /// The thing.
        thing: String,
    },
    /// The open task that is due next.
    NextDue,
    /// How a poll stands.
    PollResult {
        /// What it is about; `None` is the latest.
        thing: Option<String>,
    },
    /// Whether a choice leads its poll: yes or no comes first.
    Won {
        /// The choice.
        choice: String,
    },
    /// What one person voted for.
    VotesOf {
        /// Who; `None` is who asks.
        person: Option<PersonId>,
        /// What the poll is about; `None` is the latest.
        thing: Option<String>,
    },
    /// Who voted for a choice.
    VotesFor {
        /// The choice.
        choice: String,
    },
    /// Who has not voted.
    NotVoted {
        /// What the poll is about; `None` is the latest.
        thing: Option<String>,
    },
    /// Polls in which somebody has not voted.
    OpenPolls,
    /// What no row ever holds: hours of a programme, guests, addresses, codes. It is understood, and not known.
    NotKept,
}

impl RecordQuery {
    /// Whether the rows have the thing that it names; a query that names none may always be run.
    pub fn is_known_to(&self, rows: &Projections) -> bool {
        if let Self::PollResult { thing: Some(thing) }
        | Self::VotesOf { thing: Some(thing), .. }
        | Self::NotVoted { thing: Some(thing) }
        | Self::VotesFor { choice: thing }
        | Self::Won { choice: thing } = self
        {
            return !Matter::of(thing).polls(rows).is_empty();
        }
        if let Self::SpentOn { thing }
        | Self::Payment { thing, .. }
        | Self::PerHead { thing: Some(thing) }
        | Self::Share { thing: Some(thing), .. }
        | Self::Task { thing, .. }
        | Self::IsOn { thing, .. }
        | Self::Due { thing } = self
        {
            let matter = Matter::of(thing);
            return !matter.expenses(rows).is_empty() || !matter.tasks(rows).is_empty();
        }
        true
    }
}

/// What of a payment is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaymentAsk {
    /// Whether all of it is paid: yes or no comes first.
    Whether,
    /// Who paid.
    Who,
    /// When it was booked as paid.
    When,
}

/// Which way the budget is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BudgetAsk {
    /// How much is left.
    Left,
    /// Whether the group is within it: yes or no comes first.
    Within,
    /// Whether the group is over it: yes or no comes first.
    Over,
}

/// Which way a person's debts are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DebtAsk {
    /// Both ways.
    Both,
    /// Whether they owe somebody: yes or no comes first.
    Owes,
    /// Whether somebody owes them: yes or no comes first.
    IsOwed,
    /// Whether they are even with all: yes or no comes first.
    IsEven,
}

/// What of a task is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskAsk {
    /// How it stands.
    Status,
    /// Whether it is done: yes or no comes first.
    Done,
    /// Who is on it.
    Who,
    /// Whether anybody is on it: yes or no comes first.
    Taken,
}
