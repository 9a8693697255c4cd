//! Revisions: which feed, how far.

use std::fmt;
use std::str::FromStr;

/// A sequence of changes with gapless positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feed {
    /// The access feed of access-management.
    Access,
    /// The servicing feed of activity-tracking.
    Servicing,
    /// The facts of credit-calculation, which nobody follows.
    Credit,
}

/// A point in the history of a feed: everything up to and with `position`.
///
/// Opaque to callers, who only hand it back; readable to engineers: `access-57`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision {
    /// Which feed.
    pub feed: Feed,
    /// The position of the last change that is contained; 0 before the first.
    pub position: u64,
}

/// A text that is no revision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a revision is what an earlier answer gave, for example access-57")]
pub struct RevisionError;

impl Feed {
    /// The feed's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Servicing => "servicing",
            Self::Credit => "credit",
        }
    }
}

impl FromStr for Feed {
    type Err = RevisionError;

    fn from_str(text: &str) -> Result<Self, RevisionError> {
        [Self::Access, Self::Servicing, Self::Credit]
            .into_iter()
            .find(|feed| feed.as_str() == text)
            .ok_or(RevisionError)
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.feed.as_str(), self.position)
    }
}

impl FromStr for Revision {
    type Err = RevisionError;

    fn from_str(text: &str) -> Result<Self, RevisionError> {
        let (feed, position) = text.split_once('-').ok_or(RevisionError)?;
        let read = Self { feed: feed.parse()?, position: position.parse().map_err(|_| RevisionError)? };
        // The databases count in signed 64 bits. Of each revision there is one spelling: no sign, no zeros before it.
        if read.position > i64::MAX as u64 || read.to_string() != text {
            return Err(RevisionError);
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_read_back_as_it_was_given() {
        let revision = Revision { feed: Feed::Servicing, position: 57 };
        assert_eq!(revision.to_string().parse(), Ok(revision));
    }

    #[test]
    fn what_is_no_revision_is_refused() {
        for wrong in [
            "",
            "access",
            "access-",
            "access-x",
            "access--1",
            "access-+1",
            "access-007",
            "other-1",
            "access-9223372036854775808",
        ] {
            assert_eq!(wrong.parse::<Revision>(), Err(RevisionError), "{wrong}");
        }
    }
}
