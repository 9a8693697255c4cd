//! The access history: a set of changes, and what it says about any instant.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::record::Records;
use super::{
    AccessChange, AccessFact, Assignment, ClientHistory, ClientUserSpell, ClientUserState, EmailAddress, EmployeeId,
    EmployeeSpell, HubId, PartnerHistory,
};
use crate::time::Instant;

/// A set of access changes and what it says.
///
/// It may hold any part of the log that is relevant to the question: for the judgement of a client's activities, the
/// client's own changes and those of the partners that employ the addresses. Changes count in the order of
/// (effective time, position), however they arrive (R60); the same position twice is once. A change that was taken back
/// counts as little as if it had not been made (R22), also where the retraction arrives first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccessHistory {
    /// Those that count: neither taken back nor retractions.
    changes: BTreeMap<(Instant, u64), AccessChange>,
    /// The positions of the changes that were taken back.
    retracted: BTreeSet<u64>,
    pub(super) records: Records,
}

impl AccessHistory {
    /// The history that these changes make, in any order.
    #[must_use]
    pub fn from_changes(changes: impl IntoIterator<Item = AccessChange>) -> Self {
        let mut changes: BTreeMap<_, _> = changes.into_iter().map(|change| (order(&change), change)).collect();
        let retracted: BTreeSet<_> = changes.values().filter_map(retracted_position).collect();
        changes.retain(|_, change| !retracted.contains(&change.position) && retracted_position(change).is_none());
        let records = replay(changes.values());
        Self { changes, retracted, records }
    }

    /// Adds one change. In the order of the log it costs little; one effective before others is fitted in by a replay.
    pub fn record(&mut self, change: AccessChange) {
        if let Some(position) = retracted_position(&change) {
            self.take_back(position);
            return;
        }
        if self.retracted.contains(&change.position) {
            return;
        }
        let is_last = self.changes.last_key_value().is_none_or(|(last, _)| *last < order(&change));
        if is_last {
            self.records.apply(change.effective_time, &change.fact);
            self.changes.insert(order(&change), change);
        } else {
            self.changes.insert(order(&change), change);
            self.records = replay(self.changes.values());
        }
    }

    fn take_back(&mut self, position: u64) {
        self.retracted.insert(position);
        let taken_back = self.changes.extract_if(.., |(_, each), _| *each == position).next();
        if taken_back.is_some() {
            self.records = replay(self.changes.values());
        }
    }

    /// The changes that count, in the order in which they do: those that were taken back and the retractions are left out.
    pub fn changes(&self) -> impl Iterator<Item = &AccessChange> {
        self.changes.values()
    }

    /// Those of them that are effective at an instant.
    pub fn changes_at(&self, at: Instant) -> impl Iterator<Item = &AccessChange> {
        self.changes.range((at, 0)..=(at, u64::MAX)).map(|(_, change)| change)
    }

    /// A partner, also one that has left.
    #[must_use]
    pub fn partner(&self, partner: HubId) -> Option<&PartnerHistory> {
        self.records.partners.get(&partner)
    }

    /// All partners by hub id.
    pub fn partners(&self) -> impl Iterator<Item = &PartnerHistory> {
        self.records.partners.values()
    }

    /// A client, also a closed one.
    #[must_use]
    pub fn client(&self, client: HubId) -> Option<&ClientHistory> {
        self.records.clients.get(&client)
    }

    /// All clients by hub id.
    pub fn clients(&self) -> impl Iterator<Item = &ClientHistory> {
        self.records.clients.values()
    }

    /// Everybody who ever had this address in a partner account, in any of them, in the order of creation.
    pub fn employees(&self, address: &EmailAddress) -> impl Iterator<Item = &EmployeeSpell> {
        self.records.employee_spells(address).iter()
    }

    /// All employees that a partner ever had, by address.
    pub fn employees_of(&self, partner: HubId) -> impl Iterator<Item = &EmployeeSpell> {
        self.records.employees.values().flatten().filter(move |spell| spell.partner == partner)
    }

    /// One employee, also a deleted one.
    #[must_use]
    pub fn employee(&self, employee: EmployeeId) -> Option<&EmployeeSpell> {
        let address = self.records.employee_addresses.get(&employee)?;
        self.records.employee_spells(address).iter().find(|spell| spell.employee == employee)
    }

    /// All users that a client ever had, by address and then in the order of creation.
    pub fn client_users(&self, client: HubId) -> impl Iterator<Item = &ClientUserSpell> {
        self.records.client_users.get(&client).into_iter().flat_map(BTreeMap::values).flatten()
    }

    /// The users that an address ever was in a client, in the order of creation.
    #[must_use]
    pub fn client_user_spells(&self, client: HubId, address: &EmailAddress) -> &[ClientUserSpell] {
        self.records.client_user_spells(client, address)
    }

    /// The user that an address is in a client at an instant, active or deactivated.
    #[must_use]
    pub fn client_user_at(&self, client: HubId, address: &EmailAddress, at: Instant) -> Option<&ClientUserSpell> {
        self.records.client_user_at(client, address, at)
    }

    /// What an address is in a client at an instant.
    #[must_use]
    pub fn client_user_state_at(&self, client: HubId, address: &EmailAddress, at: Instant) -> ClientUserState {
        self.records.client_user_state_at(client, address, at)
    }

    /// The whole history of "this client belongs to this employee" for an address at a partner: half-open intervals in
    /// order, each with one employee, origin and state; neighbours differ (R23 to R26).
    ///
    /// Empty unless both the partner and the client are known. An assignment lives within the employee's period, the
    /// partner's time in the programme and the client's open time.
    #[must_use]
    pub fn assignments(&self, client: HubId, partner: HubId, address: &EmailAddress) -> Vec<Assignment> {
        self.records.assignments(client, partner, address)
    }

    /// The assignment in force at an instant.
    #[must_use]
    pub fn assignment_at(
        &self,
        client: HubId,
        partner: HubId,
        address: &EmailAddress,
        at: Instant,
    ) -> Option<Assignment> {
        self.records.assignment_at(client, partner, address, at)
    }

    /// Since when the assignment in force at an instant goes on without a gap, through all its states.
    #[must_use]
    pub fn assigned_since(
        &self,
        client: HubId,
        partner: HubId,
        address: &EmailAddress,
        at: Instant,
    ) -> Option<Instant> {
        let mut employees = self.employees(address);
        let employee = employees.find(|spell| spell.partner == partner && spell.period.contains(at))?;
        self.records.assigned_since(client, employee, at)
    }

    /// Whether the client is assigned to this employee at an instant.
    #[must_use]
    pub fn is_assigned_at(&self, client: HubId, employee: &EmployeeSpell, at: Instant) -> bool {
        self.records.is_assigned_at(client, employee, at)
    }

    /// Since when the assignment of this employee that is in force at an instant goes on without a gap.
    #[must_use]
    pub fn employee_assigned_since(&self, client: HubId, employee: &EmployeeSpell, at: Instant) -> Option<Instant> {
        self.records.assigned_since(client, employee, at)
    }

    /// Whether there is anything between the partner and the client: the platform introduced it, an employee was linked to
    /// it, or an address of the partner account, at any time, is or was its user. Else the client does not exist for the
    /// partner (R26, R127). The history must hold the users of the client and the employees of the partner.
    #[must_use]
    pub fn exists_for(&self, client: HubId, partner: HubId) -> bool {
        self.records.exists_for(client, partner)
    }

    /// The change at a position, if it counts.
    pub(super) fn change(&self, position: u64) -> Option<&AccessChange> {
        self.changes.values().find(|change| change.position == position)
    }

    /// Whether the change at a position was taken back.
    pub(super) fn is_retracted(&self, position: u64) -> bool {
        self.retracted.contains(&position)
    }

    /// What the changes before one add up to, in the order in which they count.
    pub(super) fn records_before(&self, change: &AccessChange) -> Records {
        replay(self.changes.range(..order(change)).map(|(_, change)| change))
    }

    /// What the changes up to and including `at` would add up to without one of them.
    pub(super) fn records_without(&self, position: u64, at: Instant) -> Records {
        let by_then = self.changes.range(..=(at, u64::MAX)).map(|(_, change)| change);
        replay(by_then.filter(|change| change.position != position))
    }

    /// What the changes up to and including `at` add up to.
    pub(super) fn records_until(&self, at: Instant) -> Records {
        replay(self.changes.range(..=(at, u64::MAX)).map(|(_, change)| change))
    }

    /// The changes effective after `at`, in order.
    pub(super) fn later_than(&self, at: Instant) -> impl Iterator<Item = &AccessChange> {
        self.following((at, u64::MAX))
    }

    /// The changes that count after one, in order.
    pub(super) fn after(&self, change: &AccessChange) -> impl Iterator<Item = &AccessChange> {
        self.following(order(change))
    }

    fn following(&self, place: (Instant, u64)) -> impl Iterator<Item = &AccessChange> {
        self.changes.range((Bound::Excluded(place), Bound::Unbounded)).map(|(_, change)| change)
    }
}

fn order(change: &AccessChange) -> (Instant, u64) {
    (change.effective_time, change.position)
}

const fn retracted_position(change: &AccessChange) -> Option<u64> {
    match change.fact {
        AccessFact::Retracted { position, .. } => Some(position),
        _ => None,
    }
}

fn replay<'a>(changes: impl Iterator<Item = &'a AccessChange>) -> Records {
    let mut records = Records::default();
    for change in changes {
        records.apply(change.effective_time, &change.fact);
    }
    records
}

#[cfg(test)]
mod tests;
