//! Questions on days: the event's own, and by when things are due.

use super::super::matter::Matter;
use super::super::query::RecordQuery;
use super::Asked;

/// What a group calls its own event, whatever its kind.
const EVENT: &str = "event|party|big day|do|bash|trip|ceremony|celebration|thing|it|this|we start|\
                     it start|it begin|it kick off|the day";

impl Asked<'_> {
    pub(super) fn schedule(&self) -> Option<RecordQuery> {
        if self.asks_days_left() {
            return Some(RecordQuery::DaysLeft);
        }
        if self.asks_next_due() {
            return Some(RecordQuery::NextDue);
        }
        let when = self.line.says(
            "when|whens|what day|which day|what date|which date|by when|what time|wat time|\
             what times|how late|how early|date of|until when|till when|which weekend|deadline|\
             due date|cutoff|last day|last date|what hour",
        );
        if !when
            || self.is_on("spending") && !self.line.says("due|deadline|by when")
            || self.line.says("when was|when did")
        {
            return None;
        }
        self.due_thing().or_else(|| self.event_start()).or_else(|| self.hour())
    }

    fn asks_days_left(&self) -> bool {
        self.line.says(
            "how many days|how many sleeps|how many weeks|how long until|how long till|\
             how long have we got|how long do we have|days to go|weeks to go|days left|weeks left|\
             how long to go|how far off is|how soon is|countdown",
        ) && !self.line.says("ago|rent|rental|hire|hired|stay|nights")
    }

    fn asks_next_due(&self) -> bool {
        self.line.says(
            "whats next|what is next|whats due next|next deadline|next due|what comes next|\
             due first|most urgent|whats coming up|what do we need to do next|next thing to do|\
             what should we do next|what needs doing first|next on the list",
        ) && self.known_thing().is_none()
    }

    /// By when a thing is due: only where the question is about a last day, or names something
    /// to do or to pay.
    fn due_thing(&self) -> Option<RecordQuery> {
        let due = self.line.says(
            "due|deadline|by when|by what|need|needs|needed|must|have to|last day|last date|\
             cutoff|cut off|until when|till when|pay|payable|latest|owed|booked by|finished by|by",
        );
        let hour = self.line.says("what time|wat time|what hour|how late|how early|what times");
        if !due || hour {
            return None;
        }
        let thing = self.known_thing().or_else(|| {
            let named = self.thing.clone();
            named.filter(|_| self.line.says("due|deadline|pay|payable|paid"))
        })?;
        Some(RecordQuery::Due { thing })
    }

    fn event_start(&self) -> Option<RecordQuery> {
        let own = Matter::of(&format!("{} {}", self.event.kind, self.event.name));
        let is_own = self.thing.as_deref().is_some_and(|thing| own.shared_words(thing) > 0);
        let spoken = own.shared_words(self.text) > 0;
        let asks_begin =
            self.line.says("start|starts|begin|begins|kick off|starting|when is|whens")
                || self.line.says("what day|which day|what date|which date|which weekend");
        let generic = self.line.says(EVENT) && self.topic_is_bare();
        (!self.is_known && asks_begin && (is_own || spoken || generic))
            .then_some(RecordQuery::EventStart)
    }

    /// Whether no thing is named but the event itself.
    fn topic_is_bare(&self) -> bool {
        self.thing.as_deref().is_none_or(|thing| {
            matches!(thing, "ceremony" | "party" | "trip" | "start" | "celebration" | "bash")
        })
    }

    /// Hours are in no row, but a poll may have settled one.
    fn hour(&self) -> Option<RecordQuery> {
        let polled = self.known_thing().filter(|thing| {
            Matter::of(thing)
                .polls(self.rows)
                .iter()
                .any(|poll| poll.options.iter().all(|option| says_when(&option.text)))
        });
        match polled {
            Some(thing) => Some(RecordQuery::PollResult { thing: Some(thing) }),
            None if self.is_on("tasks") || self.is_on("polls") => None,
            None => Some(RecordQuery::NotKept),
        }
    }
}

/// Whether a choice is a day or an hour.
fn says_when(choice: &str) -> bool {
    const WHEN: [&str; 12] = [
        "mon",
        "tue",
        "wed",
        "thu",
        "fri",
        "sat",
        "sun",
        "noon",
        "midnight",
        "morning",
        "evening",
        "afternoon",
    ];
    let choice = choice.to_lowercase();
    choice.contains(|c: char| c.is_ascii_digit())
        || choice.split_whitespace().any(|word| WHEN.iter().any(|when| word.starts_with(when)))
}
