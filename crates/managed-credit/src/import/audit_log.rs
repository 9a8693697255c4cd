//! The vendor's account-activity log: read as a stream, sent in batches with a few calls in flight, judged by
//! activity-tracking; the record's own words travel (R60).

mod reader;
mod record;
mod summary;

use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use contracts::wire::activity::{Activity, RecordActivitiesRequest, RecordActivityResult};
use domain::access::HubId;
use futures_util::StreamExt as _;
use indicatif::ProgressBar;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::progress;
use crate::running::Part;
use crate::servers::{NewestRevisions, Servers, call};
use reader::{Entry, read_entries};
use record::activity_of;
pub(crate) use summary::Summary;

/// Records that one call sends.
const BATCH_RECORDS: usize = 500;

/// Calls that are under way at a time.
const CALLS_IN_FLIGHT: usize = 4;

/// Records that are read ahead of what is sent.
const RECORDS_AHEAD: usize = 2 * BATCH_RECORDS;

/// Where a record stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    file: Arc<str>,
    /// From 1.
    line: u64,
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

/// A record of a log: as an activity, or why it is none.
struct Found {
    place: Place,
    activity: Result<Activity, String>,
}

/// Imports files in their order; `-` is standard input. Memory does not grow with their size.
///
/// # Errors
/// A file that cannot be opened (before anything is sent), or a service that is away. A record that cannot be read is in
/// the summary.
pub(crate) async fn import(
    servers: &Servers,
    client: HubId,
    files: &[PathBuf],
    summary: &mut Summary,
    revisions: &mut NewestRevisions,
) -> anyhow::Result<()> {
    let sources = files.iter().map(|file| Source::check(file)).collect::<anyhow::Result<Vec<_>>>()?;
    let progress = progress_over(client, &sources);
    let (sender, receiver) = mpsc::channel(RECORDS_AHEAD);
    let reading = read_ahead(sources, client, progress.clone(), sender);
    let mut batches = ReceiverStream::new(receiver)
        .chunks(BATCH_RECORDS)
        .map(|batch| record(servers.clone(), batch))
        .buffered(CALLS_IN_FLIGHT);
    while let Some(recorded) = batches.next().await {
        let recorded = recorded.map_err(|status| servers.problem(Part::Activity, &status))?;
        revisions.note(&recorded.revision);
        progress.suspend(|| summary.add(recorded.entries));
    }
    drop(batches);
    reading.await.context("reading stopped")?;
    progress.finish_and_clear();
    Ok(())
}

/// A file, or standard input.
struct Source {
    path: PathBuf,
    name: Arc<str>,
    /// Nothing where nobody knows.
    bytes: Option<u64>,
}

impl Source {
    /// What can be opened. It is not kept open: pages may be more files than a process may have.
    fn check(path: &Path) -> anyhow::Result<Self> {
        let path = path.to_owned();
        if path == Path::new("-") {
            return Ok(Self { path, name: "standard input".into(), bytes: None });
        }
        let name = path.display().to_string();
        let metadata = fs::metadata(&path).with_context(|| name.clone())?;
        // Opening a folder succeeds; reading it does not.
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory)).context(name);
        }
        // A pipe is opened once only, and has no length.
        let bytes = metadata.is_file().then_some(metadata.len());
        if bytes.is_some() {
            File::open(&path).with_context(|| name.clone())?;
        }
        Ok(Self { path, name: name.into(), bytes })
    }

    fn open(&self) -> io::Result<Box<dyn Read>> {
        if self.path == Path::new("-") { Ok(Box::new(io::stdin())) } else { Ok(Box::new(File::open(&self.path)?)) }
    }
}

fn progress_over(client: HubId, sources: &[Source]) -> ProgressBar {
    let what = format!("audit log of client {client}");
    let bytes: Option<u64> = sources.iter().map(|source| source.bytes).sum();
    bytes.map_or_else(|| progress::spinner(&what), |bytes| progress::bar(&what, bytes, true))
}

/// Reads on a thread of its own, as far ahead as the channel allows; ends early when nobody listens any more.
fn read_ahead(
    sources: Vec<Source>,
    client: HubId,
    progress: ProgressBar,
    sender: mpsc::Sender<Found>,
) -> tokio::task::JoinHandle<()> {
    tokio::task::spawn_blocking(move || {
        for source in sources {
            let take = |Entry { line, value }| {
                let place = Place { file: Arc::clone(&source.name), line };
                let activity = value.and_then(|value| activity_of(client, &value));
                sender.blocking_send(Found { place, activity }).is_ok()
            };
            let is_wanted = match source.open() {
                Ok(reader) => read_entries(BufReader::new(progress.wrap_read(reader)), take),
                Err(error) => take(Entry { line: 1, value: Err(error.to_string()) }),
            };
            if !is_wanted {
                return;
            }
        }
    })
}

/// What became of a batch, in the order of the log.
struct Recorded {
    entries: Vec<RecordedEntry>,
    revision: String,
}

/// What became of one record.
pub(super) struct RecordedEntry {
    place: Place,
    /// The activity with the service's answer, or why it could not be read.
    outcome: Result<(Activity, RecordActivityResult), String>,
}

async fn record(servers: Servers, batch: Vec<Found>) -> Result<Recorded, Status> {
    let activities: Vec<Activity> = batch.iter().filter_map(|found| found.activity.clone().ok()).collect();
    let (results, revision) = if activities.is_empty() {
        (Vec::new(), String::new())
    } else {
        let message = RecordActivitiesRequest { activities, ..RecordActivitiesRequest::default() };
        let answer = call!(servers.activity, record_activities, message)?;
        (answer.results, answer.revision)
    };
    let mut results = results.into_iter();
    let entry = |found: Found| {
        let outcome = found.activity.map(|activity| (activity, results.next().unwrap_or_default()));
        RecordedEntry { place: found.place, outcome }
    };
    Ok(Recorded { entries: batch.into_iter().map(entry).collect(), revision })
}
