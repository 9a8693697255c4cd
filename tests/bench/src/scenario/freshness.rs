//! How soon credit shows what was recorded, while as much is recorded as half of what is sustained.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::ensure;
use contracts::wire::credit::{CreditState, GetManagedCreditRequest};

use super::TIME;
use crate::Arguments;
use crate::calls::{Observed, closed, paced};
use crate::figure::{Figure, Unit};
use crate::programme::{Callers, Size, World, client_name, partner_name};
use crate::store::Kind;

const BUSY_CLIENTS: u64 = 1_000;
/// Clients in which nothing has been done: each shows once how soon it is.
const FRESH_CLIENTS: u64 = 2_000;
const SIZE: Size = Size { partners: 10, clients: BUSY_CLIENTS + FRESH_CLIENTS, partners_per_client: 1 };
/// What one call of the load records.
const BATCH: usize = 100;
const CALLERS: u64 = 16;
/// What is not shown by then is late beyond measure.
const LATEST: Duration = Duration::from_secs(10);

pub(super) async fn freshness(arguments: &Arguments, kind: Kind) -> anyhow::Result<Vec<Figure>> {
    let world = World::create(arguments, kind, SIZE).await?;
    let callers = world.callers.clone();
    let load = move |number| {
        let callers = callers.clone();
        async move {
            let edits = (0..BATCH).map(|_| callers.edit(fastrand::u64(..BUSY_CLIENTS))).collect();
            callers.record(number, edits).await.map(|_| ())
        }
    };
    let sustained = closed(CALLERS, TIME / 2, load.clone()).await?.per_second();
    world.callers.credit_knows_all().await?;
    let stop = Arc::new(AtomicBool::new(false));
    let loaded = tokio::spawn(paced(sustained / 2.0, Arc::clone(&stop), load));
    let seen = see(&world.callers).await;
    stop.store(true, Ordering::Relaxed);
    let loaded = loaded.await??;
    let Seen { without, with } = seen?;
    #[allow(clippy::cast_precision_loss, reason = "figures are for reading")]
    let activities = |calls: f64| calls * BATCH as f64;
    Ok(vec![
        Figure::new("activities sustained", Unit::PerSecond, activities(sustained)),
        Figure::new("activities meanwhile", Unit::PerSecond, activities(loaded.per_second())),
        Figure::new("shown after the answer, median", Unit::Milliseconds, without.milliseconds(50.0)),
        Figure::new("shown after the answer, 99 %", Unit::Milliseconds, without.milliseconds(99.0)),
        Figure::new("asked with the revision, median", Unit::Milliseconds, with.milliseconds(50.0)),
        Figure::new("asked with the revision, 99 %", Unit::Milliseconds, with.milliseconds(99.0)),
    ])
}

/// How long it took until credit showed it, asked without revisions and with.
struct Seen {
    without: Observed,
    with: Observed,
}

async fn see(callers: &Callers) -> anyhow::Result<Seen> {
    let mut seen = Seen { without: Observed::new()?, with: Observed::new()? };
    let (begin, mut client) = (Instant::now(), BUSY_CLIENTS);
    while begin.elapsed() < TIME * 2 && client + 1 < SIZE.clients {
        seen.without.add(until_shown(callers, client, false).await?);
        seen.with.add(until_shown(callers, client + 1, true).await?);
        client += 2;
    }
    Ok(seen)
}

/// Records the first activity of a client, and asks until it brings credit: at once where the revision is told.
async fn until_shown(callers: &Callers, client: u64, with_revision: bool) -> anyhow::Result<Duration> {
    let revision = callers.record(client, vec![callers.edit(client)]).await?.revision;
    let question = GetManagedCreditRequest {
        partner: partner_name(client % SIZE.partners),
        client: client_name(client),
        at_least_revisions: if with_revision { vec![revision] } else { Vec::new() },
        ..Default::default()
    };
    let answered = Instant::now();
    loop {
        let answer = callers.credit(client).get_managed_credit(question.clone()).await?.into_inner();
        let state = answer.managed_credit.map(|credit| credit.state());
        if matches!(state, Some(CreditState::Active | CreditState::Expiring)) {
            return Ok(answered.elapsed());
        }
        ensure!(!with_revision, "the answer does not know the revision that was asked for: {state:?}");
        ensure!(answered.elapsed() < LATEST, "it is not shown");
    }
}
