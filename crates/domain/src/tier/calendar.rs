//! When tiers are evaluated: on the 15th of each month at 00:00 UTC; only 15 January and 15 July may lower (R100, R104).

use chrono::{Datelike, Months, NaiveDate, NaiveTime};

use crate::time::Instant;

/// The day of the month.
const EVALUATION_DAY: u32 = 15;

/// The months whose evaluation may lower a tier.
const REEVALUATION_MONTHS: [u32; 2] = [1, 7];

/// How many months before a re-evaluation its window begins.
const WINDOW_MONTHS: u32 = 5;

/// For how many calendar months a tier that was reached does not fall (R100).
pub(super) const PROTECTED_MONTHS: Months = Months::new(6);

/// The evaluation on a date; none where it is not the 15th of a month.
#[must_use]
pub fn evaluation_on(date: NaiveDate) -> Option<Instant> {
    (date.day() == EVALUATION_DAY).then(|| date.and_time(NaiveTime::MIN).and_utc())
}

/// Whether the evaluation of this instant may lower a tier.
#[must_use]
pub fn is_reevaluation(evaluation: Instant) -> bool {
    REEVALUATION_MONTHS.contains(&evaluation.month())
}

/// The evaluation of the month before.
#[must_use]
pub fn evaluation_before(evaluation: Instant) -> Option<Instant> {
    evaluation.checked_sub_months(Months::new(1))
}

/// The first evaluation after an instant.
#[must_use]
pub fn next_evaluation(after: Instant) -> Option<Instant> {
    let this_month = after.date_naive().with_day(EVALUATION_DAY).and_then(evaluation_on)?;
    if this_month > after { Some(this_month) } else { this_month.checked_add_months(Months::new(1)) }
}

/// The first re-evaluation after an instant.
#[must_use]
pub fn next_reevaluation(after: Instant) -> Option<Instant> {
    let mut evaluation = next_evaluation(after)?;
    while !is_reevaluation(evaluation) {
        evaluation = evaluation.checked_add_months(Months::new(1))?;
    }
    Some(evaluation)
}

/// The first evaluation of the window of a re-evaluation: that of January begins on 15 August, that of July on 15 February.
#[must_use]
pub fn window_start(reevaluation: Instant) -> Instant {
    reevaluation.checked_sub_months(Months::new(WINDOW_MONTHS)).unwrap_or(reevaluation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::testing::at;

    #[test]
    fn r104_evaluations_are_on_the_fifteenth_at_midnight() {
        let date = |text: &str| text.parse().expect("a date");
        assert_eq!(evaluation_on(date("2026-01-15")), Some(at("2026-01-15T00:00:00Z")));
        assert_eq!(evaluation_on(date("2026-01-14")), None);
        for (after, next, next_lowering) in [
            ("2026-01-14T23:59:59.999999Z", "2026-01-15T00:00:00Z", "2026-01-15T00:00:00Z"),
            ("2026-01-15T00:00:00Z", "2026-02-15T00:00:00Z", "2026-07-15T00:00:00Z"),
            ("2025-12-31T12:00:00Z", "2026-01-15T00:00:00Z", "2026-01-15T00:00:00Z"),
            ("2025-07-20T00:00:00Z", "2025-08-15T00:00:00Z", "2026-01-15T00:00:00Z"),
        ] {
            assert_eq!(next_evaluation(at(after)), Some(at(next)), "{after}");
            assert_eq!(next_reevaluation(at(after)), Some(at(next_lowering)), "{after}");
        }
    }

    #[test]
    fn r100_the_windows_of_re_evaluations_begin_in_august_and_february() {
        assert_eq!(window_start(at("2026-01-15T00:00:00Z")), at("2025-08-15T00:00:00Z"));
        assert_eq!(window_start(at("2026-07-15T00:00:00Z")), at("2026-02-15T00:00:00Z"));
        assert_eq!(evaluation_before(at("2026-01-15T00:00:00Z")), Some(at("2025-12-15T00:00:00Z")));
        assert!(is_reevaluation(at("2026-07-15T00:00:00Z")) && !is_reevaluation(at("2026-08-15T00:00:00Z")));
    }
}
