//! A user is created in a partner account (R20).

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::{Revision, employee_to_wire};
use domain::access::{AccessFact, EmailAddress, EmployeeId, EmployeeSpell, HubId};
use domain::time::Period;
use service_kit::access_log::Question;
use service_kit::{ServiceError, Statement};

use super::recording::Recording;
use crate::AccessManagement;

pub(crate) struct NewEmployee {
    pub partner: HubId,
    pub address: EmailAddress,
    pub display_name: String,
    pub partner_employee: bool,
}

impl AccessManagement {
    pub(crate) async fn create_employee(
        &self,
        new: NewEmployee,
        statement: Statement,
    ) -> Result<(wire::Employee, Revision), ServiceError> {
        let mut recording = Recording::begin(self, statement).await?;
        let addresses = BTreeSet::from([new.address.clone()]);
        // Another partner's domain is a reason to refuse the address (R37).
        let history = recording.history(&[Question::AllPartners, Question::EmployeesAt(&addresses)]).await?;
        let employee = EmployeeSpell {
            partner: new.partner,
            employee: EmployeeId(self.clock.new_id()),
            address: new.address,
            display_name: new.display_name,
            partner_employee: new.partner_employee,
            period: Period::since(recording.effective_time),
        };
        let fact = AccessFact::EmployeeAdded {
            partner: employee.partner,
            employee: employee.employee,
            address: employee.address.clone(),
            display_name: employee.display_name.clone(),
            partner_employee: employee.partner_employee,
        };
        let is_verified = history
            .partner(employee.partner)
            .is_some_and(|partner| partner.owns_domain_of(&employee.address, recording.effective_time));
        recording.record(&history, fact).await?;
        Ok((employee_to_wire(&employee, is_verified), recording.commit().await?))
    }
}
