//! An employee as it is now.

use contracts::EmployeeName;
use contracts::wire::access as wire;
use domain::access::Actor;
use service_kit::ServiceError;
use service_kit::access_log;
use service_kit::permission::Permission;

use super::known_employee::{employee_resource, known_employee};
use super::reading::Reading;
use crate::AccessManagement;

impl AccessManagement {
    pub(crate) async fn get_employee(
        &self,
        name: EmployeeName,
        actor: Actor,
    ) -> Result<wire::GetEmployeeResponse, ServiceError> {
        let reading = Reading::begin(self, actor).await?;
        if !is_actor(&reading, name).await? {
            reading.require_in_partner(Permission::ViewClientAccess, name.partner).await?;
        }
        let history = access_log::history_of_employee(&**reading.transaction(), name.partner, name.employee).await?;
        let employee = known_employee(history.as_ref(), name)?;
        let employee = history.as_ref().map(|history| employee_resource(history, employee, reading.now()));
        Ok(wire::GetEmployeeResponse { employee })
    }
}

/// Whether the actor is this employee, and a user of the partner account still: everybody may see their own entry.
async fn is_actor(reading: &Reading<'_>, name: EmployeeName) -> Result<bool, ServiceError> {
    let Actor::Person(person) = reading.actor() else { return Ok(false) };
    let address = access_log::employee_address(&**reading.transaction(), name.partner, name.employee).await?;
    Ok(address.as_ref() == Some(person) && reading.is_user_of_partner(name.partner).await?)
}
