//! The users of a client account.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{Actor, ClientUserSpell, ClientUserState, HubId, folded, judge};
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::page::{PageStart, Place};
use service_kit::permission::{self, Permission};
use service_kit::{ServiceError, access_log};

use super::user_permission::UserQuestion;
use crate::{AccessManagement, resource};

pub(crate) struct ClientUserQuery {
    pub client: HubId,
    /// Folded; empty finds everybody.
    pub search: String,
    pub states: Vec<ClientUserState>,
    pub start: PageStart,
    pub page_size: usize,
}

impl ClientUserQuery {
    fn finds(&self, user: &ClientUserSpell, at: Instant) -> bool {
        self.states.contains(&resource::state(user, at))
            && (folded(&user.display_name).contains(&self.search) || user.address.as_str().contains(&self.search))
    }
}

impl AccessManagement {
    pub(crate) async fn list_client_users(
        &self,
        query: ClientUserQuery,
        actor: Actor,
    ) -> Result<wire::ListClientUsersResponse, ServiceError> {
        let transaction = self.database.begin_read().await?;
        let now = access_log::present_instant(&*transaction, self.clock.now()).await?;
        self.require_client_users(&*transaction, &actor, query.client, now).await?;
        let history = access_log::history_of_clients(&*transaction, &BTreeSet::from([query.client])).await?;
        history.client(query.client).ok_or_else(|| permission::unknown_client(query.client))?;

        let is_visible = |user: &ClientUserSpell| match &actor {
            Actor::Platform => true,
            Actor::Person(person) => {
                let (history, client, policy) = (&history, query.client, &*self.policy);
                UserQuestion { history, person, client, at: now, policy }.may_change(&user.address).is_ok()
            }
        };
        let found = history.client_users(query.client).filter(|user| query.finds(user, now) && is_visible(user));
        let page = query.start.page(found.map(|user| (place(user), user)).collect(), false, query.page_size);
        let client_users = page.rows.into_iter().map(|user| resource::client_user(&history, user, now)).collect();
        let total_size = i32::try_from(page.total_size).unwrap_or(i32::MAX);
        Ok(wire::ListClientUsersResponse { client_users, next_page_token: page.next_page_token, total_size })
    }

    /// Refuses who may change nobody there. Judged by what concerns the person alone, before everybody is loaded.
    async fn require_client_users<C: ConnectionTrait>(
        &self,
        connection: &C,
        actor: &Actor,
        client: HubId,
        now: Instant,
    ) -> Result<(), ServiceError> {
        const NEEDED: Permission = Permission::ManageEmployeesInClient;
        let Actor::Person(person) = actor else { return Ok(()) };
        let (clients, people) = (BTreeSet::from([client]), BTreeSet::from([person.clone()]));
        let history = access_log::history_for_judging(connection, &clients, &people).await?;
        let standing = history.standing(person, None, Some(client), now, &self.policy);
        judge(NEEDED, &standing).map_err(|denial| permission::refusal(denial, NEEDED, None, Some(client)))?;
        Ok(())
    }
}

/// By address, and of one address in the order of creation.
fn place(user: &ClientUserSpell) -> Place {
    [user.address.as_str().as_bytes(), &[0], user.user.0.as_bytes()].concat()
}
