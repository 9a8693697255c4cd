//! Who may see or change a user of a client account (R27, R28, R127).

use std::collections::BTreeSet;

use contracts::wire::error::ErrorReason;
use contracts::{ClientUserName, Failure};
use domain::access::{AccessHistory, Actor, ClientStanding, Denial, EmailAddress, HubId, judge};
use domain::policy::Policy;
use domain::time::Instant;
use sea_orm::ConnectionTrait;
use service_kit::permission::{self, Permission};
use service_kit::{ServiceError, access_log};

/// What somebody wants with a user of a client account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Intent {
    See,
    /// Deactivate, reactivate or remove.
    Change,
}

impl Intent {
    /// What is lacking where it is refused.
    const fn permission(self) -> Permission {
        match self {
            Self::See => Permission::ViewClientAccess,
            Self::Change => Permission::ManageEmployeesInClient,
        }
    }
}

/// The address of a user that the actor may see or change.
///
/// A user that does not exist is refused to each actor exactly as one who is nobody's employee, so that nobody learns
/// who is there (R127).
pub(super) async fn require_user<C: ConnectionTrait>(
    connection: &C,
    policy: &Policy,
    actor: &Actor,
    name: ClientUserName,
    intent: Intent,
    at: Instant,
) -> Result<EmailAddress, ServiceError> {
    let address = access_log::user_address(connection, name.client, name.user).await?;
    if let Actor::Person(person) = actor {
        let people = [Some(person), address.as_ref()].into_iter().flatten().cloned().collect();
        let history = access_log::history_for_judging(connection, &BTreeSet::from([name.client]), &people).await?;
        let question = UserQuestion { history: &history, person, client: name.client, at, policy };
        let judged = match (&address, intent) {
            (None, _) => question.about_nobody(intent),
            (Some(target), Intent::See) => question.may_see(target),
            (Some(target), Intent::Change) => question.may_change(target),
        };
        judged.map_err(|denial| refusal(denial, name, intent))?;
    }
    Ok(address.ok_or_else(|| unknown(name))?)
}

fn refusal(denial: Denial, name: ClientUserName, intent: Intent) -> Failure {
    let permission = intent.permission();
    match denial {
        Denial::Invisible => unknown(name),
        Denial::Missing { .. } => permission::refusal(Denial::Missing { permission }, permission, None, None),
    }
}

/// What is said of a user that does not exist for the actor, whether or not it exists.
pub(super) fn unknown(name: ClientUserName) -> Failure {
    Failure::new(ErrorReason::UnknownClientUser, format!("{name} is not known"))
}

/// One person, and the users of one client.
pub(super) struct UserQuestion<'a> {
    /// Holds the person's changes and those of the users in question, in the client and in partner accounts.
    pub history: &'a AccessHistory,
    pub person: &'a EmailAddress,
    pub client: HubId,
    pub at: Instant,
    pub policy: &'a Policy,
}

impl UserQuestion<'_> {
    pub fn may_change(&self, target: &EmailAddress) -> Result<(), Denial> {
        self.history.may_manage_user(self.person, self.client, target, self.at, self.policy)
    }

    /// Who may change a user sees it; so does the user itself, and whoever has CAM access where it is or was an employee.
    pub fn may_see(&self, target: &EmailAddress) -> Result<(), Denial> {
        if self.person == target || self.has_cam_access_to_employer_of(target) {
            return Ok(());
        }
        self.may_change(target)
    }

    fn has_cam_access_to_employer_of(&self, target: &EmailAddress) -> bool {
        let mut employers = self.history.employees(target).filter(|spell| spell.first_flagged().is_some());
        employers.any(|spell| {
            let standing = self.history.standing(self.person, Some(spell.partner), None, self.at, self.policy);
            judge(Permission::ViewClientAccess, &standing).is_ok()
        })
    }

    /// What the person may do with somebody who is nobody's employee.
    fn about_nobody(&self, intent: Intent) -> Result<(), Denial> {
        match self.standing() {
            Some(ClientStanding::SuperAdmin) => Ok(()),
            Some(_) => Err(Denial::Missing { permission: intent.permission() }),
            None => Err(Denial::Invisible),
        }
    }

    /// What the person may do in the client, through whichever partner.
    fn standing(&self) -> Option<ClientStanding> {
        self.history.standing(self.person, None, Some(self.client), self.at, self.policy).client
    }
}
