//! What credit needs to know of a managed relationship, and when stored periods tell it (R63).

use crate::servicing::{PeriodEndCause, ServicingPeriod, ServicingState, Standing};
use crate::time::Instant;

/// Where a relationship stands at an instant, by what had occurred by then (R63).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relationship {
    /// The state.
    pub state: ServicingState,
    /// When the current period began, or the last one if it is over; absent if there was none.
    pub serviced_since: Option<Instant>,
    /// When the current period ends if nothing else happens, or when the last one ended; absent with `serviced_since`.
    pub expire_time: Option<Instant>,
    /// When the last counted activity occurred; absent if there was none.
    pub last_activity_time: Option<Instant>,
}

impl From<Standing> for Relationship {
    fn from(standing: Standing) -> Self {
        let Standing { state, serviced_since, expire_time, last_activity_time, live_activities: _ } = standing;
        Self { state, serviced_since, expire_time, last_activity_time }
    }
}

/// What periods that were made of everything known, also of what is later, say of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredRelationship {
    /// What they say. Where `speaks_of_later`, only `serviced_since` and whether the state is an ended one are right.
    pub relationship: Relationship,
    /// Whether something that occurred later may speak in it; then only whoever has the activities can answer (R63).
    pub speaks_of_later: bool,
}

/// What stored periods say of `as_of`; they are all those of one partner, client and minimum, in any order.
///
/// `last_activity_time` is that of the last counted activity of all; `warning_days` the largest of the policy's. An
/// instant ahead of everything that occurred is answered as if nothing else happened.
#[must_use]
pub fn stored_relationship(
    periods: &[ServicingPeriod],
    last_activity_time: Option<Instant>,
    as_of: Instant,
    warning_days: u32,
) -> StoredRelationship {
    let last = periods.iter().filter(|period| period.start <= as_of).max_by_key(|period| period.start).copied();
    let last_activity_time_by_then = last_activity_time.filter(|time| *time <= as_of);
    let worked_later = last_activity_time_by_then != last_activity_time;
    let ended_later =
        |period: ServicingPeriod| as_of < period.end && matches!(period.end_cause, PeriodEndCause::Ended(_));
    StoredRelationship {
        relationship: Relationship {
            state: ServicingState::of_last_period(last, as_of, warning_days),
            serviced_since: last.map(|period| period.start),
            expire_time: last.map(|period| period.end),
            last_activity_time: last_activity_time_by_then,
        },
        // What occurs later starts no period earlier: where none had started, there was nothing (R57).
        speaks_of_later: last.is_some_and(|period| worked_later || ended_later(period)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::access::{Ending, EndingCause};
    use crate::credit::testing::at;
    use crate::servicing::{CountedActivity, periods, standing};
    use crate::testing::cases;
    use crate::time::SECONDS_PER_DAY;

    fn day(number: i64) -> Instant {
        at("2025-01-01T00:00:00Z") + chrono::TimeDelta::seconds(number * SECONDS_PER_DAY)
    }

    fn activity(number: i64) -> CountedActivity {
        CountedActivity { occur_time: day(number), expire_time: day(number + 60) }
    }

    fn stored(activities: &[CountedActivity], endings: &[Ending], as_of: Instant) -> StoredRelationship {
        let last = activities.iter().map(|activity| activity.occur_time).max();
        stored_relationship(&periods(activities, endings, 1), last, as_of, 30)
    }

    #[test]
    fn r63_later_work_and_a_later_ending_speak_in_stored_periods() {
        let removed = Ending { time: day(30), cause: EndingCause::AllEmployeesRemoved };
        assert!(stored(&[activity(0), activity(20)], &[], day(10)).speaks_of_later);
        assert!(stored(&[activity(0)], &[removed], day(29)).speaks_of_later);
        assert!(!stored(&[activity(0)], &[removed], day(30)).speaks_of_later);
        assert!(!stored(&[activity(0), activity(20)], &[], day(20)).speaks_of_later);
    }

    #[test]
    fn before_the_first_work_there_is_no_relationship_whatever_comes_later() {
        let StoredRelationship { relationship, speaks_of_later } = stored(&[activity(5)], &[], day(4));
        assert_eq!((relationship.state, relationship.last_activity_time), (ServicingState::None, None));
        assert!(!speaks_of_later);
    }

    proptest! {
        #![proptest_config(cases(500))]

        #[test]
        fn r63_what_nothing_later_speaks_in_equals_the_standing_by_the_activities(
            activities in prop::collection::vec((0_i64..200).prop_map(activity), 0..8),
            endings in prop::collection::vec(0_i64..250, 0..4),
            as_of in -1_i64..300,
        ) {
            let ending = |number| Ending { time: day(number), cause: EndingCause::AllEmployeesRemoved };
            let endings: Vec<_> = endings.into_iter().map(ending).collect();
            let StoredRelationship { relationship, speaks_of_later } = stored(&activities, &endings, day(as_of));
            let exact = Relationship::from(standing(&activities, &endings, 1, day(as_of), 30));
            if !speaks_of_later {
                prop_assert_eq!(relationship, exact);
            }
            prop_assert_eq!(relationship.serviced_since, exact.serviced_since);
            let is_over = |state| matches!(state, ServicingState::Ended(_));
            prop_assert_eq!(is_over(relationship.state), is_over(exact.state));
        }
    }
}
