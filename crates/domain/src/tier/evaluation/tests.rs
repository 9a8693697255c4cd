use chrono::{Datelike, Months};
use proptest::prelude::*;

use super::*;
use crate::access::testing::at;
use crate::testing::cases;
use EvaluationOutcome as Outcome;

const DIAMOND: Option<Tier> = Some(Tier::Diamond);
const PLATINUM: Option<Tier> = Some(Tier::Platinum);
const GOLD: Option<Tier> = Some(Tier::Gold);

fn snapshot(time: &str, met: Option<Tier>) -> TierSnapshot {
    TierSnapshot { time: at(time), points: TierPoints::default(), met, certified: true }
}

/// The snapshots of the window of 15 July 2025, that of the day itself last.
fn window(met: [Option<Tier>; 6]) -> Vec<TierSnapshot> {
    let months = ["02", "03", "04", "05", "06", "07"];
    months.iter().zip(met).map(|(month, met)| snapshot(&format!("2025-{month}-15T00:00:00Z"), met)).collect()
}

fn evaluated(held: HeldTier, snapshots: &[TierSnapshot]) -> (Option<Tier>, Outcome) {
    let (today, earlier) = snapshots.split_last().expect("a snapshot of today");
    let evaluation = evaluate(held, earlier, today);
    assert_eq!(evaluation.before, held.tier);
    (evaluation.after, evaluation.outcome)
}

fn long_held(tier: Option<Tier>) -> HeldTier {
    HeldTier { tier, since: Some(at("2024-01-15T00:00:00Z")) }
}

#[test]
fn example_17_a_tier_falls_to_the_highest_met_in_the_window_and_stays_if_it_was_met_once() {
    let platinum_once = window([PLATINUM, GOLD, GOLD, GOLD, GOLD, GOLD]);
    assert_eq!(evaluated(long_held(DIAMOND), &platinum_once), (PLATINUM, Outcome::Lowered));
    let diamond_once = window([GOLD, GOLD, GOLD, DIAMOND, GOLD, GOLD]);
    assert_eq!(evaluated(long_held(DIAMOND), &diamond_once), (DIAMOND, Outcome::Kept));
}

#[test]
fn r100_what_was_met_before_the_window_does_not_keep_a_tier() {
    let mut snapshots = window([GOLD; 6]);
    snapshots.insert(0, snapshot("2025-01-15T00:00:00Z", DIAMOND));
    assert_eq!(evaluated(long_held(DIAMOND), &snapshots), (GOLD, Outcome::Lowered));
    assert_eq!(evaluated(long_held(DIAMOND), &window([None; 6])), (None, Outcome::Lowered));
}

#[test]
fn r104_of_the_day_itself_only_the_snapshot_of_today_speaks() {
    let mut snapshots = window([GOLD; 6]);
    snapshots.insert(0, snapshot("2025-07-15T00:00:00Z", DIAMOND));
    assert_eq!(evaluated(long_held(DIAMOND), &snapshots), (GOLD, Outcome::Lowered));
}

#[test]
fn the_outcomes_have_names_that_read_back() {
    let names = Outcome::ALL.map(Outcome::as_str);
    assert_eq!(names, ["RAISED", "KEPT", "PROTECTED", "LOWERED", "CERTIFICATION_EXPIRED"]);
    assert_eq!(names.map(|name| name.parse()), Outcome::ALL.map(Ok));
    assert_eq!("raised".parse::<Outcome>(), Err(EvaluationOutcomeError));
}

#[test]
fn r100_a_tier_reached_less_than_six_months_ago_does_not_fall() {
    let reached = |since| HeldTier { tier: DIAMOND, since: Some(at(since)) };
    let snapshots = window([GOLD; 6]);
    assert_eq!(evaluated(reached("2025-01-15T00:00:00.000001Z"), &snapshots), (DIAMOND, Outcome::Protected));
    assert_eq!(evaluated(reached("2025-01-15T00:00:00Z"), &snapshots), (GOLD, Outcome::Lowered));
}

#[test]
fn r100_on_any_other_fifteenth_a_tier_does_not_fall() {
    let august = [snapshot("2025-08-15T00:00:00Z", None)];
    assert_eq!(evaluated(long_held(DIAMOND), &august), (DIAMOND, Outcome::Kept));
    let expired = [TierSnapshot { certified: false, ..august[0] }];
    assert_eq!(evaluated(long_held(DIAMOND), &expired), (DIAMOND, Outcome::Kept));
}

#[test]
fn r103_without_a_certification_on_a_re_evaluation_day_there_is_no_tier_whatever_the_points() {
    let mut snapshots = window([DIAMOND; 6]);
    snapshots[5].certified = false;
    assert_eq!(evaluated(long_held(DIAMOND), &snapshots), (None, Outcome::CertificationExpired));
    let reached_lately = HeldTier { tier: DIAMOND, since: Some(at("2025-07-01T00:00:00Z")) };
    assert_eq!(evaluated(reached_lately, &snapshots), (None, Outcome::CertificationExpired));
    assert_eq!(evaluated(HeldTier::default(), &snapshots), (None, Outcome::Kept));
}

#[test]
fn r99_a_partner_goes_up_by_the_snapshot_of_the_day_with_a_valid_certification() {
    let august = [snapshot("2025-08-15T00:00:00Z", PLATINUM)];
    assert_eq!(evaluated(HeldTier::default(), &august), (PLATINUM, Outcome::Raised));
    assert_eq!(evaluated(long_held(GOLD), &august), (PLATINUM, Outcome::Raised));
    assert_eq!(evaluated(long_held(PLATINUM), &august), (PLATINUM, Outcome::Kept));
    let without = [TierSnapshot { certified: false, ..august[0] }];
    assert_eq!(evaluated(long_held(GOLD), &without), (GOLD, Outcome::Kept));
}

#[test]
fn r105_elite_is_never_reached_by_points_but_said_to_be_eligible() {
    let august = snapshot("2025-08-15T00:00:00Z", Some(Tier::Elite));
    let raised = evaluate(long_held(PLATINUM), &[], &august);
    assert_eq!((raised.after, raised.outcome, raised.elite_eligible), (DIAMOND, Outcome::Raised, true));
    let elite = evaluate(long_held(Some(Tier::Elite)), &[], &august);
    assert_eq!((elite.after, elite.outcome, elite.elite_eligible), (Some(Tier::Elite), Outcome::Kept, false));
    let july = TierSnapshot { time: at("2025-07-15T00:00:00Z"), met: DIAMOND, ..august };
    let fallen = evaluate(long_held(Some(Tier::Elite)), &[], &july);
    assert_eq!((fallen.after, fallen.outcome, fallen.elite_eligible), (DIAMOND, Outcome::Lowered, false));
}

/// What a month brings: the tier that is met, and whether the certification is valid.
fn months() -> impl Strategy<Value = Vec<(Option<Tier>, bool)>> {
    let met = prop_oneof![
        2 => Just(None),
        3 => Just(GOLD),
        3 => Just(PLATINUM),
        2 => Just(DIAMOND),
        1 => Just(Some(Tier::Elite)),
    ];
    prop::collection::vec((met, prop::bool::weighted(0.85)), 1..60)
}

/// The tier of each month, as the rules read: one after the other, by what was written down.
fn slow_reference(snapshots: &[TierSnapshot]) -> Vec<Option<Tier>> {
    let (mut tier, mut since) = (None, None);
    let mut tiers = Vec::new();
    for (index, today) in snapshots.iter().enumerate() {
        let is_lowering = [1, 7].contains(&today.time.month());
        let best_today = if today.certified { today.met.map(|met| met.min(Tier::Diamond)) } else { None };
        // The last six snapshots are those of August to January, or of February to July.
        let of_window = &snapshots[index.saturating_sub(5)..=index];
        let was_met = |wanted: Tier| of_window.iter().any(|snapshot| snapshot.met >= Some(wanted));
        let next = match tier {
            held if best_today > held => best_today,
            None => None,
            held if !is_lowering => held,
            Some(_) if !today.certified => None,
            Some(held) if was_met(held) => Some(held),
            held if since.is_some_and(|since: Instant| today.time < since + Months::new(6)) => held,
            Some(_) => Tier::ALL.into_iter().rev().find(|lower| was_met(*lower)),
        };
        if next != tier {
            since = Some(today.time);
        }
        tier = next;
        tiers.push(tier);
    }
    tiers
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn r100_years_of_evaluations_agree_with_the_rules_read_one_after_the_other(months in months(), first in 0_u32..12) {
        let start = at("2024-01-15T00:00:00Z") + Months::new(first);
        let snapshots: Vec<TierSnapshot> = (0..).zip(&months).map(|(number, (met, certified))| TierSnapshot {
            time: start + Months::new(number),
            points: TierPoints::default(),
            met: *met,
            certified: *certified,
        }).collect();
        let expected = slow_reference(&snapshots);
        let mut held = HeldTier::default();
        for (index, today) in snapshots.iter().enumerate() {
            let evaluation = evaluate(held, &snapshots[..index], today);
            prop_assert_eq!(evaluation.after, expected[index], "{}", today.time);
            prop_assert!(evaluation.after >= held.tier || is_reevaluation(today.time), "lowered on {}", today.time);
            prop_assert!(evaluation.after <= held.tier || today.certified, "raised without a certification");
            prop_assert!(evaluation.after != Some(Tier::Elite));
            // The same once more is the same.
            prop_assert_eq!(evaluation, evaluate(held, &snapshots[..index], today));
            if evaluation.after != held.tier {
                held = HeldTier { tier: evaluation.after, since: Some(today.time) };
            }
        }
    }
}
