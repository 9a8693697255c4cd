//! The wire's states and reasons in words for people.

use contracts::instant;
use contracts::wire::access::{AccessRole, AccessType, Assignment, AssignmentOrigin, AssignmentState, ClientUserState};
use contracts::wire::activity::NotCountedReason;
use contracts::wire::credit::{
    ConditionStatus, CreditState, EvaluationOutcome, LastActivity, ManagedCredit, Money, NoCreditReason,
    PointChangeCause, PointsAbsentReason, Tier, TierCriterionKind,
};
use domain::time::Instant;
use prost_types::Timestamp;

/// What stands where nothing is known: never 0 (R127).
pub(crate) const ABSENT: &str = "-";

/// `2025-09-01 09:30 UTC`.
pub(crate) fn minute(time: Instant) -> String {
    time.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// The same of a wire time; `-` where it is absent.
pub(crate) fn minute_or_absent(time: Option<&Timestamp>) -> String {
    time.and_then(|time| instant(time).ok()).map_or_else(|| ABSENT.to_owned(), minute)
}

/// RFC 3339 in UTC, for programs.
pub(crate) fn rfc_3339(time: Option<&Timestamp>) -> Option<String> {
    let time = instant(time?).ok()?;
    Some(time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true))
}

/// `1480.00 GBP`; `-` where the amount is absent.
pub(crate) fn money(money: Option<&Money>) -> String {
    money.map_or_else(|| ABSENT.to_owned(), |money| format!("{} {}", money.amount, money.currency_code))
}

/// `1 record`, `2 records`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The number in a resource name such as `clients/2002`.
pub(crate) fn hub_id(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The client's name and number.
pub(crate) fn client(row: &ManagedCredit) -> String {
    account(&row.client_display_name, &row.client)
}

/// The name and number of the client with a resource name.
pub(crate) fn account(display_name: &str, client: &str) -> String {
    match display_name {
        "" => format!("client {}", hub_id(client)),
        display_name => format!("{display_name} ({})", hub_id(client)),
    }
}

/// A person's name and address.
pub(crate) fn person(display_name: &str, address: &str) -> String {
    format!("{display_name} ({address})")
}

/// The name of an enum's value without the enum's: `CREDIT_STATE_ACTIVE` is `ACTIVE`.
pub(crate) fn short_name(name: &'static str, prefix: &str) -> &'static str {
    name.strip_prefix(prefix).unwrap_or(name)
}

/// The state of a relationship, in one word.
pub(crate) fn state(state: CreditState) -> &'static str {
    match state {
        CreditState::Unspecified => "unknown",
        CreditState::NotManaged => "none",
        CreditState::Active => "active",
        CreditState::Expiring => "expiring",
        CreditState::Ended => "ended",
    }
}

/// Who did what last, and on which day.
pub(crate) fn last_activity(last: Option<&LastActivity>) -> String {
    let Some(LastActivity { occur_time, tool, action, person }) = last else { return ABSENT.to_owned() };
    let who = if person.is_empty() { "someone" } else { person };
    let day = occur_time.as_ref().and_then(|time| instant(time).ok()).map(|time| time.format("%Y-%m-%d").to_string());
    format!("{who}: {tool} {action}, {}", day.unwrap_or_else(|| ABSENT.to_owned()))
}

/// Why a row is as it is, and what to do, in short.
pub(crate) fn in_short(row: &ManagedCredit) -> String {
    let mut parts = vec![standing(row).to_owned()];
    if row.no_credit_reason() == NoCreditReason::Unspecified && row.servicing_partners > 1 {
        parts.push(format!("shared by {} partners", row.servicing_partners));
    }
    parts.extend(points_absent(row.points_absent_reason()).map(str::to_owned));
    if row.multiplier > 1 && row.no_credit_reason() == NoCreditReason::Unspecified && row.points.is_some() {
        parts.push(format!("growth market: points x {}", row.multiplier));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("; ")
}

fn standing(row: &ManagedCredit) -> &'static str {
    match row.no_credit_reason() {
        NoCreditReason::Unspecified if row.state() == CreditState::Expiring => "work there again to keep it",
        NoCreditReason::Unspecified => "counts",
        // Said with the points, in the same words.
        NoCreditReason::MrrUnknown if row.points.is_none() => "",
        reason => no_credit(reason),
    }
}

/// Why there is no credit, and what to do.
fn no_credit(reason: NoCreditReason) -> &'static str {
    match reason {
        NoCreditReason::Unspecified => "",
        NoCreditReason::NotManaged => "nothing has counted yet; ask why",
        NoCreditReason::Lapsed => "no work in time; do qualifying work there again",
        NoCreditReason::AllEmployeesRemoved => "all your people were removed; be added and work there again",
        NoCreditReason::ServicesEnded => "your company ended its services; link the client and work there again",
        NoCreditReason::PartnerLeft => "you left the programme",
        NoCreditReason::ClientClosed => "the account was closed",
        NoCreditReason::TierActivityMinimum => "too little work for your tier; do more there",
        NoCreditReason::NoPaidSubscription => "the client pays for nothing",
        NoCreditReason::MrrUnknown => "what the client pays is not known",
        NoCreditReason::OwnAccount => "your own account earns nothing",
    }
}

/// What gained or lost points.
pub(crate) fn point_change(cause: PointChangeCause) -> &'static str {
    match cause {
        PointChangeCause::Unspecified => ABSENT,
        PointChangeCause::Policy => "the programme's numbers changed",
        PointChangeCause::Country => "the client's country changed or became known",
        PointChangeCause::Mrr => "the client pays another amount",
        PointChangeCause::TierMinimum => "your tier needs another number of activities",
        PointChangeCause::Activity => "your people's work counts",
        PointChangeCause::Lapse => "no work in time",
        PointChangeCause::AllEmployeesRemoved => "all your people were removed",
        PointChangeCause::ServicesEnded => "your company ended its services",
        PointChangeCause::PartnerLeft => "you left the programme",
        PointChangeCause::ClientClosed => "the account was closed",
        PointChangeCause::Share => "it is shared with more or fewer partners",
        PointChangeCause::SaleRunOut => "a sale no longer counts",
        PointChangeCause::Sale => "a sale was closed",
    }
}

/// A tier by its name.
pub(crate) fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Unspecified => ABSENT,
        Tier::None => "no tier",
        Tier::Gold => "Gold",
        Tier::Platinum => "Platinum",
        Tier::Diamond => "Diamond",
        Tier::Elite => "Elite",
    }
}

/// What an evaluation did.
pub(crate) fn evaluation_outcome(outcome: EvaluationOutcome) -> &'static str {
    match outcome {
        EvaluationOutcome::Unspecified => ABSENT,
        EvaluationOutcome::Raised => "raised",
        EvaluationOutcome::Kept => "kept",
        EvaluationOutcome::Protected => "kept: reached less than six months ago",
        EvaluationOutcome::Lowered => "lowered",
        EvaluationOutcome::CertificationExpired => "lowered: no valid certification",
    }
}

/// What a tier needs.
pub(crate) fn tier_criterion(kind: TierCriterionKind) -> &'static str {
    match kind {
        TierCriterionKind::Unspecified => ABSENT,
        TierCriterionKind::TotalPoints => "total points",
        TierCriterionKind::SoldPoints => "sold points",
        TierCriterionKind::SourcedPoints => "sourced points",
        TierCriterionKind::ManagedPoints => "managed points",
    }
}

/// A difference with its sign: `+11.36`.
pub(crate) fn signed(difference: &str) -> String {
    let is_gain = !difference.starts_with('-') && difference.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    if is_gain { format!("+{difference}") } else { difference.to_owned() }
}

fn points_absent(reason: PointsAbsentReason) -> Option<&'static str> {
    match reason {
        PointsAbsentReason::Unspecified => None,
        PointsAbsentReason::MrrUnknown => Some("no points: what the client pays is not known"),
        PointsAbsentReason::UnsupportedCurrency => Some("no points: its currency does not convert to points"),
        PointsAbsentReason::CountryUnknown => Some("no points: its country is not known yet"),
    }
}

/// What a user of a partner account may do there.
pub(crate) fn access_role(role: AccessRole) -> &'static str {
    match role {
        AccessRole::Unspecified => ABSENT,
        AccessRole::None => "employee",
        AccessRole::ClientAccessManager => "client access manager",
        AccessRole::SuperAdmin => "super admin",
    }
}

/// What kind of access an employee has in a client account.
pub(crate) fn access_type(access_type: AccessType) -> &'static str {
    match access_type {
        AccessType::Unspecified => ABSENT,
        AccessType::PartnerAdmin => "partner admin",
        AccessType::SuperAdmin => "super admin",
        AccessType::Standard => "standard",
        AccessType::Deactivated => "deactivated",
        AccessType::LinkedOnly => "no user there",
    }
}

/// Whether a client user can log in.
pub(crate) fn client_user_state(state: ClientUserState) -> &'static str {
    match state {
        ClientUserState::Unspecified => ABSENT,
        ClientUserState::Active => "active",
        ClientUserState::Deactivated => "deactivated",
        ClientUserState::Removed => "removed",
    }
}

/// Whether work counts, and how the assignment came about.
pub(crate) fn assignment(assignment: Option<&Assignment>) -> String {
    let Some(assignment) = assignment else { return "no".to_owned() };
    let origin = match assignment.origin() {
        AssignmentOrigin::Unspecified => "",
        AssignmentOrigin::Automatic => ", by the domain",
        AssignmentOrigin::ByHand => ", by hand",
    };
    let state = match assignment.state() {
        AssignmentState::Unspecified => ABSENT,
        AssignmentState::PendingUser => "waits for a user there",
        AssignmentState::Effective => "yes",
        AssignmentState::Suspended => "suspended",
        AssignmentState::Ended => "no longer",
    };
    format!("{state}{origin}")
}

/// What an assignment is good for, in a sentence.
pub(crate) fn what_counts(state: AssignmentState) -> &'static str {
    match state {
        AssignmentState::Effective => "work there counts from now on",
        AssignmentState::PendingUser => "not a user there: work counts once added there",
        AssignmentState::Suspended => "the user there is deactivated: work counts once reactivated",
        AssignmentState::Unspecified | AssignmentState::Ended => "",
    }
}

/// Whether a condition is met.
pub(crate) fn condition(status: ConditionStatus) -> &'static str {
    match status {
        ConditionStatus::Passed => "yes",
        ConditionStatus::Failed => "NO",
        ConditionStatus::Unspecified | ConditionStatus::Unknown => "?",
    }
}

/// Why an activity does not count.
pub(crate) fn not_counted(reason: NotCountedReason) -> &'static str {
    match reason {
        NotCountedReason::Unspecified => "no reason was given",
        NotCountedReason::UnknownClient => "the client was not known then",
        NotCountedReason::ClientClosed => "the client account was closed",
        NotCountedReason::UnknownEmployee => "nobody of a partner has this address",
        NotCountedReason::NotPartnerEmployee => "not flagged as partner employee",
        NotCountedReason::PartnerNotInProgramme => "the partner was not in the programme",
        NotCountedReason::OwnAccount => "the partner's own account",
        NotCountedReason::UnknownAction => "the policy knows no such action",
        NotCountedReason::NonQualifyingAction => "the action does not qualify, as a login does not",
        NotCountedReason::NotHuman => "not done by a person",
        NotCountedReason::NoUserInClient => "no user of the client account",
        NotCountedReason::UserDeactivated => "the user there was deactivated",
        NotCountedReason::NotAssigned => "the client was not assigned to the person",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r127_what_is_not_known_is_never_shown_as_zero() {
        assert_eq!(money(None), ABSENT);
        assert_eq!(minute_or_absent(None), ABSENT);
        let unknown = ManagedCredit {
            no_credit_reason: NoCreditReason::MrrUnknown.into(),
            points_absent_reason: PointsAbsentReason::MrrUnknown.into(),
            ..ManagedCredit::default()
        };
        assert_eq!(in_short(&unknown), "no points: what the client pays is not known");
    }

    #[test]
    fn a_gain_has_a_sign_and_nothing_has_none() {
        assert_eq!(["11.36", "-0.01", "0.00"].map(signed), ["+11.36", "-0.01", "0.00"]);
    }

    #[test]
    fn a_row_says_what_to_do() {
        let row = |state: CreditState, reason: NoCreditReason, servicing_partners| ManagedCredit {
            state: state.into(),
            no_credit_reason: reason.into(),
            servicing_partners,
            multiplier: 2,
            points: Some("20.00".to_owned()),
            ..ManagedCredit::default()
        };
        let shared = row(CreditState::Active, NoCreditReason::Unspecified, 2);
        assert_eq!(in_short(&shared), "counts; shared by 2 partners; growth market: points x 2");
        let lapsed = row(CreditState::Ended, NoCreditReason::Lapsed, 0);
        assert_eq!(in_short(&lapsed), "no work in time; do qualifying work there again");
        let expiring = row(CreditState::Expiring, NoCreditReason::Unspecified, 1);
        assert_eq!(in_short(&expiring), "work there again to keep it; growth market: points x 2");
    }
}
