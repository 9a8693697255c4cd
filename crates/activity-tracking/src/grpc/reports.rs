//! ListIdleAssignments and ListUnmatchedAddresses on the wire.

use std::time::Duration;

use contracts::wire::activity as wire;
use contracts::{ClientName, EmployeeName, Failure, PartnerName, Violations, remedy_to_wire, timestamp};
use domain::access::{Actor, AssignmentOrigin, AssignmentState, EmailAddress, EmployeeId, HubId};
use domain::activity::{IdleAssignment, UnmatchedAddress, UnmatchedCase};
use domain::time::Instant;
use service_kit::StoredInstant;
use service_kit::page::{PageRequest, PageStart, PageTokenError, fitting};
use uuid::Uuid;

use super::servicing::{moment, read_instant, scope, texts};
use crate::operations::{
    Answer, ClientPlace, IdlePage, IdleQuestion, UnmatchedPage, UnmatchedQuestion, idle_place, unmatched_place,
};

/// Which assignments are asked for, and which page of them.
pub(super) fn idle_question(
    request: &wire::ListIdleAssignmentsRequest,
    actor: Actor,
    wait_limit: Duration,
) -> Result<(IdleQuestion, PageRequest), Failure> {
    let mut violations = Violations::default();
    let partner: Option<PartnerName> = violations.parse("partner", &request.partner);
    let client: Option<ClientName> = violations.parse_optional("client", &request.client);
    let mut moment =
        moment(&mut violations, request.as_of_time.as_ref(), &request.at_least_revisions, actor, wait_limit);
    // What a page must know is no part of what is asked for.
    let query = wire::ListIdleAssignmentsRequest {
        page_size: 0,
        page_token: String::new(),
        at_least_revisions: Vec::new(),
        ..request.clone()
    };
    let page = PageRequest::read(&mut violations, &query, request.page_size, &request.page_token);
    let after = page.as_ref().and_then(|page| violations.check("page_token", after(&page.start, read_employee)));
    violations.finish(|| {
        let (page, (as_of_time, after)) = (page?, after?);
        moment.as_of_time = as_of_time.or(moment.as_of_time);
        let client = client.map(|ClientName(client)| client);
        Some((IdleQuestion { partner: partner?.0, client, after, limit: page.size, moment }, page))
    })
}

/// Which addresses are asked for, and which page of them.
pub(super) fn unmatched_question(
    request: &wire::ListUnmatchedAddressesRequest,
    actor: Actor,
    wait_limit: Duration,
) -> Result<(UnmatchedQuestion, PageRequest), Failure> {
    let mut violations = Violations::default();
    let (partner, client) = scope(&mut violations, &request.partner, &request.client, &actor);
    let mut moment =
        moment(&mut violations, request.as_of_time.as_ref(), &request.at_least_revisions, actor, wait_limit);
    let from = violations.optional_instant("from_time", request.from_time.as_ref());
    if let (Some(from), Some(as_of_time)) = (from, moment.as_of_time)
        && as_of_time < from
    {
        violations.add("from_time", "at or before `as_of_time`");
    }
    // What a page must know is no part of what is asked for.
    let query = wire::ListUnmatchedAddressesRequest {
        page_size: 0,
        page_token: String::new(),
        at_least_revisions: Vec::new(),
        ..request.clone()
    };
    let page = PageRequest::read(&mut violations, &query, request.page_size, &request.page_token);
    let after = page.as_ref().and_then(|page| violations.check("page_token", after(&page.start, read_address)));
    violations.finish(|| {
        let (page, (as_of_time, after)) = (page?, after?);
        moment.as_of_time = as_of_time.or(moment.as_of_time);
        Some((UnmatchedQuestion { partner, client, from, after, limit: page.size, moment }, page))
    })
}

/// The instant that all pages are about, and behind what a page begins, if it is not the first.
type After<Key> = (Option<Instant>, Option<ClientPlace<Key>>);

fn after<Key>(start: &PageStart, read_key: fn(&[u8]) -> Option<Key>) -> Result<After<Key>, PageTokenError> {
    let Some(bytes) = start.after() else { return Ok((None, None)) };
    let (as_of_time, place) = read_place(bytes, read_key).ok_or(PageTokenError)?;
    Ok((Some(as_of_time), Some(place)))
}

/// A place in a page token: the instant, the client, and the row's key, which is empty behind all rows of a client.
fn place_bytes(as_of_time: Instant, client: HubId, key: &[u8]) -> Vec<u8> {
    [&StoredInstant::from(as_of_time).0.to_be_bytes()[..], &client.get().to_be_bytes(), key].concat()
}

fn read_place<Key>(bytes: &[u8], read_key: fn(&[u8]) -> Option<Key>) -> Option<(Instant, ClientPlace<Key>)> {
    let (as_of_time, bytes) = read_instant(bytes)?;
    let (client, key) = bytes.split_first_chunk()?;
    let client = i64::from_be_bytes(*client).try_into().ok()?;
    let row = if key.is_empty() { None } else { Some(read_key(key)?) };
    Some((as_of_time, ClientPlace { client, row }))
}

fn read_employee(key: &[u8]) -> Option<EmployeeId> {
    Uuid::from_slice(key).ok().map(EmployeeId)
}

fn read_address(key: &[u8]) -> Option<EmailAddress> {
    std::str::from_utf8(key).ok()?.parse().ok()
}

pub(super) fn idle_response(page: &PageRequest, answer: Answer<IdlePage>) -> wire::ListIdleAssignmentsResponse {
    let Answer { content: IdlePage { partner, assignments: idle, next }, as_of_time, revisions } = answer;
    let (assignments, next) = fitting(idle, next, idle_place, |idle| idle_assignment(partner, &idle));
    let token = |ClientPlace { client, row }: ClientPlace<EmployeeId>| {
        let key = row.as_ref().map_or(&[][..], |employee| employee.0.as_bytes());
        page.start.token_after(&place_bytes(as_of_time, client, key))
    };
    wire::ListIdleAssignmentsResponse {
        assignments,
        next_page_token: next.map(token).unwrap_or_default(),
        as_of_time: Some(timestamp(as_of_time)),
        revisions: texts(&revisions),
    }
}

pub(super) fn unmatched_response(
    page: &PageRequest,
    answer: Answer<UnmatchedPage>,
) -> wire::ListUnmatchedAddressesResponse {
    let Answer { content: UnmatchedPage { addresses: unmatched, next }, as_of_time, revisions } = answer;
    let (addresses, next) = fitting(unmatched, next, unmatched_place, |row| unmatched_address(&row));
    let token = |ClientPlace { client, row }: ClientPlace<EmailAddress>| {
        let key = row.as_ref().map_or(&[][..], |address| address.as_str().as_bytes());
        page.start.token_after(&place_bytes(as_of_time, client, key))
    };
    wire::ListUnmatchedAddressesResponse {
        addresses,
        next_page_token: next.map(token).unwrap_or_default(),
        as_of_time: Some(timestamp(as_of_time)),
        revisions: texts(&revisions),
    }
}

fn idle_assignment(partner: HubId, idle: &IdleAssignment) -> wire::IdleAssignment {
    let last_not_counted = idle.work.last_not_counted.as_ref();
    let reason = last_not_counted.map_or(wire::NotCountedReason::Unspecified, |work| work.reason.into());
    wire::IdleAssignment {
        employee: EmployeeName { partner, employee: idle.employee }.to_string(),
        email_address: idle.address.to_string(),
        client: ClientName(idle.client).to_string(),
        state: idle_state(idle.state).into(),
        automatic: idle.origin == AssignmentOrigin::Automatic,
        idle_since_time: Some(timestamp(idle.idle_since)),
        last_counted_time: idle.work.last_counted.map(|counted| timestamp(counted.occur_time)),
        last_not_counted_time: last_not_counted.map(|work| timestamp(work.occur_time)),
        last_reason: reason.into(),
        remedy: Some(remedy_to_wire(&idle.remedy)),
    }
}

const fn idle_state(state: AssignmentState) -> wire::IdleAssignmentState {
    match state {
        AssignmentState::PendingUser => wire::IdleAssignmentState::PendingUser,
        AssignmentState::Effective => wire::IdleAssignmentState::Effective,
        AssignmentState::Suspended => wire::IdleAssignmentState::Suspended,
    }
}

fn unmatched_address(row: &UnmatchedAddress) -> wire::UnmatchedAddress {
    wire::UnmatchedAddress {
        client: ClientName(row.client).to_string(),
        email_address: row.address.to_string(),
        display_name: row.display_name.clone().unwrap_or_default(),
        case: unmatched_case(row.case).into(),
        reason: wire::NotCountedReason::from(row.reason).into(),
        activities: i64::try_from(row.activities).unwrap_or(i64::MAX),
        first_time: Some(timestamp(row.first_time)),
        last_time: Some(timestamp(row.last_time)),
        remedy: Some(remedy_to_wire(&row.remedy)),
        partner: row.partner.map(|partner| PartnerName(partner).to_string()).unwrap_or_default(),
    }
}

const fn unmatched_case(case: UnmatchedCase) -> wire::UnmatchedAddressCase {
    match case {
        UnmatchedCase::Contractor => wire::UnmatchedAddressCase::Contractor,
        UnmatchedCase::SecondDomain => wire::UnmatchedAddressCase::SecondDomain,
        UnmatchedCase::NotFlagged => wire::UnmatchedAddressCase::NotFlagged,
        UnmatchedCase::Unknown => wire::UnmatchedAddressCase::Unknown,
        UnmatchedCase::Unlinked => wire::UnmatchedAddressCase::Unlinked,
        UnmatchedCase::NoActiveUser => wire::UnmatchedAddressCase::NoActiveUser,
    }
}
