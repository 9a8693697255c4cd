//! What the permission sets of client accounts allow, from when on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use super::dated::Dated;
use crate::access::PermissionSet;
use crate::time::Instant;

/// Something that a permission set allows inside one client account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientPermission {
    /// Adding, deactivating, reactivating and removing the own partner's employees (R27).
    ManageOwnEmployees,
    /// All of that for every user of the client account, and approving access links too.
    ManageUsers,
    /// Approving the access link of a partner's employee (R31).
    ApproveAccessLinks,
}

/// A text that names no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is MANAGE_OWN_EMPLOYEES, MANAGE_USERS or APPROVE_ACCESS_LINKS")]
pub struct ClientPermissionError;

impl ClientPermission {
    /// Every permission.
    pub const ALL: [Self; 3] = [Self::ManageOwnEmployees, Self::ManageUsers, Self::ApproveAccessLinks];

    /// The name in the document and in printed text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ManageOwnEmployees => "MANAGE_OWN_EMPLOYEES",
            Self::ManageUsers => "MANAGE_USERS",
            Self::ApproveAccessLinks => "APPROVE_ACCESS_LINKS",
        }
    }
}

impl FromStr for ClientPermission {
    type Err = ClientPermissionError;

    fn from_str(text: &str) -> Result<Self, ClientPermissionError> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == text).ok_or(ClientPermissionError)
    }
}

impl fmt::Display for ClientPermission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What one permission set allows inside one client account, beside working there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientPermissions(BTreeSet<ClientPermission>);

impl ClientPermissions {
    /// Whether it allows this.
    #[must_use]
    pub fn allow(&self, permission: ClientPermission) -> bool {
        self.0.contains(&permission)
    }

    /// All that it allows, in the order of [`ClientPermission::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = ClientPermission> {
        self.0.iter().copied()
    }

    /// Whether a Partner admin may give the set to a colleague (R36): nobody gives more than is their own.
    #[must_use]
    pub fn is_for_partner_employees(&self) -> bool {
        self.0.iter().all(|permission| *permission == ClientPermission::ManageOwnEmployees)
    }
}

impl FromIterator<ClientPermission> for ClientPermissions {
    fn from_iter<T: IntoIterator<Item = ClientPermission>>(permissions: T) -> Self {
        Self(permissions.into_iter().collect())
    }
}

/// A permission set in the words of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NamedPermissions {
    pub(super) display_name: String,
    pub(super) permissions: ClientPermissions,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PermissionSets {
    pub(super) sets: BTreeMap<PermissionSet, Dated<NamedPermissions>>,
}

impl PermissionSets {
    /// The sets of every document, which the matrix of permissions speaks of, each with exactly what it allows.
    pub(super) fn required() -> [(&'static str, ClientPermissions); 3] {
        use ClientPermission::{ApproveAccessLinks, ManageOwnEmployees, ManageUsers};
        [
            ("STANDARD", ClientPermissions::default()),
            ("PARTNER_ADMIN", ClientPermissions::from_iter([ManageOwnEmployees])),
            ("SUPER_ADMIN", ClientPermissions::from_iter([ManageUsers, ApproveAccessLinks])),
        ]
    }

    pub(super) fn of_name(&self, name: &str) -> Option<&Dated<NamedPermissions>> {
        self.sets.iter().find(|(set, _)| set.as_str() == name).map(|(_, entries)| entries)
    }

    pub(super) fn permissions(&self, set: &PermissionSet, at: Instant) -> Option<&ClientPermissions> {
        self.sets.get(set)?.at(at).map(|named| &named.permissions)
    }

    pub(super) fn at(&self, at: Instant) -> impl Iterator<Item = (&PermissionSet, &NamedPermissions)> {
        self.sets.iter().filter_map(move |(set, entries)| Some((set, entries.at(at)?)))
    }
}
