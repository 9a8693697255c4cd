//! The periods of every pair under another policy, computed from everything that was ever recorded.

use std::collections::{BTreeMap, BTreeSet};

use contracts::wire::activity as wire;
use contracts::{ClientName, ServicingChange};
use domain::access::HubId;
use domain::activity::judge;
use domain::policy::Policy;
use domain::servicing::{CountedActivity, periods};
use service_kit::streaming::Messages;
use service_kit::{ReadTransaction, ServiceError, access_log};

use super::history_for;
use crate::ActivityTracking;
use crate::store::activity::{self, Place, Scope, counted};
use crate::store::{BEGINNING, Pair, voiding};

/// How many activities are judged at once.
const ACTIVITIES_AT_ONCE: u64 = 500;

/// What is asked.
pub(crate) struct StreamQuery {
    pub policy: Policy,
    /// Empty means all.
    pub clients: BTreeSet<HubId>,
}

impl ActivityTracking {
    pub(crate) async fn stream_servicing(
        &self,
        query: StreamQuery,
        messages: Messages<wire::StreamServicingResponse>,
    ) -> Result<(), ServiceError> {
        let transaction = self.database.begin_read().await?;
        let mut last = None;
        while let Some(client) = next_client(&transaction, &query.clients, last).await? {
            last = Some(client);
            let pairs = self.pairs_under(&transaction, client, &query.policy).await?;
            if !pairs.is_empty() {
                let client = ClientName(client).to_string();
                messages.send(wire::StreamServicingResponse { client, pairs }).await?;
            }
        }
        Ok(())
    }

    /// Everything that counts in a client under a policy, as the periods of its pairs.
    async fn pairs_under(
        &self,
        transaction: &ReadTransaction,
        client: HubId,
        policy: &Policy,
    ) -> Result<Vec<wire::ServicingChange>, ServiceError> {
        let counted = counted_under(transaction, client, policy).await?;
        let history = access_log::history_of_clients(&**transaction, &[client].into()).await?;
        let now = self.clock.now();
        let change = |(pair, activities): (Pair, Vec<CountedActivity>)| {
            let endings = history.endings(client, pair.partner, policy);
            let of_minimum = |minimum| (minimum, periods(&activities, &endings, minimum));
            let last_activity_time = activities.iter().map(|activity| activity.occur_time).max();
            wire::ServicingChange::from(&ServicingChange {
                position: 0,
                partner: pair.partner,
                client,
                periods: policy.minimums_ever().into_iter().map(of_minimum).collect(),
                last_activity_time,
                record_time: now,
            })
        };
        Ok(counted.into_iter().map(change).collect())
    }
}

/// What counts in a client under a policy, by pair.
async fn counted_under(
    transaction: &ReadTransaction,
    client: HubId,
    policy: &Policy,
) -> Result<BTreeMap<Pair, Vec<CountedActivity>>, ServiceError> {
    let mut found: BTreeMap<Pair, Vec<CountedActivity>> = BTreeMap::new();
    let mut last: Option<Place> = None;
    loop {
        let scope = Scope::Client(client);
        let page = activity::page(&**transaction, &scope, BEGINNING, last.as_ref(), ACTIVITIES_AT_ONCE).await?;
        let Some(end) = page.last() else { return Ok(found) };
        last = Some(Place::of(end));
        let history = history_for(&**transaction, page.iter().map(|recorded| &recorded.activity)).await?;
        let voided = voiding::find(&**transaction, &page.iter().map(activity::Recorded::name).collect()).await?;
        for recorded in page.iter().filter(|recorded| !voided.contains_key(&recorded.name())) {
            let judgement = judge(&recorded.activity, &history, policy);
            if let Some((pair, life)) = counted(&recorded.activity, &judgement) {
                found.entry(pair).or_default().push(life);
            }
        }
    }
}

async fn next_client(
    transaction: &ReadTransaction,
    asked: &BTreeSet<HubId>,
    after: Option<HubId>,
) -> Result<Option<HubId>, ServiceError> {
    if asked.is_empty() {
        return activity::next_client(&**transaction, after).await;
    }
    Ok(asked.iter().find(|client| after.is_none_or(|after| **client > after)).copied())
}
