//! Activities are recorded and judged (R60, R61), or only judged.

mod committing;
mod outcome;

use std::collections::BTreeMap;
use std::time::Duration;

use contracts::wire::activity as wire;
use contracts::{ActivityName, Failure, Feed, Revision};
use domain::activity::{Activity, Outlook, judge, outlook};
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::access_log::AskedClients;
use service_kit::feed::{lock_cursor_shared, read_head};
use service_kit::request_log::{self, RequestKey};
use service_kit::{ServiceError, TraceParent};
use tracing::Span;

use super::{history_for, settle};
use crate::store::Touched;
use crate::store::activity::{self, Recorded, counted, name_of};
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
    /// The call's span, and so its trace: it is committed with others, but what it changes is for its sake.
    span: Span,
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
        self.commit(Call { items, request, provisional, respond: Box::new(respond), span: Span::current() }).await
    }

    /// What recording `items` would say, and what would make them count; records nothing.
    pub(crate) async fn validate_activities(
        &self,
        items: Vec<Result<Activity, Failure>>,
        wait_limit: Duration,
    ) -> Result<Recording, ServiceError> {
        let provisional = self.is_provisional(&items, wait_limit).await;
        let transaction = self.database.begin_read().await?;
        let stated = first_of_each_name(items.iter().map(|item| (item, provisional)));
        let (mut known, unknown) = look_up(&*transaction, stated).await?;
        let history = history_for(&*transaction, unknown.iter().map(|(activity, _)| *activity)).await?;
        let record_time = self.clock.now();
        for (activity, provisional) in unknown {
            let Outlook { judgement, remedies } = outlook(activity, &history, &self.policy);
            known.add(Recorded { activity: activity.clone(), judgement, record_time, provisional }, remedies);
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
        let cursor = lock_cursor_shared(&*transaction, Feed::Access).await?;
        let mut answers = answered_before(&*transaction, &calls, now).await?;

        let open = calls.iter().zip(&answers).filter(|(_, answer)| answer.is_none()).map(|(call, _)| call);
        // Of several calls with one activity the first one records it.
        let stated = first_of_each_name(open.flat_map(|call| call.items.iter().map(|item| (item, call.provisional))));
        let histories = self.histories.of_clients(&*transaction, &cursor, &asked(&stated)).await?;
        let new = stated.into_values().filter_map(|(activity, provisional)| {
            let judgement = judge(activity, histories.get(&activity.client)?, &self.policy);
            Some(Recorded { activity: activity.clone(), judgement, record_time: now, provisional })
        });
        let new: Vec<Recorded> = new.collect();
        let inserted = activity::insert(&*transaction, &new).await?;
        let (own, others): (Vec<_>, Vec<_>) = new.into_iter().partition(|recorded| inserted.contains(&recorded.name()));
        let causes = causes(&calls);
        let mut known = Known::default();
        let mut touched = Touched::default();
        for recorded in own {
            if let Some((pair, life)) = counted(&recorded.activity, &recorded.judgement) {
                touched.add(pair, life);
                causes.get(&recorded.name()).into_iter().for_each(|cause| touched.caused_by(pair, cause));
            }
            known.add(recorded, Vec::new());
        }
        // They were recorded before: duplicates here, with the verdicts that they have.
        known.extend(activity::find(&*transaction, &others.iter().map(Recorded::name).collect()).await?);

        let head = settle(&*transaction, &self.policy, &touched, &histories, now).await?;
        // Without a change of its own, the present head: what duplicates led to was committed before they were found.
        let revision = match &head {
            Some(head) => head.revision(),
            None => read_head(&*transaction, Feed::Servicing).await?.revision(),
        };
        let mut recorded = Vec::new();
        for (call, answer) in calls.into_iter().zip(&mut answers) {
            if answer.is_none() {
                let Call { items, request, provisional, respond, span: _ } = call;
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
}

/// Of which trace is the call that states each activity first.
fn causes(calls: &[Call]) -> BTreeMap<ActivityName, TraceParent> {
    let mut causes = BTreeMap::new();
    for call in calls {
        let cause = call.span.in_scope(TraceParent::current);
        for activity in call.items.iter().flatten() {
            causes.entry(name_of(activity)).or_insert_with(|| cause.clone());
        }
    }
    causes
}

/// Whose facts decide about these activities.
fn asked(stated: &BTreeMap<ActivityName, (&Activity, bool)>) -> AskedClients {
    let mut asked = AskedClients::new();
    for (activity, _) in stated.values() {
        asked.entry(activity.client).or_default().insert(activity.address.clone());
    }
    asked
}

/// Which of the stated activities are recorded, and the others, in the order of their names.
async fn look_up<'items, C: ConnectionTrait>(
    connection: &C,
    stated: BTreeMap<ActivityName, (&'items Activity, bool)>,
) -> Result<(Known, Vec<(&'items Activity, bool)>), ServiceError> {
    let recorded = activity::find(connection, &stated.keys().cloned().collect()).await?;
    let unknown =
        stated.into_iter().filter(|(name, _)| !recorded.contains_key(name)).map(|(_, stated)| stated).collect();
    Ok((Known::of(recorded), unknown))
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
