//! How long a partner services a client: periods, and how they stand at an instant.
//!
//! Owns: the arithmetic of windows, endings and minimums (R54 to R57, R70 to R74). Does not own: which activities count
//! (activity), which instants end a relationship (access), which minimum applies (credit).
//! Invariant: a period is `[start, end)` with a known end; whether it is past or a forecast is a matter of the instant
//! that is asked about. Nothing has to run for a period to lapse.
//!
//! Who keeps periods notes what is different as an [`Alteration`], asks it for the regions, reads what lives there (by
//! [`Policy::occurred_for`](crate::policy::Policy::occurred_for)), and gets [`periods_within`] them; the result is that of
//! [`periods`] over everything, however late or in whichever order facts arrive (R60, R61).

mod alteration;
mod as_of;
mod period;
mod standing;
#[cfg(test)]
pub(crate) mod testing;

pub use alteration::Alteration;
pub use as_of::{Lives, living_since, periods_as_of, standing_from_periods};
pub use period::{CountedActivity, PeriodEndCause, PeriodEndCauseError, ServicingPeriod, periods, periods_within};
pub use standing::{ServicingState, Standing, standing};

#[cfg(test)]
pub(crate) mod tests;
