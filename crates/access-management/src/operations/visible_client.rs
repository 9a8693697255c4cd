//! Which clients exist for a partner's people (R26, R127).

use std::collections::BTreeSet;

use contracts::Failure;
use domain::access::{AccessHistory, Actor, EmailAddress, HubId};
use service_kit::ServiceError;
use service_kit::access_log::{self, Question};
use service_kit::permission::unknown_client;

use super::recording::Recording;

/// Whether these clients exist for the actor, and how they are assigned to an employee of the partner.
pub(super) async fn load(
    recording: &Recording<'_>,
    partner: HubId,
    address: &EmailAddress,
    clients: &BTreeSet<HubId>,
) -> Result<AccessHistory, ServiceError> {
    let mut addresses = BTreeSet::from([address.clone()]);
    if matches!(recording.actor(), Actor::Person(_)) {
        // A colleague who is or was a user there makes the client exist for all of them.
        addresses.extend(access_log::employee_addresses(&**recording.transaction(), partner).await?);
    }
    recording
        .history(&[
            Question::Partners(&BTreeSet::from([partner])),
            Question::EmployeesAt(&addresses),
            Question::Clients(clients),
            Question::UsersAndLinks { clients, addresses: &addresses },
        ])
        .await
}

/// Refuses a client that does not exist for the partner's people as one that does not exist at all.
pub(super) fn require_visible(
    recording: &Recording<'_>,
    history: &AccessHistory,
    client: HubId,
    partner: HubId,
) -> Result<(), Failure> {
    match recording.actor() {
        Actor::Person(_) if !history.exists_for(client, partner) => Err(unknown_client(client)),
        Actor::Platform | Actor::Person(_) => Ok(()),
    }
}
