//! Building a copy anew from the feed's beginning, while the present one goes on serving.

use std::future::Future;

use sea_orm_migration::MigratorTrait;

use super::{CatchUp, Cursor, Follow, Shadow, Watermarks, lock_cursor, store_cursor};
use crate::maintenance::ReplayProgress;
use crate::{Database, ServiceError, WriteTransaction};

/// How often the new copy is brought to the feed's end again because the present one has come further meanwhile.
const MAXIMUM_ATTEMPTS: usize = 10;

/// A follower whose copy can be built anew.
pub trait Rebuild: Follow + Sized {
    /// The schema of the service.
    type Migrator: MigratorTrait;

    /// Where the copy is.
    fn database(&self) -> &Database;

    /// The same follower with another database for its copy.
    fn in_database(&self, database: Database) -> Self;

    /// Puts what the other database has of the feed into the place of the present copy, and sees to what follows from it.
    /// The transaction holds the cursor.
    fn put_in_place(
        &self,
        shadow: &Database,
        transaction: &WriteTransaction,
    ) -> impl Future<Output = Result<(), ServiceError>> + Send;
}

/// Builds the copy of a follower anew in a shadow, by the follower's own code, and puts it into the place of the present
/// one in one transaction. Before that nothing has changed, and no place in memory grows with the feed.
///
/// Whoever follows meanwhile finds the cursor elsewhere, and goes on from there.
///
/// # Errors
/// `EVIDENCE_UNAVAILABLE` where the owner of the feed is away; something in it that this version does not understand; a
/// database that fails.
pub async fn replay<R: Rebuild>(
    follower: &R,
    watermarks: &Watermarks,
    progress: &ReplayProgress,
) -> Result<(), ServiceError> {
    let shadow = Shadow::create::<R::Migrator>().await?;
    let rebuilt = rebuild(follower, &shadow, progress).await;
    shadow.close().await;
    let cursor = rebuilt?;
    watermarks.publish(&cursor);
    tracing::info!(feed = cursor.feed.as_str(), position = cursor.position, "this copy was built anew");
    progress.complete(cursor.position).await
}

async fn rebuild<R: Rebuild>(follower: &R, shadow: &Shadow, progress: &ReplayProgress) -> Result<Cursor, ServiceError> {
    let in_shadow = follower.in_database(shadow.database().clone());
    let mut catch_up = CatchUp::begin(&in_shadow).await?;
    let mut present = Present::Unknown;
    for _ in 0..MAXIMUM_ATTEMPTS {
        take_to_the_end(&mut catch_up, progress).await?;
        present = present.seen_from(catch_up.cursor());
        match swap(follower, shadow, catch_up.cursor(), present).await? {
            Present::Replaced => return Ok(catch_up.cursor().clone()),
            further => present = further,
        }
    }
    // It always is a little further: then it goes back a little, and its follower on from there.
    swap(follower, shadow, catch_up.cursor(), Present::OfAnotherHistory).await?;
    Ok(catch_up.cursor().clone())
}

/// Takes over messages up to the next that the feed had no more behind.
async fn take_to_the_end<F: Follow>(
    catch_up: &mut CatchUp<'_, F>,
    progress: &ReplayProgress,
) -> Result<(), ServiceError> {
    loop {
        let caught_up = catch_up.take_next(None).await?;
        progress.applied(catch_up.cursor().position).await?;
        if caught_up {
            return Ok(());
        }
    }
}

/// What is known of the present copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Present {
    Unknown,
    /// It was at this position, which the new one had not reached.
    Further(u64),
    /// The feed ends before a position that the present copy had before: its place means nothing.
    OfAnotherHistory,
    Replaced,
}

impl Present {
    /// What the end of the feed, that was read after this was known, says of it.
    const fn seen_from(self, end: &Cursor) -> Self {
        match self {
            Self::Further(position) if end.position < position => Self::OfAnotherHistory,
            other => other,
        }
    }
}

/// Puts the shadow's copy into its place, unless the present one has come further meanwhile.
async fn swap<R: Rebuild>(
    follower: &R,
    shadow: &Shadow,
    cursor: &Cursor,
    present: Present,
) -> Result<Present, ServiceError> {
    let transaction = follower.database().begin_write().await?;
    let present_position = lock_cursor(&*transaction, cursor.feed).await?.position;
    if present_position > cursor.position && present != Present::OfAnotherHistory {
        return Ok(Present::Further(present_position));
    }
    follower.put_in_place(shadow.database(), &transaction).await?;
    store_cursor(&*transaction, cursor).await?;
    transaction.commit().await?;
    Ok(Present::Replaced)
}
