//! Whether a copy and its feed are of one history.

use contracts::Revision;

use super::catch_up::unavailable;
use super::follow::is_diverged;
use super::{Cursor, Follow};
use crate::ServiceError;
use crate::maintenance::Verification;

/// Asks the owner of a feed whether the copy's cursor is of its history.
///
/// # Errors
/// `EVIDENCE_UNAVAILABLE` where the owner is away.
pub async fn verify_history(
    follower: &impl Follow,
    cursor: &Cursor,
    verification: &mut Verification,
) -> Result<(), ServiceError> {
    verification.begin(&format!("history of the {} feed", cursor.feed.as_str())).await?;
    match follower.open(cursor).await {
        Ok(_) => {}
        Err(status) if is_diverged(&status) => {
            let revision = Revision { feed: cursor.feed, position: cursor.position }.to_string();
            verification.differs(revision, "of another history than the feed", "of the feed's history");
        }
        Err(status) => return Err(unavailable(cursor, &status)),
    }
    verification.checked(1).await
}
