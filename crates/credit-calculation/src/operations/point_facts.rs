//! Everything that the points of a partner depend on over a stretch of time.

use domain::access::HubId;
use domain::credit::{ClientPoints, PartnerPoints, Terms};
use domain::time::Instant;
use service_kit::permission::unknown_client;
use service_kit::{ReadTransaction, ServiceError};

use super::breakdown::{Loaded, RowFacts, clients_of, load};
use super::reading::{Basis, Question, require_client};
use crate::CreditCalculation;
use crate::store::clients;

impl CreditCalculation {
    /// One moment of the database for a question about a partner, by an actor who may ask.
    pub(super) async fn begin_partner_reading(
        &self,
        partner: HubId,
        question: &Question,
    ) -> Result<(ReadTransaction, Basis), ServiceError> {
        let Question { actor, as_of, at_least, deadline } = question;
        let (transaction, basis) = self.begin_reading(at_least, *as_of, *deadline).await?;
        self.require_partner(&transaction, actor, partner).await?;
        Ok((transaction, basis))
    }
}

/// The facts of all clients with which the partner had anything to do by the end of the stretch, for every instant of it.
pub(super) async fn all_point_facts(
    transaction: &ReadTransaction,
    partner: HubId,
    stretch: (Instant, Instant),
) -> Result<Loaded, ServiceError> {
    let client_ids = clients_of(transaction, partner, stretch.1).await?;
    let known = clients::load(&**transaction, &client_ids).await?;
    load(transaction, partner, &client_ids, known, stretch).await
}

/// The same of one client, which must be known by something, for an actor who may know of it.
pub(super) async fn client_point_facts(
    transaction: &ReadTransaction,
    partner: HubId,
    client: HubId,
    question: &Question,
    stretch: (Instant, Instant),
) -> Result<Loaded, ServiceError> {
    require_client(transaction, &question.actor, partner, client).await?;
    let known = clients::load(&**transaction, &[client]).await?;
    let loaded = load(transaction, partner, &[client], known, stretch).await?;
    if loaded.facts.iter().all(|facts| facts.is_known()) { Ok(loaded) } else { Err(unknown_client(client).into()) }
}

/// The points of all these clients at an instant.
pub(super) fn points_at(facts: &[RowFacts], partner: HubId, terms: Terms<'_>, at: Instant) -> PartnerPoints {
    let mut points = PartnerPoints::default();
    for facts in facts {
        points.add(&ClientPoints::of(&facts.credit_facts, partner, terms, at));
    }
    points
}
