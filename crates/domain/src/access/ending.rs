//! The instants at which a managed relationship ends at once, derived from the access history (R71, R74 to R76).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::record::Records;
use super::{AccessHistory, EmailAddress, EmployeeSpell, HubId};
use crate::policy::{EndingEffect, Policy};
use crate::time::{Instant, Period};

/// The relationship of a partner and a client ends at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ending {
    /// From when on earlier activities no longer count (R73).
    pub time: Instant,
    /// Why.
    pub cause: EndingCause,
}

/// What may end a relationship at once; whether it does is policy data (R75).
///
/// Where several fall on one instant, the last of this list is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndingCause {
    /// The last one present of the partner's employees was removed from the client account (R71).
    AllEmployeesRemoved,
    /// The partner ended its services for the client (R76).
    ServicesEnded,
    /// The partner left the programme (R76).
    PartnerLeft,
    /// The client account was closed (R76).
    ClientClosed,
}

/// A text that names no cause of an ending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cause of an ending is ALL_EMPLOYEES_REMOVED, SERVICES_ENDED, PARTNER_LEFT or CLIENT_CLOSED")]
pub struct EndingCauseError;

impl EndingCause {
    /// Every cause.
    pub const ALL: [Self; 4] = [Self::AllEmployeesRemoved, Self::ServicesEnded, Self::PartnerLeft, Self::ClientClosed];

    /// The name in stored and printed text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AllEmployeesRemoved => "ALL_EMPLOYEES_REMOVED",
            Self::ServicesEnded => "SERVICES_ENDED",
            Self::PartnerLeft => "PARTNER_LEFT",
            Self::ClientClosed => "CLIENT_CLOSED",
        }
    }
}

impl FromStr for EndingCause {
    type Err = EndingCauseError;

    fn from_str(text: &str) -> Result<Self, EndingCauseError> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == text).ok_or(EndingCauseError)
    }
}

impl fmt::Display for EndingCause {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl AccessHistory {
    /// The endings of the relationship of a partner and a client: in order, at most one per instant, only those whose
    /// cause the policy calls IMMEDIATE (R75).
    ///
    /// Somebody is present from when both are true, user of the client and (once) flagged as the partner's employee, until
    /// the user is removed; deactivated, unlinked, or deleted in the partner account is still present (R71). When the last
    /// one present is removed, that is an ending; one added at that very instant prevents it.
    #[must_use]
    pub fn endings(&self, client: HubId, partner: HubId, policy: &Policy) -> Vec<Ending> {
        self.records.endings(client, partner, policy)
    }
}

impl Records {
    pub(super) fn endings(&self, client: HubId, partner: HubId, policy: &Policy) -> Vec<Ending> {
        let removals = deserted_times(self.presences(client, partner))
            .into_iter()
            .map(|time| Ending { time, cause: EndingCause::AllEmployeesRemoved });
        let services_ended = self.services_ended.get(&(client, partner)).into_iter().flatten();
        let services_ended = services_ended.map(|step| Ending { time: step.time, cause: EndingCause::ServicesEnded });
        let left = self.partners.get(&partner).and_then(|history| history.left_time);
        let left = left.map(|time| Ending { time, cause: EndingCause::PartnerLeft });
        let closed = self.clients.get(&client).and_then(|history| history.closed_time);
        let closed = closed.map(|time| Ending { time, cause: EndingCause::ClientClosed });

        let mut endings: Vec<Ending> = removals.chain(services_ended).chain(left).chain(closed).collect();
        endings.retain(|ending| policy.ending_effect(ending.cause) == EndingEffect::Immediate);
        endings.sort_by_key(|ending| (ending.time, std::cmp::Reverse(ending.cause)));
        endings.dedup_by_key(|ending| ending.time);
        endings
    }

    fn presences(&self, client: HubId, partner: HubId) -> Vec<Period> {
        let users = self.client_users.get(&client).into_iter().flat_map(BTreeMap::values).flatten();
        users.filter_map(|user| self.presence(partner, &user.address, user.period)).collect()
    }

    pub(super) fn presence(&self, partner: HubId, address: &EmailAddress, user: Period) -> Option<Period> {
        let of_partner = self.employee_spells(address).iter().filter(|spell| spell.partner == partner);
        let first_employed = of_partner.filter_map(EmployeeSpell::first_flagged).min()?;
        let start = user.start.max(first_employed);
        user.end.is_none_or(|end| start < end).then_some(Period { start, end: user.end })
    }
}

/// The instants at which the last of these periods that overlap or touch is over.
pub(super) fn deserted_times(mut presences: Vec<Period>) -> Vec<Instant> {
    presences.sort();
    let mut deserted = Vec::new();
    let mut present_until: Option<Instant> = None;
    for presence in presences {
        if let Some(until) = present_until
            && until < presence.start
        {
            deserted.push(until);
        }
        let Some(end) = presence.end else { return deserted };
        present_until = present_until.max(Some(end));
    }
    deserted.extend(present_until);
    deserted
}

#[cfg(test)]
mod tests;
