//! Requests about partners.

use std::collections::BTreeSet;

use contracts::Violations;
use contracts::wire::access as wire;
use domain::access::{EmailDomain, HubId};

use super::DISPLAY_NAME_LENGTH;
use crate::operations::NewPartner;

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

fn email_domains(violations: &mut Violations, texts: &[String]) -> BTreeSet<EmailDomain> {
    const FIELD: &str = "partner.email_domains";
    if texts.len() > MAXIMUM_EMAIL_DOMAINS {
        violations.add(FIELD, format!("at most {MAXIMUM_EMAIL_DOMAINS} domains"));
        return BTreeSet::new();
    }
    let indexed = texts.iter().enumerate();
    indexed.filter_map(|(index, text)| violations.parse(&format!("{FIELD}[{index}]"), text)).collect()
}
