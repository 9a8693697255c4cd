//! What is wrong with a policy document.

use std::fmt;

use super::Policy;

/// Why a document is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Larger than is read.
    #[error("the policy has {bytes} bytes; it may have {maximum}", maximum = Policy::MAXIMUM_DOCUMENT_BYTES)]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not TOML, or a key that is missing, unknown or of another type; with its line.
    #[error("the policy cannot be read: {0}")]
    Malformed(String),
    /// Entries that are not right, all of them.
    #[error("the policy is not valid: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<PolicyViolation>),
}

impl PolicyError {
    /// What is wrong with a document, and where. Not the line itself, as TOML's own text has it: a line may be all of a
    /// document.
    pub(super) fn malformed(document: &str, error: &toml::de::Error) -> Self {
        let before = error.span().and_then(|span| document.get(..span.start)).unwrap_or_default();
        let line = 1 + before.matches('\n').count();
        let column = 1 + before.chars().rev().take_while(|character| *character != '\n').count();
        Self::Malformed(format!("line {line}, column {column}: {}", error.message()))
    }
}

/// One entry that is not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyViolation {
    /// Its place: `currency_units[3].units_per_point`, counted from 0.
    pub entry: String,
    /// What would be right.
    pub problem: String,
}

impl fmt::Display for PolicyViolation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.entry, self.problem)
    }
}

/// What has been found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) violations: Vec<PolicyViolation>,
}

impl Findings {
    pub(super) fn add(&mut self, entry: impl Into<String>, problem: impl fmt::Display) {
        self.violations.push(PolicyViolation { entry: entry.into(), problem: problem.to_string() });
    }

    /// The value, or a finding and nothing.
    pub(super) fn value<T>(&mut self, entry: impl Into<String>, value: Result<T, impl fmt::Display>) -> Option<T> {
        value.map_err(|problem| self.add(entry, problem)).ok()
    }
}
