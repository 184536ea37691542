//! Questions on what no row holds, on the people of the group, and what is left to the topic.

use super::super::query::{RecordQuery, TaskAsk};
use super::Asked;

impl Asked<'_> {
    /// Codes, addresses, links, guests: things that no row of the group ever holds.
    pub(super) fn facts(&self) -> Option<RecordQuery> {
        let other = self.line.says(
            "dress code|door code|gate code|colour code|color code|sort code|key code|wifi|wi fi|\
             password|postcode|post code|zip code|eircode|address|iban|account number|\
             phone number|contact number|bank details|hashtag|room number|flight number|\
             tracking number|booking reference|booking ref|registry|gift list|link|pin location|\
             what terminal|which terminal|which gate|venmo|where are we parking|parked|park",
        ) && !self.line.says("due|paid|pay");
        let places = self.line.begins(
            "where is|wheres|where are we meeting|where do we meet|where do we park|\
             where do we go|where do we sleep|where do we stay|where did we put",
        );
        let guests = self.line.says(
            "rsvp|rsvps|rsvpd|said yes|said no|replied|reply|plus one|plus ones|guest list|guests|\
             dietary|dietaries|allergies|allergy|vegetarian|vegetarians|veggie|veggies|vegan|\
             vegans|halal|gluten free|coeliac|kids|children|how many coming|are coming|is coming|\
             who is coming|whos coming|final number|final numbers|headcount|staying over|\
             table plan|seated|plates|tickets sold|yes or no|a yes|a maybe|attending",
        ) && self
            .line
            .says("how many|who|which|any|final|number|numbers|is|are|did|has|have");
        let money = self.is_on("spending");
        let is_task = self.known_thing().is_some() && !self.is_on("people");
        ((other || places || guests) && !is_task && !money && !self.is_dated())
            .then_some(RecordQuery::NotKept)
    }

    fn is_dated(&self) -> bool {
        self.line.says("deadline|due|by when|last day|cutoff|cut off")
    }

    /// Who is in the group, and how many they are.
    pub(super) fn people(&self) -> Option<RecordQuery> {
        if self.line.says(
            "how many of us|how many are we|how many people are in|how many are in|\
             how many members|how many people in|how big is the group|how many people are we|\
             how many participants|number of participants",
        ) && self.known_thing().is_none()
            && !self.line.says("for|doing|laying|coming|staying|expecting|eating|actually|going")
        {
            return Some(RecordQuery::Headcount);
        }
        let who = self.line.says(
            "who is in this|whos in this|who all is in|who is taking part|whos taking part|\
             who takes part|who is in the group|whos in the group|who is part of|\
             who are the participants|whos all in|who is all in|list of participants|\
             who is in on this",
        );
        who.then_some(RecordQuery::Participants)
    }

    /// What the topic and the thing alone say.
    pub(super) fn by_topic(&self) -> Option<RecordQuery> {
        let thing = self.thing.clone();
        match (self.topic, thing) {
            ("spending", Some(thing)) if self.person.is_none() || self.is_known => {
                Some(RecordQuery::SpentOn { thing })
            }
            ("spending", None) if self.whom().is_some() => {
                Some(RecordQuery::PaidBy { person: self.whom()? })
            }
            ("tasks", Some(thing)) => {
                let asks = if self.line.asks_whether() { TaskAsk::Done } else { TaskAsk::Status };
                Some(RecordQuery::Task { thing, asks })
            }
            ("tasks", None) if self.whom().is_some() => {
                Some(RecordQuery::TasksOf { person: self.whom()? })
            }
            ("polls", Some(thing)) if self.is_known && self.polled_thing().is_none() => {
                Some(RecordQuery::Task { thing, asks: TaskAsk::Status })
            }
            ("polls", thing) => Some(RecordQuery::PollResult { thing }),
            ("people", Some(thing)) if self.is_known && self.line.says("who|whos|whose") => {
                Some(RecordQuery::Task { thing, asks: TaskAsk::Who })
            }
            _ => None,
        }
    }
}
