//! CSV files by the names of their columns, every bad line named at once.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use anyhow::Context as _;
use contracts::{DISPLAY_NAME_LENGTH, Violations};
use csv::{ReaderBuilder, StringRecord, Trim};
use domain::time::Instant;

use crate::as_of::parse_instant;

/// The largest file that is read: as a whole, because all of it is checked before anything is sent.
const MAXIMUM_FILE_BYTES: u64 = 64 * 1_024 * 1_024;

/// The most columns of a file.
const MAXIMUM_COLUMNS: usize = 1_000;

/// Bad lines that are listed of one file.
const MAXIMUM_LISTED_PROBLEMS: usize = 20;

/// A kind of row.
pub(super) trait CsvRow: Sized {
    /// The columns that its file has.
    const REQUIRED: &'static [&'static str];
    /// The columns that it may have.
    const OPTIONAL: &'static [&'static str];
    /// What any other column means.
    const OTHER_COLUMNS: OtherColumns;

    /// The row, or what is wrong with it in `cells`.
    fn parse(cells: &mut Cells<'_>) -> Option<Self>;
}

/// What a column means that nobody asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OtherColumns {
    /// A mistake: the file is written for us.
    Refused,
    /// Nothing: the file is made by another program, for other purposes too.
    Ignored,
}

/// A line that is not right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub file: String,
    /// From 1.
    pub line: u64,
    pub text: String,
}

/// The first problems of each file, one a line.
pub(super) fn listed(problems: &[Problem]) -> String {
    let mut lines = Vec::new();
    for of_file in problems.chunk_by(|one, other| one.file == other.file) {
        let shown = of_file.iter().take(MAXIMUM_LISTED_PROBLEMS);
        lines.extend(shown.map(|problem| format!("  {}:{}: {}", problem.file, problem.line, problem.text)));
        if let Some(more) = of_file.len().checked_sub(MAXIMUM_LISTED_PROBLEMS).filter(|more| *more > 0) {
            lines.push(format!("  {}: and {more} more", of_file[0].file));
        }
    }
    lines.join("\n")
}

/// The cells of one line, by their columns.
pub(super) struct Cells<'line> {
    header: &'line StringRecord,
    record: &'line StringRecord,
    /// Where the line begins in its file, from 1.
    pub line: u64,
    problems: Vec<String>,
}

impl Cells<'_> {
    fn text(&self, column: &str) -> &str {
        self.header.iter().position(|name| name == column).and_then(|index| self.record.get(index)).unwrap_or_default()
    }

    /// Notes what is wrong with a cell.
    pub fn refuse(&mut self, column: &str, problem: impl Display) {
        self.problems.push(format!("{column}: {problem}"));
    }

    /// The cell's value; an empty cell is refused.
    pub fn required<T, E: Display>(&mut self, column: &str, parse: impl FnOnce(&str) -> Result<T, E>) -> Option<T> {
        if self.text(column).is_empty() {
            self.refuse(column, "is empty");
            return None;
        }
        let parsed = parse(self.text(column));
        parsed.map_err(|problem| self.refuse(column, problem)).ok()
    }

    /// The cell's text.
    pub fn required_text(&mut self, column: &str) -> Option<String> {
        self.required(column, |text| Ok::<_, String>(text.to_owned()))
    }

    /// The text of a cell that names somebody or something to people: nothing is sent where access-management would refuse it.
    pub fn required_name(&mut self, column: &str) -> Option<String> {
        let refused = format!("1 to {DISPLAY_NAME_LENGTH} characters, without control characters");
        self.required(column, |text| Violations::default().text(column, text, DISPLAY_NAME_LENGTH).ok_or(refused))
    }

    /// The value of a cell that may be empty; nothing at all means that the cell is wrong.
    pub fn optional<T, E: Display>(
        &mut self,
        column: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Option<T>> {
        if self.text(column).is_empty() {
            return Some(None);
        }
        self.required(column, parse).map(Some)
    }

    /// The instant of a cell that may be empty; nothing at all means that the cell is wrong.
    pub fn optional_instant(&mut self, column: &str) -> Option<Option<Instant>> {
        self.optional(column, parse_instant)
    }

    /// Whether a cell says yes; absent is yes.
    pub fn is_yes(&mut self, column: &str) -> Option<bool> {
        match self.text(column).to_lowercase().as_str() {
            "" | "yes" | "true" => Some(true),
            "no" | "false" => Some(false),
            _ => {
                self.refuse(column, "is yes or no");
                None
            }
        }
    }
}

/// The content of a file.
pub(super) fn content(path: &Path) -> io::Result<Vec<u8>> {
    read_whole(File::open(path)?)
}

fn read_whole(reader: impl Read) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    reader.take(MAXIMUM_FILE_BYTES + 1).read_to_end(&mut content)?;
    if content.len() as u64 > MAXIMUM_FILE_BYTES {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "has more than 64 MiB; import it in parts"));
    }
    Ok(content)
}

/// The rows of the content of `file`. What is wrong is added to `problems`.
pub(super) fn rows<T: CsvRow>(file: &str, content: Vec<u8>, problems: &mut Vec<Problem>) -> anyhow::Result<Vec<T>> {
    let problem = |line, text| Problem { file: file.to_owned(), line, text };
    let content = match String::from_utf8(content) {
        Ok(content) => content,
        Err(error) => {
            let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
            problems.push(problem(line as u64, "is not UTF-8: save the file as \"CSV UTF-8\"".to_owned()));
            return Ok(Vec::new());
        }
    };
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter(&content))
        .comment(Some(b'#'))
        .trim(Trim::All)
        .flexible(true)
        .from_reader(content.as_bytes());
    let header = reader.headers().with_context(|| file.to_owned())?.clone();
    let wrong_columns = wrong_columns::<T>(&header);
    if !wrong_columns.is_empty() {
        problems.extend(wrong_columns.into_iter().map(|text| problem(1, text)));
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.with_context(|| file.to_owned())?;
        let line = first_line(&content, &record);
        if record.len() != header.len() {
            problems.push(problem(line, format!("has {} cells, the header has {}", record.len(), header.len())));
            continue;
        }
        let mut cells = Cells { header: &header, record: &record, line, problems: Vec::new() };
        rows.extend(T::parse(&mut cells));
        problems.extend(cells.problems.into_iter().map(|text| problem(line, text)));
    }
    Ok(rows)
}

/// The line on which a record begins: its position is before the comments and empty lines that precede it.
fn first_line(content: &str, record: &StringRecord) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let before = usize::try_from(position.byte()).ok().and_then(|byte| content.get(byte..)).unwrap_or_default();
    let skipped = before.lines().take_while(|line| line.is_empty() || line.starts_with('#')).count();
    position.line() + skipped as u64
}

/// Spreadsheets write semicolons where the comma is the decimal sign.
fn delimiter(content: &str) -> u8 {
    let header = content.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
    if header.contains(';') { b';' } else { b',' }
}

fn wrong_columns<T: CsvRow>(header: &StringRecord) -> Vec<String> {
    if header.len() > MAXIMUM_COLUMNS {
        return vec![format!("has {} columns; it may have {MAXIMUM_COLUMNS}", header.len())];
    }
    let mut wrong = Vec::new();
    for (index, column) in header.iter().enumerate() {
        if !T::REQUIRED.contains(&column) && !T::OPTIONAL.contains(&column) {
            if T::OTHER_COLUMNS == OtherColumns::Refused {
                let known = [T::REQUIRED, T::OPTIONAL].concat().join(", ");
                wrong.push(format!("unknown column {column:?}; the columns are {known}"));
            }
        } else if header.iter().take(index).any(|other| other == column) {
            wrong.push(format!("column {column} comes twice"));
        }
    }
    let missing = T::REQUIRED.iter().filter(|column| !header.iter().any(|name| name == **column));
    wrong.extend(missing.map(|column| format!("column {column} is missing")));
    wrong
}

#[cfg(test)]
mod tests;
