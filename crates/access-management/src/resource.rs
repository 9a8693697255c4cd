//! Resources as people see them: what the history says of a partner, an employee, a client or a client user now.

use contracts::wire::access as wire;
use contracts::{ClientName, ClientUserName, EmployeeName, PartnerName, timestamp};
use domain::access::{
    AccessChange, AccessFact, AccessHistory, ClientHistory, ClientUserSpell, EmployeeSpell, PartnerHistory,
};
use domain::time::Instant;

use crate::store::access_link::AccessLink;
use crate::store::asset::Asset;

/// A partner.
pub(crate) fn partner(history: &AccessHistory, partner: &PartnerHistory, at: Instant) -> wire::Partner {
    let state = if partner.is_in_programme(at) { wire::PartnerState::InProgramme } else { wire::PartnerState::Left };
    let about_it = |fact: &AccessFact| {
        fact.partner() == Some(partner.partner) && fact.client().is_none() && fact.address().is_none()
    };
    wire::Partner {
        name: PartnerName(partner.partner).to_string(),
        display_name: partner.display_name.clone(),
        country_code: partner.country.to_string(),
        email_domains: partner.email_domains_at(at).iter().map(ToString::to_string).collect(),
        join_time: Some(timestamp(partner.joined_time)),
        state: state.into(),
        leave_time: partner.left_time.map(timestamp),
        etag: etag(history, about_it),
    }
}

/// An employee, also a deleted one, with the number of clients that are assigned to it.
pub(crate) fn employee(
    history: &AccessHistory,
    employee: &EmployeeSpell,
    client_count: usize,
    at: Instant,
) -> wire::Employee {
    let partner = history.partner(employee.partner);
    let about_it = |fact: &AccessFact| {
        matches!(fact,
        AccessFact::EmployeeAdded { employee: of, .. }
        | AccessFact::EmployeeUpdated { employee: of, .. }
        | AccessFact::EmployeeDeleted { employee: of, .. } if *of == employee.employee)
    };
    wire::Employee {
        name: EmployeeName { partner: employee.partner, employee: employee.employee }.to_string(),
        email_address: employee.address.to_string(),
        display_name: employee.display_name.clone(),
        partner_employee: Some(employee.is_partner_employee(at)),
        domain_verified: partner.is_some_and(|partner| partner.owns_domain_of(&employee.address, at)),
        start_time: Some(timestamp(employee.period.start)),
        access_role: wire::AccessRole::from(employee.access_role).into(),
        client_count: i32::try_from(client_count).unwrap_or(i32::MAX),
        delete_time: employee.period.end.map(timestamp),
        etag: etag(history, about_it),
    }
}

/// A client.
pub(crate) fn client(history: &AccessHistory, client: &ClientHistory) -> wire::Client {
    let about_it = |fact: &AccessFact| {
        fact.client() == Some(client.client) && fact.partner().is_none() && fact.address().is_none()
    };
    wire::Client {
        name: ClientName(client.client).to_string(),
        display_name: client.display_name.clone(),
        country_code: client.country().to_string(),
        start_time: Some(timestamp(client.since)),
        close_time: client.closed_time.map(timestamp),
        etag: etag(history, about_it),
    }
}

/// A client user, also a removed one.
pub(crate) fn client_user(history: &AccessHistory, user: &ClientUserSpell, at: Instant) -> wire::ClientUser {
    let about_it = |fact: &AccessFact| {
        matches!(fact,
        AccessFact::ClientUserAdded { user: of, .. }
        | AccessFact::ClientUserUpdated { user: of, .. }
        | AccessFact::ClientUserDeactivated { user: of, .. }
        | AccessFact::ClientUserReactivated { user: of, .. }
        | AccessFact::ClientUserRemoved { user: of, .. } if *of == user.user)
    };
    wire::ClientUser {
        name: ClientUserName { client: user.client, user: user.user }.to_string(),
        email_address: user.address.to_string(),
        display_name: user.display_name.clone(),
        permission_set: user.permission_set.to_string(),
        state: wire::ClientUserState::from(user.state_at(at)).into(),
        start_time: Some(timestamp(user.period.start)),
        remove_time: user.period.end.map(timestamp),
        etag: etag(history, about_it),
    }
}

/// An access link.
pub(crate) fn access_link(link: &AccessLink, at: Instant) -> wire::AccessLink {
    wire::AccessLink {
        name: link.name.to_string(),
        client: link.for_client.map(|client| ClientName(client).to_string()).unwrap_or_default(),
        expire_time: Some(timestamp(link.expire_time)),
        state: link.state(at).into(),
        create_time: Some(timestamp(link.create_time)),
        creator: link.creator.clone(),
        approved_client_user: link.approved_user.map(|user| user.to_string()).unwrap_or_default(),
    }
}

/// What a client user owns, or nobody.
pub(crate) fn asset(asset: &Asset) -> wire::Asset {
    let client = asset.name.client;
    wire::Asset {
        name: asset.name.to_string(),
        kind: asset.kind.clone(),
        display_name: asset.display_name.clone(),
        owner: asset.owner.map(|user| ClientUserName { client, user }.to_string()).unwrap_or_default(),
    }
}

/// The etag of what these facts are about: the position of the last of them.
fn etag(history: &AccessHistory, is_about: impl Fn(&AccessFact) -> bool) -> String {
    let about = history.changes().filter(|change| is_about(&change.fact));
    about.map(|AccessChange { position, .. }| *position).max().unwrap_or_default().to_string()
}
