//! GetActivity, ListActivities and ListQualifyingActions on the wire; and an activity with its verdict, wherever it is
//! told.

use std::collections::BTreeSet;
use std::time::Duration;

use contracts::wire::activity as wire;
use contracts::{
    ActivityName, ClientName, EmployeeName, Failure, PartnerName, Violations, not_counted_reason_from_wire,
    remedy_to_wire, timestamp, verdict_to_wire,
};
use domain::access::{Actor, EmailAddress};
use domain::activity::{ActivityId, CatalogueAction, NotCountedReason, Voiding};
use domain::policy::{ListedAction, Qualification};
use service_kit::StoredInstant;
use service_kit::page::{PageRequest, PageStart, PageTokenError, fitting};

use super::servicing::{number, texts};
use crate::operations::{
    ActivitiesQuestion, ActivityAnswer, ActivityQuestion, Answer, CatalogueAnswer, CatalogueQuestion, Moment, Told,
    ToldPage,
};
use crate::store::activity::{ActivityFilter, ListedVerdict, Place, Recorded};

/// The outcomes that can be asked for.
const OUTCOMES: [wire::VerdictOutcome; 3] =
    [wire::VerdictOutcome::Counted, wire::VerdictOutcome::NotCounted, wire::VerdictOutcome::Voided];

fn moment(violations: &mut Violations, at_least_revisions: &[String], actor: Actor, wait_limit: Duration) -> Moment {
    let at_least_revisions = violations.revisions("at_least_revisions", at_least_revisions);
    Moment { actor, as_of_time: None, at_least_revisions, wait_limit }
}

pub(super) fn question(
    request: &wire::GetActivityRequest,
    actor: Actor,
    wait_limit: Duration,
) -> Result<ActivityQuestion, Failure> {
    let mut violations = Violations::default();
    let name: Option<ActivityName> = violations.parse("name", &request.name);
    let moment = moment(&mut violations, &request.at_least_revisions, actor, wait_limit);
    violations.finish(|| Some(ActivityQuestion { name: name?, moment }))
}

pub(super) fn response(answer: Answer<ActivityAnswer>) -> wire::GetActivityResponse {
    let ActivityAnswer { told, remedies } = answer.content;
    wire::GetActivityResponse {
        activity: Some(told_activity(told)),
        remedies: remedies.iter().map(remedy_to_wire).collect(),
        revisions: texts(&answer.revisions),
    }
}

/// Which activities are asked for, and which page of them.
pub(super) fn list_question(
    request: &wire::ListActivitiesRequest,
    actor: Actor,
    wait_limit: Duration,
) -> Result<(ActivitiesQuestion, PageRequest), Failure> {
    let mut violations = Violations::default();
    restrict_people(&mut violations, request, &actor);
    let filter = filter(&mut violations, request);
    let employee: Option<EmployeeName> = violations.parse_optional("employee", &request.employee);
    if let (Some(partner), Some(employee)) = (filter.partner, employee)
        && employee.partner != partner
    {
        violations.add("employee", "an employee of the partner in `partner`");
    }
    let page = page(&mut violations, request);
    let after = page.as_ref().and_then(|page| violations.check("page_token", after(&page.start)));
    let moment = moment(&mut violations, &request.at_least_revisions, actor, wait_limit);
    violations.finish(|| {
        let (page, after) = (page?, after?);
        Some((ActivitiesQuestion { filter, employee, after, limit: page.size, moment }, page))
    })
}

fn restrict_people(violations: &mut Violations, request: &wire::ListActivitiesRequest, actor: &Actor) {
    if *actor == Actor::Platform {
        return;
    }
    if request.partner.is_empty() {
        violations.add("partner", "is needed: only the platform sees the activities of all partners");
    }
    if !request.email_address.is_empty() {
        violations.add("email_address", "absent: only the platform asks for an address, whoever it belongs to");
    }
}

fn filter(violations: &mut Violations, request: &wire::ListActivitiesRequest) -> ActivityFilter {
    let partner: Option<PartnerName> = violations.parse_optional("partner", &request.partner);
    let client: Option<ClientName> = violations.parse_optional("client", &request.client);
    let address: Option<EmailAddress> = violations.parse_optional("email_address", &request.email_address);
    let tool = tool(violations, &request.tool);
    let outcomes = outcomes(violations, &request.outcomes);
    let reasons = reasons(violations, &request.reasons);
    let from = violations.optional_instant("from_time", request.from_time.as_ref());
    let to = violations.optional_instant("to_time", request.to_time.as_ref());
    if let (Some(from), Some(to)) = (from, to)
        && to <= from
    {
        violations.add("to_time", "after `from_time`");
    }
    ActivityFilter {
        partner: partner.map(|PartnerName(partner)| partner),
        client: client.map(|ClientName(client)| client),
        employee: None,
        address,
        tool,
        verdicts: verdicts(&outcomes, &reasons),
        from,
        to,
        provisional_only: request.provisional_only,
    }
}

/// The tool, if one is stated.
fn tool(violations: &mut Violations, tool: &str) -> Option<String> {
    let tool = Some(tool).filter(|tool| !tool.is_empty())?;
    violations.check("tool", CatalogueAction::parse_tool(tool))
}

fn outcomes(violations: &mut Violations, stated: &[i32]) -> BTreeSet<wire::VerdictOutcome> {
    let known = |number| OUTCOMES.into_iter().find(|known| i32::from(*known) == number);
    violations.values("outcomes", stated, OUTCOMES.len(), ("outcome", "VerdictOutcome"), known)
}

fn reasons(violations: &mut Violations, stated: &[i32]) -> BTreeSet<NotCountedReason> {
    let known = |number| wire::NotCountedReason::try_from(number).ok().and_then(not_counted_reason_from_wire);
    violations.values("reasons", stated, NotCountedReason::ALL.len(), ("reason", "NotCountedReason"), known)
}

/// The verdicts that have one of these outcomes and one of these reasons, where any are stated; nothing for all.
fn verdicts(
    outcomes: &BTreeSet<wire::VerdictOutcome>,
    reasons: &BTreeSet<NotCountedReason>,
) -> Option<BTreeSet<ListedVerdict>> {
    let is_asked = |verdict: &ListedVerdict| {
        let (outcome, reason) = match verdict {
            ListedVerdict::Counted => (wire::VerdictOutcome::Counted, None),
            ListedVerdict::NotCounted(reason) => (wire::VerdictOutcome::NotCounted, Some(reason)),
            ListedVerdict::Voided => (wire::VerdictOutcome::Voided, None),
        };
        let has_reason = reasons.is_empty() || reason.is_some_and(|reason| reasons.contains(reason));
        has_reason && (outcomes.is_empty() || outcomes.contains(&outcome))
    };
    let all: Vec<ListedVerdict> = ListedVerdict::all().collect();
    let asked: BTreeSet<ListedVerdict> = all.iter().copied().filter(is_asked).collect();
    (asked.len() < all.len()).then_some(asked)
}

fn page(violations: &mut Violations, request: &wire::ListActivitiesRequest) -> Option<PageRequest> {
    // What a page must know is no part of what is asked for.
    let query = wire::ListActivitiesRequest {
        page_size: 0,
        page_token: String::new(),
        at_least_revisions: Vec::new(),
        ..request.clone()
    };
    PageRequest::read(violations, &query, request.page_size, &request.page_token)
}

/// Behind which activity a page begins, if it is not the first.
fn after(start: &PageStart) -> Result<Option<Place>, PageTokenError> {
    start.after().map(|bytes| read_place(bytes).ok_or(PageTokenError)).transpose()
}

/// The place of an activity in a page token: the time, the client and the id.
fn place_bytes(place: &Place) -> Vec<u8> {
    let (occur_time, client) = (StoredInstant::from(place.occur_time).0, place.name.client.get());
    [&occur_time.to_be_bytes()[..], &client.to_be_bytes(), place.name.activity.as_str().as_bytes()].concat()
}

fn read_place(bytes: &[u8]) -> Option<Place> {
    let (occur_time, bytes) = bytes.split_first_chunk()?;
    let (client, id) = bytes.split_first_chunk()?;
    let activity: ActivityId = std::str::from_utf8(id).ok()?.parse().ok()?;
    let client = i64::from_be_bytes(*client).try_into().ok()?;
    let occur_time = StoredInstant(i64::from_be_bytes(*occur_time)).into();
    Some(Place { name: ActivityName { client, activity }, occur_time })
}

pub(super) fn list_response(page: &PageRequest, answer: Answer<ToldPage>) -> wire::ListActivitiesResponse {
    let ToldPage { activities, next } = answer.content;
    let (activities, next) = fitting(activities, next, |told| Place::of(&told.recorded), told_activity);
    wire::ListActivitiesResponse {
        activities,
        next_page_token: next.map(|place| page.start.token_after(&place_bytes(&place))).unwrap_or_default(),
        revisions: texts(&answer.revisions),
    }
}

pub(super) fn catalogue_question(request: &wire::ListQualifyingActionsRequest) -> Result<CatalogueQuestion, Failure> {
    let mut violations = Violations::default();
    let as_of_time = violations.optional_instant("as_of_time", request.as_of_time.as_ref());
    let tool = tool(&mut violations, &request.tool);
    violations.finish(|| Some(CatalogueQuestion { as_of_time, tool, qualifying_only: request.qualifying_only }))
}

pub(super) fn catalogue_response(answer: CatalogueAnswer) -> wire::ListQualifyingActionsResponse {
    wire::ListQualifyingActionsResponse {
        actions: answer.actions.into_iter().map(qualifying_action).collect(),
        window_days: number(answer.window_days),
        policy_version: answer.policy_version,
        as_of_time: Some(timestamp(answer.as_of_time)),
    }
}

fn qualifying_action(listed: ListedAction) -> wire::QualifyingAction {
    wire::QualifyingAction {
        action: Some((&listed.action).into()),
        qualifying: listed.qualification == Qualification::Qualifying,
        from_time: listed.since.map(timestamp),
        to_time: listed.until.map(timestamp),
        source_patterns: listed.source_patterns,
    }
}

pub(super) fn told_activity(Told { recorded, voiding }: Told) -> wire::JudgedActivity {
    judged_activity(recorded, voiding.as_ref())
}

/// An activity as it is told, with who took it back if anybody did.
pub(super) fn judged_activity(recorded: Recorded, voiding: Option<&Voiding>) -> wire::JudgedActivity {
    wire::JudgedActivity {
        activity: Some((&recorded.activity).into()),
        verdict: Some(verdict_to_wire(&recorded.judgement, recorded.provisional)),
        record_time: Some(timestamp(recorded.record_time)),
        voiding: voiding.map(voiding_to_wire),
    }
}

fn voiding_to_wire(voiding: &Voiding) -> wire::Voiding {
    wire::Voiding {
        actor: voiding.actor.to_string(),
        on_behalf_of: voiding.on_behalf_of.as_ref().map(ToString::to_string).unwrap_or_default(),
        reason: voiding.reason.clone(),
        record_time: Some(timestamp(voiding.time)),
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use domain::activity::{Activity, ActivityAction, Judgement, Origin, Verdict};
    use prost::Message as _;

    use super::*;

    /// A character of four bytes.
    const LONG: &str = "\u{1F512}";

    fn told(number: u128, reason: &str) -> Told {
        let client = 2002.try_into().expect("a hub id");
        let activity = Activity {
            client,
            id: format!("evt-{number}").parse().expect("an id"),
            address: "anna@agency.example".parse().expect("an address"),
            occur_time: "2025-01-10T12:00:00Z".parse().expect("a time"),
            action: ActivityAction::Catalogue("blog/publish".parse().expect("an action")),
            origin: Origin::Person,
            target_object_id: Some(LONG.repeat(256).parse().expect("a target")),
        };
        let time = activity.occur_time;
        let judgement = Judgement { verdict: Verdict::Voided, attribution: None, action: None };
        let voiding = Voiding::new(time, Actor::Platform, None, reason).expect("a reason");
        let recorded = Recorded { activity, judgement, record_time: time, provisional: false };
        Told { recorded, voiding: Some(voiding) }
    }

    fn page_of(request: &wire::ListActivitiesRequest) -> PageRequest {
        let (_, page) = list_question(request, Actor::Platform, Duration::ZERO).expect("a right question");
        page
    }

    /// The answer with activities of these numbers, the last of all, with the longest reasons and targets.
    fn shown(page: &PageRequest, numbers: Range<u128>) -> wire::ListActivitiesResponse {
        let activities = numbers.map(|number| told(number, &LONG.repeat(500))).collect();
        let content = ToldPage { activities, next: None };
        let as_of_time = "2025-02-01T00:00:00Z".parse().expect("a time");
        list_response(page, Answer { content, as_of_time, revisions: Vec::new() })
    }

    #[test]
    fn a_page_of_large_activities_has_fewer_of_them_and_the_next_begins_behind_them() {
        let request = wire::ListActivitiesRequest { page_size: 1_000, ..Default::default() };
        let first = shown(&page_of(&request), 0..1_000);
        let count = first.activities.len();
        assert!((500..1_000).contains(&count), "{count}");
        assert!(first.encoded_len() < 4 * 1_024 * 1_024, "what clients read");
        let next = page_of(&wire::ListActivitiesRequest { page_token: first.next_page_token, ..request });
        let after = after(&next.start).expect("a place").expect("not the first page");
        assert_eq!(after.name.activity.to_string(), format!("evt-{}", count - 1));
        let second = shown(&next, count as u128..1_000);
        assert_eq!((second.activities.len(), second.next_page_token.as_str()), (1_000 - count, ""));
    }

    #[test]
    fn a_place_survives_its_token_and_other_bytes_are_none() {
        let place = Place::of(&told(7, "x").recorded);
        assert_eq!(read_place(&place_bytes(&place)), Some(place.clone()));
        let bytes = place_bytes(&place);
        // Without an id, cut in the middle of the client, of client 0, and with an id of two words.
        let no_client = [&bytes[..8], &[0; 8], b"evt-7"].concat();
        for wrong in [&bytes[..16], &bytes[..12], &no_client, &[&bytes[..], b" x"].concat(), &[]] {
            assert_eq!(read_place(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn outcomes_and_reasons_are_asked_together() {
        use wire::VerdictOutcome::{Counted, NotCounted, Voided};
        let asked = |outcomes: &[wire::VerdictOutcome], reasons: &[NotCountedReason]| {
            verdicts(&outcomes.iter().copied().collect(), &reasons.iter().copied().collect())
        };
        let login = NotCountedReason::NonQualifyingAction;
        let only_login = Some(BTreeSet::from([ListedVerdict::NotCounted(login)]));
        assert_eq!(asked(&[], &[]), None);
        assert_eq!(asked(&[Counted, NotCounted, Voided], &[]), None);
        assert_eq!(asked(&[Voided], &[]), Some(BTreeSet::from([ListedVerdict::Voided])));
        assert_eq!(asked(&[NotCounted], &[]).map(|all| all.len()), Some(NotCountedReason::ALL.len()));
        assert_eq!(asked(&[], &[login]), only_login);
        assert_eq!(asked(&[NotCounted, Voided], &[login]), only_login);
        assert_eq!(asked(&[Counted, Voided], &[login]), Some(BTreeSet::new()));
    }
}
