//! Requests that carry an id of the caller's: a repeat within 7 days gives the first answer.
//!
//! The answer is stored in the transaction of what was written, so that there is never the one without the other. A call
//! that was refused has written nothing and is not remembered: its repeat is tried anew.

use chrono::TimeDelta;
use contracts::wire::error::ErrorReason;
use contracts::{Failure, Write};
use domain::time::Instant;
use prost::Message;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{ColumnDef, Index, OnConflict, Table};
use sea_orm::{ActiveValue::Set, QueryOrder as _, QuerySelect as _};
use sea_orm_migration::SchemaManager;
use sha2::{Digest as _, Sha256};

use crate::{ServiceError, StoredInstant};

/// For how many days a request is remembered, at least.
const REMEMBERED_DAYS: i64 = 7;
/// How many outdated requests one write forgets, at most: more than it adds.
const FORGOTTEN_PER_WRITE: u64 = 10;

mod entity {
    use sea_orm::entity::prelude::*;

    use crate::StoredInstant;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "request")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub request_id: Uuid,
        /// A hash over who asked what.
        pub fingerprint: Vec<u8>,
        /// The answer's message.
        pub answer: Vec<u8>,
        pub record_time: StoredInstant,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

/// A request by its id, and by what tells it from another one with the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestKey {
    /// The caller's id.
    pub id: Uuid,
    fingerprint: Vec<u8>,
}

impl RequestKey {
    /// The key of a request by this caller.
    pub fn of<W: Write>(id: Uuid, caller: &str, request: &W) -> Self {
        let parts = [W::METHOD.as_bytes(), caller.as_bytes()];
        let hash = parts.iter().fold(Sha256::new(), |hash, part| {
            hash.chain_update(u64::try_from(part.len()).unwrap_or_default().to_be_bytes()).chain_update(part)
        });
        let fingerprint = hash.chain_update(request.encode_to_vec()).finalize().to_vec();
        Self { id, fingerprint }
    }
}

/// Creates the table of requests, for the migrations of services.
///
/// # Errors
/// The database refuses.
pub async fn create_table(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use entity::Column;
    let table = Table::create()
        .table(entity::Entity)
        .col(ColumnDef::new(Column::RequestId).uuid().not_null().primary_key())
        .col(ColumnDef::new(Column::Fingerprint).blob().not_null())
        .col(ColumnDef::new(Column::Answer).blob().not_null())
        .col(ColumnDef::new(Column::RecordTime).big_integer().not_null())
        .to_owned();
    manager.create_table(table).await?;
    let by_time = Index::create().name("request_record_time").table(entity::Entity).col(Column::RecordTime).to_owned();
    manager.create_index(by_time).await
}

/// The answer that this request was given before, if it was asked before.
///
/// # Errors
/// The id was used for another request (`REQUEST_ID_REUSED`), or the database fails.
pub async fn first_answer<C: ConnectionTrait, A: Message + Default>(
    transaction: &C,
    key: Option<&RequestKey>,
) -> Result<Option<A>, ServiceError> {
    let Some(key) = key else { return Ok(None) };
    let Some(row) = entity::Entity::find_by_id(key.id).one(transaction).await? else { return Ok(None) };
    if row.fingerprint != key.fingerprint {
        let message = "this request_id was used for another request, or by another caller; take a new UUID";
        return Err(Failure::new(ErrorReason::RequestIdReused, message).at_field("request_id").into());
    }
    Ok(Some(A::decode(row.answer.as_slice())?))
}

/// Remembers the answer of a request, in the transaction of what it wrote, and forgets a few that are outdated.
///
/// # Errors
/// The database fails.
pub async fn remember<C: ConnectionTrait, A: Message>(
    transaction: &C,
    key: Option<&RequestKey>,
    answer: &A,
    now: Instant,
) -> Result<(), DbErr> {
    let Some(key) = key else { return Ok(()) };
    forget_outdated(transaction, now).await?;
    let row = entity::ActiveModel {
        request_id: Set(key.id),
        fingerprint: Set(key.fingerprint.clone()),
        answer: Set(answer.encode_to_vec()),
        record_time: Set(now.into()),
    };
    // Where it was claimed, its row is there.
    let claimed = OnConflict::column(entity::Column::RequestId).update_column(entity::Column::Answer).to_owned();
    entity::Entity::insert(row).on_conflict(claimed).exec_without_returning(transaction).await?;
    Ok(())
}

/// As `first_answer`, for writes that do not queue: of two calls with one id at the same time the second waits here until
/// the first is committed, and is given its answer. Several claims of a transaction must be made in the order of their ids,
/// so that two transactions never wait for each other in a circle.
///
/// # Errors
/// The id was used for another request (`REQUEST_ID_REUSED`), or the database fails.
pub async fn claim<C: ConnectionTrait, A: Message + Default>(
    transaction: &C,
    key: Option<&RequestKey>,
    now: Instant,
) -> Result<Option<A>, ServiceError> {
    let Some(RequestKey { id, fingerprint }) = key else { return Ok(None) };
    if let Some(answer) = first_answer(transaction, key).await? {
        return Ok(Some(answer));
    }
    let row = entity::ActiveModel {
        request_id: Set(*id),
        fingerprint: Set(fingerprint.clone()),
        answer: Set(Vec::new()),
        record_time: Set(now.into()),
    };
    let known_already = OnConflict::column(entity::Column::RequestId).do_nothing().to_owned();
    let claimed =
        entity::Entity::insert_many([row]).on_conflict(known_already).exec_without_returning(transaction).await?;
    if claimed > 0 { Ok(None) } else { first_answer(transaction, key).await }
}

async fn forget_outdated<C: ConnectionTrait>(transaction: &C, now: Instant) -> Result<(), DbErr> {
    let Some(oldest) = now.checked_sub_signed(TimeDelta::days(REMEMBERED_DAYS)) else { return Ok(()) };
    let outdated: Vec<Uuid> = entity::Entity::find()
        .select_only()
        .column(entity::Column::RequestId)
        .filter(entity::Column::RecordTime.lt(StoredInstant::from(oldest)))
        .order_by_asc(entity::Column::RecordTime)
        .limit(FORGOTTEN_PER_WRITE)
        .into_tuple()
        .all(transaction)
        .await?;
    if !outdated.is_empty() {
        entity::Entity::delete_many().filter(entity::Column::RequestId.is_in(outdated)).exec(transaction).await?;
    }
    Ok(())
}

/// Forgets every answer, because a person named in one is to be erased (R128): a repeat is then tried anew, and told that
/// it is done already.
///
/// # Errors
/// The database fails.
pub async fn forget_all<C: ConnectionTrait>(transaction: &C) -> Result<(), DbErr> {
    entity::Entity::delete_many().exec(transaction).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use contracts::wire::access::{CreateClientRequest, CreateClientResponse};

    use super::*;
    use crate::{Database, DatabaseSettings};

    async fn database(folder: &tempfile::TempDir) -> Database {
        let url = format!("sqlite://{}", folder.path().join("requests.sqlite3").display());
        let database = Database::connect(&url, DatabaseSettings::with_connections(2)).await.expect("a database");
        create_table(&SchemaManager::new(database.connection())).await.expect("a table");
        database
    }

    fn request(hub_id: i64) -> CreateClientRequest {
        CreateClientRequest { hub_id, ..CreateClientRequest::default() }
    }

    fn answer(revision: &str) -> CreateClientResponse {
        CreateClientResponse { client: None, revision: revision.to_owned() }
    }

    fn at(text: &str) -> Instant {
        text.parse().expect("a time")
    }

    #[tokio::test]
    async fn a_repeat_gives_the_first_answer_and_other_content_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = database(&folder).await;
        let connection = database.connection();
        let id = Uuid::from_u128(1);
        let key = RequestKey::of(id, "platform", &request(1));
        let now = at("2026-01-01T00:00:00Z");
        let found: Option<CreateClientResponse> = first_answer(connection, Some(&key)).await.expect("an answer");
        assert_eq!(found, None);
        remember(connection, Some(&key), &answer("access-1"), now).await.expect("remembered");

        let found: Option<CreateClientResponse> = first_answer(connection, Some(&key)).await.expect("an answer");
        assert_eq!(found, Some(answer("access-1")));
        for other in [RequestKey::of(id, "platform", &request(2)), RequestKey::of(id, "a@b.example", &request(1))] {
            let refused = first_answer::<_, CreateClientResponse>(connection, Some(&other)).await.expect_err("refused");
            assert_eq!(refused.failure().reason(), ErrorReason::RequestIdReused);
        }
    }

    #[tokio::test]
    async fn a_request_is_remembered_for_seven_days_and_then_forgotten() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database = database(&folder).await;
        let connection = database.connection();
        let key = |number| RequestKey::of(Uuid::from_u128(number), "platform", &request(1));
        let write = async |number, time| {
            remember(connection, Some(&key(number)), &answer("access-1"), at(time)).await.expect("remembered");
        };
        let is_known = async |number| {
            let found = first_answer::<_, CreateClientResponse>(connection, Some(&key(number))).await;
            found.expect("an answer").is_some()
        };
        write(1, "2026-01-01T00:00:00Z").await;
        write(2, "2026-01-08T00:00:00Z").await;
        assert!(is_known(1).await);
        write(3, "2026-01-08T00:00:01Z").await;
        assert_eq!((is_known(1).await, is_known(2).await), (false, true));
    }
}
