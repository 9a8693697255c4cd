//! Who may work where: partners, employees, clients, client users, links, and what follows from them.
//!
//! Owns: the access history and every question that it answers (state, assignment, ending), the decision whether a new
//! fact may be added to it, and who may ask for it. Does not own: who somebody is, or what an activity is worth.
//! Invariant: every answer is a function of the *set* of changes; the order in which they arrived never matters.

mod access_type;
mod address;
mod admission;
mod assignment;
mod audit;
mod change;
mod ending;
mod erasure;
mod folding;
mod history;
mod identity;
mod permission;
mod record;
mod refusal;
mod removal;
#[cfg(test)]
pub(crate) mod testing;

pub use access_type::{AccessType, AccessTypeError};
pub use address::{AddressError, EmailAddress, EmailDomain};
pub use assignment::{Assignment, AssignmentOrigin, AssignmentState};
pub use audit::AuditStates;
pub use change::{AccessChange, AccessFact, Actor, Audit};
pub use ending::{Ending, EndingCause, EndingCauseError};
pub use folding::folded;
pub use history::AccessHistory;
pub use identity::{
    AccessLinkId, AccessRole, AssetId, AssetIdError, ClientUserId, CountryCode, CountryCodeError, EmployeeId, HubId,
    HubIdError, PermissionSet, PermissionSetError,
};
pub use permission::{ClientStanding, Denial, Permission, Standing, judge};
pub use record::{ClientHistory, ClientUserSpell, ClientUserState, EmployeeSpell, PartnerHistory};
pub use refusal::{Absence, AccessRefusal, Subject};
pub use removal::{
    ChosenEmployees, Decision, Decisions, IncompleteDecisions, PlannedRemoval, Reassignment, RemovalPlan,
    RemovalRefusal, RemovalSelection,
};
