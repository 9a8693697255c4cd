//! Activities, verdicts and servicing on the wire.

use std::collections::BTreeMap;

use domain::access::{EmailAddress, EndingCause, HubId};
use domain::activity::{
    Activity, ActivityAction, CatalogueAction, Judgement, NotCountedReason, Origin, Remedy, RemedyKind, SourceAction,
    TargetObjectId, Verdict,
};
use domain::servicing::{PeriodEndCause, ServicingPeriod, ServicingState, Standing};
use domain::time::Instant;

use crate::wire::activity as wire;
use crate::{
    ActivityName, ClientName, EmployeeName, Failure, PartnerName, Violations, WireError, required_instant, timestamp,
};

/// The activity that a caller states, or everything that is wrong with it; `path` names it in the request.
///
/// # Errors
/// All violations.
pub fn activity_from_wire(path: &str, stated: &wire::Activity) -> Result<Activity, Failure> {
    let mut violations = Violations::default();
    let field = |name: &str| format!("{path}.{name}");
    let name: Option<ActivityName> = violations.parse(&field("name"), &stated.name);
    let address: Option<EmailAddress> = violations.parse(&field("email_address"), &stated.email_address);
    let occur_time = violations.instant(&field("occur_time"), stated.occur_time.as_ref());
    let done = done(&mut violations, path, stated);
    violations.finish(|| {
        let name = name?;
        let (action, origin, target_object_id) = done?;
        Some(Activity {
            client: name.client,
            id: name.activity,
            address: address?,
            occur_time: occur_time?,
            action,
            origin,
            target_object_id,
        })
    })
}

/// What was done, by what means, and to which object.
type Done = (ActivityAction, Origin, Option<TargetObjectId>);

/// What an activity states without its name, who did it and when; that is all of it, or everything that is wrong with it.
///
/// # Errors
/// All violations.
pub fn done_from_wire(path: &str, stated: &wire::Activity) -> Result<Done, Failure> {
    let mut violations = Violations::default();
    let done = done(&mut violations, path, stated);
    violations.finish(|| done)
}

fn done(violations: &mut Violations, path: &str, stated: &wire::Activity) -> Option<Done> {
    let action = action(violations, path, stated.action.as_ref());
    let origin = origin_from_wire(stated.origin());
    if origin.is_none() {
        violations.add(format!("{path}.origin"), "ORIGIN_PERSON, or through what else it was done");
    }
    let target = Some(stated.target_object_id.as_str()).filter(|text| !text.is_empty());
    let target = target.map(|text| violations.parse(&format!("{path}.target_object_id"), text));
    let target_object_id = match target {
        Some(parsed) => Some(parsed?),
        None => None,
    };
    Some((action?, origin?, target_object_id))
}

fn action(violations: &mut Violations, path: &str, stated: Option<&wire::activity::Action>) -> Option<ActivityAction> {
    use wire::activity::Action;
    match stated {
        None => {
            violations.add(format!("{path}.action"), "catalogue_action or source_action is needed");
            None
        }
        Some(Action::CatalogueAction(wire::CatalogueAction { tool, action })) => violations
            .check(&format!("{path}.catalogue_action"), CatalogueAction::new(tool, action))
            .map(ActivityAction::Catalogue),
        Some(Action::SourceAction(wire::SourceAction { system, category, subcategory, action })) => violations
            .check(&format!("{path}.source_action"), SourceAction::new(system, category, subcategory, action))
            .map(ActivityAction::Source),
    }
}

const fn origin_from_wire(origin: wire::Origin) -> Option<Origin> {
    match origin {
        wire::Origin::Unspecified => None,
        wire::Origin::Person => Some(Origin::Person),
        wire::Origin::Workflow => Some(Origin::Workflow),
        wire::Origin::ImportJob => Some(Origin::ImportJob),
        wire::Origin::Sync => Some(Origin::Sync),
        wire::Origin::ApiIntegration => Some(Origin::ApiIntegration),
    }
}

impl From<Origin> for wire::Origin {
    fn from(origin: Origin) -> Self {
        match origin {
            Origin::Person => Self::Person,
            Origin::Workflow => Self::Workflow,
            Origin::ImportJob => Self::ImportJob,
            Origin::Sync => Self::Sync,
            Origin::ApiIntegration => Self::ApiIntegration,
        }
    }
}

impl From<&CatalogueAction> for wire::CatalogueAction {
    fn from(action: &CatalogueAction) -> Self {
        Self { tool: action.tool().to_owned(), action: action.action().to_owned() }
    }
}

impl From<&Activity> for wire::Activity {
    fn from(activity: &Activity) -> Self {
        use wire::activity::Action;
        let action = match &activity.action {
            ActivityAction::Catalogue(action) => Action::CatalogueAction(action.into()),
            ActivityAction::Source(source) => Action::SourceAction(wire::SourceAction {
                system: source.system().to_owned(),
                category: source.category().to_owned(),
                subcategory: source.subcategory().to_owned(),
                action: source.action().to_owned(),
            }),
        };
        Self {
            name: ActivityName { client: activity.client, activity: activity.id.clone() }.to_string(),
            email_address: activity.address.to_string(),
            occur_time: Some(timestamp(activity.occur_time)),
            action: Some(action),
            origin: wire::Origin::from(activity.origin).into(),
            target_object_id: activity.target_object_id.as_ref().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

/// A judgement as callers see it.
#[must_use]
pub fn verdict_to_wire(judgement: &Judgement, provisional: bool) -> wire::Verdict {
    let (outcome, reason, expire_time) = match judgement.verdict {
        Verdict::Counted { expire_time } => {
            (wire::VerdictOutcome::Counted, wire::NotCountedReason::Unspecified, Some(timestamp(expire_time)))
        }
        Verdict::NotCounted(reason) => (wire::VerdictOutcome::NotCounted, reason.into(), None),
        Verdict::Voided => (wire::VerdictOutcome::Voided, wire::NotCountedReason::Unspecified, None),
    };
    let attribution = judgement.attribution;
    let employee = attribution.map(|found| EmployeeName { partner: found.partner, employee: found.employee });
    wire::Verdict {
        outcome: outcome.into(),
        reason: reason.into(),
        partner: attribution.map(|found| PartnerName(found.partner).to_string()).unwrap_or_default(),
        employee: employee.map(|name| name.to_string()).unwrap_or_default(),
        catalogue_action: judgement.action.as_ref().map(Into::into),
        expire_time,
        provisional,
    }
}

impl From<NotCountedReason> for wire::NotCountedReason {
    fn from(reason: NotCountedReason) -> Self {
        match reason {
            NotCountedReason::UnknownClient => Self::UnknownClient,
            NotCountedReason::ClientClosed => Self::ClientClosed,
            NotCountedReason::UnknownEmployee => Self::UnknownEmployee,
            NotCountedReason::NotPartnerEmployee => Self::NotPartnerEmployee,
            NotCountedReason::PartnerNotInProgramme => Self::PartnerNotInProgramme,
            NotCountedReason::OwnAccount => Self::OwnAccount,
            NotCountedReason::UnknownAction => Self::UnknownAction,
            NotCountedReason::NonQualifyingAction => Self::NonQualifyingAction,
            NotCountedReason::NotHuman => Self::NotHuman,
            NotCountedReason::NoUserInClient => Self::NoUserInClient,
            NotCountedReason::UserDeactivated => Self::UserDeactivated,
            NotCountedReason::NotAssigned => Self::NotAssigned,
        }
    }
}

/// A step as callers see it.
#[must_use]
pub fn remedy_to_wire(remedy: &Remedy) -> wire::Remedy {
    wire::Remedy { kind: wire::RemedyKind::from(remedy.kind).into(), text: remedy.text.clone() }
}

impl From<RemedyKind> for wire::RemedyKind {
    fn from(kind: RemedyKind) -> Self {
        match kind {
            RemedyKind::AddClient => Self::AddClient,
            RemedyKind::AddEmployee => Self::AddEmployee,
            RemedyKind::FlagEmployee => Self::FlagEmployee,
            RemedyKind::JoinProgramme => Self::JoinProgramme,
            RemedyKind::UseKnownAction => Self::UseKnownAction,
            RemedyKind::UseQualifyingAction => Self::UseQualifyingAction,
            RemedyKind::DoByHand => Self::DoByHand,
            RemedyKind::AddClientUser => Self::AddClientUser,
            RemedyKind::ReactivateClientUser => Self::ReactivateClientUser,
            RemedyKind::LinkClient => Self::LinkClient,
            RemedyKind::Work => Self::Work,
            RemedyKind::NothingHelps => Self::NothingHelps,
        }
    }
}

/// The reason, if one is given.
#[must_use]
pub fn not_counted_reason_from_wire(reason: wire::NotCountedReason) -> Option<NotCountedReason> {
    NotCountedReason::ALL.into_iter().find(|known| wire::NotCountedReason::from(*known) == reason)
}

impl From<ServicingState> for wire::ServicingState {
    fn from(state: ServicingState) -> Self {
        match state {
            ServicingState::None => Self::None,
            ServicingState::Active => Self::Active,
            ServicingState::Expiring => Self::Expiring,
            ServicingState::Ended(_) => Self::Ended,
        }
    }
}

impl From<PeriodEndCause> for wire::PeriodEndCause {
    fn from(cause: PeriodEndCause) -> Self {
        match cause {
            PeriodEndCause::Lapsed => Self::Lapsed,
            PeriodEndCause::Ended(EndingCause::AllEmployeesRemoved) => Self::AllEmployeesRemoved,
            PeriodEndCause::Ended(EndingCause::ServicesEnded) => Self::ServicesEnded,
            PeriodEndCause::Ended(EndingCause::PartnerLeft) => Self::PartnerLeft,
            PeriodEndCause::Ended(EndingCause::ClientClosed) => Self::ClientClosed,
        }
    }
}

/// The cause, if one is given.
#[must_use]
pub const fn period_end_cause_from_wire(cause: wire::PeriodEndCause) -> Option<PeriodEndCause> {
    match cause {
        wire::PeriodEndCause::Unspecified => None,
        wire::PeriodEndCause::Lapsed => Some(PeriodEndCause::Lapsed),
        wire::PeriodEndCause::AllEmployeesRemoved => Some(PeriodEndCause::Ended(EndingCause::AllEmployeesRemoved)),
        wire::PeriodEndCause::ServicesEnded => Some(PeriodEndCause::Ended(EndingCause::ServicesEnded)),
        wire::PeriodEndCause::PartnerLeft => Some(PeriodEndCause::Ended(EndingCause::PartnerLeft)),
        wire::PeriodEndCause::ClientClosed => Some(PeriodEndCause::Ended(EndingCause::ClientClosed)),
    }
}

impl From<&ServicingPeriod> for wire::ServicingPeriod {
    fn from(period: &ServicingPeriod) -> Self {
        Self {
            start_time: Some(timestamp(period.start)),
            end_time: Some(timestamp(period.end)),
            end_cause: wire::PeriodEndCause::from(period.end_cause).into(),
        }
    }
}

/// The period that a message says.
///
/// # Errors
/// A time or cause that is missing or has no meaning.
pub fn servicing_period_from_wire(period: &wire::ServicingPeriod) -> Result<ServicingPeriod, WireError> {
    Ok(ServicingPeriod {
        start: required_instant("start_time", period.start_time.as_ref())?,
        end: required_instant("end_time", period.end_time.as_ref())?,
        end_cause: period_end_cause_from_wire(period.end_cause())
            .ok_or_else(|| WireError::new("end_cause", "a cause that this version does not know"))?,
    })
}

/// Where a relationship stands, as a message says it.
///
/// # Errors
/// A state or cause that is missing, or a time that has no meaning.
pub fn standing_from_wire(servicing: &wire::Servicing) -> Result<Standing, WireError> {
    let time =
        |field, time: Option<&prost_types::Timestamp>| time.map(|time| required_instant(field, Some(time))).transpose();
    let state = match servicing.state() {
        wire::ServicingState::Unspecified => return Err(WireError::new("state", "is missing")),
        wire::ServicingState::None => ServicingState::None,
        wire::ServicingState::Active => ServicingState::Active,
        wire::ServicingState::Expiring => ServicingState::Expiring,
        wire::ServicingState::Ended => ServicingState::Ended(
            period_end_cause_from_wire(servicing.end_cause())
                .ok_or_else(|| WireError::new("end_cause", "is missing"))?,
        ),
    };
    let last_activity = servicing.last_activity.as_ref().and_then(|judged| judged.activity.as_ref());
    Ok(Standing {
        state,
        serviced_since: time("serviced_since_time", servicing.serviced_since_time.as_ref())?,
        expire_time: time("expire_time", servicing.expire_time.as_ref())?,
        last_activity_time: time("last_activity", last_activity.and_then(|activity| activity.occur_time.as_ref()))?,
        live_activities: u32::try_from(servicing.live_activities)
            .map_err(|problem| WireError::new("live_activities", problem))?,
    })
}

/// The complete servicing periods of a partner and a client, from one change on until the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicingChange {
    /// Its place in the servicing feed, from 1, without gaps.
    pub position: u64,
    /// The partner account.
    pub partner: HubId,
    /// The client account.
    pub client: HubId,
    /// The periods by minimum (R57), for every minimum that the policy has ever known.
    pub periods: BTreeMap<u32, Vec<ServicingPeriod>>,
    /// When the last counted activity occurred; absent where none counts.
    pub last_activity_time: Option<Instant>,
    /// When it was recorded.
    pub record_time: Instant,
}

impl From<&ServicingChange> for wire::ServicingChange {
    /// The message of a change; the feed adds the `chain_hash` and the `trace_parent`.
    fn from(change: &ServicingChange) -> Self {
        let minimums = change.periods.iter().map(|(minimum, periods)| wire::MinimumPeriods {
            minimum: i32::try_from(*minimum).unwrap_or(i32::MAX),
            periods: periods.iter().map(Into::into).collect(),
        });
        Self {
            position: change.position,
            chain_hash: Vec::new(),
            partner: PartnerName(change.partner).to_string(),
            client: ClientName(change.client).to_string(),
            minimums: minimums.collect(),
            last_activity_time: change.last_activity_time.map(timestamp),
            record_time: Some(timestamp(change.record_time)),
            trace_parent: String::new(),
        }
    }
}

/// The change that a message of the servicing feed says.
///
/// # Errors
/// A message that is incomplete or has no meaning.
pub fn servicing_change_from_wire(change: &wire::ServicingChange) -> Result<ServicingChange, WireError> {
    let partner: PartnerName = change.partner.parse().map_err(|problem| WireError::new("partner", problem))?;
    let client: ClientName = change.client.parse().map_err(|problem| WireError::new("client", problem))?;
    let mut periods = BTreeMap::new();
    for minimum in &change.minimums {
        let number = u32::try_from(minimum.minimum).map_err(|problem| WireError::new("minimum", problem))?;
        let of_minimum = minimum.periods.iter().map(servicing_period_from_wire).collect::<Result<_, _>>()?;
        periods.insert(number, of_minimum);
    }
    let last_activity_time = change
        .last_activity_time
        .as_ref()
        .map(|time| required_instant("last_activity_time", Some(time)))
        .transpose()?;
    Ok(ServicingChange {
        position: change.position,
        partner: partner.0,
        client: client.0,
        periods,
        last_activity_time,
        record_time: required_instant("record_time", change.record_time.as_ref())?,
    })
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt as _;

    use super::*;

    fn stated() -> wire::Activity {
        wire::Activity {
            name: "clients/2002/activities/evt-1".to_owned(),
            email_address: "anna@agency.example".to_owned(),
            occur_time: Some(prost_types::Timestamp { seconds: 1_736_510_400, nanos: 0 }),
            action: Some(wire::activity::Action::CatalogueAction(wire::CatalogueAction {
                tool: "blog".to_owned(),
                action: "publish".to_owned(),
            })),
            origin: wire::Origin::Person.into(),
            target_object_id: String::new(),
        }
    }

    #[test]
    fn an_activity_survives_the_wire() {
        let activity = activity_from_wire("activity", &stated()).expect("it is right");
        assert_eq!(wire::Activity::from(&activity), stated());
    }

    #[test]
    fn everything_that_is_wrong_with_an_activity_is_named() {
        let wrong = wire::Activity { target_object_id: "\u{7}".to_owned(), ..wire::Activity::default() };
        let failure = activity_from_wire("activities[3]", &wrong).expect_err("all of it is wrong");
        let status = tonic::Status::from(failure);
        let fields: Vec<String> = status
            .get_details_bad_request()
            .expect("violations")
            .field_violations
            .into_iter()
            .map(|violation| violation.field)
            .collect();
        let expected = ["name", "email_address", "occur_time", "action", "origin", "target_object_id"];
        assert_eq!(fields, expected.map(|field| format!("activities[3].{field}")));
    }

    #[test]
    fn a_standing_is_read_and_one_without_a_state_is_refused() {
        let ended = wire::Servicing {
            state: wire::ServicingState::Ended.into(),
            end_cause: wire::PeriodEndCause::Lapsed.into(),
            expire_time: stated().occur_time,
            last_activity: Some(wire::JudgedActivity { activity: Some(stated()), ..wire::JudgedActivity::default() }),
            ..wire::Servicing::default()
        };
        let standing = standing_from_wire(&ended).expect("it is right");
        assert_eq!(standing.state, ServicingState::Ended(PeriodEndCause::Lapsed));
        assert_eq!(standing.last_activity_time, standing.expire_time);
        for (state, field) in [(wire::ServicingState::Unspecified, "state"), (wire::ServicingState::Ended, "end_cause")]
        {
            let incomplete = wire::Servicing { state: state.into(), ..wire::Servicing::default() };
            assert_eq!(standing_from_wire(&incomplete).expect_err("something is missing").field, field);
        }
    }

    #[test]
    fn a_servicing_change_survives_the_wire() {
        let at = |text: &str| text.parse::<Instant>().expect("a time");
        let period = ServicingPeriod {
            start: at("2025-01-10T12:00:00Z"),
            end: at("2025-03-11T12:00:00Z"),
            end_cause: PeriodEndCause::Lapsed,
        };
        let change = ServicingChange {
            position: 3,
            partner: HubId::try_from(1001).expect("a hub id"),
            client: HubId::try_from(2002).expect("a hub id"),
            periods: BTreeMap::from([(1, vec![period]), (3, Vec::new())]),
            last_activity_time: Some(period.start),
            record_time: period.start,
        };
        assert_eq!(servicing_change_from_wire(&wire::ServicingChange::from(&change)).expect("it is right"), change);
    }
}
