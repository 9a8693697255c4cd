//! Queries, and rows to domain values and back. No rules.

pub(crate) mod certifications;
pub(crate) mod clients;
pub(crate) mod contacts;
pub(crate) mod journal;
pub(crate) mod news;
pub(crate) mod own_facts;
pub(crate) mod servicing;
pub(crate) mod sold_credits;
pub(crate) mod statements;
pub(crate) mod subscriptions;
pub(crate) mod tiers;

use domain::access::HubId;
use service_kit::ServiceError;

/// How many clients one query asks about, and how many rows one statement inserts: within SQLite's 32,766 parameters.
const KEYS_PER_STATEMENT: usize = 1_000;

/// A stored hub id.
fn hub_id(stored: i64) -> Result<HubId, ServiceError> {
    HubId::try_from(stored).map_err(ServiceError::stored)
}

/// Ids as they are stored, in portions of one statement.
fn portions(ids: &[HubId]) -> impl Iterator<Item = Vec<i64>> {
    ids.chunks(KEYS_PER_STATEMENT).map(|portion| portion.iter().map(|id| id.get()).collect())
}
