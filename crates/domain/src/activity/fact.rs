//! The activity as it was reported.

use std::fmt;
use std::str::FromStr;

use chrono::TimeDelta;

use super::{CatalogueAction, SourceAction};
use crate::access::{EmailAddress, HubId};
use crate::time::Instant;

/// How far ahead of the clock an activity may be dated (R60).
pub const MAXIMUM_LEAD: TimeDelta = TimeDelta::minutes(5);

const MAXIMUM_ID_CHARACTERS: usize = 128;
const MAXIMUM_TARGET_CHARACTERS: usize = 256;

/// Whether an activity is dated more than [`MAXIMUM_LEAD`] ahead; such a one is an error and is not stored (R60).
#[must_use]
pub fn is_future_dated(occur_time: Instant, now: Instant) -> bool {
    occur_time.signed_duration_since(now) > MAXIMUM_LEAD
}

/// An action in a client account, as its source reported it (R60).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// The client account.
    pub client: HubId,
    /// The caller's id, unique in the client for ever.
    pub id: ActivityId,
    /// Who did it.
    pub address: EmailAddress,
    /// When.
    pub occur_time: Instant,
    /// What was done.
    pub action: ActivityAction,
    /// By what means (R59).
    pub origin: Origin,
    /// The object that it was done to, as the source names it.
    pub target_object_id: Option<TargetObjectId>,
}

/// What was done, in our words or in the source's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ActivityAction {
    /// An action of the catalogue.
    Catalogue(CatalogueAction),
    /// The source's words, mapped by policy data.
    Source(SourceAction),
}

impl fmt::Display for ActivityAction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Catalogue(action) => action.fmt(formatter),
            Self::Source(action) => action.fmt(formatter),
        }
    }
}

/// The caller's id of an activity: 1 to 128 printable ASCII characters without spaces and `/`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActivityId(String);

/// A text that is no activity id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an activity id is 1 to 128 printable ASCII characters without spaces and /")]
pub struct ActivityIdError;

impl ActivityId {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ActivityId {
    type Err = ActivityIdError;

    fn from_str(text: &str) -> Result<Self, ActivityIdError> {
        let is_id = (1..=MAXIMUM_ID_CHARACTERS).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'/');
        if is_id { Ok(Self(text.to_owned())) } else { Err(ActivityIdError) }
    }
}

impl fmt::Display for ActivityId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The object that an activity was done to: 1 to 256 characters without control characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetObjectId(String);

/// A text that is no target object id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a target object id is 1 to 256 characters without control characters")]
pub struct TargetObjectIdError;

impl TargetObjectId {
    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TargetObjectId {
    type Err = TargetObjectIdError;

    fn from_str(text: &str) -> Result<Self, TargetObjectIdError> {
        let is_id =
            (1..=MAXIMUM_TARGET_CHARACTERS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
        if is_id { Ok(Self(text.to_owned())) } else { Err(TargetObjectIdError) }
    }
}

impl fmt::Display for TargetObjectId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// By what means an action was done; only a person's counts (R59).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Origin {
    /// A person, by hand.
    Person,
    /// A workflow.
    Workflow,
    /// An import job.
    ImportJob,
    /// A synchronisation with another system.
    Sync,
    /// An integration that calls the vendor's API.
    ApiIntegration,
}

/// A text that names no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an origin is PERSON, WORKFLOW, IMPORT_JOB, SYNC or API_INTEGRATION")]
pub struct OriginError;

impl Origin {
    /// Every origin.
    pub const ALL: [Self; 5] = [Self::Person, Self::Workflow, Self::ImportJob, Self::Sync, Self::ApiIntegration];

    /// The name in stored and printed text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "PERSON",
            Self::Workflow => "WORKFLOW",
            Self::ImportJob => "IMPORT_JOB",
            Self::Sync => "SYNC",
            Self::ApiIntegration => "API_INTEGRATION",
        }
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        Self::ALL.into_iter().find(|origin| origin.as_str() == text).ok_or(OriginError)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r60_an_activity_may_be_dated_five_minutes_ahead_and_not_more() {
        let now: Instant = "2025-01-10T12:00:00Z".parse().expect("a time");
        let ahead = |microseconds| is_future_dated(now + TimeDelta::microseconds(microseconds), now);
        assert!(!ahead(-1));
        assert!(!ahead(300_000_000));
        assert!(ahead(300_000_001));
    }

    #[test]
    fn an_activity_id_is_one_word_of_printable_ascii() {
        for right in ["1", "a-1_2.3~4:5#6", &"x".repeat(128)] {
            let id = right.parse::<ActivityId>();
            assert_eq!(id.as_ref().map(ActivityId::as_str), Ok(right));
            assert_eq!(id.map(|id| id.to_string()), Ok(right.to_owned()));
        }
        for wrong in ["", "a b", "a/b", "é", "a\n", &"x".repeat(129)] {
            assert_eq!(wrong.parse::<ActivityId>(), Err(ActivityIdError), "{wrong}");
        }
    }

    #[test]
    fn a_target_object_id_is_a_line_of_text() {
        for right in ["42", "página de inicio", &"è".repeat(256)] {
            let id = right.parse::<TargetObjectId>();
            assert_eq!(id.as_ref().map(TargetObjectId::as_str), Ok(right));
            assert_eq!(id.map(|id| id.to_string()), Ok(right.to_owned()));
        }
        for wrong in ["", "a\nb", &"è".repeat(257)] {
            assert_eq!(wrong.parse::<TargetObjectId>(), Err(TargetObjectIdError), "{wrong}");
        }
    }

    #[test]
    fn the_origins_have_names_that_read_back() {
        for origin in Origin::ALL {
            assert_eq!(origin.as_str().parse(), Ok(origin));
            assert_eq!(origin.to_string(), origin.as_str());
        }
        assert_eq!("person".parse::<Origin>(), Err(OriginError));
    }
}
