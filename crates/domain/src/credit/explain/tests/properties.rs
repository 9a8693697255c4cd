//! What holds of every explanation, whatever the facts.

use super::*;
use crate::credit::NoCreditReason;
use crate::credit::PointsAbsentReason;
use crate::credit::PointsOutcome;
use crate::testing::cases;
use proptest::prelude::*;

fn user_state() -> impl Strategy<Value = ClientUserState> {
    prop::sample::select(vec![
        ClientUserState::None,
        ClientUserState::Active,
        ClientUserState::Deactivated,
        ClientUserState::Removed,
    ])
}

fn somebody() -> impl Strategy<Value = PersonFacts> {
    (0_u8..3, prop::bool::ANY, prop::bool::ANY, user_state(), prop::bool::ANY).prop_map(
        |(number, is_employed, is_flagged, user_state, is_assigned)| {
            let mut somebody = person(&format!("Person {number}"), &format!("person{number}@agency.example"));
            somebody.employments.retain(|_| is_employed);
            somebody.employments.iter_mut().for_each(|employment| employment.partner_employee = is_flagged);
            somebody.user_state = user_state;
            if is_assigned { somebody } else { story::unassigned(somebody) }
        },
    )
}

fn day(day: i64) -> String {
    (at("2025-01-01T00:00:00Z") + chrono::TimeDelta::days(day)).to_rfc3339()
}

fn mrr() -> impl Strategy<Value = Mrr> {
    let known = |code: &str, amount: &str| Mrr::Known { mrr: money(code, amount), since: at("2024-01-01T00:00:00Z") };
    let choices = vec![Mrr::Unknown, known("USD", "1000"), known("EUR", "80"), known("USD", "0"), known("ISK", "7")];
    prop::sample::select(choices)
}

fn ending() -> impl Strategy<Value = (&'static str, EndingCause)> {
    let times = vec!["2025-01-20T00:00:00Z", "2025-03-01T00:00:00Z", "2025-05-01T00:00:00Z"];
    (prop::sample::select(times), prop::sample::select(EndingCause::ALL.to_vec()))
}

fn story() -> impl Strategy<Value = Story> {
    let people = prop::collection::vec(somebody(), 0..4);
    let days = prop::collection::vec(0_i64..200, 0..6);
    let programme_end = prop::option::of(0_i64..200);
    let client = prop_oneof![9 => Just(2002), 1 => Just(1)];
    let work = (people, days, prop::collection::vec(ending(), 0..3));
    (client, work, programme_end, mrr(), 1_u32..4, 0_i64..3).prop_map(
        |(client, (people, days, endings), programme_end, mrr, minimum_activities, other_partners)| {
            let start = at("2024-01-01T00:00:00Z");
            let end = programme_end.map(|end| at(&day(end)));
            Story {
                client,
                people,
                // Nothing of the partner's own account is ever counted.
                counted: days
                    .iter()
                    .filter(|_| client != 1)
                    .map(|each| story::counted(("form", "edit", &day(*each))))
                    .collect(),
                endings: if client == 1 { vec![] } else { endings },
                programme: Some(Period { start, end }),
                mrr,
                minimum_activities,
                other_partners,
                ..Story::default()
            }
        },
    )
}

/// The condition that must fail for a reason.
fn decisive(reason: NoCreditReason) -> Option<ConditionKind> {
    match reason {
        NoCreditReason::OwnAccount => Some(ConditionKind::NotOwnAccount),
        NoCreditReason::NotManaged => Some(ConditionKind::QualifyingActivity),
        NoCreditReason::Lapsed => Some(ConditionKind::NotExpired),
        NoCreditReason::AllEmployeesRemoved
        | NoCreditReason::ServicesEnded
        | NoCreditReason::PartnerLeft
        | NoCreditReason::ClientClosed => Some(ConditionKind::NotEnded),
        NoCreditReason::TierActivityMinimum => Some(ConditionKind::ActivityMinimum),
        NoCreditReason::NoPaidSubscription => Some(ConditionKind::PaidSubscription),
        NoCreditReason::MrrUnknown => None,
    }
}

/// What may fail before the decisive one: how the people and the partner stand now says what new work would lack.
fn speaks_of_new_work(kind: ConditionKind) -> bool {
    (ConditionKind::PartnerInProgramme..=ConditionKind::ClientAssigned).contains(&kind)
}

fn every_text(explanation: &Explanation) -> Vec<&str> {
    let of_conditions = explanation.conditions.iter().flat_map(|condition| {
        let evidence = condition.evidence.iter().map(|evidence| evidence.text.as_str());
        evidence.chain([condition.statement.as_str()]).chain(condition.help.as_deref())
    });
    let of_steps = explanation.remedy.steps.iter().map(|step| step.text.as_str());
    of_conditions.chain([&*explanation.headline, &*explanation.remedy.text]).chain(of_steps).collect()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn r126_every_explanation_agrees_with_the_credit_that_it_explains(story in story(), as_of_day in 0_i64..300) {
        let facts = story.facts(at(&day(as_of_day)));
        let explanation = explain(&facts);
        let reason = facts.credit.no_credit_reason;

        prop_assert!(explanation.headline.ends_with('.'));
        prop_assert_eq!(explanation.remedy.aim == RemedyAim::Restore, reason.is_some());
        prop_assert!(explanation.remedy.text.ends_with('.') && !explanation.remedy.steps.is_empty());
        let kinds: Vec<_> = explanation.conditions.iter().map(|condition| condition.kind).collect();
        prop_assert_eq!(kinds, ConditionKind::ALL);

        let mut failed = statuses(&explanation, ConditionStatus::Failed).into_iter();
        let decisive = reason.and_then(decisive);
        let first = failed.find(|kind| !speaks_of_new_work(*kind) && *kind < ConditionKind::SupportedCurrency);
        prop_assert_eq!(first, decisive);
        let unsupported = facts.credit.points == PointsOutcome::Absent(PointsAbsentReason::UnsupportedCurrency);
        let currency = condition(&explanation, ConditionKind::SupportedCurrency).status;
        prop_assert!(!unsupported || currency == ConditionStatus::Failed);

        for condition in &explanation.conditions {
            prop_assert!(condition.help.is_none() || condition.status != ConditionStatus::Passed);
            prop_assert!(condition.help.is_some() || condition.status != ConditionStatus::Failed);
        }
    }

    #[test]
    fn no_text_for_a_manager_holds_the_name_of_a_rule_or_of_a_value(story in story(), as_of_day in 0_i64..300) {
        for text in every_text(&explain(&story.facts(at(&day(as_of_day))))) {
            let mut words = text.split(|character: char| !character.is_alphanumeric() && character != '_');
            let is_a_rule = |word: &str| {
                word.strip_prefix('R').is_some_and(|rest| rest.starts_with(|next: char| next.is_ascii_digit()))
            };
            prop_assert!(!words.any(|word| word.contains('_') || is_a_rule(word)), "{}", text);
        }
    }
}
