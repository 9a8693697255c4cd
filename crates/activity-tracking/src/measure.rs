//! What activity-tracking measures beside what every service does: names, meanings, and where they are counted.

use metrics::{counter, describe_counter, describe_gauge, gauge};
use service_kit::maintenance::float;

use crate::operations::ItemOutcome;
use crate::store::activity::verdict_name;

/// Activities that were recorded, each once, by `outcome` (COUNTED, or why not) and by whether the answer was
/// `provisional`.
const RECORDED: &str = "managed_credit_recorded_activities_total";
/// Activities that were sent to be recorded and are not yet.
const WAITING: &str = "managed_credit_waiting_activities";

/// Tells what the metrics mean, to whoever scrapes them.
pub(crate) fn describe() {
    describe_counter!(RECORDED, "Activities recorded, by outcome (COUNTED, or why not) and whether it was provisional");
    describe_gauge!(WAITING, "Activities that were sent to this replica to be recorded and are not yet");
}

/// One activity has been recorded.
pub(crate) fn recorded(outcome: &ItemOutcome) {
    let provisional = if outcome.provisional { "true" } else { "false" };
    let verdict = verdict_name(outcome.judgement.verdict);
    counter!(RECORDED, "outcome" => verdict, "provisional" => provisional).increment(1);
}

/// So many activities wait to be recorded.
pub(crate) fn waiting(activities: usize) {
    gauge!(WAITING).set(float(u64::try_from(activities).unwrap_or(u64::MAX)));
}
