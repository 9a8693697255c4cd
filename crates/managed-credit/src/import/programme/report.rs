//! What became of the rows of a programme.

use std::io::Write;

use anyhow::bail;
use comfy_table::Cell;

use crate::output::{Width, number, table};

/// What became of one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowOutcome {
    Created,
    Unchanged,
    Refused,
}

/// What became of the rows of one file.
#[derive(Debug, Default, PartialEq, Eq)]
struct FileReport {
    file: &'static str,
    created: u64,
    unchanged: u64,
    refused: u64,
}

/// What became of all rows.
#[derive(Debug, Default)]
pub(crate) struct Report {
    files: Vec<FileReport>,
    /// Refused rows, and rows that exist with other content, each with file and line.
    notes: Vec<String>,
}

impl Report {
    pub(super) fn begin(&mut self, file: &'static str) {
        self.files.push(FileReport { file, ..FileReport::default() });
    }

    /// Counts a row of the file that was begun last.
    pub(super) fn count(&mut self, outcome: RowOutcome) {
        let Some(file) = self.files.last_mut() else { return };
        match outcome {
            RowOutcome::Created => file.created += 1,
            RowOutcome::Unchanged => file.unchanged += 1,
            RowOutcome::Refused => file.refused += 1,
        }
    }

    /// Says something about a line of the file that was begun last.
    pub(super) fn note(&mut self, line: u64, text: &str) {
        let file = self.files.last().map_or("", |file| file.file);
        self.notes.push(format!("{file}:{line}: {text}"));
    }

    pub fn write(&self, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
        for note in &self.notes {
            writeln!(out, "{note}")?;
        }
        let mut table = table(width, ["File", "Created", "Unchanged", "Refused"]);
        for file in self.files.iter().filter(|file| file.created + file.unchanged + file.refused > 0) {
            table.add_row([Cell::new(file.file), number(file.created), number(file.unchanged), number(file.refused)]);
        }
        Ok(writeln!(out, "{table}")?)
    }

    /// Refuses a report with rows that were refused.
    pub fn require_complete(&self) -> anyhow::Result<()> {
        match self.files.iter().map(|file| file.refused).sum::<u64>() {
            0 => Ok(()),
            1 => bail!("1 row was refused, see above; the others are imported"),
            refused => bail!("{refused} rows were refused, see above; the others are imported"),
        }
    }
}
