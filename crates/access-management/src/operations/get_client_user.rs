//! A user of a client account is read.

use std::collections::BTreeSet;

use contracts::ClientUserName;
use contracts::wire::access as wire;
use domain::access::Actor;
use service_kit::{ServiceError, access_log};

use super::user_permission::{Intent, require_user, unknown};
use crate::{AccessManagement, resource};

impl AccessManagement {
    pub(crate) async fn get_client_user(
        &self,
        name: ClientUserName,
        actor: Actor,
    ) -> Result<wire::GetClientUserResponse, ServiceError> {
        let transaction = self.database.begin_read().await?;
        let now = access_log::present_instant(&*transaction, self.clock.now()).await?;
        let address = require_user(&*transaction, &self.policy, &actor, name, Intent::See, now).await?;
        let (clients, addresses) = (BTreeSet::from([name.client]), BTreeSet::from([address]));
        let history = access_log::history_for_judging(&*transaction, &clients, &addresses).await?;
        let user = history.client_users(name.client).find(|spell| spell.user == name.user);
        let client_user = resource::client_user(&history, user.ok_or_else(|| unknown(name))?, now);
        Ok(wire::GetClientUserResponse { client_user: Some(client_user) })
    }
}
