//! The durable queue of what is to be judged and computed again, and the worker that works it off.
//!
//! What follows from a change of facts is done in the transaction that takes the change over, as far as it is little. What
//! is more (a partner leaves, a policy changes) goes on from where that stopped, task by task and in transactions of
//! bounded size, while everything goes on serving. Until a task is done, the access changes from which it follows are not
//! *settled*: reads that ask to know them wait, and followers of the servicing feed are not told of them.

use std::time::Duration;

use contracts::Feed;
use domain::servicing::Alteration;
use domain::time::Instant;
use sea_orm::{ConnectionTrait, DbErr};
use service_kit::ServiceError;
use service_kit::access_log::ClientHistories;
use service_kit::feed::{Cursor, lock_cursor_shared, read_cursor};
use tokio_util::sync::CancellationToken;

use super::{judge_again, settle};
use crate::ActivityTracking;
use crate::store::activity::{self, Place, Scope};
use crate::store::rejudging::{self, Task, Work};
use crate::store::{BEGINNING, Touched, pair};

/// How many activities and pairs one transaction judges and computes again, about.
pub(crate) const UNITS_PER_TRANSACTION: u64 = 2_000;

/// How many activities are judged, and pairs computed, at once.
const UNITS_AT_ONCE: u64 = 500;

/// How often to look whether another replica has put something in; whoever does so in this process wakes the worker.
const LOOKING_DELAY: Duration = Duration::from_secs(2);

/// How long to wait before a database that failed is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

impl ActivityTracking {
    /// Works until shutdown.
    pub(crate) async fn work_off(&self, shutdown: CancellationToken) {
        while !shutdown.is_cancelled() {
            let pause = match self.work_once().await {
                Ok(true) => continue,
                Ok(false) => LOOKING_DELAY,
                Err(error) => {
                    tracing::warn!(%error, "judging again was interrupted; going on where it was");
                    RETRY_DELAY
                }
            };
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = self.work_waits.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Does a part of the oldest task; false where there is none.
    async fn work_once(&self) -> Result<bool, ServiceError> {
        if rejudging::waiting(self.database.connection()).await?.tasks == 0 {
            return Ok(false);
        }
        let transaction = self.database.begin_write().await?;
        lock_cursor_shared(&*transaction, Feed::Access).await?;
        let Some((id, mut task)) = rejudging::lock_oldest(&*transaction).await? else { return Ok(true) };
        let mut touched = Touched::default();
        let mut units = UNITS_PER_TRANSACTION;
        if self.advance(&*transaction, &mut task, &mut units, &mut touched).await? {
            rejudging::remove(&*transaction, id).await?;
        } else {
            rejudging::save(&*transaction, id, &task).await?;
        }
        settle(&*transaction, &self.policy, &touched, &ClientHistories::new(), self.clock.now()).await?;
        transaction.commit().await?;
        self.publish_settled().await?;
        self.tell_settled();
        Ok(true)
    }

    /// Does tasks as far as `units` allow, and answers those that are left.
    pub(crate) async fn advance_all<C: ConnectionTrait>(
        &self,
        transaction: &C,
        tasks: Vec<Task>,
        touched: &mut Touched,
    ) -> Result<Vec<Task>, ServiceError> {
        let mut units = UNITS_PER_TRANSACTION;
        let mut left = Vec::new();
        for mut task in tasks {
            if !self.advance(transaction, &mut task, &mut units, touched).await? {
                left.push(task);
            }
        }
        Ok(left)
    }

    /// Does a task as far as `units` allow; whether it is done.
    async fn advance<C: ConnectionTrait>(
        &self,
        transaction: &C,
        task: &mut Task,
        units: &mut u64,
        touched: &mut Touched,
    ) -> Result<bool, ServiceError> {
        while *units > 0 {
            let at_once = UNITS_AT_ONCE.min(*units);
            let done = match &mut task.work {
                Work::Judge(scope, last) => {
                    self.judge_next(transaction, scope, task.from, last, at_once, touched).await?
                }
                Work::Settle(partner, last) => {
                    let pairs = pair::page(transaction, *partner, None, *last, at_once).await?;
                    *last = pairs.last().copied().or(*last);
                    pairs.iter().for_each(|pair| touched.alter(*pair, Alteration::endings_from(task.from)));
                    pairs.len() as u64
                }
            };
            task.done += done;
            // Also a look at nothing is work.
            *units -= done.clamp(1, *units);
            if done < at_once {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Judges the next activities of a scope again; how many there were.
    async fn judge_next<C: ConnectionTrait>(
        &self,
        transaction: &C,
        scope: &Scope,
        from: Instant,
        last: &mut Option<Place>,
        limit: u64,
        touched: &mut Touched,
    ) -> Result<u64, ServiceError> {
        let activities = activity::page(transaction, scope, from, last.as_ref(), limit).await?;
        *last = activities.last().map(Place::of).or(last.take());
        let count = activities.len() as u64;
        let mut changed = Touched::default();
        judge_again(transaction, &self.policy, activities, &mut changed).await?;
        if *scope == Scope::Everything {
            // All pairs are computed in full after that: they need only be there.
            let pairs: Vec<_> = changed.pairs().map(|(pair, _)| pair).collect();
            pair::create_missing(transaction, &pairs).await?;
        } else {
            touched.merge(changed);
        }
        Ok(count)
    }

    /// Has everything judged and computed again. The transaction holds the cursor of the access copy exclusively.
    pub(crate) async fn enqueue_everything<C: ConnectionTrait>(&self, transaction: &C) -> Result<(), DbErr> {
        rejudging::remove_general(transaction).await?;
        let task = |work| Task { access_position: None, work, from: BEGINNING, record_time: self.clock.now(), done: 0 };
        let all = [task(Work::Judge(Scope::Everything, None)), task(Work::Settle(None, None))];
        rejudging::append(transaction, &all).await
    }

    /// Tells whoever waits up to where of the access log everything has been computed that follows from it.
    pub(crate) async fn publish_settled(&self) -> Result<(), ServiceError> {
        self.settled.publish(&settled_cursor(self.database.connection()).await?);
        Ok(())
    }
}

/// The cursor of the access copy, with the position up to which everything has been computed that follows from it in the
/// place of the one up to which the copy has come.
///
/// The copy is asked first: what it takes over between the two questions has put its tasks into the queue.
pub(crate) async fn settled_cursor<C: ConnectionTrait>(connection: &C) -> Result<Cursor, DbErr> {
    let cursor = read_cursor(connection, Feed::Access).await?;
    let first_waiting = rejudging::first_waiting_position(connection).await?;
    let position = first_waiting.map_or(cursor.position, |first| cursor.position.min(first.saturating_sub(1)));
    Ok(Cursor { position, ..cursor })
}
