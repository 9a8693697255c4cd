//! A transaction that reads: one moment of the access log, and who asks.

use std::collections::BTreeSet;

use domain::access::{AccessHistory, Actor, HubId};
use domain::policy::Policy;
use domain::time::Instant;
use service_kit::access_log::{self, Question};
use service_kit::permission::{self, Permission};
use service_kit::{ReadTransaction, ServiceError, require_platform};

use crate::AccessManagement;

pub(super) struct Reading<'service> {
    service: &'service AccessManagement,
    transaction: ReadTransaction,
    actor: Actor,
    now: Instant,
}

impl<'service> Reading<'service> {
    pub async fn begin(service: &'service AccessManagement, actor: Actor) -> Result<Self, ServiceError> {
        let transaction = service.database.begin_read().await?;
        let now = access_log::present_instant(&*transaction, service.clock.now()).await?;
        Ok(Self { service, transaction, actor, now })
    }

    pub const fn transaction(&self) -> &ReadTransaction {
        &self.transaction
    }

    pub fn policy(&self) -> &Policy {
        &self.service.policy
    }

    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The present: never before the last change.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Refuses everybody but the platform.
    pub fn require_platform(&self) -> Result<(), ServiceError> {
        Ok(require_platform(&self.actor)?)
    }

    /// Refuses an actor without this permission in the partner account; before anything is said about what exists.
    pub async fn require_in_partner(&self, permission: Permission, partner: HubId) -> Result<(), ServiceError> {
        permission::require(&*self.transaction, self.policy(), &self.actor, permission, Some(partner), None, self.now)
            .await
    }

    /// Whether the actor is a user of the account of a partner in the programme, with whatever permission; the platform
    /// is one everywhere.
    pub async fn is_user_of_partner(&self, partner: HubId) -> Result<bool, ServiceError> {
        let Actor::Person(person) = &self.actor else { return Ok(true) };
        let (partners, people) = (BTreeSet::from([partner]), BTreeSet::from([person.clone()]));
        let history = self.history(&[Question::Partners(&partners), Question::EmployeesAt(&people)]).await?;
        let standing = history.standing(person, Some(partner), None, self.now, self.policy());
        Ok(standing.partner_role.is_some())
    }

    pub async fn history(&self, questions: &[Question<'_>]) -> Result<AccessHistory, ServiceError> {
        access_log::history(&*self.transaction, questions).await
    }
}
