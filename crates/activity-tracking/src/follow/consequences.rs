//! What access changes may alter: which activities are to be judged again, and which pairs' endings are others.
//!
//! Both from the effective time on. A verdict looks at the client, the people and the assignments at or before the
//! activity's occur time (what happened before decides about automatic assignment and about who was assigned earlier,
//! never what happens after); an ending at an instant follows from who was present until then. So nothing before the
//! effective time of a change can be different because of it, wherever in the log it stands. Taking a change back alters
//! what making it did, and is effective when it was (R22).

use std::collections::{BTreeMap, BTreeSet};

use domain::access::{AccessChange, AccessFact, EmailAddress, HubId};
use domain::servicing::Alteration;
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};

use crate::store::activity::Scope;
use crate::store::rejudging::{Task, Work};
use crate::store::{BEGINNING, Pair, Touched, pair};

/// What follows from a batch of changes.
pub(super) struct Consequences {
    /// Activities to be judged again, each scope from its instant on.
    pub scopes: BTreeMap<Scope, Instant>,
    /// Partners whose pairs' endings may be others, all of them, each from its instant on.
    pub partners: BTreeMap<HubId, Instant>,
    /// Single pairs whose endings may be others.
    pub endings: Touched,
}

impl Consequences {
    /// What follows from changes that are in the copy already.
    pub async fn of<C: ConnectionTrait>(connection: &C, changes: &[AccessChange]) -> Result<Self, ServiceError> {
        let steps: Vec<Step<'_>> = changes.iter().map(Step::of).collect();
        let mut scopes = direct_scopes(&steps);
        for (partner, from) in changed_partners(&steps) {
            for address in access_log::employee_addresses(connection, partner).await? {
                extend(&mut scopes, Scope::Person(address), from);
            }
        }
        for (partner, ends) in ended_services(&steps) {
            for address in access_log::employee_addresses(connection, partner).await? {
                for (client, from) in &ends {
                    extend(&mut scopes, Scope::PersonInClient(address.clone(), *client), *from);
                }
            }
        }
        Ok(Self { scopes, partners: left_partners(&steps), endings: ended_pairs(connection, &steps).await? })
    }

    /// What is to be done about them, but for the single pairs.
    pub fn tasks(&self, access_position: u64, record_time: Instant) -> Vec<Task> {
        let judging = self.scopes.iter().map(|(scope, from)| (Work::Judge(scope.clone(), None), *from));
        let settling = self.partners.iter().map(|(partner, from)| (Work::Settle(Some(*partner), None), *from));
        let task = |(work, from)| Task { access_position: Some(access_position), work, from, record_time, done: 0 };
        judging.chain(settling).map(task).collect()
    }
}

/// What has become true or, taken back, untrue.
struct Step<'change> {
    /// Never a retraction.
    fact: &'change AccessFact,
    /// From when on anything may be different.
    from: Instant,
}

impl<'change> Step<'change> {
    fn of(change: &'change AccessChange) -> Self {
        match &change.fact {
            AccessFact::Retracted { fact, .. } => Self { fact, from: change.effective_time },
            // Until it arrives here, the person may have had both addresses: the old one in what was read before the
            // erasure, the pseudonym in what was read since.
            fact @ AccessFact::AddressErased { .. } => Self { fact, from: BEGINNING },
            fact => Self { fact, from: change.effective_time },
        }
    }
}

fn extend(scopes: &mut BTreeMap<Scope, Instant>, scope: Scope, from: Instant) {
    scopes.entry(scope).and_modify(|earliest| *earliest = from.min(*earliest)).or_insert(from);
}

/// The scopes that a change names itself.
fn direct_scopes(steps: &[Step<'_>]) -> BTreeMap<Scope, Instant> {
    let mut scopes = BTreeMap::new();
    for Step { fact, from } in steps {
        let scope = match fact {
            AccessFact::EmployeeAdded { address, .. }
            | AccessFact::EmployeeUpdated { address, .. }
            | AccessFact::EmployeeDeleted { address, .. }
            | AccessFact::AddressErased { pseudonym: address, .. } => Scope::Person(address.clone()),
            AccessFact::ClientAdded { client, .. } | AccessFact::ClientClosed { client } => Scope::Client(*client),
            AccessFact::ClientUserAdded { client, address, .. }
            | AccessFact::ClientUserDeactivated { client, address, .. }
            | AccessFact::ClientUserReactivated { client, address, .. }
            | AccessFact::ClientUserRemoved { client, address, .. }
            | AccessFact::ClientLinked { client, address, .. }
            | AccessFact::ClientUnlinked { client, address, .. } => Scope::PersonInClient(address.clone(), *client),
            // They concern all of a partner's people.
            AccessFact::PartnerAdded { .. }
            | AccessFact::PartnerDomainsSet { .. }
            | AccessFact::PartnerLeft { .. }
            | AccessFact::ServicesEnded { .. }
            // No verdict looks at names, countries, permission sets, assets, introductions or access links.
            | AccessFact::PartnerUpdated { .. }
            | AccessFact::ClientUpdated { .. }
            | AccessFact::ClientIntroduced { .. }
            | AccessFact::ClientUserUpdated { .. }
            | AccessFact::AssetsReassigned { .. }
            | AccessFact::AccessLinkCreated { .. }
            | AccessFact::AccessLinkRevoked { .. }
            | AccessFact::AccessLinkApproved { .. }
            | AccessFact::Retracted { .. } => continue,
        };
        extend(&mut scopes, scope, *from);
    }
    scopes
}

/// The partners that are different themselves, which concerns all of their people.
fn changed_partners(steps: &[Step<'_>]) -> BTreeMap<HubId, Instant> {
    let mut partners: BTreeMap<HubId, Instant> = BTreeMap::new();
    for Step { fact, from } in steps {
        if let AccessFact::PartnerAdded { partner, .. }
        | AccessFact::PartnerDomainsSet { partner, .. }
        | AccessFact::PartnerLeft { partner } = fact
        {
            partners.entry(*partner).and_modify(|earliest| *earliest = (*from).min(*earliest)).or_insert(*from);
        }
    }
    partners
}

/// The partners that left the programme, which ends all of their relationships (R76).
fn left_partners(steps: &[Step<'_>]) -> BTreeMap<HubId, Instant> {
    let mut left: BTreeMap<HubId, Instant> = BTreeMap::new();
    for Step { fact, from } in steps {
        if let AccessFact::PartnerLeft { partner } = fact {
            left.entry(*partner).and_modify(|earliest| *earliest = (*from).min(*earliest)).or_insert(*from);
        }
    }
    left
}

/// Where partners ended their services, which ends the assignments of all of their people there (R76).
fn ended_services(steps: &[Step<'_>]) -> BTreeMap<HubId, Vec<(HubId, Instant)>> {
    let mut ended: BTreeMap<HubId, Vec<(HubId, Instant)>> = BTreeMap::new();
    for Step { fact, from } in steps {
        if let AccessFact::ServicesEnded { client, partner } = fact {
            ended.entry(*partner).or_default().push((*client, *from));
        }
    }
    ended
}

/// The pairs for which something has counted and whose endings may be others (R71, R76).
async fn ended_pairs<C: ConnectionTrait>(connection: &C, steps: &[Step<'_>]) -> Result<Touched, ServiceError> {
    let mut touched = Touched::default();
    let people = People::load(connection, steps).await?;
    for Step { fact, from } in steps {
        match fact {
            // Whoever is present or gone counts for every partner that has, or had, the person.
            AccessFact::ClientUserAdded { client, address, .. }
            | AccessFact::ClientUserRemoved { client, address, .. } => {
                for partner in people.partners_of(address) {
                    touched.alter(Pair { client: *client, partner }, Alteration::endings_from(*from));
                }
            }
            // From when on a user is the partner's is a matter of when it became an employee, and was flagged.
            AccessFact::EmployeeAdded { partner, address, .. }
            | AccessFact::EmployeeUpdated { partner, address, .. } => {
                for client in people.clients_of(address) {
                    touched.alter(Pair { client, partner: *partner }, Alteration::endings_from(*from));
                }
            }
            AccessFact::AddressErased { pseudonym, .. } => {
                for client in people.clients_of(pseudonym) {
                    for partner in people.partners_of(pseudonym) {
                        touched.alter(Pair { client, partner }, Alteration::endings_from(*from));
                    }
                }
            }
            AccessFact::ServicesEnded { client, partner } => {
                touched.alter(Pair { client: *client, partner: *partner }, Alteration::endings_from(*from));
            }
            AccessFact::ClientClosed { client } => {
                for pair in pair::of_client(connection, *client).await? {
                    touched.alter(pair, Alteration::endings_from(*from));
                }
            }
            // That ends all of its relationships: a task of its own.
            AccessFact::PartnerLeft { .. }
            // They alter assignments and logins, or neither, but not who is present.
            | AccessFact::PartnerAdded { .. }
            | AccessFact::PartnerUpdated { .. }
            | AccessFact::PartnerDomainsSet { .. }
            | AccessFact::EmployeeDeleted { .. }
            | AccessFact::ClientAdded { .. }
            | AccessFact::ClientUpdated { .. }
            | AccessFact::ClientIntroduced { .. }
            | AccessFact::ClientUserUpdated { .. }
            | AccessFact::ClientUserDeactivated { .. }
            | AccessFact::ClientUserReactivated { .. }
            | AccessFact::AssetsReassigned { .. }
            | AccessFact::ClientLinked { .. }
            | AccessFact::ClientUnlinked { .. }
            | AccessFact::AccessLinkCreated { .. }
            | AccessFact::AccessLinkRevoked { .. }
            | AccessFact::AccessLinkApproved { .. }
            | AccessFact::Retracted { .. } => {}
        }
    }
    let named: Vec<Pair> = touched.pairs().map(|(pair, _)| pair).collect();
    let known = pair::last_activity_times(connection, &named).await?;
    touched.retain(|pair| known.contains_key(&pair));
    Ok(touched)
}

/// The employees behind changed client users, and the client users behind changed employees.
#[derive(Default)]
struct People {
    /// The partners in whose account an address is, or was.
    partners: BTreeMap<EmailAddress, BTreeSet<HubId>>,
    /// The clients in which an address is, or was, a user.
    clients: BTreeMap<EmailAddress, BTreeSet<HubId>>,
}

impl People {
    async fn load<C: ConnectionTrait>(connection: &C, steps: &[Step<'_>]) -> Result<Self, ServiceError> {
        let mut users = BTreeSet::new();
        let mut employees = BTreeSet::new();
        for Step { fact, .. } in steps {
            match fact {
                AccessFact::ClientUserAdded { address, .. } | AccessFact::ClientUserRemoved { address, .. } => {
                    users.insert(address.clone());
                }
                AccessFact::EmployeeAdded { address, .. } | AccessFact::EmployeeUpdated { address, .. } => {
                    employees.insert(address.clone());
                }
                AccessFact::AddressErased { pseudonym, .. } => {
                    users.insert(pseudonym.clone());
                    employees.insert(pseudonym.clone());
                }
                _ => {}
            }
        }
        let questions = [Question::EmployeesAt(&users), Question::UsersAndLinksAnywhere(&employees)];
        let history = access_log::history(connection, &questions).await?;
        let mut people = Self::default();
        // What this very batch takes back is not in the history any more, and was there until now.
        for fact in history.changes().map(|change| &change.fact).chain(steps.iter().map(|step| step.fact)) {
            people.note(fact);
        }
        Ok(people)
    }

    fn note(&mut self, fact: &AccessFact) {
        match fact {
            AccessFact::EmployeeAdded { partner, address, .. } => {
                self.partners.entry(address.clone()).or_default().insert(*partner);
            }
            AccessFact::ClientUserAdded { client, address, .. } => {
                self.clients.entry(address.clone()).or_default().insert(*client);
            }
            _ => {}
        }
    }

    fn partners_of(&self, address: &EmailAddress) -> impl Iterator<Item = HubId> {
        self.partners.get(address).into_iter().flatten().copied()
    }

    fn clients_of(&self, address: &EmailAddress) -> impl Iterator<Item = HubId> {
        self.clients.get(address).into_iter().flatten().copied()
    }
}
