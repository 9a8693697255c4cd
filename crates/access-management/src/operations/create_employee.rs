//! A user is created in a partner account (R20); where it is in a client account already and its domain matches, that client
//! is thereby assigned (R23).

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{AccessFact, AccessRole, EmailAddress, EmployeeId, HubId};
use service_kit::access_log::{self, Question};
use service_kit::permission::Permission;
use service_kit::{ServiceError, Statement};

use super::known_employee::employee_resource;
use super::recording::{Begun, Recording};
use crate::AccessManagement;

pub(crate) struct NewEmployee {
    pub partner: HubId,
    pub address: EmailAddress,
    pub display_name: String,
    pub partner_employee: bool,
    pub access_role: AccessRole,
}

impl AccessManagement {
    pub(crate) async fn create_employee(
        &self,
        new: NewEmployee,
        statement: Statement,
    ) -> Result<wire::CreateEmployeeResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        recording.require(Permission::ManagePartner, Some(new.partner), None).await?;
        let addresses = BTreeSet::from([new.address.clone()]);
        // Another partner's domain is a reason to refuse the address (R37).
        let others = [Question::AllPartners];
        let mut history = access_log::history_of_people(&**recording.transaction(), &addresses, &others).await?;
        let employee = EmployeeId(self.clock.new_id());
        let NewEmployee { partner, address, display_name, partner_employee, access_role } = new;
        let fact =
            AccessFact::EmployeeAdded { partner, employee, address, display_name, partner_employee, access_role };
        recording.record(&mut history, fact).await?;
        let now = recording.now();
        let employee = history.employee(employee).map(|employee| employee_resource(&history, employee, now));
        let answer = wire::CreateEmployeeResponse { employee, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}
