//! Everything that the credit of one client depends on, and what it says of any partner at any instant.

use std::collections::{BTreeMap, BTreeSet};

use super::managed_credit::{CreditQuestion, ManagedCredit, PointsOutcome, managed_credit};
use super::relationship::{Relationship, StoredRelationship, stored_relationship};
use super::sold::{self, SaleKind, SoldCredit};
use super::split::ServicingPartner;
use super::subscription::SubscriptionHistory;
use crate::access::{CountryCode, HubId};
use crate::policy::Policy;
use crate::servicing::ServicingPeriod;
use crate::tier::CreditedTiers;
use crate::time::Instant;

/// How many activities make a relationship, whatever a tier needs (R57).
pub const RELATIONSHIP_MINIMUM: u32 = 1;

/// What holds for all clients alike: the programme's numbers, and the tiers that partners are credited with.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// The programme's numbers.
    pub policy: &'a Policy,
    /// The tiers, at least of every partner that services a client asked about.
    pub tiers: &'a CreditedTiers,
}

impl Terms<'_> {
    /// How many live activities a partner needs per client at an instant, by the tier that it is credited with then (R57).
    #[must_use]
    pub fn minimum_of(&self, partner: HubId, at: Instant) -> u32 {
        self.policy.minimum_activities_at(self.tiers.credited_at(partner, at), at)
    }
}

/// The countries that a client was in (R63).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CountryHistory {
    /// Each with the instant from which on it is a fact, in order.
    countries: Vec<(Instant, CountryCode)>,
}

impl CountryHistory {
    /// A history of countries, each with the instant from which on it is a fact, in any order.
    #[must_use]
    pub fn from_countries(countries: impl IntoIterator<Item = (Instant, CountryCode)>) -> Self {
        let mut countries: Vec<_> = countries.into_iter().collect();
        countries.sort_by_key(|(since, _)| *since);
        Self { countries }
    }

    /// The country at an instant; none before the client is known.
    #[must_use]
    pub fn country_at(&self, at: Instant) -> Option<CountryCode> {
        let by_then = &self.countries[..self.countries.partition_point(|(since, _)| *since <= at)];
        by_then.last().map(|(_, country)| *country)
    }

    /// Since when the country of an instant is a fact; none before the client is known.
    #[must_use]
    pub fn country_since(&self, at: Instant) -> Option<Instant> {
        let country = self.country_at(at)?;
        let by_then = self.countries.iter().rev().skip_while(|(since, _)| *since > at);
        by_then.take_while(|(_, known)| *known == country).last().map(|(since, _)| *since)
    }

    fn turns(&self) -> impl Iterator<Item = Instant> {
        self.countries.iter().map(|(since, _)| *since)
    }
}

/// What is known of one client.
///
/// It answers for an instant exactly where `servicing` holds all periods of the partner asked about, and those of the others
/// that contain the instant.
#[derive(Debug, Clone)]
pub struct CreditFacts {
    /// The client account.
    pub client: HubId,
    /// Where it is; nowhere while access-management has not made it known (R79).
    pub countries: CountryHistory,
    /// What it pays.
    pub subscriptions: SubscriptionHistory,
    /// Who services it.
    pub servicing: BTreeMap<HubId, ServicingFacts>,
    /// What the partner asked about sold to it.
    pub sold: Vec<SoldCredit>,
}

/// What is known of the work of one partner at one client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServicingFacts {
    /// The periods of each minimum that the policy has ever known, made of everything known.
    pub periods: BTreeMap<u32, Vec<ServicingPeriod>>,
    /// When the last counted activity of all occurred.
    pub last_activity_time: Option<Instant>,
}

impl ServicingFacts {
    /// The periods of a minimum.
    #[must_use]
    pub fn periods_of(&self, minimum: u32) -> &[ServicingPeriod] {
        self.periods.get(&minimum).map_or(&[], Vec::as_slice)
    }

    /// Since when the relationship exists in which the partner earns at an instant with a minimum, if it does.
    fn earning_since(&self, minimum: u32, at: Instant) -> Option<Instant> {
        let relationship = self.period_at(RELATIONSHIP_MINIMUM, at)?;
        let earns = minimum == RELATIONSHIP_MINIMUM || self.period_at(minimum, at).is_some();
        earns.then_some(relationship.start)
    }

    pub(super) fn period_at(&self, minimum: u32, at: Instant) -> Option<&ServicingPeriod> {
        self.periods_of(minimum).iter().find(|period| period.start <= at && at < period.end)
    }
}

/// Of which instants the grounds of a credit are: all of one, or some of them just before the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Grounds {
    /// Units per point and multipliers.
    pub numbers: Instant,
    /// The client's country.
    pub country: Instant,
    /// What it pays.
    pub mrr: Instant,
    /// How many activities the partner needs.
    pub minimum: Instant,
    /// The partner's own work.
    pub own_work: Instant,
    /// The other partners, with their work and what they need.
    pub others: Instant,
}

impl Grounds {
    pub(super) const fn of(at: Instant) -> Self {
        Self { numbers: at, country: at, mrr: at, minimum: at, own_work: at, others: at }
    }
}

/// Of which instants the grounds of sold points are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SaleGrounds {
    /// Units per point, points of a step, and multipliers.
    pub numbers: Instant,
    /// The client's country.
    pub country: Instant,
    /// Which sales have run out.
    pub run_out: Instant,
    /// Which sales have closed.
    pub closed: Instant,
}

impl SaleGrounds {
    pub(super) const fn of(at: Instant) -> Self {
        Self { numbers: at, country: at, run_out: at, closed: at }
    }
}

impl CreditFacts {
    /// Who earns at an instant, each by its own tier's minimum, and since when its relationship exists (R6, R57, R97).
    #[must_use]
    pub fn servicing_partners(&self, terms: Terms<'_>, at: Instant) -> Vec<ServicingPartner> {
        self.earning(|partner| (terms.minimum_of(partner, at), at))
    }

    /// Who earns, each with a minimum and at an instant of its own.
    fn earning(&self, minimum_and_instant: impl Fn(HubId) -> (u32, Instant)) -> Vec<ServicingPartner> {
        let earning = |(partner, work): (&HubId, &ServicingFacts)| {
            let (minimum, at) = minimum_and_instant(*partner);
            Some(ServicingPartner { partner: *partner, serviced_since: work.earning_since(minimum, at)? })
        };
        self.servicing.iter().filter_map(earning).collect()
    }

    /// What the periods of a minimum say of the partner's relationship at an instant.
    #[must_use]
    pub fn relationship(&self, partner: HubId, minimum: u32, policy: &Policy, at: Instant) -> StoredRelationship {
        let (periods, last_activity_time) = match self.servicing.get(&partner) {
            Some(work) => (work.periods_of(minimum), work.last_activity_time),
            None => (&[][..], None),
        };
        stored_relationship(periods, last_activity_time, at, policy.longest_warning_days())
    }

    /// What the client is worth to a partner at an instant. Credit and points are right in any case; state and times are
    /// where [`StoredRelationship::speaks_of_later`] is not said of the relationship.
    #[must_use]
    pub fn credit(&self, partner: HubId, terms: Terms<'_>, at: Instant) -> ManagedCredit {
        self.credit_on(partner, terms, Grounds::of(at))
    }

    /// The same where it is known how the relationship stood: with a minimum of one, and with that of the tier.
    #[must_use]
    pub fn credit_with(
        &self,
        partner: HubId,
        terms: Terms<'_>,
        at: Instant,
        relationship: Relationship,
        earning: Relationship,
    ) -> ManagedCredit {
        managed_credit(&CreditQuestion {
            partner,
            client: self.client,
            country: self.countries.country_at(at),
            mrr: self.subscriptions.mrr_at(at),
            servicing_partners: &self.servicing_partners(terms, at),
            relationship,
            earning,
            policy: terms.policy,
            as_of: at,
        })
    }

    /// What the client would be worth if each of the grounds were as at its own instant.
    pub(super) fn credit_on(&self, partner: HubId, terms: Terms<'_>, grounds: Grounds) -> ManagedCredit {
        let minimum = terms.minimum_of(partner, grounds.minimum);
        let servicing_partners = self.earning(|other| {
            if other == partner {
                (minimum, grounds.own_work)
            } else {
                (terms.minimum_of(other, grounds.others), grounds.others)
            }
        });
        let relationship_with =
            |minimum| self.relationship(partner, minimum, terms.policy, grounds.own_work).relationship;
        let relationship = relationship_with(RELATIONSHIP_MINIMUM);
        managed_credit(&CreditQuestion {
            partner,
            client: self.client,
            country: self.countries.country_at(grounds.country),
            mrr: self.subscriptions.mrr_at(grounds.mrr),
            servicing_partners: &servicing_partners,
            relationship,
            earning: if minimum == RELATIONSHIP_MINIMUM { relationship } else { relationship_with(minimum) },
            policy: terms.policy,
            as_of: grounds.numbers,
        })
    }

    /// The partner's sold points at an instant.
    #[must_use]
    pub fn sold_points(&self, terms: Terms<'_>, at: Instant) -> PointsOutcome {
        self.sold_points_on(terms, SaleGrounds::of(at))
    }

    /// The part of them that is sourced.
    #[must_use]
    pub fn sourced_points(&self, terms: Terms<'_>, at: Instant) -> PointsOutcome {
        let grounds = SaleGrounds::of(at);
        let sourced = self.counted_sales(terms.policy, grounds).filter(|sale| sale.kind == SaleKind::Sourced);
        self.points_of(sourced, terms.policy, grounds)
    }

    /// What the sales would be worth if each of the grounds were as at its own instant.
    pub(super) fn sold_points_on(&self, terms: Terms<'_>, grounds: SaleGrounds) -> PointsOutcome {
        self.points_of(self.counted_sales(terms.policy, grounds), terms.policy, grounds)
    }

    /// The sales that have closed and not run out.
    pub fn counted_sales_at<'facts>(
        &'facts self,
        policy: &'facts Policy,
        at: Instant,
    ) -> impl Iterator<Item = &'facts SoldCredit> {
        self.counted_sales(policy, SaleGrounds::of(at))
    }

    fn counted_sales<'facts>(
        &'facts self,
        policy: &'facts Policy,
        grounds: SaleGrounds,
    ) -> impl Iterator<Item = &'facts SoldCredit> {
        self.sold.iter().filter(move |sale| {
            let has_run_out = policy.sold_credit_end(sale.close_time) <= grounds.run_out;
            sale.close_time <= grounds.closed && !has_run_out
        })
    }

    fn points_of<'facts>(
        &self,
        sales: impl Iterator<Item = &'facts SoldCredit>,
        policy: &Policy,
        grounds: SaleGrounds,
    ) -> PointsOutcome {
        sold::sum(sales.map(|sale| sale.points(self.countries.country_at(grounds.country), policy, grounds.numbers)))
    }

    /// Every instant after `from` and not after `to` at which any partner's credit or
    /// points can become others, or the sold points of the one asked about.
    #[must_use]
    pub fn turns(&self, terms: Terms<'_>, from: Instant, to: Instant) -> BTreeSet<Instant> {
        let mut turns: BTreeSet<Instant> = terms.policy.points_turns().collect();
        turns.extend(self.countries.turns());
        turns.extend(self.subscriptions.changes().iter().map(|change| change.effective_time));
        for (partner, work) in &self.servicing {
            turns.extend(work.periods.values().flatten().flat_map(|period| [period.start, period.end]));
            let changes = terms.tiers.history(*partner).into_iter().flat_map(|history| history.changes());
            turns.extend(changes.map(|change| change.effective_time));
        }
        let sales = self.sold.iter().map(|sale| sale.counted(terms.policy));
        turns.extend(sales.flat_map(|counted| [Some(counted.start), counted.end]).flatten());
        turns.retain(|turn| from < *turn && *turn <= to);
        turns
    }
}

#[cfg(test)]
mod tests;
