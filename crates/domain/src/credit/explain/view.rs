//! What the access history says about a partner's people at a client as of an instant, and by which names it is told.
//!
//! Nobody is ever named who is not of the asking partner (R127).

use std::collections::BTreeSet;

use super::change::ChangeFacts;
use super::facts::{
    AssignmentFacts, ClientFacts, EmploymentFacts, EndingFacts, PartnerFacts, PersonChanges, PersonFacts,
};
use super::prospect::{Prospect, prospect};
use crate::access::{
    AccessFact, AccessHistory, ClientUserSpell, ClientUserState, EmailAddress, EmployeeId, EmployeeSpell, Ending,
    EndingCause, HubId,
};
use crate::credit::credit_facts::CountryHistory;
use crate::policy::Policy;
use crate::time::{Instant, Period};

/// A partner's view of a client.
///
/// The history holds everything about everybody who ever had to do with the client, the partner itself, the employees at
/// the addresses that evidence names and of those who made changes, and, where somebody is no user of the partner account any more, what is known of
/// every partner itself (R37).
#[derive(Debug, Clone, Copy)]
pub struct PartnerView<'a> {
    /// What is known of access.
    pub history: &'a AccessHistory,
    /// The partner that asks.
    pub partner: HubId,
    /// The client that is asked about.
    pub client: HubId,
    /// The instant that is asked about.
    pub as_of: Instant,
}

impl PartnerView<'_> {
    /// The name of the person with this id, else at this address, if it ever was of the partner (R127).
    #[must_use]
    pub fn name_of(&self, employee: Option<EmployeeId>, address: Option<&EmailAddress>) -> Option<String> {
        let by_id = employee.and_then(|employee| self.history.employee(employee));
        let by_id = by_id.filter(|spell| spell.partner == self.partner);
        let by_address = || self.spells(address?).last();
        by_id.or_else(by_address).map(|spell| spell.display_name.clone())
    }

    /// The addresses of everybody of the partner who has, or had, anything to do with the client, or of whom evidence
    /// tells.
    #[must_use]
    pub fn people(&self, evidenced: &BTreeSet<EmailAddress>) -> BTreeSet<EmailAddress> {
        let users = self.history.client_users(self.client).filter(|user| user.period.start <= self.as_of);
        let mut addresses: BTreeSet<_> = users.map(|user| &user.address).chain(evidenced).collect();
        addresses.extend(self.linked_addresses());
        addresses.into_iter().filter(|address| self.spells(address).next().is_some()).cloned().collect()
    }

    /// Whether somebody would have to become a user of the partner account again, which other partners' domains may
    /// forbid (R37).
    #[must_use]
    pub fn has_former_employees(&self, evidenced: &BTreeSet<EmailAddress>) -> bool {
        let is_employed = |address: &EmailAddress| self.spells(address).any(|spell| spell.period.contains(self.as_of));
        !self.people(evidenced).iter().all(is_employed)
    }

    fn linked_addresses(&self) -> impl Iterator<Item = &EmailAddress> {
        let by_then = self.history.changes().filter(|change| change.effective_time <= self.as_of);
        by_then.filter_map(|change| match &change.fact {
            AccessFact::ClientLinked { client, partner, address, .. }
                if (*client, *partner) == (self.client, self.partner) =>
            {
                Some(address)
            }
            _ => None,
        })
    }

    pub(super) fn partner_facts(&self) -> PartnerFacts {
        let programme = self.history.partner(self.partner).map(|partner| self.as_known(partner.membership()));
        let left = programme.and_then(|programme| programme.end);
        let is_leaving = |fact: &AccessFact| matches!(fact, AccessFact::PartnerLeft { .. }) && self.is_of_partner(fact);
        PartnerFacts { partner: self.partner, programme, left: self.change_at(left, is_leaving) }
    }

    pub(super) fn client_facts(&self, countries: &CountryHistory) -> ClientFacts {
        let client = self.history.client(self.client);
        ClientFacts {
            client: self.client,
            display_name: client.map(|client| client.display_name.clone()),
            is_known: client.is_some_and(|client| client.since <= self.as_of),
            closed_time: client.and_then(|client| client.closed_time).filter(|closed| *closed <= self.as_of),
            country: countries.country_at(self.as_of).zip(countries.country_since(self.as_of)),
        }
    }

    pub(super) fn endings(&self, policy: &Policy) -> Vec<EndingFacts> {
        let endings = self.history.endings(self.client, self.partner, policy).into_iter();
        endings.filter(|ending| ending.time <= self.as_of).map(|ending| self.ending(ending)).collect()
    }

    fn ending(&self, Ending { time, cause }: Ending) -> EndingFacts {
        let is_cause = |fact: &AccessFact| match (cause, fact) {
            (EndingCause::AllEmployeesRemoved, AccessFact::ClientUserRemoved { address, .. }) => {
                self.is_of_client(fact) && self.spells(address).next().is_some()
            }
            (EndingCause::ServicesEnded, AccessFact::ServicesEnded { .. }) => {
                self.is_of_client(fact) && self.is_of_partner(fact)
            }
            (EndingCause::PartnerLeft, AccessFact::PartnerLeft { .. }) => self.is_of_partner(fact),
            (EndingCause::ClientClosed, AccessFact::ClientClosed { .. }) => self.is_of_client(fact),
            _ => false,
        };
        EndingFacts { time, cause, change: self.change_at(Some(time), is_cause) }
    }

    /// The people with everything that is told of them.
    pub(super) fn people_facts(&self, evidenced: &BTreeSet<EmailAddress>, policy: &Policy) -> Vec<PersonFacts> {
        let people = self.people(evidenced);
        let facts = people.iter().filter_map(|address| self.person(address));
        facts.map(|person| PersonFacts { prospect: prospect(self, &person, policy), ..person }).collect()
    }

    fn person(&self, address: &EmailAddress) -> Option<PersonFacts> {
        let spells: Vec<_> = self.spells(address).collect();
        let latest = spells.last()?;
        let employments: Vec<_> = spells.iter().map(|spell| self.employment(spell)).collect();
        let assignment = self.history.assignment_at(self.client, self.partner, address, self.as_of);
        let assigned_since = self.history.assigned_since(self.client, self.partner, address, self.as_of);
        let assignment = assignment.zip(assigned_since).map(|(assignment, since)| AssignmentFacts {
            state: assignment.state,
            since,
            origin: assignment.origin,
        });
        let mut person = PersonFacts {
            display_name: latest.display_name.clone(),
            address: address.clone(),
            employments,
            user_state: self.history.client_user_state_at(self.client, address, self.as_of),
            user_state_since: self.user_state_since(address),
            user_since: self.history.client_user_at(self.client, address, self.as_of).map(|user| user.period.start),
            assignment,
            unassigned_since: assignment.is_none().then(|| self.unassigned_since(address)).flatten(),
            changes: PersonChanges::default(),
            prospect: Prospect::Counts { needs_link: false },
        };
        person.changes = self.changes(&person);
        Some(person)
    }

    fn employment(&self, spell: &EmployeeSpell) -> EmploymentFacts {
        EmploymentFacts {
            period: self.as_known(spell.period),
            partner_employee: spell.is_partner_employee(self.as_of),
            flag_since: spell.flag_since(self.as_of),
        }
    }

    /// When an address was of the partner, by the instant, in the order of creation.
    fn spells<'view>(&'view self, address: &EmailAddress) -> impl Iterator<Item = &'view EmployeeSpell> {
        let of_partner = self.history.employees(address).filter(|spell| spell.partner == self.partner);
        of_partner.filter(|spell| spell.period.start <= self.as_of)
    }

    fn user_state_since(&self, address: &EmailAddress) -> Option<Instant> {
        let latest = self.latest_user(address)?;
        match self.history.client_user_state_at(self.client, address, self.as_of) {
            ClientUserState::None => None,
            ClientUserState::Active => {
                latest.active.iter().find(|stretch| stretch.contains(self.as_of)).map(|stretch| stretch.start)
            }
            ClientUserState::Deactivated => {
                let ends = latest.active.iter().filter_map(|stretch| stretch.end);
                ends.filter(|end| *end <= self.as_of).max()
            }
            ClientUserState::Removed => latest.period.end,
        }
    }

    fn latest_user(&self, address: &EmailAddress) -> Option<&ClientUserSpell> {
        let spells = self.history.client_user_spells(self.client, address);
        spells.iter().rfind(|spell| spell.period.start <= self.as_of)
    }

    fn unassigned_since(&self, address: &EmailAddress) -> Option<Instant> {
        let assignments = self.history.assignments(self.client, self.partner, address);
        let ends = assignments.iter().filter_map(|assignment| assignment.period.end);
        ends.filter(|end| *end <= self.as_of).max()
    }

    fn changes(&self, person: &PersonFacts) -> PersonChanges {
        let address = &person.address;
        let about = |fact: &AccessFact| fact.address() == Some(address);
        let at_partner = |fact: &AccessFact| about(fact) && self.is_of_partner(fact);
        let at_client = |fact: &AccessFact| about(fact) && self.is_of_client(fact);
        let is_employment = |fact: &AccessFact| {
            let kind = matches!(fact, AccessFact::EmployeeAdded { .. } | AccessFact::EmployeeDeleted { .. });
            kind && at_partner(fact)
        };
        let is_flag = |fact: &AccessFact| {
            let kind = matches!(
                fact,
                AccessFact::EmployeeAdded { .. } | AccessFact::EmployeeUpdated { partner_employee: Some(_), .. }
            );
            kind && at_partner(fact)
        };
        let is_user = |fact: &AccessFact| {
            let kind = matches!(fact, AccessFact::ClientUserAdded { .. } | AccessFact::ClientUserRemoved { .. });
            kind && at_client(fact)
        };
        let is_user_state = |fact: &AccessFact| {
            let kind =
                matches!(fact, AccessFact::ClientUserDeactivated { .. } | AccessFact::ClientUserReactivated { .. });
            is_user(fact) || (kind && at_client(fact))
        };
        let is_assignment = |fact: &AccessFact| match fact {
            AccessFact::ClientLinked { .. } => person.assignment.is_some() && at_partner(fact) && at_client(fact),
            AccessFact::ClientUnlinked { .. } => person.assignment.is_none() && at_partner(fact) && at_client(fact),
            AccessFact::ServicesEnded { .. } => {
                person.assignment.is_none() && self.is_of_partner(fact) && self.is_of_client(fact)
            }
            _ => false,
        };
        let assignment_since = person.assignment.map(|assignment| assignment.since).or(person.unassigned_since);
        PersonChanges {
            employment: self.change_at(person.employment_since(self.as_of), is_employment),
            flag: self.change_at(person.flag_since(self.as_of), is_flag),
            user: self.change_at(person.user_since.or(person.user_state_since), is_user),
            user_state: self.change_at(person.user_state_since, is_user_state),
            assignment: self.change_at(assignment_since, is_assignment),
        }
    }

    fn is_of_partner(&self, fact: &AccessFact) -> bool {
        fact.partner() == Some(self.partner)
    }

    fn is_of_client(&self, fact: &AccessFact) -> bool {
        fact.client() == Some(self.client)
    }

    /// The last change of a kind that is effective at an instant.
    fn change_at(&self, time: Option<Instant>, is_it: impl Fn(&AccessFact) -> bool) -> Option<ChangeFacts> {
        let last = self.history.changes_at(time?).filter(|change| is_it(&change.fact)).last()?;
        Some(ChangeFacts::of(last, |address| self.name_of(None, Some(address))))
    }

    /// A period as it was known at the instant: an end that was still ahead was not.
    fn as_known(&self, period: Period) -> Period {
        Period { end: period.end.filter(|end| *end <= self.as_of), ..period }
    }
}

#[cfg(test)]
mod tests;
