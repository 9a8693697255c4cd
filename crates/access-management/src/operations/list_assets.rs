//! What the users of a client account own.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{Actor, AssetId, ClientUserId, EmailAddress, HubId, judge};
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};
use service_kit::page::PageRequest;
use service_kit::permission::{self, Permission, unknown_client};

use crate::{AccessManagement, resource, store};

pub(crate) struct AssetQuery {
    pub client: HubId,
    /// Only what this user owns.
    pub owner: Option<ClientUserId>,
    /// Behind which asset the page begins.
    pub after: Option<AssetId>,
    pub page: PageRequest,
}

impl AccessManagement {
    pub(crate) async fn list_assets(
        &self,
        query: AssetQuery,
        actor: Actor,
    ) -> Result<wire::ListAssetsResponse, ServiceError> {
        let transaction = self.database.begin_read().await?;
        let now = access_log::present_instant(&*transaction, self.clock.now()).await?;
        let AssetQuery { client, owner, after, page } = query;
        let visible = match &actor {
            Actor::Platform => {
                require_known(&*transaction, client).await?;
                None
            }
            Actor::Person(person) => self.visible_owners(&*transaction, person, client, now).await?,
        };
        let owners = match (owner, visible) {
            (None, visible) => visible,
            (Some(owner), visible) => Some(
                [owner].into_iter().filter(|owner| visible.as_ref().is_none_or(|all| all.contains(owner))).collect(),
            ),
        };
        // One more than asked for tells whether there are more.
        let limit = u64::try_from(page.size).unwrap_or_default() + 1;
        let mut assets = store::asset::page(&*transaction, client, owners.as_ref(), after.as_ref(), limit).await?;
        let has_more = assets.len() > page.size;
        assets.truncate(page.size);
        let last = assets.last().filter(|_| has_more);
        let next_page_token = last.map(|last| page.start.token_after(last.name.asset.as_str().as_bytes()));
        Ok(wire::ListAssetsResponse {
            assets: assets.iter().map(resource::asset).collect(),
            next_page_token: next_page_token.unwrap_or_default(),
        })
    }

    /// Whose assets the person sees: everybody's, if nothing is returned. A Partner admin sees those of the own
    /// partner's employees, as they are whom it may remove.
    async fn visible_owners<C: ConnectionTrait>(
        &self,
        connection: &C,
        person: &EmailAddress,
        client: HubId,
        now: Instant,
    ) -> Result<Option<BTreeSet<ClientUserId>>, ServiceError> {
        const NEEDED: Permission = Permission::ManageEmployeesInClient;
        let clients = BTreeSet::from([client]);
        // Judged by what concerns the person alone, before everybody there is loaded.
        let people = BTreeSet::from([person.clone()]);
        let history = access_log::history_for_judging(connection, &clients, &people).await?;
        let standing = history.standing(person, None, Some(client), now, &self.policy);
        judge(NEEDED, &standing).map_err(|denial| permission::refusal(denial, NEEDED, None, Some(client)))?;
        if judge(Permission::ManageClientUsers, &standing).is_ok() {
            return Ok(None);
        }
        let history = access_log::history_of_clients(connection, &clients).await?;
        let may_manage = |target| history.may_manage_user(person, client, target, now, &self.policy).is_ok();
        let owners = history.client_users(client).filter(|user| may_manage(&user.address)).map(|user| user.user);
        Ok(Some(owners.collect()))
    }
}

async fn require_known<C: ConnectionTrait>(connection: &C, client: HubId) -> Result<(), ServiceError> {
    let history = access_log::history(connection, &[Question::Clients(&BTreeSet::from([client]))]).await?;
    history.client(client).ok_or_else(|| unknown_client(client))?;
    Ok(())
}
