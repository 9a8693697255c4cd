//! Clients are assigned to an employee by hand (R24): several at once, a result per client.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::wire::error::ErrorReason;
use contracts::{EmployeeName, Failure, Revision, assignment_to_wire};
use domain::access::{AccessFact, AccessHistory, EmailAddress, HubId};
use service_kit::access_log::{self, Question};
use service_kit::{ServiceError, Statement};

use super::recording::Recording;
use crate::AccessManagement;

pub(crate) struct NewLinks {
    pub employee: EmployeeName,
    /// In the order of the request, without repeats.
    pub clients: Vec<HubId>,
}

/// What became of one client.
pub(crate) type LinkOutcome = Result<wire::Assignment, Failure>;

impl AccessManagement {
    pub(crate) async fn link_clients(
        &self,
        new: NewLinks,
        statement: Statement,
    ) -> Result<(Vec<LinkOutcome>, Revision), ServiceError> {
        let mut recording = Recording::begin(self, statement).await?;
        let EmployeeName { partner, employee } = new.employee;
        let address = access_log::employee_address(&**recording.transaction(), partner, employee)
            .await?
            .ok_or_else(|| Failure::new(ErrorReason::UnknownEmployee, format!("{} is not known", new.employee)))?;
        let mut history = load(&recording, partner, &address, new.clients.iter().copied().collect()).await?;

        let mut outcomes = Vec::with_capacity(new.clients.len());
        for client in new.clients {
            let fact = AccessFact::ClientLinked { client, partner, employee, address: address.clone() };
            outcomes.push(match recording.record(&history, fact).await {
                Ok(change) => {
                    history.record(change);
                    Ok(present_assignment(&history, client, partner, &address, &recording)?)
                }
                Err(ServiceError::Refused(failure)) => Err(failure),
                Err(other) => return Err(other),
            });
        }
        Ok((outcomes, recording.commit().await?))
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
        .assignment_at(client, partner, address, recording.effective_time)
        .ok_or_else(|| ServiceError::stored("a link that was just recorded assigns nothing"))?;
    Ok(assignment_to_wire(client, partner, &assignment))
}
