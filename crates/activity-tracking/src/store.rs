//! Queries, and rows to domain values and back; no rules.

pub(crate) mod activity;
mod asked;
pub(crate) mod change;
pub(crate) mod judged_policy;
pub(crate) mod pair;
pub(crate) mod period;
pub(crate) mod rejudging;
pub(crate) mod voiding;

pub(crate) use asked::PersonInClient;

use std::collections::{BTreeMap, BTreeSet};

use chrono::DateTime;
use contracts::ActivityName;
use domain::access::HubId;
use domain::servicing::{Alteration, CountedActivity};
use domain::time::Instant;
use sea_orm::{ColumnTrait, Condition};
use service_kit::{ServiceError, TraceParent};

/// Before everything: what is touched from here on is computed in full.
pub(crate) const BEGINNING: Instant = DateTime::<chrono::Utc>::MIN_UTC;

/// How many alternatives one condition names, so that no database finds it too deep.
const ALTERNATIVES_PER_QUERY: usize = 100;

/// How many rows one statement inserts: at most 13 columns each, within SQLite's 32,766 parameters.
const ROWS_PER_INSERT: usize = 1_000;

/// Up to how many rows there are statements of few sizes only.
const FEW_ROWS: usize = 128;

/// Rows in portions of one statement each. Few rows are in portions of 1, 2, 4 ... rows: groups of all sizes are committed, and
/// a database has to read and plan each text that it does not know, which takes longer than to ask it once more.
fn portions<T>(rows: &[T]) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        let size = match rest.len() {
            0 => return None,
            few @ ..=FEW_ROWS => 1 << few.ilog2(),
            many => many.min(ROWS_PER_INSERT),
        };
        let (portion, others) = rest.split_at(size);
        rest = others;
        Some(portion)
    })
}

/// Rows in portions, for a statement that passes over what is there already: few rows are filled up to a portion of few sizes
/// with the last of them, instead of being in several.
fn filled<T>(rows: &[T]) -> impl Iterator<Item = Vec<&T>> {
    rows.chunks(ROWS_PER_INSERT).map(|some| {
        let mut portion: Vec<&T> = some.iter().collect();
        if let Some(last) = some.last() {
            fill_up(&mut portion, last);
        }
        portion
    })
}

/// Fills few rows up to one of few sizes.
fn fill_up<T: Clone>(rows: &mut Vec<T>, with: T) {
    if rows.len() <= FEW_ROWS {
        rows.resize(rows.len().next_power_of_two(), with);
    }
}

/// A client and a partner, in the order in which their rows are locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pair {
    pub client: HubId,
    pub partner: HubId,
}

/// Clients that follow each other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    /// The last client before it; none from the first on.
    pub after: Option<HubId>,
    /// Its last client; none to the end.
    pub until: Option<HubId>,
}

impl Stretch {
    fn of<C: ColumnTrait>(self, client: C) -> Condition {
        Condition::all()
            .add_option(self.after.map(|after| client.gt(after.get())))
            .add_option(self.until.map(|until| client.lte(until.get())))
    }
}

/// The pairs whose periods must be computed again, each with where they can be different.
#[derive(Debug, Default)]
pub(crate) struct Touched {
    pairs: BTreeMap<Pair, Touch>,
    /// Of which trace is the call that touched a pair first.
    causes: BTreeMap<Pair, TraceParent>,
}

/// What is different for a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Touch {
    pub alteration: Alteration,
    /// When the last of the activities that came occurred, where nothing else is different.
    pub newest: Option<Instant>,
    /// When the last of the activities occurred that came, went, or are judged otherwise.
    pub latest: Option<Instant>,
}

impl Touched {
    /// An activity counts for the pair that did not.
    pub fn add(&mut self, pair: Pair, activity: CountedActivity) {
        let newest = Some(activity.occur_time);
        self.touch(pair, Touch { alteration: Alteration::added(activity), newest, latest: newest });
    }

    /// An activity does not count for the pair any more.
    pub fn remove(&mut self, pair: Pair, activity: CountedActivity) {
        let latest = Some(activity.occur_time);
        self.touch(pair, Touch { alteration: Alteration::removed(activity), newest: None, latest });
    }

    /// Something is different for the pair, and not only that activities came.
    pub fn alter(&mut self, pair: Pair, alteration: Alteration) {
        self.touch(pair, Touch { alteration, newest: None, latest: None });
    }

    /// It is for the sake of a call.
    pub fn caused_by(&mut self, pair: Pair, cause: &TraceParent) {
        self.causes.entry(pair).or_insert_with(|| cause.clone());
    }

    /// For the sake of which call the pair is touched; of what is done now, where that was not said.
    pub fn cause(&self, pair: Pair) -> TraceParent {
        self.causes.get(&pair).cloned().unwrap_or_else(TraceParent::current)
    }

    /// What `other` says, too.
    pub fn merge(&mut self, other: Self) {
        other.pairs.into_iter().for_each(|(pair, touch)| self.touch(pair, touch));
        other.causes.iter().for_each(|(pair, cause)| self.caused_by(*pair, cause));
    }

    fn touch(&mut self, pair: Pair, touch: Touch) {
        self.pairs.entry(pair).and_modify(|known| *known = known.and(touch)).or_insert(touch);
    }

    /// All, in the order of their locks.
    pub fn pairs(&self) -> impl Iterator<Item = (Pair, Touch)> {
        self.pairs.iter().map(|(pair, touch)| (*pair, *touch))
    }

    /// Keeps the pairs that `is_kept` says.
    pub fn retain(&mut self, is_kept: impl Fn(Pair) -> bool) {
        self.pairs.retain(|pair, _| is_kept(*pair));
    }
}

impl Touch {
    fn and(self, other: Self) -> Self {
        let newest = self.newest.zip(other.newest).map(|(one, other)| one.max(other));
        let latest = self.latest.max(other.latest);
        Self { alteration: self.alteration.and(other.alteration), newest, latest }
    }
}

/// Conditions of which every row fulfils one that is about one of these activities; each is about those of one client.
fn named<C: ColumnTrait>(client: C, activity: C, names: &BTreeSet<ActivityName>) -> Vec<Condition> {
    let mut ids_by_client: BTreeMap<i64, Vec<&str>> = BTreeMap::new();
    for name in names {
        ids_by_client.entry(name.client.get()).or_default().push(name.activity.as_str());
    }
    let of_client = |(id, ids): (i64, Vec<&str>)| Condition::all().add(client.eq(id)).add(activity.is_in(ids));
    ids_by_client.into_iter().map(of_client).collect()
}

fn hub_id(stored: i64) -> Result<HubId, ServiceError> {
    HubId::try_from(stored).map_err(ServiceError::stored)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_portioned_in_their_order_and_few_of_them_in_few_sizes() {
        let sizes = |count: usize| portions(&vec![(); count]).map(<[()]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(0), [0; 0]);
        assert_eq!(sizes(63), [32, 16, 8, 4, 2, 1]);
        assert_eq!(sizes(128), [128]);
        assert_eq!(sizes(129), [129]);
        assert_eq!(sizes(2_003), [1_000, 1_000, 2, 1]);
        let rows: Vec<usize> = (0..1_077).collect();
        assert_eq!(portions(&rows).flatten().copied().collect::<Vec<_>>(), rows);
    }

    #[test]
    fn rows_that_may_be_stated_twice_are_filled_up_to_few_sizes_with_the_last() {
        let rows: Vec<usize> = (0..1_077).collect();
        let portions = |count: usize| filled(&rows[..count]).collect::<Vec<_>>();
        let sizes = |count: usize| portions(count).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(0), [0; 0]);
        assert_eq!(portions(3), [[&0, &1, &2, &2]]);
        assert_eq!((sizes(63), sizes(128), sizes(129)), (vec![64], vec![128], vec![129]));
        assert_eq!(sizes(1_077), [1_000, 128]);
        let mut stated: Vec<usize> = portions(1_077).into_iter().flatten().copied().collect();
        stated.dedup();
        assert_eq!(stated, rows);
    }

    #[test]
    fn the_newest_of_a_pair_is_known_where_activities_only_came() {
        let hub_id = |number: i64| HubId::try_from(number).expect("a hub id");
        let on = |day: &str| {
            let occur_time: Instant = format!("{day}T12:00:00Z").parse().expect("a time");
            CountedActivity { occur_time, expire_time: occur_time + chrono::TimeDelta::days(60) }
        };
        let pair = Pair { client: hub_id(2002), partner: hub_id(1001) };
        let mut touched = Touched::default();
        for day in ["2025-01-10", "2025-01-11", "2025-01-09"] {
            touched.add(pair, on(day));
        }
        let newest = |touched: &Touched| touched.pairs().map(|(_, touch)| touch.newest).collect::<Vec<_>>();
        assert_eq!(newest(&touched), [Some(on("2025-01-11").occur_time)]);
        touched.remove(pair, on("2025-01-10"));
        assert_eq!(newest(&touched), [None]);
        let latest = touched.pairs().map(|(_, touch)| touch.latest).collect::<Vec<_>>();
        assert_eq!(latest, [Some(on("2025-01-11").occur_time)]);
    }
}
