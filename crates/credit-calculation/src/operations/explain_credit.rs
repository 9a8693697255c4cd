//! Why a client brings a partner credit, or none (R126): the copy's facts and the evidence of activity-tracking, made
//! into one explanation by `domain`.

mod gathering;

use std::collections::BTreeSet;

use contracts::wire::activity::GetServicingResponse;
use contracts::{Revision, standing_from_wire};
use domain::access::HubId;
use domain::credit::{Explanation, ExplanationFacts, ExplanationGrounds, PartnerView, Relationship, explain};
use domain::servicing::{ServicingState, Standing};
use service_kit::ServiceError;

use super::breakdown::Row;
use super::reading::{Basis, Question};
use crate::CreditCalculation;
use crate::evidence::EvidenceSource;

/// An explanation with the row that it explains.
#[derive(Debug)]
pub(crate) struct ExplainedRow {
    pub row: Row,
    pub explanation: Explanation,
}

/// What activity-tracking says.
struct ActivitySide {
    /// With a minimum of one activity.
    relationship: Standing,
    /// With the minimum of the tier.
    earning: Standing,
    /// Absent where it does not know the client.
    evidence: Option<GetServicingResponse>,
    revisions: Vec<Revision>,
}

impl CreditCalculation {
    pub(crate) async fn explain_credit(
        &self,
        partner: HubId,
        client: HubId,
        question: Question,
    ) -> Result<(ExplainedRow, Basis), ServiceError> {
        let Question { actor, as_of, at_least, deadline } = question;
        // First whether it is known here at all, so that a question about nothing needs nobody else.
        let (transaction, before) = self.begin_reading(&at_least, as_of, deadline).await?;
        let (_, tiers) = self.facts_of_client(&transaction, &actor, partner, client, &before).await?;
        drop(transaction);

        let minimum = self.terms(&tiers).minimum_of(partner, before.as_of);
        let source = self.evidence_source(&actor, partner, &before, deadline);
        let activity_side = ask(&source, client, minimum).await?;

        // Then the copies, once they know at least what the evidence does: both sides must speak of the same facts.
        let at_least: Vec<_> = at_least.iter().chain(&activity_side.revisions).copied().collect();
        let (transaction, basis) = self.begin_reading(&at_least, Some(before.as_of), deadline).await?;
        let (facts, tiers) = self.facts_of_client(&transaction, &actor, partner, client, &basis).await?;
        let evidence = activity_side.evidence.as_ref();
        let evidenced = evidence.map(gathering::addresses).unwrap_or_default();
        let place = (partner, client, basis.as_of);
        let history = gathering::access_history(&transaction, place, &evidenced).await?;
        drop(transaction);

        let terms = self.terms(&tiers);
        let facts = facts
            .with_last_activity(gathering::last_activity(partner, &history, evidence)?)
            .settled(Relationship::from(activity_side.relationship), Relationship::from(activity_side.earning));
        let row = facts.row(terms, basis.as_of);
        let view = PartnerView { history: &history, partner, client, as_of: basis.as_of };
        let (counted, not_counted) = gathering::activities(view, evidence)?;
        let explanation = explain(&ExplanationFacts::from(ExplanationGrounds {
            view,
            terms,
            credit_facts: &facts.credit_facts,
            relationship: activity_side.relationship,
            credit: row.credit,
            evidenced: &evidenced,
            counted,
            not_counted,
        }));
        Ok((ExplainedRow { row, explanation }, basis))
    }
}

/// Asks activity-tracking for everything that it knows of the client.
async fn ask(source: &EvidenceSource<'_>, client: HubId, minimum: u32) -> Result<ActivitySide, ServiceError> {
    let Some(answer) = source.servicing(client, minimum).await? else { return Ok(ActivitySide::nothing()) };
    let earning = answer.servicing.as_ref().map(standing_from_wire).transpose()?.unwrap_or(NEVER_SERVICED);
    let relationship = match minimum {
        1 => earning,
        _ => source.standings(&[client], 1).await?.first().copied().unwrap_or(NEVER_SERVICED),
    };
    let revisions: BTreeSet<Revision> =
        answer.revisions.iter().map(|text| text.parse().map_err(ServiceError::stored)).collect::<Result<_, _>>()?;
    let revisions = revisions.into_iter().collect();
    Ok(ActivitySide { relationship, earning, evidence: Some(answer), revisions })
}

/// A relationship in which nothing has ever counted.
const NEVER_SERVICED: Standing = Standing {
    state: ServicingState::None,
    serviced_since: None,
    expire_time: None,
    last_activity_time: None,
    live_activities: 0,
};

impl ActivitySide {
    const fn nothing() -> Self {
        Self { relationship: NEVER_SERVICED, earning: NEVER_SERVICED, evidence: None, revisions: Vec::new() }
    }
}
