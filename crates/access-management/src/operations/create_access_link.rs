//! An employee gets a personal access link (R30): a client's approval will make it Partner admin there.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use contracts::wire::access as wire;
use contracts::wire::error::ErrorReason;
use contracts::{AccessLinkName, EmployeeName, Failure};
use domain::access::{AccessFact, AccessHistory, AccessLinkId, EmailAddress, HubId};
use domain::time::Instant;
use service_kit::permission::Permission;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use super::visible_client::{self, require_visible};
use crate::link_token::LinkToken;
use crate::store::access_link::{self, AccessLink};
use crate::{AccessManagement, resource};

/// The most links of one employee that can be approved at a time.
const MAXIMUM_OPEN_LINKS: u64 = 100;

pub(crate) struct NewAccessLink {
    pub employee: EmployeeName,
    /// The only client that may approve it; none means any.
    pub for_client: Option<HubId>,
    /// None means after the policy's days.
    pub expire_time: Option<Instant>,
}

impl AccessManagement {
    pub(crate) async fn create_access_link(
        &self,
        new: NewAccessLink,
        statement: Statement,
    ) -> Result<wire::CreateAccessLinkResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let EmployeeName { partner, employee } = new.employee;
        recording.require(Permission::ShareAccessLinks, Some(partner), None).await?;
        let address = recording.address_of(new.employee).await?;
        let for_client: BTreeSet<HubId> = new.for_client.into_iter().collect();
        let mut history = visible_client::load(&recording, partner, &address, &for_client).await?;
        require_possible(&recording, &history, &new, &address)?;
        require_room(&recording, new.employee).await?;

        let link = AccessLink {
            name: AccessLinkName { employee: new.employee, link: AccessLinkId(self.clock.new_id()) },
            for_client: new.for_client,
            expire_time: new.expire_time.unwrap_or_else(|| default_expire_time(&recording)),
            creator: recording.actor().to_string(),
            create_time: recording.now(),
            is_revoked: false,
            approved_user: None,
        };
        let token = LinkToken::random()?;
        access_link::insert(&**recording.transaction(), &link, &token).await?;
        let AccessLink { name: AccessLinkName { link: id, .. }, for_client, expire_time, .. } = link;
        let fact = AccessFact::AccessLinkCreated { partner, employee, address, link: id, for_client, expire_time };
        recording.record(&mut history, fact).await?;

        let answer = wire::CreateAccessLinkResponse {
            access_link: Some(resource::access_link(&link, recording.now())),
            token: String::new(),
            revision: recording.revision().to_string(),
        };
        // The answer is kept for repeats of the request, and the token is kept nowhere.
        let kept = recording.commit(answer).await?;
        Ok(wire::CreateAccessLinkResponse { token: token.to_string(), ..kept })
    }
}

/// Refuses a link that nobody could ever approve.
fn require_possible(
    recording: &Recording<'_>,
    history: &AccessHistory,
    new: &NewAccessLink,
    address: &EmailAddress,
) -> Result<(), Failure> {
    let (EmployeeName { partner, employee }, now) = (new.employee, recording.now());
    history.require_partner(partner, now).map_err(|refusal| Failure::from(&refusal))?;
    if let Some(client) = new.for_client {
        require_visible(recording, history, client, partner)?;
        history.require_client(client, now).map_err(|refusal| Failure::from(&refusal))?;
    }
    // Only a flagged employee can be Partner admin (R33); whether it is still there, the history judges.
    if history.employee(employee).is_none_or(|employee| employee.is_partner_employee(now)) {
        return Ok(());
    }
    let message = format!("{address} is not flagged as working for the partner; flag the employee first");
    Err(Failure::new(ErrorReason::PermissionSetNotAssignable, message))
}

async fn require_room(recording: &Recording<'_>, employee: EmployeeName) -> Result<(), ServiceError> {
    let open = access_link::count_open(&**recording.transaction(), employee, recording.now()).await?;
    if open < MAXIMUM_OPEN_LINKS {
        return Ok(());
    }
    let message = format!("an employee has at most {MAXIMUM_OPEN_LINKS} open access links; revoke one first");
    Err(Failure::new(ErrorReason::LimitReached, message).into())
}

fn default_expire_time(recording: &Recording<'_>) -> Instant {
    recording.now() + TimeDelta::days(i64::from(recording.policy().access_link_days()))
}
