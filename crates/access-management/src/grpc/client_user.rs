//! Requests about client users.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::{ClientName, EmployeeName, UpdateMask, Violations};
use domain::access::ClientUserState;
use service_kit::page::PageRequest;

use super::{DISPLAY_NAME_LENGTH, search};
use crate::operations::{ClientUserList, ClientUserUpdate, NewClientUser, NewMembers, UserChange};

/// The most employees of one BatchAddEmployees.
const MAXIMUM_EMPLOYEES: usize = 200;

pub(super) fn new_client_user(
    violations: &mut Violations,
    request: &wire::CreateClientUserRequest,
) -> Option<NewClientUser> {
    let stated = request.client_user.clone().unwrap_or_default();
    let client: Option<ClientName> = violations.parse("parent", &request.parent);
    let address = violations.parse("client_user.email_address", &stated.email_address);
    let display_name = violations.text("client_user.display_name", &stated.display_name, DISPLAY_NAME_LENGTH);
    let permission_set = violations.parse("client_user.permission_set", &stated.permission_set);
    Some(NewClientUser {
        client: client?.0,
        address: address?,
        display_name: display_name?,
        permission_set: permission_set?,
    })
}

pub(super) fn update(violations: &mut Violations, request: &wire::UpdateClientUserRequest) -> Option<ClientUserUpdate> {
    let stated = request.client_user.clone().unwrap_or_default();
    let name = violations.parse("client_user.name", &stated.name);
    let fields = ["display_name", "permission_set"];
    let mask = UpdateMask::read(violations, request.update_mask.as_ref(), &fields, |field| match field {
        "display_name" => !stated.display_name.is_empty(),
        _ => !stated.permission_set.is_empty(),
    });
    let display_name = mask
        .changes("display_name")
        .then(|| violations.text("client_user.display_name", &stated.display_name, DISPLAY_NAME_LENGTH));
    let permission_set =
        mask.changes("permission_set").then(|| violations.parse("client_user.permission_set", &stated.permission_set));
    Some(ClientUserUpdate {
        change: UserChange { name: name?, etag: stated.etag },
        display_name: display_name.flatten(),
        permission_set: permission_set.flatten(),
    })
}

pub(super) fn deactivation(
    violations: &mut Violations,
    request: &wire::DeactivateClientUserRequest,
) -> Option<UserChange> {
    user_change(violations, &request.name, &request.etag)
}

pub(super) fn reactivation(
    violations: &mut Violations,
    request: &wire::ReactivateClientUserRequest,
) -> Option<UserChange> {
    user_change(violations, &request.name, &request.etag)
}

pub(super) fn removal(violations: &mut Violations, request: &wire::RemoveClientUserRequest) -> Option<UserChange> {
    user_change(violations, &request.name, &request.etag)
}

fn user_change(violations: &mut Violations, name: &str, etag: &str) -> Option<UserChange> {
    Some(UserChange { name: violations.parse("name", name)?, etag: etag.to_owned() })
}

pub(super) fn list(violations: &mut Violations, request: &wire::ListClientUsersRequest) -> Option<ClientUserList> {
    let query = wire::ListClientUsersRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let client: Option<ClientName> = violations.parse("parent", &request.parent);
    let search = search(violations, &request.search);
    let states = states(violations, &request.states);
    let page = PageRequest::read(violations, &query, request.page_size, &request.page_token);
    Some(ClientUserList { client: client?.0, search: search?, states, page: page? })
}

/// The states; none means active and deactivated.
fn states(violations: &mut Violations, asked: &[i32]) -> Vec<ClientUserState> {
    if asked.is_empty() {
        return vec![ClientUserState::Active, ClientUserState::Deactivated];
    }
    let mut states = Vec::new();
    for (index, asked) in asked.iter().enumerate() {
        match wire::ClientUserState::try_from(*asked) {
            Ok(wire::ClientUserState::Active) => states.push(ClientUserState::Active),
            Ok(wire::ClientUserState::Deactivated) => states.push(ClientUserState::Deactivated),
            Ok(wire::ClientUserState::Removed) => states.push(ClientUserState::Removed),
            Ok(wire::ClientUserState::Unspecified) | Err(_) => {
                violations.add(format!("states[{index}]"), "a value of ClientUserState, and not the unspecified one");
            }
        }
    }
    states
}

pub(super) fn new_members(violations: &mut Violations, request: &wire::BatchAddEmployeesRequest) -> Option<NewMembers> {
    let client: Option<ClientName> = violations.parse("client", &request.client);
    let employees = employees(violations, &request.employees);
    let permission_set = violations.parse("permission_set", &request.permission_set);
    Some(NewMembers {
        client: client?.0,
        partner: employees.first()?.partner,
        employees,
        permission_set: permission_set?,
    })
}

/// Different employees of one partner.
fn employees(violations: &mut Violations, texts: &[String]) -> Vec<EmployeeName> {
    if texts.is_empty() || texts.len() > MAXIMUM_EMPLOYEES {
        violations.add("employees", format!("1 to {MAXIMUM_EMPLOYEES} employees"));
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let mut employees: Vec<EmployeeName> = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let field = format!("employees[{index}]");
        let Some(employee) = violations.parse::<EmployeeName>(&field, text) else { continue };
        if employees.first().is_some_and(|first| first.partner != employee.partner) {
            violations.add(field, "all of one partner");
        } else if seen.insert(employee) {
            employees.push(employee);
        } else {
            violations.add(field, "each employee once");
        }
    }
    employees
}
