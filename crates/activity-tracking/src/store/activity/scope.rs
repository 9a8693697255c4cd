//! The activities that a change of facts may concern, page by page.

use domain::access::{EmailAddress, HubId};
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{QueryOrder as _, QuerySelect as _, Select};
use service_kit::{ServiceError, StoredInstant};

use super::{Recorded, recorded};
use crate::entity::activity::{Column, Entity};

/// How many activities are read at once to be judged again.
pub(super) const ACTIVITIES_PER_PAGE: u64 = 500;

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
