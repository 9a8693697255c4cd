//! Who may do what: the matrix of permissions (R27 to R31, R33) as a pure function of where a person stands.
//!
//! The platform may do everything and is never judged here. That a client exists for a partner (R26) is another
//! question: [`AccessHistory::exists_for`].

use std::collections::BTreeSet;
use std::fmt;

use super::{AccessHistory, AccessRole, EmailAddress, EmployeeSpell, HubId};
use crate::policy::{ClientPermission, Policy};
use crate::time::Instant;

/// What somebody may be allowed to do: the rows of the matrix, and the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Creating, changing and deleting employees, flagging them, setting the employee email domains (R20, R37).
    ManagePartner,
    /// Seeing the Employees and Clients tabs.
    ViewClientAccess,
    /// Linking and unlinking clients (R24, R27).
    LinkClients,
    /// Getting access links, one's own or a colleague's (R30).
    ShareAccessLinks,
    /// Approving an access link for a client account (R31).
    ApproveAccessLinks,
    /// Adding, deactivating, reactivating and removing a partner's employees in a client account (R27, R28).
    ManageEmployeesInClient,
    /// Ending a partner's services for a client (R76).
    EndServices,
    /// Reading points breakdown, tier and reasons (R120, R126).
    ViewCredit,
    /// Managing a client account's users of all kinds, and seeing all of them: the client's own side.
    ManageClientUsers,
}

impl Permission {
    /// Every permission, in the order of the matrix.
    pub const ALL: [Self; 9] = [
        Self::ManagePartner,
        Self::ViewClientAccess,
        Self::LinkClients,
        Self::ShareAccessLinks,
        Self::ApproveAccessLinks,
        Self::ManageEmployeesInClient,
        Self::EndServices,
        Self::ViewCredit,
        Self::ManageClientUsers,
    ];

    /// The name in printed text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ManagePartner => "MANAGE_PARTNER",
            Self::ViewClientAccess => "VIEW_CLIENT_ACCESS",
            Self::LinkClients => "LINK_CLIENTS",
            Self::ShareAccessLinks => "SHARE_ACCESS_LINKS",
            Self::ApproveAccessLinks => "APPROVE_ACCESS_LINKS",
            Self::ManageEmployeesInClient => "MANAGE_EMPLOYEES_IN_CLIENT",
            Self::EndServices => "END_SERVICES",
            Self::ViewCredit => "VIEW_CREDIT",
            Self::ManageClientUsers => "MANAGE_CLIENT_USERS",
        }
    }

    /// What it is, what gives it, and who can give that, in one sentence.
    #[must_use]
    pub const fn requirement(self) -> &'static str {
        match self {
            Self::ManagePartner => {
                "creating, changing or deleting employees and setting the employee email domains needs a super admin \
                 of the partner account"
            }
            Self::ViewClientAccess => {
                "seeing employees and clients needs the Client Access Manager permission in the partner account, which \
                 a super admin of it can give"
            }
            Self::LinkClients => {
                "linking or unlinking clients needs the Client Access Manager permission in the partner account, which \
                 a super admin of it can give"
            }
            Self::ShareAccessLinks => {
                "getting, listing or revoking access links needs the Client Access Manager permission in the partner \
                 account, which a super admin of it can give"
            }
            Self::ApproveAccessLinks => {
                "approving an access link needs a super admin of the client account, or a user there who may add users"
            }
            Self::ManageEmployeesInClient => {
                "adding, deactivating, reactivating or removing employees in a client account needs the Partner admin \
                 permission set in that client account, for the own partner's employees only, or a super admin of that \
                 client account, who can give the set or approve an access link"
            }
            Self::EndServices => "ending services for a client needs a super admin of the partner account",
            Self::ViewCredit => {
                "reading credit, points and tier needs the Client Access Manager permission in the partner account, \
                 which a super admin of it can give"
            }
            Self::ManageClientUsers => {
                "managing a client account's own users and their permission sets needs a super admin of that client \
                 account"
            }
        }
    }

    /// Whether it is about a client account, so that it exists for the users of that account too.
    #[must_use]
    pub const fn is_of_client(self) -> bool {
        matches!(self, Self::ApproveAccessLinks | Self::ManageEmployeesInClient | Self::ManageClientUsers)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Where a person stands towards one partner and one client.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Standing {
    /// What the person may do in the partner account; none for who is no user of it now, for a partner that is not in
    /// the programme, and where no partner is in question.
    pub partner_role: Option<AccessRole>,
    /// What the person may do in the client account (R28); none for who is no active user of it now, and where no
    /// client is in question.
    pub client: Option<ClientStanding>,
}

/// What an active user of a client account may do there, judged by what its permission set allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClientStanding {
    /// Manages all users.
    SuperAdmin,
    /// Manages the employees of the partner in question, being one of them (R33).
    PartnerAdmin,
    /// Approves access links (R31).
    UserAdmin,
    /// Works there.
    Other,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Denial {
    /// The person has nothing to do with what is in question: to be answered as if it did not exist (R127).
    #[error("the actor may not see what is in question")]
    Invisible,
    /// The person may know of it, and lacks this.
    #[error("{}", .permission.requirement())]
    Missing {
        /// What is lacking.
        permission: Permission,
    },
}

/// Whether somebody who stands there may do it.
///
/// # Errors
/// [`Denial::Invisible`] for who is no user of the partner account and, where the permission is about a client account,
/// no active user of it either; [`Denial::Missing`] for everybody else who may not.
pub const fn judge(permission: Permission, standing: &Standing) -> Result<(), Denial> {
    let Standing { partner_role, client } = standing;
    let is_super_admin = matches!(partner_role, Some(AccessRole::SuperAdmin));
    let has_cam_access = is_super_admin || matches!(partner_role, Some(AccessRole::ClientAccessManager));
    let is_allowed = match permission {
        Permission::ManagePartner | Permission::EndServices => is_super_admin,
        Permission::ViewClientAccess
        | Permission::LinkClients
        | Permission::ShareAccessLinks
        | Permission::ViewCredit => has_cam_access,
        Permission::ApproveAccessLinks => {
            matches!(client, Some(ClientStanding::SuperAdmin | ClientStanding::UserAdmin))
        }
        Permission::ManageEmployeesInClient => {
            matches!(client, Some(ClientStanding::SuperAdmin | ClientStanding::PartnerAdmin))
        }
        Permission::ManageClientUsers => matches!(client, Some(ClientStanding::SuperAdmin)),
    };
    let is_visible = partner_role.is_some() || (permission.is_of_client() && client.is_some());
    match (is_allowed, is_visible) {
        (true, _) => Ok(()),
        (false, true) => Err(Denial::Missing { permission }),
        (false, false) => Err(Denial::Invisible),
    }
}

impl AccessHistory {
    /// Where a person stands at an instant towards the partner and the client in question. Without a partner, whoever
    /// is Partner admin through any partner is one.
    ///
    /// Roles and permission sets are those of the latest change: the instant is the present, and the history holds the
    /// person's changes, the partners that employ it, and the client's.
    #[must_use]
    pub fn standing(
        &self,
        person: &EmailAddress,
        partner: Option<HubId>,
        client: Option<HubId>,
        at: Instant,
        policy: &Policy,
    ) -> Standing {
        let partner_role = partner.and_then(|partner| self.partner_role_at(person, partner, at));
        let is_in_question = |candidate| partner.is_none_or(|partner| partner == candidate);
        let client = client.and_then(|client| self.client_standing_at(person, client, is_in_question, at, policy));
        Standing { partner_role, client }
    }

    /// Whether a person may deactivate, reactivate or remove the user with an address in a client account: a super
    /// admin there may manage any, a Partner admin the people of the partner through which it is one (R27), also those
    /// who no longer are (present in the sense of R71).
    ///
    /// Registering somebody gives no power over them: whoever manages the client's users is not for Partner admins to
    /// remove, and one whom several partners employ is one partner's to manage ([`Self::responsible_partner`]).
    ///
    /// # Errors
    /// [`Denial::Invisible`] for who is no active user there and no user of a partner account whose employee the
    /// address is or was; [`Denial::Missing`] for everybody else who may not.
    pub fn may_manage_user(
        &self,
        person: &EmailAddress,
        client: HubId,
        target: &EmailAddress,
        at: Instant,
        policy: &Policy,
    ) -> Result<(), Denial> {
        let partners = self.partners_in_common(person, target, at);
        let is_for_admins = !self.manages_users(client, target, at, policy);
        let responsible = self.responsible_partner(target, at).filter(|partner| partners.contains(partner));
        let is_in_question = |partner| is_for_admins && responsible == Some(partner);
        let standing = Standing {
            partner_role: partners.iter().filter_map(|partner| self.partner_role_at(person, *partner, at)).max(),
            client: self.client_standing_at(person, client, is_in_question, at, policy),
        };
        judge(Permission::ManageEmployeesInClient, &standing)
    }

    /// Whose person an address is, of all partners whose employee it was by then: the one whose domain matches, else the
    /// one that employs it now, else the one that employed it first, else the lower hub id.
    pub(crate) fn responsible_partner(&self, address: &EmailAddress, at: Instant) -> Option<HubId> {
        let spells = self.employees(address).filter(|spell| spell.was_employee_by(at));
        let closest = spells.min_by_key(|spell| {
            let partner = self.partner(spell.partner);
            let owns_domain = partner.is_some_and(|partner| partner.owns_domain_of(address, at));
            let employs = spell.period.contains(at) && partner.is_some_and(|partner| partner.is_in_programme(at));
            (!owns_domain, !employs, spell.period.start, spell.partner)
        });
        closest.map(|spell| spell.partner)
    }

    /// Whether an address is a user who manages the client's users, active or deactivated.
    pub(crate) fn manages_users(&self, client: HubId, address: &EmailAddress, at: Instant, policy: &Policy) -> bool {
        let user = self.client_user_at(client, address, at);
        let permissions = user.and_then(|user| policy.client_permissions(&user.permission_set, at));
        permissions.is_some_and(|permissions| permissions.allow(ClientPermission::ManageUsers))
    }

    /// The partners in whose account the person is a user now and whose employee the target was by then (R71).
    fn partners_in_common(&self, person: &EmailAddress, target: &EmailAddress, at: Instant) -> BTreeSet<HubId> {
        let of_target = self.employees(target).filter(|spell| spell.was_employee_by(at)).map(|spell| spell.partner);
        of_target.filter(|partner| self.partner_role_at(person, *partner, at).is_some()).collect()
    }

    fn partner_role_at(&self, person: &EmailAddress, partner: HubId, at: Instant) -> Option<AccessRole> {
        self.partner_users_at(person, at).find(|spell| spell.partner == partner).map(|spell| spell.access_role)
    }

    /// The users that a person is in accounts of partners in the programme.
    fn partner_users_at(&self, person: &EmailAddress, at: Instant) -> impl Iterator<Item = &EmployeeSpell> {
        self.employees(person).filter(move |spell| {
            spell.period.contains(at) && self.partner(spell.partner).is_some_and(|partner| partner.is_in_programme(at))
        })
    }

    /// What an active user may do in the client account. It is Partner admin only for a partner in question (R33).
    pub(super) fn client_standing_at(
        &self,
        person: &EmailAddress,
        client: HubId,
        is_in_question: impl Fn(HubId) -> bool,
        at: Instant,
        policy: &Policy,
    ) -> Option<ClientStanding> {
        let user = self.client_user_at(client, person, at).filter(|user| user.is_active(at))?;
        let permissions = policy.client_permissions(&user.permission_set, at);
        let allows = |permission| permissions.is_some_and(|permissions| permissions.allow(permission));
        let is_employee = || {
            let mut spells = self.partner_users_at(person, at);
            spells.any(|spell| is_in_question(spell.partner) && spell.is_partner_employee(at))
        };
        Some(if allows(ClientPermission::ManageUsers) {
            ClientStanding::SuperAdmin
        } else if allows(ClientPermission::ManageOwnEmployees) && is_employee() {
            ClientStanding::PartnerAdmin
        } else if allows(ClientPermission::ApproveAccessLinks) {
            ClientStanding::UserAdmin
        } else {
            ClientStanding::Other
        })
    }
}

impl EmployeeSpell {
    /// Whether it was flagged as working for the partner at that instant or before it (R71).
    pub(super) fn was_employee_by(&self, at: Instant) -> bool {
        self.first_flagged().is_some_and(|first| first <= at)
    }
}

#[cfg(test)]
mod tests;
