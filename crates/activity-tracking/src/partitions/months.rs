//! The months of activities, each a table, and one for what lies outside of the months that there are.

use std::collections::BTreeSet;
use std::iter;

use chrono::Months;
use domain::statement::Month;
use domain::time::{FIRST_STORABLE, Instant, LAST_STORABLE};
use sea_orm::{ConnectionTrait, DbErr};
use service_kit::{Database, StoredInstant};

use super::{ACTIVITY, begin, execute_all, part_name, statement, texts};

/// How many months there are behind the present one, at most; what is older is with what lies outside of the months.
const MAXIMUM_MONTHS_BEHIND: u32 = 60;

/// How long months wait for those who use the tables, who all wait behind them.
const LOCK_LIMIT: &str = "5s";

/// When a month begins and ends, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MonthBounds {
    month: Month,
    start: i64,
    end: i64,
}

impl MonthBounds {
    fn of(month: Month) -> Self {
        let stored = |instant| StoredInstant::from(instant).0;
        Self { month, start: stored(month.start()), end: stored(month.end()) }
    }

    /// The table of the month in a part.
    pub fn table(&self, part: &str) -> String {
        format!("{part}_{}", self.month.to_string().replace('-', "_"))
    }

    /// What is in it.
    pub fn values(&self) -> String {
        format!("FOR VALUES FROM ({}) TO ({})", self.start, self.end)
    }
}

/// The table of what lies outside of a part's months.
pub(super) fn other(part: &str) -> String {
    format!("{part}_other")
}

/// The months that are to be there: from that of the oldest activity to so many ahead of the present one.
pub(super) async fn months_of<C: ConnectionTrait>(
    connection: &C,
    months_ahead: u32,
    now: Instant,
) -> Result<Vec<MonthBounds>, DbErr> {
    let query = statement(connection, format!("SELECT min(occur_time) FROM {ACTIVITY}"));
    let oldest: Option<i64> = match connection.query_one_raw(query).await? {
        Some(row) => row.try_get_by_index(0)?,
        None => None,
    };
    let oldest = oldest.map(|stored| StoredInstant(stored).into());
    Ok(months_between(oldest, months_ahead, now).map(MonthBounds::of).collect())
}

fn months_between(oldest: Option<Instant>, months_ahead: u32, now: Instant) -> impl Iterator<Item = Month> {
    let bound = now.checked_sub_months(Months::new(MAXIMUM_MONTHS_BEHIND)).unwrap_or(FIRST_STORABLE);
    let last = now.checked_add_months(Months::new(months_ahead)).unwrap_or(LAST_STORABLE);
    let first = Month::of(oldest.unwrap_or(now).clamp(bound, now));
    let next = move |month: &Month| Some(Month::of(month.end())).filter(|next| next.start() <= last && next > month);
    iter::successors(Some(first), next)
}

/// Adds the months that a part lacks, part by part; what lay outside of the months and is in one of these is moved.
///
/// For as long as a part takes, nothing is recorded, and who reads what lies outside of its months waits. Others are not
/// waited for longer than [`LOCK_LIMIT`]; the parts before have their months then, and whoever tries again goes on.
pub(super) async fn add(database: &Database, partitions: u32, months_ahead: u32, now: Instant) -> Result<(), DbErr> {
    let months = months_of(database.connection(), months_ahead, now).await?;
    for part in 0..partitions {
        let part = part_name(ACTIVITY, partitions, part, true);
        if !missing(database.connection(), &part, &months).await?.is_empty() {
            add_to_part(database, &part, &months).await?;
        }
    }
    Ok(())
}

async fn add_to_part(database: &Database, part: &str, months: &[MonthBounds]) -> Result<(), DbErr> {
    let transaction = begin(database).await?;
    let other = other(part);
    // From the whole to its part, as everybody locks them. Who records could otherwise put a row outside of the months
    // for which there is a month by then.
    execute_all(
        &*transaction,
        &[
            format!("SET LOCAL lock_timeout = '{LOCK_LIMIT}'"),
            format!("LOCK TABLE ONLY {ACTIVITY} IN SHARE ROW EXCLUSIVE MODE"),
            format!("LOCK TABLE ONLY {other} IN ACCESS EXCLUSIVE MODE"),
        ],
    )
    .await?;
    let missing = missing(&*transaction, part, months).await?;
    for month in &missing {
        let (table, values) = (month.table(part), month.values());
        let MonthBounds { start, end, .. } = month;
        let inside = format!("occur_time >= {start} AND occur_time < {end}");
        execute_all(
            &*transaction,
            &[
                format!("CREATE TABLE {table} (LIKE {part} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"),
                format!(
                    "WITH moved AS (DELETE FROM {other} WHERE {inside} RETURNING *) \
                     INSERT INTO {table} SELECT * FROM moved"
                ),
                format!("ALTER TABLE {part} ATTACH PARTITION {table} {values}"),
            ],
        )
        .await?;
    }
    transaction.commit().await?;
    for month in &missing {
        database.connection().execute_unprepared(&format!("ANALYZE {}", month.table(part))).await?;
    }
    Ok(())
}

async fn missing<C: ConnectionTrait>(
    connection: &C,
    part: &str,
    months: &[MonthBounds],
) -> Result<Vec<MonthBounds>, DbErr> {
    let tables = format!(
        "SELECT relname::text FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = '{part}'::regclass"
    );
    let tables: BTreeSet<String> = texts(connection, tables).await?.into_iter().collect();
    Ok(months.iter().filter(|month| !tables.contains(&month.table(part))).cloned().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().expect("an instant")
    }

    fn months(oldest: Option<&str>, months_ahead: u32) -> Vec<String> {
        let now = at("2025-12-31T12:00:00Z");
        months_between(oldest.map(at), months_ahead, now).map(|month| month.to_string()).collect()
    }

    #[test]
    fn there_are_months_from_the_oldest_activity_to_so_many_ahead() {
        assert_eq!(months(Some("2025-10-31T23:59:59Z"), 2), ["2025-10", "2025-11", "2025-12", "2026-01", "2026-02"]);
        assert_eq!(months(None, 1), ["2025-12", "2026-01"]);
        assert_eq!(months(Some("2026-01-01T00:03:00Z"), 1), ["2025-12", "2026-01"], "what is dated a little ahead");
    }

    #[test]
    fn what_is_very_old_has_no_month() {
        let months = months(Some("1970-01-01T00:00:00Z"), 1);
        assert_eq!((months.len(), months[0].as_str()), (62, "2020-12"));
    }

    #[test]
    fn there_are_no_months_behind_the_last_that_can_be_stored() {
        let now = at("9999-11-05T00:00:00Z");
        let months: Vec<String> = months_between(None, 24, now).map(|month| month.to_string()).collect();
        assert_eq!(months, ["9999-11", "9999-12"]);
    }
}
