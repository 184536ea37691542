//! Questions about the group's own records: computed by code, routed and worded by a model at most.

use std::time::Duration;

use super::answer::{Answer, Found};
use super::{About, Pipeline};
use crate::agents::records::{self, Lookup};
use crate::agents::{self, Base, Question};
use crate::domain::enrichment::Enrichment;
use crate::domain::intent::{Detection, QueryEntities};
use crate::domain::outcome::ParkReason;
use crate::domain::projection::Projections;
use crate::fault::Fault;

/// How long a question waits before it looks again whether the messages before it are settled.
const WAIT: Duration = Duration::from_millis(500);

/// What a model had to do with an answer.
type Helped = Option<(Question, Found)>;

impl Pipeline {
    /// The records' answer, after the earlier messages of the room.
    pub(super) async fn answer_from_records(
        &self,
        about: &About<'_>,
        detection: Detection,
        query: &QueryEntities,
    ) -> Result<Answer, Fault> {
        let About { message, event, .. } = *about;
        if self.store.unsettled_before(&message.id).await? > 0
            && self.earlier.may_wait(&message.id).await
        {
            return Err(Fault::deferred(WAIT, ParkReason::EarlierMessages));
        }
        let rows = self.rows_before(event, message).await?;
        let (found, routed) = match records::look_up(event, message, query, &rows) {
            Lookup::Found(found) => (Some(found), None),
            Lookup::NotOnRecord(_) => (None, None),
            Lookup::Unmatched(_) | Lookup::NotUnderstood => self.routed(about, &rows).await?,
        };
        let mut answer = records::enrichment(query, found);
        let worded = self.worded(about, &answer.answer).await;
        let worded = worded.map(|(sentence, helped)| {
            answer.answer = sentence;
            helped
        });
        let enrichment = Enrichment::Answer(answer);
        Ok(match routed.or(worded) {
            Some((question, found)) => Answer::by_model(detection, enrichment, &question, found),
            None => Answer::by_code(detection, enrichment),
        })
    }

    /// What the records say to the query that a model took the question for.
    async fn routed(
        &self,
        about: &About<'_>,
        rows: &Projections,
    ) -> Result<(Option<records::Found>, Helped), Fault> {
        let About { message, event, .. } = *about;
        let question = agents::routing(event, message);
        if self.assigned(&question)?.primary.model.is_free() {
            return Ok((None, None));
        }
        let helped = self.general_answer(about, &question).await?;
        let Base::Route(routed) = &helped.base else { return Ok((None, None)) };
        let found = routed.query(event, &message.sender, rows).and_then(|query| {
            let today = event.day_of(message.sent_at);
            records::run(event, &message.sender, today, &query, rows)
        });
        Ok((found, Some((question, helped))))
    }

    /// The answer in the group's language. Whatever keeps a model from it, the sentence that code
    /// wrote stands: what was computed is never worth a wait.
    async fn worded(&self, about: &About<'_>, answer: &str) -> Option<(String, (Question, Found))> {
        let to_word = agents::wording(about.event, answer)?;
        let found = self.ask_briefly(about, &to_word.question).await?;
        let Base::Wording(sentence) = &found.base else { return None };
        Some((to_word.filled(sentence), (to_word.question.clone(), found)))
    }
}
