//! Activities with their verdicts.

mod as_of;
mod evidence;
mod idle;
mod listing;
mod lives;
mod provisional;
mod scope;
mod stored;
mod unmatched;
mod work;

pub(crate) use as_of::{LivesAt, lives_at};
pub(crate) use evidence::{newest_counted, newest_not_counted};
pub(crate) use idle::{WorkOfPerson, work_of_people};
pub(crate) use listing::{ActivityFilter, Listed, ListedVerdict, list};
pub(crate) use lives::{last_counted_time, living_in};
pub(crate) use provisional::{clear_provisional, count_provisional, has_provisional};
pub(crate) use scope::{Place, Scope, page};
pub(crate) use stored::{Columns, Reader, Standing, StoredRow, of_stretch, stretch_end};
pub(crate) use unmatched::{addresses_at_work, unmatched_work};
pub(crate) use work::{CountedWork, counted_work, not_counted_work};

use std::collections::{BTreeMap, BTreeSet};

use contracts::wire::activity as wire;
use contracts::{ActivityName, activity_from_wire};
use domain::access::{EmailAddress, EmployeeId, HubId};
use domain::activity::{Activity, Attribution, CatalogueAction, Judgement, Verdict};
use domain::servicing::CountedActivity;
use domain::time::Instant;
use prost::Message as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{OnConflict, Query};
use sea_orm::{ActiveValue::Set, Condition, DbBackend, QueryOrder as _, QuerySelect as _, QueryTrait as _};
use service_kit::{ServiceError, StoredInstant};

use super::{ALTERNATIVES_PER_QUERY, Pair, ROWS_PER_INSERT, filled, hub_id, named, portions, voiding};
use crate::entity::activity::{ActiveModel, Column, Entity, Model};

/// The verdict of what counts, as it stands in the table.
const COUNTED: &str = "COUNTED";

/// The verdict of what was taken back.
const VOIDED: &str = "VOIDED";

/// The key of the table, as PostgreSQL names it.
const PRIMARY_KEY: &str = "activity_pkey";

/// An activity as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub activity: Activity,
    pub judgement: Judgement,
    pub record_time: Instant,
    /// Judged while access-management could not be asked for its newest facts.
    pub provisional: bool,
}

impl Recorded {
    pub fn name(&self) -> ActivityName {
        name_of(&self.activity)
    }

    /// From when until when it counts, if it does.
    pub fn life(&self) -> Option<CountedActivity> {
        counted(&self.activity, &self.judgement).map(|(_, life)| life)
    }
}

/// The name of an activity.
pub(crate) fn name_of(activity: &Activity) -> ActivityName {
    ActivityName { client: activity.client, activity: activity.id.clone() }
}

/// The pair for which an activity with this judgement counts, if it does, and from when until when.
pub(crate) fn counted(activity: &Activity, judgement: &Judgement) -> Option<(Pair, CountedActivity)> {
    let Verdict::Counted { expire_time } = judgement.verdict else { return None };
    let pair = Pair { client: activity.client, partner: judgement.attribution?.partner };
    Some((pair, CountedActivity { occur_time: activity.occur_time, expire_time }))
}

/// The next client in which anything was recorded.
pub(crate) async fn next_client<C: ConnectionTrait>(
    connection: &C,
    after: Option<HubId>,
) -> Result<Option<HubId>, ServiceError> {
    let next = Entity::find().select_only().column(Column::ClientId).order_by_asc(Column::ClientId).limit(1);
    let next = match after {
        Some(after) => next.filter(Column::ClientId.gt(after.get())),
        None => next,
    };
    let found: Option<i64> = next.into_tuple().one(connection).await?;
    found.map(hub_id).transpose()
}

/// A verdict as it stands in the table: `COUNTED`, `VOIDED`, or the reason why it does not count.
pub(crate) const fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Counted { .. } => COUNTED,
        Verdict::NotCounted(reason) => reason.as_str(),
        Verdict::Voided => VOIDED,
    }
}

fn row(recorded: &Recorded) -> ActiveModel {
    let Recorded { activity, judgement, record_time, provisional } = recorded;
    let expire_time = match judgement.verdict {
        Verdict::Counted { expire_time } => Some(expire_time),
        Verdict::NotCounted(_) | Verdict::Voided => None,
    };
    ActiveModel {
        client_id: Set(activity.client.get()),
        activity_id: Set(activity.id.to_string()),
        address: Set(activity.address.to_string()),
        occur_time: Set(activity.occur_time.into()),
        payload: Set(wire::Activity::from(activity).encode_to_vec()),
        record_time: Set((*record_time).into()),
        verdict: Set(verdict_name(judgement.verdict).to_owned()),
        partner_id: Set(judgement.attribution.map(|found| found.partner.get())),
        employee_id: Set(judgement.attribution.map(|found| found.employee.0)),
        tool: Set(judgement.action.as_ref().map(|action| action.tool().to_owned())),
        action: Set(judgement.action.as_ref().map(|action| action.action().to_owned())),
        expire_time: Set(expire_time.map(StoredInstant::from)),
        provisional: Set(*provisional),
    }
}

fn recorded(row: &Model) -> Result<Recorded, ServiceError> {
    let stated = wire::Activity::decode(row.payload.as_slice())?;
    let activity = activity_from_wire("activity", &stated).map_err(|wrong| ServiceError::stored(wrong.message()))?;
    Ok(Recorded {
        activity,
        judgement: judgement(row)?,
        record_time: row.record_time.into(),
        provisional: row.provisional,
    })
}

fn verdict(stored: &str, expire_time: Option<StoredInstant>) -> Result<Verdict, ServiceError> {
    Ok(match expire_time {
        Some(expire_time) => Verdict::Counted { expire_time: expire_time.into() },
        None if stored == VOIDED => Verdict::Voided,
        None => Verdict::NotCounted(stored.parse().map_err(ServiceError::stored)?),
    })
}

fn judgement(row: &Model) -> Result<Judgement, ServiceError> {
    let verdict = verdict(&row.verdict, row.expire_time)?;
    let attribution = match (row.partner_id, row.employee_id) {
        (Some(partner), Some(employee)) => {
            Some(Attribution { partner: hub_id(partner)?, employee: EmployeeId(employee) })
        }
        _ => None,
    };
    let action = match (&row.tool, &row.action) {
        (Some(tool), Some(action)) => Some(CatalogueAction::new(tool, action).map_err(ServiceError::stored)?),
        _ => None,
    };
    Ok(Judgement { verdict, attribution, action })
}

/// Those of these activities that are recorded.
pub(crate) async fn find<C: ConnectionTrait>(
    connection: &C,
    names: &BTreeSet<ActivityName>,
) -> Result<BTreeMap<ActivityName, Recorded>, ServiceError> {
    let mut found = BTreeMap::new();
    for some in named(Column::ClientId, Column::ActivityId, names).chunks(ALTERNATIVES_PER_QUERY) {
        let any = some.iter().cloned().fold(Condition::any(), Condition::add);
        for row in Entity::find().filter(any).all(connection).await? {
            let recorded = recorded(&row)?;
            found.insert(recorded.name(), recorded);
        }
    }
    Ok(found)
}

/// Records activities, but for those that somebody else has recorded in the meantime; answers which it recorded.
///
/// They must be sorted by name: two calls then never wait for each other in a circle.
pub(crate) async fn insert<C: ConnectionTrait>(
    transaction: &C,
    new: &[Recorded],
) -> Result<BTreeSet<ActivityName>, ServiceError> {
    let mut inserted = BTreeSet::new();
    for some in filled(new) {
        let known = if_recorded(transaction).do_nothing().to_owned();
        let mut statement = Entity::insert_many(some.into_iter().map(row)).on_conflict(known).into_query();
        statement.returning(Query::returning().columns([Column::ClientId, Column::ActivityId]));
        for row in transaction.query_all(&statement).await? {
            let client = hub_id(row.try_get("", Column::ClientId.as_str())?)?;
            let id: String = row.try_get("", Column::ActivityId.as_str())?;
            inserted.insert(ActivityName { client, activity: id.parse().map_err(ServiceError::stored)? });
        }
    }
    Ok(inserted)
}

/// Stores the verdicts of activities that are recorded already.
pub(crate) async fn save_verdicts<C: ConnectionTrait>(transaction: &C, changed: &[Recorded]) -> Result<(), DbErr> {
    for some in portions(changed) {
        // Every row exists, so that this is an update of many rows in one statement.
        let verdict = if_recorded(transaction)
            .update_columns([
                Column::Verdict,
                Column::PartnerId,
                Column::EmployeeId,
                Column::Tool,
                Column::Action,
                Column::ExpireTime,
            ])
            .to_owned();
        Entity::insert_many(some.iter().map(row)).on_conflict(verdict).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// Makes the activities of one address those of another, which must differ. Why some were taken back is emptied: it may
/// name the person (R128).
pub(crate) async fn replace_address<C: ConnectionTrait>(
    transaction: &C,
    from: &EmailAddress,
    to: &EmailAddress,
) -> Result<(), ServiceError> {
    loop {
        let query = Entity::find().filter(Column::Address.eq(from.as_str())).limit(ROWS_PER_INSERT as u64);
        let rows = query.all(transaction).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut rewritten = rows.iter().map(recorded).collect::<Result<Vec<_>, _>>()?;
        for recorded in &mut rewritten {
            recorded.activity.address.clone_from(to);
        }
        // Every row exists, so that this is an update of many rows in one statement.
        let address = if_recorded(transaction).update_columns([Column::Address, Column::Payload]).to_owned();
        Entity::insert_many(rewritten.iter().map(row)).on_conflict(address).exec_without_returning(transaction).await?;
        let voided = rewritten.iter().filter(|recorded| recorded.judgement.verdict == Verdict::Voided);
        voiding::empty_reasons(transaction, &voided.map(Recorded::name).collect()).await?;
    }
}

/// What becomes of a row that is there already. PostgreSQL is told the name of the key and not its columns, of which there
/// is one more where the table is divided by month (`partitions`).
fn if_recorded<C: ConnectionTrait>(connection: &C) -> OnConflict {
    match connection.get_database_backend() {
        DbBackend::Postgres => OnConflict::constraint(PRIMARY_KEY),
        _ => OnConflict::columns([Column::ClientId, Column::ActivityId]),
    }
}

fn of_pair(pair: Pair) -> Condition {
    Condition::all().add(Column::ClientId.eq(pair.client.get())).add(Column::PartnerId.eq(pair.partner.get()))
}

/// All that counts for a pair; said of each pair alone, so that the index of what counts serves every alternative.
fn counted_of(pair: Pair) -> Condition {
    of_pair(pair).add(Column::ExpireTime.is_not_null())
}
