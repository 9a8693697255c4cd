//! A client as it is now.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{AccessHistory, Actor, ClientUserState, EmailAddress, HubId, judge};
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};
use service_kit::permission::{Permission, unknown_client};

use super::reading::Reading;
use crate::{AccessManagement, resource};

impl AccessManagement {
    pub(crate) async fn get_client(
        &self,
        client: HubId,
        actor: Actor,
    ) -> Result<wire::GetClientResponse, ServiceError> {
        let reading = Reading::begin(self, actor).await?;
        if !exists_for_actor(&reading, client).await? {
            return Err(unknown_client(client).into());
        }
        let history = reading.history(&[Question::Clients(&BTreeSet::from([client]))]).await?;
        let known = history.client(client).ok_or_else(|| unknown_client(client))?;
        let client = Some(resource::client(&history, known));
        Ok(wire::GetClientResponse { client })
    }
}

/// A client exists for its own users, and for whoever has CAM access in a partner account that knows it (R26, R127).
async fn exists_for_actor(reading: &Reading<'_>, client: HubId) -> Result<bool, ServiceError> {
    let Actor::Person(person) = reading.actor() else { return Ok(true) };
    let (clients, people) = (BTreeSet::from([client]), BTreeSet::from([person.clone()]));
    let of_person = access_log::history_for_judging(&**reading.transaction(), &clients, &people).await?;
    if of_person.client_user_state_at(client, person, reading.now()) == ClientUserState::Active {
        return Ok(true);
    }
    for partner in partners_with_cam_access(&of_person, person, reading) {
        let history = access_log::history_of_pair(&**reading.transaction(), client, partner).await?;
        if history.exists_for(client, partner) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn partners_with_cam_access(history: &AccessHistory, person: &EmailAddress, reading: &Reading<'_>) -> BTreeSet<HubId> {
    let has_cam_access = |partner: &HubId| {
        let standing = history.standing(person, Some(*partner), None, reading.now(), reading.policy());
        judge(Permission::ViewClientAccess, &standing).is_ok()
    };
    history.employees(person).map(|employee| employee.partner).filter(has_cam_access).collect()
}
