//! Activities as their rows stand, read without copies: for whoever goes through all of them.

use std::collections::HashMap;
use std::fmt::Write as _;

use contracts::wire::activity as wire;
use contracts::{activity_from_wire, done_from_wire, timestamp};
use domain::access::{EmailAddress, EmployeeId, HubId};
use domain::activity::{Activity, Attribution, CatalogueAction, Judgement};
use domain::time::Instant;
use prost::Message as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::sqlx::{self, Row as _};
use sea_orm::{QueryOrder as _, QueryResult, QuerySelect as _, QueryTrait as _};
use service_kit::{ServiceError, StoredInstant};

use super::verdict;
use crate::entity::activity::{Column, Entity};
use crate::store::{Stretch, hub_id};

/// What is read of a row, in the order in which it is found there.
const COLUMNS: [Column; 11] = [
    Column::ClientId,
    Column::ActivityId,
    Column::Address,
    Column::OccurTime,
    Column::Payload,
    Column::Verdict,
    Column::PartnerId,
    Column::EmployeeId,
    Column::Tool,
    Column::Action,
    Column::ExpireTime,
];

/// A row as it came from the database.
pub(crate) struct StoredRow(QueryResult);

/// What a row says.
pub(crate) struct Standing<'row> {
    /// As it was reported.
    pub activity: Activity,
    pub judgement: Judgement,
    pub columns: Columns<'row>,
}

#[derive(PartialEq, Eq)]
/// What the columns say of an activity, by which it is found and counted; that is what was reported.
pub(crate) struct Columns<'row> {
    pub client: HubId,
    pub id: &'row str,
    pub address: &'row str,
    pub occur_time: Instant,
}

/// Reads rows: what is the same in many is read once, and room is used again.
#[derive(Default)]
pub(crate) struct Reader {
    addresses: HashMap<String, EmailAddress>,
    name: String,
    beginning: Vec<u8>,
}

impl StoredRow {
    pub fn client(&self) -> Result<HubId, ServiceError> {
        hub_id(self.get(0)?)
    }

    pub fn address(&self) -> Result<&str, ServiceError> {
        self.get(2)
    }

    /// The value of a column, of the row itself where it is text or bytes.
    fn get<'row, T>(&'row self, index: usize) -> Result<T, ServiceError>
    where
        T: sqlx::Decode<'row, sqlx::Postgres>
            + sqlx::Type<sqlx::Postgres>
            + sqlx::Decode<'row, sqlx::Sqlite>
            + sqlx::Type<sqlx::Sqlite>,
    {
        let found = match (self.0.try_as_pg_row(), self.0.try_as_sqlite_row()) {
            (Some(row), _) => row.try_get(index),
            (None, Some(row)) => row.try_get(index),
            (None, None) => return Err(ServiceError::stored("a row of another database")),
        };
        found.map_err(ServiceError::stored)
    }
}

impl Reader {
    /// What a row says.
    pub fn read<'row>(&mut self, row: &'row StoredRow) -> Result<Standing<'row>, ServiceError> {
        let (client, id, address): (HubId, &str, &str) = (row.client()?, row.get(1)?, row.get(2)?);
        let occur_time = StoredInstant(row.get(3)?).into();
        let payload: &[u8] = row.get(4)?;
        let stated = self.rest(client, id, address, occur_time, payload).map(wire::Activity::decode).transpose()?;
        // A message may say a thing twice, and the last word counts.
        let says_it_again = |rest: &wire::Activity| {
            !rest.name.is_empty() || !rest.email_address.is_empty() || rest.occur_time.is_some()
        };
        let activity = match stated.filter(|rest| !says_it_again(rest)) {
            Some(rest) => {
                let (action, origin, target_object_id) =
                    done_from_wire("activity", &rest).map_err(|wrong| ServiceError::stored(wrong.message()))?;
                let id = id.parse().map_err(ServiceError::stored)?;
                let address = self.address(address)?;
                Activity { client, id, address, occur_time, action, origin, target_object_id }
            }
            None => activity_from_wire("activity", &wire::Activity::decode(payload)?)
                .map_err(|wrong| ServiceError::stored(wrong.message()))?,
        };
        Ok(Standing { activity, judgement: judgement(row)?, columns: Columns { client, id, address, occur_time } })
    }

    /// What of a message comes behind what the columns say too, if it says the same.
    fn rest<'payload>(
        &mut self,
        client: HubId,
        id: &str,
        address: &str,
        occur_time: Instant,
        payload: &'payload [u8],
    ) -> Option<&'payload [u8]> {
        self.name.clear();
        write!(self.name, "clients/{client}/activities/{id}").ok()?;
        let beginning = wire::Activity {
            name: std::mem::take(&mut self.name),
            email_address: address.to_owned(),
            occur_time: Some(timestamp(occur_time)),
            ..wire::Activity::default()
        };
        self.beginning.clear();
        let encoded = beginning.encode(&mut self.beginning);
        self.name = beginning.name;
        encoded.ok()?;
        payload.strip_prefix(self.beginning.as_slice())
    }

    fn address(&mut self, text: &str) -> Result<EmailAddress, ServiceError> {
        if let Some(known) = self.addresses.get(text) {
            return Ok(known.clone());
        }
        let address: EmailAddress = text.parse().map_err(ServiceError::stored)?;
        self.addresses.insert(text.to_owned(), address.clone());
        Ok(address)
    }
}

fn judgement(row: &StoredRow) -> Result<Judgement, ServiceError> {
    let verdict = verdict(row.get(5)?, row.get::<Option<i64>>(10)?.map(StoredInstant))?;
    let attribution = match (row.get::<Option<i64>>(6)?, row.get::<Option<Uuid>>(7)?) {
        (Some(partner), Some(employee)) => {
            Some(Attribution { partner: hub_id(partner)?, employee: EmployeeId(employee) })
        }
        _ => None,
    };
    let action = match (row.get::<Option<&str>>(8)?, row.get::<Option<&str>>(9)?) {
        (Some(tool), Some(action)) => Some(CatalogueAction::new(tool, action).map_err(ServiceError::stored)?),
        _ => None,
    };
    Ok(Judgement { verdict, attribution, action })
}

/// The last client of the stretch that begins behind a client and holds so many activities, and all of that client's; none
/// where it goes to the end.
pub(crate) async fn stretch_end<C: ConnectionTrait>(
    connection: &C,
    after: Option<HubId>,
    activities: u64,
) -> Result<Option<HubId>, ServiceError> {
    let mut ahead = Entity::find().select_only().column(Column::ClientId).order_by_asc(Column::ClientId);
    if let Some(after) = after {
        ahead = ahead.filter(Column::ClientId.gt(after.get()));
    }
    let found: Option<i64> = ahead.offset(activities).limit(1).into_tuple().one(connection).await?;
    found.map(hub_id).transpose()
}

/// The next activities of a stretch of clients in the order of their names, at most `limit`, behind the last row of those
/// before.
pub(crate) async fn of_stretch<C: ConnectionTrait>(
    connection: &C,
    stretch: Stretch,
    after: Option<&StoredRow>,
    limit: usize,
) -> Result<Vec<StoredRow>, ServiceError> {
    let mut query = Entity::find().select_only().columns(COLUMNS).filter(stretch.of(Column::ClientId));
    if let Some(after) = after {
        let place = Expr::tuple([after.get::<i64>(0)?.into(), after.get::<&str>(1)?.into()]);
        query = query.filter(Expr::tuple([Expr::col(Column::ClientId), Expr::col(Column::ActivityId)]).gt(place));
    }
    let query = query.order_by_asc(Column::ClientId).order_by_asc(Column::ActivityId).limit(limit as u64);
    let rows = connection.query_all_raw(query.build(connection.get_database_backend())).await?;
    Ok(rows.into_iter().map(StoredRow).collect())
}
