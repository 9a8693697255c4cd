//! Whether what happened later stays legal when a fact is fitted in before it (R22).

use std::mem::discriminant;

use crate::access::record::Records;
use crate::access::{AccessChange, AccessFact, AccessHistory, AccessRefusal};
use crate::policy::Policy;
use crate::time::Instant;

impl AccessHistory {
    /// Whether every later change stays legal with the fact, where `without` is all that is true at its effective time.
    pub(super) fn check_later_sequence(
        &self,
        without: Records,
        fact: &AccessFact,
        effective_time: Instant,
        policy: &Policy,
    ) -> Result<(), AccessRefusal> {
        let mut with = without.clone();
        with.apply(effective_time, fact);
        let illegal = first_illegal(fact, (without, with), self.later_than(effective_time), policy);
        illegal.map_or(Ok(()), |IllegalChange { later_time, transition, because, .. }| {
            Err(AccessRefusal::IllegalSequence { effective_time, later_time, transition, because })
        })
    }
}

/// A change that is illegal after a step and was not before it.
pub(super) struct IllegalChange {
    pub(super) later_position: u64,
    pub(super) later_time: Instant,
    /// What the change says.
    pub(super) transition: String,
    pub(super) because: Box<AccessRefusal>,
}

/// Walks through the changes after a fact that is added or taken back, side by side as they are before that step and
/// after it, to the first one of its sequence that becomes illegal.
pub(super) fn first_illegal<'a>(
    fact: &AccessFact,
    (mut before, mut after): (Records, Records),
    later: impl Iterator<Item = &'a AccessChange>,
    policy: &Policy,
) -> Option<IllegalChange> {
    for AccessChange { position, effective_time: later_time, fact: later, .. } in later {
        if concerns(fact, later)
            && let Some(because) = new_refusal(&before, &after, later, *later_time, policy)
        {
            return Some(IllegalChange {
                later_position: *position,
                later_time: *later_time,
                transition: transition_text(later),
                because: Box::new(because),
            });
        }
        before.apply(*later_time, later);
        after.apply(*later_time, later);
    }
    None
}

/// Why a later fact is illegal after a step and was not, or not for that reason, before it.
fn new_refusal(
    before: &Records,
    after: &Records,
    later: &AccessFact,
    later_time: Instant,
    policy: &Policy,
) -> Option<AccessRefusal> {
    let refusal = after.check(later, later_time, policy).err()?;
    let known = before.check(later, later_time, policy).err();
    known.is_none_or(|known| discriminant(&known) != discriminant(&refusal)).then_some(refusal)
}

/// Whether a later fact is of the sequence that an earlier one takes part in, recorded late or taken back (R22). More than
/// can become illegal does no harm.
fn concerns(earlier: &AccessFact, later: &AccessFact) -> bool {
    match earlier {
        AccessFact::PartnerAdded { partner, .. }
        | AccessFact::PartnerDomainsSet { partner, .. }
        | AccessFact::PartnerLeft { partner } => {
            // Domains are unique among all partners (R37).
            let sets_domains = matches!(later, AccessFact::PartnerAdded { .. } | AccessFact::PartnerDomainsSet { .. });
            later.partner() == Some(*partner) || sets_domains
        }
        AccessFact::EmployeeAdded { partner, .. } | AccessFact::EmployeeDeleted { partner, .. } => {
            later.partner() == Some(*partner)
        }
        AccessFact::ClientAdded { client, .. }
        | AccessFact::ClientClosed { client }
        | AccessFact::ClientLinked { client, .. }
        | AccessFact::ClientUnlinked { client, .. }
        | AccessFact::ClientIntroduced { client, .. }
        | AccessFact::ServicesEnded { client, .. } => later.client() == Some(*client),
        AccessFact::ClientUserAdded { client, .. }
        | AccessFact::ClientUserDeactivated { client, .. }
        | AccessFact::ClientUserReactivated { client, .. }
        | AccessFact::ClientUserRemoved { client, .. } => {
            let of_user = later.partner().is_none() && later.address() == earlier.address();
            later.client() == Some(*client) && (of_user || ends_services(later))
        }
        // Nothing later is legal or illegal by these; a retraction is judged by what it takes back.
        AccessFact::PartnerUpdated { .. }
        | AccessFact::EmployeeUpdated { .. }
        | AccessFact::ClientUpdated { .. }
        | AccessFact::ClientUserUpdated { .. }
        | AccessFact::AssetsReassigned { .. }
        | AccessFact::AccessLinkCreated { .. }
        | AccessFact::AccessLinkRevoked { .. }
        | AccessFact::AccessLinkApproved { .. }
        | AccessFact::AddressErased { .. }
        | AccessFact::Retracted { .. } => false,
    }
}

/// An end of services needs a user, a link or an introduction to be there (R76), which may be taken back.
const fn ends_services(fact: &AccessFact) -> bool {
    matches!(fact, AccessFact::ServicesEnded { .. })
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
