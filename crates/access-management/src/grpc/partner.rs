//! Requests about partners.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::{PartnerName, UpdateMask, Violations};
use domain::access::{EmailDomain, HubId};
use service_kit::page::PageRequest;

use super::{DISPLAY_NAME_LENGTH, search};
use crate::operations::{NewPartner, PartnerList, PartnerUpdate, StatedPartnerState};

/// The most employee email domains of a partner.
const MAXIMUM_EMAIL_DOMAINS: usize = 50;

pub(super) fn new_partner(violations: &mut Violations, request: &wire::CreatePartnerRequest) -> Option<NewPartner> {
    let stated = request.partner.clone().unwrap_or_default();
    let partner = violations.check("hub_id", HubId::try_from(request.hub_id));
    let display_name = violations.text("partner.display_name", &stated.display_name, DISPLAY_NAME_LENGTH);
    let country = violations.parse("partner.country_code", &stated.country_code);
    let email_domains = email_domains(violations, &stated.email_domains);
    Some(NewPartner { partner: partner?, display_name: display_name?, country: country?, email_domains })
}

pub(super) fn name(violations: &mut Violations, request: &wire::GetPartnerRequest) -> Option<HubId> {
    violations.parse("name", &request.name).map(|PartnerName(partner)| partner)
}

pub(super) fn update(violations: &mut Violations, request: &wire::UpdatePartnerRequest) -> Option<PartnerUpdate> {
    const FIELDS: [&str; 4] = ["display_name", "country_code", "email_domains", "state"];
    let stated = request.partner.clone().unwrap_or_default();
    let mask = UpdateMask::read(violations, request.update_mask.as_ref(), &FIELDS, |field| match field {
        "display_name" => !stated.display_name.is_empty(),
        "country_code" => !stated.country_code.is_empty(),
        "email_domains" => !stated.email_domains.is_empty(),
        _ => stated.state != 0,
    });
    let partner: Option<PartnerName> = violations.parse("partner.name", &stated.name);
    let display_name = mask
        .changes("display_name")
        .then(|| violations.text("partner.display_name", &stated.display_name, DISPLAY_NAME_LENGTH));
    let country = mask.changes("country_code").then(|| violations.parse("partner.country_code", &stated.country_code));
    let email_domains = mask.changes("email_domains").then(|| email_domains(violations, &stated.email_domains));
    let state = mask.changes("state").then(|| partner_state(violations, stated.state));
    Some(PartnerUpdate {
        partner: partner?.0,
        etag: stated.etag,
        display_name: display_name.flatten(),
        country: country.flatten(),
        email_domains,
        state: state.flatten(),
    })
}

/// The stated state; unspecified is "as it is".
fn partner_state(violations: &mut Violations, state: i32) -> Option<StatedPartnerState> {
    let state = wire::PartnerState::try_from(state).map_err(|_| "a value of PartnerState");
    match violations.check("partner.state", state)? {
        wire::PartnerState::Unspecified => None,
        wire::PartnerState::InProgramme => Some(StatedPartnerState::InProgramme),
        wire::PartnerState::Left => Some(StatedPartnerState::Left),
    }
}

pub(super) fn list(violations: &mut Violations, request: &wire::ListPartnersRequest) -> Option<PartnerList> {
    let query = wire::ListPartnersRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let search = search(violations, &request.search);
    let page = PageRequest::read(violations, &query, request.page_size, &request.page_token);
    Some(PartnerList { search: search?, page: page? })
}

fn email_domains(violations: &mut Violations, texts: &[String]) -> BTreeSet<EmailDomain> {
    const FIELD: &str = "partner.email_domains";
    if texts.len() > MAXIMUM_EMAIL_DOMAINS {
        violations.add(FIELD, format!("at most {MAXIMUM_EMAIL_DOMAINS} domains"));
        return BTreeSet::new();
    }
    let indexed = texts.iter().enumerate();
    indexed.filter_map(|(index, text)| violations.parse(&format!("{FIELD}[{index}]"), text)).collect()
}
