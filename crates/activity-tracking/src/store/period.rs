//! The servicing periods of pairs, for every minimum.

use std::collections::{BTreeMap, BTreeSet};

use domain::servicing::ServicingPeriod;
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{OnConflict, Order};
use sea_orm::{ActiveValue::Set, Condition, Iterable as _, QueryOrder as _};
use service_kit::{ServiceError, StoredInstant};

use super::asked::{ask, rows_of_pairs};
use super::{ALTERNATIVES_PER_QUERY, Pair, Stretch, hub_id, portions};
use crate::entity::servicing_period::{ActiveModel, Column, Entity, Model};

/// The periods of a pair in order, by minimum.
pub(crate) type PeriodsByMinimum = BTreeMap<u32, Vec<ServicingPeriod>>;

fn of_pair(pair: Pair) -> Condition {
    Condition::all().add(Column::ClientId.eq(pair.client.get())).add(Column::PartnerId.eq(pair.partner.get()))
}

/// A minimum as it is stored; a policy's are at most 1,000.
fn stored_minimum(minimum: u32) -> i32 {
    i32::try_from(minimum).unwrap_or(i32::MAX)
}

fn row(pair: Pair, minimum: u32, period: &ServicingPeriod) -> ActiveModel {
    ActiveModel {
        client_id: Set(pair.client.get()),
        partner_id: Set(pair.partner.get()),
        minimum: Set(stored_minimum(minimum)),
        start_time: Set(period.start.into()),
        end_time: Set(period.end.into()),
        end_cause: Set(period.end_cause.as_str().to_owned()),
    }
}

fn period(row: &Model) -> Result<ServicingPeriod, ServiceError> {
    Ok(ServicingPeriod {
        start: row.start_time.into(),
        end: row.end_time.into(),
        end_cause: row.end_cause.parse().map_err(ServiceError::stored)?,
    })
}

/// The periods of these pairs as they are.
pub(crate) async fn of_pairs<C: ConnectionTrait>(
    connection: &C,
    pairs: &[Pair],
) -> Result<BTreeMap<Pair, PeriodsByMinimum>, ServiceError> {
    those_of_pairs(connection, pairs, Condition::all()).await
}

/// The periods of all pairs of a stretch of clients.
pub(crate) async fn of_stretch<C: ConnectionTrait>(
    connection: &C,
    stretch: Stretch,
) -> Result<BTreeMap<Pair, PeriodsByMinimum>, ServiceError> {
    let mut found = BTreeMap::new();
    let query = Entity::find().filter(stretch.of(Column::ClientId)).order_by_asc(Column::StartTime);
    for row in query.all(connection).await? {
        collect(&mut found, &row)?;
    }
    Ok(found)
}

/// Those of the periods of these pairs, of these minimums, that had started by `as_of`.
pub(crate) async fn started<C: ConnectionTrait>(
    connection: &C,
    pairs: &[Pair],
    minimums: &BTreeSet<u32>,
    as_of: Instant,
) -> Result<BTreeMap<Pair, PeriodsByMinimum>, ServiceError> {
    let of_minimums = Column::Minimum.is_in(minimums.iter().copied().map(stored_minimum));
    let by_then = Column::StartTime.lte(StoredInstant::from(as_of));
    those_of_pairs(connection, pairs, Condition::all().add(of_minimums).add(by_then)).await
}

/// Those of the periods of these pairs that fulfil a condition.
async fn those_of_pairs<C: ConnectionTrait>(
    connection: &C,
    pairs: &[Pair],
    condition: Condition,
) -> Result<BTreeMap<Pair, PeriodsByMinimum>, ServiceError> {
    let query = |some: &[_]| {
        rows_of_pairs(Entity, some, Column::ClientId, Column::PartnerId)
            .columns(Column::iter().map(|column| (Entity, column)))
            .cond_where(condition.clone())
            .order_by((Entity, Column::StartTime), Order::Asc)
            .take()
    };
    let mut found = BTreeMap::new();
    for row in ask(connection, pairs, query).await? {
        collect(&mut found, &row)?;
    }
    Ok(found)
}

/// Adds a period behind those of its pair and minimum.
fn collect(found: &mut BTreeMap<Pair, PeriodsByMinimum>, row: &Model) -> Result<(), ServiceError> {
    let pair = Pair { client: hub_id(row.client_id)?, partner: hub_id(row.partner_id)? };
    let minimum = u32::try_from(row.minimum).map_err(ServiceError::stored)?;
    found.entry(pair).or_default().entry(minimum).or_default().push(period(row)?);
    Ok(())
}

/// Puts the new periods of pairs in the place of the old ones, touching only the rows that differ.
pub(crate) async fn replace<C: ConnectionTrait>(transaction: &C, replaced: &[Replaced<'_>]) -> Result<(), DbErr> {
    // What goes is rare, as where two periods become one.
    let gone: Vec<Condition> = replaced.iter().flat_map(Replaced::gone).collect();
    for some in gone.chunks(ALTERNATIVES_PER_QUERY) {
        let any = some.iter().cloned().fold(Condition::any(), Condition::add);
        Entity::delete_many().filter(any).exec(transaction).await?;
    }
    let changed: Vec<ActiveModel> = replaced.iter().flat_map(Replaced::changed).collect();
    for some in portions(&changed) {
        let key = [Column::ClientId, Column::PartnerId, Column::Minimum, Column::StartTime];
        let end = OnConflict::columns(key).update_columns([Column::EndTime, Column::EndCause]).to_owned();
        Entity::insert_many(some.to_vec()).on_conflict(end).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// The periods of a pair, as they are stored and as they are to be.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Replaced<'periods> {
    pub pair: Pair,
    pub old: &'periods PeriodsByMinimum,
    pub new: &'periods PeriodsByMinimum,
}

impl Replaced<'_> {
    /// Of each minimum those rows that have no successor.
    fn gone(&self) -> Vec<Condition> {
        let of_minimum = |(minimum, periods): (&u32, &Vec<ServicingPeriod>)| {
            let kept = self.new.get(minimum).map_or(&[][..], Vec::as_slice);
            let is_gone = |period: &&ServicingPeriod| !kept.iter().any(|other| other.start == period.start);
            let starts: Vec<StoredInstant> = periods.iter().filter(is_gone).map(|period| period.start.into()).collect();
            let of_minimum = of_pair(self.pair).add(Column::Minimum.eq(stored_minimum(*minimum)));
            (!starts.is_empty()).then(|| of_minimum.add(Column::StartTime.is_in(starts)))
        };
        self.old.iter().filter_map(of_minimum).collect()
    }

    /// The rows that are new or end otherwise.
    fn changed(&self) -> Vec<ActiveModel> {
        let of_minimum = |(minimum, periods): (&u32, &Vec<ServicingPeriod>)| {
            let present = self.old.get(minimum).map_or(&[][..], Vec::as_slice);
            let differing = periods.iter().filter(|period| !present.contains(period));
            differing.map(|period| row(self.pair, *minimum, period)).collect::<Vec<_>>()
        };
        self.new.iter().flat_map(of_minimum).collect()
    }
}
