//! What is told of one service.

use contracts::Revision;
use contracts::wire::maintenance::{FollowedFeed, FollowingState, GetStatusResponse, Rejudging};
use serde::Serialize;

use crate::running::Part;
use crate::wording::{ABSENT, rfc_3339};

/// How far a service is, or why nobody knows.
#[derive(Debug, Default, Serialize)]
pub(super) struct ServiceStatus {
    pub service: &'static str,
    pub revision: String,
    pub followed_feeds: Vec<FollowedStatus>,
    /// Absent where the service judges nothing.
    pub rejudging: Option<RejudgingStatus>,
    pub provisional_activities: i64,
    pub policy_version: String,
    pub policy_digest: String,
    /// Why it did not answer; absent where it did.
    pub problem: Option<String>,
}

/// How far a copy is.
#[derive(Debug, Serialize)]
pub(super) struct FollowedStatus {
    pub revision: String,
    pub settled_revision: String,
    /// How many changes of the feed are not settled; absent where its owner does not tell its end.
    behind_changes: Option<i64>,
    caught_up_time: Option<String>,
    state: &'static str,
    #[serde(skip)]
    following: FollowingState,
}

/// What waits to be judged again.
#[derive(Debug, Serialize)]
pub(super) struct RejudgingStatus {
    waiting_tasks: i64,
    done: i64,
    oldest_time: Option<String>,
}

impl ServiceStatus {
    /// What a service answered; `ends` are the newest revisions of all services that did.
    pub fn new(part: Part, status: &GetStatusResponse, ends: &[&str]) -> Self {
        Self {
            service: part.as_str(),
            revision: status.revision.clone(),
            followed_feeds: status.followed_feeds.iter().map(|feed| FollowedStatus::new(feed, ends)).collect(),
            rejudging: status.rejudging.as_ref().map(RejudgingStatus::new),
            provisional_activities: status.provisional_activities,
            policy_version: status.policy_version.clone(),
            policy_digest: status.policy_digest.clone(),
            problem: None,
        }
    }

    /// A service that did not answer.
    pub fn away(part: Part, problem: &str) -> Self {
        Self { service: part.as_str(), problem: Some(problem.to_owned()), ..Self::default() }
    }

    /// Whether it answers, and no copy of it waits to be built anew.
    pub fn is_well(&self) -> bool {
        self.problem.is_none() && self.followed_feeds.iter().all(FollowedStatus::is_well)
    }

    /// What else people should know of it.
    pub fn sentences(&self) -> Vec<String> {
        let waiting = self.rejudging.as_ref().and_then(RejudgingStatus::in_words);
        let provisional = match self.provisional_activities {
            0 => None,
            1 => Some("1 verdict is provisional".to_owned()),
            count => Some(format!("{count} verdicts are provisional")),
        };
        waiting.into_iter().chain(provisional).map(|sentence| format!("{}: {sentence}.", self.service)).collect()
    }

    /// The fields of a line of CSV; what is absent is empty.
    pub fn fields(&self, feed: Option<&FollowedStatus>) -> [String; 14] {
        let of_feed = |text: fn(&FollowedStatus) -> String| feed.map(text).unwrap_or_default();
        let of_rejudging = |text: fn(&RejudgingStatus) -> String| self.rejudging.as_ref().map(text).unwrap_or_default();
        [
            self.service.to_owned(),
            self.revision.clone(),
            of_feed(|feed| feed.revision.clone()),
            of_feed(|feed| feed.settled_revision.clone()),
            of_feed(|feed| feed.behind_changes.map(|changes| changes.to_string()).unwrap_or_default()),
            of_feed(|feed| feed.caught_up_time.clone().unwrap_or_default()),
            of_feed(|feed| feed.state.to_owned()),
            of_rejudging(|rejudging| rejudging.waiting_tasks.to_string()),
            of_rejudging(|rejudging| rejudging.done.to_string()),
            of_rejudging(|rejudging| rejudging.oldest_time.clone().unwrap_or_default()),
            self.rejudging.as_ref().map(|_| self.provisional_activities.to_string()).unwrap_or_default(),
            self.policy_version.clone(),
            self.policy_digest.clone(),
            self.problem.clone().unwrap_or_default(),
        ]
    }
}

impl FollowedStatus {
    fn new(feed: &FollowedFeed, ends: &[&str]) -> Self {
        let settled: Option<Revision> = feed.settled_revision.parse().ok();
        let ends = ends.iter().filter_map(|end| end.parse::<Revision>().ok());
        let behind = |settled: Revision| {
            let end = ends.filter(|end| end.feed == settled.feed).map(|end| end.position).max()?;
            i64::try_from(end).ok()?.checked_sub_unsigned(settled.position)
        };
        Self {
            revision: feed.revision.clone(),
            settled_revision: feed.settled_revision.clone(),
            behind_changes: settled.and_then(behind),
            caught_up_time: rfc_3339(feed.caught_up_time.as_ref()),
            state: feed.state().as_str_name(),
            following: feed.state(),
        }
    }

    /// How many changes of the feed are not settled; less than none where the feed has fewer.
    pub fn behind_in_words(&self) -> String {
        self.behind_changes.map_or(ABSENT.to_owned(), |changes| changes.to_string())
    }

    pub const fn state_in_words(&self) -> &'static str {
        match self.following {
            FollowingState::Unspecified | FollowingState::Starting => "starting",
            FollowingState::Open => "followed",
            FollowingState::Interrupted => "interrupted",
            FollowingState::Diverged => "of another history: replay",
            FollowingState::Stopped => "not understood: replay",
        }
    }

    const fn is_well(&self) -> bool {
        !matches!(self.following, FollowingState::Diverged | FollowingState::Stopped)
    }
}

impl RejudgingStatus {
    fn new(rejudging: &Rejudging) -> Self {
        let Rejudging { waiting_tasks, done, oldest_time } = rejudging;
        Self { waiting_tasks: *waiting_tasks, done: *done, oldest_time: rfc_3339(oldest_time.as_ref()) }
    }

    /// What waits, in a sentence; nothing where nothing does.
    fn in_words(&self) -> Option<String> {
        let tasks = match self.waiting_tasks {
            0 => return None,
            1 => "1 task waits".to_owned(),
            tasks => format!("{tasks} tasks wait"),
        };
        let done = if self.done == 0 { String::new() } else { format!("; {} of the first are done", self.done) };
        Some(format!("{tasks} to be judged again{done}"))
    }
}
