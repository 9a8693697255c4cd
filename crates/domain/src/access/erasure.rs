//! Replacing an address by a pseudonym, the one permitted rewriting of what was recorded (R128).

use uuid::Uuid;

use super::{AccessChange, AccessFact, Actor, EmailAddress};

impl EmailAddress {
    /// What may stand in the address's place. Its domain stays: automatic assignment depends on it, and no figure may
    /// change by an erasure.
    #[must_use]
    pub fn pseudonym(&self, id: Uuid) -> Self {
        self.with_local_part(&format!("erased-{}", id.simple()))
    }
}

impl AccessChange {
    /// The change with an address replaced wherever it stands: who made it, for whom, and what it is about. Where it is
    /// about that address, the name becomes the new address's local part, and what was said as the reason is emptied.
    #[must_use]
    pub fn with_address_replaced(mut self, from: &EmailAddress, to: &EmailAddress) -> Self {
        if let Actor::Person(actor) = &mut self.actor {
            replace(actor, from, to);
        }
        if let Some(principal) = &mut self.audit.on_behalf_of {
            replace(principal, from, to);
        }
        if self.fact.address() == Some(from) {
            self.audit.reason.clear();
            replace_person(&mut self.fact, to);
        }
        self
    }
}

fn replace(address: &mut EmailAddress, from: &EmailAddress, to: &EmailAddress) {
    if address == from {
        address.clone_from(to);
    }
}

/// Makes the fact, which is about a person, one about somebody of that address.
fn replace_person(fact: &mut AccessFact, to: &EmailAddress) {
    match fact {
        AccessFact::EmployeeAdded { address, display_name, .. }
        | AccessFact::ClientUserAdded { address, display_name, .. } => {
            address.clone_from(to);
            to.local_part().clone_into(display_name);
        }
        AccessFact::EmployeeUpdated { address, display_name, .. }
        | AccessFact::ClientUserUpdated { address, display_name, .. } => {
            address.clone_from(to);
            if let Some(display_name) = display_name {
                to.local_part().clone_into(display_name);
            }
        }
        AccessFact::EmployeeDeleted { address, .. }
        | AccessFact::ClientUserDeactivated { address, .. }
        | AccessFact::ClientUserReactivated { address, .. }
        | AccessFact::ClientUserRemoved { address, .. }
        | AccessFact::AssetsReassigned { address, .. }
        | AccessFact::ClientLinked { address, .. }
        | AccessFact::ClientUnlinked { address, .. }
        | AccessFact::AccessLinkCreated { address, .. }
        | AccessFact::AccessLinkRevoked { address, .. }
        | AccessFact::AccessLinkApproved { address, .. }
        | AccessFact::AddressErased { pseudonym: address, .. } => address.clone_from(to),
        AccessFact::Retracted { fact, .. } => replace_person(fact, to),
        AccessFact::PartnerAdded { .. }
        | AccessFact::PartnerUpdated { .. }
        | AccessFact::PartnerDomainsSet { .. }
        | AccessFact::PartnerLeft { .. }
        | AccessFact::ClientAdded { .. }
        | AccessFact::ClientUpdated { .. }
        | AccessFact::ClientClosed { .. }
        | AccessFact::ClientIntroduced { .. }
        | AccessFact::ServicesEnded { .. } => {}
    }
}

#[cfg(test)]
mod tests;
