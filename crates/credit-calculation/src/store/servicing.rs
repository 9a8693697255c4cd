//! The periods in which partners service clients, as activity-tracking last said them.

use std::collections::{BTreeMap, BTreeSet};

use contracts::ServicingChange;
use domain::access::HubId;
use domain::credit::ServicingFacts;
use domain::servicing::ServicingPeriod;
use domain::time::Instant;
use sea_orm::ActiveValue::Set;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{Condition, QueryOrder as _, QuerySelect as _};
use service_kit::{ServiceError, StoredInstant};

use super::journal::Changed;
use super::{KEYS_PER_STATEMENT, hub_id, portions};
use crate::entity::{servicing_pair, servicing_period};

/// The work at one client, by partner.
pub(crate) type WorkByPartner = BTreeMap<HubId, ServicingFacts>;

/// Replaces all that was said of the pairs of these changes; of one pair, the last change counts. Answers the pairs.
pub(crate) async fn replace<C: ConnectionTrait>(
    transaction: &C,
    changes: Vec<ServicingChange>,
) -> Result<BTreeSet<Changed>, ServiceError> {
    let latest: BTreeMap<_, _> = changes.into_iter().map(|change| ((change.client, change.partner), change)).collect();
    delete_periods(transaction, latest.keys()).await?;
    let periods: Vec<_> = latest.values().flat_map(period_rows).collect();
    for portion in periods.chunks(KEYS_PER_STATEMENT) {
        servicing_period::Entity::insert_many(portion.to_vec()).exec_without_returning(transaction).await?;
    }
    insert_pairs(transaction, latest.values().map(pair_row).collect()).await?;
    Ok(latest.into_keys().map(|(client, partner)| Changed::Pair { client, partner }).collect())
}

/// Forgets all periods of these pairs, many by one statement.
async fn delete_periods<C: ConnectionTrait>(
    transaction: &C,
    pairs: impl Iterator<Item = &(HubId, HubId)>,
) -> Result<(), DbErr> {
    use servicing_period::{Column, Entity};
    let pairs: Vec<(i64, i64)> = pairs.map(|(client, partner)| (client.get(), partner.get())).collect();
    for portion in pairs.chunks(KEYS_PER_STATEMENT) {
        let listed = Query::select().column(Asterisk).from_values(portion.iter().copied(), "listed").take();
        let is_listed = Expr::tuple([Expr::col(Column::ClientId), Expr::col(Column::PartnerId)]).in_subquery(listed);
        Entity::delete_many().filter(is_listed).exec(transaction).await?;
    }
    Ok(())
}

async fn insert_pairs<C: ConnectionTrait>(
    transaction: &C,
    pairs: Vec<servicing_pair::ActiveModel>,
) -> Result<(), DbErr> {
    use servicing_pair::{Column, Entity};
    let replaced = || {
        OnConflict::columns([Column::ClientId, Column::PartnerId]).update_column(Column::LastActivityTime).to_owned()
    };
    let mut pairs = pairs.into_iter().peekable();
    while pairs.peek().is_some() {
        let portion = pairs.by_ref().take(KEYS_PER_STATEMENT);
        Entity::insert_many(portion).on_conflict(replaced()).exec_without_returning(transaction).await?;
    }
    Ok(())
}

fn pair_row(change: &ServicingChange) -> servicing_pair::ActiveModel {
    servicing_pair::ActiveModel {
        client_id: Set(change.client.get()),
        partner_id: Set(change.partner.get()),
        last_activity_time: Set(change.last_activity_time.map(StoredInstant::from)),
    }
}

fn period_rows(change: &ServicingChange) -> impl Iterator<Item = servicing_period::ActiveModel> {
    let of_minimums = change.periods.iter();
    of_minimums.flat_map(|(minimum, periods)| periods.iter().map(|period| (*minimum, period))).map(
        |(minimum, period)| servicing_period::ActiveModel {
            client_id: Set(change.client.get()),
            partner_id: Set(change.partner.get()),
            minimum: Set(i64::from(minimum)),
            start_time: Set(period.start.into()),
            end_time: Set(period.end.into()),
            end_cause: Set(period.end_cause.to_string()),
        },
    )
}

/// What is stored of a pair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct PairRows {
    /// Absent where only periods are stored, which should not be.
    pub pair: Option<servicing_pair::Model>,
    /// By minimum and start.
    pub periods: Vec<servicing_period::Model>,
}

/// Everything that is stored of the pairs of these clients, by client and partner.
pub(crate) async fn stored<C: ConnectionTrait>(
    connection: &C,
    clients: &[i64],
) -> Result<BTreeMap<(i64, i64), PairRows>, DbErr> {
    let mut stored: BTreeMap<(i64, i64), PairRows> = BTreeMap::new();
    let of_clients = servicing_pair::Column::ClientId.is_in(clients.iter().copied());
    for pair in servicing_pair::Entity::find().filter(of_clients).all(connection).await? {
        let rows = stored.entry((pair.client_id, pair.partner_id)).or_default();
        rows.pair = Some(pair);
    }
    use servicing_period::{Column, Entity};
    let periods = Entity::find().filter(Column::ClientId.is_in(clients.iter().copied()));
    for period in periods.order_by_asc(Column::Minimum).order_by_asc(Column::StartTime).all(connection).await? {
        stored.entry((period.client_id, period.partner_id)).or_default().periods.push(period);
    }
    Ok(stored)
}

/// The next clients of which anything is stored, in order.
pub(crate) async fn next_clients<C: ConnectionTrait>(
    connection: &C,
    after: i64,
    limit: u64,
) -> Result<BTreeSet<i64>, DbErr> {
    let of_pairs = servicing_pair::Entity::find().select_only().column(servicing_pair::Column::ClientId).distinct();
    let of_pairs = of_pairs.filter(servicing_pair::Column::ClientId.gt(after));
    let of_pairs = of_pairs.order_by_asc(servicing_pair::Column::ClientId).limit(limit);
    let of_periods =
        servicing_period::Entity::find().select_only().column(servicing_period::Column::ClientId).distinct();
    let of_periods = of_periods.filter(servicing_period::Column::ClientId.gt(after));
    let of_periods = of_periods.order_by_asc(servicing_period::Column::ClientId).limit(limit);
    let mut clients: BTreeSet<i64> = of_pairs.into_tuple().all(connection).await?.into_iter().collect();
    clients.extend(of_periods.into_tuple::<i64>().all(connection).await?);
    Ok(clients)
}

/// All work of `partner` at these clients, and of other partners the periods that overlap the time from `from` to `to`, both
/// included; by client.
pub(crate) async fn work<C: ConnectionTrait>(
    connection: &C,
    clients: &[HubId],
    partner: HubId,
    from: Instant,
    to: Instant,
) -> Result<BTreeMap<HubId, WorkByPartner>, ServiceError> {
    let mut found = BTreeMap::new();
    for portion in portions(clients) {
        add_periods(connection, &portion, partner, (from.into(), to.into()), &mut found).await?;
        add_last_activity_times(connection, &portion, partner, &mut found).await?;
    }
    Ok(found)
}

/// Every client at which somebody ever worked, in order.
pub(crate) async fn every_client<C: ConnectionTrait>(connection: &C) -> Result<BTreeSet<HubId>, ServiceError> {
    let clients = servicing_period::Entity::find().select_only().column(servicing_period::Column::ClientId).distinct();
    let clients: Vec<i64> = clients.into_tuple().all(connection).await?;
    clients.into_iter().map(hub_id).collect()
}

/// All work of everybody at these clients, by client; without when anything occurred last.
pub(crate) async fn all_work<C: ConnectionTrait>(
    connection: &C,
    clients: &[HubId],
) -> Result<BTreeMap<HubId, WorkByPartner>, ServiceError> {
    use servicing_period::{Column, Entity};
    let mut found = BTreeMap::new();
    for portion in portions(clients) {
        for row in Entity::find().filter(Column::ClientId.is_in(portion)).all(connection).await? {
            add_period(row, &mut found)?;
        }
    }
    Ok(found)
}

/// At which clients relationships that are there now end by `soon`, by the smallest minimum, and how many at each.
pub(crate) async fn expiring<C: ConnectionTrait>(
    connection: &C,
    now: Instant,
    soon: Instant,
) -> Result<BTreeMap<HubId, u64>, ServiceError> {
    use servicing_period::{Column, Entity};
    let (now, soon) = (StoredInstant::from(now), StoredInstant::from(soon));
    let ending = Entity::find().filter(Column::Minimum.eq(1_i64)).filter(Column::EndTime.gt(now));
    let ending = ending.filter(Column::EndTime.lte(soon)).filter(Column::StartTime.lte(now));
    let counted = ending.select_only().column(Column::ClientId).expr(Column::PartnerId.count());
    let counted: Vec<(i64, i64)> = counted.group_by(Column::ClientId).into_tuple().all(connection).await?;
    counted.into_iter().map(|(client, count)| Ok((hub_id(client)?, count.unsigned_abs()))).collect()
}

async fn add_periods<C: ConnectionTrait>(
    connection: &C,
    clients: &[i64],
    partner: HubId,
    (from, to): (StoredInstant, StoredInstant),
    found: &mut BTreeMap<HubId, WorkByPartner>,
) -> Result<(), ServiceError> {
    use servicing_period::{Column, Entity};
    let overlaps = Condition::all().add(Column::StartTime.lte(to)).add(Column::EndTime.gt(from));
    let wanted = Condition::any().add(Column::PartnerId.eq(partner.get())).add(overlaps);
    let of_clients = Entity::find().filter(Column::ClientId.is_in(clients.iter().copied()));
    for row in of_clients.filter(wanted).all(connection).await? {
        add_period(row, found)?;
    }
    Ok(())
}

fn add_period(row: servicing_period::Model, found: &mut BTreeMap<HubId, WorkByPartner>) -> Result<(), ServiceError> {
    let minimum = u32::try_from(row.minimum).map_err(ServiceError::stored)?;
    let work = work_of(found, row.client_id, row.partner_id)?;
    work.periods.entry(minimum).or_default().push(ServicingPeriod {
        start: row.start_time.into(),
        end: row.end_time.into(),
        end_cause: row.end_cause.parse().map_err(ServiceError::stored)?,
    });
    Ok(())
}

async fn add_last_activity_times<C: ConnectionTrait>(
    connection: &C,
    clients: &[i64],
    partner: HubId,
    found: &mut BTreeMap<HubId, WorkByPartner>,
) -> Result<(), ServiceError> {
    use servicing_pair::{Column, Entity};
    let of_partner = Entity::find().filter(Column::PartnerId.eq(partner.get()));
    for row in of_partner.filter(Column::ClientId.is_in(clients.iter().copied())).all(connection).await? {
        if let Some(time) = row.last_activity_time {
            work_of(found, row.client_id, row.partner_id)?.last_activity_time = Some(time.into());
        }
    }
    Ok(())
}

fn work_of(
    found: &mut BTreeMap<HubId, WorkByPartner>,
    client: i64,
    partner: i64,
) -> Result<&mut ServicingFacts, ServiceError> {
    Ok(found.entry(hub_id(client)?).or_default().entry(hub_id(partner)?).or_default())
}
