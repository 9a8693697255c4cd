//! Group commit: calls that arrive while others are being committed wait for each other and are committed together.
//!
//! A commit costs about the same for one activity as for hundreds, and commits of one feed queue for its head anyway. A
//! call that comes alone is committed at once; nobody waits for company.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use contracts::Failure;
use contracts::wire::activity as wire;
use contracts::wire::error::ErrorReason;
use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tracing::{Instrument as _, Span};

use super::Call;
use crate::{ActivityTracking, measure};

/// The most activities that are committed together, unless one call has more.
const ACTIVITIES_PER_COMMIT: usize = 1_000;

/// What is being committed, and what waits for it.
#[derive(Debug)]
pub(crate) struct Committing {
    queue: Mutex<Queue>,
    /// How many groups may be committed at a time.
    maximum_committers: usize,
    /// How many activities may wait, of all calls.
    maximum_waiting_activities: usize,
    tasks: TaskTracker,
}

#[derive(Debug, Default)]
struct Queue {
    waiting: VecDeque<Waiting>,
    /// How many activities wait.
    activities: usize,
    committers: usize,
}

/// A call, and whom to tell what became of it.
struct Waiting {
    call: Call,
    reply: oneshot::Sender<Result<wire::RecordActivitiesResponse, Status>>,
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Waiting").field("activities", &self.call.items.len()).finish_non_exhaustive()
    }
}

impl Committing {
    /// Nothing is being committed. Tasks go on to the end of what was accepted, also after their callers went away.
    pub fn new(maximum_committers: usize, maximum_waiting_activities: usize, tasks: TaskTracker) -> Self {
        Self { queue: Mutex::default(), maximum_committers, maximum_waiting_activities, tasks }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn push(&mut self, waiting: Waiting, maximum_activities: usize) -> Result<(), Failure> {
        let activities = self.activities + waiting.call.items.len();
        if activities > maximum_activities {
            let message = format!("{} activities wait already to be recorded; try again", self.activities);
            return Err(Failure::new(ErrorReason::Overloaded, message));
        }
        self.activities = activities;
        self.waiting.push_back(waiting);
        Ok(())
    }

    /// The next calls that are committed together: in their order, and never two with one request id, of which the second
    /// is to be given the answer of the first. Whoever has gone away meanwhile is left out.
    fn next_group(&mut self) -> Vec<Waiting> {
        let (mut group, mut activities, mut requests) = (Vec::new(), 0, BTreeSet::new());
        while let Some(waiting) = self.waiting.pop_front() {
            if waiting.reply.is_closed() {
                self.activities -= waiting.call.items.len();
                continue;
            }
            activities += waiting.call.items.len();
            let is_full = !group.is_empty() && activities > ACTIVITIES_PER_COMMIT;
            let is_repeat = waiting.call.request.as_ref().is_some_and(|request| !requests.insert(request.id));
            if is_full || is_repeat {
                self.waiting.push_front(waiting);
                break;
            }
            self.activities -= waiting.call.items.len();
            group.push(waiting);
        }
        group
    }
}

impl ActivityTracking {
    /// Has a call committed, and answers what became of it.
    pub(super) async fn commit(&self, call: Call) -> Result<wire::RecordActivitiesResponse, Status> {
        let (reply, answer) = oneshot::channel();
        self.enqueue(Waiting { call, reply })?;
        // Without a reply the group has panicked.
        answer.await.unwrap_or_else(|_| Err(Failure::internal().into()))
    }

    fn enqueue(&self, waiting: Waiting) -> Result<(), Failure> {
        let mut queue = self.committing.queue();
        queue.push(waiting, self.committing.maximum_waiting_activities)?;
        measure::waiting(queue.activities);
        if queue.committers < self.committing.maximum_committers {
            queue.committers += 1;
            let service = self.clone();
            self.committing.tasks.spawn(async move { service.commit_waiting().await });
        }
        Ok(())
    }

    /// Commits group after group until nobody waits.
    async fn commit_waiting(&self) {
        loop {
            let group = {
                let mut queue = self.committing.queue();
                let group = queue.next_group();
                measure::waiting(queue.activities);
                if group.is_empty() {
                    queue.committers -= 1;
                    return;
                }
                group
            };
            let service = self.clone();
            // A task of its own: a panic is that group's alone.
            if tokio::spawn(async move { service.commit_group(group).await }).await.is_err() {
                tracing::error!("recording panicked");
            }
        }
    }

    async fn commit_group(&self, group: Vec<Waiting>) {
        let (calls, replies): (Vec<_>, Vec<_>) = group.into_iter().map(|Waiting { call, reply }| (call, reply)).unzip();
        let group = span_of_group(&calls);
        let spans: Vec<Span> = calls.iter().map(|call| call.span.clone()).collect();
        // A caller that has gone away need not be told.
        match self.record(calls).instrument(group).await {
            Ok(answers) => {
                for (answer, reply) in answers.into_iter().zip(replies) {
                    let _ = reply.send(answer.map_err(Status::from));
                }
            }
            Err(error) => {
                for (span, reply) in spans.into_iter().zip(replies) {
                    let _ = reply.send(Err(span.in_scope(|| error.answer())));
                }
            }
        }
    }
}

/// The work for a group, which belongs to the trace of its first call, and to the others' as far as they show it.
fn span_of_group(calls: &[Call]) -> Span {
    let activities: usize = calls.iter().map(|call| call.items.len()).sum();
    let first = calls.first().and_then(|call| call.span.id());
    let span = tracing::error_span!(parent: first, "commit", calls = calls.len(), activities);
    for call in calls.iter().skip(1) {
        span.follows_from(&call.span);
    }
    span
}

#[cfg(test)]
mod tests {
    use contracts::wire::activity::{RecordActivitiesRequest, RecordActivitiesResponse};
    use service_kit::request_log::RequestKey;
    use uuid::Uuid;

    use super::*;

    const MAXIMUM: usize = 50_000;

    /// A call of so many activities, and whoever waits for its answer.
    fn call(
        activities: usize,
        request: Option<u128>,
    ) -> (Waiting, oneshot::Receiver<Result<RecordActivitiesResponse, Status>>) {
        let items = (0..activities).map(|_| Err(Failure::internal())).collect();
        let key = |id| RequestKey::of(Uuid::from_u128(id), "platform", &RecordActivitiesRequest::default());
        let respond = Box::new(|_| RecordActivitiesResponse::default());
        let (reply, answer) = oneshot::channel();
        (
            Waiting {
                call: Call { items, request: request.map(key), provisional: false, respond, span: Span::none() },
                reply,
            },
            answer,
        )
    }

    #[test]
    fn a_group_is_full_at_its_limit_and_a_larger_call_is_one_by_itself() {
        let (mut queue, mut callers) = (Queue::default(), Vec::new());
        for activities in [600, 400, 1, 1_000, 1] {
            let (waiting, caller) = call(activities, None);
            queue.push(waiting, MAXIMUM).expect("there is room");
            callers.push(caller);
        }
        let mut sizes =
            || -> Vec<usize> { queue.next_group().iter().map(|waiting| waiting.call.items.len()).collect() };
        assert_eq!(
            [sizes(), sizes(), sizes(), sizes(), sizes()],
            [vec![600, 400], vec![1], vec![1_000], vec![1], vec![]]
        );
        assert_eq!(queue.activities, 0);
    }

    #[test]
    fn the_repeat_of_a_request_is_in_a_later_group_and_who_has_gone_is_in_none() {
        let (mut queue, mut callers) = (Queue::default(), Vec::new());
        for request in [Some(1), None, Some(1), Some(2)] {
            let (waiting, caller) = call(1, request);
            queue.push(waiting, MAXIMUM).expect("there is room");
            callers.push(caller);
        }
        drop(callers.remove(1));
        let mut size = || queue.next_group().len();
        assert_eq!([size(), size(), size()], [1, 2, 0]);
        assert_eq!(queue.activities, 0);
    }

    #[test]
    fn what_would_wait_beyond_the_limit_is_refused_at_once() {
        let (mut queue, mut callers) = (Queue::default(), Vec::new());
        for _ in 0..MAXIMUM / 1_000 {
            let (waiting, caller) = call(1_000, None);
            queue.push(waiting, MAXIMUM).expect("there is room");
            callers.push(caller);
        }
        let refused = queue.push(call(1, None).0, MAXIMUM).expect_err("it is full");
        assert_eq!(refused.reason(), ErrorReason::Overloaded);
        queue.next_group();
        assert!(queue.push(call(1, None).0, MAXIMUM).is_ok());
    }
}
