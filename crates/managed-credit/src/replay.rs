//! `replay`: a service builds its copies of other services' facts anew, while it goes on serving.

use std::collections::BTreeSet;
use std::io::Write;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use contracts::wire::maintenance::{GetStatusRequest, ReplayRequest, ReplayResponse};
use contracts::{Feed, Revision};
use indicatif::ProgressBar;

use crate::progress;
use crate::running::Part;
use crate::servers::{ServerUrls, Servers, ask};
use crate::wording::count;

/// The flags of `replay`.
#[derive(Debug, Args)]
pub(crate) struct ReplayCommand {
    /// Whose copies
    #[arg(value_enum, value_name = "SERVICE")]
    pub service: Follower,
    /// Of which feed; of all that the service follows, if absent
    #[arg(long, env = "MANAGED_CREDIT_FEED", value_enum, value_name = "FEED")]
    pub feed: Option<FollowedFeed>,
    #[command(flatten, next_help_heading = "Where the services are called")]
    pub urls: ServerUrls,
}

/// The services that keep copies; access-management follows nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Follower {
    /// activity-tracking, which then judges everything again
    Activity,
    /// credit-calculation
    Credit,
}

/// What is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FollowedFeed {
    /// Who may work where, of access-management
    Access,
    /// Who services whom, of activity-tracking
    Servicing,
}

impl FollowedFeed {
    const fn feed(self) -> Feed {
        match self {
            Self::Access => Feed::Access,
            Self::Servicing => Feed::Servicing,
        }
    }
}

pub(crate) async fn replay(command: &ReplayCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::for_platform(&command.urls)?;
    let part = match command.service {
        Follower::Activity => Part::Activity,
        Follower::Credit => Part::Credit,
    };
    let mut left = feeds(&servers, part, command.feed).await?;
    let feed = command.feed.map_or("", |followed| followed.feed().as_str()).to_owned();
    let stream = servers.maintenance(part).replay(ReplayRequest { feed }).await;
    let mut stream = stream.map_err(|status| servers.problem(part, &status))?.into_inner();
    let mut bar: Option<(String, ProgressBar)> = None;
    while let Some(message) = stream.message().await.map_err(|status| servers.problem(part, &status))? {
        let bar = match &mut bar {
            Some((feed, bar)) if *feed == message.feed => bar,
            other => &other.insert((message.feed.clone(), bar_of(&servers, &message.feed).await)).1,
        };
        bar.set_position(u64::try_from(message.applied_changes).unwrap_or_default());
        if message.complete {
            bar.finish_and_clear();
            left.remove(&message.feed);
            write_complete(part, &message, out)?;
        }
    }
    if let Some(feed) = left.first() {
        bail!("{part} stopped before the new copy of the {feed} feed was in its place; the old one is as it was");
    }
    Ok(())
}

/// The feeds whose copies are to be built anew.
async fn feeds(servers: &Servers, part: Part, named: Option<FollowedFeed>) -> anyhow::Result<BTreeSet<String>> {
    if let Some(named) = named {
        return Ok(BTreeSet::from([named.feed().as_str().to_owned()]));
    }
    let status = ask!(servers.maintenance(part), get_status, GetStatusRequest {});
    let status = status.map_err(|status| servers.problem(part, &status))?;
    let feed = |revision: &str| -> anyhow::Result<String> {
        let revision: Revision = revision.parse().with_context(|| format!("{part} follows {revision:?}"))?;
        Ok(revision.feed.as_str().to_owned())
    };
    status.followed_feeds.iter().map(|followed| feed(&followed.revision)).collect()
}

/// A bar up to the feed's end where its owner tells it, else a counter.
async fn bar_of(servers: &Servers, feed: &str) -> ProgressBar {
    let what = format!("changes of the {feed} feed");
    let owner = if feed == Feed::Access.as_str() { Part::Access } else { Part::Activity };
    let status = ask!(servers.maintenance(owner), get_status, GetStatusRequest {});
    let end: Option<Revision> = status.ok().and_then(|status| status.revision.parse().ok());
    end.map_or_else(|| progress::counter(&what), |end| progress::bar(&what, end.position, false))
}

fn write_complete(part: Part, message: &ReplayResponse, out: &mut impl Write) -> anyhow::Result<()> {
    let changes = count(u64::try_from(message.applied_changes).unwrap_or_default(), "change");
    writeln!(out, "{part} has a new copy of the {} feed, made from {changes}", message.feed)?;
    if part == Part::Activity {
        writeln!(out, "Everything is being judged again by it; `managed-credit status` says what still waits.")?;
    }
    Ok(out.flush()?)
}
