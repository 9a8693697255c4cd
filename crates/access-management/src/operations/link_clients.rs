//! Clients are assigned to an employee by hand (R24): several at once, a result per client.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::wire::access::link_client_result::Outcome;
use contracts::wire::error::ErrorReason;
use contracts::{ClientName, EmployeeName, Failure, assignment_to_wire};
use domain::access::{AccessFact, AccessHistory, EmailAddress, HubId};
use service_kit::access_log::{self, Question};
use service_kit::permission::Permission;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use crate::AccessManagement;

pub(crate) struct NewLinks {
    pub employee: EmployeeName,
    /// In the order of the request, without repeats.
    pub clients: Vec<HubId>,
}

impl AccessManagement {
    pub(crate) async fn link_clients(
        &self,
        new: NewLinks,
        statement: Statement,
    ) -> Result<wire::BatchLinkClientsResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let EmployeeName { partner, employee } = new.employee;
        recording.require(Permission::LinkClients, Some(partner), None).await?;
        let address = access_log::employee_address(&**recording.transaction(), partner, employee)
            .await?
            .ok_or_else(|| Failure::new(ErrorReason::UnknownEmployee, format!("{} is not known", new.employee)))?;
        let mut history = load(&recording, partner, &address, new.clients.iter().copied().collect()).await?;

        let mut results = Vec::with_capacity(new.clients.len());
        for client in new.clients {
            let fact = AccessFact::ClientLinked { client, partner, employee, address: address.clone() };
            let outcome = match recording.record(&mut history, fact).await {
                Ok(_) => Outcome::Assignment(present_assignment(&history, client, partner, &address, &recording)?),
                Err(ServiceError::Refused(failure)) => Outcome::Error(failure.to_item_status()),
                Err(other) => return Err(other),
            };
            results.push(wire::LinkClientResult { client: ClientName(client).to_string(), outcome: Some(outcome) });
        }
        let answer = wire::BatchLinkClientsResponse { results, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}

async fn load(
    recording: &Recording<'_>,
    partner: HubId,
    address: &EmailAddress,
    clients: BTreeSet<HubId>,
) -> Result<AccessHistory, ServiceError> {
    let (partners, addresses) = (BTreeSet::from([partner]), BTreeSet::from([address.clone()]));
    recording
        .history(&[
            Question::Partners(&partners),
            Question::EmployeesAt(&addresses),
            Question::Clients(&clients),
            Question::UsersAndLinks { clients: &clients, addresses: &addresses },
        ])
        .await
}

fn present_assignment(
    history: &AccessHistory,
    client: HubId,
    partner: HubId,
    address: &EmailAddress,
    recording: &Recording<'_>,
) -> Result<wire::Assignment, ServiceError> {
    let assignment = history
        .assignment_at(client, partner, address, recording.effective_time())
        .ok_or_else(|| ServiceError::stored("a link that was just recorded assigns nothing"))?;
    Ok(assignment_to_wire(client, partner, &assignment))
}
