//! What the changes add up to: one entry per partner, client, employee and client user, with the periods in which each
//! was there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::iter;

use super::{
    AccessFact, AccessRole, ClientUserId, CountryCode, EmailAddress, EmailDomain, EmployeeId, HubId, PermissionSet,
};
use crate::time::{Instant, Period};

static NO_DOMAINS: BTreeSet<EmailDomain> = BTreeSet::new();

/// A partner account over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnerHistory {
    /// The partner account.
    pub partner: HubId,
    /// When it joined the programme.
    pub joined_time: Instant,
    /// When it left the programme; absent while it is in it.
    pub left_time: Option<Instant>,
    /// Its name, by its latest change.
    pub display_name: String,
    /// Its own country, by its latest change.
    pub country: CountryCode,
    /// Each complete set of employee email domains with the instant from which it holds, oldest first.
    pub(super) email_domains: Vec<(Instant, BTreeSet<EmailDomain>)>,
}

impl PartnerHistory {
    /// The employee email domains at an instant: none before it joined, and none once it has left (R37).
    #[must_use]
    pub fn email_domains_at(&self, at: Instant) -> &BTreeSet<EmailDomain> {
        if !self.is_in_programme(at) {
            return &NO_DOMAINS;
        }
        let by_then = &self.email_domains[..self.email_domains.partition_point(|(from, _)| *from <= at)];
        by_then.last().map_or(&NO_DOMAINS, |(_, domains)| domains)
    }

    /// Whether the address is in one of the partner's employee email domains at that instant (R21, R25).
    #[must_use]
    pub fn owns_domain_of(&self, address: &EmailAddress, at: Instant) -> bool {
        self.email_domains_at(at).iter().any(|domain| address.is_in(domain))
    }

    /// Whether the address is in one of the employee email domains at `start`, an instant in the programme, or comes to
    /// be at a later one that `is_within` still accepts.
    pub(super) fn owns_domain_from(
        &self,
        address: &EmailAddress,
        start: Instant,
        is_within: impl Fn(Instant) -> bool,
    ) -> bool {
        let later = &self.email_domains[self.email_domains.partition_point(|(from, _)| *from <= start)..];
        let sets = later.iter().map(|(from, _)| *from).take_while(|from| is_within(*from));
        // Asking at each instant, so that of several sets of one instant only the last speaks.
        iter::once(start).chain(sets).any(|time| self.owns_domain_of(address, time))
    }

    /// Whether the partner is in the programme at an instant.
    #[must_use]
    pub fn is_in_programme(&self, at: Instant) -> bool {
        self.membership().contains(at)
    }

    /// The period in the programme.
    #[must_use]
    pub const fn membership(&self) -> Period {
        Period { start: self.joined_time, end: self.left_time }
    }
}

/// A client account over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientHistory {
    /// The client account.
    pub client: HubId,
    /// From when on it is known.
    pub since: Instant,
    /// When it was closed; absent while it is open.
    pub closed_time: Option<Instant>,
    /// Its name, by its latest change.
    pub display_name: String,
    /// Its country when it became known.
    pub(super) first_country: CountryCode,
    /// Each later country with the instant from which it holds, oldest first.
    pub(super) later_countries: Vec<(Instant, CountryCode)>,
}

impl ClientHistory {
    /// Its country by its latest change.
    #[must_use]
    pub fn country(&self) -> CountryCode {
        self.later_countries.last().map_or(self.first_country, |(_, country)| *country)
    }

    /// Its country as of an instant: growth markets are judged by it (R63, R90). None before the client is known.
    #[must_use]
    pub fn country_at(&self, at: Instant) -> Option<CountryCode> {
        let by_then = &self.later_countries[..self.later_countries.partition_point(|(from, _)| *from <= at)];
        let country = by_then.last().map_or(self.first_country, |(_, country)| *country);
        (self.since <= at).then_some(country)
    }

    /// The period in which the account is open.
    #[must_use]
    pub const fn open(&self) -> Period {
        Period { start: self.since, end: self.closed_time }
    }
}

/// One employee from creation to deletion in the partner account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmployeeSpell {
    /// The partner account.
    pub partner: HubId,
    /// The employee.
    pub employee: EmployeeId,
    /// Its address.
    pub address: EmailAddress,
    /// Its name, by its latest change.
    pub display_name: String,
    /// What it may do in the partner account (R29), by its latest change.
    pub access_role: AccessRole,
    /// Whether it is flagged as working for the partner (R20), with the instant from which that holds, oldest first.
    pub(super) flags: Vec<(Instant, bool)>,
    /// From creation to deletion.
    pub period: Period,
}

impl EmployeeSpell {
    /// Whether it is flagged as working for the partner, by the flag in force at an instant (R20).
    #[must_use]
    pub fn is_partner_employee(&self, at: Instant) -> bool {
        let by_then = &self.flags[..self.flags.partition_point(|(from, _)| *from <= at)];
        by_then.last().is_some_and(|(_, is_flagged)| *is_flagged)
    }

    /// Since when the flag in force at an instant has been as it is, without a break.
    #[must_use]
    pub fn flag_since(&self, at: Instant) -> Option<Instant> {
        let is_flagged = self.is_partner_employee(at);
        let by_then = self.flags[..self.flags.partition_point(|(from, _)| *from <= at)].iter().rev();
        let unbroken = by_then.take_while(|(from, _)| self.is_partner_employee(*from) == is_flagged);
        unbroken.last().map(|(from, _)| *from)
    }

    /// The first instant at which it was flagged; none if it never was.
    #[must_use]
    pub fn first_flagged(&self) -> Option<Instant> {
        // Asking at each instant, so that of several flags of one instant only the last speaks.
        self.flags.iter().map(|(from, _)| *from).find(|from| self.is_partner_employee(*from))
    }
}

/// One user of a client account from being added to being removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientUserSpell {
    /// The client account.
    pub client: HubId,
    /// The user.
    pub user: ClientUserId,
    /// Its address.
    pub address: EmailAddress,
    /// Its name, by its latest change.
    pub display_name: String,
    /// What it may do there, by its latest change.
    pub permission_set: PermissionSet,
    /// From being added to being removed.
    pub period: Period,
    /// The stretches of `period` in which it was active, oldest first; in between it was deactivated.
    pub active: Vec<Period>,
}

impl ClientUserSpell {
    /// Whether the user is there and active at an instant.
    #[must_use]
    pub fn is_active(&self, at: Instant) -> bool {
        let by_then = &self.active[..self.active.partition_point(|stretch| stretch.start <= at)];
        by_then.last().is_some_and(|stretch| stretch.contains(at))
    }

    /// The state of this very user at an instant, not before it was added: one that was removed stays removed when its
    /// address is added again.
    #[must_use]
    pub fn state_at(&self, at: Instant) -> ClientUserState {
        match self.period.end {
            Some(end) if end <= at => ClientUserState::Removed,
            _ if self.is_active(at) => ClientUserState::Active,
            _ => ClientUserState::Deactivated,
        }
    }
}

/// What an address is in a client account at an instant (domain.md 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClientUserState {
    /// Never was a user there.
    None,
    /// May log in.
    Active,
    /// May not log in; may be reactivated.
    Deactivated,
    /// Was a user there and is gone.
    Removed,
}

impl fmt::Display for ClientUserState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "not a user",
            Self::Active => "active",
            Self::Deactivated => "deactivated",
            Self::Removed => "removed",
        })
    }
}

/// A link or an unlink by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LinkStep {
    pub(super) time: Instant,
    /// Its place among all steps of the records, which orders those of one instant.
    pub(super) sequence: u64,
    pub(super) linked: bool,
}

/// A partner ended its services for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ServicesEndedStep {
    pub(super) time: Instant,
    /// Its place among all steps of the records, which orders those of one instant.
    pub(super) sequence: u64,
}

/// Everything that a sequence of facts, applied in order, adds up to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Records {
    pub(super) partners: BTreeMap<HubId, PartnerHistory>,
    pub(super) clients: BTreeMap<HubId, ClientHistory>,
    pub(super) employees: BTreeMap<EmailAddress, Vec<EmployeeSpell>>,
    pub(super) employee_addresses: BTreeMap<EmployeeId, EmailAddress>,
    pub(super) client_users: BTreeMap<HubId, BTreeMap<EmailAddress, Vec<ClientUserSpell>>>,
    pub(super) link_steps: BTreeMap<(HubId, EmployeeId), Vec<LinkStep>>,
    /// By client and partner.
    pub(super) services_ended: BTreeMap<(HubId, HubId), Vec<ServicesEndedStep>>,
    /// The first introduction of a client to a partner.
    pub(super) introductions: BTreeMap<(HubId, HubId), Instant>,
    /// How many steps there are: links, unlinks and ends of services.
    steps: u64,
}

impl Records {
    /// Applies the next fact. One that does not fit what is there (possible where only a part of the log was loaded)
    /// is without effect.
    pub(super) fn apply(&mut self, time: Instant, fact: &AccessFact) {
        match fact {
            AccessFact::PartnerAdded { .. }
            | AccessFact::PartnerDomainsSet { .. }
            | AccessFact::PartnerLeft { .. }
            | AccessFact::PartnerUpdated { .. } => self.apply_partner(time, fact),
            AccessFact::EmployeeAdded { .. }
            | AccessFact::EmployeeUpdated { .. }
            | AccessFact::EmployeeDeleted { .. } => self.apply_employee(time, fact),
            AccessFact::ClientAdded { .. } | AccessFact::ClientUpdated { .. } | AccessFact::ClientClosed { .. } => {
                self.apply_client(time, fact);
            }
            AccessFact::ClientUserAdded { .. }
            | AccessFact::ClientUserUpdated { .. }
            | AccessFact::ClientUserDeactivated { .. }
            | AccessFact::ClientUserReactivated { .. }
            | AccessFact::ClientUserRemoved { .. } => self.apply_client_user(time, fact),
            AccessFact::ClientLinked { client, employee, .. } => self.apply_link_step((*client, *employee), time, true),
            AccessFact::ClientUnlinked { client, employee, .. } => {
                self.apply_link_step((*client, *employee), time, false);
            }
            AccessFact::ClientIntroduced { client, partner } => {
                self.introductions.entry((*client, *partner)).or_insert(time);
            }
            AccessFact::ServicesEnded { client, partner } => {
                let sequence = self.next_step();
                self.services_ended.entry((*client, *partner)).or_default().push(ServicesEndedStep { time, sequence });
            }
            // Kept for the audit log and for other readers; nobody's access follows from them.
            AccessFact::AssetsReassigned { .. }
            | AccessFact::AccessLinkCreated { .. }
            | AccessFact::AccessLinkRevoked { .. }
            | AccessFact::AccessLinkApproved { .. }
            | AccessFact::AddressErased { .. }
            // What it takes back is left out by the history.
            | AccessFact::Retracted { .. } => {}
        }
    }

    fn apply_partner(&mut self, time: Instant, fact: &AccessFact) {
        match fact {
            AccessFact::PartnerAdded { partner, display_name, country, email_domains } => {
                self.partners.entry(*partner).or_insert_with(|| PartnerHistory {
                    partner: *partner,
                    joined_time: time,
                    left_time: None,
                    display_name: display_name.clone(),
                    country: *country,
                    email_domains: vec![(time, email_domains.clone())],
                });
            }
            AccessFact::PartnerDomainsSet { partner, email_domains } => {
                if let Some(history) = self.partners.get_mut(partner) {
                    history.email_domains.push((time, email_domains.clone()));
                }
            }
            AccessFact::PartnerLeft { partner } => {
                if let Some(history) = self.partners.get_mut(partner) {
                    history.left_time.get_or_insert(time);
                }
            }
            AccessFact::PartnerUpdated { partner, display_name, country } => {
                if let Some(history) = self.partners.get_mut(partner) {
                    replace(&mut history.display_name, display_name);
                    replace(&mut history.country, country);
                }
            }
            _ => {}
        }
    }

    fn apply_client(&mut self, time: Instant, fact: &AccessFact) {
        match fact {
            AccessFact::ClientAdded { client, display_name, country } => {
                self.clients.entry(*client).or_insert_with(|| ClientHistory {
                    client: *client,
                    since: time,
                    closed_time: None,
                    display_name: display_name.clone(),
                    first_country: *country,
                    later_countries: Vec::new(),
                });
            }
            AccessFact::ClientUpdated { client, display_name, country } => {
                if let Some(history) = self.clients.get_mut(client) {
                    replace(&mut history.display_name, display_name);
                    history.later_countries.extend(country.map(|country| (time, country)));
                }
            }
            AccessFact::ClientClosed { client } => {
                if let Some(history) = self.clients.get_mut(client) {
                    history.closed_time.get_or_insert(time);
                }
            }
            _ => {}
        }
    }

    fn apply_employee(&mut self, time: Instant, fact: &AccessFact) {
        match fact {
            AccessFact::EmployeeAdded { partner, employee, address, display_name, partner_employee, access_role } => {
                self.employee_addresses.insert(*employee, address.clone());
                self.employees.entry(address.clone()).or_default().push(EmployeeSpell {
                    partner: *partner,
                    employee: *employee,
                    address: address.clone(),
                    display_name: display_name.clone(),
                    access_role: *access_role,
                    flags: vec![(time, *partner_employee)],
                    period: Period::since(time),
                });
            }
            AccessFact::EmployeeUpdated { employee, address, display_name, partner_employee, access_role, .. } => {
                if let Some(spell) = self.present_employee(*employee, address) {
                    replace(&mut spell.display_name, display_name);
                    replace(&mut spell.access_role, access_role);
                    spell.flags.extend(partner_employee.map(|flag| (time, flag)));
                }
            }
            AccessFact::EmployeeDeleted { employee, address, .. } => {
                if let Some(spell) = self.present_employee(*employee, address) {
                    spell.period.end = Some(time);
                }
            }
            _ => {}
        }
    }

    fn present_employee(&mut self, employee: EmployeeId, address: &EmailAddress) -> Option<&mut EmployeeSpell> {
        let spells = self.employees.get_mut(address)?;
        spells.iter_mut().find(|spell| spell.employee == employee && spell.period.end.is_none())
    }

    fn apply_client_user(&mut self, time: Instant, fact: &AccessFact) {
        match fact {
            AccessFact::ClientUserAdded { client, user, address, display_name, permission_set } => {
                let spells = self.client_users.entry(*client).or_default().entry(address.clone()).or_default();
                spells.push(ClientUserSpell {
                    client: *client,
                    user: *user,
                    address: address.clone(),
                    display_name: display_name.clone(),
                    permission_set: permission_set.clone(),
                    period: Period::since(time),
                    active: vec![Period::since(time)],
                });
            }
            AccessFact::ClientUserUpdated { client, user, address, display_name, permission_set } => {
                if let Some(spell) = self.present_client_user(*client, *user, address) {
                    replace(&mut spell.display_name, display_name);
                    replace(&mut spell.permission_set, permission_set);
                }
            }
            AccessFact::ClientUserDeactivated { client, user, address } => {
                if let Some(spell) = self.present_client_user(*client, *user, address) {
                    end_activity(spell, time);
                }
            }
            AccessFact::ClientUserReactivated { client, user, address } => {
                if let Some(spell) = self.present_client_user(*client, *user, address)
                    && spell.active.last().is_none_or(|stretch| stretch.end.is_some())
                {
                    spell.active.push(Period::since(time));
                }
            }
            AccessFact::ClientUserRemoved { client, user, address } => {
                if let Some(spell) = self.present_client_user(*client, *user, address) {
                    end_activity(spell, time);
                    spell.period.end = Some(time);
                }
            }
            _ => {}
        }
    }

    fn apply_link_step(&mut self, pair: (HubId, EmployeeId), time: Instant, linked: bool) {
        let sequence = self.next_step();
        self.link_steps.entry(pair).or_default().push(LinkStep { time, sequence, linked });
    }

    fn next_step(&mut self) -> u64 {
        self.steps += 1;
        self.steps
    }

    fn present_client_user(
        &mut self,
        client: HubId,
        user: ClientUserId,
        address: &EmailAddress,
    ) -> Option<&mut ClientUserSpell> {
        let spells = self.client_users.get_mut(&client)?.get_mut(address)?;
        spells.iter_mut().find(|spell| spell.user == user && spell.period.end.is_none())
    }

    /// The part that tells of one person, in one client if one is in question.
    pub(super) fn of_person(&self, address: &EmailAddress, client: Option<HubId>) -> Self {
        let spells = self.employee_spells(address);
        let partners = spells.iter().map(|spell| spell.partner);
        let of_client = client.into_iter();
        let steps = of_client.clone().flat_map(|client| spells.iter().map(move |spell| (client, spell.employee)));
        let ends = of_client.clone().flat_map(|client| spells.iter().map(move |spell| (client, spell.partner)));
        let users = of_client.clone().map(|client| (client, self.client_user_spells(client, address)));
        Self {
            partners: part(&self.partners, partners),
            clients: part(&self.clients, of_client),
            employees: part(&self.employees, [address.clone()]),
            employee_addresses: part(&self.employee_addresses, spells.iter().map(|spell| spell.employee)),
            client_users: users
                .map(|(client, spells)| (client, BTreeMap::from([(address.clone(), spells.to_vec())])))
                .collect(),
            link_steps: part(&self.link_steps, steps),
            services_ended: part(&self.services_ended, ends),
            introductions: BTreeMap::new(),
            steps: self.steps,
        }
    }

    pub(super) fn employee_spells(&self, address: &EmailAddress) -> &[EmployeeSpell] {
        self.employees.get(address).map_or(&[], Vec::as_slice)
    }

    /// Whether there is anything between the partner and the client: an introduction, a link, or a user of the client who
    /// ever was in the partner account (R26).
    pub(super) fn exists_for(&self, client: HubId, partner: HubId) -> bool {
        let mut employees = self.employees.values().flatten().filter(|spell| spell.partner == partner);
        self.introductions.contains_key(&(client, partner))
            || employees.any(|spell| {
                self.link_steps.contains_key(&(client, spell.employee))
                    || !self.client_user_spells(client, &spell.address).is_empty()
            })
    }

    pub(super) fn client_user_spells(&self, client: HubId, address: &EmailAddress) -> &[ClientUserSpell] {
        self.client_users.get(&client).and_then(|users| users.get(address)).map_or(&[], Vec::as_slice)
    }

    pub(super) fn client_user_at(
        &self,
        client: HubId,
        address: &EmailAddress,
        at: Instant,
    ) -> Option<&ClientUserSpell> {
        user_at(self.client_user_spells(client, address), at)
    }

    pub(super) fn client_user_state_at(&self, client: HubId, address: &EmailAddress, at: Instant) -> ClientUserState {
        match self.client_user_at(client, address, at) {
            Some(spell) => spell.state_at(at),
            None => {
                let first = self.client_user_spells(client, address).first();
                let was_there = first.is_some_and(|spell| spell.period.start <= at);
                if was_there { ClientUserState::Removed } else { ClientUserState::None }
            }
        }
    }
}

fn part<K: Clone + Ord, V: Clone>(all: &BTreeMap<K, V>, keys: impl IntoIterator<Item = K>) -> BTreeMap<K, V> {
    keys.into_iter().filter_map(|key| all.get(&key).map(|value| (key, value.clone()))).collect()
}

/// Which of the users that one address was, in the order of creation, is there at an instant.
pub(super) fn user_at(spells: &[ClientUserSpell], at: Instant) -> Option<&ClientUserSpell> {
    let by_then = &spells[..spells.partition_point(|spell| spell.period.start <= at)];
    by_then.last().filter(|spell| spell.period.contains(at))
}

/// Takes over what an update states.
fn replace<T: Clone>(value: &mut T, stated: &Option<T>) {
    if let Some(stated) = stated {
        value.clone_from(stated);
    }
}

fn end_activity(spell: &mut ClientUserSpell, time: Instant) {
    if let Some(stretch) = spell.active.last_mut() {
        stretch.end.get_or_insert(time);
    }
}
