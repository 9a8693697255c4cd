//! Whether a feed, or a copy of one, is what it says, and whether both are of one history.

use contracts::Revision;

use super::catch_up::unavailable;
use super::follow::is_diverged;
use super::{Cursor, Follow, Head, chained};
use crate::ServiceError;
use crate::maintenance::{Verification, hex};

/// Compares the place of a change with the one before it: there is none between them, and its hash is over both. Without
/// the change's `bytes` its hash cannot be computed.
pub fn verify_place(before: &Head, this: &Head, bytes: Option<&[u8]>, verification: &mut Verification) {
    let revision = this.revision();
    if this.position != before.next_position() {
        let (first, last) = (before.next_position(), this.position - 1);
        let name = |position| Revision { position, ..revision }.to_string();
        let missing = if first == last { name(first) } else { format!("{} to {}", name(first), name(last)) };
        verification.differs(missing, "", "changes without gaps");
    } else if let Some(expected) = bytes.map(|bytes| chained(&before.chain_hash, bytes))
        && expected != this.chain_hash
    {
        verification.differs(format!("{revision} hash"), &hex(&this.chain_hash), &hex(&expected));
    }
}

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
