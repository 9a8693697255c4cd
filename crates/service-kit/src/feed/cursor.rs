//! Where a follower is in a feed.

use contracts::Feed;
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ColumnDef, Query, Table};
use sea_orm::{ActiveValue::Set, QuerySelect as _, Select};
use sea_orm_migration::SchemaManager;

use crate::{StoredInstant, position, stored_position};

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
    };
    entity::Entity::update(row).exec(transaction).await?;
    Ok(())
}
