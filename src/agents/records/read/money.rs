//! Questions on money.

use super::super::matter::words;
use super::super::query::{BudgetAsk, DebtAsk, PaymentAsk, RecordQuery};
use super::Asked;

/// Words that speak of money whatever the topic is held to be.
const MONEY: &str = "owe|owes|owed|owing|spent|spend|spending|cost|costs|costed|paid|unpaid|\
                     budget|kitty|money|moneywise|per head|a head|expense|expenses|out of pocket|\
                     damage|refund|fronted|in the red|chipped in|forked out|shelled out|laid out|\
                     set us back|bill|bills|invoices|invoice|kharcha|kitna|put in the most|\
                     put in the least|put in so far|my share|reimbursed|squared up|even stevens|\
                     are we square|am i square|under budget|over budget|how much are we|\
                     how much have we";

impl Asked<'_> {
    pub(super) fn money(&self) -> Option<RecordQuery> {
        if !self.is_on("spending") && !self.line.says(MONEY) {
            return None;
        }
        let readers = [
            Self::paid_by_each,
            Self::who_paid,
            Self::debts,
            Self::share,
            Self::budget,
            Self::biggest,
            Self::not_paid,
            Self::payment,
            Self::spent_on,
            Self::outstanding,
            Self::paid_by,
            Self::total,
            Self::whether_paid,
        ];
        readers.into_iter().find_map(|reader| reader(self))
    }

    /// Who owes whom. What "we" owe is due to a vendor, and no debt among us.
    fn debts(&self) -> Option<RecordQuery> {
        let line = &self.line;
        let owing = line.says(
            "owe|owes|owed|owing|square|squared|squared up|even with|even stevens|settle up|\
             settled up|debt|debts|in the red with|up or down|transfers|out of pocket|paid back|\
             pay back|money back|cash back|to get from us|waiting on her cash|waiting on his cash|\
             am i paid up|paid up|quits",
        );
        let vendor = line.says("do we owe|we still owe|we owe|are we square with|square with the")
            && self.person.is_none();
        let named_only = self.thing.is_some() && self.whom().is_none();
        if !owing || vendor || named_only || line.says("owed to the|amount owed") {
            return None;
        }
        if line.says("i owe|my share|my part") && self.is_known {
            return Some(RecordQuery::Share { person: None, thing: self.known_thing() });
        }
        let all = line.says(
            "who owes who|who owes whom|who owes what|who owes|everyone even|who does everyone|\
             settle up|settled up",
        ) && !line.says("owes me|owe me|owes us");
        match self.whom().filter(|who| !all || who.is_some()) {
            Some(_) if self.names_a_stranger() => None,
            Some(person) => Some(RecordQuery::DebtsOf { person, asks: self.debt_ask() }),
            None => Some(RecordQuery::Debts),
        }
    }

    fn debt_ask(&self) -> DebtAsk {
        let line = &self.line;
        if line.says("square|squared|even|quits|paid up|up or down|square now|settled up") {
            return DebtAsk::IsEven;
        }
        if line.says(
            "owes me|owe me|am i owed|i owed|is owed|owed to me|i still owed|get back|money back",
        ) {
            return DebtAsk::IsOwed;
        }
        let others = self.person.is_some() && line.says("we owe|who owes|who still owes");
        if others {
            return DebtAsk::IsOwed;
        }
        if line.says("do i owe|i owe|owe|owes") { DebtAsk::Owes } else { DebtAsk::Both }
    }

    /// Whether somebody or something is named that neither the group nor the rows have.
    fn names_a_stranger(&self) -> bool {
        self.person.is_none() && !self.is_known && self.thing.is_some()
    }

    fn share(&self) -> Option<RecordQuery> {
        let line = &self.line;
        if line.says(
            "my share|my part|my bit|my half|my portion|share of|my damage|what am i in for|\
             i owe for|am i down for",
        ) {
            let person = self.whom().unwrap_or(None);
            let stranger = self.names_a_stranger();
            return (!stranger).then(|| RecordQuery::Share { person, thing: self.known_thing() });
        }
        if self.person.is_some() && line.says_then("whats|what is|how much is", "share|part|half") {
            return Some(RecordQuery::Share {
                person: self.person.clone(),
                thing: self.known_thing(),
            });
        }
        let heads = line.says(
            "per head|a head|per person|each person|per player|each|apiece|per couple|the split|\
             split on|everyones share|each of us|between us|if we divide|pp",
        );
        let paid = line.says(
            "who paid|whos paid|who has paid|paid what|put in|in for so far|has each|did each|\
             have each|each of us paid|each person paid|everyone paid",
        );
        (heads && !paid && !self.names_a_stranger())
            .then(|| RecordQuery::PerHead { thing: self.known_thing() })
    }

    fn budget(&self) -> Option<RecordQuery> {
        let line = &self.line;
        let plain = line.says(
            "budget|kitty|wiggle room|breathing room|left in the pot|in the pot|ceiling|overspent|\
             over budget|under budget|headroom|the pot|left to spend|money left|money is left|\
             money have we got left|much have we got left|much have we left|much we got left|\
             much do we have left|left to play with|much is left|much is still left|how much left|\
             how much remains|is remaining|got left to spend|gone over|go over|skint",
        );
        let limit = self.event.budget.is_some()
            && line.says(
                "under|over|within|inside|below|above|bust|exceed|exceeded|crossed|pass|reach|hit|\
                 limit|stay under|against the",
            )
            && (line.says("we|total|it|everything|all") || self.thing.is_none());
        let of_thing = self.known_thing().is_some()
            && !line.says("budget|kitty|pot|wiggle room|breathing room|left|ceiling");
        if of_thing || !(plain || limit) {
            return None;
        }
        let within =
            line.says("under|within|inside|below|in budget|on budget|still on course|against");
        let over = line.says(
            "over|bust|overspent|exceed|exceeded|crossed|skint|dead|in the red|blown|above|broke",
        );
        let asks = match (within && !line.says("how far over"), over) {
            (true, _) => BudgetAsk::Within,
            (false, true) => BudgetAsk::Over,
            (false, false) => BudgetAsk::Left,
        };
        Some(RecordQuery::Budget { asks })
    }

    fn paid_by_each(&self) -> Option<RecordQuery> {
        let line = &self.line;
        let each = line.says(
            "who paid what|whos paid what|who has paid what|who paid how much|who gave who what|\
             who spent what|everyone in for|each put in|everyone put in|everybody put in|\
             everyone paid|everybody paid|put in the most|put in the least|paid the most|\
             paid the least|spent the most|who has paid the|whos paid the most|fronted the most|\
             chipped in the most|each of us paid|each person paid|has each person|has everyone|\
             whos put in|who has put in|who put in|whos spent|who has spent|paid so far by|\
             most out of pocket|out of pocket the most",
        );
        let who = line.begins("who|whos|whose|how much has everyone|how much has each")
            || line.says("per person|each|everyone|everybody|who");
        let superlative = line.says("most|least|everyone|everybody|who paid what|whos paid what");
        (each && who && self.person.is_none() && (superlative || !self.is_known))
            .then_some(RecordQuery::PaidByEach)
    }

    fn biggest(&self) -> Option<RecordQuery> {
        self.line
            .says(
                "biggest|largest|most expensive|dearest|priciest|costliest|highest|most costly|\
                 eaten the most|cost the most|costs the most|costing the most|cost us the most|\
                 top expense",
            )
            .then_some(RecordQuery::Biggest)
    }

    fn not_paid(&self) -> Option<RecordQuery> {
        let missing = self.line.says(
            "who hasnt paid|who hasnt coughed|who has not paid|who havent paid|whos not paid|\
             who didnt pay|whos not put|who hasnt put|who hasnt chipped|who still has to pay|\
             who still needs to pay|not paid anything|paid nothing|who is still missing with|\
             who hasnt spent|hasnt paid anything|hasnt coughed up|still hasnt paid|ponied up",
        );
        (missing && self.thing.is_none() && self.person.is_none()).then_some(RecordQuery::NotPaid)
    }

    fn who_paid(&self) -> Option<RecordQuery> {
        let thing = self.thing.clone()?;
        let who = self.line.says(
            "who paid|whos paid for|who fronted|who picked up|who put down|who covered|who bought|\
             whose card|who put the|who pay|who has paid for|who put it on|who settled|\
             who forked out",
        );
        (who && !self.line.says("most|least"))
            .then_some(RecordQuery::Payment { thing, asks: PaymentAsk::Who })
    }

    /// What is asked of a thing with a yes or a no in a question on money.
    fn whether_paid(&self) -> Option<RecordQuery> {
        let thing = self.known_thing().filter(|_| self.is_on("spending"))?;
        let asks = match self.line.asks_whether() {
            true => PaymentAsk::Whether,
            false if self.line.says("who|whos|whose") => PaymentAsk::Who,
            false => return None,
        };
        Some(RecordQuery::Payment { thing, asks })
    }

    fn payment(&self) -> Option<RecordQuery> {
        let line = &self.line;
        let thing = self.thing.clone()?;
        let paying = line.says(
            "paid|pay|payed|settled|settle|cleared|square|squared|had their money|\
             had all their money|had their|get a deposit|deposit|advance|received|reimbursed|\
             still owe|do we owe|owe|owed|outstanding|picked up the tab|fronted|covered|\
             on their card|whose card|tipped|the tab|paid off|coming from us|gave|give|given|\
             left to pay|remaining|still due|hand out",
        );
        if !paying || line.says("how much|kitna|what did|whats the total|total|hw much") {
            return None;
        }
        let asks = if line.says("who|whos|whose") && !line.says("who hasnt|who else") {
            PaymentAsk::Who
        } else if line.says("when") {
            PaymentAsk::When
        } else if line.asks_whether()
            || line.says("or|paid off|square|in full|outstanding|still owe|left to pay")
        {
            PaymentAsk::Whether
        } else {
            return None;
        };
        Some(RecordQuery::Payment { thing, asks })
    }

    fn spent_on(&self) -> Option<RecordQuery> {
        let thing = self.thing.clone()?;
        if let Some(without) = self.left_out() {
            return Some(RecordQuery::Total { without: Some(without) });
        }
        let amount = self.line.says(
            "how much|hw much|what did|whats|what is|what was|what were|cost|costs|costing|spent|\
             spend|spending|total|damage|tally|set us back|price|figure|amount|kitna|sum|\
             breakdown|list|bill|paid|pay|come to|came to|in for|forking|forked|charged|number|\
             everything",
        );
        if !amount || !(self.is_known || self.names_object()) {
            return None;
        }
        Some(RecordQuery::SpentOn { thing })
    }

    /// "on flowers", "for the band": a thing that is asked for by name, whether the rows have it or not.
    fn names_object(&self) -> bool {
        let Some(thing) = &self.thing else { return false };
        let behind = |lead: &str| {
            self.line.behind(lead).is_some_and(|rest| {
                let near: Vec<String> = rest.split(' ').take(4).flat_map(words).collect();
                thing.split(' ').any(|word| near.iter().any(|it| it == word))
            })
        };
        ["on", "for", "the", "of", "was", "did", "about"].iter().any(|lead| behind(lead))
            || !self
                .line
                .says("total|so far|all in|to date|altogether|up to now|by now|in the end|running")
    }

    /// What is named behind "not counting".
    fn left_out(&self) -> Option<String> {
        let behind = self.line.behind(
            "not counting|without|excluding|leaving out|not including|apart from|aside from|\
             other than|minus|except",
        )?;
        let all = self.line.says("we spent|have we|total|spent|what did it|cost|come to|damage");
        (all && !behind.is_empty()).then(|| behind.to_owned())
    }

    fn outstanding(&self) -> Option<RecordQuery> {
        let due = self.line.says(
            "unpaid|outstanding|still due|due|yet to pay|left to pay|still to pay|not paid|\
             still to come|hasnt been paid|havent been paid|bills are open|open bills|bills|\
             invoices|still owe|do we owe|still need to pay|to be paid|owing|owed|pending|\
             remaining to pay|have we still got to pay|have to pay|still got to pay|\
             not gone out yet",
        );
        (due && self.person.is_none()).then_some(RecordQuery::Outstanding)
    }

    fn paid_by(&self) -> Option<RecordQuery> {
        let paying = self.line.says(
            "paid|pay|put in|spent|spend|fronted|chipped in|laid out|tab|column|card|in for|\
             contributed|contribution|covered|forked out|up to|putting|put toward|put on|down for|\
             number|damage|in so far|given|brought|share",
        );
        let person = self.whom()?;
        (paying && !self.names_a_stranger()).then_some(RecordQuery::PaidBy { person })
    }

    fn total(&self) -> Option<RecordQuery> {
        let line = &self.line;
        if line.says(
            "by category|per category|category wise|each category|breakdown of expenses|\
             breakdown of the expenses|where has the money gone|wheres all the money gone|\
             what have we spent money on|breakdown of costs",
        ) {
            return Some(RecordQuery::ByCategory);
        }
        let all = line.says(
            "how much have we|how much did we|total|totals|damage|all in|so far|to date|in total|\
             altogether|have we spent|did we spend|we spent|where are we|where do we stand|\
             where we stand|how much has gone|how much is it|come to|cost us|spent|spend|\
             running total|money wise|moneywise|with money|on money|all told|all up|up to now|\
             committed|kharcha|magkano|how much are we|how much we at|sitting at|add it all up|\
             the number|in the end|in for",
        );
        let known = self.is_known || self.person.is_some();
        (all && !known && (!self.names_a_stranger() || !self.names_object()))
            .then_some(RecordQuery::Total { without: None })
    }
}
