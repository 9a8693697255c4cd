//! Four times the load that is sustained: what becomes of memory, of what was acknowledged, and how soon everything is as
//! before.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use contracts::wire::activity::{Activity, ListActivitiesRequest, RecordActivitiesRequest};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tonic::{Code, Request};

use super::TIME;
use crate::Arguments;
use crate::calls::closed;
use crate::figure::{Figure, Unit};
use crate::programme::{Callers, Size, World, client_name};
use crate::store::Kind;

const SIZE: Size = Size { partners: 10, clients: 100, partners_per_client: 1 };
/// How many activities one call records.
const BATCH: usize = 10;
/// Callers that keep the services busy.
const CALLERS: u64 = 64;
const OVERLOADED_FOR: Duration = Duration::from_secs(60);
const TIMES: u64 = 4;
/// What one machine can have under way; what would be more is not begun, and counted.
const MAXIMUM_UNDER_WAY: usize = 4_000;
const DEADLINE: Duration = Duration::from_secs(5);
/// How soon a call is answered where all is as before, and how many in a row.
const SOON: Duration = Duration::from_millis(100);
const IN_A_ROW: u32 = 10;

/// What became of calls.
#[derive(Debug, Default)]
struct Counts {
    acknowledged: AtomicU64,
    refused: AtomicU64,
    late: AtomicU64,
    failed: AtomicU64,
}

/// Whoever calls, and the names of what was acknowledged.
#[derive(Debug, Clone)]
struct Load {
    callers: Callers,
    acknowledged: Arc<Mutex<Vec<String>>>,
    counts: Arc<Counts>,
}

#[allow(clippy::cast_precision_loss, reason = "figures are for reading")]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate")]
pub(super) async fn overload(arguments: &Arguments, kind: Kind) -> anyhow::Result<Vec<Figure>> {
    let world = World::create(arguments, kind, SIZE).await?;
    let mut load = Load { callers: world.callers.clone(), acknowledged: Arc::default(), counts: Arc::default() };
    let busy = load.clone();
    let sustained = closed(CALLERS, TIME, move |number| {
        let busy = busy.clone();
        async move {
            busy.call(number).await;
            Ok(())
        }
    });
    sustained.await?;
    let sustained = load.counts.acknowledged.load(Ordering::Relaxed) / TIME.as_secs();
    let before = world.served.megabytes("VmRSS")?;
    load.counts = Arc::default();
    let left_out = load.overload(sustained * TIMES).await?;
    let counts = Arc::clone(&load.counts);
    let recovered = load.recovered().await;
    let count = |what: &str, count: u64| Figure::new(what, Unit::Count, count as f64);
    let counted = |what: &str, counter: &AtomicU64| count(what, counter.load(Ordering::Relaxed));
    Ok(vec![
        Figure::new(format!("calls of {BATCH} activities sustained"), Unit::PerSecond, sustained as f64),
        counted("of four times as many for a minute: acknowledged", &counts.acknowledged),
        counted("refused at once", &counts.refused),
        counted("too late", &counts.late),
        counted("failed", &counts.failed),
        count("not begun, for want of places", left_out),
        Figure::new("memory before", Unit::Megabytes, before),
        Figure::new("memory at most", Unit::Megabytes, world.served.megabytes("VmHWM")?),
        Figure::new("as before after", Unit::Milliseconds, recovered.as_secs_f64() * 1_000.0),
        count("acknowledged and lost", load.lost().await?),
    ])
}

impl Load {
    async fn call(&self, number: u64) {
        let activities: Vec<Activity> = self.callers.mixed_edits(BATCH);
        let names: Vec<String> = activities.iter().map(|activity| activity.name.clone()).collect();
        let mut request = Request::new(RecordActivitiesRequest { activities, ..Default::default() });
        request.set_timeout(DEADLINE);
        let count = match self.callers.activity(number).record_activities(request).await {
            Ok(_) => {
                self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
                &self.counts.acknowledged
            }
            Err(status) if status.code() == Code::ResourceExhausted => &self.counts.refused,
            Err(status) if matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled) => &self.counts.late,
            Err(_) => &self.counts.failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Begins so many calls a second, whatever becomes of them; how many were not begun.
    async fn overload(&self, per_second: u64) -> anyhow::Result<u64> {
        let (under_way, mut left_out) = (Arc::new(Semaphore::new(MAXIMUM_UNDER_WAY)), 0);
        let mut tick = tokio::time::interval(Duration::from_millis(10));
        let (start, mut begun) = (Instant::now(), 0);
        let mut calls = JoinSet::new();
        while start.elapsed() < OVERLOADED_FOR {
            tick.tick().await;
            let due = u64::try_from(start.elapsed().as_millis())? * per_second / 1_000;
            for number in begun..due {
                let Ok(permit) = Arc::clone(&under_way).try_acquire_owned() else {
                    left_out += 1;
                    continue;
                };
                let load = self.clone();
                calls.spawn(async move {
                    load.call(number).await;
                    drop(permit);
                });
            }
            begun = due;
            while calls.try_join_next().is_some() {}
        }
        while calls.join_next().await.is_some() {}
        Ok(left_out)
    }

    /// How long until so many calls in a row are acknowledged, each soon.
    async fn recovered(&self) -> Duration {
        let (start, mut in_a_row) = (Instant::now(), 0);
        while in_a_row < IN_A_ROW {
            let (one, asked) = (Self { counts: Arc::default(), ..self.clone() }, Instant::now());
            one.call(u64::from(in_a_row)).await;
            let is_well = one.counts.acknowledged.load(Ordering::Relaxed) == 1 && asked.elapsed() < SOON;
            in_a_row = if is_well { in_a_row + 1 } else { 0 };
        }
        start.elapsed()
    }

    /// How many acknowledged activities are not there.
    async fn lost(&self) -> anyhow::Result<u64> {
        let mut there = HashSet::new();
        for number in 0..SIZE.clients {
            let mut request =
                ListActivitiesRequest { client: client_name(number), page_size: 1_000, ..Default::default() };
            loop {
                let page = self.callers.activity(number).list_activities(request.clone()).await?.into_inner();
                there.extend(page.activities.into_iter().filter_map(|recorded| recorded.activity).map(|one| one.name));
                request.page_token = page.next_page_token;
                if request.page_token.is_empty() {
                    break;
                }
            }
        }
        let acknowledged = self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(u64::try_from(acknowledged.iter().filter(|name| !there.contains(*name)).count())?)
    }
}
