//! What a test has written, so that its reads can ask to know it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use contracts::{Feed, Revision};

/// The newest revision of each feed.
#[derive(Debug, Default)]
pub(crate) struct Revisions(Mutex<BTreeMap<Feed, u64>>);

impl Revisions {
    pub fn note(&self, revision: &str) {
        let revision: Revision = revision.parse().expect("a revision");
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let position = known.entry(revision.feed).or_default();
        *position = revision.position.max(*position);
    }

    pub fn all(&self) -> Vec<String> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.iter().map(|(feed, position)| Revision { feed: *feed, position: *position }.to_string()).collect()
    }
}
