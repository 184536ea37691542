//! Questions on what is to do.

use super::super::query::{RecordQuery, TaskAsk};
use super::Asked;

const LEFT: &str = "left to do|still to do|to do list|todo list|todo|open items|jobs left|\
                    jobs outstanding|outstanding|needs doing|need doing|still open|whats open|\
                    what is open|pending|what have we still got to do|still needs to be done|\
                    still has to be done|still to be done|left on the list|whats left|\
                    what is left|what all is left|remaining tasks|tasks left|open tasks|\
                    things left|havent we got|not done|still have to do|still need to do|\
                    left to book|left to sort|left to buy|left to organise|left to organize|\
                    still red|up in the air|jobs still open|what do we still need|\
                    what still needs|what else needs|what still has|jobs are left|left for|baaki|\
                    whats still|what haven t we|catch me up";

impl Asked<'_> {
    pub(super) fn tasks(&self) -> Option<RecordQuery> {
        let readers = [
            Self::unassigned,
            Self::overdue,
            Self::counts,
            Self::of_thing,
            Self::of_person,
            Self::done,
            Self::until,
            Self::open,
        ];
        if self.is_on("schedule") || self.is_on("other") {
            let sure = [Self::unassigned, Self::overdue];
            let found = sure.into_iter().find_map(|reader| reader(self));
            return found.or_else(|| self.of_thing().filter(|_| self.is_known));
        }
        readers.into_iter().find_map(|reader| reader(self))
    }

    fn unassigned(&self) -> Option<RecordQuery> {
        self.line
            .says(
                "unassigned|nobody on|nobody is on|no one on|no name|has no name|have no name|\
                 without a name|not taken|nobodys claimed|nobody claimed|nobody has claimed|\
                 no one has claimed|unclaimed|claimed yet|going spare|without an owner|\
                 without owner|no owner|needs an owner|need an owner|needs someone|up for grabs|\
                 not assigned|nobodys name|need volunteers|still needs somebody|without anyone|\
                 who hasnt got a job",
            )
            .then_some(RecordQuery::Unassigned)
    }

    fn overdue(&self) -> Option<RecordQuery> {
        self.line
            .says(
                "overdue|late on|running late on|gone past its date|past due|past its date|\
                 behind on|should have been finished|should have been done|should be done by now|\
                 behind schedule|missed the deadline|missed deadlines|are we late",
            )
            .then_some(RecordQuery::Overdue)
    }

    fn counts(&self) -> Option<RecordQuery> {
        let many = self.line.says("how many|number of");
        let jobs = self.line.says(
            "tasks|jobs|to dos|todos|items|things to do|things left|things are left|things do we",
        );
        (many && jobs && !self.is_known).then_some(RecordQuery::TaskCounts)
    }

    /// How one thing stands, who is on it, whether it is done.
    fn of_thing(&self) -> Option<RecordQuery> {
        let line = &self.line;
        let thing = self.thing.clone()?;
        let held = line.says(
            "still down for|down for|still on|on me|on you|still doing|mine|still got|signed up|\
             supposed to|still in charge|going to|still handling",
        );
        if let Some(person) = self.whom().filter(|_| held && line.asks_whether() && self.is_known) {
            return Some(RecordQuery::IsOn { thing, person });
        }
        if !self.is_known && self.is_list() {
            return None;
        }
        if line.says(
            "is anyone|is anybody|is somebody|is someone|anyone on|anybody on|anyone doing|\
             anybody doing|has anyone got|has anyone taken|anyones plate|got a name|\
             anyone assigned|has anyone volunteered|covered",
        ) && line.says(
            "on|doing|taking|bringing|getting|handling|sorting|making|got a name|assigned|plate|\
             volunteered|covered|organising",
        ) {
            return Some(RecordQuery::Task { thing, asks: TaskAsk::Taken });
        }
        if line.says("who|whos|whose|who is|in charge|which of us|who s") {
            return Some(RecordQuery::Task { thing, asks: TaskAsk::Who });
        }
        let status = line.says(
            "status|news|any word|update|latest|where are we|where did we get|hows|how is|\
             state of play|story|up to with|far along|movement|progress|how far|what about|\
             whats happening|and the",
        );
        if line.asks_whether() && !status {
            return Some(RecordQuery::Task { thing, asks: TaskAsk::Done });
        }
        (status || self.is_known && self.is_on("tasks"))
            .then_some(RecordQuery::Task { thing, asks: TaskAsk::Status })
    }

    /// Whether the question is for a list rather than for one thing.
    fn is_list(&self) -> bool {
        self.line.says(LEFT)
            || self.line.says("tasks|jobs|list|due before|due by|this week|weekend")
    }

    fn of_person(&self) -> Option<RecordQuery> {
        let line = &self.line;
        let person = self.whom()?;
        let doing = line.says(
            "on my plate|my name|my jobs|my tasks|my list|am i on|am i doing|am i bringing|\
             am i supposed|am i meant|i meant to|im meant to|am i down for|jobs are mine|are mine|\
             on the hook|my promises|for me to do|i said id|i signed up|my side|what have i got|\
             i supposed to|do i have|do i need to|left for me|anything for me|plate|signed up|\
             is doing|doing|bringing|sorting|sort|supposed to|meant to|jobs|tasks|got on|down for|\
             has to do|got left|on the list|responsible for|handling|charge of|left|done|\
             outstanding|do",
        );
        let sure = line.says(
            "are mine|my jobs|my tasks|on my plate|my name|am i on|am i bringing|am i doing|\
             on the hook|my list|am i meant|am i supposed",
        );
        if !doing || self.names_stranger() && !sure {
            return None;
        }
        let whole =
            line.says("what do we|have we|what should we|we still|are we") && self.person.is_none();
        let asks_me = self.person.is_some()
            || line.says("i|my|mine|me|im")
                && !line
                    .says("tell me|give me|remind me|catch me|read me|let me know|send me|show me")
            || line.says("am i|do i|i meant|my|mine|for me");
        (asks_me && !whole).then_some(RecordQuery::TasksOf { person })
    }

    fn names_stranger(&self) -> bool {
        self.person.is_none() && self.thing.is_some() && !self.is_known
    }

    fn done(&self) -> Option<RecordQuery> {
        let done = self.line.says(
            "what have we done|whats done|what is done|whats been done|what has been done|\
             what have we booked|what have we sorted|whats sorted|whats booked|what is booked|\
             whats been booked|what has been booked|whats been sorted|already done|ticked off|\
             done so far|sorted so far|booked so far|finished so far|done list|\
             what have we finished|which tasks are done|which jobs are done|already booked|\
             already sorted|what did we get done|crossed off",
        );
        (done && !self.line.says("not done|isnt done|havent")).then_some(RecordQuery::DoneTasks)
    }

    fn until(&self) -> Option<RecordQuery> {
        let until = self.line.says(
            "before|by|until|this week|this weekend|the weekend|this month|next week|due|today|\
             tomorrow|tonight",
        );
        let tasks = self.line.says(LEFT)
            || self.line.says(
                "tasks|jobs|due|needs to be done|need to be done|supposed to get done|\
                 has to be done|have to be done|off the list|need to do|needs to happen|\
                 have to do",
            );
        if !(until && tasks) || self.line.says("by whom|by who") {
            return None;
        }
        let until = self.day()?;
        (until >= self.said.at.date()).then_some(RecordQuery::DueUntil { until })
    }

    /// "What's outstanding" alone may mean tasks and money.
    pub(super) fn left_over(&self) -> Option<RecordQuery> {
        let alone = self.line.begins(
            "whats outstanding|what is outstanding|anything outstanding|whats still outstanding|\
             what else is outstanding|whats all outstanding",
        );
        let told = self.line.says("tasks|jobs|to do|pay|paid|money|bills|amount|payments|for|on");
        (alone && !told && self.thing.is_none()).then_some(RecordQuery::LeftOver)
    }

    fn open(&self) -> Option<RecordQuery> {
        let line = &self.line;
        let tasks = line.says("tasks|jobs|items|to do|list|what do we need to do|punch list");
        let listed = line.says(LEFT) || self.is_on("tasks") && tasks;
        (listed && !self.is_on("people") && !self.is_on("polls")).then_some(RecordQuery::OpenTasks)
    }
}
