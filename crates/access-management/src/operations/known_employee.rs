//! One employee, with all that its answer tells: who employs it, and which clients are assigned to it.

use contracts::wire::access as wire;
use contracts::{EmployeeName, ErrorReason, Failure};
use domain::access::{AccessHistory, EmployeeSpell};
use domain::time::Instant;

use super::footprints::Footprints;
use crate::resource;

/// The employee of this name in its history, if there is one.
pub(super) fn known_employee(history: Option<&AccessHistory>, name: EmployeeName) -> Result<&EmployeeSpell, Failure> {
    let employee = history.and_then(|history| history.employee(name.employee));
    employee.filter(|employee| employee.partner == name.partner).ok_or_else(|| unknown_employee(name))
}

/// What is said of an employee that does not exist for the actor.
pub(super) fn unknown_employee(name: EmployeeName) -> Failure {
    Failure::new(ErrorReason::UnknownEmployee, format!("{name} is not known"))
}

/// The employee as people see it, from a history of all that is known of its address.
pub(super) fn employee_resource(history: &AccessHistory, employee: &EmployeeSpell, now: Instant) -> wire::Employee {
    let client_count = Footprints::of(history).assigned_clients(employee, now);
    resource::employee(history, employee, client_count, now)
}
