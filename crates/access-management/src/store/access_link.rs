//! Access links (R30).

use std::collections::BTreeSet;

use contracts::wire::access::AccessLinkState;
use contracts::{AccessLinkName, ClientUserName, EmployeeName};
use domain::access::{AccessLinkId, ClientUserId, EmailAddress, EmployeeId, HubId};
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, Condition, QueryOrder as _, QuerySelect as _, Select};
use service_kit::access_log::{self, Named};
use service_kit::{ServiceError, StoredInstant};

use super::hub_id;
use crate::entity::access_link::{ActiveModel, Column, Entity, Model};
use crate::link_token::LinkToken;

/// An access link as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessLink {
    pub name: AccessLinkName,
    /// The only client that may approve it, if it names one.
    pub for_client: Option<HubId>,
    /// From when on it can no longer be approved.
    pub expire_time: Instant,
    /// Who made it: an address, or `platform`.
    pub creator: String,
    pub create_time: Instant,
    pub is_revoked: bool,
    /// Whom its approval made Partner admin, and where.
    pub approved_user: Option<ClientUserName>,
}

/// The place of a link among those of its employee, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LinkPlace {
    pub create_time: Instant,
    pub link: AccessLinkId,
}

impl LinkPlace {
    /// As it travels in a page token.
    pub fn to_bytes(self) -> Vec<u8> {
        let StoredInstant(create_time) = self.create_time.into();
        [create_time.to_be_bytes().as_slice(), self.link.0.as_bytes()].concat()
    }

    /// None where the bytes are no place.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (create_time, link) = bytes.split_first_chunk()?;
        let create_time = StoredInstant(i64::from_be_bytes(*create_time)).into();
        Some(Self { create_time, link: AccessLinkId(Uuid::from_slice(link).ok()?) })
    }
}

impl AccessLink {
    /// Whether it can be approved at an instant.
    pub fn state(&self, at: Instant) -> AccessLinkState {
        if self.approved_user.is_some() {
            AccessLinkState::Approved
        } else if self.is_revoked {
            AccessLinkState::Revoked
        } else if self.expire_time <= at {
            AccessLinkState::Expired
        } else {
            AccessLinkState::Open
        }
    }

    pub const fn place(&self) -> LinkPlace {
        LinkPlace { create_time: self.create_time, link: self.name.link }
    }
}

fn link(row: Model) -> Result<AccessLink, ServiceError> {
    let employee = EmployeeName { partner: hub_id(row.partner_id)?, employee: EmployeeId(row.employee_id) };
    let approved_user = match (row.approved_client_id, row.approved_user_id) {
        (Some(client), Some(user)) => Some(ClientUserName { client: hub_id(client)?, user: ClientUserId(user) }),
        _ => None,
    };
    Ok(AccessLink {
        name: AccessLinkName { employee, link: AccessLinkId(row.link_id) },
        for_client: row.for_client_id.map(hub_id).transpose()?,
        expire_time: row.expire_time.into(),
        creator: row.creator,
        create_time: row.create_time.into(),
        is_revoked: row.revoked,
        approved_user,
    })
}

/// Keeps a new link with the hash of its token.
pub(crate) async fn insert<C: ConnectionTrait>(
    transaction: &C,
    link: &AccessLink,
    token: &LinkToken,
) -> Result<(), ServiceError> {
    let AccessLinkName { employee, link: id } = link.name;
    let row = ActiveModel {
        link_id: Set(id.0),
        partner_id: Set(employee.partner.get()),
        employee_id: Set(employee.employee.0),
        token_hash: Set(token.hash()),
        for_client_id: Set(link.for_client.map(HubId::get)),
        expire_time: Set(link.expire_time.into()),
        creator: Set(link.creator.clone()),
        create_time: Set(link.create_time.into()),
        revoked: Set(link.is_revoked),
        approved_client_id: Set(link.approved_user.map(|user| user.client.get())),
        approved_user_id: Set(link.approved_user.map(|user| user.user.0)),
    };
    Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}

/// A link by its name.
pub(crate) async fn find<C: ConnectionTrait>(
    connection: &C,
    name: AccessLinkName,
) -> Result<Option<AccessLink>, ServiceError> {
    let row = of_employee(name.employee).filter(Column::LinkId.eq(name.link.0)).one(connection).await?;
    row.map(link).transpose()
}

/// The link whose token this is.
pub(crate) async fn find_by_token<C: ConnectionTrait>(
    connection: &C,
    token: &LinkToken,
) -> Result<Option<AccessLink>, ServiceError> {
    let row = Entity::find().filter(Column::TokenHash.eq(token.hash())).one(connection).await?;
    row.filter(|row| token.has_hash(&row.token_hash)).map(link).transpose()
}

/// How many links of an employee can still be approved.
pub(crate) async fn count_open<C: ConnectionTrait>(
    connection: &C,
    employee: EmployeeName,
    now: Instant,
) -> Result<u64, ServiceError> {
    Ok(open_of(employee, now).count(connection).await?)
}

/// The links of an employee that can still be approved, oldest first.
pub(crate) async fn open<C: ConnectionTrait>(
    connection: &C,
    employee: EmployeeName,
    now: Instant,
) -> Result<Vec<AccessLinkName>, ServiceError> {
    let rows = open_of(employee, now).order_by_asc(Column::CreateTime).order_by_asc(Column::LinkId);
    let rows = rows.all(connection).await?;
    Ok(rows.into_iter().map(|row| AccessLinkName { employee, link: AccessLinkId(row.link_id) }).collect())
}

/// The links of an employee behind a place, newest first, at most `limit`.
pub(crate) async fn page<C: ConnectionTrait>(
    connection: &C,
    employee: EmployeeName,
    after: Option<LinkPlace>,
    limit: u64,
) -> Result<Vec<AccessLink>, ServiceError> {
    let behind = after.map(|LinkPlace { create_time, link }| {
        let create_time = StoredInstant::from(create_time);
        let same_instant = Condition::all().add(Column::CreateTime.eq(create_time)).add(Column::LinkId.lt(link.0));
        Condition::any().add(Column::CreateTime.lt(create_time)).add(same_instant)
    });
    let rows = of_employee(employee)
        .filter(Condition::all().add_option(behind))
        .order_by_desc(Column::CreateTime)
        .order_by_desc(Column::LinkId)
        .limit(limit)
        .all(connection)
        .await?;
    rows.into_iter().map(link).collect()
}

/// Nobody can approve it any more.
pub(crate) async fn mark_revoked<C: ConnectionTrait>(transaction: &C, link: AccessLinkId) -> Result<(), ServiceError> {
    let row = ActiveModel { link_id: Set(link.0), revoked: Set(true), ..Default::default() };
    Entity::update(row).exec(transaction).await?;
    Ok(())
}

/// It has worked: once.
pub(crate) async fn mark_approved<C: ConnectionTrait>(
    transaction: &C,
    link: AccessLinkId,
    user: ClientUserName,
) -> Result<(), ServiceError> {
    let row = ActiveModel {
        link_id: Set(link.0),
        approved_client_id: Set(Some(user.client.get())),
        approved_user_id: Set(Some(user.user.0)),
        ..Default::default()
    };
    Entity::update(row).exec(transaction).await?;
    Ok(())
}

/// Puts a pseudonym in the place of an erased creator's address (R128).
pub(crate) async fn replace_address<C: ConnectionTrait>(
    transaction: &C,
    address: &EmailAddress,
    pseudonym: &EmailAddress,
) -> Result<(), ServiceError> {
    Entity::update_many()
        .col_expr(Column::Creator, Expr::value(pseudonym.as_str()))
        .filter(Column::Creator.eq(address.as_str()))
        .exec(transaction)
        .await?;
    Ok(())
}

/// The next employees who have links, or of whom the access log says so, behind one of them.
pub(crate) async fn next_employees<C: ConnectionTrait>(
    connection: &C,
    after: Option<EmployeeId>,
    limit: u64,
) -> Result<Vec<EmployeeId>, ServiceError> {
    let after = after.map(|employee| employee.0);
    let named = access_log::next_named(connection, Named::LinkedEmployees, Column::EmployeeId, after.as_ref(), limit);
    Ok(named.await?.into_iter().map(EmployeeId).collect())
}

/// All links of these employees.
pub(crate) async fn of_employees<C: ConnectionTrait>(
    connection: &C,
    employees: &BTreeSet<EmployeeId>,
) -> Result<Vec<AccessLink>, ServiceError> {
    let ids = employees.iter().map(|employee| employee.0);
    let rows = Entity::find().filter(Column::EmployeeId.is_in(ids)).all(connection).await?;
    rows.into_iter().map(link).collect()
}

fn open_of(employee: EmployeeName, now: Instant) -> Select<Entity> {
    let is_open = Condition::all()
        .add(Column::Revoked.eq(false))
        .add(Column::ApprovedUserId.is_null())
        .add(Column::ExpireTime.gt(StoredInstant::from(now)));
    of_employee(employee).filter(is_open)
}

fn of_employee(employee: EmployeeName) -> Select<Entity> {
    Entity::find()
        .filter(Column::PartnerId.eq(employee.partner.get()))
        .filter(Column::EmployeeId.eq(employee.employee.0))
}
