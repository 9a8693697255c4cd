//! The one permitted rewriting of the log: an address is replaced by its pseudonym (R128).

use domain::access::{AccessChange, AccessFact, EmailAddress};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{Condition, QueryOrder as _, QuerySelect as _};

use super::entity::{Column, Entity};
use super::{ROWS_PER_INSERT, change, position, row, stored_position, wire};
use crate::{ServiceError, request_log};

/// The position of the first change that is about an address; nothing where none is.
///
/// # Errors
/// The database fails.
pub async fn first_position<C: ConnectionTrait>(
    connection: &C,
    address: &EmailAddress,
) -> Result<Option<u64>, ServiceError> {
    let first: Option<i64> = Entity::find()
        .select_only()
        .column(Column::Position)
        .filter(Column::Address.eq(address.as_str()))
        .order_by_asc(Column::Position)
        .limit(1)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(first.map(position))
}

/// The address that an erasure with this first position replaces, as this copy of the log still has it.
///
/// A copy that took over the first change only after the erasure has the pseudonym there already: what is returned then
/// is the pseudonym, and there is nothing to replace.
///
/// # Errors
/// The database fails, or the stored address cannot be read.
pub async fn erased_address<C: ConnectionTrait>(
    connection: &C,
    first_position: u64,
) -> Result<Option<EmailAddress>, ServiceError> {
    let row = Entity::find_by_id(stored_position(first_position)).one(connection).await?;
    row.and_then(|row| row.address).map(|address| address.parse().map_err(ServiceError::stored)).transpose()
}

/// Rewrites every change that is about an address, or was made by it or for it, as if it had been the other address.
///
/// Positions stay, and so does the chain hash: it is that of what was first recorded, so that followers go on at their
/// cursors, and the log still tells whether two copies are of one history. It no longer can be computed from the rows.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn replace_address<C: ConnectionTrait>(
    transaction: &C,
    from: &EmailAddress,
    to: &EmailAddress,
) -> Result<(), ServiceError> {
    if from == to {
        return Ok(());
    }
    let names_it = Condition::any()
        .add(Column::Address.eq(from.as_str()))
        .add(Column::Actor.eq(from.as_str()))
        .add(Column::OnBehalfOf.eq(from.as_str()));
    let positions: Vec<i64> =
        Entity::find().select_only().column(Column::Position).filter(names_it).into_tuple().all(transaction).await?;
    for portion in positions.chunks(ROWS_PER_INSERT) {
        replace_in(transaction, portion, from, to).await?;
    }
    Ok(())
}

/// Rewrites a copy of the log for every erasure among changes that it has just taken over, and forgets the answers that
/// name somebody. Answers each address with its pseudonym, to be replaced in the service's own tables in the same
/// transaction; an address that this copy never had is not among them.
///
/// # Errors
/// The database fails, or a change cannot be read.
pub async fn follow_erasures<C: ConnectionTrait>(
    transaction: &C,
    changes: &[AccessChange],
) -> Result<Vec<(EmailAddress, EmailAddress)>, ServiceError> {
    let mut replaced = Vec::new();
    for AccessChange { position, fact, .. } in changes {
        let AccessFact::AddressErased { pseudonym, first_position } = fact else { continue };
        let address = erased_address(transaction, *first_position).await?.ok_or_else(|| {
            ServiceError::stored(format!("change {position} erases the address of {first_position}, which has none"))
        })?;
        request_log::forget_all(transaction).await?;
        if address != *pseudonym {
            replace_address(transaction, &address, pseudonym).await?;
            replaced.push((address, pseudonym.clone()));
        }
    }
    Ok(replaced)
}

async fn replace_in<C: ConnectionTrait>(
    transaction: &C,
    positions: &[i64],
    from: &EmailAddress,
    to: &EmailAddress,
) -> Result<(), ServiceError> {
    let rows = Entity::find().filter(Column::Position.is_in(positions.iter().copied())).all(transaction).await?;
    let mut rewritten = Vec::with_capacity(rows.len());
    for stored in rows {
        let change = change(&stored)?.with_address_replaced(from, to);
        rewritten.push(row(&change, &wire::AccessChange::from(&change), stored.chain_hash));
    }
    let rewrite = OnConflict::column(Column::Position)
        .update_columns([Column::Address, Column::Actor, Column::OnBehalfOf, Column::Payload])
        .to_owned();
    Entity::insert_many(rewritten).on_conflict(rewrite).exec_without_returning(transaction).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::access::{AccessRole, Actor, Audit, ClientUserId, EmployeeId, HubId};
    use prost::Message as _;
    use sea_orm_migration::SchemaManager;

    use super::*;
    use crate::access_log::{FEED, append, chain_hash_at, create_table, page, row_position};
    use crate::feed::{create_head_table, lock_head};
    use crate::{Database, DatabaseSettings, WriteTransaction};

    const ANNA: &str = "anna@agency.example";

    fn address(text: &str) -> EmailAddress {
        text.parse().expect("an address")
    }

    fn hub(number: i64) -> HubId {
        HubId::try_from(number).expect("a hub id")
    }

    fn added(text: &str) -> AccessFact {
        AccessFact::EmployeeAdded {
            partner: hub(1001),
            employee: EmployeeId(Uuid::from_u128(1)),
            address: address(text),
            display_name: "Somebody".to_owned(),
            partner_employee: true,
            access_role: AccessRole::None,
        }
    }

    fn deactivated(text: &str) -> AccessFact {
        AccessFact::ClientUserDeactivated {
            client: hub(2002),
            user: ClientUserId(Uuid::from_u128(2)),
            address: address(text),
        }
    }

    /// A log in which Anna stands as whom a change is about, as who made it, as for whom it was made, and not at all.
    async fn log(folder: &tempfile::TempDir) -> WriteTransaction {
        let url = format!("sqlite://{}", folder.path().join("log.sqlite3").display());
        let database = Database::connect(&url, DatabaseSettings::with_connections(2)).await.expect("a database");
        let manager = SchemaManager::new(database.connection());
        create_table(&manager).await.expect("a table");
        create_head_table(&manager, FEED).await.expect("a table");
        let transaction = database.begin_write().await.expect("a transaction");
        let mut head = lock_head(&*transaction, FEED).await.expect("the head");
        let for_anna = Audit { on_behalf_of: Some(address(ANNA)), ..Audit::default() };
        let (platform, anna) = (Actor::Platform, Actor::Person(address(ANNA)));
        let now = "2026-01-01T00:00:00Z".parse().expect("a time");
        for (fact, actor, audit) in [
            (added("berta@agency.example"), &platform, Audit::default()),
            (added(ANNA), &platform, Audit { reason: "Anna is new".to_owned(), ..Audit::default() }),
            (deactivated("berta@agency.example"), &anna, Audit::default()),
            (deactivated("berta@agency.example"), &platform, for_anna),
        ] {
            append(&*transaction, &mut head, fact, now, now, actor, audit).await.expect("a row");
        }
        transaction
    }

    async fn changes(transaction: &WriteTransaction) -> Vec<AccessChange> {
        let rows = Entity::find().order_by_asc(Column::Position).all(&**transaction).await.expect("rows");
        assert!(rows.iter().zip(1..).all(|(row, expected)| row_position(row) == expected));
        rows.iter().map(|row| change(row).expect("a change")).collect()
    }

    #[tokio::test]
    async fn r128_an_address_is_replaced_wherever_it_stands_and_positions_and_hashes_stay() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let transaction = log(&folder).await;
        let before = changes(&transaction).await;
        let hash_before = chain_hash_at(&*transaction, 4).await.expect("a hash");
        let pseudonym = address(ANNA).pseudonym(Uuid::from_u128(7));
        assert_eq!(first_position(&*transaction, &address(ANNA)).await.expect("a position"), Some(2));
        assert_eq!(erased_address(&*transaction, 2).await.expect("an address"), Some(address(ANNA)));

        replace_address(&*transaction, &address(ANNA), &pseudonym).await.expect("replaced");

        let after = changes(&transaction).await;
        assert_eq!(after[0], before[0], "it does not name her");
        assert_eq!(after[1].fact.address(), Some(&pseudonym));
        assert_eq!(after[1].audit.reason, "");
        assert_eq!(after[2].actor, Actor::Person(pseudonym.clone()));
        assert_eq!(after[3].audit.on_behalf_of, Some(pseudonym.clone()));
        assert_eq!(chain_hash_at(&*transaction, 4).await.expect("a hash"), hash_before);
        assert_eq!(first_position(&*transaction, &address(ANNA)).await.expect("a position"), None);
        assert_eq!(erased_address(&*transaction, 2).await.expect("an address"), Some(pseudonym));
        let sent = page(&*transaction, 0, 10).await.expect("a page");
        let bytes: Vec<u8> = sent.iter().flat_map(|message| message.encode_to_vec()).collect();
        assert!(!bytes.windows(ANNA.len()).any(|window| window == ANNA.as_bytes()), "nothing of it is sent");
    }

    #[tokio::test]
    async fn more_changes_than_a_statement_holds_are_all_rewritten() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let transaction = log(&folder).await;
        let mut head = lock_head(&*transaction, FEED).await.expect("the head");
        head.position = 4;
        let now = "2026-01-01T00:00:00Z".parse().expect("a time");
        let count = ROWS_PER_INSERT + 1;
        for _ in 0..count {
            let (fact, platform) = (deactivated(ANNA), Actor::Platform);
            append(&*transaction, &mut head, fact, now, now, &platform, Audit::default()).await.expect("a row");
        }
        let pseudonym = address(ANNA).pseudonym(Uuid::from_u128(7));
        replace_address(&*transaction, &address(ANNA), &pseudonym).await.expect("replaced");
        let renamed = changes(&transaction).await;
        let renamed = renamed.iter().filter(|change| change.fact.address() == Some(&pseudonym)).count();
        assert_eq!(renamed, count + 1);
    }
}
