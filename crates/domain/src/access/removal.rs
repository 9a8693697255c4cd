//! The removal wizard: whom a removal takes out of which client accounts, what they own there, whose relationship ends
//! by it (R40, R71), and whether everything that they own has a decision (R41).

mod decision;

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::ending::deserted_times;
use super::{
    AccessHistory, AssetId, ClientUserId, ClientUserSpell, ClientUserState, EmailAddress, EmployeeId, EmployeeSpell,
    EndingCause, HubId, PermissionSet,
};
use crate::policy::{EndingEffect, Policy};
use crate::time::{Instant, Period};
pub use decision::{Decision, Decisions, IncompleteDecisions, Reassignment};

/// Whom a removal is about (R40).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemovalSelection {
    /// Employees of one partner in one client account.
    OfClient {
        /// The client account.
        client: HubId,
        /// The partner account.
        partner: HubId,
        /// Which of them.
        employees: ChosenEmployees,
    },
    /// One employee, also a deleted one, in all client accounts.
    OfEmployee {
        /// The partner account.
        partner: HubId,
        /// The employee.
        employee: EmployeeId,
    },
}

/// Which of a partner's employees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChosenEmployees {
    /// All who are present in the client account (R71).
    All,
    /// These, who all must be.
    Only(BTreeSet<EmployeeId>),
}

/// What a removal would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemovalPlan {
    /// Every user that would be removed, by client and address; never empty.
    pub removals: Vec<PlannedRemoval>,
    /// The clients and partners whose managed relationship would end at once (R71), also of other partners that employ
    /// one of the removed.
    pub deserted: BTreeSet<(HubId, HubId)>,
    /// The clients in which somebody would be removed, were it allowed there.
    pub left_out: BTreeSet<HubId>,
}

/// One user that would be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedRemoval {
    /// The client account.
    pub client: HubId,
    /// The user.
    pub user: ClientUserId,
    /// Its address.
    pub address: EmailAddress,
    /// The employee that it is: the chosen one, else the latest of the partner with that address.
    pub employee: EmployeeId,
    /// Active or deactivated.
    pub state: ClientUserState,
    /// What it may do there.
    pub permission_set: PermissionSet,
    /// What it owns there: the affected assets (R40).
    pub assets: BTreeSet<AssetId>,
}

/// Why there is nothing to plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemovalRefusal {
    /// The partner never had these.
    #[error("partner {partner} has and had no such employee: {}", listed(employees))]
    UnknownEmployees {
        /// The partner account.
        partner: HubId,
        /// Who is not known.
        employees: BTreeSet<EmployeeId>,
    },
    /// Nobody is left to be removed, or not everybody who was chosen is there: nothing is done in part.
    #[error("there is nobody to remove{}", not_there(absent))]
    NobodyToRemove {
        /// The chosen employees who are no user of the client, or never were flagged as the partner's (R20).
        absent: BTreeSet<EmployeeId>,
    },
    /// There is somebody to remove, but only where it is not allowed.
    #[error("removing is not allowed in any of the clients: {}", listed(clients))]
    NotAllowed {
        /// These clients.
        clients: BTreeSet<HubId>,
    },
}

fn not_there(absent: &BTreeSet<EmployeeId>) -> String {
    if absent.is_empty() { String::new() } else { format!(": not there are {}", listed(absent)) }
}

fn listed<T: ToString>(each: &BTreeSet<T>) -> String {
    each.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Somebody present in a client account, as an employee.
type Present<'a> = (&'a ClientUserSpell, EmployeeId);

impl AccessHistory {
    /// Plans a removal, without assets yet: [`RemovalPlan::with_assets`].
    ///
    /// `at` is the present, so that nothing in the history is later. It must hold all users of the clients and
    /// everybody with their addresses. Closed clients are left alone. `may_remove` tells which of the users may be
    /// removed by who asks.
    ///
    /// # Errors
    /// Employees that the partner never had, somebody chosen who is not there, or nobody to remove.
    pub fn plan_removal(
        &self,
        selection: &RemovalSelection,
        may_remove: impl Fn(&ClientUserSpell) -> bool,
        at: Instant,
        policy: &Policy,
    ) -> Result<RemovalPlan, RemovalRefusal> {
        let present = self.selected(selection, at)?;
        let (leaving, left_out): (Vec<_>, Vec<_>) = present.into_iter().partition(|(user, _)| may_remove(user));
        let left_out: BTreeSet<_> = left_out.into_iter().map(|(user, _)| user.client).collect();
        if leaving.is_empty() {
            return Err(if left_out.is_empty() {
                RemovalRefusal::NobodyToRemove { absent: BTreeSet::new() }
            } else {
                RemovalRefusal::NotAllowed { clients: left_out }
            });
        }
        let deserted = self.deserted_by(&leaving, at, policy);
        let by_client_and_address: BTreeMap<_, _> =
            leaving.into_iter().map(|(user, employee)| ((user.client, &user.address), (user, employee))).collect();
        let removals =
            by_client_and_address.into_values().map(|(user, employee)| planned(user, employee, at)).collect();
        Ok(RemovalPlan { removals, deserted, left_out })
    }

    fn selected(&self, selection: &RemovalSelection, at: Instant) -> Result<Vec<Present<'_>>, RemovalRefusal> {
        match selection {
            RemovalSelection::OfClient { client, partner, employees: ChosenEmployees::All } => {
                Ok(self.all_present(*client, *partner, at))
            }
            RemovalSelection::OfClient { client, partner, employees: ChosenEmployees::Only(chosen) } => {
                let spells = self.known_employees(*partner, chosen)?;
                let present = |spell: &EmployeeSpell| self.present(*client, spell, at);
                let absent: BTreeSet<_> =
                    spells.iter().filter(|spell| present(spell).is_none()).map(|spell| spell.employee).collect();
                if !absent.is_empty() {
                    return Err(RemovalRefusal::NobodyToRemove { absent });
                }
                Ok(spells.into_iter().filter_map(present).collect())
            }
            RemovalSelection::OfEmployee { partner, employee } => {
                let spells = self.known_employees(*partner, &BTreeSet::from([*employee]))?;
                let in_clients =
                    |spell| self.clients().filter_map(move |client| self.present(client.client, spell, at));
                Ok(spells.into_iter().flat_map(in_clients).collect())
            }
        }
    }

    fn known_employees(
        &self,
        partner: HubId,
        employees: &BTreeSet<EmployeeId>,
    ) -> Result<Vec<&EmployeeSpell>, RemovalRefusal> {
        let known = |employee: &EmployeeId| self.employee(*employee).filter(|spell| spell.partner == partner);
        let unknown: BTreeSet<_> = employees.iter().filter(|employee| known(employee).is_none()).copied().collect();
        if !unknown.is_empty() {
            return Err(RemovalRefusal::UnknownEmployees { partner, employees: unknown });
        }
        Ok(employees.iter().filter_map(known).collect())
    }

    fn all_present(&self, client: HubId, partner: HubId, at: Instant) -> Vec<Present<'_>> {
        let addresses: BTreeSet<_> = self.client_users(client).map(|user| &user.address).collect();
        let latest = |address: &EmailAddress| {
            let spells = self.employees(address).filter(|spell| spell.partner == partner);
            spells.filter_map(|spell| self.present(client, spell, at)).last()
        };
        addresses.into_iter().filter_map(latest).collect()
    }

    /// The user that an employee, present or former, is in an open client account (R71).
    fn present(&self, client: HubId, employee: &EmployeeSpell, at: Instant) -> Option<Present<'_>> {
        let is_open = self.client(client).is_some_and(|known| known.open().contains(at));
        let is_employee = is_open && employee.was_employee_by(at);
        let user = self.client_user_at(client, &employee.address, at).filter(|_| is_employee)?;
        Some((user, employee.employee))
    }

    fn deserted_by(&self, leaving: &[Present<'_>], at: Instant, policy: &Policy) -> BTreeSet<(HubId, HubId)> {
        if policy.ending_effect(EndingCause::AllEmployeesRemoved) != EndingEffect::Immediate {
            return BTreeSet::new();
        }
        let users: BTreeSet<_> = leaving.iter().map(|(user, _)| user.user).collect();
        let pairs: BTreeSet<_> = leaving.iter().flat_map(|(user, _)| self.pairs_of(user)).collect();
        let ends_already = |&(client, partner): &(HubId, HubId)| {
            self.endings(client, partner, policy).iter().any(|ending| ending.time == at)
        };
        let deserted =
            pairs.into_iter().filter(|(client, partner)| self.is_deserted_without(&users, *client, *partner, at));
        deserted.filter(|pair| !ends_already(pair)).collect()
    }

    /// A user's client with each partner that has or had its address.
    fn pairs_of(&self, user: &ClientUserSpell) -> impl Iterator<Item = (HubId, HubId)> {
        self.employees(&user.address).map(|spell| (user.client, spell.partner))
    }

    /// Whether the last one present of the partner would go at `at`, if these users were removed then.
    fn is_deserted_without(&self, users: &BTreeSet<ClientUserId>, client: HubId, partner: HubId, at: Instant) -> bool {
        let presences = self.client_users(client).filter_map(|user| {
            let end = if users.contains(&user.user) { Some(at) } else { user.period.end };
            self.records.presence(partner, &user.address, Period { start: user.period.start, end })
        });
        deserted_times(presences.collect()).contains(&at)
    }
}

fn planned(user: &ClientUserSpell, employee: EmployeeId, at: Instant) -> PlannedRemoval {
    PlannedRemoval {
        client: user.client,
        user: user.user,
        address: user.address.clone(),
        employee,
        state: user.state_at(at),
        permission_set: user.permission_set.clone(),
        assets: BTreeSet::new(),
    }
}

impl RemovalPlan {
    /// The same plan, with what each user owns; what others own is left aside.
    #[must_use]
    pub fn with_assets(mut self, mut owned: BTreeMap<(HubId, ClientUserId), BTreeSet<AssetId>>) -> Self {
        for removal in &mut self.removals {
            removal.assets = owned.remove(&(removal.client, removal.user)).unwrap_or_default();
        }
        self
    }

    /// SHA-256 over everything that the plan says: another one means that something changed since the preview (R41).
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        for part in self.parts() {
            // With its length before it, so that no two plans have the same bytes.
            hasher.update(part.len().to_be_bytes());
            hasher.update(part);
        }
        hasher.finalize().into()
    }

    fn parts(&self) -> Vec<String> {
        let removals = self.removals.iter().flat_map(PlannedRemoval::parts);
        let deserted = self.deserted.iter().map(|(client, partner)| format!("deserted {client} {partner}"));
        let left_out = self.left_out.iter().map(|client| format!("left out {client}"));
        removals.chain(deserted).chain(left_out).collect()
    }
}

impl PlannedRemoval {
    fn parts(&self) -> impl Iterator<Item = String> {
        let Self { client, user, address, employee, state, permission_set, assets } = self;
        let removal = format!("removal {client} {user} {employee} {state} {permission_set} {address}");
        [removal].into_iter().chain(assets.iter().map(|asset| format!("asset {asset}")))
    }
}

#[cfg(test)]
mod tests;
