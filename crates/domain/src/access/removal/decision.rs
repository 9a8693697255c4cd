//! What becomes of what the removed users own: each affected asset needs a decision (R41).

use std::collections::{BTreeMap, BTreeSet};

use super::{PlannedRemoval, RemovalPlan};
use crate::access::{AccessHistory, AssetId, ClientUserId, EmailAddress, HubId};
use crate::time::Instant;

/// What becomes of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Decision {
    /// It goes to another user.
    Reassign {
        /// The client account of that user, which must be the asset's.
        client: HubId,
        /// The user, who must be active there and stay.
        user: ClientUserId,
    },
    /// It is left without owner.
    LeaveWithoutOwner,
}

/// What somebody decided for a removal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions {
    /// Of single assets, by client and id.
    pub of_assets: BTreeMap<(HubId, AssetId), Decision>,
    /// Of all others.
    pub default: Option<Decision>,
}

/// What changes hands, or loses its owner, before a user is removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reassignment {
    /// The client account.
    pub client: HubId,
    /// Who owned it.
    pub user: ClientUserId,
    /// The address of who owned it.
    pub address: EmailAddress,
    /// Who owns it from then on, if anybody.
    pub new_owner: Option<ClientUserId>,
    /// What; never empty.
    pub assets: BTreeSet<AssetId>,
}

/// Why the decisions are not enough; each asset by client and id.
#[derive(Debug, Clone, Default, PartialEq, Eq, thiserror::Error)]
#[error("every affected asset needs a decision, and only those: {}", self.problems())]
pub struct IncompleteDecisions {
    /// Affected, but neither decided nor covered by a default.
    pub missing: BTreeSet<(HubId, AssetId)>,
    /// Decided, but not affected.
    pub unknown: BTreeSet<(HubId, AssetId)>,
    /// To be given to somebody who is no active user of that client, or is removed too.
    pub wrong_targets: BTreeSet<(HubId, AssetId)>,
}

impl IncompleteDecisions {
    /// How many assets are wrong in which way.
    fn problems(&self) -> String {
        let problems = [
            (self.missing.len(), "without one"),
            (self.unknown.len(), "not affected"),
            (self.wrong_targets.len(), "given to somebody who is no active user of that client or is removed too"),
        ];
        let told = problems.iter().filter(|(count, _)| *count > 0).map(|(count, problem)| format!("{count} {problem}"));
        told.collect::<Vec<_>>().join(", ")
    }

    /// Whether nothing is wrong.
    fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unknown.is_empty() && self.wrong_targets.is_empty()
    }
}

/// Why one asset has no new state.
enum Problem {
    Missing,
    WrongTarget,
}

impl RemovalPlan {
    /// What the decisions come to: what each user gives to whom, by client, address and new owner.
    ///
    /// The history and `at` are those of the plan.
    ///
    /// # Errors
    /// All assets that lack a decision, are not affected, or would be given to somebody who cannot own them.
    pub fn decide(
        &self,
        decisions: &Decisions,
        history: &AccessHistory,
        at: Instant,
    ) -> Result<Vec<Reassignment>, IncompleteDecisions> {
        let targets = self.targets(history, at);
        let mut incomplete = IncompleteDecisions { unknown: self.unaffected(decisions), ..Default::default() };
        let mut reassignments = Vec::new();
        for removal in &self.removals {
            let mut by_new_owner = BTreeMap::<_, BTreeSet<AssetId>>::new();
            for asset in &removal.assets {
                let key = (removal.client, asset.clone());
                let decision = decisions.of_assets.get(&key).copied().or(decisions.default);
                match new_owner(decision, removal.client, &targets) {
                    Ok(new_owner) => by_new_owner.entry(new_owner).or_default().insert(key.1),
                    Err(Problem::Missing) => incomplete.missing.insert(key),
                    Err(Problem::WrongTarget) => incomplete.wrong_targets.insert(key),
                };
            }
            let given = by_new_owner.into_iter().map(|(new_owner, assets)| removal.reassignment(new_owner, assets));
            reassignments.extend(given);
        }
        if incomplete.is_empty() { Ok(reassignments) } else { Err(incomplete) }
    }

    /// The users who may be given something: active, and not removed.
    fn targets(&self, history: &AccessHistory, at: Instant) -> BTreeSet<(HubId, ClientUserId)> {
        let clients: BTreeSet<_> = self.removals.iter().map(|removal| removal.client).collect();
        let users = clients.into_iter().flat_map(|client| history.client_users(client));
        let active = users.filter(|user| user.is_active(at)).map(|user| (user.client, user.user));
        let leaving: BTreeSet<_> = self.removals.iter().map(|removal| (removal.client, removal.user)).collect();
        active.filter(|user| !leaving.contains(user)).collect()
    }

    fn unaffected(&self, decisions: &Decisions) -> BTreeSet<(HubId, AssetId)> {
        let is_affected = |(client, asset): &(HubId, AssetId)| {
            self.removals.iter().any(|removal| removal.client == *client && removal.assets.contains(asset))
        };
        decisions.of_assets.keys().filter(|key| !is_affected(key)).cloned().collect()
    }
}

impl PlannedRemoval {
    fn reassignment(&self, new_owner: Option<ClientUserId>, assets: BTreeSet<AssetId>) -> Reassignment {
        Reassignment { client: self.client, user: self.user, address: self.address.clone(), new_owner, assets }
    }
}

fn new_owner(
    decision: Option<Decision>,
    client_of_asset: HubId,
    targets: &BTreeSet<(HubId, ClientUserId)>,
) -> Result<Option<ClientUserId>, Problem> {
    match decision {
        None => Err(Problem::Missing),
        Some(Decision::LeaveWithoutOwner) => Ok(None),
        Some(Decision::Reassign { client, user }) if client == client_of_asset && targets.contains(&(client, user)) => {
            Ok(Some(user))
        }
        Some(Decision::Reassign { .. }) => Err(Problem::WrongTarget),
    }
}
