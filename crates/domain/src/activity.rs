//! What people did, and whether it counts.
//!
//! Owns: the activity as a fact, its verdict, its voiding, and what would make work count. Does not own: the catalogue
//! (policy), who may work where (access), how long a relationship lasts (servicing).
//! Invariant: a verdict is a function of the activity, the access history and the policy; arrival never matters.

mod action;
mod fact;
mod outlook;
mod question;
mod remedy;
mod report;
pub(crate) mod step;
#[cfg(test)]
pub(crate) mod testing;
mod verdict;
mod voiding;

pub use action::{ActionError, CatalogueAction, SourceAction};
pub(crate) use action::{is_catalogue_word, is_source_word};
pub use fact::{
    Activity, ActivityAction, ActivityId, ActivityIdError, MAXIMUM_LEAD, Origin, OriginError, TargetObjectId,
    TargetObjectIdError, is_future_dated,
};
pub use outlook::{Outlook, outlook};
pub use remedy::{Remedy, RemedyKind, RemedyKindError};
pub use report::{
    IdleAssignment, NotCountedWork, Reader, UNMATCHED_REASONS, UnmatchedAddress, UnmatchedCase, UnmatchedCaseError,
    UnmatchedWork, WorkThere, idle_assignments, unmatched_addresses,
};
pub(crate) use verdict::partner_of_qualifying_work;
pub use verdict::{Attribution, Judgement, NotCountedReason, NotCountedReasonError, Verdict, judge};
pub use voiding::{Voiding, VoidingReasonError};
