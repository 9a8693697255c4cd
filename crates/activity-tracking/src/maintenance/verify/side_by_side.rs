//! Stretches of clients are verified side by side, and told in their order.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::access::HubId;
use service_kit::maintenance::Verification;
use service_kit::{ReadTransaction, ServiceError};
use tokio::task::JoinSet;

use super::stretch::{Against, Found, verify_stretch};
use crate::store::{Stretch, activity};

/// How many activities a stretch has, and the rest of those of its last client.
const ACTIVITIES_PER_STRETCH: u64 = 10_000;

/// How many stretches may be done before one that comes before them.
const STRETCHES_AHEAD: usize = 64;

/// Every verdict, that exactly what was taken back is voided, and the periods of every pair; with each transaction one
/// stretch at a time. All of them see the same moment.
pub(super) async fn verify_stretches(
    mut free: Vec<ReadTransaction>,
    against: &Arc<Against>,
    verification: &mut Verification,
) -> Result<(), ServiceError> {
    verification.begin("verdicts").await?;
    let mut relationships = verification.findings();
    let mut stretches = Stretches::of(ACTIVITIES_PER_STRETCH);
    let mut under_way = JoinSet::new();
    let mut done: BTreeMap<usize, Found> = BTreeMap::new();
    let mut told = 0;
    loop {
        while done.len() < STRETCHES_AHEAD
            && !stretches.is_over
            && let Some(transaction) = free.pop()
        {
            let (number, stretch) = stretches.next(&transaction).await?;
            let (against, verdicts, pairs) = (Arc::clone(against), verification.findings(), verification.findings());
            under_way.spawn(async move {
                let found = Found { verdicts, relationships: pairs };
                let found = verify_stretch(&transaction, stretch, against, found).await;
                found.map(|found| (number, found, transaction))
            });
        }
        let Some(ended) = under_way.join_next().await else { break };
        let (number, found, transaction) = ended??;
        done.insert(number, found);
        free.push(transaction);
        while let Some(found) = done.remove(&told) {
            verification.found(found.verdicts).await?;
            relationships.append(found.relationships);
            told += 1;
        }
    }
    verification.begin("relationships").await?;
    verification.found(relationships).await
}

/// Divides all clients into stretches.
pub(super) struct Stretches {
    activities: u64,
    count: usize,
    last: Option<HubId>,
    pub is_over: bool,
}

impl Stretches {
    /// Each with so many activities, and the rest of those of its last client.
    pub const fn of(activities: u64) -> Self {
        Self { activities, count: 0, last: None, is_over: false }
    }

    /// The next one with its number, where it is not over.
    pub async fn next(&mut self, transaction: &ReadTransaction) -> Result<(usize, Stretch), ServiceError> {
        let until = activity::stretch_end(&**transaction, self.last, self.activities).await?;
        let next = (self.count, Stretch { after: self.last, until });
        self.count += 1;
        self.last = until;
        self.is_over = until.is_none();
        Ok(next)
    }
}
