//! Whether what happened later stays legal when a fact is fitted in before it (R22).

use std::mem::discriminant;

use crate::access::record::Records;
use crate::access::{AccessFact, AccessHistory, AccessRefusal, EmployeeId, HubId};
use crate::policy::Policy;
use crate::time::Instant;

impl AccessHistory {
    /// Walks through the later changes with and without the fact, side by side.
    pub(super) fn check_later_sequence(
        &self,
        mut without: Records,
        fact: &AccessFact,
        effective_time: Instant,
        policy: &Policy,
    ) -> Result<(), AccessRefusal> {
        let mut with = without.clone();
        with.apply(effective_time, fact);
        for (later_time, later) in self.later_than(effective_time) {
            if concerns(fact, later)
                && let Some(because) = new_refusal(&without, &with, later, later_time, policy)
            {
                let transition = transition_text(later);
                let because = Box::new(because);
                return Err(AccessRefusal::IllegalSequence { effective_time, later_time, transition, because });
            }
            without.apply(later_time, later);
            with.apply(later_time, later);
        }
        Ok(())
    }
}

/// Why a later fact is illegal with a change and was not, or not for that reason, without it.
fn new_refusal(
    without: &Records,
    with: &Records,
    later: &AccessFact,
    later_time: Instant,
    policy: &Policy,
) -> Option<AccessRefusal> {
    let refusal = with.check(later, later_time, policy).err()?;
    let known = without.check(later, later_time, policy).err();
    known.is_none_or(|known| discriminant(&known) != discriminant(&refusal)).then_some(refusal)
}

/// Whether a later fact is of the sequence that an earlier one takes part in, recorded late or taken back (R22).
fn concerns(earlier: &AccessFact, later: &AccessFact) -> bool {
    match earlier {
        AccessFact::PartnerAdded { partner, .. }
        | AccessFact::PartnerDomainsSet { partner, .. }
        | AccessFact::PartnerLeft { partner } => {
            // Domains are unique among all partners (R37).
            let sets_domains = matches!(later, AccessFact::PartnerAdded { .. } | AccessFact::PartnerDomainsSet { .. });
            later.partner() == Some(*partner) || sets_domains
        }
        AccessFact::EmployeeAdded { .. } | AccessFact::EmployeeDeleted { .. } => {
            later.partner() == earlier.partner() && later.address() == earlier.address()
        }
        AccessFact::ClientAdded { client, .. } | AccessFact::ClientClosed { client } => later.client() == Some(*client),
        AccessFact::ClientUserAdded { client, .. }
        | AccessFact::ClientUserDeactivated { client, .. }
        | AccessFact::ClientUserReactivated { client, .. }
        | AccessFact::ClientUserRemoved { client, .. } => {
            let of_user = later.partner().is_none() && later.address() == earlier.address();
            // Without the user there may be no services to end (R76).
            let ends_services = matches!(later, AccessFact::ServicesEnded { .. });
            later.client() == Some(*client) && (of_user || ends_services)
        }
        AccessFact::ClientLinked { client, partner, employee, .. }
        | AccessFact::ClientUnlinked { client, partner, employee, .. } => {
            linked_pair(later) == Some((*client, *employee)) || *later == services_ended(*client, *partner)
        }
        AccessFact::ClientIntroduced { client, partner } => {
            later == earlier || *later == services_ended(*client, *partner)
        }
        AccessFact::ServicesEnded { client, partner } => {
            linked_pair(later).is_some() && later.client() == Some(*client) && later.partner() == Some(*partner)
        }
        AccessFact::Retracted { fact, .. } => concerns(fact, later),
        // Nothing later is legal or illegal by these.
        AccessFact::PartnerUpdated { .. }
        | AccessFact::EmployeeUpdated { .. }
        | AccessFact::ClientUpdated { .. }
        | AccessFact::ClientUserUpdated { .. }
        | AccessFact::AssetsReassigned { .. }
        | AccessFact::AccessLinkCreated { .. }
        | AccessFact::AccessLinkRevoked { .. }
        | AccessFact::AccessLinkApproved { .. }
        | AccessFact::AddressErased { .. } => false,
    }
}

fn linked_pair(fact: &AccessFact) -> Option<(HubId, EmployeeId)> {
    match fact {
        AccessFact::ClientLinked { client, employee, .. } | AccessFact::ClientUnlinked { client, employee, .. } => {
            Some((*client, *employee))
        }
        _ => None,
    }
}

const fn services_ended(client: HubId, partner: HubId) -> AccessFact {
    AccessFact::ServicesEnded { client, partner }
}

fn transition_text(fact: &AccessFact) -> String {
    match fact {
        AccessFact::PartnerAdded { partner, .. } => format!("partner {partner} joins"),
        AccessFact::PartnerDomainsSet { partner, .. } => format!("partner {partner} sets its email domains"),
        AccessFact::PartnerLeft { partner } => format!("partner {partner} leaves"),
        AccessFact::EmployeeAdded { partner, address, .. } => format!("{address} becomes employee of {partner}"),
        AccessFact::EmployeeDeleted { partner, address, .. } => format!("{address} is deleted in partner {partner}"),
        AccessFact::ClientAdded { client, .. } => format!("client {client} becomes known"),
        AccessFact::ClientClosed { client } => format!("client {client} is closed"),
        AccessFact::ClientUserAdded { client, address, .. } => format!("{address} is added to client {client}"),
        AccessFact::ClientUserDeactivated { client, address, .. } => {
            format!("{address} is deactivated in client {client}")
        }
        AccessFact::ClientUserReactivated { client, address, .. } => {
            format!("{address} is reactivated in client {client}")
        }
        AccessFact::ClientUserRemoved { client, address, .. } => format!("{address} is removed from client {client}"),
        AccessFact::ClientLinked { client, address, .. } => format!("client {client} is linked to {address}"),
        AccessFact::ClientUnlinked { client, address, .. } => format!("client {client} is unlinked from {address}"),
        AccessFact::PartnerUpdated { partner, .. } => format!("partner {partner} is updated"),
        AccessFact::EmployeeUpdated { partner, address, .. } => format!("{address} is updated in partner {partner}"),
        AccessFact::ClientUpdated { client, .. } => format!("client {client} is updated"),
        AccessFact::ClientIntroduced { client, partner } => {
            format!("client {client} is introduced to partner {partner}")
        }
        AccessFact::ServicesEnded { client, partner } => {
            format!("partner {partner} ends its services for client {client}")
        }
        AccessFact::ClientUserUpdated { client, address, .. } => format!("{address} is updated in client {client}"),
        AccessFact::AssetsReassigned { client, address, .. } => {
            format!("assets of {address} are reassigned in client {client}")
        }
        AccessFact::AccessLinkCreated { partner, address, .. } => {
            format!("an access link is made for {address} of partner {partner}")
        }
        AccessFact::AccessLinkRevoked { partner, address, .. } => {
            format!("an access link of {address} of partner {partner} is revoked")
        }
        AccessFact::AccessLinkApproved { client, address, .. } => {
            format!("client {client} approves an access link of {address}")
        }
        AccessFact::AddressErased { pseudonym, .. } => format!("an address is replaced by {pseudonym}"),
        AccessFact::Retracted { position, .. } => format!("change {position} is taken back"),
    }
}
