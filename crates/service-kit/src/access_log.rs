//! The access log: every access change, in one table, in the service that owns it and in every follower's copy.
//!
//! It is the only record of access. Every state is what `AccessHistory` makes of the changes that a question needs, so
//! each question here loads exactly the changes of its keys:
//!
//! | a change about | `partner_id` | `client_id` | `address` |
//! |---|---|---|---|
//! | a partner | yes | | |
//! | an employee | yes | | yes |
//! | a client | | yes | |
//! | a client user | | yes | yes |
//! | a link, or an approved access link | yes | yes | yes |
//! | a partner and a client: introduced, services ended | yes | yes | |
//! | an erased address | | | the pseudonym |
//!
//! A retraction has the keys of what it takes back, so that whoever loads the one loads the other.

mod copying;
mod entity;
mod erasure;
mod kept;
mod keys;
mod listing;
mod question;
mod table;
mod verification;

pub use copying::replace_copy;
pub use erasure::{erased_address, first_position, follow_erasures, replace_address};
pub use kept::{AskedClients, ClientHistories, KeptHistories};
pub use keys::{Named, access_link_changes, next_named};
pub use listing::{ChangeFilter, Concerning, newest};
pub use question::{
    Question, closed_clients_of, employee_address, employee_addresses, history, history_for_judging,
    history_for_retraction, history_for_verifying, history_of_clients, history_of_clients_and, history_of_employee,
    history_of_pair, history_of_partner, history_of_people, recorded_clients, user_address,
};
pub use table::{create_listing_indexes, create_table};
pub use verification::{pseudonyms, verify};

use contracts::wire::access as wire;
use contracts::{Feed, access_change_from_wire};
use domain::access::{AccessChange, AccessFact, Actor, Audit};
use domain::time::Instant;
use prost::Message as _;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder as _, QuerySelect as _};

use crate::feed::Head;
use crate::{ServiceError, position, stored_position};
use entity::{ActiveModel, Column, Entity, Model};

/// How many rows one statement inserts: thirteen columns each, within SQLite's 32,766 parameters.
const ROWS_PER_INSERT: usize = 500;

/// The names of all kinds of change: those of the fields of the message's `fact`.
pub const KINDS: [&str; 25] = [
    "partner_added",
    "partner_domains_set",
    "partner_left",
    "employee_added",
    "employee_deleted",
    "client_added",
    "client_closed",
    "client_user_added",
    "client_user_deactivated",
    "client_user_reactivated",
    "client_user_removed",
    "client_linked",
    "client_unlinked",
    "partner_updated",
    "employee_updated",
    "client_updated",
    "client_introduced",
    "services_ended",
    "client_user_updated",
    "assets_reassigned",
    "access_link_created",
    "access_link_revoked",
    "access_link_approved",
    "address_erased",
    "change_retracted",
];

/// The name of a kind of change, as it stands in the table's `kind`.
const fn kind(fact: &AccessFact) -> &'static str {
    match fact {
        AccessFact::PartnerAdded { .. } => "partner_added",
        AccessFact::PartnerDomainsSet { .. } => "partner_domains_set",
        AccessFact::PartnerLeft { .. } => "partner_left",
        AccessFact::EmployeeAdded { .. } => "employee_added",
        AccessFact::EmployeeDeleted { .. } => "employee_deleted",
        AccessFact::ClientAdded { .. } => "client_added",
        AccessFact::ClientClosed { .. } => "client_closed",
        AccessFact::ClientUserAdded { .. } => "client_user_added",
        AccessFact::ClientUserDeactivated { .. } => "client_user_deactivated",
        AccessFact::ClientUserReactivated { .. } => "client_user_reactivated",
        AccessFact::ClientUserRemoved { .. } => "client_user_removed",
        AccessFact::ClientLinked { .. } => "client_linked",
        AccessFact::ClientUnlinked { .. } => "client_unlinked",
        AccessFact::PartnerUpdated { .. } => "partner_updated",
        AccessFact::EmployeeUpdated { .. } => "employee_updated",
        AccessFact::ClientUpdated { .. } => "client_updated",
        AccessFact::ClientIntroduced { .. } => "client_introduced",
        AccessFact::ServicesEnded { .. } => "services_ended",
        AccessFact::ClientUserUpdated { .. } => "client_user_updated",
        AccessFact::AssetsReassigned { .. } => "assets_reassigned",
        AccessFact::AccessLinkCreated { .. } => "access_link_created",
        AccessFact::AccessLinkRevoked { .. } => "access_link_revoked",
        AccessFact::AccessLinkApproved { .. } => "access_link_approved",
        AccessFact::AddressErased { .. } => "address_erased",
        AccessFact::Retracted { .. } => "change_retracted",
    }
}

/// The employee or client user that a fact is about.
const fn subject_id(fact: &AccessFact) -> Option<Uuid> {
    match fact {
        AccessFact::EmployeeAdded { employee, .. }
        | AccessFact::EmployeeUpdated { employee, .. }
        | AccessFact::EmployeeDeleted { employee, .. }
        | AccessFact::ClientLinked { employee, .. }
        | AccessFact::ClientUnlinked { employee, .. }
        | AccessFact::AccessLinkCreated { employee, .. }
        | AccessFact::AccessLinkRevoked { employee, .. }
        | AccessFact::AccessLinkApproved { employee, .. } => Some(employee.0),
        AccessFact::ClientUserAdded { user, .. }
        | AccessFact::ClientUserUpdated { user, .. }
        | AccessFact::AssetsReassigned { user, .. }
        | AccessFact::ClientUserDeactivated { user, .. }
        | AccessFact::ClientUserReactivated { user, .. }
        | AccessFact::ClientUserRemoved { user, .. } => Some(user.0),
        AccessFact::PartnerAdded { .. }
        | AccessFact::PartnerDomainsSet { .. }
        | AccessFact::PartnerUpdated { .. }
        | AccessFact::PartnerLeft { .. }
        | AccessFact::ClientAdded { .. }
        | AccessFact::ClientUpdated { .. }
        | AccessFact::ClientClosed { .. }
        | AccessFact::ClientIntroduced { .. }
        | AccessFact::ServicesEnded { .. }
        | AccessFact::AddressErased { .. } => None,
        AccessFact::Retracted { fact, .. } => subject_id(fact),
    }
}

/// The row of a change and of its message, which has no hash.
fn row(change: &AccessChange, message: &wire::AccessChange, chain_hash: Vec<u8>) -> ActiveModel {
    let fact = &change.fact;
    ActiveModel {
        position: Set(stored_position(change.position)),
        kind: Set(kind(fact).to_owned()),
        effective_time: Set(change.effective_time.into()),
        record_time: Set(change.record_time.into()),
        actor: Set(change.actor.to_string()),
        on_behalf_of: Set(change.audit.on_behalf_of.as_ref().map(ToString::to_string)),
        partner_id: Set(fact.partner().map(domain::access::HubId::get)),
        client_id: Set(fact.client().map(domain::access::HubId::get)),
        address: Set(fact.address().map(ToString::to_string)),
        subject_id: Set(subject_id(fact)),
        is_notice: Set(!message.notices.is_empty()),
        payload: Set(message.encode_to_vec()),
        chain_hash: Set(chain_hash),
    }
}

fn change(row: &Model) -> Result<AccessChange, ServiceError> {
    Ok(access_change_from_wire(&wire::AccessChange::decode(row.payload.as_slice())?)?)
}

async fn insert<C: ConnectionTrait>(transaction: &C, rows: Vec<ActiveModel>) -> Result<(), DbErr> {
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        Entity::insert_many(rows.by_ref().take(ROWS_PER_INSERT)).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// Records a new change at the end of the log, whose head was locked in the same transaction.
///
/// # Errors
/// The database fails.
pub async fn append<C: ConnectionTrait>(
    transaction: &C,
    head: &mut Head,
    fact: AccessFact,
    effective_time: Instant,
    record_time: Instant,
    actor: &Actor,
    audit: Audit,
) -> Result<AccessChange, DbErr> {
    let change =
        AccessChange { position: head.next_position(), effective_time, record_time, actor: actor.clone(), audit, fact };
    let message = wire::AccessChange::from(&change);
    head.advance(&message.encode_to_vec());
    insert(transaction, vec![row(&change, &message, head.chain_hash.clone())]).await?;
    Ok(change)
}

/// Takes over changes of the feed into a copy, as they are; returns what they say.
///
/// # Errors
/// A change that this version does not understand, or the database fails.
pub async fn take_over<C: ConnectionTrait>(
    transaction: &C,
    changes: Vec<wire::AccessChange>,
) -> Result<Vec<AccessChange>, ServiceError> {
    let mut rows = Vec::with_capacity(changes.len());
    let mut understood = Vec::with_capacity(changes.len());
    for mut message in changes {
        let change = access_change_from_wire(&message)?;
        let chain_hash = std::mem::take(&mut message.chain_hash);
        rows.push(row(&change, &message, chain_hash));
        understood.push(change);
    }
    insert(transaction, rows).await?;
    Ok(understood)
}

/// The changes after a position, in order, at most `limit`, as the feed sends them.
///
/// # Errors
/// The database fails.
pub async fn page<C: ConnectionTrait>(
    connection: &C,
    after: u64,
    limit: u64,
) -> Result<Vec<wire::AccessChange>, ServiceError> {
    let rows = Entity::find()
        .filter(Column::Position.gt(stored_position(after)))
        .order_by_asc(Column::Position)
        .limit(limit)
        .all(connection)
        .await?;
    rows.into_iter()
        .map(|row| {
            let mut message = wire::AccessChange::decode(row.payload.as_slice())?;
            message.chain_hash = row.chain_hash;
            Ok(message)
        })
        .collect()
}

/// The change at a position; nothing where there is none.
///
/// # Errors
/// The database fails, or the change cannot be read.
pub async fn change_at<C: ConnectionTrait>(connection: &C, at: u64) -> Result<Option<AccessChange>, ServiceError> {
    let row = Entity::find_by_id(stored_position(at)).one(connection).await?;
    row.as_ref().map(change).transpose()
}

/// The hash over the log's history up to a position; nothing where there is no such change.
///
/// # Errors
/// The database fails.
pub async fn chain_hash_at<C: ConnectionTrait>(connection: &C, at: u64) -> Result<Option<Vec<u8>>, DbErr> {
    let row = Entity::find_by_id(stored_position(at)).one(connection).await?;
    Ok(row.map(|row| row.chain_hash))
}

/// The feed of this log.
pub const FEED: Feed = Feed::Access;

/// When a change of these keys can take effect "now": never before the last one recorded, so that a clock that steps
/// back does not put a new change before an older one.
///
/// # Errors
/// The database fails.
pub async fn present_instant<C: ConnectionTrait>(connection: &C, now: Instant) -> Result<Instant, DbErr> {
    let last = Entity::find().order_by_desc(Column::Position).one(connection).await?;
    Ok(last.map_or(now, |row| now.max(Instant::from(row.record_time))))
}

/// The position of a row, for the order of a history.
fn row_position(row: &Model) -> u64 {
    position(row.position)
}

#[cfg(test)]
mod tests {
    use prost_types::FileDescriptorSet;

    use super::*;

    #[test]
    fn the_kinds_are_the_fields_of_the_message() {
        let contracts = FileDescriptorSet::decode(contracts::FILE_DESCRIPTOR_SET).expect("the contracts");
        let messages = contracts.file.iter().flat_map(|file| &file.message_type);
        let message = messages.clone().find(|message| message.name() == "AccessChange").expect("the message");
        let mut fields: Vec<&str> =
            message.field.iter().filter(|field| field.oneof_index.is_some()).map(|field| field.name()).collect();
        let mut kinds = KINDS.to_vec();
        fields.sort_unstable();
        kinds.sort_unstable();
        assert_eq!(kinds, fields);
    }
}
