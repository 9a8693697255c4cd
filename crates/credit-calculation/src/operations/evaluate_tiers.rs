//! Every partner of the programme is evaluated on the 15th of a month, each in a transaction of its own (R100, R104).

use std::collections::BTreeSet;

use contracts::wire::credit as wire;
use contracts::wire::error::ErrorReason;
use contracts::{Failure, Revision};
use domain::access::{Actor, HubId};
use domain::tier::{TierSnapshot, next_evaluation};
use domain::time::Instant;
use service_kit::access_log::{self, Question as AccessQuestion};
use service_kit::streaming::Messages;
use service_kit::{ReadTransaction, ServiceError, Statement};

use super::reading::Basis;
use super::recording::{Begun, Recording};
use super::tier_facts::{TierFacts, window};
use crate::CreditCalculation;
use crate::evidence::Deadline;
use crate::store::tiers::{self, RecordedEvaluation};

/// Which evaluation.
#[derive(Debug, Clone)]
pub(crate) struct EvaluationQuery {
    /// The 15th of a month at 00:00 UTC, not ahead of now.
    pub at: Instant,
    /// Nothing is recorded.
    pub validate_only: bool,
    pub at_least: Vec<Revision>,
    pub deadline: Deadline,
}

/// An evaluation, and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct EvaluatedPartner {
    pub evaluation: RecordedEvaluation,
    /// Whether it was recorded before.
    pub already_evaluated: bool,
    /// Absent where nothing is recorded.
    pub revision: Option<Revision>,
}

impl CreditCalculation {
    /// The partners that are to be evaluated, in order; once a later evaluation is made, those that were.
    ///
    /// # Errors
    /// The facts may not be complete up to that instant, or an earlier evaluation is missing.
    pub(crate) async fn partners_to_evaluate(&self, query: &EvaluationQuery) -> Result<Vec<HubId>, ServiceError> {
        let (transaction, basis) = self.begin_reading(&query.at_least, Some(query.at), query.deadline).await?;
        require_complete(&basis)?;
        if tiers::is_evaluated_after(&*transaction, query.at).await? {
            return Ok(tiers::evaluated_at(&*transaction, query.at).await?.into_iter().collect());
        }
        let last = tiers::last_evaluation_before(&*transaction, query.at).await?;
        // What was begun is finished, whoever has become known of earlier months meanwhile.
        let is_begun = !tiers::evaluated_at(&*transaction, query.at).await?.is_empty();
        if let Some(missing) = first_missing(&transaction, last.filter(|_| !is_begun), query.at).await? {
            let date = missing.format("%Y-%m-%d");
            let message = format!("evaluations are made in order: that of {date} is missing or was interrupted");
            return Err(Failure::new(ErrorReason::EvaluationMissing, message).into());
        }
        Ok(in_programme(&transaction, query.at).await?.into_iter().collect())
    }

    /// Evaluates these partners one after the other.
    pub(crate) async fn evaluate_partners(
        &self,
        partners: Vec<HubId>,
        query: EvaluationQuery,
        messages: Messages<wire::EvaluateTiersResponse>,
    ) -> Result<(), ServiceError> {
        for partner in partners {
            messages.send(self.evaluate_partner(partner, &query).await?.into()).await?;
        }
        Ok(())
    }

    async fn evaluate_partner(
        &self,
        partner: HubId,
        query: &EvaluationQuery,
    ) -> Result<EvaluatedPartner, ServiceError> {
        let transaction = self.database.begin_read().await?;
        if let Some(evaluation) = tiers::evaluations(&*transaction, partner, query.at, query.at).await?.pop() {
            return Ok(EvaluatedPartner::found(evaluation));
        }
        let facts = TierFacts::load(&transaction, partner, (query.at, query.at)).await?.before(query.at);
        let earlier: Vec<TierSnapshot> =
            window(&transaction, partner, query.at, query.at).await?.iter().map(|made| made.snapshot).collect();
        drop(transaction);
        let evaluation = self.evaluated(&facts, &earlier, query.at);
        if query.validate_only {
            return Ok(EvaluatedPartner { evaluation, already_evaluated: false, revision: None });
        }
        self.record_evaluation(evaluation).await
    }

    async fn record_evaluation(&self, evaluation: RecordedEvaluation) -> Result<EvaluatedPartner, ServiceError> {
        let statement = Statement {
            actor: Actor::Platform,
            on_behalf_of: None,
            effective_time: None,
            reason: String::new(),
            request: None,
        };
        let Begun::New(mut recording) = Recording::begin::<wire::EvaluateTiersResponse>(self, statement).await? else {
            return Err(ServiceError::stored("an evaluation has no request id"));
        };
        let (partner, at) = (evaluation.partner, evaluation.snapshot.time);
        // Somebody else may have evaluated it meanwhile.
        if let Some(evaluation) = tiers::evaluations(&**recording.transaction(), partner, at, at).await?.pop() {
            return Ok(EvaluatedPartner::found(evaluation));
        }
        let row = tiers::evaluation_row(&evaluation, recording.next());
        tiers::insert_evaluation(&**recording.append(&row), row).await?;
        let revision = recording.revision();
        recording.commit(wire::EvaluateTiersResponse::default()).await?;
        Ok(EvaluatedPartner { evaluation, already_evaluated: false, revision: Some(revision) })
    }
}

impl EvaluatedPartner {
    fn found(evaluation: RecordedEvaluation) -> Self {
        let own = |position| Revision { feed: contracts::Feed::Credit, position };
        Self { revision: evaluation.position.map(own), already_evaluated: true, evaluation }
    }
}

/// Refuses while what happened before the instant may not be known here yet.
fn require_complete(basis: &Basis) -> Result<(), Failure> {
    match basis.fresh_time {
        Some(fresh_time) if fresh_time >= basis.as_of => Ok(()),
        _ => {
            let message = "what happened before that instant may not be known here yet; try again";
            Err(Failure::new(ErrorReason::FactsBehind, message))
        }
    }
}

/// The first evaluation since the last one before an instant that is not made for everybody; nothing before the first of
/// all.
async fn first_missing(
    transaction: &ReadTransaction,
    last: Option<Instant>,
    at: Instant,
) -> Result<Option<Instant>, ServiceError> {
    let Some(last) = last else { return Ok(None) };
    let evaluated = tiers::evaluated_at(&**transaction, last).await?;
    if !in_programme(transaction, last).await?.is_subset(&evaluated) {
        return Ok(Some(last));
    }
    Ok(next_evaluation(last).filter(|next| *next < at))
}

async fn in_programme(transaction: &ReadTransaction, at: Instant) -> Result<BTreeSet<HubId>, ServiceError> {
    let history = access_log::history(&**transaction, &[AccessQuestion::AllPartners]).await?;
    Ok(history.partners().filter(|partner| partner.is_in_programme(at)).map(|partner| partner.partner).collect())
}
