//! From a question to a [`RecordQuery`], by patterns.
//!
//! Each file knows one part of the records. The first that understands the
//! question wins; what none understands is `None`, and never a guess.

mod facts;
mod polls;
mod schedule;
mod money;
mod tasks;

use jiff::civil::Date;

use super::line::Line;
use super::matter::{Matter, is_filler, is_part, words};
use super::query::RecordQuery;
use crate::agents::dates::{self, Said};
use crate::agents::people;
use crate::detect::named;
use crate::domain::chat::{Event, Message};
use crate::domain::ids::PersonId;
use crate::domain::intent::QueryEntities;
use crate::domain::projection::Projections;

/// A question, taken apart.
pub(super) struct Asked<'a> {
    event: &'a Event,
    rows: &'a Projections,
    line: Line,
    text: &'a str,
    said: Said,
    /// What detection holds it to be about: `spending`, `tasks`…
    topic: &'a str,
    /// The thing that it is about: one that the rows have, else the one that was named.
    thing: Option<String>,
    /// Whether the rows have that thing.
    is_known: bool,
    /// The participant who is named.
    person: Option<PersonId>,
    /// Whether it speaks of who asks.
    own: bool,
}

/// What a question asks of the records; `None` when no pattern understands it.
pub fn read(
    event: &Event,
    message: &Message,
    query: &QueryEntities,
    rows: &Projections,
) -> Option<RecordQuery> {
    let asked = Asked::of(event, message, query, rows);
    let readers = [
        Asked::polls,
        Asked::facts,
        Asked::schedule,
        Asked::left_over,
        Asked::money,
        Asked::tasks,
        Asked::people,
        Asked::by_topic,
    ];
    readers.into_iter().find_map(|reader| reader(&asked))
}

impl<'a> Asked<'a> {
    fn of(
        event: &'a Event,
        message: &'a Message,
        query: &'a QueryEntities,
        rows: &'a Projections,
    ) -> Self {
        let line = Line::of(&message.text);
        let own = speaks_of_asker(&line);
        let person = person(event, message).filter(|who| !is_addressed(event, who, &line));
        let mut asked = Self {
            event,
            rows,
            line,
            text: &message.text,
            said: Said::by(event, message),
            topic: &query.topic,
            thing: None,
            is_known: false,
            person,
            own,
        };
        asked.find_thing(query.subject.as_deref());
        asked
    }

    /// The thing: the subject where the rows have it, else the words of the question that they
    /// have, else the subject that they do not have.
    fn find_thing(&mut self, subject: Option<&str>) {
        let subject = subject.map(|said| self.without_names(said)).filter(|it| !it.is_empty());
        let told = named(self.text);
        let spoken = self.without_names(&told.words.join(" "));
        let known = |phrase: &String| !phrase.is_empty() && has(self.rows, phrase);
        if let Some(thing) = subject.iter().chain([&spoken]).find(|it| known(it)) {
            self.thing = Some(self.with_parts(thing));
            self.is_known = true;
            return;
        }
        if let Some(thing) = told.things.into_iter().filter(|it| !is_part(it)).find(known) {
            self.thing = Some(thing);
            self.is_known = true;
            return;
        }
        self.thing = subject;
    }

    /// "barn" of "the barn balance" is about the balance.
    fn with_parts(&self, thing: &str) -> String {
        const PARTS: [&str; 4] = ["deposit", "balance", "advance", "remainder"];
        let parts = PARTS.into_iter().filter(|part| self.line.says(part) && !thing.contains(part));
        parts.fold(thing.to_owned(), |thing, part| format!("{thing} {part}"))
    }

    /// The telling words of a phrase, without fillers and participants' names.
    fn without_names(&self, phrase: &str) -> String {
        let is_name = |word: &str| {
            self.event.participants.iter().any(|person| {
                let name = person.name.to_lowercase();
                name.split_whitespace().any(|part| {
                    part == word || singular_of(part) == word || word == format!("{part}s")
                })
            })
        };
        let kept: Vec<String> = words(phrase)
            .into_iter()
            .filter(|word| !is_filler(word) && !is_name(word) && !is_whole(word))
            .collect();
        kept.join(" ")
    }

    fn is_on(&self, topic: &str) -> bool {
        self.topic == topic
    }

    /// The thing that the rows have.
    fn known_thing(&self) -> Option<String> {
        self.thing.clone().filter(|_| self.is_known)
    }

    /// The person who is meant: the one who is named, or who asks. `None` when it speaks of neither.
    fn whom(&self) -> Option<Option<PersonId>> {
        match (&self.person, self.own) {
            (Some(person), _) => Some(Some(person.clone())),
            (None, true) => Some(None),
            (None, false) => None,
        }
    }

    /// The day that is named.
    fn day(&self) -> Option<Date> {
        dates::read(self.text, &self.said)
    }
}

/// Whether it is about who asks: "tell me" and "I forgot" are not.
fn speaks_of_asker(line: &Line) -> bool {
    line.without(
        "tell me|remind me|give me|let me|show me|read me|send me|ask me|asked me|asking me|\
         for me somebody|catch me|walk me|give it to me|correct me|brace me|excuse me|\
         i want to know|i wanna know|i need to know|i need|i want|i forgot|i lost|ive lost|\
         i have lost|id like to know|i know|i think|i cant remember|i can t|im asking|i heard|\
         i see|i dont see|i say|i fall|if i|i missed|ive missed|i thought|im meeting|my head|\
         my husband|my wife|my mum|my boss|my mother|i dont remember|i cant find|i didnt|i havent|\
         im not sure|ill come back|before i",
    )
    .says("i|me|my|mine|im|ive|ill|myself")
}

/// Whether the name only calls somebody: "Trent, what have we spent?".
fn is_addressed(event: &Event, person: &PersonId, line: &Line) -> bool {
    let name = event.name_of(person).to_lowercase();
    let first = name.split_whitespace().next().unwrap_or_default();
    line.says("we|our|us|weve|were") && !line.says("owe|owes|owed") && line.is_at_an_end(first)
}

/// Whether any row is about it.
fn has(rows: &Projections, phrase: &str) -> bool {
    let matter = Matter::of(phrase);
    !matter.tasks(rows).is_empty()
        || !matter.expenses(rows).is_empty()
        || !matter.polls(rows).is_empty()
}

fn singular_of(name: &str) -> String {
    words(name).join(" ")
}

/// Subjects that mean everything, in the singular.
#[rustfmt::skip]
const WHOLES: [&str; 49] = [
    "total", "overall", "everything", "sum", "damage", "tally", "final", "full", "whole",
    "running", "grand", "budget", "remaining", "head", "per", "person", "unpaid", "balance",
    "kitty", "pot", "overdue", "unassigned", "outstanding", "open", "todo", "list", "headcount",
    "rsvp", "dietary", "event", "debt", "debts", "vendor", "bill", "invoice", "pending",
    "expense", "contribution", "biggest", "owed", "owing", "due", "overspend", "deadline", "each",
    "progress", "do", "player", "me",
];

fn is_whole(word: &str) -> bool {
    WHOLES.contains(&word)
}

/// Names that are ordinary words too: only with a capital are they people.
const ORDINARY: [&str; 14] = [
    "will", "may", "mark", "grace", "hope", "joy", "sunny", "rose", "art", "bill", "june", "april",
    "sue", "rich",
];

/// The first participant who is named, by full or by first name.
fn person(event: &Event, message: &Message) -> Option<PersonId> {
    let tokens = message.text.split(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '’'));
    tokens.filter(|token| !token.is_empty()).find_map(|token| {
        let bare = token.split(['\'', '’']).next().unwrap_or(token);
        let is_capital = bare.starts_with(char::is_uppercase);
        if !is_capital && ORDINARY.contains(&bare) || people::is_me(bare) {
            return None;
        }
        let found = people::person(event, &message.sender, bare);
        let stem = bare.strip_suffix('s').filter(|stem| stem.len() > 2);
        found.or_else(|| people::person(event, &message.sender, stem?))
    })
}
