//! What becomes of what the removed users own (R41).

use std::collections::BTreeMap;
use std::str::FromStr;

use anyhow::{Context as _, bail};
use contracts::ClientUserName;
use contracts::wire::access::confirm_removal_request::DefaultDecision;
use contracts::wire::access::{Asset, AssetDecision, ClientUserState};
use domain::access::EmailAddress;

use super::preview::Preview;
use super::terminal;
use crate::access::lookup::{self, Found};
use crate::choice::listed;
use crate::servers::Servers;
use crate::wording::count;

/// One decision for all assets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AssetChoice {
    Leave,
    /// To the user with this address in each client, or to this user.
    Give(String),
}

/// A text that decides nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`leave`, or the address of an active user of the client")]
pub(super) struct AssetChoiceError;

impl FromStr for AssetChoice {
    type Err = AssetChoiceError;

    fn from_str(text: &str) -> Result<Self, AssetChoiceError> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("leave") {
            return Ok(Self::Leave);
        }
        let is_user = text.parse::<EmailAddress>().is_ok() || text.parse::<ClientUserName>().is_ok();
        if is_user { Ok(Self::Give(text.to_owned())) } else { Err(AssetChoiceError) }
    }
}

/// As the confirmation takes it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Decided {
    pub decisions: Vec<AssetDecision>,
    pub default: Option<DefaultDecision>,
}

/// The decision that was made, or is made by who is asked now. Nothing has to be decided where nobody owns anything.
pub(super) async fn decide(
    servers: &Servers,
    choice: Option<&AssetChoice>,
    preview: &Preview,
    can_ask: bool,
) -> anyhow::Result<Decided> {
    let assets = &preview.answer.assets;
    if assets.is_empty() {
        return Ok(Decided::default());
    }
    let choice = match choice {
        Some(choice) => choice.clone(),
        None if can_ask => {
            let owned = count(assets.len() as u64, "asset");
            let question = format!("They own {owned}. Who gets what they own? [leave, or a user's address] ");
            terminal::ask(&question).await?.parse().context("nothing is removed, because that decides nothing")?
        }
        None => bail!(
            "nothing is removed, because what they own needs a decision: --assets leave, or --assets with the address \
             of an active user there:{}",
            listed(assets, |asset| format!("{}: {} {:?}", asset.name, asset.kind, asset.display_name))
        ),
    };
    match choice {
        AssetChoice::Leave => {
            Ok(Decided { default: Some(DefaultDecision::LeaveWithoutOwner(true)), ..Decided::default() })
        }
        AssetChoice::Give(user) => give(servers, preview, assets, &user).await,
    }
}

/// Gives each asset to the user with this address in the asset's own client.
async fn give(servers: &Servers, preview: &Preview, assets: &[Asset], user: &str) -> anyhow::Result<Decided> {
    let mut new_owners: BTreeMap<&str, String> = BTreeMap::new();
    let mut decisions = Vec::new();
    for asset in assets {
        let client = client_of(asset);
        let new_owner = match new_owners.get(client) {
            Some(new_owner) => new_owner.clone(),
            None => {
                let account = Found { name: client.to_owned(), label: preview.client_label(client) };
                let found = lookup::client_user(servers, &account, user, &[ClientUserState::Active]).await;
                let found = found.context("nothing is removed")?;
                if preview.is_removed(&found.name) {
                    bail!("nothing is removed, because {user} would get what they own, and is removed too");
                }
                found.name
            }
        };
        decisions.push(AssetDecision { asset: asset.name.clone(), new_owner: new_owner.clone() });
        new_owners.insert(client, new_owner);
    }
    Ok(Decided { decisions, default: None })
}

/// `clients/2001` of `clients/2001/assets/...`.
pub(super) fn client_of(asset: &Asset) -> &str {
    asset.name.split_once("/assets/").map_or(&asset.name, |(client, _)| client)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r41_assets_are_left_or_given_to_a_user_and_nothing_else_is_a_decision() {
        assert_eq!("LEAVE".parse(), Ok(AssetChoice::Leave));
        let luca = "luca@client.example";
        assert_eq!(luca.parse(), Ok(AssetChoice::Give(luca.to_owned())));
        let name = "clients/2001/users/0198c0de-0000-7000-8000-000000000001";
        assert_eq!(name.parse(), Ok(AssetChoice::Give(name.to_owned())));
        for nothing in ["", "luca", "y", "clients/2001"] {
            assert_eq!(nothing.parse::<AssetChoice>(), Err(AssetChoiceError), "{nothing:?}");
        }
    }
}
