//! Feeds: how facts travel from one service to the next, in one direction, without loss.
//!
//! A feed is a table of changes with gapless positions. Its owner gives out a position in the transaction of the fact,
//! from a counter row that stays locked until the commit (`head`): a serial number would be given out before, and a
//! reader could pass one whose transaction is still open. A follower stores facts and cursor in one transaction
//! (`follow`), of several replicas one at a time (`lease`); it resumes at its cursor, whose hash shows that both sides speak of the same history. Where they do not, or
//! the copy is not what the feed says, it is built anew beside the present one and put into its place (`replay`).

mod catch_up;
mod cursor;
mod follow;
mod head;
mod lease;
mod refill;
mod replay;
mod shadow;
mod verify;
mod watch;
mod watermark;

pub use catch_up::CatchUp;
pub use cursor::{
    Change, Cursor, Message, add_replacements_column, create_cursor_table, lock_cursor, lock_cursor_shared,
    read_cursor, store_cursor,
};
pub use follow::{Follow, follow};
pub(crate) use head::chained;
pub use head::{Head, create_head_table, lock_head, read_head, store_head};
pub use lease::create_lease_table;
pub use refill::refill;
pub use replay::{Rebuild, replay};
pub use shadow::Shadow;
pub use verify::{verify_history, verify_place};
pub use watch::{CHANGES_PER_MESSAGE, Page, WatchSettings, compare_policy, fill_message, require_same_history, watch};
pub use watermark::{Following, Watermarks};
