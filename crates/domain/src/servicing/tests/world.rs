//! Random histories: what arrives at a ledger, in the order in which it does.

use std::cmp::Reverse;

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::sample::Index;

use super::ledger::Key;
use super::policies::policies;
use crate::access::AccessChange;
use crate::access::testing::{Attempt, CLIENTS, LAST_TICK, PEOPLE, Step, address, hub, legal_log, steps, tick};
use crate::activity::{Activity, ActivityAction, CatalogueAction, Origin};
use crate::policy::Policy;
use crate::time::{Instant, SECONDS_PER_DAY};

/// Something that a ledger is told.
#[derive(Debug, Clone)]
pub(super) enum Arrival {
    Access(Vec<AccessChange>),
    Activities(Vec<Activity>),
    Voiding(Key),
    /// Another policy takes the place of the one before.
    Policy(Box<Policy>),
}

/// A policy, and what arrives under it and under those that replace it.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub policy: Policy,
    pub arrivals: Vec<Arrival>,
}

/// In which order activities arrive.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Order {
    /// When they happen, among the access facts.
    OnTime,
    OldestFirst,
    NewestFirst,
    Any,
}

/// What arrives with an activity.
#[derive(Debug, Clone, Copy)]
enum Companion {
    None,
    /// An activity once more.
    Repeat(Index),
    /// An activity as another one's.
    SameId(Index),
    /// An activity is voided.
    Voiding(Index),
}

/// The start of a day: windows are days long, so expiries, facts and activities often fall on one instant.
pub(crate) fn day(number: i64) -> Instant {
    tick(number * SECONDS_PER_DAY)
}

/// A random instant: mostly the start of a day, else beside it or within the day.
pub(crate) fn instants() -> impl Strategy<Value = Instant> {
    let beside = prop_oneof![
        4 => Just(TimeDelta::zero()),
        1 => Just(TimeDelta::microseconds(-1)),
        1 => Just(TimeDelta::microseconds(1)),
        2 => (1..4_i64).prop_map(|quarters| TimeDelta::hours(6 * quarters)),
    ];
    (0..=LAST_TICK, beside).prop_map(|(number, beside)| day(number) + beside)
}

/// Somebody of every partner is at work in the first client from the first day on.
const AT_WORK: [Step; 8] = [
    (0, Attempt::AddEmployee(true), 0, 0, 0),
    (0, Attempt::AddUser, 0, 0, 0),
    (0, Attempt::AddEmployee(true), 1, 0, 1),
    (0, Attempt::AddUser, 1, 0, 1),
    (0, Attempt::Link, 1, 0, 1),
    (0, Attempt::AddEmployee(true), 0, 0, 2),
    (0, Attempt::AddUser, 0, 0, 2),
    (0, Attempt::Link, 0, 0, 2),
];

/// How many access facts are attempted at most, those of [`AT_WORK`] apart.
const MAXIMUM_ATTEMPTS: usize = 24;

/// Services that are ended are taken up again by somebody at once, so that work of that very instant counts (R73).
fn taken_up_again((number, attempt, partner, client, person): Step) -> Option<Step> {
    matches!(attempt, Attempt::EndServices).then_some((number, Attempt::Link, partner, client, person))
}

/// A log of access facts in which a tick is a day.
pub(crate) fn access_logs() -> impl Strategy<Value = Vec<AccessChange>> {
    steps().prop_map(|attempts| {
        let thinned = attempts.len().div_ceil(MAXIMUM_ATTEMPTS).max(1);
        let attempts = attempts.into_iter().step_by(thinned);
        let attempts = attempts.flat_map(|step| [Some(step), taken_up_again(step)]).flatten();
        let steps: Vec<Step> = AT_WORK.into_iter().chain(attempts).collect();
        let to_days = |time: Instant| day((time - tick(0)).num_seconds());
        let stretched = |change: AccessChange| AccessChange {
            effective_time: to_days(change.effective_time),
            record_time: to_days(change.record_time),
            ..change
        };
        legal_log(&steps).into_iter().map(stretched).collect()
    })
}

/// An activity without an id.
pub(crate) fn activities() -> impl Strategy<Value = Activity> {
    let client = prop_oneof![6 => Just(CLIENTS[0]), 1 => Just(CLIENTS[1])];
    let action = prop_oneof![9 => Just("form/edit"), 1 => Just("form/view")];
    let origin = prop_oneof![19 => Just(Origin::Person), 1 => Just(Origin::Workflow)];
    (client, prop::sample::select(&PEOPLE), instants(), action, origin).prop_map(
        |(client, person, occur_time, action, origin)| Activity {
            client: hub(client),
            id: "a".parse().expect("an activity id"),
            address: address(person),
            occur_time,
            action: ActivityAction::Catalogue(action.parse::<CatalogueAction>().expect("an action")),
            origin,
            target_object_id: None,
        },
    )
}

fn companions() -> impl Strategy<Value = Companion> {
    prop_oneof![
        16 => Just(Companion::None),
        1 => any::<Index>().prop_map(Companion::Repeat),
        1 => any::<Index>().prop_map(Companion::SameId),
        2 => any::<Index>().prop_map(Companion::Voiding),
    ]
}

/// Random worlds of some 10 to 50 arrivals.
pub(super) fn worlds() -> impl Strategy<Value = World> {
    let order = prop::sample::select(vec![Order::OnTime, Order::OldestFirst, Order::NewestFirst, Order::Any]);
    let activities = prop::collection::vec((activities(), companions()), 8..32);
    let work = (order, activities, prop::collection::vec(instants(), 32), 1..=3_usize)
        .prop_map(|(order, activities, moments, batch_size)| work(order, activities, moments, batch_size));
    let other_policy = prop::option::weighted(0.3, (instants(), policies()));
    let access = (access_logs(), 1..=3_usize).prop_map(|(log, batch_size)| recorded(&log, batch_size));
    (policies(), access, work, other_policy).prop_map(|(policy, access, work, other_policy)| {
        let other_policy = other_policy.map(|(moment, policy)| (moment, Arrival::Policy(Box::new(policy))));
        let mut arrivals: Vec<_> = access.into_iter().chain(work).chain(other_policy).collect();
        arrivals.sort_by_key(|(moment, _)| *moment);
        World { policy, arrivals: arrivals.into_iter().map(|(_, arrival)| arrival).collect() }
    })
}

/// Batches of access facts with the moment at which they arrive: a late one with those before it.
fn recorded(log: &[AccessChange], batch_size: usize) -> Vec<(Instant, Arrival)> {
    let moments = log.chunks(batch_size).scan(Instant::MIN_UTC, |latest, batch| {
        *latest = batch.iter().map(|change| change.effective_time).fold(*latest, Instant::max);
        Some((*latest, Arrival::Access(batch.to_vec())))
    });
    moments.collect()
}

/// Batches of activities, and voidings, each with the moment at which it arrives.
fn work(
    order: Order,
    mut drawn: Vec<(Activity, Companion)>,
    mut moments: Vec<Instant>,
    batch_size: usize,
) -> Vec<(Instant, Arrival)> {
    match order {
        Order::Any => {}
        Order::OnTime | Order::OldestFirst => drawn.sort_by_key(|(activity, _)| activity.occur_time),
        Order::NewestFirst => drawn.sort_by_key(|(activity, _)| Reverse(activity.occur_time)),
    }
    moments.sort_unstable();
    let ids = (1..).map(|number| format!("a{number}").parse().expect("an activity id"));
    let numbered: Vec<Activity> =
        drawn.iter().zip(ids).map(|((each, _), id)| Activity { id, ..each.clone() }).collect();
    let mut arrivals = Vec::new();
    let batches = numbered.chunks(batch_size).zip(drawn.chunks(batch_size)).zip(moments);
    for (number, ((batch, drawn), moment)) in batches.enumerate() {
        let so_far = &numbered[..number * batch_size + batch.len()];
        let moment = if order == Order::OnTime { batch[batch.len() - 1].occur_time } else { moment };
        let mut batch = batch.to_vec();
        let mut voidings = Vec::new();
        for (another, companion) in drawn {
            match companion {
                Companion::None => {}
                Companion::Repeat(index) => batch.push(index.get(so_far).clone()),
                Companion::SameId(index) => {
                    let Activity { client, id, .. } = index.get(so_far).clone();
                    batch.push(Activity { client, id, ..another.clone() });
                }
                Companion::Voiding(index) => {
                    let Activity { client, id, .. } = index.get(so_far).clone();
                    voidings.push(Arrival::Voiding((client, id)));
                }
            }
        }
        let arrived = [Arrival::Activities(batch)].into_iter().chain(voidings);
        arrivals.extend(arrived.map(|arrival| (moment, arrival)));
    }
    arrivals
}
