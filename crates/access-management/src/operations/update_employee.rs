//! An employee's name, flag or role changes. Its address never does: it is who the person is (R8).

use contracts::wire::access as wire;
use contracts::{EmployeeName, Failure};
use domain::access::{Absence, AccessFact, AccessHistory, AccessRefusal, AccessRole, EmployeeSpell, Subject};
use service_kit::access_log;
use service_kit::permission::Permission;
use service_kit::{ServiceError, Statement, require_etag};

use super::known_employee::{employee_resource, known_employee, unknown_employee};
use super::recording::{Begun, Recording};
use crate::AccessManagement;

/// What becomes of an employee; what is absent stays as it is.
pub(crate) struct EmployeeUpdate {
    pub name: EmployeeName,
    /// What the caller has read; empty is not compared.
    pub etag: String,
    pub display_name: Option<String>,
    pub partner_employee: Option<bool>,
    pub access_role: Option<AccessRole>,
}

impl AccessManagement {
    pub(crate) async fn update_employee(
        &self,
        update: EmployeeUpdate,
        statement: Statement,
    ) -> Result<wire::UpdateEmployeeResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let EmployeeName { partner, employee } = update.name;
        recording.require(Permission::ManagePartner, Some(partner), None).await?;
        let history = access_log::history_of_employee(&**recording.transaction(), partner, employee).await?;
        let mut history = history.ok_or_else(|| unknown_employee(update.name))?;
        let now = recording.now();
        let known = known_employee(Some(&history), update.name)?;
        require_etag(&update.etag, &employee_resource(&history, known, now).etag)?;
        let (fact, is_other) = stated(update, known, &recording.as_of_effective_time(&history), &recording)?;
        if recording.is_news(&history, &fact, is_other) {
            recording.record(&mut history, fact).await?;
        }
        let employee = history.employee(employee).map(|employee| employee_resource(&history, employee, now));
        let answer = wire::UpdateEmployeeResponse { employee, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}

/// What the update says, and whether it was other at its effective time.
fn stated(
    update: EmployeeUpdate,
    known: &EmployeeSpell,
    by_then: &AccessHistory,
    recording: &Recording<'_>,
) -> Result<(AccessFact, bool), Failure> {
    let before = by_then.employee(known.employee).ok_or_else(|| not_yet_there(known))?;
    let was_flagged = before.is_partner_employee(recording.effective_time());
    let EmployeeUpdate { display_name, partner_employee, access_role, .. } = update;
    let is_other = display_name.as_ref().is_some_and(|name| *name != before.display_name)
        || partner_employee.is_some_and(|flag| flag != was_flagged)
        || access_role.is_some_and(|role| role != before.access_role);
    let EmployeeSpell { partner, employee, .. } = *known;
    let address = known.address.clone();
    let fact = AccessFact::EmployeeUpdated { partner, employee, address, display_name, partner_employee, access_role };
    Ok((fact, is_other))
}

fn not_yet_there(known: &EmployeeSpell) -> Failure {
    let EmployeeSpell { partner, employee, address, period, .. } = known;
    let subject = Subject::Employee { partner: *partner, employee: *employee, address: address.clone() };
    Failure::from(&AccessRefusal::Unknown { subject, absence: Absence::OnlyFrom(period.start) })
}
