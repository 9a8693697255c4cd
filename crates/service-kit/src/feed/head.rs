//! The end of a feed that the service owns.

use contracts::{Feed, Revision};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ColumnDef, Query, Table};
use sea_orm::{ActiveValue::Set, QuerySelect as _};
use sea_orm_migration::SchemaManager;
use sha2::{Digest as _, Sha256};

use crate::{position, stored_position};

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "feed_head")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub feed: String,
        pub position: i64,
        pub chain_hash: Vec<u8>,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// The last position of a feed, and the hash over its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    feed: Feed,
    /// The last position that was given out; 0 before the first.
    pub position: u64,
    /// The hash over the last change and all before it; empty before the first.
    pub chain_hash: Vec<u8>,
}

impl Head {
    /// The end of a feed without changes.
    #[must_use]
    pub const fn start(feed: Feed) -> Self {
        Self::at(feed, 0, Vec::new())
    }

    /// The end of a feed up to a position, with the hash over its history up to there.
    #[must_use]
    pub const fn at(feed: Feed, position: u64, chain_hash: Vec<u8>) -> Self {
        Self { feed, position, chain_hash }
    }

    /// The position that the next change will have.
    #[must_use]
    pub const fn next_position(&self) -> u64 {
        self.position + 1
    }

    /// Takes the next position for a change with these bytes.
    pub fn advance(&mut self, change: &[u8]) {
        self.position += 1;
        self.chain_hash = chained(&self.chain_hash, change);
    }

    /// The revision that contains everything up to here.
    #[must_use]
    pub const fn revision(&self) -> Revision {
        Revision { feed: self.feed, position: self.position }
    }

    fn from_row(feed: Feed, row: Option<entity::Model>) -> Result<Self, DbErr> {
        let row = row.ok_or_else(|| DbErr::RecordNotFound(format!("feed_head of {}", feed.as_str())))?;
        Ok(Self { feed, position: position(row.position), chain_hash: row.chain_hash })
    }
}

/// The hash over a change with these bytes and all before it, whose hash this is.
pub(crate) fn chained(before: &[u8], change: &[u8]) -> Vec<u8> {
    Sha256::new().chain_update(before).chain_update(change).finalize().to_vec()
}

/// Creates the counter row of a feed that the service owns.
///
/// # Errors
/// The database refuses.
pub async fn create_head_table(manager: &SchemaManager<'_>, feed: Feed) -> Result<(), DbErr> {
    let table = Table::create()
        .table(entity::Entity)
        .col(ColumnDef::new(entity::Column::Feed).text().not_null().primary_key())
        .col(ColumnDef::new(entity::Column::Position).big_integer().not_null())
        .col(ColumnDef::new(entity::Column::ChainHash).blob().not_null())
        .to_owned();
    manager.create_table(table).await?;
    let start = Query::insert()
        .into_table(entity::Entity)
        .columns([entity::Column::Feed, entity::Column::Position, entity::Column::ChainHash])
        .values_panic([feed.as_str().into(), 0_i64.into(), Vec::<u8>::new().into()])
        .to_owned();
    manager.execute(start).await
}

/// The head as it is.
///
/// # Errors
/// The database fails.
pub async fn read_head<C: ConnectionTrait>(connection: &C, feed: Feed) -> Result<Head, DbErr> {
    Head::from_row(feed, entity::Entity::find_by_id(feed.as_str()).one(connection).await?)
}

/// The head, held until the transaction ends, so that positions are given out in the order of commits.
///
/// # Errors
/// The database fails.
pub async fn lock_head<C: ConnectionTrait>(transaction: &C, feed: Feed) -> Result<Head, DbErr> {
    Head::from_row(feed, entity::Entity::find_by_id(feed.as_str()).lock_exclusive().one(transaction).await?)
}

/// Stores a head that was locked in the same transaction.
///
/// # Errors
/// The database fails.
pub async fn store_head<C: ConnectionTrait>(transaction: &C, head: &Head) -> Result<(), DbErr> {
    let row = entity::ActiveModel {
        feed: Set(head.feed.as_str().to_owned()),
        position: Set(stored_position(head.position)),
        chain_hash: Set(head.chain_hash.clone()),
    };
    entity::Entity::update(row).exec(transaction).await?;
    Ok(())
}
