//! Access facts on the wire.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

use chrono::SecondsFormat;
use domain::access::{
    AccessChange, AccessFact, AccessRefusal, AccessRole, AccessType, Actor, Assignment, AssignmentOrigin,
    AssignmentState, Audit, ClientUserState, EmailDomain, HubId, Subject,
};
use tonic_types::FieldViolation;

use crate::wire::access as wire;
use crate::wire::error::ErrorReason;
use crate::{
    AccessLinkName, AssetName, ClientName, ClientUserName, EmployeeName, Failure, PartnerName, WireError,
    required_instant, timestamp,
};

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
        audit: audit(change)?,
        fact: fact(
            change.fact.as_ref().ok_or_else(|| WireError::new("fact", "a kind that this version does not know"))?,
        )?,
    })
}

fn audit(change: &wire::AccessChange) -> Result<Audit, WireError> {
    let ended_relationships = change.ended_relationships.iter();
    Ok(Audit {
        on_behalf_of: optional("on_behalf_of", &change.on_behalf_of)?,
        request_id: optional("request_id", &change.request_id)?,
        reason: change.reason.clone(),
        old_state: change.old_state.clone(),
        new_state: change.new_state.clone(),
        ended_relationships: ended_relationships
            .map(|name| Ok(parse::<PartnerName>("ended_relationships", name)?.0))
            .collect::<Result<_, WireError>>()?,
    })
}

/// The value of a text that may be empty.
fn optional<T: FromStr<Err: Display>>(field: &'static str, text: &str) -> Result<Option<T>, WireError> {
    if text.is_empty() { Ok(None) } else { parse(field, text).map(Some) }
}

/// The value of a text that may be absent.
fn stated<T: FromStr<Err: Display>>(field: &'static str, text: Option<&str>) -> Result<Option<T>, WireError> {
    text.map(|text| parse(field, text)).transpose()
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
                access_role: access_role_from_wire(added.access_role()).unwrap_or_default(),
            }
        }
        Fact::EmployeeUpdated(updated) => {
            let name: EmployeeName = parse("employee", &updated.employee)?;
            AccessFact::EmployeeUpdated {
                partner: name.partner,
                employee: name.employee,
                address: parse("email_address", &updated.email_address)?,
                display_name: updated.display_name.clone(),
                partner_employee: updated.partner_employee,
                access_role: access_role_from_wire(updated.access_role()),
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
                permission_set: parse("permission_set", &added.permission_set)?,
            }
        }
        Fact::ClientUserUpdated(updated) => {
            let name: ClientUserName = parse("client_user", &updated.client_user)?;
            AccessFact::ClientUserUpdated {
                client: name.client,
                user: name.user,
                address: parse("email_address", &updated.email_address)?,
                display_name: updated.display_name.clone(),
                permission_set: stated("permission_set", updated.permission_set.as_deref())?,
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
        Fact::PartnerUpdated(updated) => AccessFact::PartnerUpdated {
            partner: parse::<PartnerName>("partner", &updated.partner)?.0,
            display_name: updated.display_name.clone(),
            country: stated("country_code", updated.country_code.as_deref())?,
        },
        Fact::ClientUpdated(updated) => AccessFact::ClientUpdated {
            client: parse::<ClientName>("client", &updated.client)?.0,
            display_name: updated.display_name.clone(),
            country: stated("country_code", updated.country_code.as_deref())?,
        },
        Fact::ClientIntroduced(introduced) => AccessFact::ClientIntroduced {
            client: parse::<ClientName>("client", &introduced.client)?.0,
            partner: parse::<PartnerName>("partner", &introduced.partner)?.0,
        },
        Fact::ServicesEnded(ended) => AccessFact::ServicesEnded {
            client: parse::<ClientName>("client", &ended.client)?.0,
            partner: parse::<PartnerName>("partner", &ended.partner)?.0,
        },
        Fact::AssetsReassigned(reassigned) => {
            let name: ClientUserName = parse("client_user", &reassigned.client_user)?;
            let asset = |text: &String| Ok(parse::<AssetName>("assets", text)?.asset);
            AccessFact::AssetsReassigned {
                client: name.client,
                user: name.user,
                address: parse("email_address", &reassigned.email_address)?,
                new_owner: optional::<ClientUserName>("new_owner", &reassigned.new_owner)?.map(|name| name.user),
                assets: reassigned.assets.iter().map(asset).collect::<Result<_, WireError>>()?,
            }
        }
        Fact::AccessLinkCreated(created) => {
            let name: AccessLinkName = parse("access_link", &created.access_link)?;
            AccessFact::AccessLinkCreated {
                partner: name.employee.partner,
                employee: name.employee.employee,
                address: parse("email_address", &created.email_address)?,
                link: name.link,
                for_client: optional::<ClientName>("for_client", &created.for_client)?.map(|name| name.0),
                expire_time: required_instant("expire_time", created.expire_time.as_ref())?,
            }
        }
        Fact::AccessLinkRevoked(revoked) => {
            let name: AccessLinkName = parse("access_link", &revoked.access_link)?;
            AccessFact::AccessLinkRevoked {
                partner: name.employee.partner,
                employee: name.employee.employee,
                address: parse("email_address", &revoked.email_address)?,
                link: name.link,
            }
        }
        Fact::AccessLinkApproved(approved) => {
            let name: AccessLinkName = parse("access_link", &approved.access_link)?;
            AccessFact::AccessLinkApproved {
                client: parse::<ClientName>("client", &approved.client)?.0,
                partner: name.employee.partner,
                employee: name.employee.employee,
                address: parse("email_address", &approved.email_address)?,
                link: name.link,
            }
        }
        Fact::AddressErased(erased) => AccessFact::AddressErased {
            pseudonym: parse("pseudonym", &erased.pseudonym)?,
            first_position: erased.first_position,
        },
        Fact::ChangeRetracted(retracted) => {
            let missing = || WireError::new("change", "a kind that this version does not know");
            let taken_back = retracted.change.as_ref().and_then(|change| change.fact.as_ref()).ok_or_else(missing)?;
            // One level deep: a retraction cannot be taken back.
            if matches!(taken_back, Fact::ChangeRetracted(_)) {
                return Err(WireError::new("change", "a retraction of a retraction"));
            }
            AccessFact::Retracted { position: retracted.position, fact: Box::new(self::fact(taken_back)?) }
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
            on_behalf_of: change.audit.on_behalf_of.as_ref().map(ToString::to_string).unwrap_or_default(),
            request_id: change.audit.request_id.map(|id| id.to_string()).unwrap_or_default(),
            reason: change.audit.reason.clone(),
            notices: notices(change).into_iter().map(Into::into).collect(),
            old_state: change.audit.old_state.clone(),
            new_state: change.audit.new_state.clone(),
            ended_relationships: texts(change.audit.ended_relationships.iter().copied().map(PartnerName)),
            fact: Some((&change.fact).into()),
        }
    }
}

/// Why somebody should be told of a change.
fn notices(change: &AccessChange) -> Vec<wire::Notice> {
    let of_kind = match &change.fact {
        AccessFact::AccessLinkApproved { .. } => Some(wire::Notice::AccessLinkApproved),
        AccessFact::ClientUserDeactivated { .. } => Some(wire::Notice::Deactivated),
        AccessFact::ClientUserReactivated { .. } => Some(wire::Notice::Reactivated),
        AccessFact::ClientUserRemoved { .. } => Some(wire::Notice::Removed),
        _ => None,
    };
    let ends = !change.audit.ended_relationships.is_empty();
    of_kind.into_iter().chain(ends.then_some(wire::Notice::RelationshipEnded)).collect()
}

fn texts(values: impl IntoIterator<Item: Display>) -> Vec<String> {
    values.into_iter().map(|value| value.to_string()).collect()
}

impl From<&AccessFact> for wire::access_change::Fact {
    fn from(fact: &AccessFact) -> Self {
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
            AccessFact::EmployeeAdded { partner, employee, address, display_name, partner_employee, access_role } => {
                Self::EmployeeAdded(wire::EmployeeAdded {
                    employee: EmployeeName { partner: *partner, employee: *employee }.to_string(),
                    email_address: address.to_string(),
                    display_name: display_name.clone(),
                    partner_employee: *partner_employee,
                    access_role: wire::AccessRole::from(*access_role).into(),
                })
            }
            AccessFact::EmployeeUpdated { partner, employee, address, display_name, partner_employee, access_role } => {
                Self::EmployeeUpdated(wire::EmployeeUpdated {
                    employee: EmployeeName { partner: *partner, employee: *employee }.to_string(),
                    email_address: address.to_string(),
                    display_name: display_name.clone(),
                    partner_employee: *partner_employee,
                    access_role: access_role.map(|role| wire::AccessRole::from(role).into()),
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
                    permission_set: permission_set.to_string(),
                })
            }
            AccessFact::ClientUserUpdated { client, user, address, display_name, permission_set } => {
                Self::ClientUserUpdated(wire::ClientUserUpdated {
                    client_user: ClientUserName { client: *client, user: *user }.to_string(),
                    email_address: address.to_string(),
                    display_name: display_name.clone(),
                    permission_set: permission_set.as_ref().map(ToString::to_string),
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
            AccessFact::PartnerUpdated { partner, display_name, country } => {
                Self::PartnerUpdated(wire::PartnerUpdated {
                    partner: PartnerName(*partner).to_string(),
                    display_name: display_name.clone(),
                    country_code: country.as_ref().map(ToString::to_string),
                })
            }
            AccessFact::ClientUpdated { client, display_name, country } => Self::ClientUpdated(wire::ClientUpdated {
                client: ClientName(*client).to_string(),
                display_name: display_name.clone(),
                country_code: country.as_ref().map(ToString::to_string),
            }),
            AccessFact::ClientIntroduced { client, partner } => Self::ClientIntroduced(wire::ClientIntroduced {
                client: ClientName(*client).to_string(),
                partner: PartnerName(*partner).to_string(),
            }),
            AccessFact::ServicesEnded { client, partner } => Self::ServicesEnded(wire::ServicesEnded {
                client: ClientName(*client).to_string(),
                partner: PartnerName(*partner).to_string(),
            }),
            AccessFact::AssetsReassigned { client, user, address, new_owner, assets } => {
                let owner = |user| ClientUserName { client: *client, user }.to_string();
                let assets = assets.iter().map(|asset| AssetName { client: *client, asset: asset.clone() });
                Self::AssetsReassigned(wire::AssetsReassigned {
                    client_user: owner(*user),
                    email_address: address.to_string(),
                    new_owner: new_owner.map(owner).unwrap_or_default(),
                    assets: texts(assets),
                })
            }
            AccessFact::AccessLinkCreated { partner, employee, address, link, for_client, expire_time } => {
                let employee = EmployeeName { partner: *partner, employee: *employee };
                Self::AccessLinkCreated(wire::AccessLinkCreated {
                    access_link: AccessLinkName { employee, link: *link }.to_string(),
                    email_address: address.to_string(),
                    for_client: for_client.map(|client| ClientName(client).to_string()).unwrap_or_default(),
                    expire_time: Some(timestamp(*expire_time)),
                })
            }
            AccessFact::AccessLinkRevoked { partner, employee, address, link } => {
                let employee = EmployeeName { partner: *partner, employee: *employee };
                Self::AccessLinkRevoked(wire::AccessLinkRevoked {
                    access_link: AccessLinkName { employee, link: *link }.to_string(),
                    email_address: address.to_string(),
                })
            }
            AccessFact::AccessLinkApproved { client, partner, employee, address, link } => {
                let employee = EmployeeName { partner: *partner, employee: *employee };
                Self::AccessLinkApproved(wire::AccessLinkApproved {
                    access_link: AccessLinkName { employee, link: *link }.to_string(),
                    email_address: address.to_string(),
                    client: ClientName(*client).to_string(),
                })
            }
            AccessFact::AddressErased { pseudonym, first_position } => Self::AddressErased(wire::AddressErased {
                pseudonym: pseudonym.to_string(),
                first_position: *first_position,
            }),
            AccessFact::Retracted { position, fact } => {
                let change = wire::AccessChange { fact: Some(fact.as_ref().into()), ..wire::AccessChange::default() };
                let retracted = wire::ChangeRetracted { position: *position, change: Some(Box::new(change)) };
                Self::ChangeRetracted(Box::new(retracted))
            }
        }
    }
}

/// The role, if one was stated.
#[must_use]
pub const fn access_role_from_wire(role: wire::AccessRole) -> Option<AccessRole> {
    match role {
        wire::AccessRole::Unspecified => None,
        wire::AccessRole::None => Some(AccessRole::None),
        wire::AccessRole::ClientAccessManager => Some(AccessRole::ClientAccessManager),
        wire::AccessRole::SuperAdmin => Some(AccessRole::SuperAdmin),
    }
}

impl From<AccessRole> for wire::AccessRole {
    fn from(role: AccessRole) -> Self {
        match role {
            AccessRole::None => Self::None,
            AccessRole::ClientAccessManager => Self::ClientAccessManager,
            AccessRole::SuperAdmin => Self::SuperAdmin,
        }
    }
}

/// The access type, if one was stated.
#[must_use]
pub const fn access_type_from_wire(access_type: wire::AccessType) -> Option<AccessType> {
    match access_type {
        wire::AccessType::Unspecified => None,
        wire::AccessType::PartnerAdmin => Some(AccessType::PartnerAdmin),
        wire::AccessType::SuperAdmin => Some(AccessType::SuperAdmin),
        wire::AccessType::Standard => Some(AccessType::Standard),
        wire::AccessType::Deactivated => Some(AccessType::Deactivated),
        wire::AccessType::LinkedOnly => Some(AccessType::LinkedOnly),
    }
}

impl From<AccessType> for wire::AccessType {
    fn from(access_type: AccessType) -> Self {
        match access_type {
            AccessType::PartnerAdmin => Self::PartnerAdmin,
            AccessType::SuperAdmin => Self::SuperAdmin,
            AccessType::Standard => Self::Standard,
            AccessType::Deactivated => Self::Deactivated,
            AccessType::LinkedOnly => Self::LinkedOnly,
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

impl From<&AccessRefusal> for Failure {
    /// What the caller may know of a refusal: never which other partner is concerned (R127).
    fn from(refusal: &AccessRefusal) -> Self {
        let of_reason = |reason| Self::new(reason, refusal.to_string());
        let existing =
            |reason, differing_fields: &[&str]| of_reason(reason).with("differing_fields", differing_fields.join(","));
        match refusal {
            AccessRefusal::EffectiveTimeAhead { .. } => {
                Self::of_fields(vec![FieldViolation::new(refusal.field(), refusal.to_string())])
            }
            // Only a user that is created or updated is judged by it; BatchAddEmployees names what is assignable.
            AccessRefusal::UnknownPermissionSet { .. } => {
                Self::of_fields(vec![FieldViolation::new("client_user.permission_set", refusal.to_string())])
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
            AccessRefusal::AlreadyIntroduced { .. } => of_reason(ErrorReason::AlreadyIntroduced),
            AccessRefusal::NothingToEnd { .. } => of_reason(ErrorReason::NoServices),
            AccessRefusal::UnknownChange { .. } => of_reason(ErrorReason::UnknownChange),
            AccessRefusal::AlreadyRetracted { .. }
            | AccessRefusal::NotRetractable { .. }
            | AccessRefusal::StillNeeded { .. }
            | AccessRefusal::RetractionAtOtherTime { .. } => of_reason(ErrorReason::NotRetractable),
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
