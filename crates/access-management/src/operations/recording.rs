//! A transaction that appends to the access log.

use contracts::{EmployeeName, Failure, Revision};
use domain::access::{AccessChange, AccessFact, AccessHistory, Actor, Audit, EmailAddress, HubId};
use domain::policy::Policy;
use domain::time::Instant;
use prost::Message;
use service_kit::access_log::{self, Question};
use service_kit::feed::{Head, lock_head, store_head};
use service_kit::permission::{self, Permission};
use service_kit::{ServiceError, Statement, WriteTransaction, request_log, require_platform};

use super::known_employee::unknown_employee;
use crate::AccessManagement;

/// An open transaction that holds the end of the log, so that what it has loaded cannot change before it commits.
///
/// The feed's head is locked first, not last: writes of access queue anyway for their positions, they are few, and two
/// people who act at once then simply act one after the other.
pub(super) struct Recording<'service> {
    service: &'service AccessManagement,
    transaction: WriteTransaction,
    head: Head,
    statement: Statement,
    now: Instant,
}

/// What a write begins with.
#[expect(clippy::large_enum_variant, reason = "there is one per call, and it is taken apart at once")]
pub(super) enum Begun<'service, A> {
    /// It is new.
    New(Recording<'service>),
    /// It is the repeat of one that was answered before.
    Repeated(A),
}

impl<'service> Recording<'service> {
    pub async fn begin<A: Message + Default>(
        service: &'service AccessManagement,
        statement: Statement,
    ) -> Result<Begun<'service, A>, ServiceError> {
        let transaction = service.database.begin_write().await?;
        let head = lock_head(&*transaction, access_log::FEED).await?;
        if let Some(answer) = request_log::first_answer(&*transaction, statement.request.as_ref()).await? {
            return Ok(Begun::Repeated(answer));
        }
        let now = access_log::present_instant(&*transaction, service.clock.now()).await?;
        Ok(Begun::New(Self { service, transaction, head, statement, now }))
    }

    pub fn transaction(&self) -> &WriteTransaction {
        &self.transaction
    }

    pub fn policy(&self) -> &Policy {
        &self.service.policy
    }

    pub fn actor(&self) -> &Actor {
        &self.statement.actor
    }

    /// The present: never before the last change.
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// When the change takes effect.
    pub fn effective_time(&self) -> Instant {
        self.statement.effective_time.unwrap_or(self.now)
    }

    /// Refuses everybody but the platform.
    pub fn require_platform(&self) -> Result<(), ServiceError> {
        Ok(require_platform(self.actor())?)
    }

    /// Refuses an actor without this permission; before anything is said about what exists.
    pub async fn require(
        &self,
        permission: Permission,
        partner: Option<HubId>,
        client: Option<HubId>,
    ) -> Result<(), ServiceError> {
        permission::require(&*self.transaction, self.policy(), self.actor(), permission, partner, client, self.now)
            .await
    }

    /// The address of an employee, also a deleted one.
    pub async fn address_of(&self, name: EmployeeName) -> Result<EmailAddress, ServiceError> {
        let address = access_log::employee_address(&*self.transaction, name.partner, name.employee).await?;
        Ok(address.ok_or_else(|| unknown_employee(name))?)
    }

    pub async fn history(&self, questions: &[Question<'_>]) -> Result<AccessHistory, ServiceError> {
        access_log::history(&**self.transaction(), questions).await
    }

    /// Whether an update is to be recorded. One that changes nothing now is not. One that is stated for an instant is, also
    /// where it changes nothing there: an earlier change may still arrive, and must not speak in its place. Only what was
    /// said of that very instant is a repeat.
    pub fn is_news(&self, history: &AccessHistory, fact: &AccessFact, changes_something: bool) -> bool {
        let Some(stated) = self.statement.effective_time else { return changes_something };
        let is_repeat = |change: &AccessChange| change.effective_time == stated && change.fact == *fact;
        changes_something || !history.changes().any(is_repeat)
    }

    /// What a history says by the effective time: an update is compared with what was then.
    pub fn as_of_effective_time(&self, history: &AccessHistory) -> AccessHistory {
        let by_then = history.changes().filter(|change| change.effective_time <= self.effective_time());
        AccessHistory::from_changes(by_then.cloned())
    }

    /// Appends the fact to the log and to the history, if the history admits it.
    pub async fn record(&mut self, history: &mut AccessHistory, fact: AccessFact) -> Result<u64, ServiceError> {
        self.record_at(history, fact, self.effective_time()).await
    }

    /// As `record`, at an effective time of the fact's own.
    pub async fn record_at(
        &mut self,
        history: &mut AccessHistory,
        fact: AccessFact,
        effective_time: Instant,
    ) -> Result<u64, ServiceError> {
        history.admit(&fact, effective_time, self.now, self.policy()).map_err(|refusal| Failure::from(&refusal))?;
        let audit = self.audit(history, &fact, effective_time);
        let (now, actor) = (self.now, &self.statement.actor);
        let change: AccessChange =
            access_log::append(&*self.transaction, &mut self.head, fact, effective_time, now, actor, audit).await?;
        let position = change.position;
        history.record(change);
        Ok(position)
    }

    fn audit(&self, history: &AccessHistory, fact: &AccessFact, effective_time: Instant) -> Audit {
        let states = history.audit(fact, effective_time, self.policy());
        Audit {
            on_behalf_of: self.statement.on_behalf_of.clone(),
            request_id: self.statement.request.as_ref().map(|request| request.id),
            reason: self.statement.reason.clone(),
            old_state: states.old_state,
            new_state: states.new_state,
            ended_relationships: states.ended_relationships,
        }
    }

    /// The revision that contains everything that was recorded so far.
    pub const fn revision(&self) -> Revision {
        self.head.revision()
    }

    /// Commits with the answer, which a repeat of the request will be given too, and tells the watch streams.
    pub async fn commit<A: Message>(self, answer: A) -> Result<A, ServiceError> {
        store_head(&*self.transaction, &self.head).await?;
        request_log::remember(&*self.transaction, self.statement.request.as_ref(), &answer, self.now).await?;
        self.transaction.commit().await?;
        self.service.news.send_replace(self.head.position);
        Ok(answer)
    }
}
