//! An access link is revoked: nobody can approve it any more (R30).

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::wire::error::ErrorReason;
use contracts::{AccessLinkName, EmployeeName, Failure};
use domain::access::AccessFact;
use service_kit::access_log::Question;
use service_kit::permission::Permission;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use crate::store::access_link::{self, AccessLink};
use crate::{AccessManagement, resource};

impl AccessManagement {
    pub(crate) async fn revoke_access_link(
        &self,
        name: AccessLinkName,
        statement: Statement,
    ) -> Result<wire::RevokeAccessLinkResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        recording.require(Permission::ShareAccessLinks, Some(name.employee.partner), None).await?;
        let found = access_link::find(&**recording.transaction(), name).await?;
        let mut link = found.ok_or_else(|| unknown(name))?;
        match link.state(recording.now()) {
            wire::AccessLinkState::Approved => return Err(approved(name).into()),
            wire::AccessLinkState::Open => revoke(&mut recording, &mut link).await?,
            // Nobody can approve it any more as it is.
            wire::AccessLinkState::Revoked | wire::AccessLinkState::Expired | wire::AccessLinkState::Unspecified => {}
        }
        let access_link = Some(resource::access_link(&link, recording.now()));
        let answer = wire::RevokeAccessLinkResponse { access_link, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}

async fn revoke(recording: &mut Recording<'_>, link: &mut AccessLink) -> Result<(), ServiceError> {
    let EmployeeName { partner, employee } = link.name.employee;
    let address = recording.address_of(link.name.employee).await?;
    let mut history = recording.history(&[Question::EmployeesAt(&BTreeSet::from([address.clone()]))]).await?;
    let fact = AccessFact::AccessLinkRevoked { partner, employee, address, link: link.name.link };
    recording.record(&mut history, fact).await?;
    access_link::mark_revoked(&**recording.transaction(), link.name.link).await?;
    link.is_revoked = true;
    Ok(())
}

fn unknown(name: AccessLinkName) -> Failure {
    Failure::new(ErrorReason::UnknownAccessLink, format!("{name} is not known"))
}

fn approved(name: AccessLinkName) -> Failure {
    let message = format!("{name} is approved; deactivate or remove the user instead");
    Failure::new(ErrorReason::IllegalTransition, message).with("state", "approved")
}
