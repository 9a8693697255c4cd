//! Work that waits: activities to be judged again and pairs to be computed again, because facts or the policy have changed.

use contracts::ActivityName;
use domain::access::HubId;
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, QueryOrder as _, QuerySelect as _};
use service_kit::{ServiceError, position, stored_position};

use super::activity::{Place, Scope};
use super::{Pair, hub_id, portions};
use crate::entity::rejudging::{ActiveModel, Column, Entity, Model};

/// A stretch of work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Task {
    /// The access change from which it follows; absent where none does, but a policy or a new copy.
    pub access_position: Option<u64>,
    pub work: Work,
    /// Nothing before it can be different.
    pub from: Instant,
    pub record_time: Instant,
    /// How many activities, or pairs, are done.
    pub done: u64,
}

/// What is to be done, and behind what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Work {
    /// To judge activities again.
    Judge(Scope, Option<Place>),
    /// To compute the periods of a partner's pairs again, or of all.
    Settle(Option<HubId>, Option<Pair>),
}

/// How much waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Waiting {
    pub tasks: u64,
    /// How many activities, or pairs, of the oldest are done.
    pub done: u64,
    pub oldest: Option<Instant>,
}

impl Work {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Judge(Scope::Everything, _) => "JUDGE_ALL",
            Self::Judge(Scope::Client(_), _) => "JUDGE_CLIENT",
            Self::Judge(Scope::Person(_), _) => "JUDGE_PERSON",
            Self::Judge(Scope::PersonInClient(..), _) => "JUDGE_PERSON_IN_CLIENT",
            Self::Settle(None, _) => "SETTLE_ALL",
            Self::Settle(Some(_), _) => "SETTLE_PARTNER",
        }
    }
}

fn row(id: i64, task: &Task) -> ActiveModel {
    let (client, partner, address) = match &task.work {
        Work::Judge(Scope::Everything, _) | Work::Settle(None, _) => (None, None, None),
        Work::Judge(Scope::Client(client), _) => (Some(*client), None, None),
        Work::Judge(Scope::Person(address), _) => (None, None, Some(address)),
        Work::Judge(Scope::PersonInClient(address, client), _) => (Some(*client), None, Some(address)),
        Work::Settle(Some(partner), _) => (None, Some(*partner), None),
    };
    let (last_activity, last_pair) = match &task.work {
        Work::Judge(_, last) => (last.as_ref(), None),
        Work::Settle(_, last) => (None, *last),
    };
    let last_client = last_activity.map(|place| place.name.client).or(last_pair.map(|pair| pair.client));
    ActiveModel {
        id: Set(id),
        access_position: Set(task.access_position.map(stored_position)),
        kind: Set(task.work.kind().to_owned()),
        client_id: Set(client.map(HubId::get)),
        partner_id: Set(partner.map(HubId::get)),
        address: Set(address.map(ToString::to_string)),
        from_time: Set(task.from.into()),
        record_time: Set(task.record_time.into()),
        done: Set(stored_position(task.done)),
        last_client_id: Set(last_client.map(HubId::get)),
        last_partner_id: Set(last_pair.map(|pair| pair.partner.get())),
        last_activity_id: Set(last_activity.map(|place| place.name.activity.to_string())),
        last_occur_time: Set(last_activity.map(|place| place.occur_time.into())),
    }
}

fn task(row: &Model) -> Result<Task, ServiceError> {
    let partner = row.partner_id.map(hub_id).transpose()?;
    let work = if row.kind.starts_with("SETTLE") {
        Work::Settle(partner, last_pair(row)?)
    } else {
        Work::Judge(scope(row)?, last_place(row)?)
    };
    Ok(Task {
        access_position: row.access_position.map(position),
        work,
        from: row.from_time.into(),
        record_time: row.record_time.into(),
        done: position(row.done),
    })
}

fn scope(row: &Model) -> Result<Scope, ServiceError> {
    let client = row.client_id.map(hub_id).transpose()?;
    let address = row.address.as_deref().map(str::parse).transpose().map_err(ServiceError::stored)?;
    Ok(match (address, client) {
        (None, None) => Scope::Everything,
        (None, Some(client)) => Scope::Client(client),
        (Some(address), None) => Scope::Person(address),
        (Some(address), Some(client)) => Scope::PersonInClient(address, client),
    })
}

fn last_place(row: &Model) -> Result<Option<Place>, ServiceError> {
    let (Some(client), Some(activity), Some(occur_time)) =
        (row.last_client_id, &row.last_activity_id, row.last_occur_time)
    else {
        return Ok(None);
    };
    let name = ActivityName { client: hub_id(client)?, activity: activity.parse().map_err(ServiceError::stored)? };
    Ok(Some(Place { name, occur_time: occur_time.into() }))
}

fn last_pair(row: &Model) -> Result<Option<Pair>, ServiceError> {
    let (Some(client), Some(partner)) = (row.last_client_id, row.last_partner_id) else { return Ok(None) };
    Ok(Some(Pair { client: hub_id(client)?, partner: hub_id(partner)? }))
}

/// Puts tasks at the end. The transaction holds the cursor of the access copy exclusively, so that nobody else does.
pub(crate) async fn append<C: ConnectionTrait>(transaction: &C, tasks: &[Task]) -> Result<(), DbErr> {
    let last: Option<Option<i64>> =
        Entity::find().select_only().column_as(Column::Id.max(), "last").into_tuple().one(transaction).await?;
    let rows: Vec<ActiveModel> =
        (last.flatten().unwrap_or_default() + 1..).zip(tasks).map(|(id, task)| row(id, task)).collect();
    for some in portions(&rows) {
        Entity::insert_many(some.to_vec()).exec_without_returning(transaction).await?;
    }
    Ok(())
}

/// The id of the oldest task, if anything waits.
pub(crate) async fn first_id<C: ConnectionTrait>(connection: &C) -> Result<Option<i64>, DbErr> {
    Entity::find().select_only().column(Column::Id).order_by_asc(Column::Id).limit(1).into_tuple().one(connection).await
}

/// The oldest task and its id, held until the transaction ends: of several workers one works, the others wait for it.
pub(crate) async fn lock_oldest<C: ConnectionTrait>(transaction: &C) -> Result<Option<(i64, Task)>, ServiceError> {
    let row = Entity::find().order_by_asc(Column::Id).lock_exclusive().limit(1).one(transaction).await?;
    row.map(|row| Ok((row.id, task(&row)?))).transpose()
}

/// Stores how far a task is.
pub(crate) async fn save<C: ConnectionTrait>(transaction: &C, id: i64, task: &Task) -> Result<(), DbErr> {
    Entity::update(row(id, task)).exec(transaction).await?;
    Ok(())
}

/// Removes a task that is done.
pub(crate) async fn remove<C: ConnectionTrait>(transaction: &C, id: i64) -> Result<(), DbErr> {
    Entity::delete_by_id(id).exec(transaction).await?;
    Ok(())
}

/// Removes the tasks that follow from no access change: all that they would do is to be done anew.
pub(crate) async fn remove_general<C: ConnectionTrait>(transaction: &C) -> Result<(), DbErr> {
    Entity::delete_many().filter(Column::AccessPosition.is_null()).exec(transaction).await?;
    Ok(())
}

/// The first access change of which not everything is done that follows from it.
pub(crate) async fn first_waiting_position<C: ConnectionTrait>(connection: &C) -> Result<Option<u64>, DbErr> {
    let first: Option<Option<i64>> = Entity::find()
        .select_only()
        .column_as(Column::AccessPosition.min(), "first")
        .into_tuple()
        .one(connection)
        .await?;
    Ok(first.flatten().map(position))
}

/// How much waits.
pub(crate) async fn waiting<C: ConnectionTrait>(connection: &C) -> Result<Waiting, DbErr> {
    let tasks = Entity::find().count(connection).await?;
    let oldest = Entity::find().order_by_asc(Column::Id).limit(1).one(connection).await?;
    Ok(Waiting {
        tasks,
        done: oldest.as_ref().map(|row| position(row.done)).unwrap_or_default(),
        oldest: oldest.map(|row| row.record_time.into()),
    })
}
