//! The activities that a change of facts may concern, page by page.

use contracts::ActivityName;
use domain::access::{EmailAddress, HubId};
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{QueryOrder as _, QuerySelect as _, Select};
use service_kit::{ServiceError, StoredInstant};

use super::{Recorded, recorded};
use crate::entity::activity::{Column, Entity};

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

/// Where an activity is among those of a scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub name: ActivityName,
    pub occur_time: Instant,
}

impl Place {
    pub fn of(recorded: &Recorded) -> Self {
        Self { name: recorded.name(), occur_time: recorded.activity.occur_time }
    }
}

/// The next activities of a scope that occurred at or after `from`, at most `limit`, behind the last of those before.
pub(crate) async fn page<C: ConnectionTrait>(
    connection: &C,
    scope: &Scope,
    from: Instant,
    after: Option<&Place>,
    limit: u64,
) -> Result<Vec<Recorded>, ServiceError> {
    let query = match scope {
        Scope::Everything => by_name(after),
        Scope::Client(client) => by_time(after).filter(Column::ClientId.eq(client.get())),
        Scope::Person(address) => by_time(after).filter(Column::Address.eq(address.as_str())),
        Scope::PersonInClient(address, client) => {
            by_time(after).filter(Column::ClientId.eq(client.get())).filter(Column::Address.eq(address.as_str()))
        }
    };
    let rows = query.filter(Column::OccurTime.gte(StoredInstant::from(from))).limit(limit).all(connection).await?;
    rows.iter().map(recorded).collect()
}

/// In the order of names.
fn by_name(after: Option<&Place>) -> Select<Entity> {
    let query = Entity::find().order_by_asc(Column::ClientId).order_by_asc(Column::ActivityId);
    let Some(Place { name, .. }) = after else { return query };
    let place = Expr::tuple([name.client.get().into(), name.activity.to_string().into()]);
    query.filter(Expr::tuple([Expr::col(Column::ClientId), Expr::col(Column::ActivityId)]).gt(place))
}

/// In the order of time.
fn by_time(after: Option<&Place>) -> Select<Entity> {
    let columns = [Column::OccurTime, Column::ClientId, Column::ActivityId];
    let query = columns.into_iter().fold(Entity::find(), |query, column| query.order_by_asc(column));
    let Some(Place { name, occur_time }) = after else { return query };
    let occur_time = StoredInstant::from(*occur_time);
    let place = [occur_time.0.into(), name.client.get().into(), name.activity.to_string().into()];
    query
        // Said twice, because an index is entered by its first column only.
        .filter(Column::OccurTime.gte(occur_time))
        .filter(Expr::tuple(columns.map(Expr::col)).gt(Expr::tuple(place)))
}
