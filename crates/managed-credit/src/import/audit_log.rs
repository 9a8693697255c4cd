//! The vendor's logs of what people did in an account: read as a stream, sent in batches with a few calls in flight,
//! judged by activity-tracking; the record's own words travel (R60).
//!
//! Invariant: memory does not grow with a log. What is in flight is bounded in records and, of their text, in bytes; what
//! cannot be imported is counted, and printed or written to a file at once.

mod reader;
mod record;
mod rejects;
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
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use crate::progress;
use crate::running::Part;
use crate::servers::{NewestRevisions, Servers, call};
use reader::{Entry, read_entries};
pub(crate) use record::{RecordKind, Users};
pub(crate) use rejects::RejectsFile;
pub(crate) use summary::Summary;

/// Records that one call sends.
const BATCH_RECORDS: usize = 500;

/// Where the texts of a batch's records have as many bytes, it is sent with fewer.
const BATCH_TEXT_BYTES: usize = 1_048_576;

/// Calls that are under way at a time.
const CALLS_IN_FLIGHT: usize = 4;

/// Batches that are read ahead of what is sent.
const BATCHES_AHEAD: usize = 2;

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

/// A log that was fetched from one client account.
pub(crate) struct AuditLog {
    client: HubId,
    kind: RecordKind,
    sources: Vec<Source>,
}

impl AuditLog {
    /// The log in these files, in their order; `-` is standard input.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn check(client: HubId, kind: RecordKind, files: &[PathBuf]) -> anyhow::Result<Self> {
        let sources = files.iter().map(|file| Source::check(file)).collect::<anyhow::Result<_>>()?;
        Ok(Self { client, kind, sources })
    }

    /// What it is, for people.
    pub fn title(&self) -> String {
        format!("{} of client {}", self.kind.title(), self.client)
    }

    /// Every file that is read for it; `-` is standard input.
    pub fn inputs(&self) -> impl Iterator<Item = &Path> {
        let sources = self.sources.iter().map(|source| source.path.as_path());
        sources.chain(self.kind.users().map(Users::path))
    }

    /// Sends every record. What cannot be imported is in the summary.
    ///
    /// # Errors
    /// A service that is away, or a file of rejects that cannot be written.
    pub async fn import(
        self,
        servers: &Servers,
        summary: &mut Summary,
        revisions: &mut NewestRevisions,
    ) -> anyhow::Result<()> {
        let progress = self.progress();
        let (sender, receiver) = mpsc::channel(BATCHES_AHEAD);
        let batches = Batches { sender, keeps_texts: summary.keeps_rejects(), batch: Vec::new(), text_bytes: 0 };
        let reading = self.read_ahead(batches, progress.clone());
        let mut calls =
            ReceiverStream::new(receiver).map(|batch| record(servers.clone(), batch)).buffered(CALLS_IN_FLIGHT);
        while let Some(recorded) = calls.next().await {
            let recorded = recorded.map_err(|status| servers.problem(Part::Activity, &status))?;
            revisions.note(&recorded.revision);
            progress.suspend(|| summary.add(recorded.entries))?;
        }
        drop(calls);
        reading.await.context("reading stopped")?;
        progress.finish_and_clear();
        Ok(())
    }

    fn progress(&self) -> ProgressBar {
        let what = format!("log of client {}", self.client);
        let bytes: Option<u64> = self.sources.iter().map(|source| source.bytes).sum();
        bytes.map_or_else(|| progress::spinner(&what), |bytes| progress::bar(&what, bytes, true))
    }

    /// Reads on a thread of its own, as far ahead as the channel allows; ends early when nobody listens any more.
    fn read_ahead(self, mut batches: Batches, progress: ProgressBar) -> tokio::task::JoinHandle<()> {
        tokio::task::spawn_blocking(move || {
            for source in &self.sources {
                let take = |Entry { line, value }| {
                    let place = Place { file: Arc::clone(&source.name), line };
                    batches.add(place, value, |value| self.kind.activity_of(self.client, value))
                };
                if !source.read(&progress, take) {
                    return;
                }
            }
            batches.send();
        })
    }
}

/// A record of a log: as an activity, or why it is none.
struct Found {
    place: Place,
    /// The record in one line; empty where it was no JSON, or where nobody wants it.
    text: String,
    activity: Result<Activity, String>,
}

/// Gathers what is found into batches.
struct Batches {
    sender: mpsc::Sender<Vec<Found>>,
    /// Whether the text of a record is wanted after it was read.
    keeps_texts: bool,
    batch: Vec<Found>,
    text_bytes: usize,
}

impl Batches {
    /// Whether anybody still listens.
    fn add(
        &mut self,
        place: Place,
        value: Result<Value, String>,
        activity_of: impl FnOnce(&Value) -> Result<Activity, String>,
    ) -> bool {
        let text = match &value {
            Ok(value) if self.keeps_texts => value.to_string(),
            _ => String::new(),
        };
        self.text_bytes += text.len();
        self.batch.push(Found { place, text, activity: value.and_then(|value| activity_of(&value)) });
        let is_full = self.batch.len() == BATCH_RECORDS || self.text_bytes >= BATCH_TEXT_BYTES;
        !is_full || self.send()
    }

    fn send(&mut self) -> bool {
        self.text_bytes = 0;
        let batch = std::mem::take(&mut self.batch);
        batch.is_empty() || self.sender.blocking_send(batch).is_ok()
    }
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

    /// Gives every record to `take` until it answers false; answers whether it never did.
    fn read(&self, progress: &ProgressBar, mut take: impl FnMut(Entry) -> bool) -> bool {
        match self.open() {
            Ok(reader) => read_entries(BufReader::new(progress.wrap_read(reader)), take),
            Err(error) => take(Entry { line: 1, value: Err(error.to_string()) }),
        }
    }
}

/// What became of a batch, in the order of the log.
struct Recorded {
    entries: Vec<RecordedEntry>,
    revision: String,
}

/// What became of one record.
pub(super) struct RecordedEntry {
    place: Place,
    /// As it was found.
    text: String,
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
        RecordedEntry { place: found.place, text: found.text, outcome }
    };
    Ok(Recorded { entries: batch.into_iter().map(entry).collect(), revision })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many records each batch has of so many records of so many bytes each.
    fn batch_lengths(keeps_texts: bool, records: u64, bytes: usize) -> Vec<usize> {
        let (sender, mut receiver) = mpsc::channel(100);
        let mut batches = Batches { sender, keeps_texts, batch: Vec::new(), text_bytes: 0 };
        for line in 1..=records {
            let place = Place { file: "log".into(), line };
            let value = Value::String("x".repeat(bytes - "\"\"".len()));
            assert!(batches.add(place, Ok(value), |_| Err("is not wanted".to_owned())));
        }
        assert!(batches.send());
        drop(batches);
        std::iter::from_fn(|| receiver.blocking_recv()).map(|batch| batch.len()).collect()
    }

    #[test]
    fn a_batch_is_bounded_in_records_and_in_the_bytes_of_the_texts_that_are_kept() {
        assert_eq!(batch_lengths(true, 1_001, 10), [500, 500, 1]);
        assert_eq!(batch_lengths(true, 5, BATCH_TEXT_BYTES / 2), [2, 2, 1]);
        assert_eq!(batch_lengths(true, 2, BATCH_TEXT_BYTES), [1, 1]);
        assert_eq!(batch_lengths(false, 5, BATCH_TEXT_BYTES / 2), [5]);
    }

    #[test]
    fn reading_stops_when_nobody_listens_any_more() {
        let (sender, receiver) = mpsc::channel(1);
        drop(receiver);
        let mut batches = Batches { sender, keeps_texts: false, batch: Vec::new(), text_bytes: 0 };
        let add = |_| batches.add(Place { file: "log".into(), line: 1 }, Err("bad".to_owned()), |_| unreachable!());
        let is_wanted: Vec<bool> = (1..=BATCH_RECORDS).map(add).collect();
        assert_eq!(is_wanted.iter().position(|is_wanted| !is_wanted), Some(BATCH_RECORDS - 1));
    }
}
