//! Requests about employees.

use contracts::wire::access as wire;
use contracts::{EmployeeName, PartnerName, UpdateMask, Violations, access_role_from_wire};
use domain::access::AccessRole;
use service_kit::page::PageRequest;

use super::{DISPLAY_NAME_LENGTH, search};
use crate::operations::{EmployeeDeletion, EmployeeList, EmployeeUpdate, NewEmployee};

pub(super) fn new_employee(violations: &mut Violations, request: &wire::CreateEmployeeRequest) -> Option<NewEmployee> {
    let stated = request.employee.clone().unwrap_or_default();
    let partner: Option<PartnerName> = violations.parse("parent", &request.parent);
    let address = violations.parse("employee.email_address", &stated.email_address);
    let display_name = violations.text("employee.display_name", &stated.display_name, DISPLAY_NAME_LENGTH);
    let access_role = access_role(violations, stated.access_role);
    Some(NewEmployee {
        partner: partner?.0,
        address: address?,
        display_name: display_name?,
        partner_employee: is_partner_employee(&stated),
        access_role: access_role?,
    })
}

/// The flag; absent is yes.
fn is_partner_employee(stated: &wire::Employee) -> bool {
    stated.partner_employee.unwrap_or(true)
}

/// The role; unspecified is none.
fn access_role(violations: &mut Violations, role: i32) -> Option<AccessRole> {
    let role = wire::AccessRole::try_from(role).map_err(|_| "a value of AccessRole");
    violations.check("employee.access_role", role).map(|role| access_role_from_wire(role).unwrap_or_default())
}

pub(super) fn name(violations: &mut Violations, request: &wire::GetEmployeeRequest) -> Option<EmployeeName> {
    violations.parse("name", &request.name)
}

pub(super) fn update(violations: &mut Violations, request: &wire::UpdateEmployeeRequest) -> Option<EmployeeUpdate> {
    const FIELDS: [&str; 3] = ["display_name", "partner_employee", "access_role"];
    let stated = request.employee.clone().unwrap_or_default();
    let mask = UpdateMask::read(violations, request.update_mask.as_ref(), &FIELDS, |field| match field {
        "display_name" => !stated.display_name.is_empty(),
        "partner_employee" => stated.partner_employee.is_some(),
        _ => stated.access_role != 0,
    });
    let name = violations.parse("employee.name", &stated.name);
    let display_name = mask
        .changes("display_name")
        .then(|| violations.text("employee.display_name", &stated.display_name, DISPLAY_NAME_LENGTH));
    let access_role = mask.changes("access_role").then(|| access_role(violations, stated.access_role));
    Some(EmployeeUpdate {
        name: name?,
        display_name: display_name.flatten(),
        partner_employee: mask.changes("partner_employee").then(|| is_partner_employee(&stated)),
        access_role: access_role.flatten(),
        etag: stated.etag,
    })
}

pub(super) fn deletion(violations: &mut Violations, request: &wire::DeleteEmployeeRequest) -> Option<EmployeeDeletion> {
    let name = violations.parse("name", &request.name);
    Some(EmployeeDeletion { name: name?, etag: request.etag.clone() })
}

pub(super) fn list(violations: &mut Violations, request: &wire::ListEmployeesRequest) -> Option<EmployeeList> {
    let query = wire::ListEmployeesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let partner: Option<PartnerName> = violations.parse("parent", &request.parent);
    let search = search(violations, &request.search);
    let page = PageRequest::read(violations, &query, request.page_size, &request.page_token);
    Some(EmployeeList {
        partner: partner?.0,
        search: search?,
        domain_verified: request.domain_verified,
        linked: request.linked,
        show_deleted: request.show_deleted,
        page: page?,
    })
}
