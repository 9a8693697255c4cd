//! How far each person of the partner has come on the way to work that counts (R7, R20, R39).

use std::cmp::Reverse;

use super::change::{ChangeFacts, by_whom};
use super::facts::{EmploymentFacts, ExplanationFacts, PersonFacts};
use super::prospect::Prospect;
use crate::access::{AssignmentOrigin, AssignmentState, ClientUserState};
use crate::time::Instant;
use crate::wording::date_and_time;

/// What must hold for one and the same person, in the order in which each builds on those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// R7 (a).
    EmployeeExists,
    /// R20.
    EmployeeFlagged,
    /// R7 (c).
    UserInClient,
    /// R39.
    UserActive,
    /// R7 (b).
    ClientAssigned,
}

impl Step {
    pub(super) const ALL: [Self; 5] =
        [Self::EmployeeExists, Self::EmployeeFlagged, Self::UserInClient, Self::UserActive, Self::ClientAssigned];
}

/// The person who has come furthest; among equals, by address.
pub(super) fn furthest(facts: &ExplanationFacts) -> Option<&PersonFacts> {
    by_progress(facts).into_iter().next()
}

/// The people, those first who have come furthest; among equals, by address.
pub(super) fn by_progress(facts: &ExplanationFacts) -> Vec<&PersonFacts> {
    let mut people: Vec<_> = facts.people.iter().collect();
    people.sort_by_key(|person| (Reverse(person.steps_met(facts.as_of)), &person.address));
    people
}

impl PersonFacts {
    /// How many steps hold, counted up to the first that does not.
    fn steps_met(&self, as_of: Instant) -> usize {
        Step::ALL.into_iter().take_while(|step| self.meets(*step, as_of)).count()
    }

    /// The first step that does not hold.
    pub(super) fn missing_step(&self, as_of: Instant) -> Option<Step> {
        Step::ALL.into_iter().find(|step| !self.meets(*step, as_of))
    }

    /// Whether a step holds, and all before it.
    pub(super) fn has_reached(&self, step: Step, as_of: Instant) -> bool {
        self.missing_step(as_of).is_none_or(|missing| step < missing)
    }

    /// Whether a step holds by itself.
    pub(super) fn meets(&self, step: Step, as_of: Instant) -> bool {
        let mut present = self.employments.iter().filter(|employment| employment.period.contains(as_of));
        match step {
            Step::EmployeeExists => present.next().is_some(),
            Step::EmployeeFlagged => present.any(|employment| employment.partner_employee),
            Step::UserInClient => matches!(self.user_state, ClientUserState::Active | ClientUserState::Deactivated),
            Step::UserActive => self.user_state == ClientUserState::Active,
            Step::ClientAssigned => self.assignment.is_some(),
        }
    }

    /// Since when the step is as it is: holding or not. Absent where it never was otherwise, or is not known.
    pub(super) fn since(&self, step: Step, as_of: Instant) -> Option<Instant> {
        match step {
            Step::EmployeeExists => self.employment_since(as_of),
            Step::EmployeeFlagged => self.flag_since(as_of),
            Step::UserInClient => self.user_since.or(self.user_state_since),
            Step::UserActive => self.user_state_since,
            Step::ClientAssigned => self.assignment.map(|assignment| assignment.since).or(self.unassigned_since),
        }
    }

    /// The change by which the step is as it is, where there was one.
    pub(super) const fn change(&self, step: Step) -> Option<&ChangeFacts> {
        match step {
            Step::EmployeeExists => self.changes.employment.as_ref(),
            Step::EmployeeFlagged => self.changes.flag.as_ref(),
            Step::UserInClient => self.changes.user.as_ref(),
            Step::UserActive => self.changes.user_state.as_ref(),
            Step::ClientAssigned => self.changes.assignment.as_ref(),
        }
    }

    /// Since when the present employment has the flag that it has.
    pub(super) fn flag_since(&self, as_of: Instant) -> Option<Instant> {
        self.present_employment(as_of)?.flag_since
    }

    fn present_employment(&self, as_of: Instant) -> Option<&EmploymentFacts> {
        self.employments.iter().find(|employment| employment.period.contains(as_of))
    }

    /// The start of the present employment, else the end of the last one.
    pub(super) fn employment_since(&self, as_of: Instant) -> Option<Instant> {
        let present = self.present_employment(as_of);
        let ends = self.employments.iter().filter_map(|employment| employment.period.end);
        present.map(|employment| employment.period.start).or_else(|| ends.filter(|end| *end <= as_of).max())
    }

    /// What shows how the person stands to a step. What was taken from it, or done by hand, is told with who did it.
    pub(super) fn evidence(&self, step: Step, as_of: Instant) -> String {
        let state = match step {
            Step::EmployeeExists => self.employment_words(as_of),
            Step::EmployeeFlagged if self.meets(step, as_of) => "flagged as partner employee".to_owned(),
            Step::EmployeeFlagged => self.no_flag_words(as_of),
            Step::UserInClient | Step::UserActive => self.user_words(),
            Step::ClientAssigned => self.assignment_words(),
        };
        format!("{} ({}): {state}", self.display_name, self.address)
    }

    fn employment_words(&self, as_of: Instant) -> String {
        match (self.meets(Step::EmployeeExists, as_of), self.employment_since(as_of)) {
            (true, Some(since)) => format!("user in your account since {}", date_and_time(since)),
            (false, Some(since)) => {
                let by = by_whom(self.changes.employment.as_ref());
                format!("deleted in your account on {}{by}", date_and_time(since))
            }
            (_, None) => "not a user in your account".to_owned(),
        }
    }

    fn no_flag_words(&self, as_of: Instant) -> String {
        let since = self.flag_since(as_of).map_or_else(String::new, |since| {
            format!(" since {}{}", date_and_time(since), by_whom(self.changes.flag.as_ref()))
        });
        format!("not flagged as partner employee{since}")
    }

    fn user_words(&self) -> String {
        let change = self.changes.user_state.as_ref();
        let (state, by) = match self.user_state {
            ClientUserState::None => return "never was a user there".to_owned(),
            ClientUserState::Active => ("active user there", String::new()),
            ClientUserState::Deactivated => ("deactivated there", by_whom(change)),
            ClientUserState::Removed => ("removed there", by_whom(change)),
        };
        self.user_state_since.map_or(state.to_owned(), |since| format!("{state} since {}{by}", date_and_time(since)))
    }

    fn assignment_words(&self) -> String {
        let by = by_whom(self.changes.assignment.as_ref());
        let Some(assignment) = self.assignment else {
            let since =
                self.unassigned_since.map_or_else(String::new, |since| format!(" since {}{by}", date_and_time(since)));
            return format!("not assigned{since}");
        };
        let origin = match assignment.origin {
            AssignmentOrigin::Automatic => "assigned automatically",
            AssignmentOrigin::ByHand => "linked by hand",
        };
        let state = match assignment.state {
            AssignmentState::Effective => "",
            AssignmentState::PendingUser => ", waiting for a user there",
            AssignmentState::Suspended => ", suspended while the user there is deactivated",
        };
        let elsewhere = match self.prospect {
            Prospect::CountsForAnother => ", but work counts for another company that the address works for",
            Prospect::Counts { .. } | Prospect::CannotBeEmployed => "",
        };
        format!("{origin} since {}{by}{state}{elsewhere}", date_and_time(assignment.since))
    }
}
