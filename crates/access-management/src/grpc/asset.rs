//! Requests about what client users own.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::{AssetName, ClientName, ClientUserName, Violations};
use domain::access::{AssetId, ClientUserId, HubId};
use service_kit::page::{PageRequest, PageStart, PageTokenError};

use super::DISPLAY_NAME_LENGTH;
use crate::operations::{AssetQuery, AssetUpdate};
use crate::store::asset::Asset;

/// The most assets of one BatchUpdateAssets.
const MAXIMUM_ASSETS: usize = 1_000;
/// The longest word for what an asset is, in characters.
const KIND_LENGTH: usize = 64;

pub(super) fn update(violations: &mut Violations, request: &wire::BatchUpdateAssetsRequest) -> Option<AssetUpdate> {
    let client = violations.parse("parent", &request.parent).map(|ClientName(client)| client);
    let wire::BatchUpdateAssetsRequest { assets, deleted_assets, .. } = request;
    if !(1..=MAXIMUM_ASSETS).contains(&(assets.len() + deleted_assets.len())) {
        violations.add("assets", format!("1 to {MAXIMUM_ASSETS} assets, with those of deleted_assets"));
        return None;
    }
    let mut seen = BTreeSet::new();
    let deleted = deleted_assets.iter().enumerate().filter_map(|(index, name)| {
        named_once(violations, &mut seen, &format!("deleted_assets[{index}]"), name, client)
    });
    let deleted = deleted.map(|name| name.asset).collect();
    let indexed = assets.iter().enumerate();
    let assets = indexed
        .filter_map(|(index, stated)| asset(violations, &mut seen, &format!("assets[{index}]"), stated, client))
        .collect();
    Some(AssetUpdate { client: client?, assets, deleted })
}

fn asset(
    violations: &mut Violations,
    seen: &mut BTreeSet<AssetId>,
    field: &str,
    stated: &wire::Asset,
    client: Option<HubId>,
) -> Option<Asset> {
    let name = named_once(violations, seen, &format!("{field}.name"), &stated.name, client);
    let kind = violations.check(&format!("{field}.kind"), kind(&stated.kind));
    let display_name = violations.text(&format!("{field}.display_name"), &stated.display_name, DISPLAY_NAME_LENGTH);
    let owner = owner(violations, &format!("{field}.owner"), &stated.owner, client);
    Some(Asset { name: name?, kind: kind?, display_name: display_name?, owner })
}

/// The name of an asset of this client that was not named before.
fn named_once(
    violations: &mut Violations,
    seen: &mut BTreeSet<AssetId>,
    field: &str,
    name: &str,
    client: Option<HubId>,
) -> Option<AssetName> {
    let name: AssetName = violations.parse(field, name)?;
    if client.is_some_and(|client| client != name.client) {
        violations.add(field, "an asset of the client in `parent`");
        return None;
    }
    if !seen.insert(name.asset.clone()) {
        violations.add(field, "each asset once");
        return None;
    }
    Some(name)
}

/// The vendor's word for what it is.
fn kind(text: &str) -> Result<String, String> {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    if (1..=KIND_LENGTH).contains(&text.len()) && text.bytes().all(is_word) {
        return Ok(text.to_owned());
    }
    Err(format!("1 to {KIND_LENGTH} characters of a-z, 0-9 and _"))
}

/// A user of this client; empty is nobody.
fn owner(violations: &mut Violations, field: &str, name: &str, client: Option<HubId>) -> Option<ClientUserId> {
    let owner: ClientUserName = violations.parse_optional(field, name)?;
    if client.is_some_and(|client| client != owner.client) {
        violations.add(field, "a user of the client in `parent`");
        return None;
    }
    Some(owner.user)
}

pub(super) fn query(violations: &mut Violations, request: &wire::ListAssetsRequest) -> Option<AssetQuery> {
    let wire::ListAssetsRequest { parent, owner: of_owner, page_size, page_token } = request;
    let client = violations.parse("parent", parent).map(|ClientName(client)| client);
    let query = wire::ListAssetsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let owner = owner(violations, "owner", of_owner, client);
    let page = PageRequest::read(violations, &query, *page_size, page_token)?;
    let after = violations.check("page_token", after(&page.start))?;
    Some(AssetQuery { client: client?, owner, after, page })
}

/// The asset behind which a page begins.
fn after(start: &PageStart) -> Result<Option<AssetId>, PageTokenError> {
    let Some(place) = start.after() else { return Ok(None) };
    let text = std::str::from_utf8(place).map_err(|_| PageTokenError)?;
    text.parse().map(Some).map_err(|_| PageTokenError)
}
