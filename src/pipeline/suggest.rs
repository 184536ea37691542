//! A suggestion run: what comes next for an event, asked by nobody, after something changed.
//!
//! It walks the same way as a message, from its claim to its record; its place in
//! the chat is just after the last message that is settled.

use jiff::ToSpan;

use super::answer::{Answer, Bill};
use super::{About, Pipeline};
use crate::agents::{Base, Standing};
use crate::domain::chat::Message;
use crate::domain::ids::{MessageId, PersonId, RoomId};
use crate::domain::outcome::Reason;
use crate::fault::Fault;
use crate::rollout;
use crate::store::Claim;

impl Pipeline {
    /// What the run suggests; nothing for an event of which no message is settled.
    pub(super) async fn suggest(&self, claim: &Claim, bill: &Bill) -> Result<Answer, Fault> {
        let Some(event) = &claim.event else {
            return Err(Fault::permanent(Reason::EventNotFound, "the run's event has no row"));
        };
        if !rollout::inside(&event.id, &self.runtime.borrow()) {
            return Ok(Answer::skipped(Reason::OutsideRollout, None));
        }
        let Some(moment) = moment(claim) else {
            return Ok(Answer::skipped(Reason::NothingToDo, None));
        };
        let rows = self.store.projections(event, None).await?;
        let earlier = self.store.suggestions(Some(&event.id)).await?;
        let standing = Standing { event, at: moment.sent_at, rows: &rows, earlier: &earlier };
        let question = standing.question();
        let about = About { claim, message: &moment, event, bill };
        let found = self.general_answer(&about, &question).await?;
        let Base::Next(base) = &found.base else {
            return Err(Fault::transient("an answer of another agent was read for a run"));
        };
        let suggestions = standing.suggestions(base.clone());
        Ok(Answer::of_run(suggestions, &question, found))
    }
}

/// The run's place in the chat, as the message that nobody wrote.
fn moment(claim: &Claim) -> Option<Message> {
    let (last, id) = claim.moment.as_ref()?;
    Some(Message {
        id: MessageId::parse(id.as_str()).ok()?,
        room: RoomId::parse("suggestions").ok()?,
        sender: PersonId(String::new()),
        sent_at: last.checked_add(1.microsecond()).unwrap_or(*last),
        text: String::new(),
        // As the ledger has it for an item without a message.
        revision: -1,
        deleted_at: None,
        detected_intent: None,
        extracted_entities: None,
    })
}
