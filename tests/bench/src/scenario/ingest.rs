//! Recording, with everything that belongs to it: verdicts, periods, the feed, and a commit that lasts.

use std::time::Duration;

use super::TIME;
use crate::Arguments;
use crate::calls::closed;
use crate::figure::{Figure, Unit};
use crate::limit::{self, Into, pgbench_inserts};
use crate::programme::{Callers, Size, World};
use crate::store::Kind;

const SIZE: Size = Size { partners: 10, clients: 1_000, partners_per_client: 1 };
const BATCH: usize = 1_000;
/// While one batch is committed the next one is read and the one after is sent.
const BATCH_CALLERS: u64 = 4;
const SINGLE_CALLERS: u64 = 64;
/// Before anything is measured.
const WARMING: Duration = Duration::from_secs(2);

/// Calls of 1,000 activities: of many clients, as a platform sends them, and of one client, as an import does.
pub(super) async fn batches(arguments: &Arguments, kind: Kind) -> anyhow::Result<Vec<Figure>> {
    let mut figures = Vec::new();
    let orders = [
        ("of 1,000 clients", Callers::mixed_edits as fn(&Callers, usize) -> _),
        ("of one client each", Callers::edits_of_one),
    ];
    for (name, edits) in orders {
        let world = World::create(arguments, kind, SIZE).await?;
        let callers = world.callers.clone();
        let call = move |number| {
            let callers = callers.clone();
            async move { callers.record(number, edits(&callers, BATCH)).await.map(|_| ()) }
        };
        closed(BATCH_CALLERS, WARMING, call.clone()).await?;
        let observed = closed(BATCH_CALLERS, TIME, call).await?;
        world.callers.credit_knows_all().await?;
        let per_second = observed.per_second() * 1_000.0;
        for (into, limit) in
            [(Into::SameTable, "the same rows, same indexes"), (Into::KeyOnly, "the same rows, key only")]
        {
            let limit_per_second = limit::rows_per_second(&world.store, into, BATCH).await?;
            figures.push(
                Figure::new(format!("activities {name}"), Unit::PerSecond, per_second).beside(limit, limit_per_second),
            );
        }
        figures.push(Figure::new(format!("a call {name}, median"), Unit::Milliseconds, observed.milliseconds(50.0)));
        figures.push(Figure::new(format!("a call {name}, 99 %"), Unit::Milliseconds, observed.milliseconds(99.0)));
    }
    Ok(figures)
}

/// One activity a call, from 64 callers that each wait for their answer.
pub(super) async fn singles(arguments: &Arguments, kind: Kind) -> anyhow::Result<Vec<Figure>> {
    let world = World::create(arguments, kind, SIZE).await?;
    let callers = world.callers.clone();
    let call = move |number| {
        let callers = callers.clone();
        async move { callers.record(number, callers.mixed_edits(1)).await.map(|_| ()) }
    };
    closed(SINGLE_CALLERS, WARMING, call.clone()).await?;
    let observed = closed(SINGLE_CALLERS, TIME, call).await?;
    let (limit, per_second) = match kind {
        Kind::Postgresql => {
            let inserts = pgbench_inserts(&world.store.url("activity"), SINGLE_CALLERS, TIME).await?;
            ("pgbench, 64 clients", inserts.per_second())
        }
        Kind::Sqlite => ("a transaction a row", limit::rows_per_second(&world.store, Into::SameTable, 1).await?),
    };
    let idle = world.callers.call_idly(SINGLE_CALLERS, TIME).await?;
    let activities = Figure::new("activities", Unit::PerSecond, observed.per_second());
    Ok(vec![
        activities.clone().beside(limit, per_second),
        activities.beside("calls that do nothing", idle.per_second()),
        Figure::new("a call, median", Unit::Milliseconds, observed.milliseconds(50.0)),
        Figure::new("a call, 99 %", Unit::Milliseconds, observed.milliseconds(99.0)),
    ])
}
