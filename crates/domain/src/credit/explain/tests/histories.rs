//! On whole random histories: the reason and the loss are those that a slow look at every instant finds, and whoever does
//! what the remedy says has credit afterwards (R126).

mod world;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};

use super::*;
use crate::credit::{LossCause, MinimumChange, NoCreditReason};
use crate::servicing::PeriodEndCause;
use crate::servicing::testing::slow_ending;
use crate::testing::cases;
use crate::time::Instant;
use world::{History, histories};

fn just_before(time: Instant) -> Instant {
    time - TimeDelta::microseconds(1)
}

/// How it stands at one instant, by looking at nothing but this instant.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Moment {
    live: usize,
    needed: usize,
    /// Absent where not known.
    pays: Option<bool>,
}

impl Moment {
    fn of(history: &History, at: Instant) -> Self {
        Self { live: history.live_at(at), needed: history.minimum_at(at), pays: history.pays_at(at) }
    }

    const fn earns(&self) -> bool {
        self.needed <= self.live
    }
}

/// Why there is no credit at the instant that is asked about.
fn slow_reason(history: &History) -> Option<NoCreditReason> {
    let now = Moment::of(history, history.as_of);
    if now.earns() {
        return match now.pays {
            Some(true) => None,
            Some(false) => Some(NoCreditReason::NoPaidSubscription),
            None => Some(NoCreditReason::MrrUnknown),
        };
    }
    if now.live > 0 {
        return Some(NoCreditReason::TierActivityMinimum);
    }
    let ended = history.turns().into_iter().rev().find(|turn| history.live_at(just_before(*turn)) > 0);
    Some(ended.map_or(NoCreditReason::NotManaged, |time| {
        let cause = slow_ending(&history.endings, time).map_or(PeriodEndCause::Lapsed, PeriodEndCause::Ended);
        NoCreditReason::from(cause)
    }))
}

/// What took the credit away at an instant, if anything did.
fn slow_cause(history: &History, time: Instant) -> Option<LossCause> {
    let (before, after) = (Moment::of(history, just_before(time)), Moment::of(history, time));
    if !before.earns() || before.pays == Some(false) {
        return None;
    }
    if after.earns() {
        return (before.pays == Some(true) && after.pays == Some(false)).then_some(LossCause::NoPaidSubscription);
    }
    let ending = slow_ending(&history.endings, time).map(LossCause::Ended);
    Some(ending.unwrap_or(match after.live {
        live if before.needed <= live => LossCause::MinimumRaised(MinimumChange {
            before: history.minimum_facts(just_before(time)),
            after: history.minimum_facts(time),
        }),
        0 => LossCause::Lapsed,
        _ => LossCause::BelowMinimum,
    }))
}

/// When what was done counted last before the loss: all that stopped counting at its instant.
fn slow_activities(history: &History, time: Instant, cause: LossCause) -> BTreeSet<Instant> {
    if matches!(cause, LossCause::NoPaidSubscription | LossCause::MinimumRaised(_)) {
        return BTreeSet::new();
    }
    let counted = history.counted.iter();
    let stopped =
        counted.filter(|activity| history.lives(activity, just_before(time)) && !history.lives(activity, time));
    stopped.map(|activity| activity.occur_time).collect()
}

fn slow_loss(history: &History) -> Option<(Instant, LossCause)> {
    if matches!(slow_reason(history), None | Some(NoCreditReason::MrrUnknown)) {
        return None;
    }
    history.turns().into_iter().rev().find_map(|turn| Some((turn, slow_cause(history, turn)?)))
}

/// A word for each thing that a history can come to.
fn outcome(history: &History) -> String {
    let reason = slow_reason(history).map_or("CREDIT".to_owned(), |reason| format!("{reason:?}"));
    let loss = slow_loss(history).map_or("never", |(_, cause)| match cause {
        LossCause::Ended(cause) => cause.as_str(),
        LossCause::Lapsed => "Lapsed",
        LossCause::BelowMinimum => "BelowMinimum",
        LossCause::MinimumRaised(_) => "MinimumRaised",
        LossCause::NoPaidSubscription => "NoPaidSubscription",
    });
    format!("{reason}, lost: {loss}")
}

/// Where a remedy tells what lies with others alone.
fn is_out_of_hand(remedy: &Remedy) -> bool {
    let lies_with_others =
        |kind| matches!(kind, RemedyStepKind::NothingHelps | RemedyStepKind::JoinProgramme | RemedyStepKind::AddClient);
    remedy.steps.iter().any(|step| lies_with_others(step.kind))
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn r126_the_reason_and_the_loss_are_those_of_a_look_at_every_instant(history in histories()) {
        let explanation = history.explain();
        let facts = history.facts();
        prop_assert_eq!(facts.credit.no_credit_reason, slow_reason(&history));
        prop_assert_eq!(explanation.loss.as_ref().map(|loss| (loss.time, loss.cause)), slow_loss(&history));
        if let Some(loss) = &explanation.loss {
            let told: BTreeSet<_> = loss.activities.iter().map(|counted| counted.activity.occur_time).collect();
            prop_assert_eq!(told, slow_activities(&history, loss.time, loss.cause));
            prop_assert_eq!(loss.change.is_some(), matches!(loss.cause, LossCause::Ended(_)));
        }
        let turns = history.turns();
        let mut turned = turns.into_iter().rev().filter(|turn| {
            let (before, after) = (Moment::of(&history, just_before(*turn)), Moment::of(&history, *turn));
            before.earns() != after.earns()
                || (before.earns() && after.earns() && slow_ending(&history.endings, *turn).is_some())
        });
        prop_assert_eq!(facts.earning_since, turned.next());
    }

    #[test]
    fn r126_whoever_does_what_the_remedy_says_has_credit_afterwards(history in histories()) {
        let remedy = history.explain().remedy;
        prop_assert_eq!(remedy.aim == RemedyAim::Restore, slow_reason(&history).is_some());
        if is_out_of_hand(&remedy) {
            // Whatever the people do that they can.
            let after = history.after_everybody_worked();
            prop_assert_eq!(after.live_at(after.as_of), history.live_at(after.as_of), "{:?}", remedy);
            return Ok(());
        }
        match remedy.aim {
            RemedyAim::Restore => {
                let after = history.after(&remedy.steps, history.as_of)?;
                prop_assert_eq!(slow_reason(&after), None, "{:?}", remedy);
            }
            RemedyAim::Keep => {
                let expire_time = remedy.steps.iter().find_map(|step| step.before).expect("a credit ends some time");
                let idle = history.after(&[], history.as_of)?;
                prop_assert!(idle.live_at(expire_time) < history.minimum_at(history.as_of));
                let from = remedy.steps.iter().find_map(|step| step.from);
                let early = from.unwrap_or(history.as_of + TimeDelta::microseconds(1));
                for when in [early, just_before(expire_time)] {
                    if expire_time <= when || !history.qualifies_at(when) {
                        continue;
                    }
                    if let Some(too_early) = from.map(just_before).filter(|time| *time > history.as_of) {
                        let in_vain = history.after(&remedy.steps, too_early)?;
                        prop_assert!(in_vain.live_at(expire_time) < history.minimum_at(history.as_of));
                    }
                    let after = history.after(&remedy.steps, when)?;
                    for at in [history.as_of, just_before(expire_time), expire_time] {
                        let needed = history.minimum_at(history.as_of);
                        prop_assert!(needed <= after.live_at(at), "{} {:?}", at, remedy);
                    }
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn r126_no_step_is_said_to_be_needed_that_is_not(history in histories()) {
        let remedy = history.explain().remedy;
        // Of any colleague, the link is needed only where the domain does not assign the client.
        let is_about_somebody = remedy.steps.iter().all(|step| step.person.is_some());
        // What was done at this very instant may count by the other steps alone, and who is added at it may prevent that the
        // relationship ends (R71).
        let has_just_happened = history.has_work_at(history.as_of)
            || history.endings.iter().any(|ending| ending.time == history.as_of);
        if is_out_of_hand(&remedy) || remedy.aim == RemedyAim::Keep || !is_about_somebody || has_just_happened {
            return Ok(());
        }
        for left_out in 0..remedy.steps.len() {
            let mut steps = remedy.steps.clone();
            let step = steps.remove(left_out);
            let after = history.after_what_is_admitted(&steps, history.as_of);
            prop_assert_ne!(slow_reason(&after), None, "without {:?} of {:?}", step, remedy);
        }
    }
}

#[test]
#[expect(clippy::print_stderr, reason = "shown with a test that fails, and on demand")]
fn random_histories_come_to_everything_that_a_credit_can_be_lost_by() {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(cases(1), rng);
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..1_000 {
        let history = histories().new_tree(&mut runner).expect("a history").current();
        let steps = history.explain().remedy.steps.into_iter().map(|step| {
            let who = if step.person.is_some() { "of somebody" } else { "of anybody" };
            let from = if step.from.is_some() { ", not at once" } else { "" };
            format!("step {:?} {who}{from}", step.kind)
        });
        for word in steps.chain([outcome(&history)]) {
            *outcomes.entry(word).or_default() += 1;
        }
    }
    eprintln!("{outcomes:#?}");
    for part in [
        "CREDIT",
        "NotManaged",
        "Lapsed",
        "TierActivityMinimum",
        "NoPaidSubscription",
        "MrrUnknown",
        "lost: Lapsed",
        "lost: BelowMinimum",
        "lost: MinimumRaised",
        "lost: NoPaidSubscription",
        "lost: ALL_EMPLOYEES_REMOVED",
        "lost: SERVICES_ENDED",
        "lost: PARTNER_LEFT",
        "lost: CLIENT_CLOSED",
        "step JoinProgramme",
        "step AddEmployee of somebody",
        "step AddEmployee of anybody",
        "step FlagEmployee",
        "step AddClientUser of somebody",
        "step ReactivateClientUser",
        "step LinkClient of somebody",
        "step Work of somebody",
        ", not at once",
        "step PaySubscription",
        "step ReportSubscription",
        "step NothingHelps",
    ] {
        let times: u32 = outcomes.iter().filter(|(words, _)| words.contains(part)).map(|(_, times)| *times).sum();
        assert!(times >= 3, "{part} only {times} times");
    }
}
