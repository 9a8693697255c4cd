//! Where a follower is in a feed.

use contracts::{Feed, wire};
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ColumnDef, Query, Table};
use sea_orm::{ActiveValue::Set, DbBackend, QuerySelect as _, Select};
use sea_orm_migration::SchemaManager;

use crate::{ServiceError, StoredInstant, position, stored_position};

mod entity {
    use sea_orm::entity::prelude::*;

    use crate::StoredInstant;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "feed_cursor")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub feed: String,
        pub position: i64,
        pub chain_hash: Vec<u8>,
        pub incorporated_position: i64,
        pub caught_up_time: Option<StoredInstant>,
        pub replacements: i64,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// Where a follower is in a feed, stored with the facts that it has taken over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// Which feed.
    pub feed: Feed,
    /// The last position whose facts are stored here.
    pub position: u64,
    /// The hash over the feed's history up to there; empty before the first.
    pub chain_hash: Vec<u8>,
    /// Up to which position of *its own* upstream the followed feed had said everything; 0 where it has none.
    pub incorporated_position: u64,
    /// When the copy was last known to be complete.
    pub caught_up_time: Option<Instant>,
    /// How often the whole copy was replaced by one that was built anew: what was read before that is of another copy,
    /// also where the place is the same.
    pub replacements: u64,
}

/// A change as a feed sends it.
pub trait Change {
    /// Its place in the feed.
    fn position(&self) -> u64;
    /// The hash over it and all before it.
    fn chain_hash(&self) -> &[u8];
}

impl Change for wire::access::AccessChange {
    fn position(&self) -> u64 {
        self.position
    }

    fn chain_hash(&self) -> &[u8] {
        &self.chain_hash
    }
}

impl Change for wire::activity::ServicingChange {
    fn position(&self) -> u64 {
        self.position
    }

    fn chain_hash(&self) -> &[u8] {
        &self.chain_hash
    }
}

/// A message of a feed: changes in their order, and what else it says.
pub trait Message: Send + 'static {
    /// The changes of this feed.
    type Change: Change;

    /// Its changes.
    fn changes_mut(&mut self) -> &mut Vec<Self::Change>;

    /// Whether there were no more changes when it was sent.
    fn caught_up(&self) -> bool;
}

impl Message for wire::access::WatchAccessResponse {
    type Change = wire::access::AccessChange;

    fn changes_mut(&mut self) -> &mut Vec<Self::Change> {
        &mut self.changes
    }

    fn caught_up(&self) -> bool {
        self.caught_up
    }
}

impl Message for wire::activity::WatchServicingResponse {
    type Change = wire::activity::ServicingChange;

    fn changes_mut(&mut self) -> &mut Vec<Self::Change> {
        &mut self.changes
    }

    fn caught_up(&self) -> bool {
        self.caught_up
    }
}

impl Cursor {
    /// Moves behind a message, and answers which of its changes are not stored yet.
    ///
    /// # Errors
    /// `FeedGap`: they do not begin right behind the cursor, and to go on would be to lose what is missing.
    pub fn advance<M: Change>(
        &mut self,
        changes: Vec<M>,
        caught_up: bool,
        now: Instant,
    ) -> Result<Vec<M>, ServiceError> {
        let news: Vec<M> = changes.into_iter().filter(|change| change.position() > self.position).collect();
        if !news.iter().map(Change::position).eq((self.position + 1..).take(news.len())) {
            return Err(ServiceError::FeedGap { feed: self.feed, position: self.position });
        }
        if let Some(last) = news.last() {
            self.position = last.position();
            self.chain_hash = last.chain_hash().to_vec();
        }
        if caught_up {
            self.caught_up_time = Some(now);
        }
        Ok(news)
    }
}

/// Creates the table of the cursors at which the service resumes to follow.
///
/// # Errors
/// The database refuses.
pub async fn create_cursor_table(manager: &SchemaManager<'_>, followed: &[Feed]) -> Result<(), DbErr> {
    let table = Table::create()
        .table(entity::Entity)
        .col(ColumnDef::new(entity::Column::Feed).text().not_null().primary_key())
        .col(ColumnDef::new(entity::Column::Position).big_integer().not_null())
        .col(ColumnDef::new(entity::Column::ChainHash).blob().not_null())
        .col(ColumnDef::new(entity::Column::IncorporatedPosition).big_integer().not_null())
        .col(ColumnDef::new(entity::Column::CaughtUpTime).big_integer())
        .to_owned();
    manager.create_table(table).await?;
    for feed in followed {
        let start = Query::insert()
            .into_table(entity::Entity)
            .columns([
                entity::Column::Feed,
                entity::Column::Position,
                entity::Column::ChainHash,
                entity::Column::IncorporatedPosition,
            ])
            .values_panic([feed.as_str().into(), 0_i64.into(), Vec::<u8>::new().into(), 0_i64.into()])
            .to_owned();
        manager.execute(start).await?;
    }
    Ok(())
}

/// Adds how often copies were replaced.
///
/// # Errors
/// The database refuses.
pub async fn add_replacements_column(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let column = ColumnDef::new(entity::Column::Replacements).big_integer().not_null().default(0).to_owned();
    manager.alter_table(Table::alter().table(entity::Entity).add_column(column).to_owned()).await
}

fn find(feed: Feed) -> Select<entity::Entity> {
    entity::Entity::find_by_id(feed.as_str())
}

fn from_row(feed: Feed, row: Option<entity::Model>) -> Result<Cursor, DbErr> {
    let row = row.ok_or_else(|| DbErr::RecordNotFound(format!("feed_cursor of {}", feed.as_str())))?;
    Ok(Cursor {
        feed,
        position: position(row.position),
        chain_hash: row.chain_hash,
        incorporated_position: position(row.incorporated_position),
        caught_up_time: row.caught_up_time.map(Into::into),
        replacements: position(row.replacements),
    })
}

/// The cursor as it is.
///
/// # Errors
/// The database fails.
pub async fn read_cursor<C: ConnectionTrait>(connection: &C, feed: Feed) -> Result<Cursor, DbErr> {
    from_row(feed, find(feed).one(connection).await?)
}

/// The cursor, held against everybody until the transaction ends: for the follower.
///
/// # Errors
/// The database fails.
pub async fn lock_cursor<C: ConnectionTrait>(transaction: &C, feed: Feed) -> Result<Cursor, DbErr> {
    // Shared locks of a row let each other in for ever: under recording without a pause, PostgreSQL would never give the
    // follower its turn. Locks of a table queue: whoever asks to share after the follower waits behind it.
    if transaction.get_database_backend() == DbBackend::Postgres {
        transaction.execute_unprepared("LOCK TABLE feed_cursor IN EXCLUSIVE MODE").await?;
    }
    from_row(feed, find(feed).lock_exclusive().one(transaction).await?)
}

/// The cursor, held against the follower until the transaction ends: for whoever judges by the copy, so that no fact
/// slips in between the judgement and its commit.
///
/// # Errors
/// The database fails.
pub async fn lock_cursor_shared<C: ConnectionTrait>(transaction: &C, feed: Feed) -> Result<Cursor, DbErr> {
    from_row(feed, find(feed).lock_shared().one(transaction).await?)
}

/// Stores a cursor that was locked in the same transaction.
///
/// # Errors
/// The database fails.
pub async fn store_cursor<C: ConnectionTrait>(transaction: &C, cursor: &Cursor) -> Result<(), DbErr> {
    let row = entity::ActiveModel {
        feed: Set(cursor.feed.as_str().to_owned()),
        position: Set(stored_position(cursor.position)),
        chain_hash: Set(cursor.chain_hash.clone()),
        incorporated_position: Set(stored_position(cursor.incorporated_position)),
        caught_up_time: Set(cursor.caught_up_time.map(StoredInstant::from)),
        replacements: Set(stored_position(cursor.replacements)),
    };
    entity::Entity::update(row).exec(transaction).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use contracts::wire::access::AccessChange;

    use super::*;

    fn cursor(position: u64) -> Cursor {
        Cursor {
            feed: Feed::Access,
            position,
            chain_hash: vec![1],
            incorporated_position: 0,
            caught_up_time: None,
            replacements: 0,
        }
    }

    fn changes(positions: &[u64]) -> Vec<AccessChange> {
        let change = |position: &u64| AccessChange {
            position: *position,
            chain_hash: position.to_be_bytes().to_vec(),
            ..AccessChange::default()
        };
        positions.iter().map(change).collect()
    }

    fn now() -> Instant {
        "2026-01-01T00:00:00Z".parse().expect("a time")
    }

    #[test]
    fn what_is_stored_already_is_passed_over() {
        let mut behind = cursor(5);
        assert_eq!(behind.advance(changes(&[4, 5, 6, 7]), false, now()).expect("no gap"), changes(&[6, 7]));
        let expected = Cursor { chain_hash: 7_u64.to_be_bytes().to_vec(), ..cursor(7) };
        assert_eq!(behind, expected);
        assert_eq!(behind.advance(changes(&[6, 7]), true, now()).expect("no gap"), []);
        assert_eq!(behind, Cursor { caught_up_time: Some(now()), ..expected });
    }

    #[test]
    fn a_gap_in_the_feed_is_not_passed_over() {
        for positions in [&[7][..], &[6, 8], &[4, 5, 7], &[6, 6], &[7, 6]] {
            let mut behind = cursor(5);
            let refused = behind.advance(changes(positions), true, now());
            assert!(matches!(refused, Err(ServiceError::FeedGap { position: 5, .. })), "{positions:?}");
            assert_eq!(behind, cursor(5), "it stays where it was");
        }
    }
}
