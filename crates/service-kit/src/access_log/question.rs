//! Which changes a question needs.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::{AccessFact, AccessHistory, ClientUserId, EmailAddress, EmployeeId, HubId};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::SimpleExpr;
use sea_orm::{Condition, QuerySelect as _};

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
    /// Everything that names one of these partners: itself, its employees, its links, introductions, ended services.
    OfPartners(&'keys BTreeSet<HubId>),
    /// The employees, of any partner, with these addresses.
    EmployeesAt(&'keys BTreeSet<EmailAddress>),
    /// What is known of these clients themselves, and between them and partners: introductions, ended services.
    Clients(&'keys BTreeSet<HubId>),
    /// That these clients are closed.
    Closings(&'keys BTreeSet<HubId>),
    /// These employees, and nothing else of theirs.
    Employees(&'keys BTreeSet<EmployeeId>),
    /// These client users, and nothing else of theirs.
    ClientUsers(&'keys BTreeSet<ClientUserId>),
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

/// How many keys one query names: two lists of them are within SQLite's 32,766 parameters.
const KEYS_PER_QUERY: usize = 10_000;

impl Question<'_> {
    /// What to look for: nothing where there are no keys, several conditions where there are more than one query holds.
    fn conditions(self) -> Vec<Condition> {
        let about_partners = || Condition::all().add(Column::ClientId.is_null()).add(Column::Address.is_null());
        match self {
            Self::AllPartners => vec![about_partners().add(Column::PartnerId.is_not_null())],
            Self::Partners(partners) => {
                one_of(Column::PartnerId, partners).map(|one| about_partners().add(one)).collect()
            }
            Self::OfPartners(partners) => {
                one_of(Column::PartnerId, partners).map(|one| Condition::all().add(one)).collect()
            }
            Self::EmployeesAt(addresses) => one_of(Column::Address, addresses)
                .map(|one| Condition::all().add(Column::ClientId.is_null()).add(one))
                .collect(),
            Self::Clients(clients) => one_of(Column::ClientId, clients)
                .map(|one| Condition::all().add(Column::Address.is_null()).add(one))
                .collect(),
            Self::Closings(clients) => one_of(Column::ClientId, clients)
                .map(|one| Condition::all().add(Column::Kind.eq("client_closed")).add(one))
                .collect(),
            Self::Employees(employees) => one_of(Column::SubjectId, employees)
                .map(|one| Condition::all().add(Column::ClientId.is_null()).add(one))
                .collect(),
            Self::ClientUsers(users) => one_of(Column::SubjectId, users)
                .map(|one| Condition::all().add(Column::PartnerId.is_null()).add(one))
                .collect(),
            Self::UsersAndLinks { clients, addresses } => one_of(Column::ClientId, clients)
                .flat_map(|client| {
                    one_of(Column::Address, addresses)
                        .map(move |address| Condition::all().add(client.clone()).add(address))
                })
                .collect(),
            Self::UsersAndLinksOf(clients) => one_of(Column::ClientId, clients)
                .map(|one| Condition::all().add(Column::Address.is_not_null()).add(one))
                .collect(),
            Self::UsersAndLinksAnywhere(addresses) => one_of(Column::Address, addresses)
                .map(|one| Condition::all().add(Column::ClientId.is_not_null()).add(one))
                .collect(),
        }
    }
}

/// A key as a query names it.
pub(super) trait Key {
    fn value(&self) -> Value;
}

impl Key for HubId {
    fn value(&self) -> Value {
        self.get().into()
    }
}

impl Key for EmployeeId {
    fn value(&self) -> Value {
        self.0.into()
    }
}

impl Key for ClientUserId {
    fn value(&self) -> Value {
        self.0.into()
    }
}

impl Key for EmailAddress {
    fn value(&self) -> Value {
        self.as_str().into()
    }
}

/// "The column is one of these keys", in portions of a query.
pub(super) fn one_of<K: Key>(column: Column, keys: &BTreeSet<K>) -> impl Iterator<Item = SimpleExpr> {
    let values: Vec<Value> = keys.iter().map(Key::value).collect();
    let portions: Vec<Vec<Value>> = values.chunks(KEYS_PER_QUERY).map(<[Value]>::to_vec).collect();
    portions.into_iter().map(move |portion| column.is_in(portion))
}

/// The history that the changes of all these questions make.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn history<C: ConnectionTrait>(
    connection: &C,
    questions: &[Question<'_>],
) -> Result<AccessHistory, ServiceError> {
    let mut rows = Rows::new();
    load(connection, questions, &mut rows).await?;
    history_in(&rows)
}

/// Changes by their position, as they are stored: each once, whatever questions found it.
pub(super) type Rows = BTreeMap<u64, Model>;

pub(super) async fn load<C: ConnectionTrait>(
    connection: &C,
    questions: &[Question<'_>],
    rows: &mut Rows,
) -> Result<(), ServiceError> {
    for condition in questions.iter().flat_map(|question| question.conditions()) {
        let found = Entity::find().filter(condition).all(connection).await?;
        rows.extend(found.into_iter().map(|row| (row_position(&row), row)));
    }
    Ok(())
}

fn history_in(rows: &Rows) -> Result<AccessHistory, ServiceError> {
    let changes = rows.values().map(change).collect::<Result<Vec<_>, _>>()?;
    Ok(AccessHistory::from_changes(changes))
}

/// The accounts that the changes of a question name in a column, without reading the changes themselves.
async fn hub_ids<C: ConnectionTrait>(
    connection: &C,
    column: Column,
    question: Question<'_>,
) -> Result<BTreeSet<HubId>, ServiceError> {
    let mut found = BTreeSet::new();
    for condition in question.conditions() {
        let named = Entity::find().select_only().column(column).distinct().filter(condition);
        let named: Vec<i64> = named.filter(column.is_not_null()).into_tuple().all(connection).await?;
        for hub_id in named {
            found.insert(HubId::try_from(hub_id).map_err(ServiceError::stored)?);
        }
    }
    Ok(found)
}

/// Adds the employees with these addresses, and the partners that they belong to.
async fn with_employees<C: ConnectionTrait>(
    connection: &C,
    addresses: &BTreeSet<EmailAddress>,
    questions: &[Question<'_>],
) -> Result<AccessHistory, ServiceError> {
    let mut rows = Rows::new();
    load(connection, questions, &mut rows).await?;
    load_employees(connection, addresses, &mut rows).await?;
    history_in(&rows)
}

async fn load_employees<C: ConnectionTrait>(
    connection: &C,
    addresses: &BTreeSet<EmailAddress>,
    rows: &mut Rows,
) -> Result<(), ServiceError> {
    let employers = hub_ids(connection, Column::PartnerId, Question::EmployeesAt(addresses)).await?;
    load(connection, &[Question::EmployeesAt(addresses), Question::Partners(&employers)], rows).await
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
/// endings, and the partners to whom they were introduced.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn history_of_clients<C: ConnectionTrait>(
    connection: &C,
    clients: &BTreeSet<HubId>,
) -> Result<AccessHistory, ServiceError> {
    history_of_clients_and(connection, clients, &[]).await
}

/// As `history_of_clients`, and what else is asked.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn history_of_clients_and<C: ConnectionTrait>(
    connection: &C,
    clients: &BTreeSet<HubId>,
    others: &[Question<'_>],
) -> Result<AccessHistory, ServiceError> {
    let mut rows = Rows::new();
    load(connection, &[Question::Clients(clients), Question::UsersAndLinksOf(clients)], &mut rows).await?;
    let found = history_in(&rows)?;
    let addresses = found.changes().filter_map(|change| change.fact.address().cloned()).collect();
    let partners = found.changes().filter_map(|change| change.fact.partner()).collect();
    load(connection, others, &mut rows).await?;
    load(connection, &[Question::Partners(&partners)], &mut rows).await?;
    load_employees(connection, &addresses, &mut rows).await?;
    history_in(&rows)
}

/// What [`history_for_judging`] and [`history_of_clients`] say of these, in one.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn history_for_verifying<C: ConnectionTrait>(
    connection: &C,
    clients: &BTreeSet<HubId>,
    mut addresses: BTreeSet<EmailAddress>,
) -> Result<AccessHistory, ServiceError> {
    let mut rows = Rows::new();
    load(connection, &[Question::Clients(clients), Question::UsersAndLinksOf(clients)], &mut rows).await?;
    let mut partners = BTreeSet::new();
    for row in rows.values() {
        if let Some(address) = &row.address {
            addresses.insert(address.parse().map_err(ServiceError::stored)?);
        }
        if let Some(partner) = row.partner_id {
            partners.insert(HubId::try_from(partner).map_err(ServiceError::stored)?);
        }
    }
    load(connection, &[Question::Partners(&partners)], &mut rows).await?;
    load_employees(connection, &addresses, &mut rows).await?;
    history_in(&rows)
}

/// Everything about these people: where they are or were employed, users or assigned, with those partners and clients;
/// and what else is asked.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn history_of_people<C: ConnectionTrait>(
    connection: &C,
    addresses: &BTreeSet<EmailAddress>,
    others: &[Question<'_>],
) -> Result<AccessHistory, ServiceError> {
    let there = Question::UsersAndLinksAnywhere(addresses);
    let clients = hub_ids(connection, Column::ClientId, there).await?;
    let mut questions = others.to_vec();
    questions.extend([there, Question::Clients(&clients)]);
    with_employees(connection, addresses, &questions).await
}

/// Everything about one employee, as `history_of_people`; none if there never was one with this id in the partner account.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn history_of_employee<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
    employee: EmployeeId,
) -> Result<Option<AccessHistory>, ServiceError> {
    let Some(address) = employee_address(connection, partner, employee).await? else { return Ok(None) };
    history_of_people(connection, &BTreeSet::from([address]), &[]).await.map(Some)
}

/// Everything between a partner and a client: both themselves, the partner's employees, their users and links there.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn history_of_pair<C: ConnectionTrait>(
    connection: &C,
    client: HubId,
    partner: HubId,
) -> Result<AccessHistory, ServiceError> {
    let (clients, partners) = (BTreeSet::from([client]), BTreeSet::from([partner]));
    let addresses = employee_addresses(connection, partner).await?;
    let there = Question::UsersAndLinks { clients: &clients, addresses: &addresses };
    with_employees(connection, &addresses, &[Question::Partners(&partners), Question::Clients(&clients), there]).await
}

/// Everything that hangs on a partner being in the programme: itself, its employees, their links, and those clients; and
/// what else is asked.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn history_of_partner<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
    others: &[Question<'_>],
) -> Result<AccessHistory, ServiceError> {
    let partners = BTreeSet::from([partner]);
    let of_partner = Question::OfPartners(&partners);
    let clients = hub_ids(connection, Column::ClientId, of_partner).await?;
    let mut questions = others.to_vec();
    questions.extend([of_partner, Question::Clients(&clients)]);
    history(connection, &questions).await
}

/// Everything that may need what a change says, and so forbid to take it back (R22).
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn history_for_retraction<C: ConnectionTrait>(
    connection: &C,
    fact: &AccessFact,
) -> Result<AccessHistory, ServiceError> {
    if let Some(client) = fact.client() {
        return history_of_clients(connection, &BTreeSet::from([client])).await;
    }
    let Some(partner) = fact.partner() else { return Ok(AccessHistory::default()) };
    // What its employees are elsewhere, too: without them, or without its domains, links and ends of services may have
    // nothing to stand on.
    let addresses = employee_addresses(connection, partner).await?;
    let partners = BTreeSet::from([partner]);
    let of_partner = Question::OfPartners(&partners);
    let clients = hub_ids(connection, Column::ClientId, of_partner).await?;
    // Domains are unique among all partners (R37).
    let others = [Question::AllPartners, of_partner, Question::Clients(&clients)];
    history_of_people(connection, &addresses, &others).await
}

/// The clients with which a partner, whose employees are or were these people, ever was recorded to have to do, also by
/// mistake: enough to load by, too much to tell anybody.
///
/// # Errors
/// The database fails.
pub async fn recorded_clients<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
    people: &BTreeSet<EmailAddress>,
) -> Result<BTreeSet<HubId>, ServiceError> {
    let partners = BTreeSet::from([partner]);
    let mut recorded = hub_ids(connection, Column::ClientId, Question::OfPartners(&partners)).await?;
    recorded.extend(hub_ids(connection, Column::ClientId, Question::UsersAndLinksAnywhere(people)).await?);
    Ok(recorded)
}

/// The closed clients that exist for a partner (R26), whose employees are or were these people.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn closed_clients_of<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
    people: &BTreeSet<EmailAddress>,
) -> Result<BTreeSet<HubId>, ServiceError> {
    let known = recorded_clients(connection, partner, people).await?;
    let closed = hub_ids(connection, Column::ClientId, Question::Closings(&known)).await?;
    // Judged by what counts: what named the client may have been taken back.
    let there = Question::UsersAndLinks { clients: &closed, addresses: people };
    let history = history(connection, &[Question::EmployeesAt(people), Question::Clients(&closed), there]).await?;
    Ok(closed.into_iter().filter(|client| history.exists_for(*client, partner)).collect())
}

/// The addresses of everybody of whom it ever was recorded that they are a partner's employee, also by mistake: enough to
/// load by, too much to tell anybody.
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

#[cfg(test)]
mod tests {
    use domain::access::{Actor, Audit, PermissionSet};
    use sea_orm_migration::SchemaManager;

    use super::*;
    use crate::access_log::{FEED, append, create_table};
    use crate::feed::{create_head_table, lock_head};
    use crate::{Database, DatabaseSettings};

    #[tokio::test]
    async fn more_people_than_a_statement_has_parameters_are_asked_about_in_several() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("log.sqlite3").display());
        let database = Database::connect(&url, DatabaseSettings::with_connections(2)).await.expect("a database");
        let manager = SchemaManager::new(database.connection());
        create_table(&manager).await.expect("a table");
        create_head_table(&manager, FEED).await.expect("a table");

        let (client, people) = (HubId::try_from(2002).expect("a hub id"), 33_000);
        let now = "2026-01-01T00:00:00Z".parse().expect("a time");
        let transaction = database.begin_write().await.expect("a transaction");
        let mut head = lock_head(&*transaction, FEED).await.expect("the head");
        for number in 0..people {
            let fact = AccessFact::ClientUserAdded {
                client,
                user: ClientUserId(Uuid::from_u128(number)),
                address: format!("e{number}@agency.example").parse().expect("an address"),
                display_name: "Somebody".to_owned(),
                permission_set: PermissionSet::partner_admin(),
            };
            append(&*transaction, &mut head, fact, now, now, &Actor::Platform, Audit::default()).await.expect("a row");
        }
        let history = history_of_clients(&*transaction, &BTreeSet::from([client])).await.expect("a history");
        assert_eq!(history.client_users(client).count() as u128, people);
    }
}
