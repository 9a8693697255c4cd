//! An access link is revoked: nobody can approve it any more (R30).

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::wire::error::ErrorReason;
use contracts::{AccessLinkName, EmployeeName, Failure};
use domain::access::{AccessFact, AccessHistory, EmailAddress};
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
    let address = recording.address_of(link.name.employee).await?;
    let mut history = recording.history(&[Question::EmployeesAt(&BTreeSet::from([address.clone()]))]).await?;
    record_revocation(recording, &mut history, link.name, &address).await?;
    link.is_revoked = true;
    Ok(())
}

/// Revokes all links of an employee that can still be approved, now. The history must hold the employee, whose address
/// this is.
pub(super) async fn revoke_open_links(
    recording: &mut Recording<'_>,
    history: &mut AccessHistory,
    employee: EmployeeName,
    address: &EmailAddress,
) -> Result<(), ServiceError> {
    for link in access_link::open(&**recording.transaction(), employee, recording.now()).await? {
        record_revocation(recording, history, link, address).await?;
    }
    Ok(())
}

/// Always at the present: until then it could be approved.
async fn record_revocation(
    recording: &mut Recording<'_>,
    history: &mut AccessHistory,
    AccessLinkName { employee: EmployeeName { partner, employee }, link }: AccessLinkName,
    address: &EmailAddress,
) -> Result<(), ServiceError> {
    let fact = AccessFact::AccessLinkRevoked { partner, employee, address: address.clone(), link };
    recording.record_at(history, fact, recording.now()).await?;
    access_link::mark_revoked(&**recording.transaction(), link).await
}

fn unknown(name: AccessLinkName) -> Failure {
    Failure::new(ErrorReason::UnknownAccessLink, format!("{name} is not known"))
}

fn approved(name: AccessLinkName) -> Failure {
    let message = format!("{name} is approved; deactivate or remove the user instead");
    Failure::new(ErrorReason::IllegalTransition, message).with("state", "approved")
}
