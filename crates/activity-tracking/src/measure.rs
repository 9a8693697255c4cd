//! What activity-tracking measures: names, meanings, and where they are counted.

use metrics::{counter, describe_counter, describe_gauge, gauge};
use service_kit::ServiceError;

use crate::ActivityTracking;
use crate::operations::ItemOutcome;
use crate::store::activity::verdict_name;
use crate::store::{activity, rejudging};

/// Activities that were recorded, each once, by `outcome` (COUNTED, or why not) and by whether the answer was
/// `provisional`.
const RECORDED: &str = "managed_credit_recorded_activities_total";
/// Verdicts that are provisional now.
const PROVISIONAL: &str = "managed_credit_provisional_activities";
/// Tasks that wait to be judged or computed again.
const WAITING: &str = "managed_credit_waiting_tasks";

/// Tells what the metrics mean, to whoever scrapes them.
pub(crate) fn describe() {
    describe_counter!(RECORDED, "Activities recorded, by outcome (COUNTED, or why not) and whether it was provisional");
    describe_gauge!(PROVISIONAL, "Verdicts given while access-management could not be asked for its newest facts");
    describe_gauge!(WAITING, "Tasks that wait to be judged again after facts or the policy have changed");
}

/// One activity has been recorded.
pub(crate) fn recorded(outcome: &ItemOutcome) {
    let provisional = if outcome.provisional { "true" } else { "false" };
    let verdict = verdict_name(outcome.judgement.verdict);
    counter!(RECORDED, "outcome" => verdict, "provisional" => provisional).increment(1);
    if outcome.provisional {
        // They are counted at the start and while anything is judged again, not while access-management is away.
        gauge!(PROVISIONAL).increment(1.0);
    }
}

/// The copy of the access log has caught up, and no verdict is provisional any more.
pub(crate) fn nothing_provisional() {
    gauge!(PROVISIONAL).set(0.0);
}

impl ActivityTracking {
    /// Measures what is to be seen in the database, and answers how many tasks wait.
    pub(crate) async fn measure(&self) -> Result<u64, ServiceError> {
        let connection = self.database.connection();
        let provisional = activity::count_provisional(connection).await?;
        let waiting = rejudging::waiting(connection).await?.tasks;
        for (name, count) in [(PROVISIONAL, provisional), (WAITING, waiting)] {
            gauge!(name).set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
        }
        Ok(waiting)
    }
}
