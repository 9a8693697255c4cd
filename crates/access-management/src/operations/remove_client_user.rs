//! A user is removed from a client account. Whether that ends a managed relationship (R71) is derived by `domain` from
//! the history; nobody records it.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::wire::error::ErrorReason;
use contracts::{ClientUserName, Failure};
use domain::access::{AccessFact, AccessHistory, ClientUserSpell};
use service_kit::access_log;
use service_kit::{ServiceError, Statement, require_etag};

use super::recording::{Begun, Recording};
use crate::{AccessManagement, resource};

/// A change of one client user.
pub(crate) struct UserChange {
    pub name: ClientUserName,
    /// What the caller has read; empty is not compared.
    pub etag: String,
}

impl AccessManagement {
    pub(crate) async fn remove_client_user(
        &self,
        removal: UserChange,
        statement: Statement,
    ) -> Result<wire::RemoveClientUserResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        recording.require_platform()?;
        let ClientUserName { client, user } = removal.name;
        // Everybody there has a say: whether anybody of a partner is left (R71).
        let mut history = access_log::history_of_clients(&**recording.transaction(), &BTreeSet::from([client])).await?;
        let spell = spell_of(&history, &removal.name).ok_or_else(|| unknown(&removal.name))?;
        let address = spell.address.clone();
        require_etag(&removal.etag, &resource::client_user(&history, spell, recording.now()).etag)?;
        recording.record(&mut history, AccessFact::ClientUserRemoved { client, user, address }).await?;
        let now = recording.now();
        let client_user = spell_of(&history, &removal.name).map(|user| resource::client_user(&history, user, now));
        let answer = wire::RemoveClientUserResponse { client_user, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}

fn spell_of<'history>(history: &'history AccessHistory, name: &ClientUserName) -> Option<&'history ClientUserSpell> {
    history.client_users(name.client).find(|spell| spell.user == name.user)
}

fn unknown(name: &ClientUserName) -> Failure {
    Failure::new(ErrorReason::UnknownClientUser, format!("{name} is not known"))
}
