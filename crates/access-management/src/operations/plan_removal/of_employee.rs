//! One employee in all client accounts: off-boarding.

use std::collections::BTreeSet;

use contracts::{EmployeeName, Failure};
use domain::access::{
    AccessHistory, Actor, ClientUserState, Denial, EmailAddress, HubId, RemovalPlan, RemovalRefusal, RemovalSelection,
    judge,
};
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};
use service_kit::permission::Permission;

use super::{Asker, nobody_to_remove, not_allowed, unknown_employees};

pub(super) async fn plan<C: ConnectionTrait>(
    connection: &C,
    asker: Asker<'_>,
    selection: &RemovalSelection,
    name: EmployeeName,
) -> Result<(AccessHistory, RemovalPlan), ServiceError> {
    let Asker { actor, policy, at } = asker;
    let sight = sight(connection, &asker, name.partner).await?;
    let address = access_log::employee_address(connection, name.partner, name.employee).await?;
    let address = address.ok_or_else(|| refused(sight, name, None))?;
    let history = load(connection, actor, name.partner, &address, at).await?;

    let plan = history.plan_removal(selection, |user| asker.may_remove(&history, user), at, policy);
    let mut plan = plan.map_err(|refusal| refused(sight, name, Some(&refusal)))?;
    if sight.is_err() {
        plan.left_out.retain(|client| works_in(&history, actor, *client, at));
    }
    Ok((history, plan))
}

/// Whether the actor sees in which clients the partner's people are: with CAM access.
async fn sight<C: ConnectionTrait>(
    connection: &C,
    asker: &Asker<'_>,
    partner: HubId,
) -> Result<Result<(), Denial>, ServiceError> {
    let Actor::Person(person) = asker.actor else { return Ok(Ok(())) };
    let (partners, people) = (BTreeSet::from([partner]), BTreeSet::from([person.clone()]));
    let questions = [Question::Partners(&partners), Question::EmployeesAt(&people)];
    let history = access_log::history(connection, &questions).await?;
    let standing = asker.standing(&history, partner).unwrap_or_default();
    Ok(judge(Permission::ViewClientAccess, &standing))
}

/// Everybody in the clients in which the employee is a user now.
async fn load<C: ConnectionTrait>(
    connection: &C,
    actor: &Actor,
    partner: HubId,
    address: &EmailAddress,
    at: Instant,
) -> Result<AccessHistory, ServiceError> {
    let mut people = BTreeSet::from([address.clone()]);
    let anywhere = access_log::history(connection, &[Question::UsersAndLinksAnywhere(&people)]).await?;
    let known = anywhere.changes().filter_map(|change| change.fact.client());
    let is_present = |client: &HubId| {
        let state = anywhere.client_user_state_at(*client, address, at);
        matches!(state, ClientUserState::Active | ClientUserState::Deactivated)
    };
    let clients: BTreeSet<HubId> = known.filter(is_present).collect();
    if let Actor::Person(person) = actor {
        people.insert(person.clone());
    }
    let others = [Question::Partners(&BTreeSet::from([partner])), Question::EmployeesAt(&people)];
    access_log::history_of_clients_and(connection, &clients, &others).await
}

fn works_in(history: &AccessHistory, actor: &Actor, client: HubId, at: Instant) -> bool {
    match actor {
        Actor::Platform => true,
        Actor::Person(person) => history.client_user_state_at(client, person, at) == ClientUserState::Active,
    }
}

/// Who does not see where the partner's people are is told the same whether the employee exists or not, is somewhere or
/// not (R127). No refusal stands for an employee that does not exist.
fn refused(sight: Result<(), Denial>, name: EmployeeName, refusal: Option<&RemovalRefusal>) -> Failure {
    let unknown = || unknown_employees(name.partner, &BTreeSet::from([name.employee]));
    match (sight, refusal) {
        (Err(Denial::Invisible), _) | (Ok(()), None | Some(RemovalRefusal::UnknownEmployees { .. })) => unknown(),
        (Err(Denial::Missing { .. }), _) | (Ok(()), Some(RemovalRefusal::NotAllowed { .. })) => not_allowed(),
        (Ok(()), Some(RemovalRefusal::NobodyToRemove { absent })) => nobody_to_remove(name.partner, absent),
    }
}
