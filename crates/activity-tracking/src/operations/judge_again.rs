//! Activities are judged again after facts, or the policy, have changed.

use domain::access::AccessHistory;
use domain::activity::{Activity, Judgement, Verdict, judge};
use domain::policy::Policy;
use sea_orm::ConnectionTrait;
use service_kit::{ServiceError, access_log};

use crate::store::Touched;
use crate::store::activity::{self, Recorded, counted};

/// Judges activities again, stores the verdicts that are others now, and notes whose periods that touches.
pub(super) async fn judge_again<C: ConnectionTrait>(
    transaction: &C,
    policy: &Policy,
    activities: Vec<Recorded>,
    touched: &mut Touched,
) -> Result<(), ServiceError> {
    let history = history_for(transaction, activities.iter().map(|recorded| &recorded.activity)).await?;
    let mut changed = Vec::new();
    for recorded in activities {
        let judgement = judge(&recorded.activity, &history, policy);
        // What was taken back never counts again (R62); whose it is may still become clearer.
        let judgement = if recorded.judgement.verdict == Verdict::Voided { judgement.voided() } else { judgement };
        if judgement != recorded.judgement {
            note(&recorded, &judgement, touched);
            changed.push(Recorded { judgement, ..recorded });
        }
    }
    activity::save_verdicts(transaction, &changed).await?;
    Ok(())
}

/// Everything that decides whether these activities count.
pub(crate) async fn history_for<'activities, C: ConnectionTrait>(
    connection: &C,
    activities: impl Iterator<Item = &'activities Activity>,
) -> Result<AccessHistory, ServiceError> {
    let (clients, addresses) = activities.map(|activity| (activity.client, activity.address.clone())).unzip();
    access_log::history_for_judging(connection, &clients, &addresses).await
}

/// Notes what it means for pairs that an activity is judged otherwise: it may have counted for one and count for another.
pub(super) fn note(recorded: &Recorded, new: &Judgement, touched: &mut Touched) {
    if let Some((pair, life)) = counted(&recorded.activity, &recorded.judgement) {
        touched.remove(pair, life);
    }
    if let Some((pair, life)) = counted(&recorded.activity, new) {
        touched.add(pair, life);
    }
}
