//! A user is removed from a client account. Whether that ends a managed relationship (R71) is derived by `domain` from
//! the history; nobody records it.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::wire::error::ErrorReason;
use contracts::{ClientUserName, Failure, Revision, timestamp};
use domain::access::{AccessFact, AccessHistory, ClientUserSpell};
use service_kit::access_log::{self, Question};
use service_kit::{ServiceError, Statement};

use super::recording::Recording;
use crate::AccessManagement;

pub(crate) struct Removal {
    pub name: ClientUserName,
}

impl AccessManagement {
    pub(crate) async fn remove_client_user(
        &self,
        removal: Removal,
        statement: Statement,
    ) -> Result<(wire::ClientUser, Revision), ServiceError> {
        let ClientUserName { client, user } = removal.name;
        let mut recording = Recording::begin(self, statement).await?;
        let address = access_log::user_address(&**recording.transaction(), client, user)
            .await?
            .ok_or_else(|| unknown(&removal.name))?;
        let (clients, addresses) = (BTreeSet::from([client]), BTreeSet::from([address.clone()]));
        let history = recording
            .history(&[
                Question::Clients(&clients),
                Question::UsersAndLinks { clients: &clients, addresses: &addresses },
            ])
            .await?;
        let spell = spell_of(&history, &removal.name).ok_or_else(|| unknown(&removal.name))?;
        let removed = wire::ClientUser {
            name: removal.name.to_string(),
            email_address: address.to_string(),
            display_name: spell.display_name.clone(),
            permission_set: wire::PermissionSet::from(spell.permission_set).into(),
            state: wire::ClientUserState::Removed.into(),
            start_time: Some(timestamp(spell.period.start)),
        };
        recording.record(&history, AccessFact::ClientUserRemoved { client, user, address }).await?;
        Ok((removed, recording.commit().await?))
    }
}

fn spell_of<'history>(history: &'history AccessHistory, name: &ClientUserName) -> Option<&'history ClientUserSpell> {
    history.client_users(name.client).find(|spell| spell.user == name.user)
}

fn unknown(name: &ClientUserName) -> Failure {
    Failure::new(ErrorReason::UnknownClientUser, format!("{name} is not known"))
}
