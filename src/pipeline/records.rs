//! Questions about the group's own records: computed by code, worded and routed by a model at most.

use std::time::Duration;

use super::answer::Answer;
use super::{About, Pipeline};
use crate::agents::records;
use crate::domain::enrichment::Enrichment;
use crate::domain::intent::{Detection, QueryEntities};
use crate::domain::outcome::ParkReason;
use crate::fault::Fault;

/// How long a question waits before it looks again whether the messages before it are settled.
const WAIT: Duration = Duration::from_millis(500);

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
        let answer = records::answer(event, message, query, &rows);
        Ok(Answer::by_code(detection, Enrichment::Answer(answer)))
    }
}
