//! A user is created in a partner account (R20).

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{AccessFact, AccessRole, EmailAddress, EmployeeId, HubId};
use service_kit::access_log::Question;
use service_kit::permission::Permission;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use crate::{AccessManagement, resource};

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
        let mut history = recording.history(&[Question::AllPartners, Question::EmployeesAt(&addresses)]).await?;
        let employee = EmployeeId(self.clock.new_id());
        let NewEmployee { partner, address, display_name, partner_employee, access_role } = new;
        let fact =
            AccessFact::EmployeeAdded { partner, employee, address, display_name, partner_employee, access_role };
        recording.record(&mut history, fact).await?;
        let now = recording.now();
        let employee = history.employee(employee).map(|employee| resource::employee(&history, employee, now));
        let answer = wire::CreateEmployeeResponse { employee, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}
