//! Reports for a partner's manager: where work is missing though everything is prepared for it, and where work is done
//! that counts for nobody because of who did it (domain.md 6).
//!
//! Owns: what is a row, and the one step that comes next. Does not own: where the summaries of work come from, and who may
//! ask. Invariant: what a partner is shown is of its own account, or was added by it (R127).

mod idle;
mod unmatched;

pub use idle::{IdleAssignment, NotCountedWork, WorkThere, idle_assignments};
pub use unmatched::{
    Reader, UNMATCHED_REASONS, UnmatchedAddress, UnmatchedCase, UnmatchedCaseError, UnmatchedWork, unmatched_addresses,
};
