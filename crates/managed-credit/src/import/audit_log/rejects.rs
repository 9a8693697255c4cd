//! The file of what could not be imported: where it stood, why, and the record itself.

use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{anyhow, bail};

use super::Place;
use crate::output::not_a_formula;

/// A CSV file that is written as rejects are met.
#[derive(Debug)]
pub(crate) struct RejectsFile {
    name: String,
    writer: csv::Writer<File>,
}

impl RejectsFile {
    /// Creates the file with its header, in the place of what was there; it is none of `inputs`, of which `-` is standard
    /// input.
    ///
    /// # Errors
    /// A path that is an input, or that cannot be written.
    pub fn create<'input>(path: &Path, inputs: impl IntoIterator<Item = &'input Path>) -> anyhow::Result<Self> {
        let name = path.display().to_string();
        let file = identity(path);
        if file.is_some() && inputs.into_iter().any(|input| identity(input) == file) {
            bail!("{name}: --rejects would replace a file that is to be read");
        }
        let writer = csv::Writer::from_path(path).map_err(|error| anyhow!("{name}: {error}"))?;
        let mut rejects = Self { name, writer };
        rejects.write(["file", "line", "reason", "record"])?;
        rejects.flush()?;
        Ok(rejects)
    }

    /// Writes a row. The record goes as it is: JSON does not begin as a formula does, but for a number.
    pub(super) fn add(&mut self, place: &Place, reason: &str, record: &str) -> anyhow::Result<()> {
        self.write([&not_a_formula(&place.file), &place.line.to_string(), &not_a_formula(reason), record])
    }

    /// Brings what was written to the file.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        self.writer.flush().map_err(|error| self.problem(&error))
    }

    fn write(&mut self, row: [&str; 4]) -> anyhow::Result<()> {
        self.writer.write_record(row).map_err(|error| self.problem(&error))
    }

    /// In words only: a pipe that nobody reads is a failure here, other than that of an answer of which `head` has had
    /// enough.
    fn problem(&self, error: &impl fmt::Display) -> anyhow::Error {
        anyhow!("{}: {error}", self.name)
    }
}

impl fmt::Display for RejectsFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.name)
    }
}

/// What a regular file is whatever it is called: its device, and its number there. Nothing else loses anything by being
/// opened for writing.
fn identity(path: &Path) -> Option<(u64, u64)> {
    let path = if path == Path::new("-") { Path::new("/dev/stdin") } else { path };
    let metadata = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn folder_with_log() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("log.json");
        fs::write(&log, "{}").expect("a file");
        (folder, log)
    }

    #[test]
    fn a_row_says_where_why_and_what() {
        let (folder, log) = folder_with_log();
        let path = folder.path().join("rejects.csv");
        fs::write(&path, "what was there before, however long it was").expect("a file");
        let mut rejects = RejectsFile::create(&path, [log.as_path()]).expect("it can be written");
        let place = |line| Place { file: "=log.json".into(), line };
        rejects.add(&place(2), "id: is missing", r#"{"a":"b,c"}"#).expect("written");
        rejects.add(&place(3), "expected value at column 1", "").expect("written");
        rejects.flush().expect("written");
        let expected = "file,line,reason,record\n\
                        '=log.json,2,id: is missing,\"{\"\"a\"\":\"\"b,c\"\"}\"\n\
                        '=log.json,3,expected value at column 1,\n";
        assert_eq!(fs::read_to_string(&path).expect("a file"), expected);
    }

    #[test]
    fn an_input_is_never_replaced_whatever_it_is_called() {
        let (folder, log) = folder_with_log();
        let symbolic = folder.path().join("symbolic");
        std::os::unix::fs::symlink(&log, &symbolic).expect("a link");
        let hard = folder.path().join("hard");
        fs::hard_link(&log, &hard).expect("a link");
        for path in [log.clone(), folder.path().join(".").join("log.json"), symbolic, hard] {
            let refused =
                RejectsFile::create(&path, [Path::new("-"), log.as_path()]).expect_err("an input").to_string();
            assert!(refused.contains("would replace a file that is to be read"), "{refused}");
            assert_eq!(fs::read_to_string(&log).expect("a file"), "{}");
        }
    }

    #[test]
    fn a_path_that_cannot_be_written_is_named() {
        let (folder, log) = folder_with_log();
        let missing = folder.path().join("missing").join("rejects.csv");
        for path in [missing.as_path(), folder.path(), Path::new("/dev/full")] {
            let refused = RejectsFile::create(path, [log.as_path()]).expect_err("not writable").to_string();
            assert!(refused.starts_with(&format!("{}: ", path.display())), "{refused}");
        }
    }
}
