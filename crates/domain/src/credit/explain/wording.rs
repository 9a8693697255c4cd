//! How times, activities and reasons read in a sentence.

use super::facts::{ActivityFacts, CountedFacts};
use crate::activity::NotCountedReason;
use crate::time::Instant;
use chrono::Timelike;

/// `11 March 2025`.
pub(super) fn date(instant: Instant) -> String {
    instant.format("%-d %B %Y").to_string()
}

/// `11 March 2025 at 12:00 UTC`; seconds only where they are not zero, and never parts of one: nobody reads them.
pub(super) fn date_and_time(instant: Instant) -> String {
    let is_whole_minute = instant.second() == 0;
    let format = if is_whole_minute { "%-d %B %Y at %H:%M UTC" } else { "%-d %B %Y at %H:%M:%S UTC" };
    instant.format(format).to_string()
}

/// `blog publish by Anna Bianchi on 10 January 2025`; who is not of the partner stays unnamed (R127).
pub(super) fn activity(facts: &ActivityFacts) -> String {
    let person = facts.person.as_deref().unwrap_or("someone at the client");
    format!("{} by {person} on {}", what(facts), date(facts.occur_time))
}

/// `60 days`: how long an activity counts.
pub(super) fn window(counted: &CountedFacts) -> String {
    plural((counted.expire_time - counted.activity.occur_time).num_days(), "day", "days")
}

/// A sentence with one full stop: one that ends with a name such as `Rossi S.r.l.` brings another.
pub(super) fn sentence(text: impl Into<String>) -> String {
    let text = text.into();
    text.strip_suffix("..").map_or(text.clone(), |without| format!("{without}."))
}

/// `1 activity`, `3 activities`.
pub(super) fn plural(count: impl Into<i64>, one: &str, many: &str) -> String {
    match count.into() {
        1 => format!("1 {one}"),
        count => format!("{count} {many}"),
    }
}

/// `landing page create`: the words of a tool and an action without their underscores.
fn what(facts: &ActivityFacts) -> String {
    format!("{} {}", facts.tool, facts.action).replace('_', " ").to_lowercase()
}

/// Why an activity does not count, as the end of a sentence.
pub(super) fn reason(reason: NotCountedReason) -> &'static str {
    match reason {
        NotCountedReason::UnknownClient => "the client account was not known at that time",
        NotCountedReason::ClientClosed => "the client account was closed",
        NotCountedReason::UnknownEmployee => "the address belonged to nobody in a partner account",
        NotCountedReason::NotPartnerEmployee => "the user was not flagged as partner employee",
        NotCountedReason::PartnerNotInProgramme => "your company was not in the programme",
        NotCountedReason::OwnAccount => "it was done in your own account",
        NotCountedReason::UnknownAction => "the programme does not know this kind of action",
        NotCountedReason::NonQualifyingAction => "this kind of action does not qualify",
        NotCountedReason::NotHuman => "no person did it",
        NotCountedReason::NoUserInClient => "the person was not a user of the client account",
        NotCountedReason::UserDeactivated => "the person's user in the client account was deactivated",
        NotCountedReason::NotAssigned => "the client was not assigned to the person",
    }
}
