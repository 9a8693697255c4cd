//! Months of partners are frozen, and read again.

use contracts::wire::error::ErrorReason;
use contracts::wire::maintenance;
use contracts::wire::maintenance::maintenance_service_client::MaintenanceServiceClient;
use contracts::{Failure, Feed, Revision, StatementName};
use domain::access::{Actor, HubId};
use domain::statement::{Month, Statement};
use service_kit::{ReadTransaction, ServiceError, Statement as Stated};
use tonic::Request;

use super::breakdown::{Loaded, settle};
use super::point_facts::all_point_facts;
use super::reading::{Basis, Question};
use super::recording::{Begun, Recording};
use super::statement_document::{MonthFacts, just_before};
use crate::CreditCalculation;
use crate::evidence::{Deadline, away};
use crate::store::statements::{self, RecordedStatement};

/// A statement, and whether it was there before.
#[derive(Debug)]
pub(crate) struct IssuedStatement {
    pub statement: RecordedStatement,
    pub already_issued: bool,
}

impl CreditCalculation {
    pub(crate) async fn issue_statement(
        &self,
        name: StatementName,
        question: Question,
    ) -> Result<IssuedStatement, ServiceError> {
        let Question { at_least, deadline, actor, .. } = question;
        if let Some(statement) = statements::find(self.database.connection(), name).await? {
            return Ok(IssuedStatement { statement, already_issued: true });
        }
        let known = self.require_due(name.month, &at_least, deadline).await?;
        let as_of = Some(name.month.last_instant());
        let (transaction, basis) = self.begin_reading(&known, as_of, deadline).await?;
        self.require_partner(&transaction, &actor, name.partner).await?;
        let document = self.document(transaction, name, &basis, deadline).await?;
        self.record_statement(name, &document).await
    }

    /// Refuses a month that is not over, or of which something may still be unknown or provisional; answers the revisions
    /// by which nothing was.
    async fn require_due(
        &self,
        month: Month,
        at_least: &[Revision],
        deadline: Deadline,
    ) -> Result<Vec<Revision>, ServiceError> {
        let (transaction, basis) = self.begin_reading(at_least, None, deadline).await?;
        drop(transaction);
        if basis.calculation_time < month.end() {
            return Err(not_due(&format!("{month} is not over yet")).into());
        }
        if basis.fresh_time.is_none_or(|fresh_time| fresh_time < month.end()) {
            return Err(not_due(&format!("the facts are not known to be complete up to the end of {month}")).into());
        }
        let status = self.activity_status(deadline).await?;
        let waiting = status.rejudging.as_ref().map(|rejudging| rejudging.waiting_tasks).unwrap_or_default();
        if status.provisional_activities > 0 || waiting > 0 {
            let message = format!(
                "{} verdicts are provisional, and {waiting} tasks wait to be judged again",
                status.provisional_activities
            );
            return Err(not_due(&message).into());
        }
        // What activity-tracking had said by then, and what access-management had by the time that the copy is complete.
        let said: Revision = status.revision.parse().map_err(ServiceError::stored)?;
        let access = basis.revisions.iter().copied().filter(|revision| revision.feed == Feed::Access);
        Ok(at_least.iter().copied().chain(access).chain([said]).collect())
    }

    async fn activity_status(&self, deadline: Deadline) -> Result<maintenance::GetStatusResponse, ServiceError> {
        let mut request = Request::new(maintenance::GetStatusRequest {});
        request.set_timeout(deadline.saturating_duration_since(Deadline::now()));
        let mut activity = MaintenanceServiceClient::new(self.activity.clone());
        let answer = tokio::time::timeout_at(deadline, activity.get_status(request)).await;
        let answer = answer.unwrap_or_else(|_| Err(tonic::Status::deadline_exceeded("no answer in time")));
        answer.map(tonic::Response::into_inner).map_err(away)
    }

    async fn document(
        &self,
        transaction: ReadTransaction,
        name: StatementName,
        basis: &Basis,
        deadline: Deadline,
    ) -> Result<Statement, ServiceError> {
        let stretch = (just_before(name.month), name.month.last_instant());
        let Loaded { facts, tiers } = all_point_facts(&transaction, name.partner, stretch).await?;
        drop(transaction);
        let terms = self.terms(&tiers);
        let source = self.evidence_source(&Actor::Platform, name.partner, basis, deadline);
        let facts = settle(facts, &source, terms).await?;
        let of_month = MonthFacts { partner: name.partner, month: name.month, facts: &facts, terms, basis };
        Ok(of_month.document())
    }

    async fn record_statement(
        &self,
        name: StatementName,
        document: &Statement,
    ) -> Result<IssuedStatement, ServiceError> {
        let stated = Stated {
            actor: Actor::Platform,
            on_behalf_of: None,
            effective_time: None,
            reason: String::new(),
            request: None,
        };
        let Begun::New(mut recording) =
            Recording::begin::<contracts::wire::credit::IssueStatementResponse>(self, stated).await?
        else {
            return Err(ServiceError::stored("a statement has no request id"));
        };
        // Somebody else may have issued it meanwhile.
        if let Some(statement) = statements::find(&**recording.transaction(), name).await? {
            return Ok(IssuedStatement { statement, already_issued: true });
        }
        let text = String::from_utf8(document.exported()).map_err(ServiceError::stored)?;
        let row = statements::row(name, document, recording.next())?;
        statements::insert(&**recording.append(&row), row, text).await?;
        let statement = statements::find(&**recording.transaction(), name).await?;
        recording.commit(contracts::wire::credit::IssueStatementResponse::default()).await?;
        let statement = statement.ok_or_else(|| ServiceError::stored("the statement is not there"))?;
        Ok(IssuedStatement { statement, already_issued: false })
    }

    pub(crate) async fn get_statement(
        &self,
        name: StatementName,
        question: Question,
    ) -> Result<RecordedStatement, ServiceError> {
        let (transaction, _) = self.begin_partner_reading(name.partner, &question).await?;
        let found = statements::find(&*transaction, name).await?;
        found.ok_or_else(|| Failure::new(ErrorReason::UnknownStatement, format!("there is no {name}")).into())
    }

    /// Newest month first.
    pub(crate) async fn list_statements(
        &self,
        partner: HubId,
        question: Question,
    ) -> Result<Vec<RecordedStatement>, ServiceError> {
        let (transaction, _) = self.begin_partner_reading(partner, &question).await?;
        statements::of_partner(&*transaction, partner).await
    }

    /// The document as text.
    pub(crate) async fn export_statement(
        &self,
        name: StatementName,
        question: Question,
    ) -> Result<String, ServiceError> {
        let statement = self.get_statement(name, question).await?;
        statements::document(self.database.connection(), statement.position).await
    }
}

fn not_due(missing: &str) -> Failure {
    Failure::new(ErrorReason::StatementNotDue, format!("{missing}; try again later"))
}
