//! GetServicing, BatchGetServicing and ListServicing on the wire.

use std::collections::BTreeSet;
use std::time::Duration;

use contracts::wire::activity as wire;
use contracts::{ClientName, EmployeeName, Failure, PartnerName, Revision, Violations, timestamp};
use domain::access::{Actor, HubId};
use domain::policy::Policy;
use domain::servicing::ServicingState;
use domain::time::{Instant, is_storable};
use prost_types::Timestamp;
use service_kit::StoredInstant;
use service_kit::page::{PageRequest, PageStart, PageTokenError, fitting};

use super::activities::{judged_activity, told_activity};
use crate::operations::{
    Answer, Counted, EmployeeWork, Evidence, Moment, PairStanding, PairWork, PairsQuestion, RelationshipsPage,
    RelationshipsQuestion, ServicingQuestion, ToolWork,
};
use crate::store::Pair;

/// The most pairs of one call.
const MAXIMUM_PAIRS: usize = 1_000;
/// How many activities of each kind are shown where nothing is asked, and at most.
const DEFAULT_EVIDENCE: u32 = 20;
const MAXIMUM_EVIDENCE: u32 = 200;

/// The states that can be asked for.
const STATES: [wire::ServicingState; 4] = [
    wire::ServicingState::None,
    wire::ServicingState::Active,
    wire::ServicingState::Expiring,
    wire::ServicingState::Ended,
];

pub(super) fn moment(
    violations: &mut Violations,
    as_of_time: Option<&Timestamp>,
    at_least_revisions: &[String],
    actor: Actor,
    wait_limit: Duration,
) -> Moment {
    Moment {
        actor,
        as_of_time: violations.optional_instant("as_of_time", as_of_time),
        at_least_revisions: violations.revisions("at_least_revisions", at_least_revisions),
        wait_limit,
    }
}

pub(super) fn question(
    request: &wire::GetServicingRequest,
    actor: Actor,
    wait_limit: Duration,
    policy: &Policy,
) -> Result<ServicingQuestion, Failure> {
    let mut violations = Violations::default();
    let partner: Option<PartnerName> = violations.parse("partner", &request.partner);
    let client: Option<ClientName> = violations.parse("client", &request.client);
    let moment = moment(&mut violations, request.as_of_time.as_ref(), &request.at_least_revisions, actor, wait_limit);
    let minimum = minimum(&mut violations, request.minimum, policy);
    let limit = violations.bounded("evidence_limit", request.evidence_limit, DEFAULT_EVIDENCE, MAXIMUM_EVIDENCE);
    violations.finish(|| {
        let pair = Pair { client: client?.0, partner: partner?.0 };
        Some(ServicingQuestion { pair, minimum: minimum?, evidence_limit: limit?, moment })
    })
}

pub(super) fn pairs_question(
    request: &wire::BatchGetServicingRequest,
    actor: Actor,
    wait_limit: Duration,
    policy: &Policy,
) -> Result<PairsQuestion, Failure> {
    let mut violations = Violations::default();
    let pairs = pairs(&mut violations, &request.pairs);
    let moment = moment(&mut violations, request.as_of_time.as_ref(), &request.at_least_revisions, actor, wait_limit);
    let minimum = minimum(&mut violations, request.minimum, policy);
    violations.finish(|| Some(PairsQuestion { pairs, minimum: minimum?, moment }))
}

fn pairs(violations: &mut Violations, stated: &[wire::ServicingPair]) -> Vec<Pair> {
    if stated.is_empty() || stated.len() > MAXIMUM_PAIRS {
        violations.add("pairs", format!("1 to {MAXIMUM_PAIRS} pairs"));
        return Vec::new();
    }
    let mut pairs = Vec::with_capacity(stated.len());
    for (index, pair) in stated.iter().enumerate() {
        let partner: Option<PartnerName> = violations.parse(&format!("pairs[{index}].partner"), &pair.partner);
        let client: Option<ClientName> = violations.parse(&format!("pairs[{index}].client"), &pair.client);
        if let (Some(partner), Some(client)) = (partner, client) {
            pairs.push(Pair { client: client.0, partner: partner.0 });
        }
    }
    pairs
}

/// A minimum for which periods are kept (R57).
fn minimum(violations: &mut Violations, stated: i32, policy: &Policy) -> Option<u32> {
    let known = policy.minimums_ever();
    let asked = if stated == 0 { Some(1) } else { u32::try_from(stated).ok() };
    let known_to_policy = asked.filter(|asked| known.contains(asked));
    let listed = || known.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    violations
        .check("minimum", known_to_policy.ok_or_else(|| format!("one that the policy has ever known: {}", listed())))
}

/// Which relationships are asked for, and which page of them.
pub(super) fn list_question(
    request: &wire::ListServicingRequest,
    actor: Actor,
    wait_limit: Duration,
    policy: &Policy,
) -> Result<(RelationshipsQuestion, PageRequest), Failure> {
    let mut violations = Violations::default();
    let (partner, client) = scope(&mut violations, &request.partner, &request.client, &actor);
    let states = states(&mut violations, &request.states);
    let mut moment =
        moment(&mut violations, request.as_of_time.as_ref(), &request.at_least_revisions, actor, wait_limit);
    let minimum = minimum(&mut violations, request.minimum, policy);
    // What a page must know is no part of what is asked for.
    let query = wire::ListServicingRequest {
        page_size: 0,
        page_token: String::new(),
        at_least_revisions: Vec::new(),
        ..request.clone()
    };
    let page = PageRequest::read(&mut violations, &query, request.page_size, &request.page_token);
    let after = page.as_ref().and_then(|page| violations.check("page_token", after(&page.start)));
    violations.finish(|| {
        let (page, after) = (page?, after?);
        moment.as_of_time = after.map(|(as_of_time, _)| as_of_time).or(moment.as_of_time);
        let (after, limit, minimum) = (after.map(|(_, pair)| pair), page.size, minimum?);
        Some((RelationshipsQuestion { partner, client, states, minimum, after, limit, moment }, page))
    })
}

/// A partner, a client, or both; people always name the partner.
pub(super) fn scope(
    violations: &mut Violations,
    partner: &str,
    client: &str,
    actor: &Actor,
) -> (Option<HubId>, Option<HubId>) {
    if partner.is_empty() && *actor != Actor::Platform {
        violations.add("partner", "is needed: only the platform asks about all partners of a client");
    } else if partner.is_empty() && client.is_empty() {
        violations.add("partner", "this or `client` is needed");
    }
    let partner = violations.parse_optional("partner", partner).map(|PartnerName(partner)| partner);
    let client = violations.parse_optional("client", client).map(|ClientName(client)| client);
    (partner, client)
}

fn states(violations: &mut Violations, stated: &[i32]) -> BTreeSet<wire::ServicingState> {
    let known = |number| STATES.into_iter().find(|known| i32::from(*known) == number);
    violations.values("states", stated, STATES.len(), ("state", "ServicingState"), known)
}

/// The instant that all pages are about, and behind which pair a page begins, if it is not the first.
fn after(start: &PageStart) -> Result<Option<(Instant, Pair)>, PageTokenError> {
    start.after().map(|bytes| read_place(bytes).ok_or(PageTokenError)).transpose()
}

/// The place of a pair in a page token.
fn place_bytes(as_of_time: Instant, pair: Pair) -> Vec<u8> {
    [StoredInstant::from(as_of_time).0, pair.client.get(), pair.partner.get()].map(i64::to_be_bytes).concat()
}

fn read_place(bytes: &[u8]) -> Option<(Instant, Pair)> {
    let (as_of_time, bytes) = read_instant(bytes)?;
    let (client, partner) = bytes.split_first_chunk()?;
    let client = i64::from_be_bytes(*client).try_into().ok()?;
    let partner = i64::from_be_bytes(partner.try_into().ok()?).try_into().ok()?;
    Some((as_of_time, Pair { client, partner }))
}

/// The instant that begins a place in a page token, and what follows it.
pub(super) fn read_instant(bytes: &[u8]) -> Option<(Instant, &[u8])> {
    let (micros, rest) = bytes.split_first_chunk()?;
    let instant = StoredInstant(i64::from_be_bytes(*micros)).into();
    is_storable(instant).then_some((instant, rest))
}

pub(super) fn response(answer: Answer<Evidence>) -> wire::GetServicingResponse {
    let Answer { content, as_of_time, revisions } = answer;
    let Evidence { standing, work, periods, counted, not_counted } = content;
    wire::GetServicingResponse {
        servicing: Some(servicing_with_work(standing, work)),
        periods: periods.iter().map(Into::into).collect(),
        counted_activities: counted.into_iter().map(|recorded| judged_activity(recorded, None)).collect(),
        not_counted_activities: not_counted.into_iter().map(told_activity).collect(),
        as_of_time: Some(timestamp(as_of_time)),
        revisions: texts(&revisions),
    }
}

pub(super) fn batch_response(answer: Answer<Vec<PairStanding>>) -> wire::BatchGetServicingResponse {
    wire::BatchGetServicingResponse {
        servicings: answer.content.into_iter().map(servicing).collect(),
        as_of_time: Some(timestamp(answer.as_of_time)),
        revisions: texts(&answer.revisions),
    }
}

pub(super) fn list_response(page: &PageRequest, answer: Answer<RelationshipsPage>) -> wire::ListServicingResponse {
    let Answer { content: RelationshipsPage { relationships, next }, as_of_time, revisions } = answer;
    let message = |(standing, work)| servicing_with_work(standing, work);
    let (servicings, next) = fitting(relationships, next, |(standing, _)| standing.pair, message);
    wire::ListServicingResponse {
        servicings,
        next_page_token: next.map(|pair| page.start.token_after(&place_bytes(as_of_time, pair))).unwrap_or_default(),
        as_of_time: Some(timestamp(as_of_time)),
        revisions: texts(&revisions),
    }
}

pub(super) fn texts(revisions: &[Revision]) -> Vec<String> {
    revisions.iter().map(ToString::to_string).collect()
}

/// A number as the wire has it.
pub(super) fn number(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}

fn servicing(of: PairStanding) -> wire::Servicing {
    let PairStanding { pair, standing, end_cause, last_activity } = of;
    // "Since when without a gap" is a question about what goes on.
    let goes_on = matches!(standing.state, ServicingState::Active | ServicingState::Expiring);
    let serviced_since = standing.serviced_since.filter(|_| goes_on);
    wire::Servicing {
        partner: PartnerName(pair.partner).to_string(),
        client: ClientName(pair.client).to_string(),
        state: wire::ServicingState::from(standing.state).into(),
        serviced_since_time: serviced_since.map(timestamp),
        expire_time: standing.expire_time.map(timestamp),
        end_cause: end_cause.map_or(wire::PeriodEndCause::Unspecified, Into::into).into(),
        // What counts was not taken back.
        last_activity: last_activity.map(|recorded| judged_activity(recorded, None)),
        live_activities: number(standing.live_activities),
        employees: Vec::new(),
        tools: Vec::new(),
    }
}

fn servicing_with_work(standing: PairStanding, work: PairWork) -> wire::Servicing {
    let partner = standing.pair.partner;
    wire::Servicing {
        employees: work.employees.into_iter().map(|employee| employee_activity(partner, employee)).collect(),
        tools: work.tools.into_iter().map(tool_activity).collect(),
        ..servicing(standing)
    }
}

fn employee_activity(partner: HubId, work: EmployeeWork) -> wire::EmployeeActivity {
    let EmployeeWork { employee, address, counted, not_counted_activities } = work;
    let Counted { live_activities, activities, last_time } = counted;
    wire::EmployeeActivity {
        employee: EmployeeName { partner, employee }.to_string(),
        email_address: address.to_string(),
        live_activities: number(live_activities),
        counted_activities: number(activities),
        not_counted_activities: number(not_counted_activities),
        last_activity_time: last_time.map(timestamp),
    }
}

fn tool_activity(ToolWork { tool, counted }: ToolWork) -> wire::ToolActivity {
    let Counted { live_activities, activities, last_time } = counted;
    wire::ToolActivity {
        tool,
        live_activities: number(live_activities),
        counted_activities: number(activities),
        last_activity_time: last_time.map(timestamp),
    }
}
