//! A user of a client account as it is now, also a removed one.

use std::collections::BTreeSet;

use contracts::ClientUserName;
use contracts::wire::access as wire;
use domain::access::Actor;
use service_kit::{ServiceError, access_log};

use super::reading::Reading;
use super::user_permission::{Intent, require_user, unknown};
use crate::{AccessManagement, resource};

impl AccessManagement {
    pub(crate) async fn get_client_user(
        &self,
        name: ClientUserName,
        actor: Actor,
    ) -> Result<wire::GetClientUserResponse, ServiceError> {
        let reading = Reading::begin(self, actor).await?;
        let (transaction, policy, now) = (&**reading.transaction(), reading.policy(), reading.now());
        let address = require_user(transaction, policy, reading.actor(), name, Intent::See, now).await?;
        let (clients, addresses) = (BTreeSet::from([name.client]), BTreeSet::from([address]));
        let history = access_log::history_for_judging(transaction, &clients, &addresses).await?;
        let user = history.client_users(name.client).find(|spell| spell.user == name.user);
        let client_user = resource::client_user(&history, user.ok_or_else(|| unknown(name))?, now);
        Ok(wire::GetClientUserResponse { client_user: Some(client_user) })
    }
}
