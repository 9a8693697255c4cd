//! Everything that the points of a partner depend on over a stretch of time.

use domain::access::HubId;
use domain::tier::CreditedTiers;
use domain::time::Instant;
use service_kit::ServiceError;
use service_kit::permission::unknown_client;

use super::breakdown::{Loaded, RowFacts, load};
use super::reading::{Basis, Question, require_client};
use crate::CreditCalculation;
use crate::store::{clients, contacts};

/// Whose points, of which clients.
#[derive(Debug, Clone, Copy)]
pub(super) struct ClientScope {
    pub partner: HubId,
    /// Absent means all.
    pub client: Option<HubId>,
}

/// The facts of clients for every instant of a stretch, both ends included.
#[derive(Debug)]
pub(super) struct PointFacts {
    pub stretch: (Instant, Instant),
    pub facts: Vec<RowFacts>,
    pub tiers: CreditedTiers,
    /// As of the end of the stretch.
    pub basis: Basis,
}

impl CreditCalculation {
    /// The facts of all clients with which the partner had anything to do by the end of the stretch, which may depend on
    /// what is now.
    pub(super) async fn point_facts(
        &self,
        scope: ClientScope,
        stretch: impl FnOnce(Instant) -> (Instant, Instant),
        question: Question,
    ) -> Result<PointFacts, ServiceError> {
        let Question { actor, at_least, deadline, .. } = question;
        let ClientScope { partner, client } = scope;
        let (transaction, basis) = self.begin_reading(&at_least, None, deadline).await?;
        self.require_partner(&transaction, &actor, partner).await?;
        let stretch = stretch(basis.calculation_time);
        let client_ids = match client {
            Some(client) => {
                require_client(&transaction, &actor, partner, client).await?;
                vec![client]
            }
            None => contacts::clients_of(&*transaction, partner, stretch.1).await?,
        };
        let known = clients::load(&*transaction, &client_ids).await?;
        let Loaded { facts, tiers } = load(&transaction, partner, &client_ids, known, stretch).await?;
        if let Some(client) = client.filter(|_| !facts.iter().all(RowFacts::is_known)) {
            return Err(unknown_client(client).into());
        }
        Ok(PointFacts { stretch, facts, tiers, basis: Basis { as_of: stretch.1, ..basis } })
    }
}
