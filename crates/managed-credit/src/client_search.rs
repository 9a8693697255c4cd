//! Which client a person means: by hub id, or by name.

use anyhow::bail;
use contracts::PartnerName;
use contracts::wire::credit::{ListManagedCreditsRequest, ManagedCredit};
use domain::access::{HubId, folded};
use prost_types::Timestamp;

use crate::breakdown::Breakdown;
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
    match choose(wanted, &candidates) {
        Choice::One(row) => Ok(row.client.clone()),
        Choice::None => bail!(
            "partner {partner} has no client whose name contains {wanted:?}; `managed-credit breakdown --partner \
             {partner}` lists them"
        ),
        Choice::Several(rows) => {
            let listed: String = rows.iter().map(|row| format!("\n  {}", wording::client(row))).collect();
            bail!("{wanted:?} can be several clients; say which by its number:{listed}")
        }
    }
}

#[derive(Debug, PartialEq)]
enum Choice<'rows> {
    None,
    One(&'rows ManagedCredit),
    Several(Vec<&'rows ManagedCredit>),
}

/// The only candidate, or the only one that is called exactly so.
fn choose<'rows>(wanted: &str, candidates: &'rows [ManagedCredit]) -> Choice<'rows> {
    let exact: Vec<_> =
        candidates.iter().filter(|row| folded(&row.client_display_name) == folded(wanted.trim())).collect();
    let meant = if exact.is_empty() { candidates.iter().collect() } else { exact };
    match meant.as_slice() {
        [] => Choice::None,
        [row] => Choice::One(row),
        _ => Choice::Several(meant),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(client: &str, name: &str) -> ManagedCredit {
        ManagedCredit { client: client.to_owned(), client_display_name: name.to_owned(), ..ManagedCredit::default() }
    }

    #[test]
    fn the_only_candidate_is_meant() {
        let rows = [row("clients/1", "Lumina Ceramiche")];
        assert_eq!(choose("lumina", &rows), Choice::One(&rows[0]));
        assert_eq!(choose("lumina", &[]), Choice::None);
    }

    #[test]
    fn an_exact_name_wins_over_names_that_contain_it() {
        let rows = [row("clients/1", "Caffè Borgo Nuovo"), row("clients/2", "Caffè Borgo")];
        assert_eq!(choose("caffe BORGO", &rows), Choice::One(&rows[1]));
    }

    #[test]
    fn several_candidates_are_all_named() {
        let rows = [row("clients/1", "Atlas North"), row("clients/2", "Atlas South")];
        assert_eq!(choose("atlas", &rows), Choice::Several(rows.iter().collect()));
        let twins = [row("clients/1", "Atlas"), row("clients/2", "Atlas")];
        assert_eq!(choose("Atlas", &twins), Choice::Several(twins.iter().collect()));
    }
}
