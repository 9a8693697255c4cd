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
