//! Who made a change, as far as the asking partner may know (R127).

use crate::access::{AccessChange, Actor, EmailAddress};
use crate::time::Instant;

/// A change of access that shows something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeFacts {
    /// Who made it.
    pub by: ChangedBy,
    /// When it was recorded; its effective time is that of what it shows.
    pub record_time: Instant,
    /// Why, in the words of whoever made it; empty where nothing was said.
    pub reason: String,
}

/// Who made a change. Only people of the asking partner have names (R127).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangedBy {
    /// Somebody of the partner, by name.
    Colleague(String),
    /// Somebody else.
    Other,
    /// The platform.
    Platform,
    /// The platform, for somebody of the partner.
    PlatformForColleague(String),
    /// The platform, for somebody else.
    PlatformForOther,
}

/// How a person who is not of the partner is told (R127).
pub(super) const SOMEONE: &str = "someone at the client";

impl ChangeFacts {
    /// What a change tells, where `name_of` knows the people of the partner.
    pub(super) fn of(change: &AccessChange, name_of: impl Fn(&EmailAddress) -> Option<String>) -> Self {
        let by = match (&change.actor, &change.audit.on_behalf_of) {
            (Actor::Person(address), _) => name_of(address).map_or(ChangedBy::Other, ChangedBy::Colleague),
            (Actor::Platform, Some(address)) => {
                name_of(address).map_or(ChangedBy::PlatformForOther, ChangedBy::PlatformForColleague)
            }
            (Actor::Platform, None) => ChangedBy::Platform,
        };
        Self { by, record_time: change.record_time, reason: change.audit.reason.clone() }
    }
}

impl ChangedBy {
    /// `the platform for Bruno Verdi`.
    pub(super) fn in_words(&self) -> String {
        match self {
            Self::Colleague(name) => name.clone(),
            Self::Other => SOMEONE.to_owned(),
            Self::Platform => "the platform".to_owned(),
            Self::PlatformForColleague(name) => format!("the platform for {name}"),
            Self::PlatformForOther => format!("the platform for {SOMEONE}"),
        }
    }

    /// The name of the colleague who made it, or for whom it was made.
    #[must_use]
    pub fn colleague(&self) -> Option<&str> {
        match self {
            Self::Colleague(name) | Self::PlatformForColleague(name) => Some(name),
            Self::Other | Self::Platform | Self::PlatformForOther => None,
        }
    }
}

/// ` by Bruno Verdi ("left the team")`; nothing where no change is known.
pub(super) fn by_whom(change: Option<&ChangeFacts>) -> String {
    let Some(ChangeFacts { by, reason, .. }) = change else { return String::new() };
    let by = by.in_words();
    if reason.is_empty() { format!(" by {by}") } else { format!(" by {by} (\"{reason}\")") }
}

/// ` (recorded by the platform: "bankrupt")`; nothing where no change is known.
pub(super) fn recorded_by(change: Option<&ChangeFacts>) -> String {
    let Some(ChangeFacts { by, reason, .. }) = change else { return String::new() };
    let by = by.in_words();
    if reason.is_empty() { format!(" (recorded by {by})") } else { format!(" (recorded by {by}: \"{reason}\")") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Audit;
    use crate::access::testing::{ANNA, CARLA, address, at, change, client_added};

    /// What is told of a change of the platform, or of a person, to a partner that knows Anna alone.
    fn told(person: Option<&str>, on_behalf_of: Option<&str>) -> ChangeFacts {
        let changed = AccessChange {
            actor: person.map_or(Actor::Platform, |text| Actor::Person(address(text))),
            audit: Audit { on_behalf_of: on_behalf_of.map(address), reason: "moved".to_owned(), ..Audit::default() },
            ..change(1, at("2025-01-02T00:00:00Z"), client_added(2001))
        };
        ChangeFacts::of(&changed, |who| (*who == address(ANNA)).then(|| "Anna Bianchi".to_owned()))
    }

    #[test]
    fn r127_only_people_of_the_partner_are_named_as_who_made_a_change() {
        let name = "Anna Bianchi";
        for (person, on_behalf_of, words, colleague) in [
            (Some(ANNA), None, "Anna Bianchi", Some(name)),
            (Some(CARLA), None, "someone at the client", None),
            (None, None, "the platform", None),
            (None, Some(ANNA), "the platform for Anna Bianchi", Some(name)),
            (None, Some(CARLA), "the platform for someone at the client", None),
        ] {
            let told = told(person, on_behalf_of);
            assert_eq!((told.by.in_words().as_str(), told.by.colleague()), (words, colleague));
            assert_eq!((told.reason.as_str(), told.record_time), ("moved", at("2025-01-02T00:00:00Z")));
        }
    }

    #[test]
    fn who_made_a_change_is_told_with_the_reason_that_was_given() {
        let with_reason = told(Some(ANNA), None);
        let without = ChangeFacts { reason: String::new(), ..with_reason.clone() };
        assert_eq!(by_whom(Some(&with_reason)), " by Anna Bianchi (\"moved\")");
        assert_eq!(by_whom(Some(&without)), " by Anna Bianchi");
        assert_eq!(by_whom(None), "");
        assert_eq!(recorded_by(Some(&with_reason)), " (recorded by Anna Bianchi: \"moved\")");
        assert_eq!(recorded_by(Some(&without)), " (recorded by Anna Bianchi)");
        assert_eq!(recorded_by(None), "");
    }
}
