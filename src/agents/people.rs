//! Whom a name in a message means.

use crate::domain::chat::{Event, Message};
use crate::domain::ids::PersonId;

/// Words for the sender.
const ME: [&str; 4] = ["me", "i", "myself", "my"];
/// Words for all.
const EVERYONE: [&str; 6] = ["everyone", "everybody", "all", "all of us", "us", "we"];

/// Whether the word stands for the sender.
pub(super) fn is_me(name: &str) -> bool {
    ME.contains(&name.trim().to_lowercase().as_str())
}

/// Whether the word stands for all.
pub(super) fn is_everyone(name: &str) -> bool {
    EVERYONE.contains(&name.trim().to_lowercase().as_str())
}

/// The person that is meant: the sender, a participant by name, or by a first name that only one has.
pub(super) fn person(event: &Event, sender: &PersonId, name: &str) -> Option<PersonId> {
    if is_me(name) {
        return Some(sender.clone());
    }
    if let Some(known) = event.person_named(name) {
        return Some(known.id.clone());
    }
    let wanted = name.trim().to_lowercase();
    let mut firsts = event
        .participants
        .iter()
        .filter(|p| p.name.split_whitespace().next().is_some_and(|f| f.to_lowercase() == wanted));
    let only = firsts.next()?;
    firsts.next().is_none().then(|| only.id.clone())
}

/// Who does it, as names: `me` is the sender, participants are spelt as listed, others as written.
pub(super) fn assignee(event: &Event, sender: &PersonId, said: &str) -> Option<String> {
    if said.trim().is_empty() {
        return None;
    }
    if is_everyone(said) {
        return Some("everyone".to_owned());
    }
    if said.trim().eq_ignore_ascii_case("someone") {
        return Some("someone".to_owned());
    }
    let mut names: Vec<String> = Vec::new();
    for name in said.split([',', '&']).flat_map(|part| part.split(" and ")) {
        let name = name.trim();
        let name = match person(event, sender, name) {
            Some(person) => event.name_of(&person).to_owned(),
            None => name.to_owned(),
        };
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    (!names.is_empty()).then(|| names.join(", "))
}

/// Who shares an expense, in the order in which they bear odd units: participants first, in
/// theirs. Somebody who is not listed keeps their part under the name as written, so that
/// nobody else pays it.
pub(super) fn sharers(event: &Event, sender: &PersonId, said: &[String]) -> Option<Vec<PersonId>> {
    if said.iter().any(|name| is_everyone(name)) {
        return Some(event.people()).filter(|people| !people.is_empty());
    }
    let mut people: Vec<PersonId> = Vec::new();
    for name in said.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        let person = person(event, sender, name)
            .unwrap_or_else(|| PersonId(name.chars().take(80).collect()));
        if !people.contains(&person) {
            people.push(person);
        }
    }
    let listed = event.people();
    people.sort_by_key(|person| listed.iter().position(|it| it == person).unwrap_or(usize::MAX));
    (!people.is_empty()).then_some(people)
}

/// Participants whom a message may concern: its sender, who is to do it, and who is named in it,
/// in the event's order.
pub(super) fn concerned(event: &Event, message: &Message, said: Option<&str>) -> Vec<PersonId> {
    if said.is_some_and(is_everyone) {
        return event.people();
    }
    let text = message.text.to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let doers: Vec<PersonId> = said
        .into_iter()
        .flat_map(|said| said.split([',', '&']).flat_map(|part| part.split(" and ")))
        .filter_map(|name| person(event, &message.sender, name))
        .collect();
    let is_named = |name: &str| {
        let first = name.split_whitespace().next().unwrap_or_default().to_lowercase();
        words.contains(&first.as_str())
    };
    let concerned = event.participants.iter().filter(|participant| {
        participant.id == message.sender
            || doers.contains(&participant.id)
            || is_named(&participant.name)
    });
    concerned.map(|participant| participant.id.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agents::samples::{event, message};

    fn tom() -> PersonId {
        PersonId("Tom".into())
    }

    #[test]
    fn me_is_the_sender_and_names_are_participants() {
        let event = event();
        assert_eq!(person(&event, &tom(), "me"), Some(tom()));
        assert_eq!(person(&event, &tom(), "PRIYA"), Some(PersonId("Priya".into())));
        assert_eq!(person(&event, &tom(), "grandpa"), None);
    }

    #[test]
    fn a_first_name_stands_for_its_only_bearer() {
        let mut event = event();
        event.participants[0].name = "Priya Shah".into();
        assert_eq!(person(&event, &tom(), "priya"), Some(PersonId("Priya".into())));
        event.participants[2].name = "Priya Rao".into();
        assert_eq!(person(&event, &tom(), "priya"), None);
    }

    #[test]
    fn assignees_are_spelt_as_the_group_lists_them() {
        let event = event();
        let of = |said: &str| assignee(&event, &tom(), said);
        assert_eq!(of("me").as_deref(), Some("Tom"));
        assert_eq!(of("meera, me").as_deref(), Some("Meera, Tom"));
        assert_eq!(of("Everybody").as_deref(), Some("everyone"));
        assert_eq!(of("someone").as_deref(), Some("someone"));
        assert_eq!(of("tech team").as_deref(), Some("tech team"));
        assert_eq!(of(" "), None);
    }

    #[test]
    fn a_task_concerns_who_asks_who_does_it_and_who_is_named() {
        let event = event();
        let of = |text: &str, said: Option<&str>| -> Vec<String> {
            let people = concerned(&event, &message(text), said);
            people.into_iter().map(|person| person.0).collect()
        };
        assert_eq!(of("we need a DJ", None), ["Tom"]);
        assert_eq!(
            of("can meera ask about priya's dress", Some("Meera")),
            ["Priya", "Tom", "Meera"]
        );
        assert_eq!(of("all fill in the form", Some("everyone")), ["Priya", "Tom", "Meera"]);
    }

    #[test]
    fn sharers_stand_in_participant_order_and_strangers_keep_their_part() {
        let said = ["Uncle Bob", "Meera", "me", "tom"].map(str::to_owned);
        let people = sharers(&event(), &tom(), &said).unwrap();
        assert_eq!(people, ["Tom", "Meera", "Uncle Bob"].map(|name| PersonId(name.into())));
        let all = sharers(&event(), &tom(), &["everyone".to_owned()]).unwrap();
        assert_eq!(all, event().people());
    }
}
