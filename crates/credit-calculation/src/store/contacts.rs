//! Since when a partner has anything to do with a client, person by person.
//!
//! A contact is the employment of a flagged employee who is at the same time a user there, or a link. It is kept by
//! person, so that it can be replaced as a whole when a change about that person comes, in whatever order.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use domain::access::{AccessChange, AccessFact, AccessHistory, EmailAddress, EmployeeSpell, HubId};
use domain::time::{Instant, Period};
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::{Condition, QuerySelect as _, QueryTrait as _};
use service_kit::access_log::{self, Named, Question};
use service_kit::{ServiceError, StoredInstant};

use super::journal::Changed;
use super::{KEYS_PER_STATEMENT, hub_id, portions};
use crate::entity::{partner_client, servicing_period};

/// Whose contacts a set of changes touches.
#[derive(Debug, Default)]
struct Touched {
    /// In all clients: the person's employment changed.
    everywhere: BTreeSet<EmailAddress>,
    /// In single clients.
    clients: BTreeMap<EmailAddress, BTreeSet<HubId>>,
}

impl Touched {
    fn by(changes: &[AccessChange]) -> Self {
        let mut touched = Self::default();
        for fact in changes.iter().map(|change| &change.fact) {
            match (fact.address(), fact.client()) {
                (Some(address), Some(client)) => {
                    touched.clients.entry(address.clone()).or_default().insert(client);
                }
                (Some(address), None) => {
                    touched.everywhere.insert(address.clone());
                }
                (None, _) => {}
            }
        }
        touched.clients.retain(|address, _| !touched.everywhere.contains(address));
        touched
    }
}

/// Keeps what follows from these changes, which the copy of the log holds already. Answers the pairs whose contacts are
/// others.
pub(crate) async fn keep<C: ConnectionTrait>(
    transaction: &C,
    changes: &[AccessChange],
) -> Result<BTreeSet<Changed>, ServiceError> {
    let mut changed = BTreeSet::new();
    let touched = Touched::by(changes);
    let everywhere = &touched.everywhere;
    let history = access_log::history(
        transaction,
        &[Question::EmployeesAt(everywhere), Question::UsersAndLinksAnywhere(everywhere)],
    )
    .await?;
    for address in everywhere {
        changed.extend(replace(transaction, &history, address, None).await?);
    }
    let addresses: BTreeSet<_> = touched.clients.keys().cloned().collect();
    let clients: BTreeSet<_> = touched.clients.values().flatten().copied().collect();
    let there = Question::UsersAndLinks { clients: &clients, addresses: &addresses };
    let history = access_log::history(transaction, &[Question::EmployeesAt(&addresses), there]).await?;
    for (address, clients) in &touched.clients {
        changed.extend(replace(transaction, &history, address, Some(clients)).await?);
    }
    Ok(changed)
}

/// Contacts by address, partner and client: since when each is.
pub(crate) type Contacts = BTreeMap<(String, i64, i64), StoredInstant>;

/// The contacts of these people as they follow from the copy of the log.
pub(crate) async fn expected<C: ConnectionTrait>(
    connection: &C,
    addresses: &BTreeSet<EmailAddress>,
) -> Result<Contacts, ServiceError> {
    let questions = [Question::EmployeesAt(addresses), Question::UsersAndLinksAnywhere(addresses)];
    let history = access_log::history(connection, &questions).await?;
    let of_person = |address: &EmailAddress| {
        let name = address.to_string();
        let found = contacts(&history, address).into_iter();
        found.map(move |((partner, client), since)| ((name.clone(), partner.get(), client.get()), since.into()))
    };
    Ok(addresses.iter().flat_map(of_person).collect())
}

/// The contacts under these addresses as they are.
pub(crate) async fn stored<C: ConnectionTrait>(connection: &C, addresses: &[String]) -> Result<Contacts, DbErr> {
    use partner_client::{Column, Entity};
    let rows = Entity::find().filter(Column::Address.is_in(addresses)).all(connection).await?;
    Ok(rows.into_iter().map(|row| ((row.address, row.partner_id, row.client_id), row.since_time)).collect())
}

/// The next addresses that the copy of the log, or a row here, names.
pub(crate) async fn next_addresses<C: ConnectionTrait>(
    connection: &C,
    after: Option<&String>,
    limit: u64,
) -> Result<Vec<String>, DbErr> {
    access_log::next_named(connection, Named::Addresses, partner_client::Column::Address, after, limit).await
}

/// Replaces the contacts of a person in these clients, or in all. Answers the pairs for which they are others.
async fn replace<C: ConnectionTrait>(
    transaction: &C,
    history: &AccessHistory,
    address: &EmailAddress,
    clients: Option<&BTreeSet<HubId>>,
) -> Result<BTreeSet<Changed>, ServiceError> {
    use partner_client::{ActiveModel, Column, Entity};
    let mut those = Condition::all().add(Column::Address.eq(address.as_str()));
    if let Some(clients) = clients {
        those = those.add(Column::ClientId.is_in(clients.iter().map(|client| client.get())));
    }
    let outdated = Entity::find().filter(those.clone()).all(transaction).await?.into_iter();
    let outdated: BTreeSet<(i64, i64, StoredInstant)> =
        outdated.map(|row| (row.partner_id, row.client_id, row.since_time)).collect();
    let present = contacts(history, address).into_iter();
    let present = present.filter(|((_, client), _)| clients.is_none_or(|clients| clients.contains(client)));
    let present: BTreeSet<(i64, i64, StoredInstant)> =
        present.map(|((partner, client), since)| (partner.get(), client.get(), since.into())).collect();
    if outdated == present {
        return Ok(BTreeSet::new());
    }
    Entity::delete_many().filter(those).exec(transaction).await?;
    let row = |(partner, client, since): (i64, i64, StoredInstant)| ActiveModel {
        partner_id: Set(partner),
        client_id: Set(client),
        address: Set(address.to_string()),
        since_time: Set(since),
    };
    let rows: Vec<ActiveModel> = present.iter().copied().map(row).collect();
    for some in rows.chunks(KEYS_PER_STATEMENT) {
        Entity::insert_many(some.to_vec()).exec_without_returning(transaction).await?;
    }
    let different = outdated.symmetric_difference(&present);
    different.map(|(partner, client, _)| Changed::from_columns(*client, *partner)).collect()
}

/// Every (partner, client) that a person brought into contact, and since when.
fn contacts(history: &AccessHistory, address: &EmailAddress) -> BTreeMap<(HubId, HubId), Instant> {
    let mut earliest: BTreeMap<(HubId, HubId), Instant> = BTreeMap::new();
    let mut found = |key, since: Instant| {
        earliest.entry(key).and_modify(|known| *known = since.min(*known)).or_insert(since);
    };
    let changes = || history.changes().filter(|change| change.fact.address() == Some(address));
    let clients: BTreeSet<HubId> = changes().filter_map(|change| change.fact.client()).collect();
    let updates: Vec<Instant> = changes().map(|change| change.effective_time).collect();
    for employee in history.employees(address) {
        for client in &clients {
            for user in history.client_user_spells(*client, address) {
                if let Some(since) = first_common_instant(employee, user.period, &updates) {
                    found((employee.partner, *client), since);
                }
            }
        }
    }
    for change in changes() {
        if let AccessFact::ClientLinked { client, partner, .. } = &change.fact {
            found((*partner, *client), change.effective_time);
        }
    }
    earliest
}

/// When a flagged employee first was a user too; the flag changes at one of the `updates` only.
fn first_common_instant(employee: &EmployeeSpell, user: Period, updates: &[Instant]) -> Option<Instant> {
    let start = employee.period.start.max(user.start);
    let candidates = iter::once(start).chain(updates.iter().copied().filter(|update| *update > start));
    let is_contact =
        |at: &Instant| employee.period.contains(*at) && user.contains(*at) && employee.is_partner_employee(*at);
    candidates.filter(is_contact).min()
}

/// Forgets all contacts of an address that is nobody's any more (R128). Answers the pairs.
pub(crate) async fn forget<C: ConnectionTrait>(
    transaction: &C,
    address: &EmailAddress,
) -> Result<BTreeSet<Changed>, ServiceError> {
    use partner_client::{Column, Entity};
    let those = Column::Address.eq(address.as_str());
    let forgotten = Entity::find().filter(those.clone()).all(transaction).await?;
    Entity::delete_many().filter(those).exec(transaction).await?;
    forgotten.into_iter().map(|row| Changed::from_columns(row.client_id, row.partner_id)).collect()
}

/// Since when a partner has been in contact with each of these clients with which it ever was.
pub(crate) async fn since<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
    clients: &[HubId],
) -> Result<BTreeMap<HubId, Instant>, ServiceError> {
    use partner_client::{Column, Entity};
    let mut since = BTreeMap::new();
    for portion in portions(clients) {
        let of_pairs = Entity::find().select_only().column(Column::ClientId).expr(Column::SinceTime.min());
        let of_pairs = of_pairs.filter(Column::PartnerId.eq(partner.get())).filter(Column::ClientId.is_in(portion));
        let earliest: Vec<(i64, StoredInstant)> =
            of_pairs.group_by(Column::ClientId).into_tuple().all(connection).await?;
        for (client, time) in earliest {
            since.insert(hub_id(client)?, time.into());
        }
    }
    Ok(since)
}

/// The clients with which a partner had anything to do by an instant, by contact or by counted work, in order.
pub(crate) async fn clients_of<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
    as_of: Instant,
) -> Result<Vec<HubId>, ServiceError> {
    let by_then = StoredInstant::from(as_of);
    let by_contact = partner_client::Entity::find()
        .select_only()
        .column(partner_client::Column::ClientId)
        .filter(partner_client::Column::PartnerId.eq(partner.get()))
        .filter(partner_client::Column::SinceTime.lte(by_then));
    let mut by_work = servicing_period::Entity::find()
        .select_only()
        .column(servicing_period::Column::ClientId)
        .filter(servicing_period::Column::PartnerId.eq(partner.get()))
        .filter(servicing_period::Column::StartTime.lte(by_then))
        .into_query();
    let both = by_work.union(sea_orm::sea_query::UnionType::Distinct, by_contact.into_query());
    let rows = connection.query_all(both).await?;
    let mut clients =
        rows.into_iter().map(|row| hub_id(row.try_get_by_index(0)?)).collect::<Result<Vec<_>, ServiceError>>()?;
    clients.sort_unstable();
    Ok(clients)
}

#[cfg(test)]
mod tests {
    use domain::access::{AccessRole, Actor, Audit, ClientUserId, EmployeeId, PermissionSet};

    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().expect("a test writes valid times")
    }

    fn hub(number: i64) -> HubId {
        HubId::try_from(number).expect("a test writes valid hub ids")
    }

    fn anna() -> EmailAddress {
        "anna@agency.example".parse().expect("a test writes valid addresses")
    }

    fn employed() -> AccessFact {
        AccessFact::EmployeeAdded {
            partner: hub(1001),
            employee: EmployeeId(Uuid::from_u128(1)),
            address: anna(),
            display_name: "Anna".to_owned(),
            partner_employee: true,
            access_role: AccessRole::None,
        }
    }

    fn flagged(partner_employee: bool) -> AccessFact {
        AccessFact::EmployeeUpdated {
            partner: hub(1001),
            employee: EmployeeId(Uuid::from_u128(1)),
            address: anna(),
            display_name: None,
            partner_employee: Some(partner_employee),
            access_role: None,
        }
    }

    fn taken_back(position: u64, fact: AccessFact) -> AccessFact {
        AccessFact::Retracted { position, fact: Box::new(fact) }
    }

    fn user() -> AccessFact {
        AccessFact::ClientUserAdded {
            client: hub(2002),
            user: ClientUserId(Uuid::from_u128(2)),
            address: anna(),
            display_name: "Anna".to_owned(),
            permission_set: "STANDARD".parse::<PermissionSet>().expect("a permission set"),
        }
    }

    fn removed() -> AccessFact {
        AccessFact::ClientUserRemoved { client: hub(2002), user: ClientUserId(Uuid::from_u128(2)), address: anna() }
    }

    fn linked() -> AccessFact {
        let employee = EmployeeId(Uuid::from_u128(1));
        AccessFact::ClientLinked { client: hub(2002), partner: hub(1001), employee, address: anna() }
    }

    fn since(facts: &[(&str, AccessFact)]) -> Option<Instant> {
        let changes = (1..).zip(facts).map(|(position, (time, fact))| AccessChange {
            position,
            effective_time: at(time),
            record_time: at(time),
            actor: Actor::Platform,
            audit: Audit::default(),
            fact: fact.clone(),
        });
        let history = AccessHistory::from_changes(changes);
        contacts(&history, &anna()).get(&(hub(1001), hub(2002))).copied()
    }

    const FIRST: &str = "2025-01-01T00:00:00Z";
    const SECOND: &str = "2025-02-01T00:00:00Z";
    const THIRD: &str = "2025-03-01T00:00:00Z";

    #[test]
    fn a_contact_begins_when_somebody_is_both_employee_and_user_whichever_came_first() {
        assert_eq!(since(&[(FIRST, employed()), (SECOND, user())]), Some(at(SECOND)));
        assert_eq!(since(&[(FIRST, user()), (SECOND, employed())]), Some(at(SECOND)));
        assert_eq!(since(&[(FIRST, user())]), None);
    }

    #[test]
    fn a_user_who_was_removed_before_the_employment_is_no_contact() {
        assert_eq!(since(&[(FIRST, user()), (SECOND, removed()), (SECOND, employed())]), None);
        assert_eq!(since(&[(FIRST, user()), (SECOND, employed()), (THIRD, removed())]), Some(at(SECOND)));
    }

    #[test]
    fn a_link_is_a_contact_without_a_user() {
        assert_eq!(since(&[(FIRST, employed()), (SECOND, linked()), (THIRD, user())]), Some(at(SECOND)));
    }

    #[test]
    fn a_contact_begins_when_a_user_of_both_accounts_is_flagged_as_employee() {
        let unflagged = [(FIRST, employed()), (FIRST, flagged(false)), (SECOND, user())];
        assert_eq!(since(&unflagged), None);
        let flagged_later = [unflagged.as_slice(), &[(THIRD, flagged(true))]].concat();
        assert_eq!(since(&flagged_later), Some(at(THIRD)));
        assert_eq!(since(&[(FIRST, employed()), (SECOND, user()), (THIRD, flagged(false))]), Some(at(SECOND)));
    }

    #[test]
    fn r22_what_was_taken_back_is_no_contact() {
        assert_eq!(since(&[(FIRST, employed()), (SECOND, linked()), (SECOND, taken_back(2, linked()))]), None);
        assert_eq!(since(&[(FIRST, employed()), (SECOND, user()), (SECOND, taken_back(2, user()))]), None);
    }
}
