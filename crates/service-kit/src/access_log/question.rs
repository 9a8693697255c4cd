//! Which changes a question needs.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::{AccessHistory, ClientUserId, EmailAddress, EmployeeId, HubId};
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QueryOrder as _, QuerySelect as _};

use super::entity::{Column, Entity, Model};
use super::{change, row_position};
use crate::ServiceError;

/// A set of changes.
#[derive(Debug, Clone, Copy)]
pub enum Question<'keys> {
    /// What is known of every partner itself: names, domains, status.
    AllPartners,
    /// What is known of these partners themselves.
    Partners(&'keys BTreeSet<HubId>),
    /// The employees, of any partner, with these addresses.
    EmployeesAt(&'keys BTreeSet<EmailAddress>),
    /// What is known of these clients themselves.
    Clients(&'keys BTreeSet<HubId>),
    /// The users and links, in these clients, of people with these addresses.
    UsersAndLinks {
        /// Where.
        clients: &'keys BTreeSet<HubId>,
        /// Who.
        addresses: &'keys BTreeSet<EmailAddress>,
    },
    /// The users and links of these clients, of anybody.
    UsersAndLinksOf(&'keys BTreeSet<HubId>),
    /// The users and links, in any client, of people with these addresses.
    UsersAndLinksAnywhere(&'keys BTreeSet<EmailAddress>),
}

impl Question<'_> {
    fn condition(self) -> Condition {
        let numbers = |ids: &BTreeSet<HubId>| ids.iter().map(|id| id.get()).collect::<Vec<_>>();
        let texts = |addresses: &BTreeSet<EmailAddress>| addresses.iter().map(ToString::to_string).collect::<Vec<_>>();
        let about_partners = || Condition::all().add(Column::ClientId.is_null()).add(Column::Address.is_null());
        match self {
            Self::AllPartners => about_partners().add(Column::PartnerId.is_not_null()),
            Self::Partners(partners) => about_partners().add(Column::PartnerId.is_in(numbers(partners))),
            Self::EmployeesAt(addresses) => {
                Condition::all().add(Column::ClientId.is_null()).add(Column::Address.is_in(texts(addresses)))
            }
            Self::Clients(clients) => {
                Condition::all().add(Column::ClientId.is_in(numbers(clients))).add(Column::Address.is_null())
            }
            Self::UsersAndLinks { clients, addresses } => Condition::all()
                .add(Column::ClientId.is_in(numbers(clients)))
                .add(Column::Address.is_in(texts(addresses))),
            Self::UsersAndLinksOf(clients) => {
                Condition::all().add(Column::ClientId.is_in(numbers(clients))).add(Column::Address.is_not_null())
            }
            Self::UsersAndLinksAnywhere(addresses) => {
                Condition::all().add(Column::ClientId.is_not_null()).add(Column::Address.is_in(texts(addresses)))
            }
        }
    }

    fn is_empty(self) -> bool {
        match self {
            Self::AllPartners => false,
            Self::Partners(ids) | Self::Clients(ids) | Self::UsersAndLinksOf(ids) => ids.is_empty(),
            Self::EmployeesAt(addresses) | Self::UsersAndLinksAnywhere(addresses) => addresses.is_empty(),
            Self::UsersAndLinks { clients, addresses } => clients.is_empty() || addresses.is_empty(),
        }
    }
}

/// The history that the changes of all these questions make.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn history<C: ConnectionTrait>(
    connection: &C,
    questions: &[Question<'_>],
) -> Result<AccessHistory, ServiceError> {
    let mut rows: BTreeMap<u64, Model> = BTreeMap::new();
    for question in questions.iter().filter(|question| !question.is_empty()) {
        let found = Entity::find().filter(question.condition()).order_by_asc(Column::Position).all(connection).await?;
        rows.extend(found.into_iter().map(|row| (row_position(&row), row)));
    }
    let changes = rows.values().map(change).collect::<Result<Vec<_>, _>>()?;
    Ok(AccessHistory::from_changes(changes))
}

/// Adds the employees with these addresses, and the partners that they belong to.
async fn with_employees<C: ConnectionTrait>(
    connection: &C,
    addresses: &BTreeSet<EmailAddress>,
    questions: &[Question<'_>],
) -> Result<AccessHistory, ServiceError> {
    let people = history(connection, &[Question::EmployeesAt(addresses)]).await?;
    let employers = addresses.iter().flat_map(|address| people.employees(address)).map(|employee| employee.partner);
    let employers = employers.collect();
    let mut questions = questions.to_vec();
    questions.extend([Question::EmployeesAt(addresses), Question::Partners(&employers)]);
    history(connection, &questions).await
}

/// Everything that decides whether an activity of one of these people in one of these clients counts.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn history_for_judging<C: ConnectionTrait>(
    connection: &C,
    clients: &BTreeSet<HubId>,
    addresses: &BTreeSet<EmailAddress>,
) -> Result<AccessHistory, ServiceError> {
    let there = [Question::Clients(clients), Question::UsersAndLinks { clients, addresses }];
    with_employees(connection, addresses, &there).await
}

/// Everything about everybody who ever had to do with these clients, of whatever partner: presence, assignments,
/// endings.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn history_of_clients<C: ConnectionTrait>(
    connection: &C,
    clients: &BTreeSet<HubId>,
) -> Result<AccessHistory, ServiceError> {
    let there = [Question::Clients(clients), Question::UsersAndLinksOf(clients)];
    let addresses =
        history(connection, &there).await?.changes().filter_map(|change| change.fact.address().cloned()).collect();
    with_employees(connection, &addresses, &there).await
}

/// The addresses of everybody who ever was a partner's employee.
///
/// # Errors
/// The database fails, or a stored address cannot be read.
pub async fn employee_addresses<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
) -> Result<BTreeSet<EmailAddress>, ServiceError> {
    let addresses: Vec<String> = Entity::find()
        .select_only()
        .column(Column::Address)
        .distinct()
        .filter(Column::PartnerId.eq(partner.get()))
        .filter(Column::ClientId.is_null())
        .filter(Column::Address.is_not_null())
        .into_tuple()
        .all(connection)
        .await?;
    addresses.into_iter().map(|address| address.parse().map_err(ServiceError::stored)).collect()
}

/// The address of an employee, if there ever was one with this id.
///
/// # Errors
/// The database fails, or the stored address cannot be read.
pub async fn employee_address<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
    employee: EmployeeId,
) -> Result<Option<EmailAddress>, ServiceError> {
    let about_employees = Condition::all().add(Column::PartnerId.eq(partner.get())).add(Column::ClientId.is_null());
    address_of(connection, employee.0, about_employees).await
}

/// The address of a client user, if there ever was one with this id.
///
/// # Errors
/// The database fails, or the stored address cannot be read.
pub async fn user_address<C: ConnectionTrait>(
    connection: &C,
    client: HubId,
    user: ClientUserId,
) -> Result<Option<EmailAddress>, ServiceError> {
    let about_users = Condition::all().add(Column::ClientId.eq(client.get())).add(Column::PartnerId.is_null());
    address_of(connection, user.0, about_users).await
}

async fn address_of<C: ConnectionTrait>(
    connection: &C,
    subject: Uuid,
    about: Condition,
) -> Result<Option<EmailAddress>, ServiceError> {
    let row = Entity::find().filter(Column::SubjectId.eq(subject)).filter(about).one(connection).await?;
    row.and_then(|row| row.address).map(|address| address.parse().map_err(ServiceError::stored)).transpose()
}
