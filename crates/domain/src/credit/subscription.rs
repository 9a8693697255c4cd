//! What a client pays: its subscriptions and their MRR over time (R2, R11, R77, R79).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use chrono::SecondsFormat;
use thiserror::Error;

use crate::money::{Currency, Money};
use crate::time::Instant;

/// The most subscriptions that one client has, the ended ones included. So many of the largest amounts still add up
/// within 64 bits.
pub const MAXIMUM_SUBSCRIPTIONS: usize = 1_000;

/// The longest subscription id, in characters.
const MAXIMUM_ID_CHARACTERS: usize = 64;

/// The caller's id of a subscription, unique within its client: 1 to 64 of the characters that need no escape in a
/// resource name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubscriptionId(String);

/// A text that is no subscription id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a subscription id is 1 to 64 characters of a-z, A-Z, 0-9 and . _ ~ -")]
pub struct SubscriptionIdError;

impl SubscriptionId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SubscriptionId {
    type Err = SubscriptionIdError;

    fn from_str(text: &str) -> Result<Self, SubscriptionIdError> {
        if is_callers_id(text) { Ok(Self(text.to_owned())) } else { Err(SubscriptionIdError) }
    }
}

/// Whether a text is an id of a caller's: 1 to 64 of the characters that need no escape in a resource name.
pub(super) fn is_callers_id(text: &str) -> bool {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte));
    is_plain && (1..=MAXIMUM_ID_CHARACTERS).contains(&text.len())
}

impl fmt::Display for SubscriptionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// One recorded change: from `effective_time` on, the subscription costs `mrr` a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubscriptionChange {
    /// The subscription, of the client whose history this is.
    pub subscription: SubscriptionId,
    /// Its place in the log; it orders changes of one effective time.
    pub position: u64,
    /// When the MRR became this.
    pub effective_time: Instant,
    /// The monthly amount; zero is a subscription that is not paid for, or has ended (R77).
    pub mrr: Money,
}

/// A client's MRR at some instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mrr {
    /// Nothing was recorded that was effective by then; it is not zero (R127).
    Unknown,
    /// The sum of the subscriptions in force (R79).
    Known {
        /// The sum; zero where no subscription is paid for (R11).
        mrr: Money,
        /// Since when it has been this amount without a break.
        since: Instant,
    },
}

/// What an update that is legal would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscriptionUpdate {
    /// It is to be recorded, also where it changes nothing yet: what arrives later and is effective before must not
    /// speak in its place.
    Records,
    /// It says again what was recorded for that very instant, or, without an instant of its own, what is paid now.
    Repeats {
        /// Since when the subscription has cost that.
        since: Instant,
    },
}

/// Why a change of a subscription is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SubscriptionRefusal {
    /// A change takes effect when it is made or earlier, never later (R22).
    #[error("the effective time {effective} is after now, {now}; a subscription changes now or earlier",
        effective = rfc_3339(*.effective_time), now = rfc_3339(*.now))]
    EffectiveTimeInFuture {
        /// What was asked.
        effective_time: Instant,
        /// The clock.
        now: Instant,
    },
    /// The client already has a subscription of this id.
    #[error("subscription {} exists already, since {}", .existing.subscription, rfc_3339(.existing.effective_time))]
    AlreadyExists {
        /// The change that created it.
        existing: SubscriptionChange,
        /// The fields in which the request differs from it, of `mrr` and `effective_time`; empty where it is a repeat.
        differing_fields: Vec<&'static str>,
    },
    /// The client has no subscription of this id.
    #[error("the client has no subscription {subscription}; create it first")]
    UnknownSubscription {
        /// What was asked.
        subscription: SubscriptionId,
    },
    /// The subscription begins after the effective time of the update.
    #[error("subscription {subscription} begins at {}; an update is effective then or later", rfc_3339(*.begin_time))]
    NotYetBegun {
        /// What was asked.
        subscription: SubscriptionId,
        /// When it begins.
        begin_time: Instant,
    },
    /// Two subscriptions of the client would be paid for in different currencies at one instant (R79).
    #[error("the client pays in {other} at {}; its subscriptions are of one currency at any instant, so {currency} \
        does not fit", rfc_3339(*.time))]
    OtherCurrency {
        /// The currency of the request.
        currency: Currency,
        /// The currency of what the client pays besides.
        other: Currency,
        /// The first instant at which they would meet.
        time: Instant,
    },
    /// The client has as many subscriptions as a client may have.
    #[error("the client has {} subscriptions, which is the most that a client may have", MAXIMUM_SUBSCRIPTIONS)]
    TooManySubscriptions,
    /// The MRR of the client would be more than the largest amount.
    #[error("the client's subscriptions would add up to more than {} minor units at {}", Money::MAXIMUM_MINOR_UNITS,
        rfc_3339(*.time))]
    SumTooLarge {
        /// The first instant at which they would.
        time: Instant,
    },
}

/// The subscriptions of one client, made of all of its recorded changes in any order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SubscriptionHistory {
    /// By (effective time, position).
    changes: Vec<SubscriptionChange>,
    /// What they make together, in order.
    amounts: Vec<Amount>,
}

/// What a client pays from an instant on, until the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Amount {
    time: Instant,
    mrr: Money,
    /// Since when it has been this amount without a break.
    since: Instant,
}

impl SubscriptionHistory {
    /// The history that one client's changes make; a subset of them makes another answer.
    pub fn from_changes(changes: impl IntoIterator<Item = SubscriptionChange>) -> Self {
        let mut changes: Vec<_> = changes.into_iter().collect();
        changes.sort_by_key(|change| (change.effective_time, change.position));
        let amounts = amounts(&changes);
        Self { changes, amounts }
    }

    /// Adds one change, wherever it belongs.
    pub fn record(&mut self, change: SubscriptionChange) {
        let key = (change.effective_time, change.position);
        let place = self.changes.partition_point(|other| (other.effective_time, other.position) <= key);
        self.changes.insert(place, change);
        self.amounts = amounts(&self.changes);
    }

    /// Every change, by effective time, then position.
    #[must_use]
    pub fn changes(&self) -> &[SubscriptionChange] {
        &self.changes
    }

    /// The MRR at an instant, of a history whose changes were admitted: of each subscription, the latest change that is
    /// effective by then counts.
    #[must_use]
    pub fn mrr_at(&self, at: Instant) -> Mrr {
        let by_then = &self.amounts[..self.amounts.partition_point(|amount| amount.time <= at)];
        by_then.last().map_or(Mrr::Unknown, |amount| Mrr::Known { mrr: amount.mrr, since: amount.since })
    }

    /// Every subscription that has begun by an instant, by id, with the change that is in force then.
    #[must_use]
    pub fn in_force_at(&self, at: Instant) -> BTreeMap<&SubscriptionId, &SubscriptionChange> {
        let by_then = self.changes.iter().filter(|change| change.effective_time <= at);
        by_then.map(|change| (&change.subscription, change)).collect()
    }

    /// The position of a subscription's last change of all, if it exists.
    #[must_use]
    pub fn last_position(&self, subscription: &SubscriptionId) -> Option<u64> {
        self.changes_of(subscription).map(|change| change.position).max()
    }

    /// Whether a subscription may be created. The history must hold every change of the client.
    ///
    /// # Errors
    /// A time after `now`, an id that exists, one subscription too many, another currency, too large a sum.
    pub fn admit_creation(
        &self,
        subscription: &SubscriptionId,
        effective_time: Instant,
        mrr: Money,
        now: Instant,
    ) -> Result<(), SubscriptionRefusal> {
        if let Some(existing) = self.changes_of(subscription).next() {
            let differences =
                [("mrr", existing.mrr != mrr), ("effective_time", existing.effective_time != effective_time)];
            let differing_fields = differences.into_iter().filter_map(|(field, differs)| differs.then_some(field));
            return Err(SubscriptionRefusal::AlreadyExists {
                existing: existing.clone(),
                differing_fields: differing_fields.collect(),
            });
        }
        refuse_the_future(effective_time, now)?;
        let subscriptions: BTreeSet<_> = self.changes.iter().map(|change| &change.subscription).collect();
        if subscriptions.len() >= MAXIMUM_SUBSCRIPTIONS {
            return Err(SubscriptionRefusal::TooManySubscriptions);
        }
        self.admit_amount(subscription, effective_time, mrr)
    }

    /// Whether the MRR of a subscription may change from an instant on; without one, from now on. The history must hold
    /// every change of the client.
    ///
    /// # Errors
    /// A time after `now`, an id that does not exist or begins later, another currency, too large a sum.
    pub fn admit_update(
        &self,
        subscription: &SubscriptionId,
        effective_time: Option<Instant>,
        mrr: Money,
        now: Instant,
    ) -> Result<SubscriptionUpdate, SubscriptionRefusal> {
        let stated_time = effective_time;
        let effective_time = effective_time.unwrap_or(now);
        refuse_the_future(effective_time, now)?;
        let Some(creation) = self.changes_of(subscription).next() else {
            return Err(SubscriptionRefusal::UnknownSubscription { subscription: subscription.clone() });
        };
        let in_force =
            self.changes_of(subscription).take_while(|change| change.effective_time <= effective_time).last();
        match in_force {
            None => Err(SubscriptionRefusal::NotYetBegun {
                subscription: subscription.clone(),
                begin_time: creation.effective_time,
            }),
            Some(present)
                if present.mrr == mrr && stated_time.is_none_or(|stated| present.effective_time == stated) =>
            {
                Ok(SubscriptionUpdate::Repeats { since: present.effective_time })
            }
            Some(_) => {
                self.admit_amount(subscription, effective_time, mrr)?;
                Ok(SubscriptionUpdate::Records)
            }
        }
    }

    fn changes_of<'a>(&'a self, subscription: &'a SubscriptionId) -> impl Iterator<Item = &'a SubscriptionChange> {
        self.changes.iter().filter(move |change| change.subscription == *subscription)
    }

    /// Judges the whole timeline with the change in it: a change in the past meets what was recorded for later (R79).
    fn admit_amount(
        &self,
        subscription: &SubscriptionId,
        effective_time: Instant,
        mrr: Money,
    ) -> Result<(), SubscriptionRefusal> {
        let mut with_change = self.clone();
        // Whatever its position will be, it is the highest so far.
        with_change.record(SubscriptionChange {
            subscription: subscription.clone(),
            position: u64::MAX,
            effective_time,
            mrr,
        });
        for Step { time, in_force, .. } in steps(&with_change.changes) {
            if in_force.iter().any(|sum| sum.minor_units > Money::MAXIMUM_MINOR_UNITS) {
                return Err(SubscriptionRefusal::SumTooLarge { time });
            }
            if let [first, second, ..] = in_force[..] {
                let other = if first.currency == mrr.currency { second.currency } else { first.currency };
                return Err(SubscriptionRefusal::OtherCurrency { currency: mrr.currency, other, time });
            }
        }
        Ok(())
    }
}

/// What a client pays from an instant on, until the next step.
struct Step {
    time: Instant,
    /// The sums of the subscriptions that are paid for, by currency; more than one breaks R79.
    in_force: Vec<Money>,
    /// The currency of the latest change: that of the client while nothing is paid for.
    latest_currency: Currency,
}

impl Step {
    fn mrr(&self) -> Money {
        self.in_force.first().copied().unwrap_or(Money::zero(self.latest_currency))
    }
}

/// What changes that come by (effective time, position) make together.
fn amounts(changes: &[SubscriptionChange]) -> Vec<Amount> {
    let mut amounts: Vec<Amount> = Vec::new();
    for step in steps(changes) {
        let (time, mrr) = (step.time, step.mrr());
        let unbroken = amounts.last().filter(|last| last.mrr == mrr).map(|last| last.since);
        amounts.push(Amount { time, mrr, since: unbroken.unwrap_or(time) });
    }
    amounts
}

/// One step for each effective time of changes that come by (effective time, position).
fn steps<'a>(changes: impl IntoIterator<Item = &'a SubscriptionChange>) -> Vec<Step> {
    let mut latest: BTreeMap<&SubscriptionId, Money> = BTreeMap::new();
    let mut sums: Vec<Money> = Vec::new();
    let mut steps: Vec<Step> = Vec::new();
    for change in changes {
        if let Some(previous) = latest.insert(&change.subscription, change.mrr) {
            add(&mut sums, previous.currency, -previous.minor_units);
        }
        add(&mut sums, change.mrr.currency, change.mrr.minor_units);
        steps.pop_if(|step| step.time == change.effective_time);
        steps.push(Step {
            time: change.effective_time,
            in_force: sums.iter().filter(|sum| sum.minor_units > 0).copied().collect(),
            latest_currency: change.mrr.currency,
        });
    }
    steps
}

/// Adds to the sum of a currency. It stays within 64 bits, because a client has at most [`MAXIMUM_SUBSCRIPTIONS`].
fn add(sums: &mut Vec<Money>, currency: Currency, minor_units: i64) {
    match sums.iter_mut().find(|sum| sum.currency == currency) {
        Some(sum) => sum.minor_units = sum.minor_units.saturating_add(minor_units),
        None => sums.push(Money { currency, minor_units }),
    }
}

fn refuse_the_future(effective_time: Instant, now: Instant) -> Result<(), SubscriptionRefusal> {
    if effective_time > now {
        return Err(SubscriptionRefusal::EffectiveTimeInFuture { effective_time, now });
    }
    Ok(())
}

fn rfc_3339(instant: Instant) -> String {
    instant.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}

#[cfg(test)]
mod tests;
