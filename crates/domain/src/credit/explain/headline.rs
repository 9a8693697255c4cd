//! The one sentence that comes first.

use super::change::{by_whom, recorded_by};
use super::facts::{CountedFacts, ExplanationFacts};
use super::people::Step;
use super::prospect::Prospect;
use super::wording::{activity, tier, window};
use super::{Loss, people};
use crate::access::EndingCause;
use crate::credit::loss::{LossCause, MinimumChange, MinimumFacts};
use crate::credit::managed_credit::{NoCreditReason, PointsAbsentReason, PointsOutcome};
use crate::credit::subscription::Mrr;
use crate::servicing::{PeriodEndCause, ServicingState};
use crate::tier::Tier;
use crate::time::Instant;
use crate::wording::{date_and_time, plural};

pub(super) fn headline(facts: &ExplanationFacts, loss: Option<&Loss>) -> String {
    let client = facts.client_name();
    let Some(no_credit_reason) = facts.credit.no_credit_reason else {
        // From the instant at which the tier's minimum was reached, which may be later than the first work (R57).
        return format!(
            "{client} has counted for you{}: {}{}.",
            since(facts.earning_since),
            worth(facts),
            until(facts)
        );
    };
    match no_credit_reason {
        NoCreditReason::MrrUnknown => format!(
            "You have serviced {client}{}, but what it pays is not known, so its credit cannot be said{}.",
            since(facts.credit.serviced_since),
            until(facts)
        ),
        NoCreditReason::NoPaidSubscription => {
            format!(
                "You have serviced {client}{}, but {}, so there is no credit to share.",
                since(facts.credit.serviced_since),
                pays_nothing(facts)
            )
        }
        NoCreditReason::OwnAccount => {
            format!("{client} is your own account, and nobody earns credit on its own account.")
        }
        NoCreditReason::NotManaged => format!("{client} has never counted for you: {}.", what_never_was(facts)),
        NoCreditReason::Lapsed
        | NoCreditReason::AllEmployeesRemoved
        | NoCreditReason::ServicesEnded
        | NoCreditReason::PartnerLeft
        | NoCreditReason::ClientClosed
        | NoCreditReason::TierActivityMinimum => not_counting(facts, loss),
    }
}

fn since(start: Option<Instant>) -> String {
    start.map_or_else(String::new, |start| format!(" since {}", date_and_time(start)))
}

/// `500.00 USD of managed credit and 5.00 points, an equal share among 2 partners`.
fn worth(facts: &ExplanationFacts) -> String {
    let credit =
        facts.credit.credit.map_or_else(|| "managed credit".to_owned(), |credit| format!("{credit} of managed credit"));
    let points = match facts.credit.points {
        PointsOutcome::Known(points) => format!(" and {points} points"),
        PointsOutcome::Absent(PointsAbsentReason::UnsupportedCurrency) => {
            " without points, because its currency does not convert to points".to_owned()
        }
        PointsOutcome::Absent(PointsAbsentReason::CountryUnknown) => {
            " without points for now, because its country is not known".to_owned()
        }
        PointsOutcome::Absent(PointsAbsentReason::MrrUnknown) => {
            " without points for now, because what it pays is not known".to_owned()
        }
    };
    let sharing = match facts.credit.servicing_partners {
        0 | 1 => String::new(),
        partners => format!(", an equal share among {partners} partners"),
    };
    format!("{credit}{points}{sharing}")
}

fn until(facts: &ExplanationFacts) -> String {
    let expiry = |end| {
        let unless = match facts.activities_to_go_on(end) {
            1 => "one of your people does qualifying work there before".to_owned(),
            missing => format!("your people do at least {missing} qualifying activities there before"),
        };
        format!("; it expires on {} unless {unless}", date_and_time(end))
    };
    facts.credit.expire_time.map_or_else(String::new, expiry)
}

fn pays_nothing(facts: &ExplanationFacts) -> String {
    match facts.credit.mrr {
        Mrr::Known { since, .. } => format!("it has paid for no subscription since {}", date_and_time(since)),
        Mrr::Unknown => "it pays for no subscription".to_owned(),
    }
}

/// The first thing that is missing, for a client where nothing was ever counted.
fn what_never_was(facts: &ExplanationFacts) -> String {
    if facts.is_in_programme() == Some(false) {
        return "your company is not in the programme".to_owned();
    }
    let Some(person) = people::furthest(facts) else {
        return "none of your people has anything to do with it".to_owned();
    };
    let (name, client) = (&person.display_name, facts.client_name());
    match person.missing_step(facts.as_of) {
        Some(Step::EmployeeExists) => format!("{name} is not a user in your account, and nobody else works there"),
        Some(Step::EmployeeFlagged) => format!("{name} is not flagged as partner employee"),
        Some(Step::UserInClient) => format!("{name} is not a user of {client}"),
        Some(Step::UserActive) => format!("the user of {name} there is deactivated"),
        Some(Step::ClientAssigned) => format!("{name} is a user there, but the client is not assigned to {name}"),
        None if person.prospect == Prospect::CountsForAnother => {
            format!("work of {name} there counts for another company that the address works for")
        }
        None => match facts.not_counted.first() {
            Some(latest) => {
                format!(
                    "the latest work there ({}) does not count: {}",
                    activity(&latest.activity),
                    latest.reason.in_words()
                )
            }
            None => "none of your people has done qualifying work there yet".to_owned(),
        },
    }
}

fn not_counting(facts: &ExplanationFacts, loss: Option<&Loss>) -> String {
    let client = facts.client_name();
    match loss {
        Some(loss) => {
            let time = date_and_time(loss.time);
            format!("{client} stopped counting for you on {time}: {}{}.", cause(facts, loss), besides(facts, loss))
        }
        None => format!("{client} has not counted for you yet: {}.", why_it_never_did(facts)),
    }
}

/// Why there never was credit, though something has counted.
fn why_it_never_did(facts: &ExplanationFacts) -> String {
    match facts.relationship.state {
        ServicingState::Ended(end) => {
            format!("{}, before anything that was done there had brought credit", end_words(facts, end))
        }
        ServicingState::None | ServicingState::Active | ServicingState::Expiring => format!(
            "{} that count at the same time, and {} now",
            needs(facts.minimum.tier, facts.minimum.activities),
            plural(facts.relationship.live_activities, "counts", "count")
        ),
    }
}

/// How and when the relationship ended.
fn end_words(facts: &ExplanationFacts, end: PeriodEndCause) -> String {
    let time = facts.relationship.expire_time;
    let on = time.map_or_else(String::new, |time| format!(" on {}", date_and_time(time)));
    match end {
        PeriodEndCause::Lapsed => format!("the last qualifying activity expired{on}"),
        PeriodEndCause::Ended(cause) => format!("{}{on}", ending(cause, time, facts)),
    }
}

fn cause(facts: &ExplanationFacts, loss: &Loss) -> String {
    match loss.cause {
        LossCause::Lapsed => lapse(facts, loss.activities.first()),
        LossCause::BelowMinimum => too_few(facts, loss),
        LossCause::Ended(cause) => ending(cause, Some(loss.time), facts),
        LossCause::MinimumRaised(minimum) => raised_minimum(minimum),
        LossCause::NoPaidSubscription => "from then on it paid for no subscription".to_owned(),
    }
}

fn ending(cause: EndingCause, time: Option<Instant>, facts: &ExplanationFacts) -> String {
    let change = time.and_then(|time| facts.ending_at(time)).and_then(|ending| ending.change.as_ref());
    match cause {
        EndingCause::AllEmployeesRemoved => {
            format!("the last of your people there was removed from its account{}", by_whom(change))
        }
        EndingCause::ServicesEnded => {
            format!("your company ended its services for the client{}", recorded_by(change))
        }
        EndingCause::PartnerLeft => format!("your company left the programme{}", recorded_by(change)),
        EndingCause::ClientClosed => format!("its account was closed{}", recorded_by(change)),
    }
}

fn lapse(facts: &ExplanationFacts, expired: Option<&CountedFacts>) -> String {
    let consequence = if facts.has_worked_in_vain() {
        "nobody did anything there that counts since"
    } else {
        "nobody worked there since"
    };
    expiry("the last qualifying activity", expired, consequence)
}

fn too_few(facts: &ExplanationFacts, loss: &Loss) -> String {
    let MinimumFacts { activities, .. } = facts.minimum;
    let consequence = format!("fewer than the {activities} that your tier needs were left");
    expiry("a qualifying activity", loss.activities.first(), &consequence)
}

fn expiry(which: &str, expired: Option<&CountedFacts>, consequence: &str) -> String {
    let Some(expired) = expired else { return format!("{which} expired and {consequence}") };
    format!("{which} ({}) reached its {} and {consequence}", activity(&expired.activity), window(expired))
}

/// What was needed became more: by another tier, or by the programme.
fn raised_minimum(MinimumChange { before, after }: MinimumChange) -> String {
    let needed = plural(after.activities, "qualifying activity", "qualifying activities");
    let instead = format!("{needed} that count at the same time, instead of {}", before.activities);
    if before.tier == after.tier {
        format!("from then on the programme asks {} for {instead}", tier(after.tier))
    } else {
        format!("from then on you are credited with {}, which needs {instead}", tier(after.tier))
    }
}

/// What stands in the way of credit beside what took it away.
fn besides(facts: &ExplanationFacts, loss: &Loss) -> String {
    match (loss.cause, facts.credit.mrr) {
        (LossCause::NoPaidSubscription, _) => match facts.relationship.state {
            ServicingState::Ended(end) => format!("; besides, {}", end_words(facts, end)),
            ServicingState::None | ServicingState::Active | ServicingState::Expiring => {
                format!("; besides, {}", why_it_never_did(facts))
            }
        },
        (_, Mrr::Known { mrr, .. }) if mrr.minor_units == 0 => format!("; besides, {}", pays_nothing(facts)),
        _ => String::new(),
    }
}

/// `your tier, Elite, needs 3 qualifying activities`.
fn needs(credited: Option<Tier>, activities: u32) -> String {
    let activities = plural(activities, "qualifying activity", "qualifying activities");
    match credited {
        Some(_) => format!("your tier, {}, needs {activities}", tier(credited)),
        None => format!("{} needs {activities}", tier(None)),
    }
}

impl ExplanationFacts {
    /// Whether something was done after the last activity that counted, and did not count.
    fn has_worked_in_vain(&self) -> bool {
        let last_time = self.relationship.last_activity_time;
        self.not_counted.iter().any(|not_counted| Some(not_counted.activity.occur_time) > last_time)
    }
}
