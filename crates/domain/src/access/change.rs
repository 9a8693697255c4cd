//! The access history as a sequence of changes. It is the only record of access: every state, in every service, is what
//! `AccessHistory` makes of these.

use std::collections::BTreeSet;
use std::fmt;

use super::{ClientUserId, CountryCode, EmailAddress, EmailDomain, EmployeeId, HubId};
use crate::time::Instant;

/// One recorded change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessChange {
    /// Its place in the log, from 1, without gaps. It orders changes of one effective time.
    pub position: u64,
    /// When it became true in the world.
    pub effective_time: Instant,
    /// When it was recorded; never before `effective_time` (R22).
    pub record_time: Instant,
    /// Who made it.
    pub actor: Actor,
    /// What changed.
    pub fact: AccessFact,
}

/// Who makes a call or a change.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Actor {
    /// The vendor's platform.
    Platform,
    /// A person, known by address.
    Person(EmailAddress),
}

impl fmt::Display for Actor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => formatter.write_str("platform"),
            Self::Person(address) => address.fmt(formatter),
        }
    }
}

/// A named bundle of permissions inside one client account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PermissionSet {
    /// May work, may not manage users.
    Standard,
    /// May add, deactivate, reactivate and remove colleagues there (R27).
    PartnerAdmin,
    /// May do everything there.
    SuperAdmin,
}

/// What a change says. Every variant names all keys that it belongs to, so that it can be found by any of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessFact {
    /// A company joined the programme.
    PartnerAdded {
        /// The partner account.
        partner: HubId,
        /// Its name.
        display_name: String,
        /// Its own country; it never matters for points (example 12).
        country: CountryCode,
        /// Its employee email domains; may be empty.
        email_domains: BTreeSet<EmailDomain>,
    },
    /// The employee email domains are these from now on (R37).
    PartnerDomainsSet {
        /// The partner account.
        partner: HubId,
        /// The complete new set.
        email_domains: BTreeSet<EmailDomain>,
    },
    /// The partner left the programme (R76).
    PartnerLeft {
        /// The partner account.
        partner: HubId,
    },
    /// A user was created in the partner account (R20).
    EmployeeAdded {
        /// The partner account.
        partner: HubId,
        /// The employee.
        employee: EmployeeId,
        /// The address that makes it the same person elsewhere (R8).
        address: EmailAddress,
        /// Its name.
        display_name: String,
        /// Whether it is flagged as working for the partner (R20).
        partner_employee: bool,
    },
    /// The user was deleted in the partner account (R75).
    EmployeeDeleted {
        /// The partner account.
        partner: HubId,
        /// The employee.
        employee: EmployeeId,
        /// Its address.
        address: EmailAddress,
    },
    /// A customer account became known.
    ClientAdded {
        /// The client account.
        client: HubId,
        /// Its name.
        display_name: String,
        /// Its country; growth markets are judged by it (R90).
        country: CountryCode,
    },
    /// The customer account was closed (R76).
    ClientClosed {
        /// The client account.
        client: HubId,
    },
    /// A user was added to a client account; active from then on.
    ClientUserAdded {
        /// The client account.
        client: HubId,
        /// The user.
        user: ClientUserId,
        /// Its address.
        address: EmailAddress,
        /// Its name.
        display_name: String,
        /// What it may do there.
        permission_set: PermissionSet,
    },
    /// The user cannot log in; its profile and history stay (R39).
    ClientUserDeactivated {
        /// The client account.
        client: HubId,
        /// The user.
        user: ClientUserId,
        /// Its address.
        address: EmailAddress,
    },
    /// The user is active again (R38).
    ClientUserReactivated {
        /// The client account.
        client: HubId,
        /// The user.
        user: ClientUserId,
        /// Its address.
        address: EmailAddress,
    },
    /// The user is gone from the client account (R39, R71).
    ClientUserRemoved {
        /// The client account.
        client: HubId,
        /// The user.
        user: ClientUserId,
        /// Its address.
        address: EmailAddress,
    },
    /// The client was assigned to the employee by hand (R24).
    ClientLinked {
        /// The client account.
        client: HubId,
        /// The partner account.
        partner: HubId,
        /// The employee.
        employee: EmployeeId,
        /// Its address.
        address: EmailAddress,
    },
    /// The assignment was ended by hand; it beats automatic assignment until linked again (R25).
    ClientUnlinked {
        /// The client account.
        client: HubId,
        /// The partner account.
        partner: HubId,
        /// The employee.
        employee: EmployeeId,
        /// Its address.
        address: EmailAddress,
    },
}

impl AccessFact {
    /// The partner that the fact is about, if it is about one.
    #[must_use]
    pub const fn partner(&self) -> Option<HubId> {
        match self {
            Self::PartnerAdded { partner, .. }
            | Self::PartnerDomainsSet { partner, .. }
            | Self::PartnerLeft { partner }
            | Self::EmployeeAdded { partner, .. }
            | Self::EmployeeDeleted { partner, .. }
            | Self::ClientLinked { partner, .. }
            | Self::ClientUnlinked { partner, .. } => Some(*partner),
            Self::ClientAdded { .. }
            | Self::ClientClosed { .. }
            | Self::ClientUserAdded { .. }
            | Self::ClientUserDeactivated { .. }
            | Self::ClientUserReactivated { .. }
            | Self::ClientUserRemoved { .. } => None,
        }
    }

    /// The client that the fact is about, if it is about one.
    #[must_use]
    pub const fn client(&self) -> Option<HubId> {
        match self {
            Self::ClientAdded { client, .. }
            | Self::ClientClosed { client }
            | Self::ClientUserAdded { client, .. }
            | Self::ClientUserDeactivated { client, .. }
            | Self::ClientUserReactivated { client, .. }
            | Self::ClientUserRemoved { client, .. }
            | Self::ClientLinked { client, .. }
            | Self::ClientUnlinked { client, .. } => Some(*client),
            Self::PartnerAdded { .. }
            | Self::PartnerDomainsSet { .. }
            | Self::PartnerLeft { .. }
            | Self::EmployeeAdded { .. }
            | Self::EmployeeDeleted { .. } => None,
        }
    }

    /// The person that the fact is about, if it is about one.
    #[must_use]
    pub const fn address(&self) -> Option<&EmailAddress> {
        match self {
            Self::EmployeeAdded { address, .. }
            | Self::EmployeeDeleted { address, .. }
            | Self::ClientUserAdded { address, .. }
            | Self::ClientUserDeactivated { address, .. }
            | Self::ClientUserReactivated { address, .. }
            | Self::ClientUserRemoved { address, .. }
            | Self::ClientLinked { address, .. }
            | Self::ClientUnlinked { address, .. } => Some(address),
            Self::PartnerAdded { .. }
            | Self::PartnerDomainsSet { .. }
            | Self::PartnerLeft { .. }
            | Self::ClientAdded { .. }
            | Self::ClientClosed { .. } => None,
        }
    }
}
