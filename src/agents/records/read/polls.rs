//! Questions on polls.

use super::super::matter::Matter;
use super::super::query::RecordQuery;
use super::Asked;

const VOTING: &str = "vote|votes|voted|voting|poll|polls|ballot|polled|thumbs|votation";
const DECIDING: &str = "won|win|wins|winning|winner|decide|decided|decide on|agree on|agreed on|\
                        agreed|settle on|settled on|land on|landed on|choose|chose|chosen|pick|\
                        picked|came out on top|come out on top|result|verdict|go for|went for|\
                        go with|went with|ahead|a tie|most hands|going with|ended up with|\
                        end up with|beat|leading|final answer|get a winner|edge it|tied|\
                        went through|came out|got it|took it|plump for|plumped for";

impl Asked<'_> {
    pub(super) fn polls(&self) -> Option<RecordQuery> {
        let votes = self.line.says(VOTING);
        let decides = self.line.says(DECIDING);
        let thing = self.polled_thing();
        if !(votes || decides && (thing.is_some() || self.is_on("polls"))) {
            return None;
        }
        if let Some(query) = self.open_polls().or_else(|| self.not_voted(&thing)) {
            return Some(query);
        }
        if let Some(choice) = self.voters_of() {
            return Some(RecordQuery::VotesFor { choice });
        }
        let of_one = self.line.says("vote for|voted for|my vote|voted|vote") && votes;
        if let Some(person) = self.whom().filter(|_| of_one && !self.line.says("we|who|result")) {
            return Some(RecordQuery::VotesOf { person, thing });
        }
        if let Some(choice) = thing.clone().filter(|thing| self.asks_of_one_choice(thing)) {
            return Some(RecordQuery::Won { choice });
        }
        if !votes && thing.is_none() {
            return self.decided_elsewhere();
        }
        Some(RecordQuery::PollResult { thing: thing.or_else(|| self.thing.clone()) })
    }

    /// Whether it is asked if one choice leads: "did the pub win".
    fn asks_of_one_choice(&self, thing: &str) -> bool {
        let matter = Matter::of(thing);
        let polls = matter.polls(self.rows);
        let Some(poll) = polls.first() else { return false };
        let named = poll.options.iter().filter(|option| matter.shared_words(&option.text) > 0);
        named.count() == 1
            && self.line.asks_whether()
            && self
                .line
                .says("win|won|winning|ahead|leading|beat|get|got|edge it|go with|pick|choose")
    }

    /// The thing, where it is what a poll is about.
    pub(super) fn polled_thing(&self) -> Option<String> {
        let thing = self.thing.clone()?;
        (!Matter::of(&thing).polls(self.rows).is_empty()).then_some(thing)
    }

    /// "What did we decide on the dj", where there was no vote: a task or a payment says it.
    fn decided_elsewhere(&self) -> Option<RecordQuery> {
        match self.known_thing() {
            Some(_) => None,
            None => Some(RecordQuery::PollResult { thing: self.thing.clone() }),
        }
    }

    fn open_polls(&self) -> Option<RecordQuery> {
        let open = self.line.says(
            "polls are open|polls are still open|polls still open|polls open|vote still open|\
             votes still open|votes are open|open polls|open votes|anything to vote|\
             meant to be voting|still voting on|left to vote on|vote still open at",
        );
        (open && !self.line.says("won|win")).then_some(RecordQuery::OpenPolls)
    }

    fn not_voted(&self, thing: &Option<String>) -> Option<RecordQuery> {
        let missing = self.line.says(
            "hasnt voted|havent voted|not voted|has not voted|yet to vote|still to vote|\
             everyone voted|everybody voted|all voted|how many have voted|\
             how many people have voted|how many voted|missing votes|still needs to vote|\
             not yet voted|didnt vote|hasnt put|havent put|bothered to vote|parents voted",
        );
        missing.then(|| RecordQuery::NotVoted { thing: thing.clone() })
    }

    /// The choice that is named behind "who voted for".
    fn voters_of(&self) -> Option<String> {
        let behind = self.line.behind(
            "who voted for|whos voted for|who all voted for|how many people voted for|\
             how many voted for|who went for|how many said|people have voted for|\
             how many votes for",
        );
        if let Some(choice) = behind {
            return Some(choice.to_owned()).filter(|it| !it.is_empty());
        }
        let got = self.line.says_then("how many votes did|how many votes has", "get|got");
        self.polled_thing().filter(|_| got)
    }
}
