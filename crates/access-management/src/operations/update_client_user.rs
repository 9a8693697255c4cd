//! A user of a client account gets another name or permission set, from the client's own side.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{AccessFact, PermissionSet};
use service_kit::access_log;
use service_kit::permission::Permission;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use super::user_change::{UserChange, require_unchanged, user_now};
use super::user_permission::unknown;
use crate::AccessManagement;

pub(crate) struct ClientUserUpdate {
    pub change: UserChange,
    /// None where it stays.
    pub display_name: Option<String>,
    /// None where it stays.
    pub permission_set: Option<PermissionSet>,
}

impl AccessManagement {
    pub(crate) async fn update_client_user(
        &self,
        update: ClientUserUpdate,
        statement: Statement,
    ) -> Result<wire::UpdateClientUserResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let ClientUserUpdate { change, display_name, permission_set } = update;
        let name = change.name;
        recording.require(Permission::ManageClientUsers, None, Some(name.client)).await?;
        let transaction = &**recording.transaction();
        let address = access_log::user_address(transaction, name.client, name.user).await?;
        let address = address.ok_or_else(|| unknown(name))?;
        let (clients, addresses) = (BTreeSet::from([name.client]), BTreeSet::from([address.clone()]));
        let mut history = access_log::history_for_judging(transaction, &clients, &addresses).await?;

        require_unchanged(&recording, &history, &change)?;
        let by_then = recording.as_of_effective_time(&history);
        let before = by_then.client_users(name.client).find(|user| user.user == name.user);
        // That one who is not there yet, or no longer, cannot be updated is told also where nothing would change.
        let is_other = before.is_none_or(|before| {
            before.period.end.is_some()
                || display_name.as_ref().is_some_and(|stated| *stated != before.display_name)
                || permission_set.as_ref().is_some_and(|stated| *stated != before.permission_set)
        });
        let (client, user) = (name.client, name.user);
        let fact = AccessFact::ClientUserUpdated { client, user, address, display_name, permission_set };
        if recording.is_news(&history, &fact, is_other) {
            recording.record(&mut history, fact).await?;
        }
        let client_user = user_now(&recording, &history, name);
        let answer = wire::UpdateClientUserResponse { client_user, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}
