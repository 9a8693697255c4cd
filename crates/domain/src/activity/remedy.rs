//! What somebody could do so that work counts.

use std::fmt;
use std::str::FromStr;

/// A step that would make work count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remedy {
    /// What kind of step.
    pub kind: RemedyKind,
    /// Who does what where, in one or two sentences for the partner's manager. It names people of that partner only, and
    /// no other partner (R127).
    pub text: String,
}

impl Remedy {
    pub(crate) fn new(kind: RemedyKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }
}

/// The kinds of steps, in the order of the reasons that they take away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RemedyKind {
    /// The client account is not known: the programme adds it.
    AddClient,
    /// No partner account has the address: a user is created and flagged as partner employee (R20).
    AddEmployee,
    /// The user of the partner account is flagged as partner employee (R20).
    FlagEmployee,
    /// The partner joins the programme.
    JoinProgramme,
    /// The policy does not know the action: one that qualifies, or a mapping of the source's words (R60).
    UseKnownAction,
    /// An action that qualifies in place of one that does not (R50).
    UseQualifyingAction,
    /// The same done by a person (R59).
    DoByHand,
    /// The address becomes a user of the client account (R7 c).
    AddClientUser,
    /// Its user there is reactivated (R38).
    ReactivateClientUser,
    /// The client is linked to the employee (R24).
    LinkClient,
    /// Any qualifying work: nothing else is missing.
    Work,
    /// Nothing would: the client account is closed, or the partner's own (R12), or nothing qualifies at that time.
    NothingHelps,
}

/// A text that names no kind of step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a kind of step that makes work count, for example LINK_CLIENT")]
pub struct RemedyKindError;

impl RemedyKind {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::AddClient,
        Self::AddEmployee,
        Self::FlagEmployee,
        Self::JoinProgramme,
        Self::UseKnownAction,
        Self::UseQualifyingAction,
        Self::DoByHand,
        Self::AddClientUser,
        Self::ReactivateClientUser,
        Self::LinkClient,
        Self::Work,
        Self::NothingHelps,
    ];

    /// The name in stored and printed text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AddClient => "ADD_CLIENT",
            Self::AddEmployee => "ADD_EMPLOYEE",
            Self::FlagEmployee => "FLAG_EMPLOYEE",
            Self::JoinProgramme => "JOIN_PROGRAMME",
            Self::UseKnownAction => "USE_KNOWN_ACTION",
            Self::UseQualifyingAction => "USE_QUALIFYING_ACTION",
            Self::DoByHand => "DO_BY_HAND",
            Self::AddClientUser => "ADD_CLIENT_USER",
            Self::ReactivateClientUser => "REACTIVATE_CLIENT_USER",
            Self::LinkClient => "LINK_CLIENT",
            Self::Work => "WORK",
            Self::NothingHelps => "NOTHING_HELPS",
        }
    }
}

impl FromStr for RemedyKind {
    type Err = RemedyKindError;

    fn from_str(text: &str) -> Result<Self, RemedyKindError> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(RemedyKindError)
    }
}

impl fmt::Display for RemedyKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_of_steps_have_names_that_read_back() {
        for kind in RemedyKind::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert!(RemedyKind::ALL.is_sorted());
        assert_eq!("link_client".parse::<RemedyKind>(), Err(RemedyKindError));
    }
}
