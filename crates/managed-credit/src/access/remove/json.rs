//! A removal for programs: the messages of the contract with their own field names, and what it would cost.

use std::io::Write;

use contracts::wire::access::{Asset, ClientUser, ConfirmRemovalResponse, EndedRelationship, PlannedRemoval};
use serde::Serialize;

use super::preview::{Effect, Preview, Stake};
use crate::breakdown::json::ManagedCreditJson;
use crate::output::write_json;
use crate::wording::rfc_3339;

#[derive(Debug, Serialize)]
struct RemovalJson<'removal> {
    preview: PreviewJson<'removal>,
    stakes: Vec<StakeJson<'removal>>,
    total_points: Option<String>,
    /// How many ending relationships are not in the total, because their points are not known.
    ending_without_points: usize,
    confirmed: Option<ConfirmedJson<'removal>>,
}

/// `managedcredit.access.v1.PreviewRemovalResponse`
#[derive(Debug, Serialize)]
struct PreviewJson<'removal> {
    removals: Vec<PlannedRemovalJson<'removal>>,
    assets: Vec<AssetJson<'removal>>,
    ended_relationships: Vec<EndedRelationshipJson<'removal>>,
    clients_without_permission: &'removal [String],
    token: &'removal str,
}

/// `managedcredit.access.v1.PlannedRemoval`
#[derive(Debug, Serialize)]
struct PlannedRemovalJson<'removal> {
    client_user: Option<ClientUserJson<'removal>>,
    employee: &'removal str,
    client_display_name: &'removal str,
    asset_count: i32,
}

/// `managedcredit.access.v1.ClientUser`
#[derive(Debug, Serialize)]
struct ClientUserJson<'removal> {
    name: &'removal str,
    email_address: &'removal str,
    display_name: &'removal str,
    permission_set: &'removal str,
    state: &'static str,
    start_time: Option<String>,
    remove_time: Option<String>,
    etag: &'removal str,
}

/// `managedcredit.access.v1.Asset`
#[derive(Debug, Serialize)]
struct AssetJson<'removal> {
    name: &'removal str,
    kind: &'removal str,
    display_name: &'removal str,
    owner: &'removal str,
}

/// `managedcredit.access.v1.EndedRelationship`
#[derive(Debug, Serialize)]
struct EndedRelationshipJson<'removal> {
    client: &'removal str,
    partner: &'removal str,
}

/// A relationship with one of the clients, and what it brings now where it would end.
#[derive(Debug, Serialize)]
struct StakeJson<'removal> {
    client: &'removal str,
    partner: &'removal str,
    ends: bool,
    managed_credit: Option<ManagedCreditJson<'removal>>,
    credit_unknown: Option<String>,
}

/// `managedcredit.access.v1.ConfirmRemovalResponse`
#[derive(Debug, Serialize)]
struct ConfirmedJson<'removal> {
    client_users: Vec<ClientUserJson<'removal>>,
    ended_relationships: Vec<EndedRelationshipJson<'removal>>,
    revision: &'removal str,
}

impl<'removal> From<&'removal Preview> for PreviewJson<'removal> {
    fn from(preview: &'removal Preview) -> Self {
        let answer = &preview.answer;
        Self {
            removals: answer.removals.iter().map(Into::into).collect(),
            assets: answer.assets.iter().map(Into::into).collect(),
            ended_relationships: answer.ended_relationships.iter().map(Into::into).collect(),
            clients_without_permission: &answer.clients_without_permission,
            token: &answer.token,
        }
    }
}

impl<'removal> From<&'removal PlannedRemoval> for PlannedRemovalJson<'removal> {
    fn from(removal: &'removal PlannedRemoval) -> Self {
        Self {
            client_user: removal.client_user.as_ref().map(Into::into),
            employee: &removal.employee,
            client_display_name: &removal.client_display_name,
            asset_count: removal.asset_count,
        }
    }
}

impl<'removal> From<&'removal ClientUser> for ClientUserJson<'removal> {
    fn from(user: &'removal ClientUser) -> Self {
        Self {
            name: &user.name,
            email_address: &user.email_address,
            display_name: &user.display_name,
            permission_set: &user.permission_set,
            state: user.state().as_str_name(),
            start_time: rfc_3339(user.start_time.as_ref()),
            remove_time: rfc_3339(user.remove_time.as_ref()),
            etag: &user.etag,
        }
    }
}

impl<'removal> From<&'removal Asset> for AssetJson<'removal> {
    fn from(asset: &'removal Asset) -> Self {
        Self { name: &asset.name, kind: &asset.kind, display_name: &asset.display_name, owner: &asset.owner }
    }
}

impl<'removal> From<&'removal EndedRelationship> for EndedRelationshipJson<'removal> {
    fn from(ended: &'removal EndedRelationship) -> Self {
        Self { client: &ended.client, partner: &ended.partner }
    }
}

impl<'removal> From<&'removal Stake> for StakeJson<'removal> {
    fn from(stake: &'removal Stake) -> Self {
        let (ends, managed_credit, credit_unknown) = match &stake.effect {
            Effect::GoesOn => (false, None, None),
            Effect::Ends(Ok(credit)) => (true, Some(credit.as_ref().into()), None),
            Effect::Ends(Err(unknown)) => (true, None, Some(unknown.to_string())),
        };
        Self { client: &stake.client, partner: &stake.partner, ends, managed_credit, credit_unknown }
    }
}

impl<'removal> From<&'removal ConfirmRemovalResponse> for ConfirmedJson<'removal> {
    fn from(confirmed: &'removal ConfirmRemovalResponse) -> Self {
        Self {
            client_users: confirmed.client_users.iter().map(Into::into).collect(),
            ended_relationships: confirmed.ended_relationships.iter().map(Into::into).collect(),
            revision: &confirmed.revision,
        }
    }
}

pub(super) fn write(
    preview: &Preview,
    confirmed: Option<&ConfirmRemovalResponse>,
    out: &mut impl Write,
) -> anyhow::Result<()> {
    let removal = RemovalJson {
        preview: preview.into(),
        stakes: preview.stakes.iter().map(Into::into).collect(),
        total_points: preview.total_points(),
        ending_without_points: preview.ending_without_points(),
        confirmed: confirmed.map(Into::into),
    };
    write_json(&removal, out)
}
