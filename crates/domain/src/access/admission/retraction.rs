//! Whether a change may be taken back (R22).

use super::sequence::{IllegalChange, first_illegal};
use crate::access::{AccessFact, AccessHistory, AccessRefusal};
use crate::policy::Policy;
use crate::time::Instant;

impl AccessHistory {
    /// Whether the change at a position, which says `fact`, may be taken back.
    pub(super) fn admit_retraction(
        &self,
        position: u64,
        fact: &AccessFact,
        effective_time: Instant,
        policy: &Policy,
    ) -> Result<(), AccessRefusal> {
        if !is_retractable(fact) {
            return Err(AccessRefusal::NotRetractable { position });
        }
        if self.is_retracted(position) {
            return Err(AccessRefusal::AlreadyRetracted { position });
        }
        let change = self.change(position).filter(|change| change.fact == *fact);
        let change = change.ok_or(AccessRefusal::UnknownChange { position })?;
        if change.effective_time != effective_time {
            return Err(AccessRefusal::RetractionAtOtherTime { position, effective_time: change.effective_time });
        }
        let without = self.records_before(change);
        let mut with = without.clone();
        with.apply(effective_time, fact);
        let illegal = first_illegal(fact, (with, without), self.after(change), policy);
        illegal.map_or(Ok(()), |IllegalChange { later_position, later_time, transition, because }| {
            Err(AccessRefusal::StillNeeded { position, later_position, later_time, transition, because })
        })
    }
}

/// What others hold in their hands stays: an owner of assets, a link, a pseudonym.
const fn is_retractable(fact: &AccessFact) -> bool {
    !matches!(
        fact,
        AccessFact::Retracted { .. }
            | AccessFact::AddressErased { .. }
            | AccessFact::AssetsReassigned { .. }
            | AccessFact::AccessLinkCreated { .. }
            | AccessFact::AccessLinkRevoked { .. }
            | AccessFact::AccessLinkApproved { .. }
    )
}

#[cfg(test)]
mod tests;
