//! A client approves an access link (R31): the employee is an active Partner admin there, and the client is assigned
//! automatically where the domain matches (R23).

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::wire::error::ErrorReason;
use contracts::{ClientUserName, EmployeeName, Failure, assignment_to_wire};
use domain::access::{AccessFact, AccessHistory, ClientUserId, ClientUserSpell, EmployeeSpell, HubId, PermissionSet};
use domain::policy::ClientPermission;
use domain::time::Instant;
use service_kit::permission::Permission;
use service_kit::{ServiceError, Statement, access_log};

use super::recording::{Begun, Recording};
use super::user_change::user_now;
use crate::AccessManagement;
use crate::link_token::LinkToken;
use crate::store::access_link::{self, AccessLink};

pub(crate) struct Approval {
    pub client: HubId,
    /// None where the text is no token at all.
    pub token: Option<LinkToken>,
}

impl AccessManagement {
    pub(crate) async fn approve_access_link(
        &self,
        approval: Approval,
        statement: Statement,
    ) -> Result<wire::ApproveAccessLinkResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let Approval { client, token } = approval;
        recording.require(Permission::ApproveAccessLinks, None, Some(client)).await?;
        let found = find(&recording, token.as_ref()).await?;
        let mut history = load(&recording, client, found.as_ref()).await?;
        history.require_client(client, recording.now()).map_err(|refusal| Failure::from(&refusal))?;
        let (link, employee) = require_open(&history, client, found, recording.now())?;

        let EmployeeSpell { partner, employee: id, address, .. } = employee.clone();
        let (name, link) = (EmployeeName { partner, employee: id }, link.name.link);
        let approved = AccessFact::AccessLinkApproved { client, partner, employee: id, address: address.clone(), link };
        recording.record(&mut history, approved).await?;
        let new_user = ClientUserId(self.clock.new_id());
        let user = make_partner_admin(&mut recording, &mut history, client, &employee, new_user).await?;
        let user = ClientUserName { client, user };
        access_link::mark_approved(&**recording.transaction(), link, user).await?;

        let assignment = history.assignment_at(client, partner, &address, recording.now());
        let answer = wire::ApproveAccessLinkResponse {
            client_user: user_now(&recording, &history, user),
            employee: name.to_string(),
            assignment: assignment.map(|assignment| assignment_to_wire(client, partner, &assignment)),
            revision: recording.revision().to_string(),
        };
        recording.commit(answer).await
    }
}

async fn find(recording: &Recording<'_>, token: Option<&LinkToken>) -> Result<Option<AccessLink>, ServiceError> {
    match token {
        Some(token) => access_link::find_by_token(&**recording.transaction(), token).await,
        None => Ok(None),
    }
}

/// The client, and whom the link is for, if there is one.
async fn load(
    recording: &Recording<'_>,
    client: HubId,
    link: Option<&AccessLink>,
) -> Result<AccessHistory, ServiceError> {
    let mut addresses = BTreeSet::new();
    if let Some(link) = link {
        addresses.insert(recording.address_of(link.name.employee).await?);
    }
    access_log::history_for_judging(&**recording.transaction(), &BTreeSet::from([client]), &addresses).await
}

/// The link with its employee, if the client can approve it now. Whatever is against it, the answer is the same, so that a
/// stranger learns nothing by trying.
fn require_open(
    history: &AccessHistory,
    client: HubId,
    link: Option<AccessLink>,
    at: Instant,
) -> Result<(AccessLink, EmployeeSpell), Failure> {
    let is_open = |link: &AccessLink| {
        link.state(at) == wire::AccessLinkState::Open && link.for_client.is_none_or(|only| only == client)
    };
    let link = link.filter(is_open);
    let employee = link.as_ref().and_then(|link| history.employee(link.name.employee.employee));
    // R33: only employees of partners in the programme can be Partner admins.
    let can_be_admin = |employee: &&EmployeeSpell| {
        employee.period.contains(at)
            && employee.is_partner_employee(at)
            && history.require_partner(employee.partner, at).is_ok()
    };
    link.zip(employee.filter(can_be_admin).cloned()).ok_or_else(|| {
        let message = "no open access link of this token can be approved for this client; ask for a new link";
        Failure::new(ErrorReason::AccessLinkNotOpen, message)
    })
}

/// Makes the employee an active user there with the PARTNER_ADMIN set; a super admin stays one.
async fn make_partner_admin(
    recording: &mut Recording<'_>,
    history: &mut AccessHistory,
    client: HubId,
    employee: &EmployeeSpell,
    new_user: ClientUserId,
) -> Result<ClientUserId, ServiceError> {
    let (now, address) = (recording.now(), employee.address.clone());
    let permission_set = PermissionSet::partner_admin();
    let Some(present) = history.client_user_at(client, &address, now).cloned() else {
        let display_name = employee.display_name.clone();
        let fact = AccessFact::ClientUserAdded { client, user: new_user, address, display_name, permission_set };
        recording.record(history, fact).await?;
        return Ok(new_user);
    };
    let ClientUserSpell { user, .. } = present;
    if !present.is_active(now) {
        let fact = AccessFact::ClientUserReactivated { client, user, address: address.clone() };
        recording.record(history, fact).await?;
    }
    if present.permission_set != permission_set && !is_super_admin(recording, &present) {
        let permission_set = Some(permission_set);
        let fact = AccessFact::ClientUserUpdated { client, user, address, display_name: None, permission_set };
        recording.record(history, fact).await?;
    }
    Ok(user)
}

fn is_super_admin(recording: &Recording<'_>, user: &ClientUserSpell) -> bool {
    let permissions = recording.policy().client_permissions(&user.permission_set, recording.now());
    permissions.is_some_and(|permissions| permissions.allow(ClientPermission::ManageUsers))
}
