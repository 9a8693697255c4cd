//! The access links of an employee.

use contracts::wire::access as wire;
use contracts::wire::error::ErrorReason;
use contracts::{EmployeeName, Failure};
use domain::access::Actor;
use service_kit::page::PageStart;
use service_kit::permission::{self, Permission};
use service_kit::{ServiceError, access_log};

use crate::store::access_link::{self, LinkPlace};
use crate::{AccessManagement, resource};

pub(crate) struct AccessLinkQuery {
    pub employee: EmployeeName,
    pub start: PageStart,
    /// Behind which link the page begins: what `start` says.
    pub after: Option<LinkPlace>,
    pub page_size: usize,
}

impl AccessManagement {
    pub(crate) async fn list_access_links(
        &self,
        query: AccessLinkQuery,
        actor: Actor,
    ) -> Result<wire::ListAccessLinksResponse, ServiceError> {
        let transaction = self.database.begin_read().await?;
        let now = access_log::present_instant(&*transaction, self.clock.now()).await?;
        let AccessLinkQuery { employee, start, after, page_size } = query;
        let (policy, partner) = (&self.policy, Some(employee.partner));
        permission::require(&*transaction, policy, &actor, Permission::ShareAccessLinks, partner, None, now).await?;
        access_log::employee_address(&*transaction, employee.partner, employee.employee)
            .await?
            .ok_or_else(|| Failure::new(ErrorReason::UnknownEmployee, format!("{employee} is not known")))?;

        // One more than the page tells whether there is another.
        let mut links = access_link::page(&*transaction, employee, after, page_size as u64 + 1).await?;
        let has_more = links.len() > page_size;
        links.truncate(page_size);
        let last = links.last().filter(|_| has_more);
        let next_page_token = last.map_or_else(String::new, |link| start.token_after(&link.place().to_bytes()));
        let access_links = links.iter().map(|link| resource::access_link(link, now)).collect();
        Ok(wire::ListAccessLinksResponse { access_links, next_page_token })
    }
}
