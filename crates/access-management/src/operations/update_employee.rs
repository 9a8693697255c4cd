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
        if let Some(fact) = new_fact(update, known, &recording.as_of_effective_time(&history), &recording)? {
            recording.record(&mut history, fact).await?;
        }
        let employee = history.employee(employee).map(|employee| employee_resource(&history, employee, now));
        let answer = wire::UpdateEmployeeResponse { employee, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}

/// What the update says, if it was not so at its effective time.
fn new_fact(
    update: EmployeeUpdate,
    known: &EmployeeSpell,
    by_then: &AccessHistory,
    recording: &Recording<'_>,
) -> Result<Option<AccessFact>, Failure> {
    let before = by_then.employee(known.employee).ok_or_else(|| not_yet_there(known))?;
    let was_flagged = before.is_partner_employee(recording.effective_time());
    let display_name = update.display_name.unwrap_or_else(|| before.display_name.clone());
    let partner_employee = update.partner_employee.unwrap_or(was_flagged);
    let access_role = update.access_role.unwrap_or(before.access_role);
    let is_new =
        display_name != before.display_name || partner_employee != was_flagged || access_role != before.access_role;
    Ok(is_new.then(|| AccessFact::EmployeeUpdated {
        partner: known.partner,
        employee: known.employee,
        address: known.address.clone(),
        display_name,
        partner_employee,
        access_role,
    }))
}

fn not_yet_there(known: &EmployeeSpell) -> Failure {
    let EmployeeSpell { partner, employee, address, period, .. } = known;
    let subject = Subject::Employee { partner: *partner, employee: *employee, address: address.clone() };
    Failure::from(&AccessRefusal::Unknown { subject, absence: Absence::OnlyFrom(period.start) })
}
