//! Activities are recorded and judged (R60, R61).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contracts::wire::activity as wire;
use contracts::wire::error::ErrorReason;
use contracts::{ActivityName, Failure, Feed, Revision};
use domain::activity::{Activity, Judgement, judge};
use sea_orm::ConnectionTrait;
use service_kit::feed::{lock_cursor_shared, read_head};
use service_kit::request_log::{self, RequestKey};
use service_kit::{ServiceError, access_log};

use super::settle;
use crate::ActivityTracking;
use crate::store::Touched;
use crate::store::activity::{self, Recorded};

/// What became of a call.
pub(crate) struct Recording {
    /// In the order of the items.
    pub outcomes: Vec<Result<ItemOutcome, Failure>>,
    pub revision: Revision,
    pub provisional: bool,
}

/// An activity that is recorded, now or before.
pub(crate) struct ItemOutcome {
    pub judgement: Judgement,
    pub provisional: bool,
    pub duplicate: bool,
}

impl ActivityTracking {
    /// Records what is right of `items`, in one transaction; what is wrong keeps its place. The answer is made in it too,
    /// so that a repeat of the request can be given it.
    pub(crate) async fn record_activities(
        &self,
        items: Vec<Result<Activity, Failure>>,
        request: Option<RequestKey>,
        wait_limit: Duration,
        respond: impl FnOnce(Recording) -> wire::RecordActivitiesResponse,
    ) -> Result<wire::RecordActivitiesResponse, ServiceError> {
        let stated = first_of_each_name(&items);
        let provisional = !stated.is_empty() && !self.is_fresh_within(wait_limit).await;
        let now = self.clock.now();
        let transaction = self.database.begin_write().await?;
        lock_cursor_shared(&*transaction, Feed::Access).await?;
        if let Some(answer) = request_log::first_answer(&*transaction, request.as_ref()).await? {
            return Ok(answer);
        }

        let names: BTreeSet<ActivityName> = stated.keys().cloned().collect();
        let mut stored = activity::find(&*transaction, &names).await?;
        let unknown: Vec<&Activity> =
            stated.iter().filter(|(name, _)| !stored.contains_key(name)).map(|(_, activity)| *activity).collect();
        let judgements = self.judge_all(&*transaction, &unknown).await?;
        let new: Vec<Recorded> = unknown
            .into_iter()
            .zip(judgements)
            .map(|(activity, judgement)| Recorded {
                activity: activity.clone(),
                judgement,
                record_time: now,
                provisional,
            })
            .collect();
        let inserted = activity::insert(&*transaction, &new).await?;
        if inserted.len() < new.len() {
            // Another call has recorded some of them since; they are its own, and duplicates here.
            stored.extend(activity::find(&*transaction, &names).await?);
        }

        let new = new.into_iter().map(|recorded| (recorded.name(), recorded));
        let new: BTreeMap<ActivityName, Recorded> = new.filter(|(name, _)| inserted.contains(name)).collect();
        let head = settle(&*transaction, &self.policy, &touched_by(new.values()), now).await?;
        // Without a change of its own, the present head: what duplicates led to was committed before they were found.
        let revision = match &head {
            Some(head) => head.revision(),
            None => read_head(&*transaction, Feed::Servicing).await?.revision(),
        };
        stored.extend(new);
        let answer = respond(Recording { outcomes: outcomes(items, &stored, inserted), revision, provisional });
        request_log::remember(&*transaction, request.as_ref(), &answer, now).await?;
        transaction.commit().await?;
        self.tell(head.as_ref());
        Ok(answer)
    }

    async fn judge_all<C: ConnectionTrait>(
        &self,
        transaction: &C,
        activities: &[&Activity],
    ) -> Result<Vec<Judgement>, ServiceError> {
        let clients = activities.iter().map(|activity| activity.client).collect();
        let addresses = activities.iter().map(|activity| activity.address.clone()).collect();
        let history = access_log::history_for_judging(transaction, &clients, &addresses).await?;
        Ok(activities.iter().map(|activity| judge(activity, &history, &self.policy)).collect())
    }
}

fn name_of(activity: &Activity) -> ActivityName {
    ActivityName { client: activity.client, activity: activity.id.clone() }
}

/// Of several items with one name the first speaks; the others are compared with it like with any recorded one.
fn first_of_each_name(items: &[Result<Activity, Failure>]) -> BTreeMap<ActivityName, &Activity> {
    let mut first = BTreeMap::new();
    for activity in items.iter().flatten() {
        if let Entry::Vacant(vacant) = first.entry(name_of(activity)) {
            vacant.insert(activity);
        }
    }
    first
}

fn touched_by<'new>(new: impl Iterator<Item = &'new Recorded>) -> Touched {
    let mut touched = Touched::default();
    for recorded in new {
        if let Some(pair) = recorded.counted_pair() {
            touched.touch(pair, recorded.activity.occur_time);
        }
    }
    touched
}

/// What became of each item, by what is stored under its name now; `inserted` are the names that this call has stored.
fn outcomes(
    items: Vec<Result<Activity, Failure>>,
    stored: &BTreeMap<ActivityName, Recorded>,
    mut inserted: BTreeSet<ActivityName>,
) -> Vec<Result<ItemOutcome, Failure>> {
    let outcome = |item: Result<Activity, Failure>| {
        let activity = item?;
        let name = name_of(&activity);
        let recorded = stored.get(&name).ok_or_else(Failure::internal)?;
        if recorded.activity != activity {
            let message = format!("{name} is recorded already, with other content; an id is for one activity for ever");
            return Err(Failure::new(ErrorReason::ActivityIdReused, message).with("name", name));
        }
        // The first item of a name that was inserted is the recording; any further one repeats it.
        let duplicate = !inserted.remove(&name);
        Ok(ItemOutcome { judgement: recorded.judgement.clone(), provisional: recorded.provisional, duplicate })
    };
    items.into_iter().map(outcome).collect()
}
