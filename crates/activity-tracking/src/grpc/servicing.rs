//! GetServicing and BatchGetServicing on the wire.

use std::time::Duration;

use contracts::wire::activity as wire;
use contracts::{ClientName, EmployeeName, Failure, PartnerName, Revision, Violations, timestamp};
use domain::access::{Actor, HubId};
use domain::servicing::ServicingState;
use prost_types::Timestamp;

use super::activities::judged_activity;
use crate::operations::{Answer, EmployeeEvidence, Evidence, Moment, PairStanding, PairsQuestion, ServicingQuestion};
use crate::store::Pair;

/// The most pairs of one call.
const MAXIMUM_PAIRS: usize = 1_000;
/// The largest minimum that can be asked about.
const MAXIMUM_MINIMUM: u32 = 1_000;
/// How many activities of each kind are shown where nothing is asked, and at most.
const DEFAULT_EVIDENCE: u32 = 20;
const MAXIMUM_EVIDENCE: u32 = 200;

fn moment(
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
) -> Result<ServicingQuestion, Failure> {
    let mut violations = Violations::default();
    let partner: Option<PartnerName> = violations.parse("partner", &request.partner);
    let client: Option<ClientName> = violations.parse("client", &request.client);
    let moment = moment(&mut violations, request.as_of_time.as_ref(), &request.at_least_revisions, actor, wait_limit);
    let minimum = violations.bounded("minimum", request.minimum, 1, MAXIMUM_MINIMUM);
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
) -> Result<PairsQuestion, Failure> {
    let mut violations = Violations::default();
    let pairs = pairs(&mut violations, &request.pairs);
    let moment = moment(&mut violations, request.as_of_time.as_ref(), &request.at_least_revisions, actor, wait_limit);
    let minimum = violations.bounded("minimum", request.minimum, 1, MAXIMUM_MINIMUM);
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

pub(super) fn response(answer: Answer<Evidence>) -> wire::GetServicingResponse {
    let Answer { content, as_of_time, revisions } = answer;
    let Evidence { standing, periods, counted, not_counted, employees } = content;
    let partner = standing.pair.partner;
    wire::GetServicingResponse {
        servicing: Some(wire::Servicing {
            employees: employees.into_iter().map(|employee| employee_activity(partner, employee)).collect(),
            ..servicing(standing)
        }),
        periods: periods.iter().map(Into::into).collect(),
        counted_activities: counted.into_iter().map(|counted| judged_activity(counted, None)).collect(),
        not_counted_activities: not_counted.into_iter().map(|other| judged_activity(other, None)).collect(),
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

pub(super) fn texts(revisions: &[Revision]) -> Vec<String> {
    revisions.iter().map(ToString::to_string).collect()
}

/// A number as the wire has it.
pub(super) fn number(count: u32) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
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
        last_activity: last_activity.map(|last| judged_activity(last, None)),
        live_activities: number(standing.live_activities),
        employees: Vec::new(),
        tools: Vec::new(),
    }
}

fn employee_activity(partner: HubId, evidence: EmployeeEvidence) -> wire::EmployeeActivity {
    wire::EmployeeActivity {
        employee: EmployeeName { partner, employee: evidence.employee }.to_string(),
        email_address: evidence.address.to_string(),
        live_activities: number(evidence.live_activities),
        counted_activities: number(evidence.counted_activities),
        not_counted_activities: number(evidence.not_counted_activities),
        last_activity_time: evidence.last_activity_time.map(timestamp),
    }
}
