//! How activities read in a sentence.

use super::change::SOMEONE;
use super::facts::{ActivityFacts, CountedFacts};
use crate::activity::step::action_in_words;
use crate::tier::Tier;
use crate::wording::{date, plural};

/// `blog publish by Anna Bianchi on 10 January 2025`; who is not of the partner stays unnamed (R127).
pub(super) fn activity(facts: &ActivityFacts) -> String {
    let person = facts.person.as_deref().unwrap_or(SOMEONE);
    format!("{} by {person} on {}", action_in_words(&facts.tool, &facts.action), date(facts.occur_time))
}

/// `Elite`; `a partner without a tier`.
pub(super) const fn tier(tier: Option<Tier>) -> &'static str {
    match tier {
        None => "a partner without a tier",
        Some(Tier::Gold) => "Gold",
        Some(Tier::Platinum) => "Platinum",
        Some(Tier::Diamond) => "Diamond",
        Some(Tier::Elite) => "Elite",
    }
}

/// `60 days`: how long an activity counts.
pub(super) fn window(counted: &CountedFacts) -> String {
    plural((counted.expire_time - counted.activity.occur_time).num_days(), "day", "days")
}
