//! What truly came of a chat, as people wrote it down: a truth file becomes rows like the fold's.
//!
//! A mistake in it is named by its place (`expenses[3].sources[0]`): figures that do not add up
//! would blame the pipeline for what the file got wrong.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::domain::chat::{Event, Message};
use crate::domain::enrichment::ExpenseStatus;
use crate::domain::ids::{MessageId, PersonId, derived_uuid};
use crate::domain::intent::FollowUpKind;
use crate::domain::money::{Currency, split_equally};
use crate::domain::projection::{
    Effect, ExpenseRow, PollOption, PollRow, Projections, RepaymentRow, SourceRow, TaskRow,
    TaskStatus,
};

/// A message that is labelled as a repayment of an expense.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repaid {
    /// The message that says so.
    pub message: MessageId,
    /// The message that opened the expense.
    pub target: Option<MessageId>,
}

impl Repaid {
    /// The labelled repayments of a chat file's content; `None` when no line has the label
    /// `follow_up`, not even to say that there is none.
    pub fn labelled(chat: &[u8]) -> Option<Vec<Self>> {
        let rows = chat.split(|byte| *byte == b'\n').map(serde_json::from_slice::<Value>);
        let labelled: Vec<Value> =
            rows.flatten().filter(|row| row.get("follow_up").is_some()).collect();
        let id = |value: &Value| value.as_str().and_then(|it| MessageId::parse(it).ok());
        let repaid = |row: &Value| {
            let label = &row["follow_up"];
            let kind = label.as_str().or(label["kind"].as_str());
            let is_repayment = kind == Some(FollowUpKind::Repayment.name());
            let message = id(&row["id"]).filter(|_| is_repayment)?;
            Some(Self { message, target: id(&label["target"]) })
        };
        (!labelled.is_empty()).then(|| labelled.iter().filter_map(repaid).collect())
    }
}

/// The chat that a truth is about.
#[derive(Debug, Clone, Copy)]
pub struct Chat<'a> {
    /// Its event, with all who take part.
    pub event: &'a Event,
    /// Its messages, in the file's order.
    pub messages: &'a [Message],
    /// Its messages that are labelled as repayments; `None` where nobody labelled follow-ups.
    pub repaid: Option<&'a [Repaid]>,
}

/// What truly came of a chat.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// Its rows; the sources of a row are the messages that say it.
    pub rows: Projections,
    /// What each poll came to, in their order.
    pub results: Vec<Option<String>>,
    /// Whether it says who repaid whom; where nobody looked, repayments are not judged.
    pub tells_repayments: bool,
}

/// A truth file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {why}")]
pub struct BadTruth {
    /// Where in the file: `expenses[3].amount`.
    pub place: String,
    /// What is wrong there.
    pub why: String,
}

fn bad(place: impl Into<String>, why: impl Into<String>) -> BadTruth {
    BadTruth { place: place.into(), why: why.into() }
}

#[derive(Deserialize)]
struct Task {
    title: String,
    object: String,
    assignee: Option<String>,
    status: Option<TaskStatus>,
    done: Option<bool>,
    sources: Vec<String>,
}

#[derive(Deserialize)]
struct Expense {
    what: String,
    amount: f64,
    currency: Option<String>,
    category: String,
    paid_by: Option<String>,
    split_between: Option<Vec<String>>,
    paid: bool,
    sources: Vec<String>,
}

#[derive(Deserialize)]
struct Poll {
    question: String,
    options: Vec<String>,
    result: Option<String>,
    sources: Vec<String>,
}

#[derive(Deserialize)]
struct Repayment {
    from: String,
    to: String,
    amount: f64,
    currency: Option<String>,
    sources: Vec<String>,
}

impl Truth {
    /// Reads a truth file's content, and holds its totals against its own rows.
    ///
    /// Repayments are those that it lists; where it lists none, the messages labelled as such,
    /// each of its sender's share of the expense that it repays.
    ///
    /// # Errors
    /// The first thing that is wrong with it, with its place.
    pub fn read(json: &[u8], chat: &Chat<'_>) -> Result<Self, BadTruth> {
        let value: Value = serde_json::from_slice(json)
            .map_err(|e| bad(format!("line {}, column {}", e.line(), e.column()), "not JSON"))?;
        let Value::Object(file) = value else { return Err(bad("line 1", "is no JSON object")) };
        let event_currency = chat.event.currency;
        if currency("currency", file.get("currency").and_then(Value::as_str), event_currency)?
            != event_currency
        {
            return Err(bad("currency", format!("the chat's own is {event_currency}")));
        }
        let mut reader = Reader::new(chat);
        for (place, task) in list::<Task>(&file, "tasks", true)? {
            reader.task(&place, task)?;
        }
        for (place, expense) in list::<Expense>(&file, "expenses", true)? {
            reader.expense(&place, expense)?;
        }
        for (place, poll) in list::<Poll>(&file, "polls", true)? {
            reader.poll(&place, poll)?;
        }
        if file.contains_key("repayments") {
            for (place, repayment) in list::<Repayment>(&file, "repayments", false)? {
                reader.repayment(&place, repayment)?;
            }
            reader.truth.tells_repayments = true;
        } else if let Some(repaid) = chat.repaid {
            reader.labelled_repayments(repaid)?;
            reader.truth.tells_repayments = true;
        }
        check_totals(&file, chat.event, &reader.truth.rows)?;
        Ok(reader.truth)
    }
}

/// The items of a list, each with its place.
fn list<T: DeserializeOwned>(
    file: &Map<String, Value>,
    key: &str,
    wanted: bool,
) -> Result<Vec<(String, T)>, BadTruth> {
    let items = match file.get(key) {
        None if wanted => return Err(bad(key, "is missing")),
        None => return Ok(Vec::new()),
        Some(value) => value.as_array().ok_or_else(|| bad(key, "is no list"))?,
    };
    let read = |(at, item): (usize, &Value)| {
        let place = format!("{key}[{at}]");
        match T::deserialize(item) {
            Ok(read) => Ok((place, read)),
            Err(error) => Err(bad(place, error.to_string())),
        }
    };
    items.iter().enumerate().map(read).collect()
}

fn currency(place: &str, said: Option<&str>, default: Currency) -> Result<Currency, BadTruth> {
    let Some(code) = said else { return Ok(default) };
    Currency::parse(code).ok_or_else(|| bad(place, format!("{code:?} is no ISO 4217 code")))
}

struct Reader<'a> {
    chat: &'a Chat<'a>,
    messages: HashMap<&'a str, &'a Message>,
    truth: Truth,
}

impl<'a> Reader<'a> {
    fn new(chat: &'a Chat<'a>) -> Self {
        Self {
            chat,
            messages: chat.messages.iter().map(|it| (it.id.as_str(), it)).collect(),
            truth: Truth {
                rows: Projections::default(),
                results: Vec::new(),
                tells_repayments: false,
            },
        }
    }

    /// Notes the messages that a row rests on; its ID, and the first of them.
    fn sources(
        &mut self,
        place: &str,
        ids: &[String],
        effect: Effect,
    ) -> Result<(Uuid, &'a Message), BadTruth> {
        let projection = derived_uuid(&["truth", self.chat.event.id.as_str(), place]);
        let mut first = None;
        for (at, id) in ids.iter().enumerate() {
            let message = *self.messages.get(id.as_str()).ok_or_else(|| {
                bad(format!("{place}.sources[{at}]"), format!("the chat has no message {id:?}"))
            })?;
            let effect = if first.is_none() { effect } else { Effect::Confirmed };
            first = first.or(Some(message));
            self.truth.rows.sources.push(SourceRow {
                message: message.id.clone(),
                projection,
                effect,
            });
        }
        let first = first.ok_or_else(|| bad(format!("{place}.sources"), "names no message"))?;
        Ok((projection, first))
    }

    /// Somebody who is not listed stands under the name as written.
    fn person(&self, name: &str) -> PersonId {
        let known = self.chat.event.person_named(name);
        known.map_or_else(|| PersonId(name.to_owned()), |person| person.id.clone())
    }

    fn task(&mut self, place: &str, task: Task) -> Result<(), BadTruth> {
        let (id, first) = self.sources(place, &task.sources, Effect::Opened)?;
        let done = if task.done == Some(true) { TaskStatus::Done } else { TaskStatus::Open };
        let status = task.status.unwrap_or(done);
        if task.done.is_some_and(|done| done != (status == TaskStatus::Done)) {
            return Err(bad(format!("{place}.done"), "says otherwise than its status"));
        }
        self.truth.rows.tasks.push(TaskRow {
            id,
            title: task.title,
            object: task.object,
            action: String::new(),
            assignee: task.assignee,
            due_said: None,
            due: None,
            status,
            opened_at: first.sent_at,
        });
        Ok(())
    }

    fn expense(&mut self, place: &str, expense: Expense) -> Result<(), BadTruth> {
        let (id, first) = self.sources(place, &expense.sources, Effect::Opened)?;
        let at = format!("{place}.currency");
        let currency = currency(&at, expense.currency.as_deref(), self.chat.event.currency)?;
        let split_between = expense.split_between.as_deref().and_then(|names| self.sharers(names));
        let people = split_between.clone().unwrap_or_else(|| self.chat.event.people());
        let minor = currency.minor(expense.amount);
        self.truth.rows.expenses.push(ExpenseRow {
            id,
            what: expense.what,
            minor,
            currency,
            category: expense.category,
            paid_by: expense.paid_by.as_deref().map(|name| self.person(name)),
            shares: split_equally(minor, &people),
            split_between,
            status: if expense.paid { ExpenseStatus::Paid } else { ExpenseStatus::Due },
            opened_at: first.sent_at,
        });
        Ok(())
    }

    /// Who shares it, in participant order; `None` when everybody does.
    fn sharers(&self, names: &[String]) -> Option<Vec<PersonId>> {
        if names.is_empty() || names.iter().any(|name| name.eq_ignore_ascii_case("everyone")) {
            return None;
        }
        let mut people: Vec<PersonId> = Vec::new();
        for name in names {
            let person = self.person(name);
            if !people.contains(&person) {
                people.push(person);
            }
        }
        let listed = self.chat.event.people();
        people.sort_by_key(|it| listed.iter().position(|known| known == it).unwrap_or(usize::MAX));
        Some(people)
    }

    fn poll(&mut self, place: &str, poll: Poll) -> Result<(), BadTruth> {
        let (id, first) = self.sources(place, &poll.sources, Effect::Opened)?;
        let option = |text: String| PollOption { text, key: String::new(), votes: Vec::new() };
        self.truth.rows.polls.push(PollRow {
            id,
            question: poll.question,
            options: poll.options.into_iter().map(option).collect(),
            opened_at: first.sent_at,
        });
        self.truth.results.push(poll.result);
        Ok(())
    }

    fn repayment(&mut self, place: &str, repayment: Repayment) -> Result<(), BadTruth> {
        let (id, first) = self.sources(place, &repayment.sources, Effect::Repaid)?;
        let at = format!("{place}.currency");
        let currency = currency(&at, repayment.currency.as_deref(), self.chat.event.currency)?;
        self.truth.rows.repayments.push(RepaymentRow {
            id,
            from: self.person(&repayment.from),
            to: self.person(&repayment.to),
            minor: currency.minor(repayment.amount),
            currency,
            opened_at: first.sent_at,
        });
        Ok(())
    }

    fn labelled_repayments(&mut self, all: &[Repaid]) -> Result<(), BadTruth> {
        for repaid in all {
            let place = format!("repayments ({})", repaid.message.as_str());
            let opener = repaid.target.as_ref();
            let sources = self.truth.rows.sources.iter();
            let row = sources
                .filter(|it| Some(&it.message) == opener)
                .find_map(|it| self.truth.rows.expenses.iter().find(|row| row.id == it.projection));
            let sender = self.messages.get(repaid.message.as_str()).map(|it| it.sender.clone());
            let said = row.zip(sender).and_then(|(row, from)| {
                let share = row.shares.iter().find(|share| share.person == from)?;
                Some((from, row.paid_by.clone()?, share.minor, row.currency))
            });
            let Some((from, to, minor, currency)) = said else {
                return Err(bad(place, "repays no expense that its sender shares; list it here"));
            };
            let (id, first) =
                self.sources(&place, &[repaid.message.to_string()], Effect::Repaid)?;
            let opened_at = first.sent_at;
            self.truth.rows.repayments.push(RepaymentRow {
                id,
                from,
                to,
                minor,
                currency,
                opened_at,
            });
        }
        Ok(())
    }
}

/// An amount that the file states, in minor units.
fn amount(event: &Event, key: &str, value: Option<&Value>) -> Result<Option<i64>, BadTruth> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            let major = value.as_f64().ok_or_else(|| bad(key, "is no number"))?;
            Ok(Some(event.currency.minor(major)))
        }
    }
}

/// Refuses a stated sum that is not the rows'.
fn agree(event: &Event, key: &str, said: Option<i64>, sum: i64) -> Result<(), BadTruth> {
    let Some(said) = said.filter(|said| *said != sum) else { return Ok(()) };
    let [said, sum] = [said, sum].map(|minor| event.currency.format(minor));
    Err(bad(key, format!("says {said}, but its expenses sum to {sum}")))
}

/// Holds the totals that the file states against its own rows.
fn check_totals(
    file: &Map<String, Value>,
    event: &Event,
    rows: &Projections,
) -> Result<(), BadTruth> {
    let own = |status| {
        let all = rows.expenses.iter();
        all.filter(move |row| row.currency == event.currency && row.status == status)
    };
    for (key, status) in
        [("total_spent", ExpenseStatus::Paid), ("total_outstanding", ExpenseStatus::Due)]
    {
        let sum = own(status).map(|row| row.minor).sum();
        agree(event, key, amount(event, key, file.get(key))?, sum)?;
    }
    let Some(per_person) = file.get("per_person_paid") else { return Ok(()) };
    let per_person =
        per_person.as_object().ok_or_else(|| bad("per_person_paid", "is no object"))?;
    let payers = own(ExpenseStatus::Paid).filter_map(|row| row.paid_by.as_ref());
    let names = payers.map(|it| event.name_of(it).to_owned()).chain(per_person.keys().cloned());
    for name in names {
        let key = format!("per_person_paid.{name}");
        let by =
            |row: &&ExpenseRow| row.paid_by.as_ref().is_some_and(|it| event.name_of(it) == name);
        let sum = own(ExpenseStatus::Paid).filter(by).map(|row| row.minor).sum();
        let said = amount(event, &key, per_person.get(&name))?.unwrap_or(0);
        agree(event, &key, Some(said), sum)?;
    }
    Ok(())
}
