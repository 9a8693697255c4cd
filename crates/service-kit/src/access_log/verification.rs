//! Whether a log, or a copy of it, is what it says.

use std::collections::BTreeSet;

use contracts::Revision;
use domain::time::Instant;
use prost::Message as _;
use sea_orm::TryIntoModel as _;
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use super::entity::{Column, Entity, Model};
use super::{FEED, change, position, row, stored_position, wire};
use crate::ServiceError;
use crate::feed::{Head, verify_place};
use crate::maintenance::{Verification, hex};

/// How many changes are read at once.
const CHANGES_PER_PAGE: u64 = 500;

/// Compares every change with its message and its place: positions without gaps, each hash with what it is over, the
/// columns with what the message says, and the end with the last position and hash that are known elsewhere: of the feed's
/// head, or of the cursor.
///
/// The hash of a change that an erasure has rewritten is that of what was first recorded, and cannot be computed (R128).
///
/// # Errors
/// The database fails, or the caller does not read.
pub async fn verify<C: ConnectionTrait>(
    connection: &C,
    end_position: u64,
    end_hash: &[u8],
    verification: &mut Verification,
) -> Result<(), ServiceError> {
    verification.begin("access changes").await?;
    let pseudonyms = pseudonyms(connection).await?;
    let mut last = Head::start(FEED);
    loop {
        let rows = page(connection, last.position).await?;
        for row in &rows {
            last = compare(row, &last, &pseudonyms, verification);
        }
        if rows.is_empty() {
            break;
        }
        verification.checked(rows.len()).await?;
    }
    let end = Head::at(FEED, end_position, end_hash.to_vec());
    if last != end {
        verification.differs("end of the access log", &place(&last), &place(&end));
    }
    Ok(())
}

/// A place in the log, in words.
fn place(head: &Head) -> String {
    format!("{}, hash {}", name(head.position), hex(&head.chain_hash))
}

async fn page<C: ConnectionTrait>(connection: &C, after: u64) -> Result<Vec<Model>, DbErr> {
    let behind = Entity::find().filter(Column::Position.gt(stored_position(after)));
    behind.order_by_asc(Column::Position).limit(CHANGES_PER_PAGE).all(connection).await
}

/// The addresses that erasures have put in the places of others (R128).
///
/// # Errors
/// The database fails.
pub async fn pseudonyms<C: ConnectionTrait>(connection: &C) -> Result<BTreeSet<String>, DbErr> {
    let erasures = Entity::find().select_only().column(Column::Address).filter(Column::Kind.eq("address_erased"));
    let addresses: Vec<Option<String>> = erasures.into_tuple().all(connection).await?;
    Ok(addresses.into_iter().flatten().collect())
}

fn compare(stored: &Model, before: &Head, pseudonyms: &BTreeSet<String>, verification: &mut Verification) -> Head {
    let this = Head::at(FEED, position(stored.position), stored.chain_hash.clone());
    let bytes = (!is_rewritten(stored, pseudonyms)).then_some(stored.payload.as_slice());
    verify_place(before, &this, bytes, verification);
    match meant(stored) {
        Ok(meant) => compare_columns(stored, &meant, verification),
        Err(problem) => {
            verification.differs(name(this.position), &format!("unreadable: {problem}"), "a change of access");
        }
    }
    this
}

/// Whether an erasure has rewritten the change: then it names a pseudonym.
fn is_rewritten(stored: &Model, pseudonyms: &BTreeSet<String>) -> bool {
    let named = [stored.address.as_ref(), Some(&stored.actor), stored.on_behalf_of.as_ref()];
    named.into_iter().flatten().any(|address| pseudonyms.contains(address))
}

/// The row as its message would make it.
fn meant(stored: &Model) -> Result<Model, ServiceError> {
    let message = wire::AccessChange::decode(stored.payload.as_slice())?;
    Ok(row(&change(stored)?, &message, stored.chain_hash.clone()).try_into_model()?)
}

fn compare_columns(stored: &Model, meant: &Model, verification: &mut Verification) {
    let of_stored = columns(stored);
    for ((column, stored_value), (_, meant_value)) in of_stored.into_iter().zip(columns(meant)) {
        if stored_value != meant_value {
            let subject = format!("{} {column}", name(position(stored.position)));
            verification.differs(subject, &stored_value, &meant_value);
        }
    }
}

/// What a row says beside its message, in words.
fn columns(row: &Model) -> [(&'static str, String); 11] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let number = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
    [
        ("position", row.position.to_string()),
        ("kind", row.kind.clone()),
        ("effective_time", Instant::from(row.effective_time).to_rfc3339()),
        ("record_time", Instant::from(row.record_time).to_rfc3339()),
        ("actor", row.actor.clone()),
        ("on_behalf_of", text(&row.on_behalf_of)),
        ("partner", number(row.partner_id)),
        ("client", number(row.client_id)),
        ("address", text(&row.address)),
        ("subject", row.subject_id.map(|id| id.to_string()).unwrap_or_default()),
        ("is_notice", row.is_notice.to_string()),
    ]
}

fn name(position: u64) -> String {
    Revision { feed: FEED, position }.to_string()
}
