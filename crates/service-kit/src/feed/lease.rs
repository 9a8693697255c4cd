//! Who of several replicas follows a feed: one at a time, by a lease in the database that they share.
//!
//! A lease is for efficiency only: cursor and facts are stored together, so two who followed at once would apply every
//! message twice and lose nothing. It ends by the database's clock, since replicas may disagree about the time; whoever
//! finds it ended takes it. An SQLite file has one process, which needs none.

use std::time::Duration;

use contracts::Feed;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ColumnDef, Expr, ExprTrait as _, Query, SimpleExpr, Table};
use sea_orm_migration::SchemaManager;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::{NoContext, Timestamp, Uuid};

use super::{Following, Watermarks};
use crate::{Database, ServiceError};

/// After how long without a renewal a lease ends: so long nobody follows where its holder died.
const LEASE: Duration = Duration::from_secs(3);
/// How often its holder renews it.
const RENEWAL: Duration = Duration::from_secs(1);

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "feed_lease")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub feed: String,
        pub holder: Option<Uuid>,
        /// Microseconds since 1970, by the database's clock.
        pub expire_time: i64,
        /// How the holder's following goes.
        pub following: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

use entity::Column;

/// Creates the table of the leases on the feeds that the service follows; nobody holds one.
///
/// # Errors
/// The database refuses.
pub async fn create_lease_table(manager: &SchemaManager<'_>, followed: &[Feed]) -> Result<(), DbErr> {
    let table = Table::create()
        .table(entity::Entity)
        .col(ColumnDef::new(Column::Feed).text().not_null().primary_key())
        .col(ColumnDef::new(Column::Holder).uuid())
        .col(ColumnDef::new(Column::ExpireTime).big_integer().not_null())
        .col(ColumnDef::new(Column::Following).text().not_null())
        .to_owned();
    manager.create_table(table).await?;
    for feed in followed {
        let free = Query::insert()
            .into_table(entity::Entity)
            .columns([Column::Feed, Column::ExpireTime, Column::Following])
            .values_panic([feed.as_str().into(), 0_i64.into(), Following::Starting.as_str().into()])
            .to_owned();
        manager.execute(free).await?;
    }
    Ok(())
}

/// What became of asking for a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// It is ours.
    Held,
    /// Another replica holds it, whose following goes like this.
    HeldByOther(Following),
}

/// The wish of one process to follow a feed.
pub(super) struct Lease<'database> {
    database: &'database Database,
    feed: Feed,
    holder: Uuid,
}

impl<'database> Lease<'database> {
    pub fn new(database: &'database Database, feed: Feed) -> Self {
        Self { database, feed, holder: Uuid::new_v7(Timestamp::now(NoContext)) }
    }

    /// Takes the lease where it is free or has ended, and renews it where it is ours; says how our following goes.
    pub async fn claim(&self, following: Following) -> Result<Claim, ServiceError> {
        if self.database.is_sqlite() {
            return Ok(Claim::Held);
        }
        let is_ours_or_ended = Column::Holder.eq(self.holder).or(Expr::col(Column::ExpireTime).lte(now()));
        let claimed = entity::Entity::update_many()
            .col_expr(Column::Holder, Expr::value(self.holder))
            .col_expr(Column::ExpireTime, now().add(micros(LEASE)))
            .col_expr(Column::Following, Expr::value(following.as_str()))
            .filter(Column::Feed.eq(self.feed.as_str()).and(is_ours_or_ended))
            .exec(self.database.connection())
            .await?;
        if claimed.rows_affected == 1 {
            return Ok(Claim::Held);
        }
        let row = entity::Entity::find_by_id(self.feed.as_str()).one(self.database.connection()).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound(format!("feed_lease of {}", self.feed.as_str())))?;
        Ok(Claim::HeldByOther(Following::named(&row.following).unwrap_or_default()))
    }

    /// Renews the lease until another replica has it, or until it may have, because the database cannot be asked.
    pub async fn keep(&self, watermarks: &Watermarks) {
        let mut end = Instant::now() + LEASE;
        loop {
            sleep(RENEWAL).await;
            let asked = Instant::now();
            match timeout_at(end, self.claim(watermarks.following(self.feed))).await {
                Ok(Ok(Claim::Held)) => end = asked + LEASE,
                Ok(Ok(Claim::HeldByOther(_))) | Err(_) => return,
                Ok(Err(error)) => tracing::warn!(feed = self.feed.as_str(), %error, "the lease was not renewed"),
            }
        }
    }

    /// Lets another replica follow at once.
    pub async fn release(&self) {
        if self.database.is_sqlite() {
            return;
        }
        let released = entity::Entity::update_many()
            .col_expr(Column::ExpireTime, Expr::value(0_i64))
            .filter(Column::Feed.eq(self.feed.as_str()).and(Column::Holder.eq(self.holder)))
            .exec(self.database.connection())
            .await;
        if let Err(error) = released {
            tracing::warn!(feed = self.feed.as_str(), %error, "the lease was not released; it ends by itself");
        }
    }
}

/// The present by PostgreSQL's clock, also late in a transaction.
fn now() -> SimpleExpr {
    Expr::cust("(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::bigint")
}

fn micros(duration: Duration) -> SimpleExpr {
    Expr::value(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX))
}
