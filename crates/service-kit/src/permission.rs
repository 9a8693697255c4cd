//! Whether an actor may do something: the matrix of `domain`, judged over the service's own copy of the access facts.

use std::collections::BTreeSet;

use contracts::Failure;
use contracts::wire::error::ErrorReason;
use domain::access::{Actor, Denial, HubId, judge};
use domain::policy::Policy;
use domain::time::Instant;
use sea_orm::ConnectionTrait;

pub use domain::access::Permission;

use crate::ServiceError;
use crate::access_log::{self, Question};

/// Refuses an actor without this permission in the partner account or the client account. The platform may do everything.
///
/// # Errors
/// `PERMISSION_MISSING` with what is missing; or the same as where the partner or client did not exist, for who may not
/// see it (R127); or the database fails.
pub async fn require<C: ConnectionTrait>(
    connection: &C,
    policy: &Policy,
    actor: &Actor,
    permission: Permission,
    partner: Option<HubId>,
    client: Option<HubId>,
    at: Instant,
) -> Result<(), ServiceError> {
    let Actor::Person(person) = actor else { return Ok(()) };
    let (partners, clients) = (partner.into_iter().collect(), client.into_iter().collect());
    let addresses = BTreeSet::from([person.clone()]);
    let history = access_log::history(
        connection,
        &[
            Question::Partners(&partners),
            Question::EmployeesAt(&addresses),
            Question::Clients(&clients),
            Question::UsersAndLinks { clients: &clients, addresses: &addresses },
        ],
    )
    .await?;
    let standing = history.standing(person, partner, client, at, policy);
    judge(permission, &standing).map_err(|denial| refusal(denial, permission, partner, client).into())
}

/// What a person is told who may not do something: one who may not even see what is in question hears what they would
/// hear if it did not exist.
#[must_use]
pub fn refusal(denial: Denial, permission: Permission, partner: Option<HubId>, client: Option<HubId>) -> Failure {
    match (denial, partner, client) {
        (Denial::Invisible, _, Some(client)) if permission.is_of_client() => unknown_client(client),
        (Denial::Invisible, Some(partner), _) => unknown_partner(partner),
        _ => Failure::new(ErrorReason::PermissionMissing, denial.to_string()).with("permission", permission),
    }
}

/// What is said of a partner that does not exist for the actor, whether or not it exists.
#[must_use]
pub fn unknown_partner(partner: HubId) -> Failure {
    Failure::new(ErrorReason::UnknownPartner, format!("partner {partner} is not known"))
}

/// What is said of a client that does not exist for the actor, whether or not it exists.
#[must_use]
pub fn unknown_client(client: HubId) -> Failure {
    Failure::new(ErrorReason::UnknownClient, format!("client {client} is not known"))
}
