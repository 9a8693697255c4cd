//! How far a service is.

use contracts::wire::maintenance as wire;
use contracts::{Revision, timestamp};
use domain::policy::Policy;
use domain::time::Instant;

use crate::feed::{Cursor, Following};

/// How far a service is.
#[derive(Debug, Clone)]
pub struct ServiceStatus {
    /// The newest revision of its own facts.
    pub head: Revision,
    /// The copies of the feeds that it follows.
    pub copies: Vec<CopyStatus>,
    /// What has still to be judged again; absent where the service judges nothing.
    pub rejudging: Option<RejudgingStatus>,
    /// How many verdicts are provisional.
    pub provisional_activities: u64,
}

/// How far a copy is.
#[derive(Debug, Clone)]
pub struct CopyStatus {
    /// Where it is in the feed.
    pub cursor: Cursor,
    /// The newest position from which everything that follows has been computed.
    pub settled_position: u64,
    /// Whether the feed is followed.
    pub following: Following,
}

/// Work that waits in a durable queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RejudgingStatus {
    /// How many tasks wait, or are under way.
    pub waiting_tasks: u64,
    /// How many activities, or relationships, of the oldest are done.
    pub done: u64,
    /// Since when the oldest waits; absent where nothing does.
    pub oldest_time: Option<Instant>,
}

pub(super) fn response(service: &str, policy: &Policy, status: ServiceStatus) -> wire::GetStatusResponse {
    wire::GetStatusResponse {
        service: service.to_owned(),
        revision: status.head.to_string(),
        followed_feeds: status.copies.iter().map(followed_feed).collect(),
        rejudging: status.rejudging.map(rejudging),
        provisional_activities: number(status.provisional_activities),
        policy_version: policy.version().to_string(),
        policy_digest: policy.digest().to_owned(),
    }
}

fn followed_feed(copy: &CopyStatus) -> wire::FollowedFeed {
    let CopyStatus { cursor, settled_position, following } = copy;
    let state = match following {
        Following::Starting => wire::FollowingState::Starting,
        Following::Open => wire::FollowingState::Open,
        Following::Interrupted => wire::FollowingState::Interrupted,
        Following::Diverged => wire::FollowingState::Diverged,
        Following::Stopped => wire::FollowingState::Stopped,
    };
    wire::FollowedFeed {
        revision: Revision { feed: cursor.feed, position: cursor.position }.to_string(),
        settled_revision: Revision { feed: cursor.feed, position: *settled_position }.to_string(),
        caught_up_time: cursor.caught_up_time.map(timestamp),
        state: state.into(),
    }
}

fn rejudging(status: RejudgingStatus) -> wire::Rejudging {
    wire::Rejudging {
        waiting_tasks: number(status.waiting_tasks),
        done: number(status.done),
        oldest_time: status.oldest_time.map(timestamp),
    }
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
