//! Requests about access links.

use chrono::TimeDelta;
use contracts::wire::access as wire;
use contracts::{AccessLinkName, ClientName, EmployeeName, Violations};
use domain::policy::Policy;
use domain::time::Instant;
use service_kit::page::{PageRequest, PageTokenError};

use crate::operations::{AccessLinkList, Approval, NewAccessLink};
use crate::store::access_link::LinkPlace;

pub(super) fn new_access_link(
    violations: &mut Violations,
    request: &wire::CreateAccessLinkRequest,
    now: Instant,
) -> Option<NewAccessLink> {
    let stated = request.access_link.clone().unwrap_or_default();
    let employee: Option<EmployeeName> = violations.parse("parent", &request.parent);
    let for_client: Option<ClientName> = violations.parse_optional("access_link.client", &stated.client);
    let expire_time = violations.optional_instant("access_link.expire_time", stated.expire_time.as_ref());
    let latest = now + TimeDelta::days(i64::from(Policy::MAXIMUM_ACCESS_LINK_DAYS));
    if expire_time.is_some_and(|time| time <= now || time > latest) {
        let days = Policy::MAXIMUM_ACCESS_LINK_DAYS;
        violations.add("access_link.expire_time", format!("after now, and at most {days} days ahead"));
    }
    Some(NewAccessLink { employee: employee?, for_client: for_client.map(|name| name.0), expire_time })
}

pub(super) fn list(violations: &mut Violations, request: &wire::ListAccessLinksRequest) -> Option<AccessLinkList> {
    let query = wire::ListAccessLinksRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let employee = violations.parse("parent", &request.parent);
    let page = PageRequest::read(violations, &query, request.page_size, &request.page_token)?;
    let after = page.start.after().map(|place| LinkPlace::from_bytes(place).ok_or(PageTokenError)).transpose();
    let after = violations.check("page_token", after);
    Some(AccessLinkList { employee: employee?, page, after: after? })
}

pub(super) fn approval(violations: &mut Violations, request: &wire::ApproveAccessLinkRequest) -> Option<Approval> {
    let client: Option<ClientName> = violations.parse("client", &request.client);
    // A text that is no token is answered as a token that does not work, so that nobody learns how one looks.
    Some(Approval { client: client?.0, token: request.token.parse().ok() })
}

pub(super) fn revocation(
    violations: &mut Violations,
    request: &wire::RevokeAccessLinkRequest,
) -> Option<AccessLinkName> {
    violations.parse("name", &request.name)
}
