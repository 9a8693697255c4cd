//! Requests about assignments by hand.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::{ClientName, Violations};
use domain::access::HubId;

use crate::operations::{NewLinks, Unlink};

/// The most clients of one BatchLinkClients.
const MAXIMUM_LINKS: usize = 1_000;

pub(super) fn new_links(violations: &mut Violations, request: &wire::BatchLinkClientsRequest) -> Option<NewLinks> {
    let employee = violations.parse("employee", &request.employee);
    let clients = linked_clients(violations, &request.clients);
    Some(NewLinks { employee: employee?, clients })
}

pub(super) fn unlink(violations: &mut Violations, request: &wire::UnlinkClientRequest) -> Option<Unlink> {
    let employee = violations.parse("employee", &request.employee);
    let client: Option<ClientName> = violations.parse("client", &request.client);
    Some(Unlink { employee: employee?, client: client?.0 })
}

fn linked_clients(violations: &mut Violations, texts: &[String]) -> Vec<HubId> {
    if texts.is_empty() || texts.len() > MAXIMUM_LINKS {
        violations.add("clients", format!("1 to {MAXIMUM_LINKS} clients"));
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let mut clients = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let field = format!("clients[{index}]");
        let Some(ClientName(client)) = violations.parse(&field, text) else { continue };
        if seen.insert(client) {
            clients.push(client);
        } else {
            violations.add(field, "each client once");
        }
    }
    clients
}
