//! The access history as a sequence of changes. It is the only record of access: every state, in every service, is what
//! `AccessHistory` makes of these.

use std::collections::BTreeSet;
use std::fmt;

use uuid::Uuid;

use super::{
    AccessLinkId, AccessRole, AssetId, ClientUserId, CountryCode, EmailAddress, EmailDomain, EmployeeId, HubId,
    PermissionSet,
};
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
    /// What else the audit log tells of it; it never decides anything.
    pub audit: Audit,
    /// What changed.
    pub fact: AccessFact,
}

/// What the audit log tells of a change beside the change itself, as it was when the change was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audit {
    /// For whom the platform made it.
    pub on_behalf_of: Option<EmailAddress>,
    /// The caller's id of the request that made it.
    pub request_id: Option<Uuid>,
    /// Why, in the caller's words; empty where nothing was said.
    pub reason: String,
    /// The state of what the fact is about at its effective time, without it; empty where there is none to tell.
    pub old_state: String,
    /// The state of what the fact is about at its effective time, with it.
    pub new_state: String,
    /// The partners whose relationship with the fact's client ends by it (R71, R76): worth telling them.
    pub ended_relationships: BTreeSet<HubId>,
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
    /// The partner's name and country, those of them that are stated, are these from now on.
    PartnerUpdated {
        /// The partner account.
        partner: HubId,
        /// Its name.
        display_name: Option<String>,
        /// Its own country.
        country: Option<CountryCode>,
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
        /// What it may do in the partner account (R29).
        access_role: AccessRole,
    },
    /// The employee's name, flag and role, those of them that are stated, are these from now on.
    EmployeeUpdated {
        /// The partner account.
        partner: HubId,
        /// The employee.
        employee: EmployeeId,
        /// Its address, which never changes.
        address: EmailAddress,
        /// Its name.
        display_name: Option<String>,
        /// Whether it is flagged as working for the partner (R20).
        partner_employee: Option<bool>,
        /// What it may do in the partner account (R29).
        access_role: Option<AccessRole>,
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
    /// The client's name and country, those of them that are stated, are these from now on.
    ClientUpdated {
        /// The client account.
        client: HubId,
        /// Its name.
        display_name: Option<String>,
        /// Its country (R90).
        country: Option<CountryCode>,
    },
    /// The platform introduced the client to the partner, who may link it from then on (R26).
    ClientIntroduced {
        /// The client account.
        client: HubId,
        /// The partner account.
        partner: HubId,
    },
    /// The partner ended its services for the client (R76): the relationship ends, and so does every assignment there, as
    /// by an unlink by hand.
    ServicesEnded {
        /// The client account.
        client: HubId,
        /// The partner account.
        partner: HubId,
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
    /// The user's name and permission set, those of them that are stated, are these from now on.
    ClientUserUpdated {
        /// The client account.
        client: HubId,
        /// The user.
        user: ClientUserId,
        /// Its address, which never changes.
        address: EmailAddress,
        /// Its name.
        display_name: Option<String>,
        /// What it may do there.
        permission_set: Option<PermissionSet>,
    },
    /// What the user owned in the client account was given to another, or to nobody (R41).
    AssetsReassigned {
        /// The client account.
        client: HubId,
        /// Who owned it.
        user: ClientUserId,
        /// Its address.
        address: EmailAddress,
        /// Who owns it now.
        new_owner: Option<ClientUserId>,
        /// What was given.
        assets: BTreeSet<AssetId>,
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
    /// An access link was made for the employee (R30).
    AccessLinkCreated {
        /// The partner account.
        partner: HubId,
        /// The employee.
        employee: EmployeeId,
        /// Its address.
        address: EmailAddress,
        /// The link.
        link: AccessLinkId,
        /// The only client that may approve it, if it names one.
        for_client: Option<HubId>,
        /// From when on it can no longer be approved.
        expire_time: Instant,
    },
    /// The link was revoked: nobody can approve it any more.
    AccessLinkRevoked {
        /// The partner account.
        partner: HubId,
        /// The employee.
        employee: EmployeeId,
        /// Its address.
        address: EmailAddress,
        /// The link.
        link: AccessLinkId,
    },
    /// A client approved the link (R31); that the employee is an active Partner admin there is said by changes of its own.
    AccessLinkApproved {
        /// The client account.
        client: HubId,
        /// The partner account.
        partner: HubId,
        /// The employee.
        employee: EmployeeId,
        /// Its address.
        address: EmailAddress,
        /// The link.
        link: AccessLinkId,
    },
    /// An address was replaced everywhere by a pseudonym with the same domain (R128). The change that first named the
    /// address tells which it was: in every copy of the log, until the copy is rewritten.
    AddressErased {
        /// What stands in its place from now on.
        pseudonym: EmailAddress,
        /// The position of the first change that is about the address.
        first_position: u64,
    },
    /// A change was recorded by mistake and is taken back by the platform (R22): the history is as if it had not been
    /// made. Effective when that change was.
    Retracted {
        /// The position of the change.
        position: u64,
        /// What the change said.
        fact: Box<AccessFact>,
    },
}

impl AccessFact {
    /// The partner that the fact is about, if it is about one.
    #[must_use]
    pub const fn partner(&self) -> Option<HubId> {
        match self {
            Self::PartnerAdded { partner, .. }
            | Self::PartnerUpdated { partner, .. }
            | Self::PartnerDomainsSet { partner, .. }
            | Self::PartnerLeft { partner }
            | Self::EmployeeAdded { partner, .. }
            | Self::EmployeeUpdated { partner, .. }
            | Self::EmployeeDeleted { partner, .. }
            | Self::ClientIntroduced { partner, .. }
            | Self::ServicesEnded { partner, .. }
            | Self::ClientLinked { partner, .. }
            | Self::ClientUnlinked { partner, .. }
            | Self::AccessLinkCreated { partner, .. }
            | Self::AccessLinkRevoked { partner, .. }
            | Self::AccessLinkApproved { partner, .. } => Some(*partner),
            Self::ClientAdded { .. }
            | Self::ClientUpdated { .. }
            | Self::ClientClosed { .. }
            | Self::ClientUserAdded { .. }
            | Self::ClientUserUpdated { .. }
            | Self::ClientUserDeactivated { .. }
            | Self::ClientUserReactivated { .. }
            | Self::ClientUserRemoved { .. }
            | Self::AssetsReassigned { .. }
            | Self::AddressErased { .. } => None,
            Self::Retracted { fact, .. } => fact.partner(),
        }
    }

    /// The client that the fact is about, if it is about one.
    #[must_use]
    pub const fn client(&self) -> Option<HubId> {
        match self {
            Self::ClientAdded { client, .. }
            | Self::ClientUpdated { client, .. }
            | Self::ClientClosed { client }
            | Self::ClientIntroduced { client, .. }
            | Self::ServicesEnded { client, .. }
            | Self::ClientUserAdded { client, .. }
            | Self::ClientUserUpdated { client, .. }
            | Self::ClientUserDeactivated { client, .. }
            | Self::ClientUserReactivated { client, .. }
            | Self::ClientUserRemoved { client, .. }
            | Self::AssetsReassigned { client, .. }
            | Self::ClientLinked { client, .. }
            | Self::ClientUnlinked { client, .. }
            | Self::AccessLinkApproved { client, .. } => Some(*client),
            Self::PartnerAdded { .. }
            | Self::PartnerUpdated { .. }
            | Self::PartnerDomainsSet { .. }
            | Self::PartnerLeft { .. }
            | Self::EmployeeAdded { .. }
            | Self::EmployeeUpdated { .. }
            | Self::EmployeeDeleted { .. }
            | Self::AccessLinkCreated { .. }
            | Self::AccessLinkRevoked { .. }
            | Self::AddressErased { .. } => None,
            Self::Retracted { fact, .. } => fact.client(),
        }
    }

    /// The person that the fact is about, if it is about one.
    #[must_use]
    pub const fn address(&self) -> Option<&EmailAddress> {
        match self {
            Self::EmployeeAdded { address, .. }
            | Self::EmployeeUpdated { address, .. }
            | Self::EmployeeDeleted { address, .. }
            | Self::ClientUserAdded { address, .. }
            | Self::ClientUserUpdated { address, .. }
            | Self::ClientUserDeactivated { address, .. }
            | Self::ClientUserReactivated { address, .. }
            | Self::ClientUserRemoved { address, .. }
            | Self::AssetsReassigned { address, .. }
            | Self::ClientLinked { address, .. }
            | Self::ClientUnlinked { address, .. }
            | Self::AccessLinkCreated { address, .. }
            | Self::AccessLinkRevoked { address, .. }
            | Self::AccessLinkApproved { address, .. } => Some(address),
            // It belongs to whoever has this address from now on.
            Self::AddressErased { pseudonym, .. } => Some(pseudonym),
            Self::PartnerAdded { .. }
            | Self::PartnerUpdated { .. }
            | Self::PartnerDomainsSet { .. }
            | Self::PartnerLeft { .. }
            | Self::ClientAdded { .. }
            | Self::ClientUpdated { .. }
            | Self::ClientClosed { .. }
            | Self::ClientIntroduced { .. }
            | Self::ServicesEnded { .. } => None,
            Self::Retracted { fact, .. } => fact.address(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_acts_is_printed_as_a_call_names_them() {
        let anna = Actor::Person("anna@agency.example".parse().expect("an address"));
        assert_eq!(anna.to_string(), "anna@agency.example");
        assert_eq!(Actor::Platform.to_string(), "platform");
    }
}
