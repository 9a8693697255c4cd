//! What kind of access an employee has in a client account: the filter of the Clients tab (R42).

use std::fmt;
use std::str::FromStr;

use super::{AccessHistory, ClientStanding, ClientUserState, EmployeeSpell, HubId};
use crate::policy::Policy;
use crate::time::Instant;

/// The kind of access of one employee in one client account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessType {
    /// Active, and manages the own partner's employees there.
    PartnerAdmin,
    /// Active, and manages all users there.
    SuperAdmin,
    /// Active, with any other permissions.
    Standard,
    /// A user who is deactivated.
    Deactivated,
    /// Assigned, but no user there.
    LinkedOnly,
}

/// A text that names no access type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an access type is PARTNER_ADMIN, SUPER_ADMIN, STANDARD, DEACTIVATED or LINKED_ONLY")]
pub struct AccessTypeError;

impl AccessType {
    /// Every access type.
    pub const ALL: [Self; 5] =
        [Self::PartnerAdmin, Self::SuperAdmin, Self::Standard, Self::Deactivated, Self::LinkedOnly];

    /// The name in stored and printed text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PartnerAdmin => "PARTNER_ADMIN",
            Self::SuperAdmin => "SUPER_ADMIN",
            Self::Standard => "STANDARD",
            Self::Deactivated => "DEACTIVATED",
            Self::LinkedOnly => "LINKED_ONLY",
        }
    }
}

impl FromStr for AccessType {
    type Err = AccessTypeError;

    fn from_str(text: &str) -> Result<Self, AccessTypeError> {
        Self::ALL.into_iter().find(|access_type| access_type.as_str() == text).ok_or(AccessTypeError)
    }
}

impl fmt::Display for AccessType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl AccessHistory {
    /// What kind of access an employee has in a client account at an instant; none where it has none. An assignment
    /// that was unlinked, of a deleted employee or in a closed client is none; a user there stays one.
    ///
    /// The permission set is that of the user's latest change: the instant is the present.
    #[must_use]
    pub fn access_type_at(
        &self,
        client: HubId,
        employee: &EmployeeSpell,
        at: Instant,
        policy: &Policy,
    ) -> Option<AccessType> {
        match self.client_user_state_at(client, &employee.address, at) {
            ClientUserState::None | ClientUserState::Removed => {
                self.is_assigned_at(client, employee, at).then_some(AccessType::LinkedOnly)
            }
            ClientUserState::Deactivated => Some(AccessType::Deactivated),
            ClientUserState::Active => {
                let is_own = |partner| partner == employee.partner;
                let standing = self.client_standing_at(&employee.address, client, is_own, at, policy)?;
                Some(match standing {
                    ClientStanding::SuperAdmin => AccessType::SuperAdmin,
                    ClientStanding::PartnerAdmin => AccessType::PartnerAdmin,
                    ClientStanding::UserAdmin | ClientStanding::Other => AccessType::Standard,
                })
            }
        }
    }
}

#[cfg(test)]
mod tests;
