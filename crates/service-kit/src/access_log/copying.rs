//! Putting a copy of the log that was built anew into the place of the present one.

use domain::access::{AccessFact, EmailAddress};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use super::entity::{Column, Entity};
use super::{chain_hash_at, change, erased_address};
use crate::feed::refill;
use crate::{ServiceError, request_log};

/// How many erasures are read at once.
const ERASURES_PER_PAGE: u64 = 500;

/// Replaces the log by the one in another database, in a transaction that holds the cursor.
///
/// Answers, as `follow_erasures`, each address with its pseudonym that an erasure has replaced in the new copy and that
/// the present one still had: those are to be replaced in the service's own tables, too (R128).
///
/// # Errors
/// A database fails, or a change cannot be read.
pub async fn replace_copy<F: ConnectionTrait, T: ConnectionTrait>(
    from: &F,
    transaction: &T,
) -> Result<Vec<(EmailAddress, EmailAddress)>, ServiceError> {
    let missed = missed_erasures(from, transaction).await?;
    if !missed.is_empty() {
        request_log::forget_all(transaction).await?;
    }
    refill::<Entity, _>(from, transaction).await?;
    Ok(missed)
}

async fn missed_erasures<F: ConnectionTrait, T: ConnectionTrait>(
    from: &F,
    present: &T,
) -> Result<Vec<(EmailAddress, EmailAddress)>, ServiceError> {
    let mut missed = Vec::new();
    let mut after = 0;
    loop {
        let erasures = Entity::find()
            .filter(Column::Kind.eq("address_erased"))
            .filter(Column::Position.gt(after))
            .order_by_asc(Column::Position)
            .limit(ERASURES_PER_PAGE)
            .all(from)
            .await?;
        let Some(last) = erasures.last() else { return Ok(missed) };
        after = last.position;
        for erasure in &erasures {
            let AccessFact::AddressErased { pseudonym, first_position } = change(erasure)?.fact else { continue };
            if let Some(address) = address_before(from, present, first_position).await?
                && address != pseudonym
            {
                missed.push((address, pseudonym));
            }
        }
    }
}

/// The address that the present copy has at a position; none where it is of another history there.
async fn address_before<F: ConnectionTrait, T: ConnectionTrait>(
    from: &F,
    present: &T,
    at: u64,
) -> Result<Option<EmailAddress>, ServiceError> {
    let hashes = (chain_hash_at(from, at).await?, chain_hash_at(present, at).await?);
    if hashes.0 != hashes.1 {
        return Ok(None);
    }
    erased_address(present, at).await
}
