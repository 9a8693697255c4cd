//! The Employees tab: the users of a partner account, with the check mark for the domain (R21).

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{AccessHistory, Actor, EmployeeSpell, HubId, PartnerHistory};
use domain::time::Instant;
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};
use service_kit::page::{PageRequest, Place};
use service_kit::permission::{Permission, unknown_partner};

use super::footprints::Footprints;
use super::place_of_person::place_of_person;
use super::reading::Reading;
use super::search::Search;
use crate::{AccessManagement, resource};

pub(crate) struct EmployeeList {
    pub partner: HubId,
    pub search: Search,
    /// Only with, or only without, an address in the partner's domains.
    pub domain_verified: Option<bool>,
    /// Only with, or only without, an assigned client.
    pub linked: Option<bool>,
    pub show_deleted: bool,
    pub page: PageRequest,
}

/// An employee with the number of clients that are assigned to it now.
type Row<'history> = (&'history EmployeeSpell, usize);

impl AccessManagement {
    pub(crate) async fn list_employees(
        &self,
        list: EmployeeList,
        actor: Actor,
    ) -> Result<wire::ListEmployeesResponse, ServiceError> {
        let reading = Reading::begin(self, actor).await?;
        reading.require_in_partner(Permission::ViewClientAccess, list.partner).await?;
        let history = load(&reading, list.partner).await?;
        let partner = history.partner(list.partner).ok_or_else(|| unknown_partner(list.partner))?;
        let resource =
            |(employee, client_count): &Row<'_>| resource::employee(&history, employee, *client_count, reading.now());
        let page = list.page.page_of_messages(list.rows(partner, &history, reading.now()), false, resource);
        Ok(wire::ListEmployeesResponse {
            total_size: page.stated_total_size(),
            employees: page.rows,
            next_page_token: page.next_page_token,
        })
    }
}

impl EmployeeList {
    fn rows<'history>(
        &self,
        partner: &PartnerHistory,
        history: &'history AccessHistory,
        now: Instant,
    ) -> Vec<(Place, Row<'history>)> {
        let footprints = Footprints::of(history);
        let employees = history.employees_of(self.partner).filter(|employee| self.finds(employee, partner, now));
        let rows = employees.map(|employee| (employee, footprints.assigned_clients(employee, now)));
        let rows = rows.filter(|(_, client_count)| self.linked.is_none_or(|linked| linked == (*client_count > 0)));
        rows.map(|row| (place(row.0), row)).collect()
    }

    fn finds(&self, employee: &EmployeeSpell, partner: &PartnerHistory, now: Instant) -> bool {
        let is_verified = partner.owns_domain_of(&employee.address, now);
        (self.show_deleted || employee.period.contains(now))
            && self.domain_verified.is_none_or(|verified| verified == is_verified)
            && self.search.finds_person(&employee.display_name, &employee.address)
    }
}

/// All that is known of everybody who ever was in the partner account: few queries, however many people they are.
async fn load(reading: &Reading<'_>, partner: HubId) -> Result<AccessHistory, ServiceError> {
    let addresses = access_log::employee_addresses(&**reading.transaction(), partner).await?;
    let itself = BTreeSet::from([partner]);
    access_log::history_of_people(&**reading.transaction(), &addresses, &[Question::Partners(&itself)]).await
}

fn place(employee: &EmployeeSpell) -> Place {
    place_of_person(&employee.address, employee.period.start, employee.employee.0)
}
