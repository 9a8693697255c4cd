//! The points of a partner over time: past, present and forecast alike (R121).

use std::collections::BTreeMap;

use chrono::{Months, TimeDelta};

use super::credit_facts::{CreditFacts, Terms};
use super::totals::{ClientPoints, PartnerPoints};
use crate::access::HubId;
use crate::time::{FIRST_STORABLE, Instant, LAST_STORABLE, SECONDS_PER_DAY};

/// How many calendar months before now a timeline begins where nothing is said (R121).
const MONTHS_BACK: Months = Months::new(6);

/// How many calendar months after now it ends where nothing is said (R121).
const MONTHS_AHEAD: Months = Months::new(3);

/// The most days of 24 hours that a timeline, or a list of changes, spans: five years.
pub const MAXIMUM_TIMELINE_DAYS: i64 = 1_830;

/// From when on a timeline shows points where nothing is said.
#[must_use]
pub fn timeline_start(now: Instant) -> Instant {
    now.checked_sub_months(MONTHS_BACK).unwrap_or(FIRST_STORABLE)
}

/// Until when it shows them where nothing is said: so far ahead of now, or of a start that is later.
#[must_use]
pub fn timeline_end(start: Instant, now: Instant) -> Instant {
    let ahead = start.max(now).checked_add_months(MONTHS_AHEAD);
    ahead.map_or(LAST_STORABLE, |ahead| ahead.min(LAST_STORABLE))
}

/// Whether a timeline, or a list of changes, may span that.
#[must_use]
pub fn is_timeline_stretch(start: Instant, end: Instant) -> bool {
    start <= end && end - start <= TimeDelta::days(MAXIMUM_TIMELINE_DAYS)
}

/// How totals became others between two instants.
#[derive(Debug, Clone)]
pub struct PointsTimeline {
    from: Instant,
    at_start: PartnerPoints,
    /// The difference to what was just before, by instant; none that is nothing.
    differences: BTreeMap<Instant, PartnerPoints>,
}

impl PointsTimeline {
    /// The timeline of nothing, from an instant on.
    #[must_use]
    pub fn starting(from: Instant) -> Self {
        Self { from, at_start: PartnerPoints::default(), differences: BTreeMap::new() }
    }

    /// Adds what a client brings a partner from the start until `to`. `facts` hold the periods of all partners that overlap
    /// that time.
    pub fn add_client(&mut self, facts: &CreditFacts, partner: HubId, terms: Terms<'_>, to: Instant) {
        let mut points = ClientPoints::of(facts, partner, terms, self.from);
        self.at_start.add(&points);
        for turn in facts.turns(terms, self.from, to) {
            let after = ClientPoints::of(facts, partner, terms, turn);
            self.differ(turn, &points, &after);
            points = after;
        }
    }

    fn differ(&mut self, turn: Instant, before: &ClientPoints, after: &ClientPoints) {
        if before == after {
            return;
        }
        let difference = self.differences.entry(turn).or_default();
        difference.take_off(before);
        difference.add(after);
        if *difference == PartnerPoints::default() {
            self.differences.remove(&turn);
        }
    }

    /// The totals at the start and from every instant on at which they became others.
    #[must_use]
    pub fn change_points(&self) -> Vec<(Instant, PartnerPoints)> {
        let mut total = self.at_start;
        let later = self.differences.iter().map(|(turn, difference)| {
            total = total.plus(*difference);
            (*turn, total)
        });
        [(self.from, self.at_start)].into_iter().chain(later).collect()
    }

    /// The totals of the start and of every 24 hours after it, until `to`, itself included where it is one.
    #[must_use]
    pub fn daily(&self, to: Instant) -> Vec<(Instant, PartnerPoints)> {
        let next = |day: &Instant| day.checked_add_signed(TimeDelta::seconds(SECONDS_PER_DAY));
        self.at_each(std::iter::successors(Some(self.from), next).take_while(|day| *day <= to))
    }

    /// The totals at these instants, which are in order and not before the start.
    fn at_each(&self, instants: impl IntoIterator<Item = Instant>) -> Vec<(Instant, PartnerPoints)> {
        let mut total = self.at_start;
        let mut ahead = self.differences.iter().peekable();
        let mut sampled = Vec::new();
        for instant in instants {
            while let Some((_, difference)) = ahead.next_if(|(turn, _)| **turn <= instant) {
                total = total.plus(*difference);
            }
            sampled.push((instant, total));
        }
        sampled
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::credit::testing::{at, hub};
    use crate::credit::world::{PARTNERS, POLICY, clients, day, tiers};
    use crate::testing::cases;

    #[test]
    fn r121_a_timeline_shows_six_months_back_and_three_ahead() {
        let now = at("2025-08-31T12:00:00Z");
        assert_eq!(timeline_start(now), at("2025-02-28T12:00:00Z"));
        assert_eq!(timeline_end(timeline_start(now), now), at("2025-11-30T12:00:00Z"));
        assert_eq!(timeline_end(at("2026-01-01T00:00:00Z"), now), at("2026-04-01T00:00:00Z"));
        assert_eq!(timeline_end(LAST_STORABLE, now), LAST_STORABLE);
    }

    #[test]
    fn a_timeline_spans_five_years_at_most_and_never_turns_back() {
        let start = at("2025-01-01T00:00:00Z");
        let end = start + TimeDelta::days(MAXIMUM_TIMELINE_DAYS);
        assert!(is_timeline_stretch(start, start) && is_timeline_stretch(start, end));
        assert!(!is_timeline_stretch(start, end + TimeDelta::microseconds(1)));
        assert!(!is_timeline_stretch(end, start));
    }

    proptest! {
        #![proptest_config(cases(100))]

        #[test]
        fn r121_a_timeline_has_the_totals_of_every_day_and_of_every_instant_at_which_they_change(
            clients in prop::collection::vec(clients(), 1..4),
            tiers in tiers(),
        ) {
            let terms = Terms { policy: &POLICY, tiers: &tiers };
            let partner = hub(PARTNERS[0]);
            let mut timeline = PointsTimeline::starting(day(100));
            for facts in &clients {
                timeline.add_client(facts, partner, terms, day(800));
            }
            let total = |at| {
                let mut total = PartnerPoints::default();
                clients.iter().for_each(|facts| total.add(&ClientPoints::of(facts, partner, terms, at)));
                total
            };
            let daily = timeline.daily(day(800));
            prop_assert_eq!(daily.len(), 701);
            for (at, found) in daily {
                prop_assert_eq!(found, total(at));
            }
            let points = timeline.change_points();
            prop_assert_eq!(points[0], (day(100), total(day(100))));
            for pair in points.windows(2) {
                prop_assert!(pair[0].0 < pair[1].0 && pair[0].1 != pair[1].1);
                prop_assert_eq!(pair[1].1, total(pair[1].0));
            }
        }
    }
}
