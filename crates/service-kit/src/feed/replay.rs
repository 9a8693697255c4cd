//! Building a copy anew from the feed's beginning, while the present one goes on serving.

use std::future::Future;
use std::time::Duration;

use sea_orm_migration::MigratorTrait;
use tokio::time::timeout;
use tonic::Status;

use super::catch_up::unavailable;
use super::{CatchUp, Cursor, Follow, Shadow, Watermarks, lock_cursor, store_cursor};
use crate::maintenance::ReplayProgress;
use crate::{Database, ServiceError, WriteTransaction};

/// How long the present copy stands still while the new one takes over what it has still more.
const LAST_CHANGES_LIMIT: Duration = Duration::from_secs(5);

/// A follower whose copy can be built anew.
pub trait Rebuild: Follow + Sized {
    /// The schema of the service.
    type Migrator: MigratorTrait;

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
    watermarks.raise(&cursor);
    tracing::info!(feed = cursor.feed.as_str(), position = cursor.position, "this copy was built anew");
    progress.complete(cursor.position).await
}

async fn rebuild<R: Rebuild>(follower: &R, shadow: &Shadow, progress: &ReplayProgress) -> Result<Cursor, ServiceError> {
    let in_shadow = follower.in_database(shadow.database().clone());
    let mut catch_up = CatchUp::begin(&in_shadow).await?;
    take_to_the_end(&mut catch_up, progress).await?;
    let transaction = follower.database().begin_write().await?;
    let present = lock_cursor(&*transaction, follower.feed()).await?;
    if present.position > catch_up.cursor().position {
        // The present copy has come further meanwhile, and stands still now. What is read from now on has all that it has,
        // unless it is of another history, and its place means nothing.
        catch_up.reopen();
        let taken = timeout(LAST_CHANGES_LIMIT, take_to_the_end(&mut catch_up, progress)).await;
        taken.unwrap_or_else(|_| Err(unavailable(catch_up.cursor(), &Status::deadline_exceeded("no end in time"))))?;
    }
    follower.put_in_place(shadow.database(), &transaction).await?;
    let cursor = Cursor { replacements: present.replacements + 1, ..catch_up.cursor().clone() };
    store_cursor(&*transaction, &cursor).await?;
    transaction.commit().await?;
    Ok(cursor)
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
