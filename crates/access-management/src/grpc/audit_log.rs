//! Requests about the access log: to read it, to take back what it says, to erase a person from it.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::{ClientName, EmployeeName, PartnerName, Violations};
use domain::access::{Actor, EmailAddress};
use service_kit::access_log::KINDS;
use service_kit::page::{PageRequest, PageStart, PageTokenError};

use crate::operations::ChangeQuery;

pub(super) fn query(
    violations: &mut Violations,
    request: &wire::ListAccessChangesRequest,
    actor: &Actor,
) -> Option<ChangeQuery> {
    let wire::ListAccessChangesRequest { partner, client, employee, kinds: named, from_time, to_time, .. } = request;
    let partner = violations.parse_optional("partner", partner).map(|PartnerName(partner)| partner);
    let client = violations.parse_optional("client", client).map(|ClientName(client)| client);
    let employee: Option<EmployeeName> = violations.parse_optional("employee", employee);
    if *actor != Actor::Platform && request.partner.is_empty() {
        violations.add("partner", "is needed: only the platform sees the changes of all partners");
    }
    if let (Some(partner), Some(employee)) = (partner, employee)
        && employee.partner != partner
    {
        violations.add("employee", "an employee of the partner in `partner`");
    }
    let kinds = kinds(violations, named);
    let from = violations.optional_instant("from_time", from_time.as_ref());
    let to = violations.optional_instant("to_time", to_time.as_ref());
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        violations.add("to_time", "after `from_time`");
    }
    let query = wire::ListAccessChangesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = PageRequest::read(violations, &query, request.page_size, &request.page_token)?;
    let before = violations.check("page_token", before(&page.start))?;
    let notices_only = request.notices_only;
    Some(ChangeQuery { partner, client, employee, kinds, from, to, notices_only, before, page })
}

fn kinds(violations: &mut Violations, names: &[String]) -> BTreeSet<String> {
    if names.len() > KINDS.len() {
        violations.add("kinds", "each kind once at most");
        return BTreeSet::new();
    }
    for (index, name) in names.iter().enumerate() {
        if !KINDS.contains(&name.as_str()) {
            violations.add(format!("kinds[{index}]"), format!("one of {}", KINDS.join(", ")));
        }
    }
    names.iter().cloned().collect()
}

/// The position before which a page begins.
fn before(start: &PageStart) -> Result<Option<u64>, PageTokenError> {
    let Some(place) = start.after() else { return Ok(None) };
    let bytes = place.try_into().map_err(|_| PageTokenError)?;
    Ok(Some(u64::from_be_bytes(bytes)))
}

pub(super) fn retracted_position(violations: &mut Violations, request: &wire::RetractChangeRequest) -> Option<u64> {
    // The first change has position 1, so that 0 is a request that does not say which.
    let position = Some(request.position).filter(|position| *position > 0);
    violations.check("position", position.ok_or("the position of a change in the access feed, from 1"))
}

pub(super) fn erased_address(violations: &mut Violations, request: &wire::EraseAddressRequest) -> Option<EmailAddress> {
    violations.parse("email_address", &request.email_address)
}
