//! Why a fact may not be added to the history, in words that say what would be right.

use std::fmt;

use chrono::SecondsFormat;

use super::{
    Assignment, AssignmentOrigin, AssignmentState, ClientUserId, ClientUserState, EmailAddress, EmailDomain,
    EmployeeId, HubId, PermissionSet,
};
use crate::time::Instant;

/// Why a fact may not be added to the history at its effective time.
///
/// `differing_fields` of what exists already names what has other content now, by the field names of [`AccessFact`];
/// empty means that the fact says nothing new, which is what a repeated import looks for. The effective time is not
/// compared: `since` tells it.
///
/// [`AccessFact`]: super::AccessFact
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessRefusal {
    /// Nothing is recorded ahead of its time (R22).
    #[error("the effective time {} is after now, {}; it must be now or earlier", text(effective_time), text(now))]
    EffectiveTimeAhead {
        /// The time that was asked for.
        effective_time: Instant,
        /// The present.
        now: Instant,
    },
    /// The hub id is a partner already.
    #[error("partner {partner} exists already, since {}{}", text(since), differing(differing_fields))]
    PartnerExists {
        /// The partner account.
        partner: HubId,
        /// When it joined.
        since: Instant,
        /// The fields whose content differs from what exists.
        differing_fields: Vec<&'static str>,
    },
    /// The hub id is a client already.
    #[error("client {client} exists already, since {}{}", text(since), differing(differing_fields))]
    ClientExists {
        /// The client account.
        client: HubId,
        /// From when on it is known.
        since: Instant,
        /// The fields whose content differs from what exists.
        differing_fields: Vec<&'static str>,
    },
    /// The address is an employee of the partner at the effective time.
    #[error(
        "{address} is an employee of partner {partner} already, since {}{}",
        text(since),
        differing(differing_fields)
    )]
    EmployeeExists {
        /// The partner account.
        partner: HubId,
        /// The address.
        address: EmailAddress,
        /// The existing employee.
        employee: EmployeeId,
        /// When it was created.
        since: Instant,
        /// The fields whose content differs from what exists.
        differing_fields: Vec<&'static str>,
    },
    /// The address is a user of the client at the effective time, active or deactivated.
    #[error(
        "{address} is a user of client {client} already ({state}), since {}{}",
        text(since),
        differing(differing_fields)
    )]
    ClientUserExists {
        /// The client account.
        client: HubId,
        /// The address.
        address: EmailAddress,
        /// The existing user.
        user: ClientUserId,
        /// Active or deactivated.
        state: ClientUserState,
        /// When it was added.
        since: Instant,
        /// The fields whose content differs from what exists.
        differing_fields: Vec<&'static str>,
    },
    /// The client was introduced to the partner before (R26).
    #[error("client {client} was introduced to partner {partner} already, at {}", text(since))]
    AlreadyIntroduced {
        /// The client account.
        client: HubId,
        /// The partner account.
        partner: HubId,
        /// When.
        since: Instant,
    },
    /// There is nothing between the partner and the client that could be ended (R76).
    #[error("partner {partner} has and had no user, link or introduction in client {client}; there is nothing to end")]
    NothingToEnd {
        /// The client account.
        client: HubId,
        /// The partner account.
        partner: HubId,
    },
    /// There is no such change to take back (R22).
    #[error("change {position} is not known, or says something else; only what was recorded can be taken back")]
    UnknownChange {
        /// The position that was named.
        position: u64,
    },
    /// The change was taken back before.
    #[error("change {position} was taken back already")]
    AlreadyRetracted {
        /// The position of the change.
        position: u64,
    },
    /// A change of this kind stays.
    #[error("change {position} cannot be taken back: erasures, retractions, reassigned assets and access links stay")]
    NotRetractable {
        /// The position that was named.
        position: u64,
    },
    /// A retraction is effective when the change was that it takes back.
    #[error("change {position} was effective {}, and so must its retraction be", text(effective_time))]
    RetractionAtOtherTime {
        /// The position of the change.
        position: u64,
        /// When the change was effective.
        effective_time: Instant,
    },
    /// Without the change, a later one would have been impossible (R22).
    #[error(
        "change {position} cannot be taken back: change {later_position} ({transition} at {}) needs it ({because}); take \
         change {later_position} back first",
        text(later_time)
    )]
    StillNeeded {
        /// The position of the change.
        position: u64,
        /// The position of the first later change that would become illegal.
        later_position: u64,
        /// When that change is effective.
        later_time: Instant,
        /// What that change says.
        transition: String,
        /// Why it would become illegal.
        because: Box<AccessRefusal>,
    },
    /// What the fact is about is not there at the effective time.
    #[error("{subject} {absence}")]
    Unknown {
        /// What is not there.
        subject: Subject,
        /// In which way it is not there.
        absence: Absence,
    },
    /// An employee email domain belongs to one partner (R37).
    #[error("the e-mail domain {domain} is an employee domain of another partner; each belongs to one partner")]
    DomainTaken {
        /// The domain.
        domain: EmailDomain,
        /// Who holds it; not for everybody's eyes (R127).
        holder: HubId,
    },
    /// A shared mail provider's domain identifies nobody's employees (R37).
    #[error("{domain} is the domain of a shared mail provider; an employee domain is the partner's own")]
    SharedMailDomain {
        /// The domain.
        domain: EmailDomain,
    },
    /// The address belongs to another partner's domain (R37).
    #[error("{address} is in an employee email domain of another partner; use an address of the partner's own")]
    AddressInForeignDomain {
        /// The address.
        address: EmailAddress,
        /// Who holds the domain; not for everybody's eyes (R127).
        holder: HubId,
    },
    /// The client is assigned to the employee at the effective time.
    #[error(
        "client {client} is assigned to {address} already, {} since {}",
        assignment_text(assignment),
        text(&assignment.period.start)
    )]
    AlreadyAssigned {
        /// The client account.
        client: HubId,
        /// The employee's address.
        address: EmailAddress,
        /// The present assignment.
        assignment: Assignment,
    },
    /// There is no assignment to end.
    #[error("client {client} is not assigned to {address} at {}; there is nothing to unlink", text(at))]
    NotAssigned {
        /// The client account.
        client: HubId,
        /// The employee's address.
        address: EmailAddress,
        /// The effective time.
        at: Instant,
    },
    /// The policy has no such permission set at the effective time (R36).
    #[error("there is no permission set {permission_set} at {}; there are {}", text(at), list(known))]
    UnknownPermissionSet {
        /// The set that was asked for.
        permission_set: PermissionSet,
        /// Those that there are at the effective time.
        known: Vec<PermissionSet>,
        /// The effective time.
        at: Instant,
    },
    /// The client user's state does not allow the transition (R39).
    #[error("cannot {transition} {address} in client {client}: it is {state} there, and must be {required}")]
    IllegalTransition {
        /// The client account.
        client: HubId,
        /// The address.
        address: EmailAddress,
        /// The user's state at the effective time.
        state: ClientUserState,
        /// What was asked, as a verb: `deactivate`, for example.
        transition: &'static str,
        /// The state or states that allow it.
        required: &'static str,
    },
    /// Taking effect that early, the fact would make a later one of the same key impossible (R22).
    #[error(
        "effective {}, this would make a later change impossible: {transition} at {} ({because}); choose a later time",
        text(effective_time),
        text(later_time)
    )]
    IllegalSequence {
        /// The time that was asked for.
        effective_time: Instant,
        /// The first later change that would become illegal.
        later_time: Instant,
        /// What that change says.
        transition: String,
        /// Why it would become illegal.
        because: Box<AccessRefusal>,
    },
}

impl AccessRefusal {
    /// The field of the fact that would have to be another, or `effective_time`.
    #[must_use]
    pub const fn field(&self) -> &'static str {
        match self {
            Self::EffectiveTimeAhead { .. } | Self::IllegalSequence { .. } | Self::RetractionAtOtherTime { .. } => {
                "effective_time"
            }
            Self::UnknownChange { .. }
            | Self::AlreadyRetracted { .. }
            | Self::NotRetractable { .. }
            | Self::StillNeeded { .. } => "position",
            Self::PartnerExists { .. } => "partner",
            Self::ClientExists { .. } | Self::AlreadyIntroduced { .. } | Self::NothingToEnd { .. } => "client",
            Self::EmployeeExists { .. }
            | Self::ClientUserExists { .. }
            | Self::AddressInForeignDomain { .. }
            | Self::IllegalTransition { .. } => "address",
            Self::UnknownPermissionSet { .. } => "permission_set",
            Self::DomainTaken { .. } | Self::SharedMailDomain { .. } => "email_domains",
            Self::AlreadyAssigned { .. } | Self::NotAssigned { .. } => "employee",
            Self::Unknown { subject, .. } => match subject {
                Subject::Partner(_) => "partner",
                Subject::Client(_) => "client",
                Subject::Employee { .. } => "employee",
            },
        }
    }
}

/// What a fact is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A partner account.
    Partner(HubId),
    /// A client account.
    Client(HubId),
    /// An employee of a partner.
    Employee {
        /// The partner account.
        partner: HubId,
        /// The employee.
        employee: EmployeeId,
        /// Its address.
        address: EmailAddress,
    },
}

impl fmt::Display for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Partner(partner) => write!(formatter, "partner {partner}"),
            Self::Client(client) => write!(formatter, "client {client}"),
            Self::Employee { partner, address, .. } => write!(formatter, "employee {address} of partner {partner}"),
        }
    }
}

/// In which way something is not there at the effective time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// Never was there.
    NotKnown,
    /// Came later than the effective time.
    OnlyFrom(Instant),
    /// Was gone by the effective time: left, closed or deleted.
    GoneSince(Instant),
}

impl fmt::Display for Absence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotKnown => formatter.write_str("is not known; it must be created first"),
            Self::OnlyFrom(time) => {
                write!(formatter, "exists only from {} on; an effective time must not be earlier", text(time))
            }
            Self::GoneSince(time) => {
                write!(
                    formatter,
                    "has been gone since {}; only the platform can still change it, at an earlier effective time",
                    text(time)
                )
            }
        }
    }
}

fn text(instant: &Instant) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

fn differing(fields: &[&'static str]) -> String {
    if fields.is_empty() { String::new() } else { format!(", with another {}", fields.join(", ")) }
}

fn list(sets: &[PermissionSet]) -> String {
    sets.iter().map(PermissionSet::as_str).collect::<Vec<_>>().join(", ")
}

fn assignment_text(assignment: &Assignment) -> &'static str {
    match (assignment.origin, assignment.state) {
        (AssignmentOrigin::Automatic, AssignmentState::Suspended) => "automatically and suspended",
        (AssignmentOrigin::Automatic, _) => "automatically",
        (AssignmentOrigin::ByHand, AssignmentState::PendingUser) => "by hand and waiting for a user there",
        (AssignmentOrigin::ByHand, AssignmentState::Suspended) => "by hand and suspended",
        (AssignmentOrigin::ByHand, AssignmentState::Effective) => "by hand",
    }
}
