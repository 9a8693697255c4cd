//! A user is added to a client account; where the domain matches, the client is thereby assigned (R23).

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::{ClientUserName, Revision, timestamp};
use domain::access::{AccessFact, ClientUserId, EmailAddress, HubId, PermissionSet};
use service_kit::access_log::Question;
use service_kit::{ServiceError, Statement};

use super::recording::Recording;
use crate::AccessManagement;

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
    ) -> Result<(wire::ClientUser, Revision), ServiceError> {
        let mut recording = Recording::begin(self, statement).await?;
        let (clients, addresses) = (BTreeSet::from([new.client]), BTreeSet::from([new.address.clone()]));
        let history = recording
            .history(&[
                Question::Clients(&clients),
                Question::UsersAndLinks { clients: &clients, addresses: &addresses },
            ])
            .await?;
        let user = ClientUserId(self.clock.new_id());
        let client_user = wire::ClientUser {
            name: ClientUserName { client: new.client, user }.to_string(),
            email_address: new.address.to_string(),
            display_name: new.display_name.clone(),
            permission_set: wire::PermissionSet::from(new.permission_set).into(),
            state: wire::ClientUserState::Active.into(),
            start_time: Some(timestamp(recording.effective_time)),
        };
        let NewClientUser { client, address, display_name, permission_set } = new;
        let fact = AccessFact::ClientUserAdded { client, user, address, display_name, permission_set };
        recording.record(&history, fact).await?;
        Ok((client_user, recording.commit().await?))
    }
}
