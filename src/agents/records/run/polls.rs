//! Polls: how they stand, and who voted.

use super::{Found, Records};
use crate::agents::records::matter::Matter;
use crate::domain::ids::PersonId;
use crate::domain::projection::{PollOption, PollRow, Projections};

impl Records<'_> {
    /// The latest poll about the thing; the latest of all where none is named.
    fn poll(&self, thing: Option<&str>) -> Option<&PollRow> {
        match thing {
            Some(thing) => self.matter(thing).polls(self.rows).first().copied(),
            None => self.rows.polls.last(),
        }
    }

    pub(super) fn poll_result(&self, thing: Option<&str>) -> Option<Found> {
        Some(Found::new(told(self.poll(thing)?), vec![self.poll(thing)?.id]))
    }

    pub(super) fn won(&self, choice: &str) -> Option<Found> {
        let matter = self.matter(choice);
        let (poll, option) = chosen(&matter, self.rows)?;
        let lead = if poll.result() == Some(option.text.as_str()) { "Yes" } else { "No" };
        Some(Found::new(format!("{lead}: {}", told(poll)), vec![poll.id]))
    }

    pub(super) fn votes_of(&self, person: &PersonId, thing: Option<&str>) -> Option<Found> {
        let name = self.event.name_of(person);
        let polls: Vec<&PollRow> = match thing {
            Some(thing) => self.matter(thing).polls(self.rows).into_iter().take(1).collect(),
            None => self.rows.polls.iter().rev().collect(),
        };
        let voted = |poll: &&PollRow| {
            let own: Vec<&str> = poll
                .options
                .iter()
                .filter(|option| option.votes.contains(person))
                .map(|option| option.text.as_str())
                .collect();
            (!own.is_empty()).then(|| (poll.id, own.join(" and ")))
        };
        match polls.iter().find_map(voted) {
            Some((id, choice)) => Some(Found::new(format!("{name} voted for {choice}."), vec![id])),
            None => {
                let poll = polls.first()?;
                let said = format!("No vote of {name} is on record.");
                Some(Found::new(said, vec![poll.id]))
            }
        }
    }

    pub(super) fn votes_for(&self, choice: &str) -> Option<Found> {
        let matter = self.matter(choice);
        let (poll, option) = chosen(&matter, self.rows)?;
        let names: Vec<&str> = option.votes.iter().map(|who| self.event.name_of(who)).collect();
        let said = match names.as_slice() {
            [] => format!("Nobody voted for {}.", option.text),
            names => format!("{} for {}: {}.", votes(names.len()), option.text, names.join(", ")),
        };
        Some(Found::new(said, vec![poll.id]))
    }

    /// Those who take part and whose vote is not on record.
    fn missing(&self, poll: &PollRow) -> Vec<&str> {
        let has_voted =
            |who: &PersonId| poll.options.iter().any(|option| option.votes.contains(who));
        let missing = self.event.participants.iter().filter(|one| !has_voted(&one.id));
        missing.map(|one| one.name.as_str()).collect()
    }

    pub(super) fn not_voted(&self, thing: Option<&str>) -> Option<Found> {
        let poll = self.poll(thing)?;
        let missing = self.missing(poll);
        let voted = self.event.participants.len().saturating_sub(missing.len());
        let said = match missing.as_slice() {
            [] => format!("Everybody has voted: {voted} of {voted}."),
            names => format!("{} voted; not yet: {}.", people(voted), names.join(", ")),
        };
        Some(Found::new(said, vec![poll.id]))
    }

    pub(super) fn open_polls(&self) -> Found {
        let open: Vec<(&PollRow, Vec<&str>)> = self
            .rows
            .polls
            .iter()
            .map(|poll| (poll, self.missing(poll)))
            .filter(|(_, missing)| !missing.is_empty())
            .collect();
        if open.is_empty() {
            let ids = self.rows.polls.iter().map(|poll| poll.id).collect();
            return Found::new("No poll waits for a vote.", ids);
        }
        let each = open
            .iter()
            .map(|(poll, missing)| format!("{} (not yet: {})", poll.question, missing.join(", ")));
        let said = format!("Polls that wait for votes: {}.", each.collect::<Vec<_>>().join("; "));
        Found::new(said, open.iter().map(|(poll, _)| poll.id).collect())
    }
}

/// The latest poll that has the choice, and the choice.
fn chosen<'a>(matter: &Matter, rows: &'a Projections) -> Option<(&'a PollRow, &'a PollOption)> {
    let mut polls = matter.polls(rows).into_iter();
    polls.find_map(|poll| choice_of(poll, matter).map(|option| (poll, option)))
}

/// Who leads, and the votes for each choice.
fn told(poll: &PollRow) -> String {
    let each: Vec<String> =
        poll.options.iter().map(|o| format!("{} {}", o.text, votes(o.votes.len()))).collect();
    let lead = match poll.result() {
        Some(result) => format!("{result} leads"),
        None if poll.options.iter().all(|o| o.votes.is_empty()) => "No votes yet".to_owned(),
        None => "It is level".to_owned(),
    };
    format!("{lead}: {}.", each.join(", "))
}

/// The choice that shares the most words; `None` where none shares any.
fn choice_of<'a>(poll: &'a PollRow, matter: &Matter) -> Option<&'a PollOption> {
    let mark = |option: &&PollOption| matter.shared_words(&option.text);
    poll.options.iter().max_by_key(mark).filter(|option| mark(option) > 0)
}

fn votes(count: usize) -> String {
    if count == 1 { "1 vote".to_owned() } else { format!("{count} votes") }
}

fn people(count: usize) -> String {
    if count == 1 { "1 has".to_owned() } else { format!("{count} have") }
}
