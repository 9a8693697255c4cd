//! A small world for tests: a log that is written in a few words, and random logs that are legal.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use chrono::TimeDelta;
use proptest::prelude::*;
use uuid::Uuid;

use super::{
    AccessChange, AccessFact, AccessHistory, AccessLinkId, AccessRole, Actor, Audit, ClientUserId, EmailAddress,
    EmailDomain, EmployeeId, HubId, PermissionSet,
};
use crate::policy::Policy;
use crate::time::Instant;

pub(crate) const PARTNER: i64 = 1001;
pub(crate) const OTHER_PARTNER: i64 = 1002;
pub(crate) const CLIENT: i64 = 2001;
pub(crate) const OTHER_CLIENT: i64 = 2002;
pub(crate) const ANNA: &str = "anna@agency.example";
pub(crate) const BRUNO: &str = "bruno@agency.example";
pub(crate) const CARLA: &str = "carla@gmail.com";

pub(crate) fn at(text: &str) -> Instant {
    text.parse().expect("a test writes valid times")
}

/// Seconds after an instant that everything in a random world comes after.
pub(crate) fn tick(number: i64) -> Instant {
    at("2025-01-01T00:00:00Z") + TimeDelta::seconds(number)
}

pub(crate) fn hub(number: i64) -> HubId {
    HubId::try_from(number).expect("a test writes valid hub ids")
}

pub(crate) fn address(text: &str) -> EmailAddress {
    text.parse().expect("a test writes valid addresses")
}

pub(crate) fn domains(texts: &[&str]) -> BTreeSet<EmailDomain> {
    texts.iter().map(|text| text.parse().expect("a test writes valid domains")).collect()
}

pub(crate) fn employee_id(number: u128) -> EmployeeId {
    EmployeeId(Uuid::from_u128(number))
}

pub(crate) fn user_id(number: u128) -> ClientUserId {
    ClientUserId(Uuid::from_u128(number))
}

pub(crate) fn permission_set(name: &str) -> PermissionSet {
    name.parse().expect("a test writes valid names")
}

pub(crate) fn partner_added(partner: i64, email_domains: &[&str]) -> AccessFact {
    AccessFact::PartnerAdded {
        partner: hub(partner),
        display_name: format!("Partner {partner}"),
        country: "IT".parse().expect("a country"),
        email_domains: domains(email_domains),
    }
}

pub(crate) fn domains_set(partner: i64, email_domains: &[&str]) -> AccessFact {
    AccessFact::PartnerDomainsSet { partner: hub(partner), email_domains: domains(email_domains) }
}

pub(crate) fn partner_left(partner: i64) -> AccessFact {
    AccessFact::PartnerLeft { partner: hub(partner) }
}

pub(crate) fn employee_added(partner: i64, employee: u128, text: &str) -> AccessFact {
    AccessFact::EmployeeAdded {
        partner: hub(partner),
        employee: employee_id(employee),
        address: address(text),
        display_name: text.to_owned(),
        partner_employee: true,
        access_role: AccessRole::None,
    }
}

/// [`employee_added`] with a role in the partner account.
pub(crate) fn employee_with_role(partner: i64, employee: u128, text: &str, access_role: AccessRole) -> AccessFact {
    AccessFact::EmployeeAdded {
        partner: hub(partner),
        employee: employee_id(employee),
        address: address(text),
        display_name: text.to_owned(),
        partner_employee: true,
        access_role,
    }
}

pub(crate) fn unflagged_added(partner: i64, employee: u128, text: &str) -> AccessFact {
    AccessFact::EmployeeAdded {
        partner: hub(partner),
        employee: employee_id(employee),
        address: address(text),
        display_name: text.to_owned(),
        partner_employee: false,
        access_role: AccessRole::None,
    }
}

pub(crate) fn employee_updated(partner: i64, employee: u128, text: &str, partner_employee: bool) -> AccessFact {
    AccessFact::EmployeeUpdated {
        partner: hub(partner),
        employee: employee_id(employee),
        address: address(text),
        display_name: Some("Updated".to_owned()),
        partner_employee: Some(partner_employee),
        access_role: Some(AccessRole::SuperAdmin),
    }
}

pub(crate) fn employee_deleted(partner: i64, employee: u128, text: &str) -> AccessFact {
    AccessFact::EmployeeDeleted { partner: hub(partner), employee: employee_id(employee), address: address(text) }
}

pub(crate) fn client_added(client: i64) -> AccessFact {
    AccessFact::ClientAdded {
        client: hub(client),
        display_name: format!("Client {client}"),
        country: "IT".parse().expect("a country"),
    }
}

pub(crate) fn client_updated(client: i64, country: &str) -> AccessFact {
    AccessFact::ClientUpdated {
        client: hub(client),
        display_name: Some("Updated".to_owned()),
        country: Some(country.parse().expect("a country")),
    }
}

pub(crate) fn client_introduced(client: i64, partner: i64) -> AccessFact {
    AccessFact::ClientIntroduced { client: hub(client), partner: hub(partner) }
}

pub(crate) fn services_ended(client: i64, partner: i64) -> AccessFact {
    AccessFact::ServicesEnded { client: hub(client), partner: hub(partner) }
}

pub(crate) fn client_closed(client: i64) -> AccessFact {
    AccessFact::ClientClosed { client: hub(client) }
}

pub(crate) fn user_added(client: i64, user: u128, text: &str) -> AccessFact {
    AccessFact::ClientUserAdded {
        client: hub(client),
        user: user_id(user),
        address: address(text),
        display_name: text.to_owned(),
        permission_set: permission_set("STANDARD"),
    }
}

pub(crate) fn user_updated(client: i64, user: u128, text: &str, set: &str) -> AccessFact {
    AccessFact::ClientUserUpdated {
        client: hub(client),
        user: user_id(user),
        address: address(text),
        display_name: Some("Updated".to_owned()),
        permission_set: Some(permission_set(set)),
    }
}

/// [`user_added`] with another permission set.
pub(crate) fn user_with_set(client: i64, user: u128, text: &str, set: &str) -> AccessFact {
    AccessFact::ClientUserAdded {
        client: hub(client),
        user: user_id(user),
        address: address(text),
        display_name: text.to_owned(),
        permission_set: permission_set(set),
    }
}

pub(crate) fn user_deactivated(client: i64, user: u128, text: &str) -> AccessFact {
    AccessFact::ClientUserDeactivated { client: hub(client), user: user_id(user), address: address(text) }
}

pub(crate) fn user_reactivated(client: i64, user: u128, text: &str) -> AccessFact {
    AccessFact::ClientUserReactivated { client: hub(client), user: user_id(user), address: address(text) }
}

pub(crate) fn user_removed(client: i64, user: u128, text: &str) -> AccessFact {
    AccessFact::ClientUserRemoved { client: hub(client), user: user_id(user), address: address(text) }
}

pub(crate) fn linked(client: i64, partner: i64, employee: u128, text: &str) -> AccessFact {
    AccessFact::ClientLinked {
        client: hub(client),
        partner: hub(partner),
        employee: employee_id(employee),
        address: address(text),
    }
}

pub(crate) fn unlinked(client: i64, partner: i64, employee: u128, text: &str) -> AccessFact {
    AccessFact::ClientUnlinked {
        client: hub(client),
        partner: hub(partner),
        employee: employee_id(employee),
        address: address(text),
    }
}

pub(crate) fn assets_reassigned(client: i64, user: u128, text: &str, new_owner: Option<u128>) -> AccessFact {
    AccessFact::AssetsReassigned {
        client: hub(client),
        user: user_id(user),
        address: address(text),
        new_owner: new_owner.map(user_id),
        assets: BTreeSet::from(["form-1".parse().expect("an asset id")]),
    }
}

pub(crate) fn access_link_id(number: u128) -> AccessLinkId {
    AccessLinkId(Uuid::from_u128(number))
}

pub(crate) fn access_link_created(partner: i64, employee: u128, text: &str, link: AccessLinkId) -> AccessFact {
    AccessFact::AccessLinkCreated {
        partner: hub(partner),
        employee: employee_id(employee),
        address: address(text),
        link,
        for_client: None,
        expire_time: at("2026-01-01T00:00:00Z"),
    }
}

pub(crate) fn retracted(position: u64, fact: AccessFact) -> AccessFact {
    AccessFact::Retracted { position, fact: Box::new(fact) }
}

/// The change at a place of the log.
pub(crate) fn change(position: u64, effective_time: Instant, fact: AccessFact) -> AccessChange {
    AccessChange {
        position,
        effective_time,
        record_time: effective_time,
        actor: Actor::Platform,
        audit: Audit::default(),
        fact,
    }
}

/// A history of facts in the order in which they were recorded, each with its effective time.
pub(crate) fn history<const N: usize>(facts: [(&str, AccessFact); N]) -> AccessHistory {
    let facts = facts.into_iter().zip(1..);
    AccessHistory::from_changes(facts.map(|((time, fact), position)| change(position, at(time), fact)))
}

/// One partner with its domain and one client, both there since 2025.
pub(crate) fn base() -> [(&'static str, AccessFact); 2] {
    [
        ("2025-01-01T00:00:00Z", partner_added(PARTNER, &["agency.example"])),
        ("2025-01-01T00:00:00Z", client_added(CLIENT)),
    ]
}

/// [`base`] and more facts.
pub(crate) fn history_with<const N: usize>(facts: [(&str, AccessFact); N]) -> AccessHistory {
    let facts = base().into_iter().chain(facts).zip(1..);
    AccessHistory::from_changes(facts.map(|((time, fact), position)| change(position, at(time), fact)))
}

/// The people of a random world.
pub(crate) const PEOPLE: [&str; 3] = [ANNA, "bruno@studio.example", CARLA];
/// The partners of a random world.
pub(crate) const PARTNERS: [i64; 2] = [PARTNER, OTHER_PARTNER];
/// The clients of a random world.
pub(crate) const CLIENTS: [i64; 2] = [CLIENT, OTHER_CLIENT];
/// The last tick of a random world at which something may happen.
pub(crate) const LAST_TICK: i64 = 24;

/// The embedded policy, read once.
pub(crate) static POLICY: LazyLock<Policy> = LazyLock::new(Policy::embedded);

/// What somebody tries to do in a random world.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Attempt {
    SetDomains(bool, bool),
    LeaveProgramme,
    AddEmployee(bool),
    FlagEmployee(bool),
    DeleteEmployee,
    CloseClient,
    MoveClient(&'static str),
    IntroduceClient,
    EndServices,
    AddUser,
    UpdateUser,
    DeactivateUser,
    ReactivateUser,
    RemoveUser,
    Link,
    Unlink,
    /// So many changes before the one that counts last.
    Retract(usize),
}

/// An attempt with its tick, partner, client and person.
pub(crate) type Step = (i64, Attempt, usize, usize, usize);

fn attempt() -> impl Strategy<Value = Attempt> {
    prop_oneof![
        6 => any::<(bool, bool)>().prop_map(|(agency, studio)| Attempt::SetDomains(agency, studio)),
        1 => Just(Attempt::LeaveProgramme),
        24 => prop::bool::weighted(0.85).prop_map(Attempt::AddEmployee),
        8 => any::<bool>().prop_map(Attempt::FlagEmployee),
        6 => Just(Attempt::DeleteEmployee),
        1 => Just(Attempt::CloseClient),
        2 => prop::sample::select(vec!["IN", "IT", "US"]).prop_map(Attempt::MoveClient),
        2 => Just(Attempt::IntroduceClient),
        8 => Just(Attempt::EndServices),
        30 => Just(Attempt::AddUser),
        2 => Just(Attempt::UpdateUser),
        14 => Just(Attempt::DeactivateUser),
        14 => Just(Attempt::ReactivateUser),
        12 => Just(Attempt::RemoveUser),
        16 => Just(Attempt::Link),
        14 => Just(Attempt::Unlink),
        10 => (0..12_usize).prop_map(Attempt::Retract),
    ]
}

/// Random attempts: most in the order of time, and some late facts in between.
pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (0..=LAST_TICK, attempt(), 0..2_usize, 0..2_usize, 0..3_usize);
    prop::collection::vec((step, prop::bool::weighted(0.2)), 0..120).prop_map(|drawn| {
        let on_time = drawn.iter().filter(|(_, is_late)| !is_late);
        let mut ticks: Vec<i64> = on_time.map(|(step, _)| step.0).collect();
        ticks.sort_unstable_by(|one, other| other.cmp(one));
        let in_order = |((number, attempt, partner, client, person), is_late)| {
            let number = if is_late { number } else { ticks.pop().unwrap_or(number) };
            (number, attempt, partner, client, person)
        };
        drawn.into_iter().map(in_order).collect()
    })
}

/// The changes that come of the attempts which are admitted, in the order in which they are recorded.
pub(crate) fn legal_log(steps: &[Step]) -> Vec<AccessChange> {
    let begin = [
        partner_added(PARTNER, &["agency.example"]),
        partner_added(OTHER_PARTNER, &[]),
        client_added(CLIENT),
        client_added(OTHER_CLIENT),
    ];
    let mut log: Vec<AccessChange> = begin.into_iter().zip(1..).map(|(fact, n)| change(n, tick(0), fact)).collect();
    let mut known = AccessHistory::from_changes(log.clone());
    for &(number, attempt, partner, client, person) in steps {
        let position = log.len() as u64 + 1;
        let what = (attempt, PARTNERS[partner], CLIENTS[client], PEOPLE[person]);
        let attempted = match attempt {
            Attempt::Retract(back) => retraction(&known, back),
            _ => fact(&known, tick(number), position, what).map(|fact| (tick(number), fact)),
        };
        let Some((time, fact)) = attempted else { continue };
        if known.admit(&fact, time, tick(LAST_TICK), &POLICY).is_ok() {
            log.push(change(position, time, fact.clone()));
            known.record(change(position, time, fact));
        }
    }
    log
}

/// The changes of a log that were not taken back, and are no retractions.
pub(crate) fn counting(log: &[AccessChange]) -> Vec<AccessChange> {
    let taken_back = |change: &AccessChange| match change.fact {
        AccessFact::Retracted { position, .. } => Some(position),
        _ => None,
    };
    let retracted: BTreeSet<u64> = log.iter().filter_map(taken_back).collect();
    let counts = |change: &&AccessChange| taken_back(change).is_none() && !retracted.contains(&change.position);
    log.iter().filter(counts).cloned().collect()
}

/// The retraction of a change that counts, and when it is effective.
fn retraction(known: &AccessHistory, back: usize) -> Option<(Instant, AccessFact)> {
    let changes: Vec<_> = known.changes().collect();
    let change = changes.iter().rev().nth(back)?;
    Some((change.effective_time, retracted(change.position, change.fact.clone())))
}

/// The fact that an attempt comes to, for whoever has the address at that time.
fn fact(
    known: &AccessHistory,
    time: Instant,
    position: u64,
    (attempt, partner, client, person): (Attempt, i64, i64, &str),
) -> Option<AccessFact> {
    let of_partner = |spell: &&super::EmployeeSpell| spell.partner == hub(partner) && spell.period.contains(time);
    let employee = || known.employees(&address(person)).find(of_partner).map(|spell| spell.employee.0.as_u128());
    let user = || {
        let mut spells = known.client_user_spells(hub(client), &address(person)).iter();
        spells.rfind(|spell| spell.period.start <= time).map(|spell| spell.user.0.as_u128())
    };
    Some(match attempt {
        Attempt::SetDomains(agency, studio) => {
            let chosen = [(agency, "agency.example"), (studio, "studio.example")];
            let chosen: Vec<&str> = chosen.into_iter().filter(|(is_set, _)| *is_set).map(|(_, name)| name).collect();
            domains_set(partner, &chosen)
        }
        Attempt::LeaveProgramme => partner_left(partner),
        Attempt::AddEmployee(true) => employee_added(partner, u128::from(position), person),
        Attempt::AddEmployee(false) => unflagged_added(partner, u128::from(position), person),
        Attempt::FlagEmployee(is_flagged) => employee_updated(partner, employee()?, person, is_flagged),
        Attempt::DeleteEmployee => employee_deleted(partner, employee()?, person),
        Attempt::CloseClient => client_closed(client),
        Attempt::MoveClient(country) => client_updated(client, country),
        Attempt::IntroduceClient => client_introduced(client, partner),
        Attempt::EndServices => services_ended(client, partner),
        Attempt::UpdateUser => user_updated(client, user()?, person, "PARTNER_ADMIN"),
        Attempt::AddUser => user_added(client, u128::from(position), person),
        Attempt::DeactivateUser => user_deactivated(client, user()?, person),
        Attempt::ReactivateUser => user_reactivated(client, user()?, person),
        Attempt::RemoveUser => user_removed(client, user()?, person),
        Attempt::Link => linked(client, partner, employee()?, person),
        Attempt::Unlink => unlinked(client, partner, employee()?, person),
        Attempt::Retract(_) => return None,
    })
}
