//! What one client brings one partner.

use contracts::Failure;
use contracts::wire::error::ErrorReason;
use domain::access::HubId;
use service_kit::{ReadTransaction, ServiceError};

use super::breakdown::{Row, RowFacts, load, settle};
use super::reading::{Basis, Question, require_partner};
use crate::CreditCalculation;
use crate::store::clients;

impl CreditCalculation {
    pub(crate) async fn get_managed_credit(
        &self,
        partner: HubId,
        client: HubId,
        question: Question,
    ) -> Result<(Row, Basis), ServiceError> {
        let Question { as_of, at_least, deadline } = question;
        let (transaction, basis) = self.begin_reading(&at_least, as_of, deadline).await?;
        let facts = self.facts_of_client(&transaction, partner, client, &basis).await?;
        drop(transaction);
        let source = self.evidence_source(partner, &basis, deadline);
        let settled = settle(vec![facts], &source, &self.policy).await?;
        let row = settled.first().map(|facts| facts.row(&self.policy, basis.as_of));
        Ok((row.ok_or_else(|| unknown_client(client))?, basis))
    }

    /// The facts of one client, which must be known by something.
    pub(super) async fn facts_of_client(
        &self,
        transaction: &ReadTransaction,
        partner: HubId,
        client: HubId,
        basis: &Basis,
    ) -> Result<RowFacts, ServiceError> {
        require_partner(transaction, partner).await?;
        let known = clients::load(&**transaction, &[client]).await?;
        let facts = load(transaction, partner, &[client], known, &self.policy, basis.as_of).await?;
        facts.into_iter().find(RowFacts::is_known).ok_or_else(|| unknown_client(client).into())
    }
}

fn unknown_client(client: HubId) -> Failure {
    Failure::new(ErrorReason::UnknownClient, format!("client {client} is not known"))
}
