//! A question that no pattern understood, as a model routed it.
//!
//! The model only says which query is meant, of which person and thing. Who and
//! what do not belong to this event and its rows are refused, never guessed.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::query::{BudgetAsk, DebtAsk, PaymentAsk, RecordQuery, TaskAsk};
use crate::agents::people;
use crate::domain::chat::Event;
use crate::domain::ids::PersonId;
use crate::domain::intent::CATEGORIES;
use crate::domain::projection::Projections;

/// Which query a question is, as a model may say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// All that was spent and is due.
    Total,
    /// What was spent in each category.
    ByCategory,
    /// What was spent on the thing, or in the category.
    SpentOn,
    /// Whether the thing is paid.
    IsPaid,
    /// Who paid for the thing.
    WhoPaid,
    /// When the thing was paid.
    WhenPaid,
    /// What the person has paid.
    PaidBy,
    /// What each person has paid.
    PaidByEach,
    /// Who has paid nothing yet.
    NotPaid,
    /// What all of it, or the thing, comes to per head.
    PerHead,
    /// The person's part of everything, or of the thing.
    Share,
    /// What is due and not paid.
    Outstanding,
    /// What is left of the budget, and whether the group is within it.
    Budget,
    /// Who owes whom; of the person, if one is named.
    Debts,
    /// The biggest expense.
    Biggest,
    /// The open tasks; of the person, if one is named.
    OpenTasks,
    /// How the thing's task stands, and who is on it.
    Task,
    /// Who is on the thing's task.
    WhoIsOn,
    /// Whether the thing's task is done.
    IsDone,
    /// Open tasks whose day has passed.
    Overdue,
    /// Open tasks that nobody is on.
    Unassigned,
    /// The tasks that are done.
    DoneTasks,
    /// How many tasks are open and how many done.
    TaskCounts,
    /// Open tasks that are due until the day.
    DueUntil,
    /// Who takes part.
    Participants,
    /// How many take part.
    Headcount,
    /// When the event begins.
    EventStart,
    /// How many days are left until the event.
    DaysLeft,
    /// By when the thing is due.
    Due,
    /// The task that is due next.
    NextDue,
    /// How the poll about the thing stands.
    PollResult,
    /// What the person voted for.
    VotesOf,
    /// Who voted for the thing.
    VotesFor,
    /// Who has not voted.
    NotVoted,
    /// Polls in which somebody has not voted.
    OpenPolls,
    /// Something that the records do not hold.
    NotKept,
}

/// A model's routing of a question, flat; what does not apply is empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Routed {
    /// Which query is meant.
    pub ask: Ask,
    /// The thing, in words that the rows use.
    pub thing: String,
    /// A participant's name, or `me` for who asks.
    pub person: String,
    /// One of the expense categories.
    pub category: String,
    /// The last day, as YYYY-MM-DD.
    pub until: String,
}

/// How a query is made of what was routed.
enum Form {
    Whole(RecordQuery),
    OfPerson(fn(Option<PersonId>, Option<String>) -> RecordQuery),
    OfThing(fn(String) -> RecordQuery),
    MayHaveThing(fn(Option<String>) -> RecordQuery),
    Until,
}

impl Ask {
    fn form(self) -> Form {
        use Form::{MayHaveThing, OfPerson, OfThing, Until, Whole};
        use RecordQuery as Query;
        match self {
            Self::Total => Whole(Query::Total { without: None }),
            Self::ByCategory => Whole(Query::ByCategory),
            Self::SpentOn => OfThing(|thing| Query::SpentOn { thing }),
            Self::IsPaid => OfThing(|thing| Query::Payment { thing, asks: PaymentAsk::Whether }),
            Self::WhoPaid => OfThing(|thing| Query::Payment { thing, asks: PaymentAsk::Who }),
            Self::WhenPaid => OfThing(|thing| Query::Payment { thing, asks: PaymentAsk::When }),
            Self::PaidBy => OfPerson(|person, _| Query::PaidBy { person }),
            Self::PaidByEach => Whole(Query::PaidByEach),
            Self::NotPaid => Whole(Query::NotPaid),
            Self::PerHead => MayHaveThing(|thing| Query::PerHead { thing }),
            Self::Share => OfPerson(|person, thing| Query::Share { person, thing }),
            Self::Outstanding => Whole(Query::Outstanding),
            Self::Budget => Whole(Query::Budget { asks: BudgetAsk::Left }),
            Self::Debts => OfPerson(debts),
            Self::Biggest => Whole(Query::Biggest),
            Self::OpenTasks => OfPerson(open_tasks),
            Self::Task => OfThing(|thing| Query::Task { thing, asks: TaskAsk::Status }),
            Self::WhoIsOn => OfThing(|thing| Query::Task { thing, asks: TaskAsk::Who }),
            Self::IsDone => OfThing(|thing| Query::Task { thing, asks: TaskAsk::Done }),
            Self::Overdue => Whole(Query::Overdue),
            Self::Unassigned => Whole(Query::Unassigned),
            Self::DoneTasks => Whole(Query::DoneTasks),
            Self::TaskCounts => Whole(Query::TaskCounts),
            Self::DueUntil => Until,
            Self::Participants => Whole(Query::Participants),
            Self::Headcount => Whole(Query::Headcount),
            Self::EventStart => Whole(Query::EventStart),
            Self::DaysLeft => Whole(Query::DaysLeft),
            Self::Due => OfThing(|thing| Query::Due { thing }),
            Self::NextDue => Whole(Query::NextDue),
            Self::PollResult => MayHaveThing(|thing| Query::PollResult { thing }),
            Self::VotesOf => OfPerson(|person, thing| Query::VotesOf { person, thing }),
            Self::VotesFor => OfThing(|choice| Query::VotesFor { choice }),
            Self::NotVoted => MayHaveThing(|thing| Query::NotVoted { thing }),
            Self::OpenPolls => Whole(Query::OpenPolls),
            Self::NotKept => Whole(Query::NotKept),
        }
    }
}

fn debts(person: Option<PersonId>, _: Option<String>) -> RecordQuery {
    match person {
        None => RecordQuery::Debts,
        person => RecordQuery::DebtsOf { person, asks: DebtAsk::Both },
    }
}

fn open_tasks(person: Option<PersonId>, _: Option<String>) -> RecordQuery {
    match person {
        None => RecordQuery::OpenTasks,
        person => RecordQuery::TasksOf { person },
    }
}

impl Routed {
    /// The query; `None` where a person or a thing does not belong to this event and its rows,
    /// a category or a day does not exist, or something that the query needs is missing.
    pub fn query(
        &self,
        event: &Event,
        sender: &PersonId,
        rows: &Projections,
    ) -> Option<RecordQuery> {
        let person = match self.person.trim() {
            "" => None,
            name => Some(people::person(event, sender, name)?),
        };
        let thing = self.checked_thing()?;
        let query = match self.ask.form() {
            Form::Whole(query) => query,
            Form::OfPerson(query) => query(person, thing),
            Form::OfThing(query) => query(thing?),
            Form::MayHaveThing(query) => query(thing),
            Form::Until => RecordQuery::DueUntil { until: self.until.trim().parse::<Date>().ok()? },
        };
        query.is_known_to(rows).then_some(query)
    }

    /// The thing, or the category where no thing is said; `Some(None)` where neither is.
    fn checked_thing(&self) -> Option<Option<String>> {
        let (thing, category) = (self.thing.trim(), self.category.trim().to_lowercase());
        if !category.is_empty() && !CATEGORIES.contains(&category.as_str()) {
            return None;
        }
        let said = if thing.is_empty() { category } else { thing.to_owned() };
        Some(Some(said).filter(|said| !said.is_empty()))
    }
}

#[cfg(test)]
#[path = "../tests/records_routed.rs"]
mod tests;
