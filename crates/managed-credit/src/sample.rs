//! The sample programme: fictional, and part of the program, so that it can be shown anywhere.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use domain::access::HubId;
use include_dir::{Dir, include_dir};

static SAMPLE: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/sample");

/// The instant that the sample is interesting at.
pub(crate) const AS_OF: &str = "2025-09-01";

/// The sample as files in a folder.
pub(crate) struct Sample {
    dir: PathBuf,
}

/// The log that was fetched from one client account.
pub(crate) struct SampleLog {
    pub client: HubId,
    pub file: PathBuf,
}

impl Sample {
    /// Writes the files into a folder.
    pub fn write(dir: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(dir).and_then(|()| SAMPLE.extract(dir)).context("the sample cannot be written")?;
        Ok(Self { dir: dir.to_owned() })
    }

    /// The folder of the programme's files.
    pub fn programme_dir(&self) -> &Path {
        &self.dir
    }

    /// The audit logs, by client: each file is named after the account that it was fetched from.
    pub fn audit_logs(&self) -> anyhow::Result<Vec<SampleLog>> {
        let folder = SAMPLE.get_dir("audit-log").context("the sample has audit logs")?;
        let mut logs = Vec::new();
        for file in folder.files() {
            let name = file.path().file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let client = name.parse().with_context(|| file.path().display().to_string())?;
            logs.push(SampleLog { client, file: self.dir.join(file.path()) });
        }
        logs.sort_by_key(|log| log.client);
        Ok(logs)
    }
}
