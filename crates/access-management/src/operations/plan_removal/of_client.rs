//! Employees of one partner in one client account.

use std::collections::BTreeSet;

use contracts::Failure;
use contracts::wire::error::ErrorReason;
use domain::access::{AccessHistory, Actor, ChosenEmployees, HubId, RemovalPlan, RemovalRefusal, RemovalSelection};
use sea_orm::ConnectionTrait;
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};
use service_kit::permission::{self, unknown_client};

use super::{Asker, NEEDED, nobody_to_remove, not_allowed, unknown_employees};

pub(super) async fn plan<C: ConnectionTrait>(
    connection: &C,
    asker: Asker<'_>,
    selection: &RemovalSelection,
    (client, partner): (HubId, HubId),
    employees: &ChosenEmployees,
) -> Result<(AccessHistory, RemovalPlan), ServiceError> {
    let Asker { actor, policy, at } = asker;
    permission::require(connection, policy, actor, NEEDED, Some(partner), Some(client), at).await?;
    let history = load(connection, actor, (client, partner), employees).await?;
    history.client(client).ok_or_else(|| unknown_client(client))?;
    let plan = history.plan_removal(selection, |user| asker.may_remove(&history, user), at, policy);
    let plan = plan.map_err(|refusal| refused(&asker, &history, partner, &refusal))?;
    // Of all, those are removed who may be; somebody who was named is not silently left.
    if matches!(employees, ChosenEmployees::Only(_)) && !plan.left_out.is_empty() {
        return Err(not_allowed().into());
    }
    Ok((history, plan))
}

/// Everybody in the client, the chosen wherever they are, and the actor in the partner account.
async fn load<C: ConnectionTrait>(
    connection: &C,
    actor: &Actor,
    (client, partner): (HubId, HubId),
    employees: &ChosenEmployees,
) -> Result<AccessHistory, ServiceError> {
    let chosen = match employees {
        ChosenEmployees::All => BTreeSet::new(),
        ChosenEmployees::Only(chosen) => chosen.clone(),
    };
    let actor = match actor {
        Actor::Platform => BTreeSet::new(),
        Actor::Person(person) => BTreeSet::from([person.clone()]),
    };
    let others =
        [Question::Partners(&BTreeSet::from([partner])), Question::Employees(&chosen), Question::EmployeesAt(&actor)];
    access_log::history_of_clients_and(connection, &BTreeSet::from([client]), &others).await
}

fn refused(asker: &Asker<'_>, history: &AccessHistory, partner: HubId, refusal: &RemovalRefusal) -> Failure {
    // A super admin of the client sees the partner's people as users there only: who else works for the partner is not
    // told, nor who does not (R127).
    let sees_partner = asker.standing(history, partner).is_none_or(|standing| standing.partner_role.is_some());
    match refusal {
        RemovalRefusal::NobodyToRemove { absent } if sees_partner || absent.is_empty() => {
            nobody_to_remove(partner, absent)
        }
        RemovalRefusal::UnknownEmployees { employees, .. } if sees_partner => unknown_employees(partner, employees),
        RemovalRefusal::NobodyToRemove { .. } | RemovalRefusal::UnknownEmployees { .. } => {
            Failure::new(ErrorReason::UnknownEmployee, "not all of these employees are users of this client")
        }
        RemovalRefusal::NotAllowed { .. } => not_allowed(),
    }
}
