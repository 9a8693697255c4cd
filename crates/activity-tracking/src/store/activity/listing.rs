//! Activities, newest first, by filters: each list is read from the index whose order is its own, and what that index
//! does not answer is tested row by row.

use std::collections::BTreeSet;

use domain::access::{EmailAddress, EmployeeId, HubId};
use domain::activity::NotCountedReason;
use domain::time::Instant;
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::{Expr, ExprTrait as _, NullOrdering};
use sea_orm::{Condition, Order as Direction, QueryOrder as _, QuerySelect as _, Select};
use service_kit::{ServiceError, StoredInstant};

use super::{COUNTED, Place, Recorded, VOIDED, recorded};
use crate::entity::activity::{Column, Entity};
use crate::store::hub_id;

/// How many rows a page looks at, at most, where a filter leaves some of them out.
const ROWS_PER_PAGE: u64 = 10_000;

/// Which activities are listed: those for which everything holds that is stated.
#[derive(Debug, Clone, Default)]
pub(crate) struct ActivityFilter {
    /// They are attributed to this partner.
    pub partner: Option<HubId>,
    pub client: Option<HubId>,
    /// They are attributed to this employee.
    pub employee: Option<EmployeeId>,
    /// Whose they are; that of the employee, where both are stated.
    pub address: Option<EmailAddress>,
    pub tool: Option<String>,
    /// They have one of these verdicts; absent: any.
    pub verdicts: Option<BTreeSet<ListedVerdict>>,
    /// They occurred at or after this instant.
    pub from: Option<Instant>,
    /// They occurred before this instant.
    pub to: Option<Instant>,
    /// Their verdict is provisional.
    pub provisional_only: bool,
}

/// A verdict, as far as lists tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ListedVerdict {
    Counted,
    NotCounted(NotCountedReason),
    Voided,
}

/// A page of activities.
#[derive(Debug)]
pub(crate) struct Listed {
    /// Newest first.
    pub activities: Vec<Recorded>,
    /// Behind which place the next page begins; absent on the last one.
    pub next: Option<Place>,
}

/// The next activities behind a place, at most `limit`.
pub(crate) async fn list<C: ConnectionTrait>(
    connection: &C,
    filter: &ActivityFilter,
    after: Option<&Place>,
    limit: usize,
) -> Result<Listed, ServiceError> {
    let listing = Listing::of(filter, after);
    let end = match listing.end_of_page() {
        Some(query) => query.into_tuple().one(connection).await?.map(place).transpose()?,
        None => None,
    };
    // One more than asked for tells whether there are more.
    let rows = listing.page(end.clone()).limit(limit as u64 + 1).all(connection).await?;
    let has_more = rows.len() > limit;
    let activities = rows.iter().take(limit).map(recorded).collect::<Result<Vec<_>, _>>()?;
    let next = if has_more { activities.last().map(Place::of) } else { end };
    Ok(Listed { activities, next })
}

fn place((occur_time, client, activity): (StoredInstant, i64, String)) -> Result<Place, ServiceError> {
    let activity = activity.parse().map_err(ServiceError::stored)?;
    let name = contracts::ActivityName { client: hub_id(client)?, activity };
    Ok(Place { name, occur_time: occur_time.into() })
}

/// How a list is read.
struct Listing {
    /// What one index answers, in its order.
    scope: Condition,
    order: Order,
    newest: Option<Bound>,
    oldest: Option<Bound>,
    /// What is left to be tested of each row; absent: nothing.
    rest: Option<Condition>,
}

/// Where a page begins or ends: one bound on each side, because SQLite enters an index by one only.
#[derive(Debug, Clone)]
enum Bound {
    Time(Instant),
    Place(Place),
}

/// The orders of the indexes; to who reads the list they are one, by time, client and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Of all activities.
    OfAll,
    /// Of those of a person, a partner, a reason; of what is provisional.
    OfSome,
    /// Of those in one client.
    InClient,
}

impl Listing {
    /// By the index of which, as a rule, the fewest rows are read in vain.
    fn of(filter: &ActivityFilter, after: Option<&Place>) -> Self {
        let mut left = filter.clone();
        let (scope, order) = if let Some(address) = left.address.take() {
            let of_person = Condition::all().add(Column::Address.eq(address.as_str()));
            match left.client.take() {
                Some(client) => (of_person.add(Column::ClientId.eq(client.get())), Order::InClient),
                None => (of_person, Order::OfSome),
            }
        } else if std::mem::take(&mut left.provisional_only) {
            (Condition::all().add(is_provisional()), Order::OfSome)
        } else if let Some(client) = left.client.take() {
            (Condition::all().add(Column::ClientId.eq(client.get())), Order::InClient)
        } else if let Some(partner) = left.partner.take() {
            (Condition::all().add(Column::PartnerId.eq(partner.get())), Order::OfSome)
        } else if let Some(verdict) = left.take_single_not_counted() {
            (Condition::all().add(Column::ExpireTime.is_null()).add(Column::Verdict.eq(verdict)), Order::OfSome)
        } else {
            (Condition::all(), Order::OfAll)
        };
        Self {
            scope,
            order,
            // What is behind a place occurred before the instant before which the list was asked for.
            newest: after.cloned().map(Bound::Place).or(filter.to.map(Bound::Time)),
            oldest: filter.from.map(Bound::Time),
            rest: left.rest(),
        }
    }

    /// The place of the last row that a page looks at, where it looks at more rows than it has.
    fn end_of_page(&self) -> Option<Select<Entity>> {
        self.rest.as_ref()?;
        let columns = Order::OfAll.columns().iter().copied();
        let place = self.newest_first(self.oldest.as_ref()).select_only().columns(columns);
        Some(place.offset(ROWS_PER_PAGE - 1).limit(1))
    }

    fn page(&self, end: Option<Place>) -> Select<Entity> {
        let end = end.map(Bound::Place);
        let page = self.newest_first(end.as_ref().or(self.oldest.as_ref()));
        page.filter(Condition::all().add_option(self.rest.clone()))
    }

    fn newest_first(&self, oldest: Option<&Bound>) -> Select<Entity> {
        let older_than = self.newest.as_ref().map(|bound| self.order.key(bound).lt(self.order.value(bound)));
        let not_older_than = oldest.map(|bound| self.order.key(bound).gte(self.order.value(bound)));
        let scope = self.scope.clone().add_option(older_than).add_option(not_older_than);
        self.order.apply(Entity::find().filter(scope))
    }
}

impl Order {
    /// Where it is that of all activities, it says where those without a time would be, which there are none of: its
    /// index says so too, so that no other list is in the order of this index. PostgreSQL would read others from it,
    /// because its rows lie side by side, and takes what it looks for to be spread evenly: of a partner who was busy a
    /// year ago it would read everything that anybody has done since.
    fn apply(self, query: Select<Entity>) -> Select<Entity> {
        let (time, others) = (Column::OccurTime, &self.columns()[1..]);
        let by_time = match self {
            Self::OfAll => query.order_by_with_nulls(time, Direction::Desc, NullOrdering::Last),
            Self::OfSome | Self::InClient => query.order_by_desc(time),
        };
        others.iter().fold(by_time, |query, column| query.order_by_desc(*column))
    }

    const fn columns(self) -> &'static [Column] {
        match self {
            Self::OfAll | Self::OfSome => &[Column::OccurTime, Column::ClientId, Column::ActivityId],
            Self::InClient => &[Column::OccurTime, Column::ActivityId],
        }
    }

    /// What is compared with a bound.
    fn key(self, bound: &Bound) -> Expr {
        match bound {
            Bound::Time(_) => Expr::col(Column::OccurTime),
            Bound::Place(_) => Expr::tuple(self.columns().iter().copied().map(Expr::col)),
        }
    }

    fn value(self, bound: &Bound) -> Expr {
        match bound {
            Bound::Time(time) => Expr::value(StoredInstant::from(*time)),
            Bound::Place(Place { name, occur_time }) => {
                let time = Expr::value(StoredInstant::from(*occur_time));
                let client = (self != Self::InClient).then(|| Expr::value(name.client.get()));
                Expr::tuple([Some(time), client, Some(Expr::value(name.activity.as_str()))].into_iter().flatten())
            }
        }
    }
}

impl ActivityFilter {
    /// The verdict, if it is only one, and an activity that has it does not count.
    fn take_single_not_counted(&mut self) -> Option<&'static str> {
        let verdicts = self.verdicts.as_ref()?;
        let single = verdicts.first().filter(|first| verdicts.len() == 1 && **first != ListedVerdict::Counted)?;
        let stored = single.stored();
        self.verdicts = None;
        Some(stored)
    }

    /// What is to be tested row by row. It is said so that no index answers it: one that answers a part of it, in the
    /// order of the list too, may have very many rows where the chosen one has few.
    fn rest(self) -> Option<Condition> {
        let verdicts =
            self.verdicts.map(|verdicts| verdicts.into_iter().map(ListedVerdict::stored).collect::<Vec<_>>());
        let conditions = [
            self.partner.map(|partner| unindexed(Column::PartnerId).eq(partner.get())),
            self.client.map(|client| unindexed(Column::ClientId).eq(client.get())),
            self.employee.map(|employee| Column::EmployeeId.eq(employee.0)),
            self.tool.map(|tool| Column::Tool.eq(tool)),
            verdicts.map(|verdicts| Column::Verdict.is_in(verdicts)),
            self.provisional_only.then(is_provisional),
        ];
        let mut stated = conditions.into_iter().flatten().peekable();
        stated.peek()?;
        Some(stated.fold(Condition::all(), Condition::add))
    }
}

impl ListedVerdict {
    /// Every verdict.
    pub fn all() -> impl Iterator<Item = Self> {
        [Self::Counted, Self::Voided].into_iter().chain(NotCountedReason::ALL.into_iter().map(Self::NotCounted))
    }

    const fn stored(self) -> &'static str {
        match self {
            Self::Counted => COUNTED,
            Self::NotCounted(reason) => reason.as_str(),
            Self::Voided => VOIDED,
        }
    }
}

/// Said exactly as the condition of the index of what is provisional, or SQLite does not know it again.
fn is_provisional() -> Expr {
    Expr::col(Column::Provisional)
}

/// A column that is a number, said so that no index answers what is asked of it.
pub(super) fn unindexed(column: Column) -> Expr {
    Expr::col(column).if_null(0)
}

#[cfg(test)]
mod tests;
