//! What becomes of a person's work once the person lacks nothing: found by taking the steps on the history (R7, R25, R37).

use std::collections::BTreeSet;

use uuid::Uuid;

use super::facts::PersonFacts;
use super::people::Step;
use super::view::PartnerView;
use crate::access::{AccessChange, AccessFact, AccessHistory, AccessRole, Actor, Audit, ClientUserId, ClientUserState};
use crate::access::{EmailAddress, EmployeeId, HubId, PermissionSet};
use crate::activity::partner_of_qualifying_work;
use crate::policy::Policy;
use crate::time::Instant;

/// What becomes of a person's work at the client once all that it lacks is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prospect {
    /// It counts.
    Counts {
        /// Whether a link by hand is needed for it; where not, the client is assigned already, or by itself (R23).
        needs_link: bool,
    },
    /// The address works for another partner too, and there it counts (R60).
    CountsForAnother,
    /// The person is no user of the partner account and cannot become one: the address is another partner's (R37).
    CannotBeEmployed,
}

/// Takes the steps that a person lacks at an instant.
pub(super) fn prospect(view: &PartnerView<'_>, person: &PersonFacts, policy: &Policy) -> Prospect {
    let lacks = |step| !person.meets(step, view.as_of);
    if person.missing_step(view.as_of).is_none() && !has_other_employer(view, &person.address) {
        // Nearly always: spares the trial.
        return Prospect::Counts { needs_link: false };
    }
    let mut trial = Trial::new(view, person);
    if lacks(Step::EmployeeExists) {
        if !trial.employs(&person.display_name, policy) {
            return Prospect::CannotBeEmployed;
        }
    } else if lacks(Step::EmployeeFlagged) {
        trial.flags();
    }
    match person.user_state {
        ClientUserState::Active => {}
        ClientUserState::Deactivated => trial.reactivates(),
        ClientUserState::None | ClientUserState::Removed => trial.adds_user(&person.display_name),
    }
    let needs_link = !trial.is_assigned();
    if needs_link {
        trial.links();
    }
    match partner_of_qualifying_work((view.client, &person.address), view.as_of, &trial.history) {
        Some(partner) if partner != view.partner => Prospect::CountsForAnother,
        // Where it counts for nobody, it is not for want of anything about the person.
        Some(_) | None => Prospect::Counts { needs_link },
    }
}

fn has_other_employer(view: &PartnerView<'_>, address: &EmailAddress) -> bool {
    let mut present = view.history.employees(address).filter(|spell| spell.period.contains(view.as_of));
    present.any(|spell| spell.partner != view.partner)
}

/// What is known of one person there, and what would be after more changes.
struct Trial<'a> {
    history: AccessHistory,
    partner: HubId,
    client: HubId,
    address: &'a EmailAddress,
    at: Instant,
    /// Later than everything recorded.
    position: u64,
}

/// Nobody has this id.
const NEW: Uuid = Uuid::nil();

impl<'a> Trial<'a> {
    fn new(view: &PartnerView<'_>, person: &'a PersonFacts) -> Self {
        let address = &person.address;
        let known = view.history.changes().filter(|change| change.effective_time <= view.as_of);
        let employers: BTreeSet<HubId> = view.history.employees(address).map(|spell| spell.partner).collect();
        // Whoever joins a partner account may not be of any other partner's domain (R37).
        let is_employed = person.meets(Step::EmployeeExists, view.as_of);
        let concerns = |fact: &AccessFact| match (fact.client(), fact.address(), fact.partner()) {
            (None, None, Some(partner)) => !is_employed || employers.contains(&partner),
            (client, about, _) => {
                client.is_none_or(|client| client == view.client) && about.is_none_or(|about| about == address)
            }
        };
        Self {
            history: AccessHistory::from_changes(known.filter(|change| concerns(&change.fact)).cloned()),
            partner: view.partner,
            client: view.client,
            address,
            at: view.as_of,
            position: u64::MAX / 2,
        }
    }

    fn record(&mut self, fact: AccessFact) {
        self.position += 1;
        let (position, at) = (self.position, self.at);
        let (actor, audit) = (Actor::Platform, Audit::default());
        self.history.record(AccessChange { position, effective_time: at, record_time: at, actor, audit, fact });
    }

    /// Whether the person may become a user of the partner account; then it is a flagged one.
    fn employs(&mut self, display_name: &str, policy: &Policy) -> bool {
        let fact = AccessFact::EmployeeAdded {
            partner: self.partner,
            employee: EmployeeId(NEW),
            address: self.address.clone(),
            display_name: display_name.to_owned(),
            partner_employee: true,
            access_role: AccessRole::None,
        };
        let is_admitted = self.history.admit(&fact, self.at, self.at, policy).is_ok();
        self.record(fact);
        is_admitted
    }

    fn employee(&self) -> Option<EmployeeId> {
        let mut spells = self.history.employees(self.address);
        let present = spells.find(|spell| spell.partner == self.partner && spell.period.contains(self.at));
        present.map(|spell| spell.employee)
    }

    fn flags(&mut self) {
        let Some(employee) = self.employee() else { return };
        self.record(AccessFact::EmployeeUpdated {
            partner: self.partner,
            employee,
            address: self.address.clone(),
            display_name: None,
            partner_employee: Some(true),
            access_role: None,
        });
    }

    fn adds_user(&mut self, display_name: &str) {
        self.record(AccessFact::ClientUserAdded {
            client: self.client,
            user: ClientUserId(NEW),
            address: self.address.clone(),
            display_name: display_name.to_owned(),
            permission_set: PermissionSet::partner_admin(),
        });
    }

    fn reactivates(&mut self) {
        let Some(user) = self.history.client_user_at(self.client, self.address, self.at).map(|user| user.user) else {
            return;
        };
        self.record(AccessFact::ClientUserReactivated { client: self.client, user, address: self.address.clone() });
    }

    fn is_assigned(&self) -> bool {
        self.history.assignment_at(self.client, self.partner, self.address, self.at).is_some()
    }

    fn links(&mut self) {
        let Some(employee) = self.employee() else { return };
        let (client, partner, address) = (self.client, self.partner, self.address.clone());
        self.record(AccessFact::ClientLinked { client, partner, employee, address });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::testing::*;

    /// What becomes of Anna's work at the client from June on, for the agency; the studio has employed and linked her
    /// since before it was known that the domain is the agency's.
    fn prospects<const N: usize>(at_the_agency: [(&str, AccessFact); N]) -> Vec<Prospect> {
        let before = [
            ("2025-01-01T00:00:00Z", partner_added(OTHER_PARTNER, &[])),
            ("2025-01-01T00:00:00Z", partner_added(PARTNER, &[])),
            ("2025-01-01T00:00:00Z", client_added(CLIENT)),
            ("2025-01-02T00:00:00Z", employee_added(OTHER_PARTNER, 1, ANNA)),
            ("2025-01-02T00:00:00Z", linked(CLIENT, OTHER_PARTNER, 1, ANNA)),
            ("2025-01-03T00:00:00Z", user_added(CLIENT, 1, ANNA)),
            ("2025-02-01T00:00:00Z", domains_set(PARTNER, &["agency.example"])),
        ];
        let facts = (1..).zip(before.into_iter().chain(at_the_agency));
        let changes = facts.map(|(position, (time, fact))| change(position, at(time), fact));
        let history = AccessHistory::from_changes(changes);
        let as_of = at("2025-06-01T00:00:00Z");
        let view = PartnerView { history: &history, partner: hub(PARTNER), client: hub(CLIENT), as_of };
        view.people_facts(&BTreeSet::new(), &POLICY).into_iter().map(|person| person.prospect).collect()
    }

    #[test]
    fn r60_once_flagged_the_work_counts_for_the_one_whose_domain_matches() {
        let unflagged = ("2025-03-01T00:00:00Z", unflagged_added(PARTNER, 2, ANNA));
        assert_eq!(prospects([unflagged]), [Prospect::Counts { needs_link: false }]);
    }

    #[test]
    fn r60_once_linked_again_the_work_counts_for_the_one_whose_domain_matches() {
        let employed = ("2025-03-01T00:00:00Z", employee_added(PARTNER, 2, ANNA));
        let unlinked = ("2025-04-01T00:00:00Z", unlinked(CLIENT, PARTNER, 2, ANNA));
        assert_eq!(prospects([employed, unlinked]), [Prospect::Counts { needs_link: true }]);
    }

    #[test]
    fn r37_whoever_was_deleted_becomes_an_employee_again_unless_the_domain_is_another_partners() {
        let employed = ("2025-01-04T00:00:00Z", employee_added(PARTNER, 2, ANNA));
        let deleted = ("2025-03-01T00:00:00Z", employee_deleted(PARTNER, 2, ANNA));
        assert_eq!(prospects([employed.clone(), deleted.clone()]), [Prospect::Counts { needs_link: false }]);
        let given_up = ("2025-04-01T00:00:00Z", domains_set(PARTNER, &[]));
        let taken_over = ("2025-05-01T00:00:00Z", domains_set(OTHER_PARTNER, &["agency.example"]));
        assert_eq!(prospects([employed, deleted, given_up, taken_over]), [Prospect::CannotBeEmployed]);
    }

    #[test]
    fn r60_without_the_domain_it_counts_for_the_one_assigned_earlier() {
        let employed = ("2025-01-04T00:00:00Z", employee_added(PARTNER, 2, ANNA));
        let domain_is_lost = ("2025-02-01T00:00:00Z", domains_set(PARTNER, &[]));
        assert_eq!(prospects([employed, domain_is_lost]), [Prospect::CountsForAnother]);
    }
}
