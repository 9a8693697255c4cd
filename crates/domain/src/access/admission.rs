//! Whether a fact may be added to the history: the decision before every write.

mod retraction;
mod sequence;

use std::collections::BTreeSet;

use super::record::Records;
use super::{
    Absence, AccessFact, AccessHistory, AccessRefusal, ClientUserId, ClientUserState, EmailAddress, EmailDomain,
    EmployeeId, EmployeeSpell, HubId, PermissionSet, Subject,
};
use crate::policy::Policy;
use crate::time::{Instant, Period};

impl AccessHistory {
    /// Whether the fact may be recorded as true from `effective_time` on.
    ///
    /// The history must hold every change of the keys that the fact names, of the holders of the email domains in
    /// question, and of the employees and client users with its address; for an end of services and for a retraction also
    /// those of all users of the client and of all employees of the partner.
    ///
    /// # Errors
    /// The first reason against it. A fact effective before others of its key is refused if one of those would become
    /// illegal by it, and a retraction if one of those needs what is taken back (R22).
    pub fn admit(
        &self,
        fact: &AccessFact,
        effective_time: Instant,
        now: Instant,
        policy: &Policy,
    ) -> Result<(), AccessRefusal> {
        if effective_time > now {
            return Err(AccessRefusal::EffectiveTimeAhead { effective_time, now });
        }
        if let AccessFact::Retracted { position, fact: taken_back } = fact {
            return self.admit_retraction(*position, taken_back, effective_time, policy);
        }
        self.records.refuse_taken_hub_id(fact)?;
        if self.later_than(effective_time).next().is_none() {
            return self.records.check(fact, effective_time, policy);
        }
        let before = self.records_until(effective_time);
        before.check(fact, effective_time, policy).map_err(|refusal| self.records.with_later_start(refusal))?;
        self.check_later_sequence(before, fact, effective_time, policy)
    }

    /// Whether the partner is in the programme at an instant.
    ///
    /// # Errors
    /// In which way it is not.
    pub fn require_partner(&self, partner: HubId, at: Instant) -> Result<(), AccessRefusal> {
        self.records.require_partner(partner, at)
    }

    /// Whether the client account is known and open at an instant.
    ///
    /// # Errors
    /// In which way it is not.
    pub fn require_client(&self, client: HubId, at: Instant) -> Result<(), AccessRefusal> {
        self.records.require_client(client, at)
    }
}

impl Records {
    /// A hub id is a partner or a client once and for all, also where it joined only after the effective time.
    fn refuse_taken_hub_id(&self, fact: &AccessFact) -> Result<(), AccessRefusal> {
        match fact {
            AccessFact::PartnerAdded { partner, display_name, country, email_domains } => {
                let Some(existing) = self.partners.get(partner) else { return Ok(()) };
                let existing_domains = existing.email_domains.last().map(|(_, domains)| domains);
                let differing_fields = fields([
                    ("display_name", existing.display_name != *display_name),
                    ("country", existing.country != *country),
                    ("email_domains", existing_domains != Some(email_domains)),
                ]);
                Err(AccessRefusal::PartnerExists { partner: *partner, since: existing.joined_time, differing_fields })
            }
            AccessFact::ClientAdded { client, display_name, country } => {
                let Some(existing) = self.clients.get(client) else { return Ok(()) };
                let differing_fields = fields([
                    ("display_name", existing.display_name != *display_name),
                    ("country", existing.country() != *country),
                ]);
                Err(AccessRefusal::ClientExists { client: *client, since: existing.since, differing_fields })
            }
            _ => Ok(()),
        }
    }

    /// Whether the fact is legal at `at`, where these records are all that is true at `at`.
    fn check(&self, fact: &AccessFact, at: Instant, policy: &Policy) -> Result<(), AccessRefusal> {
        match fact {
            AccessFact::PartnerAdded { partner, email_domains, .. } => {
                self.refuse_taken_hub_id(fact)?;
                self.require_free_domains(*partner, email_domains, at, policy)
            }
            AccessFact::PartnerDomainsSet { partner, email_domains } => {
                self.require_partner(*partner, at)?;
                self.require_free_domains(*partner, email_domains, at, policy)
            }
            AccessFact::PartnerLeft { partner } | AccessFact::PartnerUpdated { partner, .. } => {
                self.require_partner(*partner, at)
            }
            AccessFact::EmployeeAdded { partner, address, .. } => {
                self.require_partner(*partner, at)?;
                self.refuse_existing_employee(fact, at)?;
                self.refuse_foreign_domain(*partner, address, at)
            }
            AccessFact::EmployeeUpdated { partner, employee, address, .. }
            | AccessFact::EmployeeDeleted { partner, employee, address }
            | AccessFact::AccessLinkCreated { partner, employee, address, .. } => {
                self.require_employee(*partner, *employee, address, at).map(|_| ())
            }
            AccessFact::AccessLinkRevoked { partner, employee, address, .. } => {
                self.require_employee_ever(*partner, *employee, address).map(|_| ())
            }
            AccessFact::AccessLinkApproved { client, partner, employee, address, .. } => {
                self.require_client(*client, at)?;
                self.require_employee(*partner, *employee, address, at).map(|_| ())
            }
            AccessFact::ClientAdded { .. } => self.refuse_taken_hub_id(fact),
            AccessFact::ClientClosed { client } | AccessFact::ClientUpdated { client, .. } => {
                self.require_client(*client, at)
            }
            AccessFact::ClientIntroduced { client, partner } => {
                self.require_client_for(*partner, *client, at)?;
                self.refuse_introduced(*client, *partner)
            }
            AccessFact::ServicesEnded { client, partner } => {
                self.require_client_for(*partner, *client, at)?;
                self.require_something_to_end(*client, *partner)
            }
            AccessFact::ClientUserAdded { client, permission_set, .. } => {
                self.require_client(*client, at)?;
                self.refuse_existing_client_user(fact, at)?;
                require_permission_set(permission_set, at, policy)
            }
            AccessFact::ClientUserUpdated { client, user, address, permission_set, .. } => {
                self.require_client(*client, at)?;
                let allowed = |state| matches!(state, ClientUserState::Active | ClientUserState::Deactivated);
                self.require_state(ClientUserKey { client: *client, user: *user, address }, at, UPDATE, allowed)?;
                permission_set.as_ref().map_or(Ok(()), |stated| require_permission_set(stated, at, policy))
            }
            AccessFact::AssetsReassigned { client, user, address, .. } => {
                let allowed = |state| state != ClientUserState::None;
                self.require_state(ClientUserKey { client: *client, user: *user, address }, at, REASSIGN, allowed)
            }
            AccessFact::ClientUserDeactivated { client, user, address } => {
                self.require_client(*client, at)?;
                let allowed = |state| state == ClientUserState::Active;
                self.require_state(ClientUserKey { client: *client, user: *user, address }, at, DEACTIVATE, allowed)
            }
            AccessFact::ClientUserReactivated { client, user, address } => {
                self.require_client(*client, at)?;
                let allowed = |state| state == ClientUserState::Deactivated;
                self.require_state(ClientUserKey { client: *client, user: *user, address }, at, REACTIVATE, allowed)
            }
            AccessFact::ClientUserRemoved { client, user, address } => {
                self.require_client(*client, at)?;
                let allowed = |state| matches!(state, ClientUserState::Active | ClientUserState::Deactivated);
                self.require_state(ClientUserKey { client: *client, user: *user, address }, at, REMOVE, allowed)
            }
            AccessFact::ClientLinked { client, partner, employee, address } => {
                self.require_client_for(*partner, *client, at)?;
                let spell = self.require_employee(*partner, *employee, address, at)?;
                self.refuse_assigned(*client, spell, at)
            }
            AccessFact::ClientUnlinked { client, partner, employee, address } => {
                self.require_client_for(*partner, *client, at)?;
                let spell = self.require_employee(*partner, *employee, address, at)?;
                if self.is_assigned_at(*client, spell, at) {
                    return Ok(());
                }
                Err(AccessRefusal::NotAssigned { client: *client, address: address.clone(), at })
            }
            // An erasure rewrites, whatever is true; a retraction is judged by the whole history.
            AccessFact::AddressErased { .. } | AccessFact::Retracted { .. } => Ok(()),
        }
    }

    /// What is not known at the effective time may be known from later on, which says what would be right.
    fn with_later_start(&self, refusal: AccessRefusal) -> AccessRefusal {
        let AccessRefusal::Unknown { subject, absence: Absence::NotKnown } = &refusal else { return refusal };
        let start = match subject {
            Subject::Partner(partner) => self.partners.get(partner).map(|history| history.joined_time),
            Subject::Client(client) => self.clients.get(client).map(|history| history.since),
            Subject::Employee { employee, address, .. } => {
                let mut spells = self.employee_spells(address).iter();
                spells.find(|spell| spell.employee == *employee).map(|spell| spell.period.start)
            }
        };
        let subject = subject.clone();
        start.map_or(refusal, |start| AccessRefusal::Unknown { subject, absence: Absence::OnlyFrom(start) })
    }

    fn require_partner(&self, partner: HubId, at: Instant) -> Result<(), AccessRefusal> {
        let membership = self.partners.get(&partner).map(super::PartnerHistory::membership);
        require_presence(Subject::Partner(partner), membership, at)
    }

    fn require_client(&self, client: HubId, at: Instant) -> Result<(), AccessRefusal> {
        let open = self.clients.get(&client).map(super::ClientHistory::open);
        require_presence(Subject::Client(client), open, at)
    }

    fn require_client_for(&self, partner: HubId, client: HubId, at: Instant) -> Result<(), AccessRefusal> {
        self.require_partner(partner, at)?;
        self.require_client(client, at)
    }

    fn require_employee(
        &self,
        partner: HubId,
        employee: EmployeeId,
        address: &EmailAddress,
        at: Instant,
    ) -> Result<&EmployeeSpell, AccessRefusal> {
        let spell = self.require_employee_ever(partner, employee, address)?;
        let subject = Subject::Employee { partner, employee, address: address.clone() };
        require_presence(subject, Some(spell.period), at)?;
        Ok(spell)
    }

    fn require_employee_ever(
        &self,
        partner: HubId,
        employee: EmployeeId,
        address: &EmailAddress,
    ) -> Result<&EmployeeSpell, AccessRefusal> {
        let mut spells = self.employee_spells(address).iter();
        let spell = spells.find(|spell| spell.partner == partner && spell.employee == employee);
        spell.ok_or_else(|| AccessRefusal::Unknown {
            subject: Subject::Employee { partner, employee, address: address.clone() },
            absence: Absence::NotKnown,
        })
    }

    fn refuse_introduced(&self, client: HubId, partner: HubId) -> Result<(), AccessRefusal> {
        self.introductions
            .get(&(client, partner))
            .map_or(Ok(()), |since| Err(AccessRefusal::AlreadyIntroduced { client, partner, since: *since }))
    }

    fn require_something_to_end(&self, client: HubId, partner: HubId) -> Result<(), AccessRefusal> {
        if self.exists_for(client, partner) { Ok(()) } else { Err(AccessRefusal::NothingToEnd { client, partner }) }
    }

    fn refuse_assigned(&self, client: HubId, employee: &EmployeeSpell, at: Instant) -> Result<(), AccessRefusal> {
        if !self.is_assigned_at(client, employee, at) {
            return Ok(());
        }
        let assignments = self.assignments_of_employee(client, employee);
        let assignment = assignments.into_iter().find(|assignment| assignment.period.contains(at));
        assignment.map_or(Ok(()), |assignment| {
            Err(AccessRefusal::AlreadyAssigned { client, address: employee.address.clone(), assignment })
        })
    }

    /// R37: a domain is the partner's own, and no other partner's at that instant.
    fn require_free_domains(
        &self,
        partner: HubId,
        domains: &BTreeSet<EmailDomain>,
        at: Instant,
        policy: &Policy,
    ) -> Result<(), AccessRefusal> {
        for domain in domains {
            if policy.is_shared_mail_domain(domain) {
                return Err(AccessRefusal::SharedMailDomain { domain: domain.clone() });
            }
            let holder = self
                .partners
                .values()
                .find(|other| other.partner != partner && other.email_domains_at(at).contains(domain));
            if let Some(holder) = holder {
                return Err(AccessRefusal::DomainTaken { domain: domain.clone(), holder: holder.partner });
            }
        }
        Ok(())
    }

    fn refuse_foreign_domain(&self, partner: HubId, address: &EmailAddress, at: Instant) -> Result<(), AccessRefusal> {
        let mut others = self.partners.values().filter(|other| other.partner != partner);
        others.find(|other| other.owns_domain_of(address, at)).map_or(Ok(()), |holder| {
            Err(AccessRefusal::AddressInForeignDomain { address: address.clone(), holder: holder.partner })
        })
    }

    fn refuse_existing_employee(&self, fact: &AccessFact, at: Instant) -> Result<(), AccessRefusal> {
        let AccessFact::EmployeeAdded { partner, address, display_name, partner_employee, access_role, .. } = fact
        else {
            return Ok(());
        };
        let mut spells = self.employee_spells(address).iter();
        let existing = spells.find(|spell| spell.partner == *partner && spell.period.contains(at));
        existing.map_or(Ok(()), |existing| {
            Err(AccessRefusal::EmployeeExists {
                partner: *partner,
                address: address.clone(),
                employee: existing.employee,
                since: existing.period.start,
                differing_fields: fields([
                    ("display_name", existing.display_name != *display_name),
                    ("partner_employee", existing.is_partner_employee(at) != *partner_employee),
                    ("access_role", existing.access_role != *access_role),
                ]),
            })
        })
    }

    fn refuse_existing_client_user(&self, fact: &AccessFact, at: Instant) -> Result<(), AccessRefusal> {
        let AccessFact::ClientUserAdded { client, address, display_name, permission_set, .. } = fact else {
            return Ok(());
        };
        self.client_user_at(*client, address, at).map_or(Ok(()), |existing| {
            Err(AccessRefusal::ClientUserExists {
                client: *client,
                address: address.clone(),
                user: existing.user,
                state: self.client_user_state_at(*client, address, at),
                since: existing.period.start,
                differing_fields: fields([
                    ("display_name", existing.display_name != *display_name),
                    ("permission_set", existing.permission_set != *permission_set),
                ]),
            })
        })
    }

    fn require_state(
        &self,
        key: ClientUserKey<'_>,
        at: Instant,
        transition: Transition,
        allowed: impl Fn(ClientUserState) -> bool,
    ) -> Result<(), AccessRefusal> {
        let state = self.state_of_user(&key, at);
        if allowed(state) {
            return Ok(());
        }
        Err(AccessRefusal::IllegalTransition {
            client: key.client,
            address: key.address.clone(),
            state,
            transition: transition.verb,
            required: transition.required,
        })
    }

    /// The state of this very user: one that was removed stays removed when its address is added again.
    fn state_of_user(&self, key: &ClientUserKey<'_>, at: Instant) -> ClientUserState {
        match self.client_user_at(key.client, key.address, at) {
            Some(present) if present.user != key.user => {
                let spells = self.client_user_spells(key.client, key.address);
                let was_there = spells.iter().any(|spell| spell.user == key.user);
                if was_there { ClientUserState::Removed } else { ClientUserState::None }
            }
            _ => self.client_user_state_at(key.client, key.address, at),
        }
    }
}

struct ClientUserKey<'a> {
    client: HubId,
    user: ClientUserId,
    address: &'a EmailAddress,
}

#[derive(Clone, Copy)]
struct Transition {
    verb: &'static str,
    required: &'static str,
}

const UPDATE: Transition = Transition { verb: "update", required: "active or deactivated" };
const REASSIGN: Transition = Transition { verb: "reassign the assets of", required: "active, deactivated or removed" };
const DEACTIVATE: Transition = Transition { verb: "deactivate", required: "active" };
const REACTIVATE: Transition = Transition { verb: "reactivate", required: "deactivated" };
const REMOVE: Transition = Transition { verb: "remove", required: "active or deactivated" };

fn require_presence(subject: Subject, presence: Option<Period>, at: Instant) -> Result<(), AccessRefusal> {
    let absence = match presence {
        None => Absence::NotKnown,
        Some(period) if at < period.start => Absence::OnlyFrom(period.start),
        Some(Period { end: Some(end), .. }) if end <= at => Absence::GoneSince(end),
        Some(_) => return Ok(()),
    };
    Err(AccessRefusal::Unknown { subject, absence })
}

fn require_permission_set(permission_set: &PermissionSet, at: Instant, policy: &Policy) -> Result<(), AccessRefusal> {
    if policy.client_permissions(permission_set, at).is_some() {
        return Ok(());
    }
    let known = policy.permission_sets_at(at).map(|(name, _, _)| name.clone()).collect();
    Err(AccessRefusal::UnknownPermissionSet { permission_set: permission_set.clone(), known, at })
}

fn fields<const N: usize>(differences: [(&'static str, bool); N]) -> Vec<&'static str> {
    differences.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests;
