//! Calls, made as often as they are answered or as often as was asked, and how long they took.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use tokio::task::JoinSet;

/// What was observed of calls of one kind.
#[derive(Debug)]
pub(crate) struct Observed {
    pub calls: u64,
    pub elapsed: Duration,
    /// In microseconds.
    times: Histogram<u64>,
}

impl Observed {
    pub fn new() -> anyhow::Result<Self> {
        Ok(Self { calls: 0, elapsed: Duration::ZERO, times: Histogram::new_with_bounds(1, 3_600_000_000, 3)? })
    }

    /// From times in microseconds.
    pub fn of(times: impl Iterator<Item = u64>) -> anyhow::Result<Self> {
        let mut observed = Self::new()?;
        times.for_each(|time| observed.add(Duration::from_micros(time)));
        Ok(observed)
    }

    pub fn add(&mut self, time: Duration) {
        self.calls += 1;
        self.times.saturating_record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    #[allow(clippy::cast_precision_loss, reason = "figures are for reading")]
    pub fn per_second(&self) -> f64 {
        self.calls as f64 / self.elapsed.as_secs_f64()
    }

    /// Below which so many of a hundred are.
    #[allow(clippy::cast_precision_loss, reason = "figures are for reading")]
    pub fn milliseconds(&self, percent: f64) -> f64 {
        self.times.value_at_percentile(percent) as f64 / 1_000.0
    }
}

/// Callers that each make a call once the one before is answered, for so long; each call has a number of its own. A call
/// that fails ends it.
pub(crate) async fn closed<F, Answer>(callers: u64, time: Duration, call: F) -> anyhow::Result<Observed>
where
    F: Fn(u64) -> Answer + Clone + Send + Sync + 'static,
    Answer: Future<Output = anyhow::Result<()>> + Send,
{
    let (next, begin) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let mut running = JoinSet::new();
    for _ in 0..callers {
        let (next, call) = (Arc::clone(&next), call.clone());
        running.spawn(async move {
            let mut times = Vec::new();
            while begin.elapsed() < time {
                let asked = Instant::now();
                call(next.fetch_add(1, Ordering::Relaxed)).await?;
                times.push(asked.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut observed = Observed::new()?;
    while let Some(times) = running.join_next().await {
        times??.into_iter().for_each(|time| observed.add(time));
    }
    observed.elapsed = begin.elapsed();
    Ok(observed)
}

/// Begins so many calls a second until it is told to stop, whatever becomes of those before.
pub(crate) async fn paced<F, Answer>(per_second: f64, stop: Arc<AtomicBool>, call: F) -> anyhow::Result<Observed>
where
    F: Fn(u64) -> Answer + Clone + Send + Sync + 'static,
    Answer: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let mut tick = tokio::time::interval(Duration::from_secs_f64(1.0 / per_second));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let (mut number, begin) = (0, Instant::now());
    let mut running = JoinSet::new();
    let mut observed = Observed::new()?;
    while !stop.load(Ordering::Relaxed) {
        let due = tick.tick().await;
        let call = call.clone();
        running.spawn(async move {
            call(number).await?;
            // From when it was to begin: what waits because others are slow counts.
            anyhow::Ok(due.elapsed())
        });
        number += 1;
        while let Some(time) = running.try_join_next() {
            observed.add(time??);
        }
    }
    while let Some(time) = running.join_next().await {
        observed.add(time??);
    }
    observed.elapsed = begin.elapsed();
    Ok(observed)
}
