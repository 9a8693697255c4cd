//! Where people may have access: the clients that their changes name. Asking about those only, instead of about every
//! client, keeps the tabs of large partners quick.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::{AccessHistory, EmailAddress, EmployeeSpell, HubId};
use domain::time::Instant;

/// The clients in which each address ever was a user, or was linked to.
pub(crate) struct Footprints<'history> {
    history: &'history AccessHistory,
    clients: BTreeMap<&'history EmailAddress, BTreeSet<HubId>>,
}

impl<'history> Footprints<'history> {
    pub fn of(history: &'history AccessHistory) -> Self {
        let mut clients: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        for fact in history.changes().map(|change| &change.fact) {
            if let (Some(address), Some(client)) = (fact.address(), fact.client()) {
                clients.entry(address).or_default().insert(client);
            }
        }
        Self { history, clients }
    }

    pub fn clients(&self, address: &EmailAddress) -> impl Iterator<Item = HubId> {
        self.clients.get(address).into_iter().flatten().copied()
    }

    /// How many clients are assigned to the employee at an instant, in whatever state.
    pub fn assigned_clients(&self, employee: &EmployeeSpell, at: Instant) -> usize {
        let clients = self.clients(&employee.address);
        clients.filter(|client| self.history.is_assigned_at(*client, employee, at)).count()
    }
}
