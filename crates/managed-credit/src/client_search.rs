//! Which client a person means: by hub id, or by name.

use anyhow::bail;
use contracts::PartnerName;
use contracts::wire::credit::ListManagedCreditsRequest;
use domain::access::HubId;
use prost_types::Timestamp;

use crate::breakdown::Breakdown;
use crate::choice::{Choice, choose, listed};
use crate::servers::Servers;
use crate::wording;

/// The client's resource name. A number is a hub id; a name is looked up in the partner's breakdown.
pub(crate) async fn find_client(
    servers: &Servers,
    partner: HubId,
    wanted: &str,
    as_of_time: Option<Timestamp>,
) -> anyhow::Result<String> {
    if let Ok(client) = wanted.parse::<HubId>() {
        return Ok(format!("clients/{client}"));
    }
    let question = ListManagedCreditsRequest {
        parent: PartnerName(partner).to_string(),
        client_search: wanted.to_owned(),
        as_of_time,
        ..ListManagedCreditsRequest::default()
    };
    let candidates = Breakdown::ask(servers, question).await?.rows;
    match choose(wanted, &candidates, |row| [&row.client_display_name]) {
        Choice::One(row) => Ok(row.client.clone()),
        Choice::None => bail!(
            "partner {partner} has no client whose name contains {wanted:?}; `managed-credit breakdown --partner \
             {partner}` lists them"
        ),
        Choice::Several(rows) => bail!(
            "{wanted:?} can be several clients; say which by its number:{}",
            listed(&rows, |row| wording::client(row))
        ),
    }
}
