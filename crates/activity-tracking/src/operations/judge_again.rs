//! Activities are judged again after facts, or the policy, have changed.

use domain::activity::judge;
use domain::policy::Policy;
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::{ServiceError, access_log};

use crate::store::Touched;
use crate::store::activity::{self, Recorded, Scope};

/// Judges the activities of a scope that occurred at or after `from`, page by page, stores the verdicts that are others
/// now, and notes whose periods that touches.
pub(crate) async fn judge_again<C: ConnectionTrait>(
    transaction: &C,
    policy: &Policy,
    scope: &Scope,
    from: Instant,
    touched: &mut Touched,
) -> Result<(), ServiceError> {
    let mut page = activity::page(transaction, scope, from, None).await?;
    while let Some(last) = page.last().cloned() {
        judge_page(transaction, policy, page, touched).await?;
        page = activity::page(transaction, scope, from, Some(&last)).await?;
    }
    Ok(())
}

/// The same for one page.
pub(super) async fn judge_page<C: ConnectionTrait>(
    transaction: &C,
    policy: &Policy,
    page: Vec<Recorded>,
    touched: &mut Touched,
) -> Result<(), ServiceError> {
    let clients = page.iter().map(|recorded| recorded.activity.client).collect();
    let addresses = page.iter().map(|recorded| recorded.activity.address.clone()).collect();
    let history = access_log::history_for_judging(transaction, &clients, &addresses).await?;
    let mut changed = Vec::new();
    for recorded in page {
        let judgement = judge(&recorded.activity, &history, policy);
        if judgement != recorded.judgement {
            let judged_again = Recorded { judgement, ..recorded.clone() };
            // It may have counted for one pair and count for another now.
            for pair in [recorded.counted_pair(), judged_again.counted_pair()].into_iter().flatten() {
                touched.touch(pair, recorded.activity.occur_time);
            }
            changed.push(judged_again);
        }
    }
    activity::save_verdicts(transaction, &changed).await?;
    Ok(())
}
