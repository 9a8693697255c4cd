//! Comparing what is stored with what it would be computed to be.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contracts::wire::maintenance::{Difference, VerifyResponse};
use tokio::time::Instant;

use crate::ServiceError;
use crate::streaming::Messages;

/// After how many that were compared progress is told, at the latest.
const CHECKED_PER_MESSAGE: u64 = 1_000;
/// How many differences one message tells: of the longest texts, less than half a megabyte.
const DIFFERENCES_PER_MESSAGE: usize = 100;
/// After how long progress is told, once something more was compared.
const TELLING_INTERVAL: Duration = Duration::from_secs(1);

/// The most characters of what is stored, or would be computed, that a difference shows.
const MAXIMUM_TEXT_LENGTH: usize = 500;

/// Where a service tells what it compares and finds: everything is counted, the first differences are listed.
#[derive(Debug)]
pub struct Verification {
    messages: Messages<VerifyResponse>,
    subject: String,
    checked: u64,
    told_checked: u64,
    told_at: Instant,
    differences: Vec<Difference>,
    total_differences: u64,
    maximum_differences: u64,
}

/// What was found beside what is told at the moment, to be told in its turn.
#[derive(Debug, Clone, PartialEq)]
pub struct Findings {
    checked: usize,
    differences: Vec<Difference>,
    total_differences: u64,
    maximum_differences: u64,
}

impl Findings {
    /// Nothing, of which so many differences will be listed at most.
    #[must_use]
    pub const fn nothing(maximum_differences: u64) -> Self {
        Self { checked: 0, differences: Vec::new(), total_differences: 0, maximum_differences }
    }

    /// So many more have been compared.
    pub const fn checked(&mut self, count: usize) {
        self.checked += count;
    }

    /// Something is stored otherwise than it would be computed; an empty text is nothing.
    pub fn differs(&mut self, subject: impl Into<String>, stored: &str, expected: &str) {
        self.total_differences += 1;
        if self.total_differences <= self.maximum_differences {
            let (stored, expected) = (shortened(stored), shortened(expected));
            self.differences.push(Difference { subject: subject.into(), stored, expected });
        }
    }

    /// What was found after this.
    pub fn append(&mut self, later: Self) {
        self.checked += later.checked;
        self.total_differences += later.total_differences;
        let room = usize::try_from(self.maximum_differences).unwrap_or(usize::MAX) - self.differences.len();
        self.differences.extend(later.differences.into_iter().take(room));
    }
}

impl Verification {
    pub(super) fn new(messages: Messages<VerifyResponse>, maximum_differences: u32) -> Self {
        Self {
            messages,
            subject: String::new(),
            checked: 0,
            told_checked: 0,
            told_at: Instant::now(),
            differences: Vec::new(),
            total_differences: 0,
            maximum_differences: maximum_differences.into(),
        }
    }

    /// Goes on to another subject, for example `verdicts`.
    ///
    /// # Errors
    /// The caller does not read.
    pub async fn begin(&mut self, subject: &str) -> Result<(), ServiceError> {
        if !self.subject.is_empty() {
            self.tell(false).await?;
        }
        subject.clone_into(&mut self.subject);
        (self.checked, self.told_checked) = (0, 0);
        Ok(())
    }

    /// So many more of the subject have been compared, with the differences that were noted since the last ones.
    ///
    /// # Errors
    /// The caller does not read.
    pub async fn checked(&mut self, count: usize) -> Result<(), ServiceError> {
        self.checked += count as u64;
        let is_due = self.checked - self.told_checked >= CHECKED_PER_MESSAGE
            || self.differences.len() >= DIFFERENCES_PER_MESSAGE
            || self.told_at.elapsed() >= TELLING_INTERVAL;
        if is_due { self.tell(false).await } else { Ok(()) }
    }

    /// Something is stored otherwise than it would be computed; an empty text is nothing.
    pub fn differs(&mut self, subject: impl Into<String>, stored: &str, expected: &str) {
        self.total_differences += 1;
        if self.total_differences <= self.maximum_differences {
            let (stored, expected) = (shortened(stored), shortened(expected));
            self.differences.push(Difference { subject: subject.into(), stored, expected });
        }
    }

    /// Nothing found yet, to be found where this is not at hand.
    #[must_use]
    pub const fn findings(&self) -> Findings {
        Findings::nothing(self.maximum_differences)
    }

    /// Tells what was found of the subject.
    ///
    /// # Errors
    /// The caller does not read.
    pub async fn found(&mut self, found: Findings) -> Result<(), ServiceError> {
        let room = self.maximum_differences.saturating_sub(self.total_differences);
        let listed = found.differences.into_iter().take(usize::try_from(room).unwrap_or(usize::MAX));
        self.differences.extend(listed);
        self.total_differences += found.total_differences;
        self.checked(found.checked).await
    }

    /// Compares what is stored under each key with what would be, each named and put into words for people.
    pub fn compare<K: Ord, V: PartialEq>(
        &mut self,
        stored: &BTreeMap<K, V>,
        expected: &BTreeMap<K, V>,
        name: impl Fn(&K) -> String,
        words: impl Fn(&V) -> String,
    ) {
        let keys: BTreeSet<&K> = stored.keys().chain(expected.keys()).collect();
        for key in keys {
            let (stored, expected) = (stored.get(key), expected.get(key));
            if stored != expected {
                let in_words = |value: Option<&V>| value.map(&words).unwrap_or_default();
                self.differs(name(key), &in_words(stored), &in_words(expected));
            }
        }
    }

    pub(super) async fn complete(mut self) -> Result<(), ServiceError> {
        self.tell(true).await
    }

    async fn tell(&mut self, complete: bool) -> Result<(), ServiceError> {
        self.told_checked = self.checked;
        self.told_at = Instant::now();
        let mut differences = std::mem::take(&mut self.differences);
        while differences.len() > DIFFERENCES_PER_MESSAGE {
            let rest = differences.split_off(DIFFERENCES_PER_MESSAGE);
            self.messages.send(self.message(differences, false)).await?;
            differences = rest;
        }
        self.messages.send(self.message(differences, complete)).await
    }

    fn message(&self, differences: Vec<Difference>, complete: bool) -> VerifyResponse {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        VerifyResponse {
            subject: self.subject.clone(),
            checked: number(self.checked),
            differences,
            total_differences: number(self.total_differences),
            complete,
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAXIMUM_TEXT_LENGTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A hash as people compare it.
#[must_use]
pub fn hex(hash: &[u8]) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
