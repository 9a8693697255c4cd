//! The users of a client account, for who manages them.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{AccessHistory, Actor, ClientUserSpell, ClientUserState, HubId, judge};
use domain::time::Instant;
use service_kit::page::{PageRequest, Place};
use service_kit::permission::{self, Permission};
use service_kit::{ServiceError, access_log};

use super::place_of_person::place_of_person;
use super::reading::Reading;
use super::search::Search;
use super::user_permission::UserQuestion;
use crate::{AccessManagement, resource};

pub(crate) struct ClientUserList {
    pub client: HubId,
    pub search: Search,
    pub states: Vec<ClientUserState>,
    pub page: PageRequest,
}

impl AccessManagement {
    pub(crate) async fn list_client_users(
        &self,
        list: ClientUserList,
        actor: Actor,
    ) -> Result<wire::ListClientUsersResponse, ServiceError> {
        let reading = Reading::begin(self, actor).await?;
        require_managing(&reading, list.client).await?;
        let clients = BTreeSet::from([list.client]);
        let history = access_log::history_of_clients(&**reading.transaction(), &clients).await?;
        history.client(list.client).ok_or_else(|| permission::unknown_client(list.client))?;

        let users = history.client_users(list.client).filter(|user| list.finds(user, reading.now()));
        let visible = users.filter(|user| is_visible(&reading, &history, user));
        let page = list.page.page(visible.map(|user| (place(user), user)).collect(), false);
        Ok(wire::ListClientUsersResponse {
            total_size: page.stated_total_size(),
            client_users: page.rows.iter().map(|user| resource::client_user(&history, user, reading.now())).collect(),
            next_page_token: page.next_page_token,
        })
    }
}

impl ClientUserList {
    fn finds(&self, user: &ClientUserSpell, at: Instant) -> bool {
        self.states.contains(&user.state_at(at)) && self.search.finds_person(&user.display_name, &user.address)
    }
}

/// Refuses who manages nobody there: judged by what concerns the actor alone, before everybody is loaded.
async fn require_managing(reading: &Reading<'_>, client: HubId) -> Result<(), ServiceError> {
    const NEEDED: Permission = Permission::ManageEmployeesInClient;
    let Actor::Person(person) = reading.actor() else { return Ok(()) };
    let (clients, people) = (BTreeSet::from([client]), BTreeSet::from([person.clone()]));
    let history = access_log::history_for_judging(&**reading.transaction(), &clients, &people).await?;
    let standing = history.standing(person, None, Some(client), reading.now(), reading.policy());
    Ok(judge(NEEDED, &standing).map_err(|denial| permission::refusal(denial, NEEDED, None, Some(client)))?)
}

/// Who may change a user sees it: a super admin everybody, a Partner admin the own partner's employees.
fn is_visible(reading: &Reading<'_>, history: &AccessHistory, user: &ClientUserSpell) -> bool {
    let Actor::Person(person) = reading.actor() else { return true };
    let question = UserQuestion { history, person, client: user.client, at: reading.now(), policy: reading.policy() };
    question.may_change(&user.address).is_ok()
}

fn place(user: &ClientUserSpell) -> Place {
    place_of_person(&user.address, user.period.start, user.user.0)
}
