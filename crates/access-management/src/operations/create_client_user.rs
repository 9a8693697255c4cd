//! A user is added to a client account by the client's own side; where the domain matches, the client is thereby assigned
//! (R23).

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{AccessFact, ClientUserId, EmailAddress, HubId, PermissionSet};
use service_kit::access_log::Question;
use service_kit::permission::Permission;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use crate::{AccessManagement, resource};

pub(crate) struct NewClientUser {
    pub client: HubId,
    pub address: EmailAddress,
    pub display_name: String,
    pub permission_set: PermissionSet,
}

impl AccessManagement {
    pub(crate) async fn create_client_user(
        &self,
        new: NewClientUser,
        statement: Statement,
    ) -> Result<wire::CreateClientUserResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        recording.require(Permission::ManageClientUsers, None, Some(new.client)).await?;
        let (clients, addresses) = (BTreeSet::from([new.client]), BTreeSet::from([new.address.clone()]));
        let there = Question::UsersAndLinks { clients: &clients, addresses: &addresses };
        let mut history = recording.history(&[Question::Clients(&clients), there]).await?;
        let user = ClientUserId(self.clock.new_id());
        let NewClientUser { client, address, display_name, permission_set } = new;
        let fact = AccessFact::ClientUserAdded { client, user, address, display_name, permission_set };
        recording.record(&mut history, fact).await?;
        let now = recording.now();
        let added = history.client_users(client).find(|spell| spell.user == user);
        let client_user = added.map(|user| resource::client_user(&history, user, now));
        let answer = wire::CreateClientUserResponse { client_user, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}
