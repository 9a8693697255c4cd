//! What the audit log tells of a change: the state of what it is about, without it and with it, in fixed words, and whose
//! relationship ends by it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::record::Records;
use super::{AccessFact, AccessHistory, ClientUserId, ClientUserState, EmailAddress, EmployeeId, EndingCause, HubId};
use crate::policy::{EndingEffect, Policy};
use crate::time::Instant;

const NONE: &str = "NONE";

/// What is told of a fact at its effective time.
///
/// Names stand in the states of partners and clients only, never a person's, so that erasure leaves nothing behind
/// (R128).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditStates {
    /// The state without the fact; empty where there is none to tell.
    pub old_state: String,
    /// The state with the fact.
    pub new_state: String,
    /// The partners with an immediate ending at that instant that would not be there without the fact (R71, R76). Of a
    /// closed client, those for which it existed (R26).
    pub ended_relationships: BTreeSet<HubId>,
}

impl AccessHistory {
    /// What is told of a fact that is admitted and not recorded yet.
    ///
    /// The history must hold what [`AccessHistory::admit`] needs; where a user is removed, a client closed, services ended
    /// or a change taken back, also the changes of all users of the client and of everybody with their addresses.
    #[must_use]
    pub fn audit(&self, fact: &AccessFact, effective_time: Instant, policy: &Policy) -> AuditStates {
        let before = self.records_as_of(effective_time);
        let after = match fact {
            AccessFact::Retracted { position, .. } => self.records_without(*position, effective_time),
            _ => with_fact(&before, fact, effective_time),
        };
        let (old_state, new_state) = states(fact, (&before, &after), effective_time);
        let ended_relationships = ended_relationships(fact, (&before, &after), effective_time, policy);
        AuditStates { old_state, new_state, ended_relationships }
    }

    /// All that is true at an instant, without a replay where nothing is effective later.
    fn records_as_of(&self, at: Instant) -> Cow<'_, Records> {
        if self.later_than(at).next().is_none() {
            Cow::Borrowed(&self.records)
        } else {
            Cow::Owned(self.records_until(at))
        }
    }
}

fn with_fact(before: &Records, fact: &AccessFact, at: Instant) -> Records {
    let mut after = match fact.address() {
        // Who else is there decides whether a relationship ends.
        Some(address) if !matches!(fact, AccessFact::ClientUserRemoved { .. }) => {
            before.of_person(address, fact.client())
        }
        _ => before.clone(),
    };
    after.apply(at, fact);
    after
}

/// The state of what the fact, or the one that it takes back, is about: before and after.
fn states(fact: &AccessFact, (before, after): (&Records, &Records), at: Instant) -> (String, String) {
    let of_words = |old: &str, new: &str| (old.to_owned(), new.to_owned());
    match fact {
        AccessFact::AssetsReassigned { user, new_owner, .. } => (owner_words(Some(*user)), owner_words(*new_owner)),
        AccessFact::AccessLinkCreated { .. } => of_words(NONE, "OPEN"),
        AccessFact::AccessLinkRevoked { .. } => of_words("OPEN", "REVOKED"),
        AccessFact::AccessLinkApproved { .. } => of_words("OPEN", "APPROVED"),
        AccessFact::AddressErased { .. } => of_words("", "PSEUDONYM"),
        _ => (state(before, fact, at), state(after, fact, at)),
    }
}

/// The state of what a fact is about; empty where the records tell of none.
fn state(records: &Records, fact: &AccessFact, at: Instant) -> String {
    match fact {
        AccessFact::PartnerAdded { partner, .. }
        | AccessFact::PartnerUpdated { partner, .. }
        | AccessFact::PartnerLeft { partner } => partner_state(records, *partner, at),
        AccessFact::PartnerDomainsSet { partner, .. } => domains(records, *partner, at),
        AccessFact::EmployeeAdded { employee, address, .. }
        | AccessFact::EmployeeUpdated { employee, address, .. }
        | AccessFact::EmployeeDeleted { employee, address, .. } => employee_state(records, *employee, address, at),
        AccessFact::ClientAdded { client, .. }
        | AccessFact::ClientUpdated { client, .. }
        | AccessFact::ClientClosed { client } => client_state(records, *client, at),
        AccessFact::ClientIntroduced { client, partner } => {
            let is_introduced = records.introductions.contains_key(&(*client, *partner));
            (if is_introduced { "INTRODUCED" } else { NONE }).to_owned()
        }
        AccessFact::ServicesEnded { client, partner } => {
            let employees = records.employees.values().flatten().filter(|spell| spell.partner == *partner);
            let assigned = employees.filter(|spell| records.is_assigned_at(*client, spell, at)).count();
            format!("ASSIGNED_EMPLOYEES {assigned}")
        }
        AccessFact::ClientUserAdded { client, address, .. }
        | AccessFact::ClientUserUpdated { client, address, .. }
        | AccessFact::ClientUserDeactivated { client, address, .. }
        | AccessFact::ClientUserReactivated { client, address, .. }
        | AccessFact::ClientUserRemoved { client, address, .. } => client_user_state(records, *client, address, at),
        AccessFact::ClientLinked { client, partner, address, .. }
        | AccessFact::ClientUnlinked { client, partner, address, .. } => {
            let assignment = records.assignment_at(*client, *partner, address, at);
            assignment.map_or(NONE, |assignment| assignment.state.as_str()).to_owned()
        }
        AccessFact::AssetsReassigned { .. }
        | AccessFact::AccessLinkCreated { .. }
        | AccessFact::AccessLinkRevoked { .. }
        | AccessFact::AccessLinkApproved { .. }
        | AccessFact::AddressErased { .. } => String::new(),
        AccessFact::Retracted { fact, .. } => state(records, fact, at),
    }
}

fn partner_state(records: &Records, partner: HubId, at: Instant) -> String {
    records.partners.get(&partner).map_or_else(
        || NONE.to_owned(),
        |history| {
            let state = if history.is_in_programme(at) { "IN_PROGRAMME" } else { "LEFT" };
            format!("{state} {} {}", history.country, history.display_name)
        },
    )
}

fn domains(records: &Records, partner: HubId, at: Instant) -> String {
    let domains = records.partners.get(&partner).map(|history| history.email_domains_at(at));
    let domains: Vec<_> = domains.into_iter().flatten().map(super::EmailDomain::as_str).collect();
    if domains.is_empty() { NONE.to_owned() } else { domains.join(", ") }
}

fn employee_state(records: &Records, employee: EmployeeId, address: &EmailAddress, at: Instant) -> String {
    let mut spells = records.employee_spells(address).iter();
    match spells.find(|spell| spell.employee == employee) {
        None => NONE.to_owned(),
        Some(spell) if spell.period.contains(at) => {
            let flag = if spell.is_partner_employee(at) { "PARTNER_EMPLOYEE" } else { "NOT_FLAGGED" };
            format!("EMPLOYED {flag} {}", spell.access_role.as_str())
        }
        Some(_) => "DELETED".to_owned(),
    }
}

fn client_state(records: &Records, client: HubId, at: Instant) -> String {
    records.clients.get(&client).map_or_else(
        || NONE.to_owned(),
        |history| {
            let state = if history.open().contains(at) { "OPEN" } else { "CLOSED" };
            format!("{state} {} {}", history.country(), history.display_name)
        },
    )
}

fn client_user_state(records: &Records, client: HubId, address: &EmailAddress, at: Instant) -> String {
    let state = match records.client_user_state_at(client, address, at) {
        ClientUserState::None => NONE,
        ClientUserState::Active => "ACTIVE",
        ClientUserState::Deactivated => "DEACTIVATED",
        ClientUserState::Removed => "REMOVED",
    };
    let present = records.client_user_at(client, address, at);
    present.map_or_else(|| state.to_owned(), |user| format!("{state} {}", user.permission_set))
}

fn owner_words(owner: Option<ClientUserId>) -> String {
    owner.map_or_else(|| "NO_OWNER".to_owned(), |owner| format!("OWNED_BY {owner}"))
}

/// The partners whose relationship with what the fact is about ends by it.
fn ended_relationships(
    fact: &AccessFact,
    (before, after): (&Records, &Records),
    at: Instant,
    policy: &Policy,
) -> BTreeSet<HubId> {
    let ends = |records: &Records, client, partner| {
        records.endings(client, partner, policy).iter().any(|ending| ending.time == at)
    };
    let ended_at = |client: HubId, partners: BTreeSet<HubId>| -> BTreeSet<HubId> {
        let ended = |partner: &HubId| ends(after, client, *partner) && !ends(before, client, *partner);
        partners.into_iter().filter(ended).collect()
    };
    match fact {
        // Every relationship of the partner, whichever clients the history holds.
        AccessFact::PartnerLeft { partner } => {
            let is_immediate = policy.ending_effect(EndingCause::PartnerLeft) == EndingEffect::Immediate;
            is_immediate.then_some(*partner).into_iter().collect()
        }
        AccessFact::ServicesEnded { client, partner } => ended_at(*client, BTreeSet::from([*partner])),
        AccessFact::ClientClosed { client } => ended_at(*client, partners_of(after, *client)),
        AccessFact::ClientUserRemoved { client, address, .. } => ended_at(*client, employers(after, address)),
        AccessFact::Retracted { fact, .. } => match (fact.client(), fact.address()) {
            (Some(client), Some(address)) => ended_at(client, employers(after, address)),
            _ => BTreeSet::new(),
        },
        _ => BTreeSet::new(),
    }
}

fn employers(records: &Records, address: &EmailAddress) -> BTreeSet<HubId> {
    records.employee_spells(address).iter().map(|spell| spell.partner).collect()
}

fn partners_of(records: &Records, client: HubId) -> BTreeSet<HubId> {
    records.partners.keys().copied().filter(|partner| records.exists_for(client, *partner)).collect()
}

#[cfg(test)]
mod tests;
