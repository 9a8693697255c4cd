//! The assignment of a client to an employee is ended by hand, an automatic one too, until it is linked again (R25).

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::{EmployeeName, assignment_to_wire, timestamp};
use domain::access::{AccessFact, HubId};
use service_kit::permission::Permission;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use super::visible_client::{self, require_visible};
use crate::AccessManagement;

pub(crate) struct Unlink {
    pub employee: EmployeeName,
    pub client: HubId,
}

impl AccessManagement {
    pub(crate) async fn unlink_client(
        &self,
        unlink: Unlink,
        statement: Statement,
    ) -> Result<wire::UnlinkClientResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let Unlink { employee: name, client } = unlink;
        let EmployeeName { partner, employee } = name;
        recording.require(Permission::LinkClients, Some(partner), None).await?;
        let address = recording.address_of(name).await?;
        let mut history = visible_client::load(&recording, partner, &address, &BTreeSet::from([client])).await?;
        require_visible(&recording, &history, client, partner)?;

        let at = recording.effective_time();
        let until_now = history.assignment_at(client, partner, &address, at);
        recording.record(&mut history, AccessFact::ClientUnlinked { client, partner, employee, address }).await?;
        let ended = until_now.ok_or_else(|| ServiceError::stored("what was just unlinked was not assigned"))?;
        let assignment = wire::Assignment {
            state: wire::AssignmentState::Ended.into(),
            start_time: Some(timestamp(at)),
            ..assignment_to_wire(client, partner, &ended)
        };
        let revision = recording.revision().to_string();
        recording.commit(wire::UnlinkClientResponse { assignment: Some(assignment), revision }).await
    }
}
