//! Requests about clients.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::{ClientName, PartnerName, UpdateMask, Violations, access_type_from_wire};
use domain::access::{AccessType, HubId};
use service_kit::page::PageRequest;

use super::{DISPLAY_NAME_LENGTH, search};
use crate::operations::{ClientClosure, ClientList, ClientOrder, ClientUpdate, NewClient, Pair};

pub(super) fn new_client(violations: &mut Violations, request: &wire::CreateClientRequest) -> Option<NewClient> {
    let stated = request.client.clone().unwrap_or_default();
    let client = violations.check("hub_id", HubId::try_from(request.hub_id));
    let display_name = violations.text("client.display_name", &stated.display_name, DISPLAY_NAME_LENGTH);
    let country = violations.parse("client.country_code", &stated.country_code);
    Some(NewClient { client: client?, display_name: display_name?, country: country? })
}

pub(super) fn name(violations: &mut Violations, request: &wire::GetClientRequest) -> Option<HubId> {
    violations.parse("name", &request.name).map(|ClientName(client)| client)
}

pub(super) fn update(violations: &mut Violations, request: &wire::UpdateClientRequest) -> Option<ClientUpdate> {
    const FIELDS: [&str; 2] = ["display_name", "country_code"];
    let stated = request.client.clone().unwrap_or_default();
    let mask = UpdateMask::read(violations, request.update_mask.as_ref(), &FIELDS, |field| match field {
        "display_name" => !stated.display_name.is_empty(),
        _ => !stated.country_code.is_empty(),
    });
    let client: Option<ClientName> = violations.parse("client.name", &stated.name);
    let display_name = mask
        .changes("display_name")
        .then(|| violations.text("client.display_name", &stated.display_name, DISPLAY_NAME_LENGTH));
    let country = mask.changes("country_code").then(|| violations.parse("client.country_code", &stated.country_code));
    Some(ClientUpdate {
        client: client?.0,
        etag: stated.etag,
        display_name: display_name.flatten(),
        country: country.flatten(),
    })
}

pub(super) fn closure(violations: &mut Violations, request: &wire::CloseClientRequest) -> Option<ClientClosure> {
    let client: Option<ClientName> = violations.parse("name", &request.name);
    Some(ClientClosure { client: client?.0, etag: request.etag.clone() })
}

pub(super) fn introduction(violations: &mut Violations, request: &wire::IntroduceClientRequest) -> Option<Pair> {
    pair(violations, &request.partner, &request.client)
}

pub(super) fn services(violations: &mut Violations, request: &wire::EndServicesRequest) -> Option<Pair> {
    pair(violations, &request.partner, &request.client)
}

fn pair(violations: &mut Violations, partner: &str, client: &str) -> Option<Pair> {
    let partner: Option<PartnerName> = violations.parse("partner", partner);
    let client: Option<ClientName> = violations.parse("client", client);
    Some(Pair { partner: partner?.0, client: client?.0 })
}

pub(super) fn list(violations: &mut Violations, request: &wire::ListClientsRequest) -> Option<ClientList> {
    let query = wire::ListClientsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let partner: Option<PartnerName> = violations.parse("partner", &request.partner);
    let access_types = access_types(violations, &request.access_types);
    let search = search(violations, &request.search);
    let order = order(violations, request.order);
    let page = PageRequest::read(violations, &query, request.page_size, &request.page_token);
    Some(ClientList {
        partner: partner?.0,
        access_types,
        search: search?,
        order: order?,
        descending: request.descending,
        page: page?,
    })
}

/// The access types; none are all but those without a user (R42).
fn access_types(violations: &mut Violations, stated: &[i32]) -> BTreeSet<AccessType> {
    if stated.is_empty() {
        return AccessType::ALL.into_iter().filter(|access_type| *access_type != AccessType::LinkedOnly).collect();
    }
    if stated.len() > AccessType::ALL.len() {
        violations.add("access_types", format!("at most {} different access types", AccessType::ALL.len()));
        return BTreeSet::new();
    }
    let indexed = stated.iter().enumerate();
    indexed
        .filter_map(|(index, stated)| {
            let access_type = wire::AccessType::try_from(*stated).ok().and_then(access_type_from_wire);
            let field = format!("access_types[{index}]");
            violations.check(&field, access_type.ok_or("a value of AccessType, and not the unspecified one"))
        })
        .collect()
}

/// The order; unspecified is by name.
fn order(violations: &mut Violations, stated: i32) -> Option<ClientOrder> {
    let order = wire::ClientOrder::try_from(stated).map_err(|_| "a value of ClientOrder");
    violations.check("order", order).map(|order| match order {
        wire::ClientOrder::Unspecified | wire::ClientOrder::DisplayName => ClientOrder::DisplayName,
        wire::ClientOrder::Client => ClientOrder::Client,
        wire::ClientOrder::EmployeeCount => ClientOrder::EmployeeCount,
    })
}
