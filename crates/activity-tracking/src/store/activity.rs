//! Activities with their verdicts.

use std::collections::{BTreeMap, BTreeSet};

use contracts::wire::activity as wire;
use contracts::{ActivityName, activity_from_wire};
use domain::access::{EmailAddress, EmployeeId, HubId};
use domain::activity::{Activity, Attribution, CatalogueAction, Judgement, Verdict};
use domain::servicing::CountedActivity;
use domain::time::Instant;
use prost::Message as _;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{
    ActiveValue::Set, Condition, FromQueryResult, QueryOrder as _, QuerySelect as _, QueryTrait as _, Select,
};
use service_kit::{ServiceError, StoredInstant};

use super::{ADDRESSES_PER_QUERY, ALTERNATIVES_PER_QUERY, Pair, ROWS_PER_INSERT, hub_id};
use crate::entity::activity::{ActiveModel, Column, Entity, Model};

/// How many activities are read at once to be judged again.
const ACTIVITIES_PER_PAGE: u64 = 500;

/// The verdict of what counts, as it stands in the table.
const COUNTED: &str = "COUNTED";

/// An activity as it is kept.
#[derive(Debug, Clone)]
pub(crate) struct Recorded {
    pub activity: Activity,
    pub judgement: Judgement,
    pub record_time: Instant,
    /// Judged while access-management could not be asked for its newest facts.
    pub provisional: bool,
}

/// An activity that counts, as far as servicing is concerned.
#[derive(Debug, Clone)]
pub(crate) struct Counted {
    pub name: ActivityName,
    pub address: EmailAddress,
    pub employee: Option<EmployeeId>,
    pub life: CountedActivity,
}

/// Activities that a change of facts may concern.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// All.
    Everything,
    /// All of a client.
    Client(HubId),
    /// All of a person, in whatever client.
    Person(EmailAddress),
    /// All of a person in a client.
    PersonInClient(EmailAddress, HubId),
}

impl Recorded {
    pub fn name(&self) -> ActivityName {
        ActivityName { client: self.activity.client, activity: self.activity.id.clone() }
    }

    /// The pair for which it counts, if it does.
    pub fn counted_pair(&self) -> Option<Pair> {
        counted_pair(self.activity.client, &self.judgement)
    }
}

/// The pair for which an activity in `client` with this judgement counts, if it does.
pub(crate) fn counted_pair(client: HubId, judgement: &Judgement) -> Option<Pair> {
    match (judgement.verdict, judgement.attribution) {
        (Verdict::Counted { .. }, Some(found)) => Some(Pair { client, partner: found.partner }),
        _ => None,
    }
}

fn row(recorded: &Recorded) -> ActiveModel {
    let Recorded { activity, judgement, record_time, provisional } = recorded;
    let (verdict, expire_time) = match judgement.verdict {
        Verdict::Counted { expire_time } => (COUNTED, Some(expire_time)),
        Verdict::NotCounted(reason) => (reason.as_str(), None),
    };
    ActiveModel {
        client_id: Set(activity.client.get()),
        activity_id: Set(activity.id.to_string()),
        address: Set(activity.address.to_string()),
        occur_time: Set(activity.occur_time.into()),
        payload: Set(wire::Activity::from(activity).encode_to_vec()),
        record_time: Set((*record_time).into()),
        verdict: Set(verdict.to_owned()),
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

fn judgement(row: &Model) -> Result<Judgement, ServiceError> {
    let verdict = match row.expire_time {
        Some(expire_time) => Verdict::Counted { expire_time: expire_time.into() },
        None => Verdict::NotCounted(row.verdict.parse().map_err(ServiceError::stored)?),
    };
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
    let mut ids_by_client: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for name in names {
        ids_by_client.entry(name.client.get()).or_default().push(name.activity.to_string());
    }
    let alternatives: Vec<Condition> = ids_by_client
        .into_iter()
        .map(|(client, ids)| Condition::all().add(Column::ClientId.eq(client)).add(Column::ActivityId.is_in(ids)))
        .collect();
    let mut found = BTreeMap::new();
    for some in alternatives.chunks(ALTERNATIVES_PER_QUERY) {
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
    for some in new.chunks(ROWS_PER_INSERT) {
        let key = OnConflict::columns([Column::ClientId, Column::ActivityId]).do_nothing().to_owned();
        let mut statement = Entity::insert_many(some.iter().map(row)).on_conflict(key).into_query();
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
    for some in changed.chunks(ROWS_PER_INSERT) {
        // Every row exists, so that this is an update of many rows in one statement.
        let verdict = OnConflict::columns([Column::ClientId, Column::ActivityId])
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

/// Makes the activities of one address those of another, which must differ.
pub(crate) async fn replace_address<C: ConnectionTrait>(
    transaction: &C,
    from: &EmailAddress,
    to: &EmailAddress,
) -> Result<(), ServiceError> {
    loop {
        let query = Entity::find().filter(Column::Address.eq(from.as_str())).limit(ACTIVITIES_PER_PAGE);
        let rows = query.all(transaction).await?;
        if rows.is_empty() {
            return Ok(());
        }
        let mut rewritten = rows.iter().map(recorded).collect::<Result<Vec<_>, _>>()?;
        for recorded in &mut rewritten {
            recorded.activity.address.clone_from(to);
        }
        // Every row exists, so that this is an update of many rows in one statement.
        let address = OnConflict::columns([Column::ClientId, Column::ActivityId])
            .update_columns([Column::Address, Column::Payload])
            .to_owned();
        Entity::insert_many(rewritten.iter().map(row)).on_conflict(address).exec_without_returning(transaction).await?;
    }
}

/// The next activities of a scope that occurred at or after `from`, behind the last of the page before; none at the end.
pub(crate) async fn page<C: ConnectionTrait>(
    connection: &C,
    scope: &Scope,
    from: Instant,
    after: Option<&Recorded>,
) -> Result<Vec<Recorded>, ServiceError> {
    let from = StoredInstant::from(from);
    let query = match scope {
        Scope::Everything => by_name(after),
        Scope::Client(client) => of_client(*client, after),
        Scope::Person(address) => by_time(after).filter(Column::Address.eq(address.as_str())),
        Scope::PersonInClient(address, client) => {
            by_time(after).filter(Column::ClientId.eq(client.get())).filter(Column::Address.eq(address.as_str()))
        }
    };
    let rows = query.filter(Column::OccurTime.gte(from)).limit(ACTIVITIES_PER_PAGE).all(connection).await?;
    rows.iter().map(recorded).collect()
}

/// In the order of names, behind `after`.
fn by_name(after: Option<&Recorded>) -> Select<Entity> {
    let query = Entity::find().order_by_asc(Column::ClientId).order_by_asc(Column::ActivityId);
    let Some(after) = after else { return query };
    let place = Expr::tuple([after.activity.client.get().into(), after.activity.id.to_string().into()]);
    query.filter(Expr::tuple([Expr::col(Column::ClientId), Expr::col(Column::ActivityId)]).gt(place))
}

/// Of a client in the order of names, behind `after`.
fn of_client(client: HubId, after: Option<&Recorded>) -> Select<Entity> {
    let query = Entity::find().filter(Column::ClientId.eq(client.get())).order_by_asc(Column::ActivityId);
    match after {
        Some(after) => query.filter(Column::ActivityId.gt(after.activity.id.as_str())),
        None => query,
    }
}

/// In the order of time, behind `after`.
fn by_time(after: Option<&Recorded>) -> Select<Entity> {
    let columns = [Column::OccurTime, Column::ClientId, Column::ActivityId];
    let query = columns.into_iter().fold(Entity::find(), |query, column| query.order_by_asc(column));
    let Some(Recorded { activity, .. }) = after else { return query };
    let occur_time = StoredInstant::from(activity.occur_time);
    let place = [occur_time.0.into(), activity.client.get().into(), activity.id.to_string().into()];
    query
        // Said twice, because an index is entered by its first column only.
        .filter(Column::OccurTime.gte(occur_time))
        .filter(Expr::tuple(columns.map(Expr::col)).gt(Expr::tuple(place)))
}

/// What counts for each of these pairs and had not expired by the instant given with it, in no order.
pub(crate) async fn counted_since<C: ConnectionTrait>(
    connection: &C,
    pairs: &[(Pair, Instant)],
) -> Result<BTreeMap<Pair, Vec<CountedActivity>>, ServiceError> {
    let mut counted: BTreeMap<Pair, Vec<CountedActivity>> = BTreeMap::new();
    for some in pairs.chunks(ALTERNATIVES_PER_QUERY) {
        let any = some.iter().fold(Condition::any(), |any, (pair, from)| {
            any.add(of_pair(*pair).add(Column::ExpireTime.gt(StoredInstant::from(*from))))
        });
        let rows: Vec<(i64, i64, StoredInstant, StoredInstant)> = Entity::find()
            .select_only()
            .columns([Column::ClientId, Column::PartnerId, Column::OccurTime, Column::ExpireTime])
            .filter(any)
            .into_tuple()
            .all(connection)
            .await?;
        for (client, partner, occur_time, expire_time) in rows {
            let pair = Pair { client: hub_id(client)?, partner: hub_id(partner)? };
            let life = CountedActivity { occur_time: occur_time.into(), expire_time: expire_time.into() };
            counted.entry(pair).or_default().push(life);
        }
    }
    Ok(counted)
}

fn of_pair(pair: Pair) -> Condition {
    Condition::all().add(Column::ClientId.eq(pair.client.get())).add(Column::PartnerId.eq(pair.partner.get()))
}

/// All that counts for a pair; said of each pair alone, so that the index of what counts serves every alternative.
fn counted_of(pair: Pair) -> Condition {
    of_pair(pair).add(Column::ExpireTime.is_not_null())
}

/// When the last of all that counts for a pair occurred.
pub(crate) async fn last_counted_time<C: ConnectionTrait>(
    connection: &C,
    pair: Pair,
) -> Result<Option<Instant>, ServiceError> {
    let last: Option<Option<StoredInstant>> = Entity::find()
        .select_only()
        .column_as(Column::OccurTime.max(), "last")
        .filter(counted_of(pair))
        .into_tuple()
        .one(connection)
        .await?;
    Ok(last.flatten().map(Instant::from))
}

/// The columns of a `Counted`.
#[derive(FromQueryResult)]
struct CountedRow {
    client_id: i64,
    partner_id: i64,
    activity_id: String,
    address: String,
    employee_id: Option<Uuid>,
    occur_time: StoredInstant,
    expire_time: StoredInstant,
}

/// Everything that counts for each of these pairs and had occurred by `as_of`, in the order of time.
pub(crate) async fn counted_by<C: ConnectionTrait>(
    connection: &C,
    pairs: &[Pair],
    as_of: Instant,
) -> Result<BTreeMap<Pair, Vec<Counted>>, ServiceError> {
    let mut counted: BTreeMap<Pair, Vec<Counted>> = BTreeMap::new();
    for some in pairs.chunks(ALTERNATIVES_PER_QUERY) {
        let any = some.iter().fold(Condition::any(), |any, pair| any.add(counted_of(*pair)));
        let rows = Entity::find()
            .select_only()
            .columns([Column::ClientId, Column::PartnerId, Column::ActivityId, Column::Address, Column::EmployeeId])
            .columns([Column::OccurTime, Column::ExpireTime])
            .filter(any)
            .filter(Column::OccurTime.lte(StoredInstant::from(as_of)))
            .order_by_asc(Column::OccurTime)
            .order_by_asc(Column::ActivityId)
            .into_model::<CountedRow>()
            .all(connection)
            .await?;
        for row in rows {
            let pair = Pair { client: hub_id(row.client_id)?, partner: hub_id(row.partner_id)? };
            counted.entry(pair).or_default().push(Counted {
                name: ActivityName {
                    client: pair.client,
                    activity: row.activity_id.parse().map_err(ServiceError::stored)?,
                },
                address: row.address.parse().map_err(ServiceError::stored)?,
                employee: row.employee_id.map(EmployeeId),
                life: CountedActivity { occur_time: row.occur_time.into(), expire_time: row.expire_time.into() },
            });
        }
    }
    Ok(counted)
}

/// What does not count of a partner's people in a client: theirs by the verdict, or nobody's and of one of `addresses`.
fn not_counted(pair: Pair, addresses: &[&EmailAddress], as_of: Instant) -> Select<Entity> {
    let theirs = Condition::any().add(Column::PartnerId.eq(pair.partner.get())).add(Column::PartnerId.is_null());
    Entity::find()
        .filter(Column::ClientId.eq(pair.client.get()))
        .filter(Column::Address.is_in(addresses.iter().map(|address| address.as_str())))
        .filter(Column::ExpireTime.is_null())
        .filter(theirs)
        .filter(Column::OccurTime.lte(StoredInstant::from(as_of)))
}

/// The newest activities of these people that do not count and had occurred by `as_of`, newest first.
pub(crate) async fn newest_not_counted<C: ConnectionTrait>(
    connection: &C,
    pair: Pair,
    addresses: &BTreeSet<EmailAddress>,
    as_of: Instant,
    limit: usize,
) -> Result<Vec<Recorded>, ServiceError> {
    let addresses: Vec<&EmailAddress> = addresses.iter().collect();
    let mut newest = Vec::new();
    for some in addresses.chunks(ADDRESSES_PER_QUERY) {
        let query = not_counted(pair, some, as_of)
            .order_by_desc(Column::OccurTime)
            .order_by_desc(Column::ActivityId)
            .limit(limit as u64);
        newest.extend(query.all(connection).await?);
        newest.sort_by(|one, other| (other.occur_time, &other.activity_id).cmp(&(one.occur_time, &one.activity_id)));
        newest.truncate(limit);
    }
    newest.iter().map(recorded).collect()
}

/// How many activities of each employee do not count and had occurred by `as_of`, with the employee's address.
pub(crate) async fn not_counted_per_employee<C: ConnectionTrait>(
    connection: &C,
    pair: Pair,
    addresses: &BTreeSet<EmailAddress>,
    as_of: Instant,
) -> Result<Vec<(EmployeeId, EmailAddress, i64)>, ServiceError> {
    let addresses: Vec<&EmailAddress> = addresses.iter().collect();
    let mut counts = Vec::new();
    for some in addresses.chunks(ADDRESSES_PER_QUERY) {
        let rows: Vec<(Uuid, String, i64)> = not_counted(pair, some, as_of)
            .select_only()
            .columns([Column::EmployeeId, Column::Address])
            .column_as(Column::ActivityId.count(), "activities")
            .filter(Column::EmployeeId.is_not_null())
            .group_by(Column::EmployeeId)
            .group_by(Column::Address)
            .into_tuple()
            .all(connection)
            .await?;
        for (employee, address, count) in rows {
            counts.push((EmployeeId(employee), address.parse().map_err(ServiceError::stored)?, count));
        }
    }
    Ok(counts)
}

/// Whether any verdict is marked as provisional.
pub(crate) async fn has_provisional<C: ConnectionTrait>(connection: &C) -> Result<bool, DbErr> {
    let marked: Option<i64> = Entity::find()
        .select_only()
        .column(Column::ClientId)
        .filter(Expr::col(Column::Provisional))
        .limit(1)
        .into_tuple()
        .one(connection)
        .await?;
    Ok(marked.is_some())
}

/// Takes the mark from all verdicts.
pub(crate) async fn clear_provisional<C: ConnectionTrait>(transaction: &C) -> Result<(), DbErr> {
    Entity::update_many()
        .col_expr(Column::Provisional, Expr::val(false))
        .filter(Expr::col(Column::Provisional))
        .exec(transaction)
        .await?;
    Ok(())
}
