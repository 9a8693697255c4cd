//! Everything that activity-tracking keeps, computed once more.

use std::process::Stdio;
use std::time::Instant;

use anyhow::ensure;
use sqlx::{Connection as _, Executor as _, PgConnection};
use tokio::process::Command;

use crate::Arguments;
use crate::figure::{Figure, Unit};
use crate::programme::{Size, World};
use crate::store::Kind;

/// Twenty activities a pair.
const ACTIVITIES_PER_PAIR: u64 = 20;
const PARTNERS_PER_CLIENT: u64 = 10;
const LAST_PER_PAIR: &str = "SELECT count(*) FROM (SELECT client_id, partner_id, max(occur_time) FROM activity \
                             WHERE expire_time IS NOT NULL GROUP BY client_id, partner_id) AS last";

#[allow(clippy::cast_precision_loss, reason = "figures are for reading")]
pub(super) async fn verify(arguments: &Arguments, kind: Kind) -> anyhow::Result<Vec<Figure>> {
    let pairs = arguments.activities / ACTIVITIES_PER_PAIR;
    let size = Size { partners: 100, clients: pairs / PARTNERS_PER_CLIENT, partners_per_client: PARTNERS_PER_CLIENT };
    let world = World::create(arguments, kind, size).await?;
    super::growth::fill(&world.callers, 0, arguments.activities).await?;
    world.callers.credit_knows_all().await?;
    let begin = Instant::now();
    let output = Command::new(&arguments.program)
        .args(["verify", "activity", "--activity-url", &world.served.urls[1]])
        .stdin(Stdio::null())
        .output()
        .await?;
    let elapsed = begin.elapsed().as_secs_f64();
    ensure!(output.status.success(), "verify: {}", String::from_utf8_lossy(&output.stdout));
    let grouped = grouped(&world).await?;
    Ok(vec![
        Figure::new(format!("verify of {} activities of {pairs} pairs", arguments.activities), Unit::Seconds, elapsed)
            .beside("GROUP BY to the last of each pair", grouped),
        Figure::new("activities verified", Unit::PerSecond, arguments.activities as f64 / elapsed),
        Figure::new("memory of all services at most", Unit::Megabytes, world.served.megabytes("VmHWM")?),
    ])
}

/// How long the database itself takes for the last activity of each pair.
async fn grouped(world: &World) -> anyhow::Result<f64> {
    let url = world.store.url("activity");
    let begin;
    match world.store {
        crate::store::Store::Sqlite(_) => {
            let connection = rusqlite::Connection::open(url)?;
            begin = Instant::now();
            connection.query_row(LAST_PER_PAIR, [], |row| row.get::<_, i64>(0))?;
        }
        crate::store::Store::Postgresql { .. } => {
            let mut connection = PgConnection::connect(&url).await?;
            connection.execute("VACUUM ANALYZE activity").await?;
            begin = Instant::now();
            connection.execute(LAST_PER_PAIR).await?;
        }
    }
    Ok(begin.elapsed().as_secs_f64())
}
