//! An activity is taken back at its source (R62).

use std::collections::BTreeSet;

use contracts::wire::activity as wire;
use contracts::{ActivityName, Feed, Revision};
use domain::activity::Voiding;
use service_kit::ServiceError;
use service_kit::access_log::ClientHistories;
use service_kit::feed::{lock_cursor, read_head};
use service_kit::request_log::{self, RequestKey};

use super::get_activity::unknown_activity;
use super::judge_again::note;
use super::settle;
use super::told::Told;
use crate::ActivityTracking;
use crate::store::activity::{self, Recorded};
use crate::store::{Touched, voiding};

/// What became of it.
pub(crate) struct Voided {
    pub told: Told,
    pub already_voided: bool,
    pub revision: Revision,
}

impl ActivityTracking {
    /// Voids an activity, or finds that it was; the answer is made in the same transaction.
    pub(crate) async fn void_activity(
        &self,
        name: ActivityName,
        voiding: Voiding,
        request: Option<RequestKey>,
        respond: impl FnOnce(Voided) -> wire::VoidActivityResponse,
    ) -> Result<wire::VoidActivityResponse, ServiceError> {
        let now = voiding.time;
        let transaction = self.database.begin_write().await?;
        // Exclusively: whoever is judging this activity again would put the verdict that it found back.
        lock_cursor(&*transaction, Feed::Access).await?;
        if let Some(answer) = request_log::first_answer(&*transaction, request.as_ref()).await? {
            return Ok(answer);
        }
        let names = BTreeSet::from([name.clone()]);
        let recorded = activity::find(&*transaction, &names).await?.remove(&name);
        let recorded = recorded.ok_or_else(|| unknown_activity(&name))?;
        let before = voiding::find(&*transaction, &names).await?.remove(&name);
        let already_voided = before.is_some();
        let voiding = before.unwrap_or(voiding);
        let voided = Recorded { judgement: recorded.judgement.clone().voided(), ..recorded.clone() };
        let mut touched = Touched::default();
        if !already_voided {
            voiding::insert(&*transaction, &name, &voiding).await?;
            activity::save_verdicts(&*transaction, std::slice::from_ref(&voided)).await?;
            note(&recorded, &voided.judgement, &mut touched);
        }
        let head = settle(&*transaction, &self.policy, &touched, &ClientHistories::new(), now).await?;
        let revision = match &head {
            Some(head) => head.revision(),
            None => read_head(&*transaction, Feed::Servicing).await?.revision(),
        };
        let answer =
            respond(Voided { told: Told { recorded: voided, voiding: Some(voiding) }, already_voided, revision });
        request_log::remember(&*transaction, request.as_ref(), &answer, now).await?;
        transaction.commit().await?;
        self.tell(head.as_ref());
        Ok(answer)
    }
}
