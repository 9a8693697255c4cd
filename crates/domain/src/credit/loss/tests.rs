use std::collections::BTreeMap;

use super::*;
use crate::access::EndingCause;
use crate::credit::testing::{at, hub};
use crate::credit::world::POLICY;
use crate::credit::{CountryHistory, ServicingFacts, SubscriptionHistory};
use crate::tier::{CreditedTiers, TierChange, TierHistory};

const PARTNER: i64 = 11;
const JANUARY: &str = "2024-01-01T00:00:00Z";
const FEBRUARY: &str = "2024-02-01T00:00:00Z";
const MARCH: &str = "2024-03-01T00:00:00Z";

fn period(start: &str, end: &str, end_cause: PeriodEndCause) -> ServicingPeriod {
    ServicingPeriod { start: at(start), end: at(end), end_cause }
}

/// Since when the partner has earned, of one with the periods of each minimum that had its tiers from those times on.
fn earning_since(
    periods: impl IntoIterator<Item = (u32, Vec<ServicingPeriod>)>,
    tiers: &[(&str, Option<Tier>)],
    as_of: &str,
) -> Option<Instant> {
    let work = ServicingFacts { periods: periods.into_iter().collect(), last_activity_time: None };
    let facts = CreditFacts {
        client: hub(2002),
        countries: CountryHistory::default(),
        subscriptions: SubscriptionHistory::default(),
        servicing: BTreeMap::from([(hub(PARTNER), work)]),
        sold: Vec::new(),
    };
    let changes =
        (1..).zip(tiers).map(|(position, (time, tier))| TierChange { position, effective_time: at(time), tier: *tier });
    let tiers = CreditedTiers::from_iter([(hub(PARTNER), TierHistory::from_changes(changes))]);
    facts.earning_since(hub(PARTNER), Terms { policy: &POLICY, tiers: &tiers }, at(as_of))
}

#[test]
fn r73_work_of_the_very_instant_of_an_ending_begins_to_earn_anew() {
    let ended = period(JANUARY, FEBRUARY, PeriodEndCause::Ended(EndingCause::ServicesEnded));
    let anew = period(FEBRUARY, MARCH, PeriodEndCause::Lapsed);
    let periods = [(1, vec![ended, anew])];
    assert_eq!(earning_since(periods.clone(), &[], "2024-01-31T23:59:59.999999Z"), Some(at(JANUARY)));
    assert_eq!(earning_since(periods, &[], FEBRUARY), Some(at(FEBRUARY)));
}

#[test]
fn r57_a_minimum_that_falls_at_the_instant_at_which_the_larger_one_lapses_leaves_no_gap() {
    let periods = [
        (1, vec![period(JANUARY, MARCH, PeriodEndCause::Lapsed)]),
        (2, vec![period(JANUARY, FEBRUARY, PeriodEndCause::Lapsed)]),
    ];
    let elite_in_january = [("2023-01-01T00:00:00Z", Some(Tier::Elite)), (FEBRUARY, None)];
    assert_eq!(earning_since(periods.clone(), &elite_in_january, FEBRUARY), Some(at(JANUARY)));
    // One that stays is a gap.
    assert_eq!(earning_since(periods, &elite_in_january[..1], FEBRUARY), Some(at(FEBRUARY)));
}
