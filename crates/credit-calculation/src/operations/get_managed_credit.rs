//! What one client brings one partner.

use domain::access::{Actor, HubId};
use domain::tier::CreditedTiers;
use service_kit::permission::unknown_client;
use service_kit::{ReadTransaction, ServiceError};

use super::breakdown::{Loaded, Row, RowFacts, load, settle};
use super::reading::{Basis, Question, require_client};
use crate::CreditCalculation;
use crate::store::clients;

impl CreditCalculation {
    pub(crate) async fn get_managed_credit(
        &self,
        partner: HubId,
        client: HubId,
        question: Question,
    ) -> Result<(Row, Basis), ServiceError> {
        let Question { actor, as_of, at_least, deadline } = question;
        let (transaction, basis) = self.begin_reading(&at_least, as_of, deadline).await?;
        let (facts, tiers) = self.facts_of_client(&transaction, &actor, partner, client, &basis).await?;
        drop(transaction);
        let terms = self.terms(&tiers);
        let source = self.evidence_source(&actor, partner, &basis, deadline);
        let settled = settle(vec![facts], &source, terms).await?;
        let settled = self.with_last_activities(settled, &source).await?;
        let row = settled.first().map(|facts| facts.row(terms, basis.as_of));
        Ok((row.ok_or_else(|| unknown_client(client))?, basis))
    }

    /// The facts of one client, which must be known by something, for an actor who may know of it; and the tiers of everybody
    /// who services it.
    pub(super) async fn facts_of_client(
        &self,
        transaction: &ReadTransaction,
        actor: &Actor,
        partner: HubId,
        client: HubId,
        basis: &Basis,
    ) -> Result<(RowFacts, CreditedTiers), ServiceError> {
        self.require_partner(transaction, actor, partner).await?;
        require_client(transaction, actor, partner, client).await?;
        let known = clients::load(&**transaction, &[client]).await?;
        let stretch = (basis.as_of, basis.as_of);
        let Loaded { facts, tiers } = load(transaction, partner, &[client], known, stretch).await?;
        let facts = facts.into_iter().find(RowFacts::is_known).ok_or_else(|| unknown_client(client))?;
        Ok((facts, tiers))
    }
}
