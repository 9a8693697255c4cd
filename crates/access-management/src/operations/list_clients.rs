//! The Clients tab: where the partner's employees have access, of which kind (R42).

use std::collections::{BTreeMap, BTreeSet};

use contracts::wire::access as wire;
use contracts::{ClientUserName, EmployeeName, assignment_to_wire};
use domain::access::{
    AccessHistory, AccessType, Actor, ClientHistory, ClientUserSpell, EmailAddress, EmployeeSpell, HubId, folded,
};
use domain::policy::Policy;
use domain::time::Instant;
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};
use service_kit::page::{PageRequest, Place};
use service_kit::permission::{Permission, unknown_partner};

use super::footprints::Footprints;
use super::reading::Reading;
use super::search::Search;
use crate::{AccessManagement, resource};

pub(crate) struct ClientList {
    pub partner: HubId,
    /// Of which kinds.
    pub access_types: BTreeSet<AccessType>,
    pub search: Search,
    pub order: ClientOrder,
    pub descending: bool,
    pub page: PageRequest,
}

/// By what clients are ordered; ties by the hub id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientOrder {
    DisplayName,
    Client,
    EmployeeCount,
}

/// A client with the employees who have access there, by address.
struct Row<'history> {
    client: &'history ClientHistory,
    employees: Vec<(&'history EmployeeSpell, AccessType)>,
}

impl AccessManagement {
    pub(crate) async fn list_clients(
        &self,
        list: ClientList,
        actor: Actor,
    ) -> Result<wire::ListClientsResponse, ServiceError> {
        let reading = Reading::begin(self, actor).await?;
        reading.require_in_partner(Permission::ViewClientAccess, list.partner).await?;
        let history = load(&reading, list.partner).await?;
        history.partner(list.partner).ok_or_else(|| unknown_partner(list.partner))?;
        let rows = list.rows(&history, reading.now(), reading.policy());
        let resource = |row: &Row<'_>| row.resource(&history, reading.now());
        let page = list.page.page_of_messages(rows, list.descending, resource);
        Ok(wire::ListClientsResponse {
            total_size: page.stated_total_size(),
            clients: page.rows,
            next_page_token: page.next_page_token,
        })
    }
}

/// All that is known of everybody who ever was in the partner account: few queries, however many people they are.
async fn load(reading: &Reading<'_>, partner: HubId) -> Result<AccessHistory, ServiceError> {
    let addresses = access_log::employee_addresses(&**reading.transaction(), partner).await?;
    let itself = BTreeSet::from([partner]);
    access_log::history_of_people(&**reading.transaction(), &addresses, &[Question::Partners(&itself)]).await
}

impl ClientList {
    fn rows<'history>(
        &self,
        history: &'history AccessHistory,
        now: Instant,
        policy: &Policy,
    ) -> Vec<(Place, Row<'history>)> {
        let footprints = Footprints::of(history);
        let mut by_client: BTreeMap<HubId, Vec<_>> = BTreeMap::new();
        for employee in employees(history, self.partner, now) {
            for client in footprints.clients(&employee.address) {
                let access_type = history.access_type_at(client, employee, now, policy);
                if let Some(access_type) = access_type.filter(|access_type| self.access_types.contains(access_type)) {
                    by_client.entry(client).or_default().push((employee, access_type));
                }
            }
        }
        let rows = by_client.into_iter().filter_map(|(client, employees)| {
            let client = history.client(client).filter(|client| client.open().contains(now))?;
            self.search.finds_account(&client.display_name, client.client).then_some(Row { client, employees })
        });
        rows.map(|row| (self.place(&row), row)).collect()
    }

    fn place(&self, row: &Row<'_>) -> Place {
        // Hub ids are positive, so that the order of their bytes is their own.
        let client = row.client.client.get().to_be_bytes();
        match self.order {
            // No name holds a zero byte, so that a shorter one comes before those that it begins.
            ClientOrder::DisplayName => [folded(&row.client.display_name).as_bytes(), &[0], &client].concat(),
            ClientOrder::Client => client.to_vec(),
            ClientOrder::EmployeeCount => {
                let count = u32::try_from(row.employees.len()).unwrap_or(u32::MAX);
                [&count.to_be_bytes()[..], &client].concat()
            }
        }
    }
}

/// Whoever works or worked for the partner (R20), by address: of several with one address the present one, else the last.
/// Somebody who was deleted and whose user is in a client account still is present there (R71), and must be seen, to be
/// removed.
fn employees(history: &AccessHistory, partner: HubId, now: Instant) -> impl Iterator<Item = &EmployeeSpell> {
    let mut by_address: BTreeMap<&EmailAddress, &EmployeeSpell> = BTreeMap::new();
    for spell in history.employees_of(partner).filter(|spell| spell.first_flagged().is_some_and(|first| first <= now)) {
        let chosen = by_address.entry(&spell.address).or_insert(spell);
        if !chosen.period.contains(now) {
            *chosen = spell;
        }
    }
    by_address.into_values()
}

impl Row<'_> {
    fn resource(&self, history: &AccessHistory, now: Instant) -> wire::ClientAccess {
        let employees = self
            .employees
            .iter()
            .map(|(employee, access_type)| employee_access(history, self.client.client, employee, *access_type, now));
        wire::ClientAccess { client: Some(resource::client(history, self.client)), employees: employees.collect() }
    }
}

fn employee_access(
    history: &AccessHistory,
    client: HubId,
    employee: &EmployeeSpell,
    access_type: AccessType,
    now: Instant,
) -> wire::EmployeeAccess {
    let EmployeeSpell { partner, employee: id, address, display_name, .. } = employee;
    let user = history.client_user_at(client, address, now);
    let name_of_user = |user: &ClientUserSpell| ClientUserName { client, user: user.user }.to_string();
    let assignment = history.assignment_at(client, *partner, address, now);
    wire::EmployeeAccess {
        employee: EmployeeName { partner: *partner, employee: *id }.to_string(),
        email_address: address.to_string(),
        display_name: display_name.clone(),
        access_type: wire::AccessType::from(access_type).into(),
        client_user: user.map(name_of_user).unwrap_or_default(),
        permission_set: user.map(|user| user.permission_set.to_string()).unwrap_or_default(),
        assignment: assignment.map(|assignment| assignment_to_wire(client, *partner, &assignment)),
    }
}
