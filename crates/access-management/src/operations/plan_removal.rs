//! What a removal would do, as far as the actor may do and see it: what the preview and the confirmation share, so that
//! the one can be compared with the other (R41).

mod of_client;
mod of_employee;

use std::collections::{BTreeMap, BTreeSet};

use contracts::wire::access as wire;
use contracts::wire::error::ErrorReason;
use contracts::{ClientName, ClientUserName, EmployeeName, Failure, PartnerName};
use domain::access::{
    AccessHistory, Actor, AssetId, ClientUserId, ClientUserSpell, Denial, EmployeeId, HubId, RemovalPlan,
    RemovalSelection, Standing,
};
use domain::policy::Policy;
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::ServiceError;
use service_kit::permission::{self, Permission};

use crate::store;
use crate::store::asset::Asset;

/// The most users of one removal.
pub(crate) const MAXIMUM_USERS: usize = 1_000;
/// The most assets of one removal.
pub(crate) const MAXIMUM_ASSETS: usize = 10_000;
/// How many employees a refusal names.
const NAMED_EMPLOYEES: usize = 10;

/// What removing somebody else's user needs in its client (R27).
const NEEDED: Permission = Permission::ManageEmployeesInClient;

/// A removal that is possible now.
pub(super) struct PlannedRemovals {
    /// Everybody in the clients.
    pub history: AccessHistory,
    pub plan: RemovalPlan,
    /// All that the removed own, by client and id.
    pub assets: Vec<Asset>,
    /// The managed relationships that would end at once (R71), as far as they are the actor's business.
    pub ended_relationships: Vec<wire::EndedRelationship>,
    /// The account whose employees are removed.
    pub partner: HubId,
}

/// Who asks, by which policy, when.
#[derive(Clone, Copy)]
pub(super) struct Asker<'a> {
    pub actor: &'a Actor,
    pub policy: &'a Policy,
    pub at: Instant,
}

impl Asker<'_> {
    /// Whether the actor may remove a user. The history must hold everybody with the addresses of both.
    fn may_remove(&self, history: &AccessHistory, user: &ClientUserSpell) -> bool {
        match self.actor {
            Actor::Platform => true,
            Actor::Person(person) => {
                history.may_manage_user(person, user.client, &user.address, self.at, self.policy).is_ok()
            }
        }
    }

    /// Where a person stands towards a partner; none for the platform, who may do everything. The history must hold the
    /// person's employees and the partner.
    fn standing(&self, history: &AccessHistory, partner: HubId) -> Option<Standing> {
        match self.actor {
            Actor::Platform => None,
            Actor::Person(person) => Some(history.standing(person, Some(partner), None, self.at, self.policy)),
        }
    }
}

/// Plans a removal; refuses what the actor may not do as what does not exist, where it may not even see it.
pub(super) async fn plan_removal<C: ConnectionTrait>(
    connection: &C,
    asker: Asker<'_>,
    selection: &RemovalSelection,
) -> Result<PlannedRemovals, ServiceError> {
    let (partner, (history, plan)) = match selection {
        RemovalSelection::OfClient { client, partner, employees } => {
            (*partner, of_client::plan(connection, asker, selection, (*client, *partner), employees).await?)
        }
        RemovalSelection::OfEmployee { partner, employee } => {
            let name = EmployeeName { partner: *partner, employee: *employee };
            (*partner, of_employee::plan(connection, asker, selection, name).await?)
        }
    };
    if plan.removals.len() > MAXIMUM_USERS {
        let message = format!("{} users would be removed; at most {MAXIMUM_USERS} at once", plan.removals.len());
        return Err(Failure::new(ErrorReason::LimitReached, message).into());
    }
    let assets = owned_assets(connection, &plan).await?;
    let plan = plan.with_assets(by_owner(&assets));
    let ended_relationships = ended_relationships(&plan, asker.actor, partner);
    Ok(PlannedRemovals { history, plan, assets, ended_relationships, partner })
}

async fn owned_assets<C: ConnectionTrait>(connection: &C, plan: &RemovalPlan) -> Result<Vec<Asset>, ServiceError> {
    let owners: BTreeSet<ClientUserName> =
        plan.removals.iter().map(|removal| ClientUserName { client: removal.client, user: removal.user }).collect();
    // One more than allowed tells whether there are more.
    let limit = u64::try_from(MAXIMUM_ASSETS + 1).unwrap_or(u64::MAX);
    let assets = store::asset::owned_by(connection, &owners, limit).await?;
    if assets.len() > MAXIMUM_ASSETS {
        let message =
            format!("they own more than {MAXIMUM_ASSETS} assets; choose fewer of them, or reassign some before");
        return Err(Failure::new(ErrorReason::LimitReached, message).into());
    }
    Ok(assets)
}

fn by_owner(assets: &[Asset]) -> BTreeMap<(HubId, ClientUserId), BTreeSet<AssetId>> {
    let mut by_owner = BTreeMap::<_, BTreeSet<AssetId>>::new();
    for Asset { name, owner, .. } in assets {
        if let Some(owner) = owner {
            by_owner.entry((name.client, *owner)).or_default().insert(name.asset.clone());
        }
    }
    by_owner
}

/// Of other partners that employ one of the removed only the platform hears (R127).
fn ended_relationships(plan: &RemovalPlan, actor: &Actor, of: HubId) -> Vec<wire::EndedRelationship> {
    let is_visible = |partner: HubId| partner == of || *actor == Actor::Platform;
    let visible = plan.deserted.iter().filter(|(_, partner)| is_visible(*partner));
    visible
        .map(|(client, partner)| wire::EndedRelationship {
            client: ClientName(*client).to_string(),
            partner: PartnerName(*partner).to_string(),
        })
        .collect()
}

fn unknown_employees(partner: HubId, employees: &BTreeSet<EmployeeId>) -> Failure {
    Failure::new(ErrorReason::UnknownEmployee, format!("not known: {}", named(partner, employees)))
}

fn nobody_to_remove(partner: HubId, absent: &BTreeSet<EmployeeId>) -> Failure {
    let message = match absent.is_empty() {
        true => format!("there is nobody to remove: no employee of partner {partner} is a user there"),
        false => format!(
            "there is nobody to remove: no user there, or never flagged as working for the partner: {}",
            named(partner, absent)
        ),
    };
    Failure::new(ErrorReason::NobodyToRemove, message)
}

/// The names of the first of them, so that a refusal stays of a size that every client reads.
fn named(partner: HubId, employees: &BTreeSet<EmployeeId>) -> String {
    let names = employees.iter().map(|employee| EmployeeName { partner, employee: *employee }.to_string());
    let mut listed: Vec<String> = names.take(NAMED_EMPLOYEES).collect();
    if employees.len() > NAMED_EMPLOYEES {
        listed.push(format!("and {} more", employees.len() - NAMED_EMPLOYEES));
    }
    listed.join(", ")
}

fn not_allowed() -> Failure {
    permission::refusal(Denial::Missing { permission: NEEDED }, NEEDED, None, None)
}
