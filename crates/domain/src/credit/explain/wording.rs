//! How activities read in a sentence.

use super::facts::{ActivityFacts, CountedFacts};
use crate::activity::step::action_in_words;
use crate::wording::{date, plural};

/// `blog publish by Anna Bianchi on 10 January 2025`; who is not of the partner stays unnamed (R127).
pub(super) fn activity(facts: &ActivityFacts) -> String {
    let person = facts.person.as_deref().unwrap_or("someone at the client");
    format!("{} by {person} on {}", action_in_words(&facts.tool, &facts.action), date(facts.occur_time))
}

/// `60 days`: how long an activity counts.
pub(super) fn window(counted: &CountedFacts) -> String {
    plural((counted.expire_time - counted.activity.occur_time).num_days(), "day", "days")
}
