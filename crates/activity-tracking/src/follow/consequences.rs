//! What access changes may alter: which activities are to be judged again, and which pairs' endings are others.
//!
//! Both from the effective time on. A verdict looks at the client, the people and the assignments at or before the
//! activity's occur time (what happened before decides about automatic assignment and about who was assigned earlier,
//! never what happens after); an ending at an instant follows from who was present until then. So nothing before the
//! effective time of a change can be different because of it, wherever in the log it stands.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::{AccessChange, AccessFact, AccessHistory, EmailAddress, HubId};
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};

use crate::store::activity::Scope;
use crate::store::{Pair, Touched, pair};

/// What follows from a batch of changes.
pub(super) struct Consequences {
    /// Activities to be judged again, each scope from its instant on.
    pub scopes: BTreeMap<Scope, Instant>,
    /// Pairs whose endings may be others.
    pub endings: Touched,
}

impl Consequences {
    /// What follows from changes that are in the copy already.
    pub async fn of<C: ConnectionTrait>(connection: &C, changes: &[AccessChange]) -> Result<Self, ServiceError> {
        let mut scopes = direct_scopes(changes);
        for (partner, from) in changed_partners(changes) {
            for address in access_log::employee_addresses(connection, partner).await? {
                extend(&mut scopes, Scope::Person(address), from);
            }
        }
        Ok(Self { scopes, endings: ended_pairs(connection, changes).await? })
    }
}

fn extend(scopes: &mut BTreeMap<Scope, Instant>, scope: Scope, from: Instant) {
    scopes.entry(scope).and_modify(|earliest| *earliest = from.min(*earliest)).or_insert(from);
}

/// The scopes that a change names itself.
fn direct_scopes(changes: &[AccessChange]) -> BTreeMap<Scope, Instant> {
    let mut scopes = BTreeMap::new();
    for AccessChange { fact, effective_time, .. } in changes {
        let scope = match fact {
            AccessFact::PartnerAdded { .. } | AccessFact::PartnerDomainsSet { .. } | AccessFact::PartnerLeft { .. } => {
                continue;
            }
            AccessFact::EmployeeAdded { address, .. } | AccessFact::EmployeeDeleted { address, .. } => {
                Scope::Person(address.clone())
            }
            AccessFact::ClientAdded { client, .. } | AccessFact::ClientClosed { client } => Scope::Client(*client),
            AccessFact::ClientUserAdded { client, address, .. }
            | AccessFact::ClientUserDeactivated { client, address, .. }
            | AccessFact::ClientUserReactivated { client, address, .. }
            | AccessFact::ClientUserRemoved { client, address, .. }
            | AccessFact::ClientLinked { client, address, .. }
            | AccessFact::ClientUnlinked { client, address, .. } => Scope::PersonInClient(address.clone(), *client),
        };
        extend(&mut scopes, scope, *effective_time);
    }
    scopes
}

/// The partners that are different themselves, which concerns all of their people.
fn changed_partners(changes: &[AccessChange]) -> BTreeMap<HubId, Instant> {
    let mut partners: BTreeMap<HubId, Instant> = BTreeMap::new();
    for AccessChange { fact, effective_time, .. } in changes {
        if let AccessFact::PartnerAdded { partner, .. }
        | AccessFact::PartnerDomainsSet { partner, .. }
        | AccessFact::PartnerLeft { partner } = fact
        {
            let earliest = partners.entry(*partner).or_insert(*effective_time);
            *earliest = (*effective_time).min(*earliest);
        }
    }
    partners
}

/// The pairs for which something has counted and whose endings may be others (R71, R76).
async fn ended_pairs<C: ConnectionTrait>(connection: &C, changes: &[AccessChange]) -> Result<Touched, ServiceError> {
    let mut touched = Touched::default();
    let people = people(connection, changes).await?;
    for AccessChange { fact, effective_time, .. } in changes {
        match fact {
            // Whoever is present or gone counts for every partner that has, or had, the person.
            AccessFact::ClientUserAdded { client, address, .. }
            | AccessFact::ClientUserRemoved { client, address, .. } => {
                for employee in people.employees(address) {
                    touched.touch(Pair { client: *client, partner: employee.partner }, *effective_time);
                }
            }
            // From when on a user is the partner's is a matter of when it became an employee.
            AccessFact::EmployeeAdded { partner, address, .. } => {
                for client in clients_with(&people, address) {
                    touched.touch(Pair { client, partner: *partner }, *effective_time);
                }
            }
            AccessFact::PartnerLeft { partner } => {
                for pair in pair::of_partner(connection, *partner).await? {
                    touched.touch(pair, *effective_time);
                }
            }
            AccessFact::ClientClosed { client } => {
                for pair in pair::of_client(connection, *client).await? {
                    touched.touch(pair, *effective_time);
                }
            }
            // They alter assignments and logins, not who is present.
            AccessFact::PartnerAdded { .. }
            | AccessFact::PartnerDomainsSet { .. }
            | AccessFact::EmployeeDeleted { .. }
            | AccessFact::ClientAdded { .. }
            | AccessFact::ClientUserDeactivated { .. }
            | AccessFact::ClientUserReactivated { .. }
            | AccessFact::ClientLinked { .. }
            | AccessFact::ClientUnlinked { .. } => {}
        }
    }
    let named: BTreeSet<Pair> = touched.pairs().map(|(pair, _)| pair).collect();
    let known = pair::known(connection, &named).await?;
    touched.retain(|pair| known.contains(&pair));
    Ok(touched)
}

/// The employees behind changed client users, and the client users behind changed employees.
async fn people<C: ConnectionTrait>(connection: &C, changes: &[AccessChange]) -> Result<AccessHistory, ServiceError> {
    let mut users = BTreeSet::new();
    let mut employees = BTreeSet::new();
    for change in changes {
        match &change.fact {
            AccessFact::ClientUserAdded { address, .. } | AccessFact::ClientUserRemoved { address, .. } => {
                users.insert(address.clone());
            }
            AccessFact::EmployeeAdded { address, .. } => {
                employees.insert(address.clone());
            }
            _ => {}
        }
    }
    let questions = [Question::EmployeesAt(&users), Question::UsersAndLinksAnywhere(&employees)];
    access_log::history(connection, &questions).await
}

/// The clients in which this address is, or was, a user.
fn clients_with(people: &AccessHistory, address: &EmailAddress) -> BTreeSet<HubId> {
    people
        .changes()
        .filter_map(|change| match &change.fact {
            AccessFact::ClientUserAdded { client, address: of_user, .. } if of_user == address => Some(*client),
            _ => None,
        })
        .collect()
}
