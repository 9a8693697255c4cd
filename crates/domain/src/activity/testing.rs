//! For tests: work in few words, and somebody who takes the steps that would make it count.

use super::{Activity, ActivityAction, Attribution, Origin, RemedyKind};
use crate::access::testing::*;
use crate::access::{AccessChange, AccessFact, AccessHistory, EmailAddress, HubId};
use crate::time::Instant;

/// The agency of whoever takes the steps, where the address is nobody's yet: in the programme since always.
pub(crate) const MANAGERS_PARTNER: i64 = 1003;

/// Something that a person did.
pub(crate) fn activity(client: i64, text: &str, time: Instant, action: &str) -> Activity {
    Activity {
        client: hub(client),
        id: "a1".parse().expect("an activity id"),
        address: address(text),
        occur_time: time,
        action: ActivityAction::Catalogue(action.parse().expect("an action")),
        origin: Origin::Person,
        target_object_id: None,
    }
}

/// Takes steps for one address in one client account, each effective at one instant.
pub(crate) struct Manager {
    client: HubId,
    address: EmailAddress,
    time: Instant,
    changes: Vec<AccessChange>,
    partner: i64,
    employee: u128,
}

impl Manager {
    /// For an employee, or for an address that is nobody's.
    pub(crate) fn new(
        client: HubId,
        address: &EmailAddress,
        time: Instant,
        changes: Vec<AccessChange>,
        employee: Option<Attribution>,
    ) -> Self {
        let mut manager = Self {
            client,
            address: address.clone(),
            time,
            changes,
            partner: employee.map_or(MANAGERS_PARTNER, |found| found.partner.get()),
            employee: employee.map_or(u128::MAX, |found| found.employee.0.as_u128()),
        };
        if employee.is_none() {
            manager.record(partner_added(MANAGERS_PARTNER, &[]));
        }
        manager
    }

    /// Takes a step of access; one about the work itself is not for a manager to take.
    pub(crate) fn follow(&mut self, kind: RemedyKind) {
        let (client, text) = (self.client.get(), self.address.to_string());
        match kind {
            RemedyKind::AddClient => self.record(client_added(client)),
            RemedyKind::AddEmployee => self.record(employee_added(self.partner, self.employee, &text)),
            RemedyKind::FlagEmployee => self.record(employee_updated(self.partner, self.employee, &text, true)),
            RemedyKind::JoinProgramme => self.join_programme(),
            RemedyKind::AddClientUser => self.record(user_added(client, u128::MAX, &text)),
            RemedyKind::ReactivateClientUser => self.record(user_reactivated(client, self.user(), &text)),
            RemedyKind::LinkClient => self.record(linked(client, self.partner, self.employee, &text)),
            RemedyKind::UseKnownAction
            | RemedyKind::UseQualifyingAction
            | RemedyKind::DoByHand
            | RemedyKind::Work
            | RemedyKind::NothingHelps => {}
        }
    }

    /// A partner that left is taken in again by taking the leaving back.
    fn join_programme(&mut self) {
        self.changes.retain(|change| change.fact != partner_left(self.partner));
        self.record(partner_added(self.partner, &[]));
    }

    fn user(&self) -> u128 {
        let history = self.history();
        let user = history.client_user_at(self.client, &self.address, self.time);
        user.map(|spell| spell.user.0.as_u128()).expect("who is reactivated is there")
    }

    fn record(&mut self, fact: AccessFact) {
        let last = self.changes.iter().map(|change| change.position).max();
        self.changes.push(change(last.unwrap_or_default() + 1, self.time, fact));
    }

    pub(crate) fn history(&self) -> AccessHistory {
        AccessHistory::from_changes(self.changes.clone())
    }
}
