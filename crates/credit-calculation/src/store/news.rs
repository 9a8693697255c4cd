//! How far the facts have come, and what has changed since: read by whoever holds facts in memory.

use contracts::{Feed, Revision};
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryResult, Statement};
use service_kit::{ServiceError, StoredInstant, position, stored_position};

use super::journal::Changed;

/// The cursors of the copies with their journals, and the end of this service's own facts: one statement, so that it is of
/// one moment without a transaction.
const PLACES: &str = "SELECT c.feed, c.position, c.caught_up_time, j.generation, j.position, j.caught_up_time \
     FROM feed_cursor c LEFT JOIN copy_journal j ON j.feed = c.feed \
     UNION ALL SELECT h.feed, h.position, NULL, 0, h.position, NULL FROM feed_head h";

/// What changed behind a position of a copy.
const OF_COPY: &str = "SELECT client_id, partner_id FROM changed_pair WHERE feed = $1 AND position > $2 \
     ORDER BY position LIMIT $3";

/// What changed behind a position of this service's own facts. A voiding names a sale, which names the client.
const OWN: [&str; 3] = [
    "SELECT client_id, CAST(0 AS BIGINT) FROM subscription_change WHERE position > $1 ORDER BY position LIMIT $2",
    "SELECT client_id, partner_id FROM sold_credit WHERE position > $1 ORDER BY position LIMIT $2",
    "SELECT s.client_id, s.partner_id FROM sold_credit_voiding v JOIN sold_credit s \
     ON s.partner_id = v.partner_id AND s.sold_credit_id = v.sold_credit_id \
     WHERE v.position > $1 ORDER BY v.position LIMIT $2",
];

/// Whether any tier may have changed behind a position.
const OWN_TIERS: [&str; 2] = [
    "SELECT position FROM tier_grant WHERE position > $1 LIMIT 1",
    "SELECT position FROM tier_evaluation WHERE position > $1 LIMIT 1",
];

/// How far a copy, or the own facts, have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub position: u64,
    /// Of the own facts always 0: nothing of them is ever replaced.
    pub generation: i64,
    /// When a copy was last known to be complete.
    pub caught_up_time: Option<Instant>,
}

/// How far all facts have come, at one moment of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Places {
    pub access: Place,
    pub servicing: Place,
    pub own: Place,
}

/// What has changed between two moments, or after the second.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    pub changed: Vec<Changed>,
    pub tiers: bool,
}

impl Places {
    fn each(&self) -> [Place; 3] {
        [self.access, self.servicing, self.own]
    }

    /// Whether everything that is known there is known here.
    pub fn has_reached(&self, other: &Self) -> bool {
        self.each().into_iter().zip(other.each()).all(|(place, other)| place.position >= other.position)
    }

    /// Of the copies; a later one is greater.
    pub fn generations(&self) -> [i64; 3] {
        self.each().map(|place| place.generation)
    }

    /// Whether the facts are the same.
    pub fn is_same_moment(&self, other: &Self) -> bool {
        let what = |places: &Self| places.each().map(|place| (place.position, place.generation));
        what(self) == what(other)
    }

    /// When both copies were last known to be complete.
    pub fn fresh_time(&self) -> Option<Instant> {
        self.access.caught_up_time.zip(self.servicing.caught_up_time).map(|(one, other)| one.min(other))
    }

    /// The revisions that are known.
    pub const fn revisions(&self) -> [Revision; 3] {
        let access = Revision { feed: Feed::Access, position: self.access.position };
        [access, Revision { feed: Feed::Servicing, position: self.servicing.position }, self.own()]
    }

    /// The revision of this service's own facts.
    pub const fn own(&self) -> Revision {
        Revision { feed: Feed::Credit, position: self.own.position }
    }
}

/// How far the facts have come; nothing where a version that does not tell its changes has written a copy last.
pub(crate) async fn places<C: ConnectionTrait>(connection: &C) -> Result<Option<Places>, ServiceError> {
    let mut places = Places::default();
    for row in rows(connection, PLACES, []).await? {
        let feed: String = row.try_get_by_index(0)?;
        let stood: (i64, Option<StoredInstant>) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
        let told: (Option<i64>, Option<StoredInstant>) = (row.try_get_by_index(4)?, row.try_get_by_index(5)?);
        let generation: Option<i64> = row.try_get_by_index(3)?;
        let Some(generation) = generation.filter(|_| told == (Some(stood.0), stood.1)) else { return Ok(None) };
        let place = Place { position: position(stood.0), generation, caught_up_time: stood.1.map(Instant::from) };
        match feed.as_str() {
            feed if feed == Feed::Access.as_str() => places.access = place,
            feed if feed == Feed::Servicing.as_str() => places.servicing = place,
            _ => places.own = place,
        }
    }
    Ok(Some(places))
}

/// What has changed since one moment up to another, and perhaps later; nothing where it is more than `limit`. The
/// connection must see at least the later one.
pub(crate) async fn changes<C: ConnectionTrait>(
    connection: &C,
    from: &Places,
    to: &Places,
    limit: usize,
) -> Result<Option<Changes>, ServiceError> {
    let mut changes = Changes::default();
    let one_more: Value = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1).into();
    for (feed, from, to) in [(Feed::Access, from.access, to.access), (Feed::Servicing, from.servicing, to.servicing)] {
        if from.position != to.position {
            let values = [feed.as_str().into(), stored_position(from.position).into(), one_more.clone()];
            changes.add(rows(connection, OF_COPY, values).await?)?;
        }
    }
    if from.own.position != to.own.position {
        let behind: Value = stored_position(from.own.position).into();
        for query in OWN {
            changes.add(rows(connection, query, [behind.clone(), one_more.clone()]).await?)?;
        }
        for query in OWN_TIERS {
            changes.tiers |= !rows(connection, query, [behind.clone()]).await?.is_empty();
        }
    }
    Ok(Some(changes).filter(|changes| changes.changed.len() <= limit))
}

impl Changes {
    fn add(&mut self, rows: Vec<QueryResult>) -> Result<(), ServiceError> {
        for row in rows {
            self.changed.push(Changed::from_columns(row.try_get_by_index(0)?, row.try_get_by_index(1)?)?);
        }
        Ok(())
    }
}

async fn rows<C: ConnectionTrait, const N: usize>(
    connection: &C,
    query: &str,
    values: [Value; N],
) -> Result<Vec<QueryResult>, DbErr> {
    let backend = connection.get_database_backend();
    connection.query_all_raw(Statement::from_sql_and_values(backend, query, values)).await
}
