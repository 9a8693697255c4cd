//! Employees of a partner are added to a client account by a Partner admin there (R27, R36): several at once, a result per
//! employee.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::wire::access::add_employee_result::Outcome;
use contracts::wire::error::ErrorReason;
use contracts::{ClientUserName, EmployeeName, Failure};
use domain::access::{
    AccessFact, AccessHistory, Actor, ClientUserId, ClientUserSpell, ClientUserState, EmployeeSpell, HubId,
    PermissionSet,
};
use domain::policy::{ClientPermissions, Policy};
use domain::time::Instant;
use service_kit::access_log::{self, Question};
use service_kit::permission::Permission;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use super::user_change::user_now;
use crate::{AccessManagement, resource};

pub(crate) struct NewMembers {
    pub client: HubId,
    /// Of all employees.
    pub partner: HubId,
    /// In the order of the request, without repeats.
    pub employees: Vec<EmployeeName>,
    pub permission_set: PermissionSet,
}

impl AccessManagement {
    pub(crate) async fn add_employees(
        &self,
        new: NewMembers,
        statement: Statement,
    ) -> Result<wire::BatchAddEmployeesResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        recording.require(Permission::ManageEmployeesInClient, Some(new.partner), Some(new.client)).await?;
        let mut history = load(&recording, &new).await?;
        let at = recording.effective_time();
        // Which partners there are is told to the platform only; whoever manages just the client hears of nobody (R127).
        if *recording.actor() == Actor::Platform {
            history.require_partner(new.partner, at).map_err(|refusal| Failure::from(&refusal))?;
        }
        history.require_client(new.client, at).map_err(|refusal| Failure::from(&refusal))?;
        require_assignable(recording.policy(), &new.permission_set, at)?;

        let mut results = Vec::with_capacity(new.employees.len());
        for name in &new.employees {
            let user = ClientUserId(self.clock.new_id());
            let outcome = match add(&mut recording, &mut history, &new, *name, user).await {
                Ok(outcome) => outcome,
                Err(ServiceError::Refused(failure)) => Outcome::Error(failure.to_item_status()),
                Err(other) => return Err(other),
            };
            results.push(wire::AddEmployeeResult { employee: name.to_string(), outcome: Some(outcome) });
        }
        let answer = wire::BatchAddEmployeesResponse { results, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}

async fn load(recording: &Recording<'_>, new: &NewMembers) -> Result<AccessHistory, ServiceError> {
    let transaction = &**recording.transaction();
    let employees = new.employees.iter().map(|name| name.employee).collect();
    let people = access_log::history(transaction, &[Question::Employees(&employees)]).await?;
    let addresses = people.employees_of(new.partner).map(|employee| employee.address.clone()).collect();
    let (partners, clients) = (BTreeSet::from([new.partner]), BTreeSet::from([new.client]));
    recording
        .history(&[
            Question::Partners(&partners),
            Question::EmployeesAt(&addresses),
            Question::Clients(&clients),
            Question::UsersAndLinks { clients: &clients, addresses: &addresses },
        ])
        .await
}

/// Refuses a set that allows more than is a Partner admin's to give (R36), whoever gives it.
fn require_assignable(policy: &Policy, set: &PermissionSet, at: Instant) -> Result<(), Failure> {
    if policy.client_permissions(set, at).is_some_and(ClientPermissions::is_for_partner_employees) {
        return Ok(());
    }
    let assignable = policy.permission_sets_at(at).filter(|(_, _, permissions)| permissions.is_for_partner_employees());
    let names: Vec<&str> = assignable.map(|(set, ..)| set.as_str()).collect();
    let message = format!("{set} is no permission set for partner employees; these are: {}", names.join(", "));
    Err(Failure::new(ErrorReason::PermissionSetNotAssignable, message).at_field("permission_set"))
}

async fn add(
    recording: &mut Recording<'_>,
    history: &mut AccessHistory,
    new: &NewMembers,
    name: EmployeeName,
    user: ClientUserId,
) -> Result<Outcome, ServiceError> {
    let (client, at) = (new.client, recording.effective_time());
    let employee = require_employee(history, name, at)?;
    let address = employee.address.clone();
    if let Some(member) = history.client_user_at(client, &address, at) {
        require_active(member, at)?;
        return Ok(Outcome::AlreadyMember(resource::client_user(history, member, recording.now())));
    }
    let fact = AccessFact::ClientUserAdded {
        client,
        user,
        address,
        display_name: employee.display_name.clone(),
        permission_set: new.permission_set.clone(),
    };
    recording.record(history, fact).await?;
    let added = user_now(recording, history, ClientUserName { client, user });
    Ok(Outcome::ClientUser(added.ok_or_else(|| ServiceError::stored("a user that was just added is not there"))?))
}

/// The employee, who works for a partner in the programme: other users of a partner account are nobody's to add (R33).
fn require_employee(history: &AccessHistory, name: EmployeeName, at: Instant) -> Result<&EmployeeSpell, Failure> {
    let employee = history.employee(name.employee).filter(|employee| employee.partner == name.partner);
    let employee = employee
        .filter(|employee| employee.period.contains(at) && history.require_partner(name.partner, at).is_ok())
        .ok_or_else(|| Failure::new(ErrorReason::UnknownEmployee, format!("{name} is not known, or was deleted")))?;
    if employee.is_partner_employee(at) {
        return Ok(employee);
    }
    let message = format!("{} is not flagged as working for the partner; flag the employee first", employee.address);
    Err(Failure::new(ErrorReason::PermissionSetNotAssignable, message))
}

/// Who was deactivated there was so on purpose: adding is not the way back (R38).
fn require_active(member: &ClientUserSpell, at: Instant) -> Result<(), Failure> {
    if member.is_active(at) {
        return Ok(());
    }
    let ClientUserSpell { client, user, address, .. } = member;
    let message = format!("{address} is deactivated in client {client}; reactivate the user instead");
    Err(Failure::new(ErrorReason::IllegalTransition, message)
        .with("state", ClientUserState::Deactivated)
        .with("name", ClientUserName { client: *client, user: *user }))
}
