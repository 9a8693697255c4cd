//! Feeds: how facts travel from one service to the next, in one direction, without loss.
//!
//! A feed is a table of changes with gapless positions. Its owner gives out a position in the transaction of the fact,
//! from a counter row that stays locked until the commit (`head`): a serial number would be given out before, and a
//! reader could pass one whose transaction is still open. A follower stores facts and cursor in one transaction
//! (`follow`); it resumes at its cursor, whose hash shows that both sides speak of the same history.

mod cursor;
mod follow;
mod head;
mod watch;
mod watermark;

pub use cursor::{Change, Cursor, create_cursor_table, lock_cursor, lock_cursor_shared, read_cursor, store_cursor};
pub use follow::{Follow, follow};
pub use head::{Head, create_head_table, lock_head, read_head, store_head};
pub use watch::{CHANGES_PER_MESSAGE, Page, WatchSettings, compare_policy, fill_message, require_same_history, watch};
pub use watermark::{Following, Watermarks};
