//! RecordActivities on the wire.

use contracts::wire::activity as wire;
use contracts::wire::activity::record_activity_result::Outcome;
use contracts::wire::error::ErrorReason;
use contracts::{Failure, Violations, activity_from_wire, remedy_to_wire, verdict_to_wire};
use domain::activity::{Activity, is_future_dated};
use domain::time::Instant;

use crate::operations::{ItemOutcome, Recording};

/// The most activities of one call.
const MAXIMUM_ACTIVITIES: usize = 1_000;

/// Each activity, or what is wrong with it; a batch beyond the limit is refused whole, and so is one with `violations`.
pub(super) fn items(
    mut violations: Violations,
    stated: &[wire::Activity],
    now: Instant,
) -> Result<Vec<Result<Activity, Failure>>, Failure> {
    if stated.is_empty() || stated.len() > MAXIMUM_ACTIVITIES {
        violations.add("activities", format!("1 to {MAXIMUM_ACTIVITIES} activities"));
    }
    violations.finish(|| Some(()))?;
    let items = stated.iter().enumerate();
    Ok(items.map(|(index, stated)| item(&format!("activities[{index}]"), stated, now)).collect())
}

fn item(path: &str, stated: &wire::Activity, now: Instant) -> Result<Activity, Failure> {
    let activity = activity_from_wire(path, stated)?;
    if is_future_dated(activity.occur_time, now) {
        let message = format!("an activity is dated at most 5 minutes ahead of {}", now.to_rfc3339());
        return Err(Failure::new(ErrorReason::FutureDated, message).at_field(format!("{path}.occur_time")));
    }
    Ok(activity)
}

/// What became of each of the stated activities.
pub(super) fn response(stated: Vec<wire::Activity>, recording: Recording) -> wire::RecordActivitiesResponse {
    let Recording { outcomes, revision, provisional } = recording;
    wire::RecordActivitiesResponse {
        results: stated.into_iter().zip(outcomes).map(|(stated, outcome)| result(stated.name, outcome)).collect(),
        revision: revision.to_string(),
        provisional,
    }
}

fn result(activity: String, outcome: Result<ItemOutcome, Failure>) -> wire::RecordActivityResult {
    match outcome {
        Ok(ItemOutcome { judgement, provisional, duplicate, remedies }) => wire::RecordActivityResult {
            activity,
            outcome: Some(Outcome::Verdict(verdict_to_wire(&judgement, provisional))),
            duplicate,
            remedies: remedies.iter().map(remedy_to_wire).collect(),
        },
        Err(failure) => {
            let error = Outcome::Error(failure.to_item_status());
            wire::RecordActivityResult { activity, outcome: Some(error), ..wire::RecordActivityResult::default() }
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use contracts::timestamp;

    use super::*;

    fn now() -> Instant {
        "2025-01-10T12:00:00Z".parse().expect("a time")
    }

    fn stated(occur_time: Instant) -> wire::Activity {
        let action = wire::CatalogueAction { tool: "blog".to_owned(), action: "publish".to_owned() };
        wire::Activity {
            name: "clients/2002/activities/evt-1".to_owned(),
            email_address: "anna@agency.example".to_owned(),
            occur_time: Some(timestamp(occur_time)),
            action: Some(wire::activity::Action::CatalogueAction(action)),
            origin: wire::Origin::Person.into(),
            target_object_id: String::new(),
        }
    }

    #[test]
    fn a_batch_beyond_the_limits_is_refused_whole() {
        for count in [0, 1_001] {
            let failure = items(Violations::default(), &vec![stated(now()); count], now()).expect_err("refused");
            assert_eq!(failure.reason(), ErrorReason::InvalidFields);
        }
        let right = items(Violations::default(), &vec![stated(now()); 1_000], now());
        assert_eq!(right.map(|items| items.len()).ok(), Some(1_000));
    }

    #[test]
    fn r60_a_future_dated_item_is_its_own_error() {
        let ahead = now() + TimeDelta::minutes(5);
        let stated = [stated(ahead), stated(ahead + TimeDelta::microseconds(1))];
        let items = items(Violations::default(), &stated, now()).expect("a right batch");
        let reasons: Vec<_> = items.iter().map(|item| item.as_ref().map_err(Failure::reason).err()).collect();
        assert_eq!(reasons, [None, Some(ErrorReason::FutureDated)]);
    }
}
