//! Requests about employees.

use contracts::wire::access as wire;
use contracts::{PartnerName, Violations, access_role_from_wire};
use domain::access::AccessRole;

use super::DISPLAY_NAME_LENGTH;
use crate::operations::NewEmployee;

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
        partner_employee: stated.partner_employee.unwrap_or(true),
        access_role: access_role?,
    })
}

/// The role; unspecified is none.
fn access_role(violations: &mut Violations, role: i32) -> Option<AccessRole> {
    let role = wire::AccessRole::try_from(role).map_err(|_| "a value of AccessRole");
    violations.check("employee.access_role", role).map(|role| access_role_from_wire(role).unwrap_or_default())
}
