//! What one client brings one partner.

use std::sync::Arc;

use domain::access::{Actor, HubId};
use domain::tier::CreditedTiers;
use service_kit::permission::unknown_client;
use service_kit::{ReadTransaction, ServiceError};

use super::breakdown::{Loaded, Row, RowFacts, load, settle};
use super::reading::{Basis, Question, require_client};
use crate::CreditCalculation;
use crate::kept::{Held, Wanted};
use crate::store::clients;

/// What is known of one client of a partner.
struct OneClient {
    pair: RowFacts,
    tiers: Arc<CreditedTiers>,
    basis: Basis,
}

impl CreditCalculation {
    pub(crate) async fn get_managed_credit(
        &self,
        partner: HubId,
        client: HubId,
        question: Question,
    ) -> Result<(Row, Basis), ServiceError> {
        let Question { actor, at_least, deadline, .. } = &question;
        self.wait_for(at_least, *deadline).await?;
        let OneClient { pair, tiers, basis } = self.one_client(partner, client, &question).await?;
        let terms = self.terms(&tiers);
        let source = self.evidence_source(actor, partner, &basis, *deadline);
        let settled = settle(vec![pair], &source, terms).await?;
        let settled = self.with_last_activities(settled, &source).await?;
        let row = settled.first().map(|facts| facts.row(terms, basis.as_of));
        Ok((row.ok_or_else(|| unknown_client(client))?, basis))
    }

    /// What is known of one client, which must be known by something, for an actor who may know of it.
    async fn one_client(&self, partner: HubId, client: HubId, question: &Question) -> Result<OneClient, ServiceError> {
        let Question { actor, as_of, at_least, deadline } = question;
        if *actor != Actor::Platform {
            let transaction = self.database.begin_read().await?;
            self.require_partner(&transaction, actor, partner).await?;
            require_client(&transaction, actor, partner, client).await?;
        }
        if let Some(Held { places, tiers, pairs }) = self.held(partner, Wanted::Client(client), at_least).await? {
            let pair = pairs.first().filter(|pair| pair.is_known()).ok_or_else(|| unknown_client(client))?;
            let pair = RowFacts::from(Arc::clone(pair));
            return Ok(OneClient { pair, tiers, basis: self.basis_of(&places, *as_of) });
        }
        let (transaction, basis) = self.begin_reading(at_least, *as_of, *deadline).await?;
        let (pair, tiers) = self.facts_of_client(&transaction, actor, partner, client, &basis).await?;
        Ok(OneClient { pair, tiers: Arc::new(tiers), basis })
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
        let facts = facts.into_iter().find(|facts| facts.is_known()).ok_or_else(|| unknown_client(client))?;
        Ok((facts, tiers))
    }
}
