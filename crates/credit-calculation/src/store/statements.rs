//! Frozen months.

use contracts::StatementName;
use domain::statement::Statement;
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QueryOrder as _, Set};
use service_kit::{ServiceError, position};

use super::own_facts::{OwnFact, Recorded, Row, hashed};
use crate::entity::{statement, statement_document};

/// A statement as it is recorded, without its rows, sales and changes.
#[derive(Debug, Clone)]
pub(crate) struct RecordedStatement {
    pub name: StatementName,
    pub position: u64,
    pub issue_time: Instant,
    /// The rest of the document.
    pub header: Statement,
    pub row_count: i64,
}

impl Row for statement::Model {
    fn own_fact(&self) -> OwnFact {
        let Self { position, partner_id, month, sha256, record_time, actor, .. } = self;
        let columns: [&dyn ToString; 5] = [partner_id, month, sha256, &record_time.0, actor];
        OwnFact { position: *position, actor: actor.clone(), hashed: hashed("statement", &columns) }
    }
}

/// The row of a statement.
pub(crate) fn row(
    name: StatementName,
    document: &Statement,
    recorded: Recorded<'_>,
) -> Result<statement::Model, ServiceError> {
    let (rows, sales, changes) = (Vec::new(), Vec::new(), Vec::new());
    let header = Statement { rows, sales, changes, ..document.clone() };
    Ok(statement::Model {
        position: recorded.position,
        partner_id: name.partner.get(),
        month: name.month.to_string(),
        sha256: document.sha256.clone(),
        header: serde_json::to_string(&header).map_err(ServiceError::stored)?,
        row_count: i64::try_from(document.rows.len()).unwrap_or(i64::MAX),
        record_time: recorded.time.into(),
        actor: recorded.actor.to_string(),
    })
}

/// Records a statement with its document.
pub(crate) async fn insert<C: ConnectionTrait>(
    transaction: &C,
    row: statement::Model,
    document: String,
) -> Result<(), DbErr> {
    let document = statement_document::ActiveModel { position: Set(row.position), document: Set(document) };
    statement::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(transaction).await?;
    statement_document::Entity::insert(document).exec_without_returning(transaction).await?;
    Ok(())
}

pub(crate) async fn find<C: ConnectionTrait>(
    connection: &C,
    name: StatementName,
) -> Result<Option<RecordedStatement>, ServiceError> {
    use statement::{Column, Entity};
    let of_partner = Entity::find().filter(Column::PartnerId.eq(name.partner.get()));
    let row = of_partner.filter(Column::Month.eq(name.month.to_string())).one(connection).await?;
    row.map(from_row).transpose()
}

/// All statements of a partner, newest month first.
pub(crate) async fn of_partner<C: ConnectionTrait>(
    connection: &C,
    partner: domain::access::HubId,
) -> Result<Vec<RecordedStatement>, ServiceError> {
    use statement::{Column, Entity};
    let of_partner = Entity::find().filter(Column::PartnerId.eq(partner.get()));
    of_partner.order_by_desc(Column::Month).all(connection).await?.into_iter().map(from_row).collect()
}

/// The document of a statement.
pub(crate) async fn document<C: ConnectionTrait>(connection: &C, at: u64) -> Result<String, ServiceError> {
    let found = statement_document::Entity::find_by_id(service_kit::stored_position(at)).one(connection).await?;
    found.map(|row| row.document).ok_or_else(|| ServiceError::stored("a statement has no document"))
}

/// The documents behind a position whose hash is not the one that was recorded, among at most `limit`; and the last position
/// that was looked at.
pub(crate) async fn wrong_documents<C: ConnectionTrait>(
    connection: &C,
    after: i64,
    limit: u64,
) -> Result<Option<(i64, u64, Vec<String>)>, ServiceError> {
    use sea_orm::QuerySelect as _;
    let rows = statement::Entity::find().filter(statement::Column::Position.gt(after));
    let rows = rows.order_by_asc(statement::Column::Position).limit(limit).all(connection).await?;
    let Some(last) = rows.last().map(|row| row.position) else { return Ok(None) };
    let checked = rows.len() as u64;
    let mut wrong = Vec::new();
    for row in rows {
        let document = statement_document::Entity::find_by_id(row.position).one(connection).await?;
        let document = document.and_then(|row| serde_json::from_str::<Statement>(&row.document).ok());
        if document.is_none_or(|document| document.hash() != row.sha256 || document.sha256 != row.sha256) {
            wrong.push(from_row(row)?.name.to_string());
        }
    }
    Ok(Some((last, checked, wrong)))
}

fn from_row(row: statement::Model) -> Result<RecordedStatement, ServiceError> {
    Ok(RecordedStatement {
        name: StatementName {
            partner: super::hub_id(row.partner_id)?,
            month: row.month.parse().map_err(ServiceError::stored)?,
        },
        position: position(row.position),
        issue_time: row.record_time.into(),
        header: serde_json::from_str(&row.header).map_err(ServiceError::stored)?,
        row_count: row.row_count,
    })
}
