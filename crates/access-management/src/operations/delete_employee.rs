//! A user is deleted in the partner account. Its assignments end, its open access links are revoked, what it did goes on
//! counting (R75), and its users in client accounts stay there.

use contracts::EmployeeName;
use contracts::wire::access as wire;
use domain::access::AccessFact;
use service_kit::access_log;
use service_kit::permission::Permission;
use service_kit::{ServiceError, Statement, require_etag};

use super::known_employee::{employee_resource, known_employee, unknown_employee};
use super::recording::{Begun, Recording};
use super::revoke_access_link::revoke_open_links;
use crate::AccessManagement;

pub(crate) struct EmployeeDeletion {
    pub name: EmployeeName,
    /// What the caller has read; empty is not compared.
    pub etag: String,
}

impl AccessManagement {
    pub(crate) async fn delete_employee(
        &self,
        deletion: EmployeeDeletion,
        statement: Statement,
    ) -> Result<wire::DeleteEmployeeResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let EmployeeName { partner, employee } = deletion.name;
        recording.require(Permission::ManagePartner, Some(partner), None).await?;
        let history = access_log::history_of_employee(&**recording.transaction(), partner, employee).await?;
        let mut history = history.ok_or_else(|| unknown_employee(deletion.name))?;
        let now = recording.now();
        let known = known_employee(Some(&history), deletion.name)?;
        require_etag(&deletion.etag, &employee_resource(&history, known, now).etag)?;
        let address = known.address.clone();
        revoke_open_links(&mut recording, &mut history, deletion.name, &address).await?;
        recording.record(&mut history, AccessFact::EmployeeDeleted { partner, employee, address }).await?;
        let employee = history.employee(employee).map(|employee| employee_resource(&history, employee, now));
        let answer = wire::DeleteEmployeeResponse { employee, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}
