//! The access links of an employee.

use contracts::EmployeeName;
use contracts::wire::access as wire;
use domain::access::Actor;
use service_kit::page::PageRequest;
use service_kit::permission::Permission;
use service_kit::{ServiceError, access_log};

use super::known_employee::unknown_employee;
use super::reading::Reading;
use crate::store::access_link::{self, LinkPlace};
use crate::{AccessManagement, resource};

pub(crate) struct AccessLinkList {
    pub employee: EmployeeName,
    pub page: PageRequest,
    /// Behind which link the page begins: what its start says.
    pub after: Option<LinkPlace>,
}

impl AccessManagement {
    pub(crate) async fn list_access_links(
        &self,
        list: AccessLinkList,
        actor: Actor,
    ) -> Result<wire::ListAccessLinksResponse, ServiceError> {
        let AccessLinkList { employee, page, after } = list;
        let reading = Reading::begin(self, actor).await?;
        reading.require_in_partner(Permission::ShareAccessLinks, employee.partner).await?;
        let transaction = &**reading.transaction();
        let address = access_log::employee_address(transaction, employee.partner, employee.employee).await?;
        address.ok_or_else(|| unknown_employee(employee))?;

        // One more than the page tells whether there is another. Read by pages, because what is used, revoked or expired
        // stays in the list for ever.
        let mut links = access_link::page(transaction, employee, after, page.size as u64 + 1).await?;
        let has_more = links.len() > page.size;
        links.truncate(page.size);
        let last = links.last().filter(|_| has_more);
        let next_page_token = last.map_or_else(String::new, |link| page.start.token_after(&link.place().to_bytes()));
        let access_links = links.iter().map(|link| resource::access_link(link, reading.now())).collect();
        Ok(wire::ListAccessLinksResponse { access_links, next_page_token })
    }
}
