//! How far this process's copies have come, and waiting for them.

use std::time::Duration;

use contracts::wire::error::ErrorReason;
use contracts::{Failure, Feed, Revision};
use tokio::sync::watch;

use super::Cursor;

/// Whether a feed is followed, by whichever replica does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Following {
    /// It has not been opened yet.
    #[default]
    Starting,
    /// It is open: what it says arrives.
    Open,
    /// Its owner, or the own database, is away; it is opened again as soon as both are there.
    Interrupted,
    /// The copy is of another history than the feed, and stays as it is until it is built anew.
    Diverged,
    /// The feed says something that this version does not understand, or the copy cannot be read; it stays as it is
    /// until it is built anew.
    Stopped,
}

impl Following {
    pub(crate) const ALL: [Self; 5] = [Self::Starting, Self::Open, Self::Interrupted, Self::Diverged, Self::Stopped];

    /// As it is stored for the other replicas.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "STARTING",
            Self::Open => "OPEN",
            Self::Interrupted => "INTERRUPTED",
            Self::Diverged => "DIVERGED",
            Self::Stopped => "STOPPED",
        }
    }

    /// What was stored; nothing where another version stored it.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|following| following.as_str() == name)
    }
}

/// How far a copy has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Progress {
    /// The last position whose facts are stored here.
    position: u64,
    /// Up to which position of its own upstream the followed feed had said everything.
    incorporated_position: u64,
    following: Following,
}

/// The progress of every copy that this service keeps.
#[derive(Debug, Clone)]
pub struct Watermarks(Vec<(Feed, watch::Sender<Progress>)>);

impl Watermarks {
    /// Copies of these feeds, nothing known yet.
    #[must_use]
    pub fn new(followed: &[Feed]) -> Self {
        Self(followed.iter().map(|feed| (*feed, watch::Sender::default())).collect())
    }

    fn sender(&self, feed: Feed) -> Option<&watch::Sender<Progress>> {
        self.0.iter().find(|(followed, _)| *followed == feed).map(|(_, sender)| sender)
    }

    /// Says how far a copy has come.
    pub fn publish(&self, cursor: &Cursor) {
        if let Some(sender) = self.sender(cursor.feed) {
            sender.send_modify(|progress| {
                progress.position = cursor.position;
                progress.incorporated_position = cursor.incorporated_position;
            });
        }
    }

    /// Says that a copy has come at least so far: beside its follower, who may have come further already.
    pub(super) fn raise(&self, cursor: &Cursor) {
        if let Some(sender) = self.sender(cursor.feed) {
            sender.send_modify(|progress| {
                progress.position = cursor.position.max(progress.position);
                progress.incorporated_position = cursor.incorporated_position.max(progress.incorporated_position);
            });
        }
    }

    /// Says whether a feed is followed.
    pub(super) fn note(&self, feed: Feed, following: Following) {
        if let Some(sender) = self.sender(feed) {
            sender.send_modify(|progress| progress.following = following);
        }
    }

    /// Whether a feed is followed; one that the service does not follow never starts.
    #[must_use]
    pub fn following(&self, feed: Feed) -> Following {
        self.sender(feed).map_or(Following::Starting, |sender| sender.borrow().following)
    }

    /// Waits until this service's copies know a revision: read-your-writes across services. A revision of a feed that
    /// this service does not follow needs no waiting: it is its own, or no concern of it.
    ///
    /// `chained` names a followed feed that itself follows `Feed::Access`: a revision of the access feed is only known
    /// when that one has incorporated it as well.
    ///
    /// # Errors
    /// FACTS_BEHIND where the limit passes first.
    pub async fn wait_for(
        &self,
        revisions: &[Revision],
        chained: Option<Feed>,
        limit: Duration,
    ) -> Result<(), Failure> {
        let all = async {
            for revision in revisions {
                self.reach(revision.feed, |progress| progress.position >= revision.position).await;
                if let (Feed::Access, Some(chained)) = (revision.feed, chained) {
                    self.reach(chained, |progress| progress.incorporated_position >= revision.position).await;
                }
            }
        };
        tokio::time::timeout(limit, all).await.map_err(|_| self.behind(revisions))
    }

    async fn reach(&self, feed: Feed, is_there: impl Fn(&Progress) -> bool) {
        if let Some(mut receiver) = self.sender(feed).map(watch::Sender::subscribe) {
            // The sender lives in `self`, so the wait can only end by getting there.
            let _ = receiver.wait_for(|progress| is_there(progress)).await;
        }
    }

    fn behind(&self, revisions: &[Revision]) -> Failure {
        let known: Vec<String> = self.revisions().iter().map(ToString::to_string).collect();
        let asked: Vec<String> = revisions.iter().map(ToString::to_string).collect();
        let message = format!("asked to know {}, knows {} so far; try again", asked.join(", "), known.join(", "));
        Failure::new(ErrorReason::FactsBehind, message)
    }

    /// The revisions that this service's copies know.
    fn revisions(&self) -> Vec<Revision> {
        self.0.iter().map(|(feed, sender)| Revision { feed: *feed, position: sender.borrow().position }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cursor(feed: Feed, position: u64, incorporated_position: u64) -> Cursor {
        Cursor { feed, position, chain_hash: Vec::new(), incorporated_position, caught_up_time: None, replacements: 0 }
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_waits_for_both_hops() {
        let watermarks = Watermarks::new(&[Feed::Access, Feed::Servicing]);
        let asked = [Revision { feed: Feed::Access, position: 5 }];
        let wait = || watermarks.wait_for(&asked, Some(Feed::Servicing), Duration::from_secs(5));
        watermarks.publish(&cursor(Feed::Access, 5, 0));
        assert_eq!(wait().await.map_err(|failure| failure.reason()), Err(ErrorReason::FactsBehind));
        watermarks.publish(&cursor(Feed::Servicing, 1, 5));
        assert!(wait().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_revision_of_a_feed_that_is_not_followed_is_not_waited_for() {
        let watermarks = Watermarks::new(&[Feed::Access]);
        let asked = [Revision { feed: Feed::Credit, position: 9 }];
        assert!(watermarks.wait_for(&asked, None, Duration::ZERO).await.is_ok());
    }
}
