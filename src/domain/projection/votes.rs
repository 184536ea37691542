//! Which choice of which poll a vote is for.

use super::ballot::{Sureness, pick};
use super::likeness::names;
use super::past::{FRESH, Past, hours};
use super::{Effect, Entry, PollRow};
use crate::domain::chat::Event;
use crate::domain::intent::Target;

/// For how many hours after it was last voted in the latest poll takes votes.
const POLLED: f64 = 21.0 * 24.0;

/// A poll that takes votes.
#[derive(Debug, Clone, Copy)]
pub(super) struct OpenPoll<'a> {
    /// Its place among all polls.
    pub(super) place: usize,
    pub(super) row: &'a PollRow,
}

/// The places of the poll and of its choice: the latest poll that has what was said, else the choice
/// of the one whose vote is followed. `polls` are those that take votes, the latest last.
pub(super) fn choice(
    event: &Event,
    polls: &[OpenPoll<'_>],
    past: &Past,
    entry: &Entry,
    target: &Target,
) -> Option<(usize, usize)> {
    let mut reach = POLLED;
    for poll in polls.iter().rev() {
        let age = past.hours_since(poll.row.id, entry.sent_at);
        if age < reach
            && let Some(option) = said_of(poll.row, age, target)
        {
            return Some((poll.place, option));
        }
        reach = FRESH;
    }
    choice_of_another(event, polls, past, entry, target)
}

/// The choice of this poll that was said; a place alone counts while the poll is fresh.
fn said_of(poll: &PollRow, age: f64, target: &Target) -> Option<usize> {
    let options: Vec<&str> = poll.options.iter().map(|option| option.text.as_str()).collect();
    let keys: Vec<String> = poll.options.iter().map(|option| option.key.clone()).collect();
    let picks = names(target.thing.as_deref()).filter_map(|said| pick(&options, &keys, said));
    let mut sure = picks.filter(|(_, sureness)| *sureness == Sureness::Word || age < FRESH);
    sure.next().map(|(option, _)| option)
}

/// "same", "with Paulina": the choice of who voted last, or of the one who is named.
fn choice_of_another(
    event: &Event,
    polls: &[OpenPoll<'_>],
    past: &Past,
    entry: &Entry,
    target: &Target,
) -> Option<(usize, usize)> {
    let named = target.person.as_deref().and_then(|name| event.person_named(name));
    let says_same = names(target.thing.as_deref()).any(|said| said == "same");
    if !says_same && named.is_none() {
        return None;
    }
    let other = past.latest().find(|touch| {
        touch.effect == Effect::Voted
            && touch.by != entry.sender
            && named.is_none_or(|person| person.id == touch.by)
            && hours(touch.at, entry.sent_at) < FRESH
    })?;
    let poll = polls.iter().find(|poll| poll.row.id == other.row)?;
    let option = poll.row.options.iter().position(|option| option.votes.contains(&other.by))?;
    Some((poll.place, option))
}
