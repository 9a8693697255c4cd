//! Activities are recorded and judged (R60, R61), or only judged.

mod committing;
mod outcome;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contracts::wire::activity as wire;
use contracts::{ActivityName, Failure, Feed, Revision};
use domain::activity::{Activity, judge, outlook};
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::feed::{lock_cursor_shared, read_head};
use service_kit::request_log::{self, RequestKey};
use service_kit::{ServiceError, access_log};

use super::settle;
use crate::store::Touched;
use crate::store::activity::{self, Recorded, counted};
use crate::{ActivityTracking, measure};
pub(crate) use committing::Committing;
pub(crate) use outcome::ItemOutcome;
use outcome::{Known, first_of_each_name};

/// What became of a call.
pub(crate) struct Recording {
    /// In the order of the items.
    pub outcomes: Vec<Result<ItemOutcome, Failure>>,
    pub revision: Revision,
    pub provisional: bool,
}

/// Makes the answer of a recording, in its transaction: so that a repeat of the request can be given it.
type Respond = Box<dyn FnOnce(Recording) -> wire::RecordActivitiesResponse + Send + Sync>;

/// A call that is to be recorded.
struct Call {
    /// What is wrong keeps its place.
    items: Vec<Result<Activity, Failure>>,
    request: Option<RequestKey>,
    /// Access-management could not be asked for its newest facts.
    provisional: bool,
    respond: Respond,
}

/// What is said to a call.
type Answer = Result<wire::RecordActivitiesResponse, Failure>;

impl ActivityTracking {
    /// Records what is right of `items`, together with calls of the same time.
    pub(crate) async fn record_activities(
        &self,
        items: Vec<Result<Activity, Failure>>,
        request: Option<RequestKey>,
        wait_limit: Duration,
        respond: impl FnOnce(Recording) -> wire::RecordActivitiesResponse + Send + Sync + 'static,
    ) -> Result<wire::RecordActivitiesResponse, tonic::Status> {
        let provisional = self.is_provisional(&items, wait_limit).await;
        self.commit(Call { items, request, provisional, respond: Box::new(respond) }).await
    }

    /// What recording `items` would say, and what would make them count; records nothing.
    pub(crate) async fn validate_activities(
        &self,
        items: Vec<Result<Activity, Failure>>,
        wait_limit: Duration,
    ) -> Result<Recording, ServiceError> {
        let provisional = self.is_provisional(&items, wait_limit).await;
        let transaction = self.database.begin_read().await?;
        let stated = first_of_each_name(items.iter());
        let stored = activity::find(&*transaction, &stated.keys().cloned().collect()).await?;
        let unknown = stated.into_iter().filter(|(name, _)| !stored.contains_key(name));
        let unknown: Vec<&Activity> = unknown.map(|(_, activity)| activity).collect();
        let history = history_for_judging(&*transaction, &unknown).await?;
        let mut known = Known::of(stored);
        for activity in unknown {
            let outlook = outlook(activity, &history, &self.policy);
            let record_time = self.clock.now();
            let recorded =
                Recorded { activity: activity.clone(), judgement: outlook.judgement, record_time, provisional };
            known.add(recorded, outlook.remedies);
        }
        let revision = read_head(&*transaction, Feed::Servicing).await?.revision();
        Ok(Recording { outcomes: known.outcomes(items), revision, provisional })
    }

    async fn is_provisional(&self, items: &[Result<Activity, Failure>], wait_limit: Duration) -> bool {
        items.iter().any(Result::is_ok) && !self.is_fresh_within(wait_limit).await
    }

    /// Records calls in one transaction, and answers each in the order of the calls.
    async fn record(&self, calls: Vec<Call>) -> Result<Vec<Answer>, ServiceError> {
        let now = self.clock.now();
        let transaction = self.database.begin_write().await?;
        lock_cursor_shared(&*transaction, Feed::Access).await?;
        let mut answers = answered_before(&*transaction, &calls, now).await?;

        let open = || calls.iter().zip(&answers).filter(|(_, answer)| answer.is_none()).map(|(call, _)| call);
        let new = self.judge_new(&*transaction, open(), now).await?;
        let stated = first_of_each_name(open().flat_map(|call| &call.items));
        let names: BTreeSet<ActivityName> = stated.into_keys().collect();
        let inserted = activity::insert(&*transaction, &new).await?;
        let mut known = Known::default();
        let mut touched = Touched::default();
        for recorded in new.into_iter().filter(|recorded| inserted.contains(&recorded.name())) {
            if let Some((pair, life)) = counted(&recorded.activity, &recorded.judgement) {
                touched.add(pair, life);
            }
            known.add(recorded, Vec::new());
        }
        // Also what another call has recorded since it was looked for: there it is its own, and here a duplicate.
        let before = names.difference(&inserted).cloned().collect();
        known.extend(activity::find(&*transaction, &before).await?);

        let head = settle(&*transaction, &self.policy, &touched, now).await?;
        // Without a change of its own, the present head: what duplicates led to was committed before they were found.
        let revision = match &head {
            Some(head) => head.revision(),
            None => read_head(&*transaction, Feed::Servicing).await?.revision(),
        };
        let mut recorded = Vec::new();
        for (call, answer) in calls.into_iter().zip(&mut answers) {
            if answer.is_none() {
                let Call { items, request, provisional, respond } = call;
                let outcomes = known.outcomes(items);
                recorded.extend(outcomes.iter().flatten().filter(|outcome| !outcome.duplicate).cloned());
                let response = respond(Recording { outcomes, revision, provisional });
                request_log::remember(&*transaction, request.as_ref(), &response, now).await?;
                *answer = Some(Ok(response));
            }
        }
        transaction.commit().await?;
        recorded.iter().for_each(measure::recorded);
        self.tell(head.as_ref());
        Ok(answers.into_iter().flatten().collect())
    }

    /// Of the activities of calls those that are not recorded yet, each once, judged, in the order of their names.
    async fn judge_new<'calls, C: ConnectionTrait>(
        &self,
        transaction: &C,
        calls: impl Iterator<Item = &'calls Call> + Clone,
        now: Instant,
    ) -> Result<Vec<Recorded>, ServiceError> {
        let stated = first_of_each_name(calls.clone().flat_map(|call| &call.items));
        // Of several calls with one activity the first one records it.
        let mut provisional: BTreeMap<ActivityName, bool> = BTreeMap::new();
        for call in calls {
            for activity in call.items.iter().flatten() {
                provisional.entry(activity::name_of(activity)).or_insert(call.provisional);
            }
        }
        let stored = activity::find(transaction, &stated.keys().cloned().collect()).await?;
        let unknown: Vec<(ActivityName, &Activity)> =
            stated.into_iter().filter(|(name, _)| !stored.contains_key(name)).collect();
        let activities: Vec<&Activity> = unknown.iter().map(|(_, activity)| *activity).collect();
        let history = history_for_judging(transaction, &activities).await?;
        let judged = unknown.into_iter().map(|(name, activity)| Recorded {
            activity: activity.clone(),
            judgement: judge(activity, &history, &self.policy),
            record_time: now,
            provisional: provisional.get(&name).copied().unwrap_or_default(),
        });
        Ok(judged.collect())
    }
}

/// What each call was answered when it was made before, or why it is refused.
async fn answered_before<C: ConnectionTrait>(
    transaction: &C,
    calls: &[Call],
    now: Instant,
) -> Result<Vec<Option<Answer>>, ServiceError> {
    let mut answers: Vec<Option<Answer>> = calls.iter().map(|_| None).collect();
    let mut requests: Vec<(usize, &RequestKey)> =
        calls.iter().enumerate().filter_map(|(place, call)| Some((place, call.request.as_ref()?))).collect();
    requests.sort_by_key(|(_, request)| request.id);
    for (place, request) in requests {
        answers[place] = match request_log::claim(transaction, Some(request), now).await {
            Ok(answer) => answer.map(Ok),
            // Its own fault, and no matter of the calls beside it.
            Err(ServiceError::Refused(failure)) => Some(Err(failure)),
            Err(error) => return Err(error),
        };
    }
    Ok(answers)
}

async fn history_for_judging<C: ConnectionTrait>(
    connection: &C,
    activities: &[&Activity],
) -> Result<domain::access::AccessHistory, ServiceError> {
    let clients = activities.iter().map(|activity| activity.client).collect();
    let addresses = activities.iter().map(|activity| activity.address.clone()).collect();
    access_log::history_for_judging(connection, &clients, &addresses).await
}
