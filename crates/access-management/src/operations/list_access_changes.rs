//! The audit log: the changes of the feed, newest first, as far as they are the asker's business.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::{EmployeeName, PartnerName};
use domain::access::{Actor, EmailAddress, HubId};
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::ServiceError;
use service_kit::access_log::{self, ChangeFilter, Concerning, Question};
use service_kit::feed::fill_message;
use service_kit::page::PageRequest;
use service_kit::permission::{self, Permission, unknown_partner};

use crate::AccessManagement;

/// What stands in the place of an actor who is not of the asker's partner (R127).
const SOMEBODY: &str = "someone at the client";

pub(crate) struct ChangeQuery {
    /// Always stated by a person.
    pub partner: Option<HubId>,
    pub client: Option<HubId>,
    /// Of the partner, if both are stated.
    pub employee: Option<EmployeeName>,
    /// None: all.
    pub kinds: BTreeSet<String>,
    pub from: Option<Instant>,
    pub to: Option<Instant>,
    pub notices_only: bool,
    /// Before which position the page begins.
    pub before: Option<u64>,
    pub page: PageRequest,
}

impl AccessManagement {
    pub(crate) async fn list_access_changes(
        &self,
        query: ChangeQuery,
        actor: Actor,
    ) -> Result<wire::ListAccessChangesResponse, ServiceError> {
        let transaction = self.database.begin_read().await?;
        if let Some(partner) = query.partner {
            self.require_sight(&*transaction, &actor, partner).await?;
        }
        let people = match query.partner {
            Some(partner) => people_of(&*transaction, partner).await?,
            None => BTreeSet::new(),
        };
        let Some(filter) = filter(&*transaction, &query, &people).await? else {
            return Ok(wire::ListAccessChangesResponse::default());
        };
        // One more than asked for tells whether there are more.
        let limit = u64::try_from(query.page.size).unwrap_or_default() + 1;
        let found = access_log::newest(&*transaction, &filter, query.before, limit).await?;
        let all = found.len();
        // Fewer where they are large: a change may name a thousand assets.
        let (mut changes, _) = fill_message(found);
        changes.truncate(query.page.size);
        let has_more = changes.len() < all;
        let last = changes.last().filter(|_| has_more);
        let next_page_token = last.map(|last| query.page.start.token_after(&last.position.to_be_bytes()));
        if let (Actor::Person(_), Some(partner)) = (&actor, query.partner) {
            changes.iter_mut().for_each(|change| hide_others(change, partner, &people));
            // What somebody else should be told of is no notice for this partner.
            changes.retain(|change| !query.notices_only || !change.notices.is_empty());
        }
        Ok(wire::ListAccessChangesResponse { changes, next_page_token: next_page_token.unwrap_or_default() })
    }

    async fn require_sight<C: ConnectionTrait>(
        &self,
        connection: &C,
        actor: &Actor,
        partner: HubId,
    ) -> Result<(), ServiceError> {
        let now = access_log::present_instant(connection, self.clock.now()).await?;
        let needed = Permission::ViewClientAccess;
        permission::require(connection, &self.policy, actor, needed, Some(partner), None, now).await?;
        let history = access_log::history(connection, &[Question::Partners(&BTreeSet::from([partner]))]).await?;
        history.partner(partner).ok_or_else(|| unknown_partner(partner))?;
        Ok(())
    }
}

/// Who is or was the partner's employee. Whom a change says so that was taken back never was one, and is nobody that the
/// partner may hear of (R22, R127).
async fn people_of<C: ConnectionTrait>(connection: &C, partner: HubId) -> Result<BTreeSet<EmailAddress>, ServiceError> {
    let recorded = access_log::employee_addresses(connection, partner).await?;
    let history = access_log::history(connection, &[Question::EmployeesAt(&recorded)]).await?;
    Ok(history.employees_of(partner).map(|employee| employee.address.clone()).collect())
}

/// Nothing where the employee never was: nothing concerns it.
async fn filter<C: ConnectionTrait>(
    connection: &C,
    query: &ChangeQuery,
    people: &BTreeSet<EmailAddress>,
) -> Result<Option<ChangeFilter>, ServiceError> {
    let concerning = match (query.employee, query.partner) {
        (Some(EmployeeName { partner, employee }), _) => {
            let history = access_log::history(connection, &[Question::Employees(&BTreeSet::from([employee]))]).await?;
            let Some(known) = history.employee(employee).filter(|known| known.partner == partner) else {
                return Ok(None);
            };
            Some(Concerning::Employee { employee, address: known.address.clone() })
        }
        (None, Some(partner)) => {
            let closed_clients = access_log::closed_clients_of(connection, partner, people).await?;
            Some(Concerning::Partner { partner, people: people.clone(), closed_clients })
        }
        (None, None) => None,
    };
    Ok(Some(ChangeFilter {
        concerning,
        client: query.client,
        kinds: query.kinds.clone(),
        from: query.from,
        to: query.to,
        notices_only: query.notices_only,
    }))
}

/// Leaves nobody in a change who is not of the partner, nor the id by which others asked for it, and no other partner
/// (R127).
fn hide_others(change: &mut wire::AccessChange, partner: HubId, people: &BTreeSet<EmailAddress>) {
    let partner = PartnerName(partner).to_string();
    let mut is_own = false;
    for name in [&mut change.actor, &mut change.on_behalf_of] {
        let is_of_partner = name.parse().is_ok_and(|address| people.contains(&address));
        let is_nobody = name.is_empty() || *name == Actor::Platform.to_string();
        is_own |= is_of_partner;
        if !is_of_partner && !is_nobody {
            SOMEBODY.clone_into(name);
        }
    }
    if !is_own {
        change.request_id.clear();
    }
    change.ended_relationships.retain(|ended| *ended == partner);
    if change.ended_relationships.is_empty() {
        change.notices.retain(|notice| *notice != i32::from(wire::Notice::RelationshipEnded));
    }
}
