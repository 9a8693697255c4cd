//! Every verdict and period, computed from the stored facts once more.

mod side_by_side;
mod stretch;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use contracts::wire::error::ErrorReason;
use contracts::{ClientName, Failure, Feed, PartnerName, servicing_change_from_wire};
use domain::time::Instant;
use prost::Message as _;
use service_kit::feed::{Head, read_cursor, read_head, verify_place};
use service_kit::maintenance::Verification;
use service_kit::{ReadTransaction, ServiceError, access_log};

use self::side_by_side::verify_stretches;
use self::stretch::Against;
use crate::ActivityTracking;
use crate::store::period::PeriodsByMinimum;
use crate::store::{Pair, change, rejudging};

/// How many changes are compared at once.
const CHANGES_AT_ONCE: u64 = 500;
/// How many activities of a stretch are read at once: of the largest, some ten megabytes.
const ACTIVITIES_AT_ONCE: usize = 20_000;

/// What a pair is said, or found, to be: its periods, and when its last activity occurred.
type PairState = (PeriodsByMinimum, Option<Instant>);

impl ActivityTracking {
    pub(super) async fn verify_everything(&self, verification: &mut Verification) -> Result<(), ServiceError> {
        let transactions = self.database.begin_reads().await?;
        if let Some(transaction) = transactions.first() {
            require_nothing_waits(transaction).await?;
            let cursor = read_cursor(&**transaction, Feed::Access).await?;
            access_log::verify(&**transaction, cursor.position, &cursor.chain_hash, verification).await?;
            let told = verify_changes(transaction, verification).await?;
            let against = Arc::new(Against {
                policy: Arc::clone(&self.policy),
                told: told.into_iter().collect(),
                activities_at_once: ACTIVITIES_AT_ONCE,
            });
            verify_stretches(transactions, &against, verification).await?;
        }
        Ok(())
    }
}

/// What is being judged again differs for a good reason.
async fn require_nothing_waits(transaction: &ReadTransaction) -> Result<(), ServiceError> {
    match rejudging::waiting(&**transaction).await?.tasks {
        0 => Ok(()),
        tasks => {
            let waiting = if tasks == 1 { "1 task waits".to_owned() } else { format!("{tasks} tasks wait") };
            let message =
                format!("{waiting} to be judged again, for facts or the policy have changed; verify after that");
            Err(Failure::new(ErrorReason::FactsBehind, message).into())
        }
    }
}

/// Every change of the servicing feed: its place and hash. Answers the last word on every pair.
async fn verify_changes(
    transaction: &ReadTransaction,
    verification: &mut Verification,
) -> Result<BTreeMap<Pair, u64>, ServiceError> {
    verification.begin("servicing changes").await?;
    let mut told = BTreeMap::new();
    let mut last = Head::start(Feed::Servicing);
    loop {
        let page = change::page(&**transaction, last.position, CHANGES_AT_ONCE).await?;
        let count = page.len();
        for mut message in page {
            let this = Head::at(Feed::Servicing, message.position, std::mem::take(&mut message.chain_hash));
            verify_place(&last, &this, Some(&message.encode_to_vec()), verification);
            last = this;
            let change = servicing_change_from_wire(&message)?;
            let occupied = change.periods.into_iter().filter(|(_, periods)| !periods.is_empty()).collect();
            let state = (occupied, change.last_activity_time);
            told.insert(Pair { client: change.client, partner: change.partner }, fingerprint(&state));
        }
        if count == 0 {
            break;
        }
        verification.checked(count).await?;
    }
    let head = read_head(&**transaction, Feed::Servicing).await?;
    if head != last {
        let (stored, expected) = (head.revision().to_string(), last.revision().to_string());
        verification.differs("end of the servicing feed", &stored, &expected);
    }
    Ok(told)
}

/// Keeps what is told of many pairs small.
fn fingerprint(state: &PairState) -> u64 {
    let mut hasher = DefaultHasher::new();
    state.hash(&mut hasher);
    hasher.finish()
}

fn name_of(pair: Pair) -> String {
    format!("{} {}", ClientName(pair.client), PartnerName(pair.partner))
}

#[cfg(test)]
mod tests;
