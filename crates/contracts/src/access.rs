//! Access facts on the wire.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use chrono::SecondsFormat;
use domain::access::{
    AccessChange, AccessFact, AccessRefusal, Actor, Assignment, AssignmentOrigin, AssignmentState, ClientUserState,
    EmailDomain, EmployeeSpell, HubId, PermissionSet, Subject,
};
use tonic_types::FieldViolation;

use crate::wire::access as wire;
use crate::wire::error::ErrorReason;
use crate::{ClientName, ClientUserName, EmployeeName, Failure, PartnerName, WireError, required_instant, timestamp};

/// The change that a message of the access feed says.
///
/// # Errors
/// A message that is incomplete, or of a kind that this version does not know.
pub fn access_change_from_wire(change: &wire::AccessChange) -> Result<AccessChange, WireError> {
    Ok(AccessChange {
        position: change.position,
        effective_time: required_instant("effective_time", change.effective_time.as_ref())?,
        record_time: required_instant("record_time", change.record_time.as_ref())?,
        actor: actor(&change.actor)?,
        fact: fact(
            change.fact.as_ref().ok_or_else(|| WireError::new("fact", "a kind that this version does not know"))?,
        )?,
    })
}

fn actor(text: &str) -> Result<Actor, WireError> {
    if text == "platform" { Ok(Actor::Platform) } else { parse("actor", text).map(Actor::Person) }
}

fn parse<T: FromStr<Err: Display>>(field: &'static str, text: &str) -> Result<T, WireError> {
    text.parse().map_err(|problem| WireError::new(field, problem))
}

fn domains(texts: &[String]) -> Result<BTreeSet<EmailDomain>, WireError> {
    texts.iter().map(|text| parse("email_domains", text)).collect()
}

fn fact(fact: &wire::access_change::Fact) -> Result<AccessFact, WireError> {
    use wire::access_change::Fact;
    Ok(match fact {
        Fact::PartnerAdded(added) => AccessFact::PartnerAdded {
            partner: parse::<PartnerName>("partner", &added.partner)?.0,
            display_name: added.display_name.clone(),
            country: parse("country_code", &added.country_code)?,
            email_domains: domains(&added.email_domains)?,
        },
        Fact::PartnerDomainsSet(set) => AccessFact::PartnerDomainsSet {
            partner: parse::<PartnerName>("partner", &set.partner)?.0,
            email_domains: domains(&set.email_domains)?,
        },
        Fact::PartnerLeft(left) => {
            AccessFact::PartnerLeft { partner: parse::<PartnerName>("partner", &left.partner)?.0 }
        }
        Fact::EmployeeAdded(added) => {
            let name: EmployeeName = parse("employee", &added.employee)?;
            AccessFact::EmployeeAdded {
                partner: name.partner,
                employee: name.employee,
                address: parse("email_address", &added.email_address)?,
                display_name: added.display_name.clone(),
                partner_employee: added.partner_employee,
            }
        }
        Fact::EmployeeDeleted(deleted) => {
            let name: EmployeeName = parse("employee", &deleted.employee)?;
            AccessFact::EmployeeDeleted {
                partner: name.partner,
                employee: name.employee,
                address: parse("email_address", &deleted.email_address)?,
            }
        }
        Fact::ClientAdded(added) => AccessFact::ClientAdded {
            client: parse::<ClientName>("client", &added.client)?.0,
            display_name: added.display_name.clone(),
            country: parse("country_code", &added.country_code)?,
        },
        Fact::ClientClosed(closed) => {
            AccessFact::ClientClosed { client: parse::<ClientName>("client", &closed.client)?.0 }
        }
        Fact::ClientUserAdded(added) => {
            let name: ClientUserName = parse("client_user", &added.client_user)?;
            AccessFact::ClientUserAdded {
                client: name.client,
                user: name.user,
                address: parse("email_address", &added.email_address)?,
                display_name: added.display_name.clone(),
                permission_set: permission_set_from_wire(added.permission_set())
                    .ok_or_else(|| WireError::new("permission_set", "is missing"))?,
            }
        }
        Fact::ClientUserDeactivated(deactivated) => {
            let name: ClientUserName = parse("client_user", &deactivated.client_user)?;
            let address = parse("email_address", &deactivated.email_address)?;
            AccessFact::ClientUserDeactivated { client: name.client, user: name.user, address }
        }
        Fact::ClientUserReactivated(reactivated) => {
            let name: ClientUserName = parse("client_user", &reactivated.client_user)?;
            let address = parse("email_address", &reactivated.email_address)?;
            AccessFact::ClientUserReactivated { client: name.client, user: name.user, address }
        }
        Fact::ClientUserRemoved(removed) => {
            let name: ClientUserName = parse("client_user", &removed.client_user)?;
            let address = parse("email_address", &removed.email_address)?;
            AccessFact::ClientUserRemoved { client: name.client, user: name.user, address }
        }
        Fact::ClientLinked(linked) => {
            let client = parse::<ClientName>("client", &linked.client)?.0;
            let name: EmployeeName = parse("employee", &linked.employee)?;
            let address = parse("email_address", &linked.email_address)?;
            AccessFact::ClientLinked { client, partner: name.partner, employee: name.employee, address }
        }
        Fact::ClientUnlinked(unlinked) => {
            let client = parse::<ClientName>("client", &unlinked.client)?.0;
            let name: EmployeeName = parse("employee", &unlinked.employee)?;
            let address = parse("email_address", &unlinked.email_address)?;
            AccessFact::ClientUnlinked { client, partner: name.partner, employee: name.employee, address }
        }
    })
}

impl From<&AccessChange> for wire::AccessChange {
    /// The message of a change; the feed adds the `chain_hash`.
    fn from(change: &AccessChange) -> Self {
        Self {
            position: change.position,
            chain_hash: Vec::new(),
            effective_time: Some(timestamp(change.effective_time)),
            record_time: Some(timestamp(change.record_time)),
            actor: change.actor.to_string(),
            fact: Some((&change.fact).into()),
        }
    }
}

impl From<&AccessFact> for wire::access_change::Fact {
    fn from(fact: &AccessFact) -> Self {
        let texts = |domains: &BTreeSet<EmailDomain>| domains.iter().map(ToString::to_string).collect();
        match fact {
            AccessFact::PartnerAdded { partner, display_name, country, email_domains } => {
                Self::PartnerAdded(wire::PartnerAdded {
                    partner: PartnerName(*partner).to_string(),
                    display_name: display_name.clone(),
                    country_code: country.to_string(),
                    email_domains: texts(email_domains),
                })
            }
            AccessFact::PartnerDomainsSet { partner, email_domains } => {
                Self::PartnerDomainsSet(wire::PartnerDomainsSet {
                    partner: PartnerName(*partner).to_string(),
                    email_domains: texts(email_domains),
                })
            }
            AccessFact::PartnerLeft { partner } => {
                Self::PartnerLeft(wire::PartnerLeft { partner: PartnerName(*partner).to_string() })
            }
            AccessFact::EmployeeAdded { partner, employee, address, display_name, partner_employee } => {
                Self::EmployeeAdded(wire::EmployeeAdded {
                    employee: EmployeeName { partner: *partner, employee: *employee }.to_string(),
                    email_address: address.to_string(),
                    display_name: display_name.clone(),
                    partner_employee: *partner_employee,
                })
            }
            AccessFact::EmployeeDeleted { partner, employee, address } => {
                Self::EmployeeDeleted(wire::EmployeeDeleted {
                    employee: EmployeeName { partner: *partner, employee: *employee }.to_string(),
                    email_address: address.to_string(),
                })
            }
            AccessFact::ClientAdded { client, display_name, country } => Self::ClientAdded(wire::ClientAdded {
                client: ClientName(*client).to_string(),
                display_name: display_name.clone(),
                country_code: country.to_string(),
            }),
            AccessFact::ClientClosed { client } => {
                Self::ClientClosed(wire::ClientClosed { client: ClientName(*client).to_string() })
            }
            AccessFact::ClientUserAdded { client, user, address, display_name, permission_set } => {
                Self::ClientUserAdded(wire::ClientUserAdded {
                    client_user: ClientUserName { client: *client, user: *user }.to_string(),
                    email_address: address.to_string(),
                    display_name: display_name.clone(),
                    permission_set: wire::PermissionSet::from(*permission_set).into(),
                })
            }
            AccessFact::ClientUserDeactivated { client, user, address } => {
                Self::ClientUserDeactivated(wire::ClientUserDeactivated {
                    client_user: ClientUserName { client: *client, user: *user }.to_string(),
                    email_address: address.to_string(),
                })
            }
            AccessFact::ClientUserReactivated { client, user, address } => {
                Self::ClientUserReactivated(wire::ClientUserReactivated {
                    client_user: ClientUserName { client: *client, user: *user }.to_string(),
                    email_address: address.to_string(),
                })
            }
            AccessFact::ClientUserRemoved { client, user, address } => {
                Self::ClientUserRemoved(wire::ClientUserRemoved {
                    client_user: ClientUserName { client: *client, user: *user }.to_string(),
                    email_address: address.to_string(),
                })
            }
            AccessFact::ClientLinked { client, partner, employee, address } => Self::ClientLinked(wire::ClientLinked {
                client: ClientName(*client).to_string(),
                employee: EmployeeName { partner: *partner, employee: *employee }.to_string(),
                email_address: address.to_string(),
            }),
            AccessFact::ClientUnlinked { client, partner, employee, address } => {
                Self::ClientUnlinked(wire::ClientUnlinked {
                    client: ClientName(*client).to_string(),
                    employee: EmployeeName { partner: *partner, employee: *employee }.to_string(),
                    email_address: address.to_string(),
                })
            }
        }
    }
}

/// The permission set, if one was stated.
#[must_use]
pub const fn permission_set_from_wire(permission_set: wire::PermissionSet) -> Option<PermissionSet> {
    match permission_set {
        wire::PermissionSet::Unspecified => None,
        wire::PermissionSet::Standard => Some(PermissionSet::Standard),
        wire::PermissionSet::PartnerAdmin => Some(PermissionSet::PartnerAdmin),
        wire::PermissionSet::SuperAdmin => Some(PermissionSet::SuperAdmin),
    }
}

impl From<PermissionSet> for wire::PermissionSet {
    fn from(permission_set: PermissionSet) -> Self {
        match permission_set {
            PermissionSet::Standard => Self::Standard,
            PermissionSet::PartnerAdmin => Self::PartnerAdmin,
            PermissionSet::SuperAdmin => Self::SuperAdmin,
        }
    }
}

impl From<ClientUserState> for wire::ClientUserState {
    fn from(state: ClientUserState) -> Self {
        match state {
            ClientUserState::None => Self::Unspecified,
            ClientUserState::Active => Self::Active,
            ClientUserState::Deactivated => Self::Deactivated,
            ClientUserState::Removed => Self::Removed,
        }
    }
}

/// The assignment of a client to an employee.
#[must_use]
pub fn assignment_to_wire(client: HubId, partner: HubId, assignment: &Assignment) -> wire::Assignment {
    let state = match assignment.state {
        AssignmentState::PendingUser => wire::AssignmentState::PendingUser,
        AssignmentState::Effective => wire::AssignmentState::Effective,
        AssignmentState::Suspended => wire::AssignmentState::Suspended,
    };
    let origin = match assignment.origin {
        AssignmentOrigin::Automatic => wire::AssignmentOrigin::Automatic,
        AssignmentOrigin::ByHand => wire::AssignmentOrigin::ByHand,
    };
    wire::Assignment {
        client: ClientName(client).to_string(),
        employee: EmployeeName { partner, employee: assignment.employee }.to_string(),
        state: state.into(),
        origin: origin.into(),
        start_time: Some(timestamp(assignment.period.start)),
    }
}

/// An employee as people see it.
#[must_use]
pub fn employee_to_wire(employee: &EmployeeSpell, domain_verified: bool) -> wire::Employee {
    wire::Employee {
        name: EmployeeName { partner: employee.partner, employee: employee.employee }.to_string(),
        email_address: employee.address.to_string(),
        display_name: employee.display_name.clone(),
        partner_employee: Some(employee.partner_employee),
        domain_verified,
        start_time: Some(timestamp(employee.period.start)),
    }
}

impl From<&AccessRefusal> for Failure {
    /// What the caller may know of a refusal: never which other partner is concerned (R127).
    fn from(refusal: &AccessRefusal) -> Self {
        let of_reason = |reason| Self::new(reason, refusal.to_string());
        let existing =
            |reason, differing_fields: &[&str]| of_reason(reason).with("differing_fields", differing_fields.join(","));
        match refusal {
            AccessRefusal::EffectiveTimeAhead { .. } => {
                Self::of_fields(vec![FieldViolation::new("effective_time", refusal.to_string())])
            }
            AccessRefusal::PartnerExists { partner, differing_fields, .. } => {
                existing(ErrorReason::PartnerExists, differing_fields).with("name", PartnerName(*partner))
            }
            AccessRefusal::ClientExists { client, differing_fields, .. } => {
                existing(ErrorReason::ClientExists, differing_fields).with("name", ClientName(*client))
            }
            AccessRefusal::EmployeeExists { partner, employee, differing_fields, .. } => {
                existing(ErrorReason::EmployeeExists, differing_fields)
                    .with("name", EmployeeName { partner: *partner, employee: *employee })
            }
            AccessRefusal::ClientUserExists { client, user, differing_fields, .. } => {
                existing(ErrorReason::ClientUserExists, differing_fields)
                    .with("name", ClientUserName { client: *client, user: *user })
            }
            AccessRefusal::Unknown { subject: Subject::Partner(_), .. } => of_reason(ErrorReason::UnknownPartner),
            AccessRefusal::Unknown { subject: Subject::Client(_), .. } => of_reason(ErrorReason::UnknownClient),
            AccessRefusal::Unknown { subject: Subject::Employee { .. }, .. } => of_reason(ErrorReason::UnknownEmployee),
            AccessRefusal::DomainTaken { domain, .. } => {
                of_reason(ErrorReason::EmailDomainTaken).with("email_domain", domain)
            }
            AccessRefusal::SharedMailDomain { domain } => {
                of_reason(ErrorReason::SharedMailProvider).with("email_domain", domain)
            }
            AccessRefusal::AddressInForeignDomain { .. } => of_reason(ErrorReason::AddressInForeignDomain),
            AccessRefusal::AlreadyAssigned { .. } => of_reason(ErrorReason::AlreadyAssigned),
            AccessRefusal::NotAssigned { .. } => of_reason(ErrorReason::NotAssigned),
            AccessRefusal::IllegalTransition { state, .. } => {
                of_reason(ErrorReason::IllegalTransition).with("state", state)
            }
            AccessRefusal::IllegalSequence { later_time, because, .. } => match because.as_ref() {
                // The later change is another partner's.
                AccessRefusal::DomainTaken { domain, .. } => {
                    let since = later_time.to_rfc3339_opts(SecondsFormat::AutoSi, true);
                    let message = format!("the domain {domain} belongs to another partner from {since} on");
                    Self::new(ErrorReason::EmailDomainTaken, message).with("email_domain", domain)
                }
                _ => of_reason(ErrorReason::IllegalSequence),
            },
        }
    }
}
