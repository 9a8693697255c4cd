//! Clients are assigned to an employee by hand (R24): several at once, a result per client.

use contracts::wire::access as wire;
use contracts::wire::access::link_client_result::Outcome;
use contracts::{ClientName, EmployeeName, assignment_to_wire};
use domain::access::{AccessFact, AccessHistory, EmailAddress, HubId};
use service_kit::permission::Permission;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use super::visible_client::{self, require_visible};
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
        let NewLinks { employee, clients } = new;
        recording.require(Permission::LinkClients, Some(employee.partner), None).await?;
        let address = recording.address_of(employee).await?;
        let asked = clients.iter().copied().collect();
        let mut history = visible_client::load(&recording, employee.partner, &address, &asked).await?;

        let mut results = Vec::with_capacity(clients.len());
        for client in clients {
            let outcome = match link(&mut recording, &mut history, client, employee, &address).await {
                Ok(assignment) => Outcome::Assignment(assignment),
                Err(ServiceError::Refused(failure)) => Outcome::Error(failure.to_item_status()),
                Err(other) => return Err(other),
            };
            results.push(wire::LinkClientResult { client: ClientName(client).to_string(), outcome: Some(outcome) });
        }
        let answer = wire::BatchLinkClientsResponse { results, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}

async fn link(
    recording: &mut Recording<'_>,
    history: &mut AccessHistory,
    client: HubId,
    EmployeeName { partner, employee }: EmployeeName,
    address: &EmailAddress,
) -> Result<wire::Assignment, ServiceError> {
    require_visible(recording, history, client, partner)?;
    let fact = AccessFact::ClientLinked { client, partner, employee, address: address.clone() };
    recording.record(history, fact).await?;
    let assignment = history
        .assignment_at(client, partner, address, recording.effective_time())
        .ok_or_else(|| ServiceError::stored("a link that was just recorded assigns nothing"))?;
    Ok(assignment_to_wire(client, partner, &assignment))
}
