//! A read: which instant it is about, what it must know, and what it knew.

use contracts::wire::error::ErrorReason;
use contracts::{Failure, Feed, Revision};
use domain::access::{Actor, HubId};
use domain::credit::Terms;
use domain::tier::CreditedTiers;
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::access_log::{self, Question as AccessQuestion};
use service_kit::feed::{read_cursor, read_head};
use service_kit::permission::{self, Permission, unknown_client, unknown_partner};
use service_kit::{MAXIMUM_WAIT, ReadTransaction, ServiceError};

use crate::CreditCalculation;
use crate::evidence::{Deadline, EvidenceSource};
use crate::store::sold_credits;

/// What every read states beside its subject.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// Who asks.
    pub actor: Actor,
    /// Absent means now; a later instant means "if nothing else happens".
    pub as_of: Option<Instant>,
    /// What the answer must know.
    pub at_least: Vec<Revision>,
    /// Until when evidence is waited for, and facts where that is sooner than their own limit.
    pub deadline: Deadline,
}

/// What an answer rests on (R125).
#[derive(Debug, Clone)]
pub(crate) struct Basis {
    pub as_of: Instant,
    pub calculation_time: Instant,
    pub revisions: Vec<Revision>,
    /// When both copies were last known to be complete.
    pub fresh_time: Option<Instant>,
}

impl CreditCalculation {
    /// Waits until the copies here know these revisions.
    pub(super) async fn wait_for(&self, revisions: &[Revision], deadline: Deadline) -> Result<(), Failure> {
        let limit = deadline.saturating_duration_since(Deadline::now()).min(MAXIMUM_WAIT);
        self.watermarks.wait_for(revisions, Some(Feed::Servicing), limit).await
    }

    /// One moment of the database that knows at least what was asked, and what an answer from it rests on.
    pub(super) async fn begin_reading(
        &self,
        at_least: &[Revision],
        as_of: Option<Instant>,
        deadline: Deadline,
    ) -> Result<(ReadTransaction, Basis), ServiceError> {
        self.wait_for(at_least, deadline).await?;
        let transaction = self.database.begin_read().await?;
        // Read in the same transaction as the facts: exactly what the answer knows, not what arrived since.
        let access = read_cursor(&*transaction, Feed::Access).await?;
        let servicing = read_cursor(&*transaction, Feed::Servicing).await?;
        let own = read_head(&*transaction, Feed::Credit).await?.revision();
        require_own(at_least, own)?;
        let calculation_time = self.clock.now();
        let copies = [&access, &servicing].map(|cursor| Revision { feed: cursor.feed, position: cursor.position });
        let basis = Basis {
            as_of: as_of.unwrap_or(calculation_time),
            calculation_time,
            revisions: copies.into_iter().chain([own]).collect(),
            fresh_time: access.caught_up_time.zip(servicing.caught_up_time).map(|(one, other)| one.min(other)),
        };
        Ok((transaction, basis))
    }

    /// Refuses an actor who may not read this partner's credit, and a partner that access-management has not made known:
    /// by the facts that the answer knows, before anything reveals what exists.
    pub(super) async fn require_partner(
        &self,
        transaction: &ReadTransaction,
        actor: &Actor,
        partner: HubId,
    ) -> Result<(), ServiceError> {
        self.require_permission(&**transaction, actor, partner).await?;
        let history = access_log::history(&**transaction, &[AccessQuestion::Partners(&[partner].into())]).await?;
        if history.partner(partner).is_some() { Ok(()) } else { Err(unknown_partner(partner).into()) }
    }

    /// Refuses an actor who may not read this partner's credit.
    pub(super) async fn require_permission<C: ConnectionTrait>(
        &self,
        connection: &C,
        actor: &Actor,
        partner: HubId,
    ) -> Result<(), ServiceError> {
        let (now, permission) = (self.clock.now(), Permission::ViewCredit);
        permission::require(connection, &self.policy, actor, permission, Some(partner), None, now).await
    }

    /// What holds for all clients alike.
    pub(super) fn terms<'question>(&'question self, tiers: &'question CreditedTiers) -> Terms<'question> {
        Terms { policy: &self.policy, tiers }
    }

    /// Where evidence for an answer on this basis comes from.
    pub(super) fn evidence_source<'question>(
        &'question self,
        actor: &'question Actor,
        partner: HubId,
        basis: &'question Basis,
        deadline: Deadline,
    ) -> EvidenceSource<'question> {
        EvidenceSource {
            activity: &self.activity,
            actor,
            partner,
            as_of: basis.as_of,
            at_least: &basis.revisions,
            deadline,
        }
    }
}

/// A revision of this service's own facts is known as soon as it exists; one ahead of the head is of another history.
pub(super) fn require_own(at_least: &[Revision], own: Revision) -> Result<(), Failure> {
    match at_least.iter().find(|revision| revision.feed == own.feed && revision.position > own.position) {
        None => Ok(()),
        Some(ahead) => {
            Err(Failure::new(ErrorReason::FactsBehind, format!("asked to know {ahead}, knows {own} so far; try again")))
        }
    }
}

/// Refuses a person a client with which the partner has nothing to do, and to which it sold nothing, as if it did not exist
/// (R26, R127).
pub(super) async fn require_client(
    transaction: &ReadTransaction,
    actor: &Actor,
    partner: HubId,
    client: HubId,
) -> Result<(), ServiceError> {
    if *actor == Actor::Platform {
        return Ok(());
    }
    let history = access_log::history_of_clients(&**transaction, &[client].into()).await?;
    if history.exists_for(client, partner) {
        return Ok(());
    }
    let sold_to = sold_credits::by_client(&**transaction, partner).await?;
    if sold_to.contains_key(&client) { Ok(()) } else { Err(unknown_client(client).into()) }
}
