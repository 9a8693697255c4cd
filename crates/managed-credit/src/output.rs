//! How answers are printed: tables of a fixed width where no terminal says its own.

use std::io::Write;
use std::path::Path;

use anyhow::Context as _;
use clap::ValueEnum;
use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Table};
use contracts::wire::credit::AnswerBasis;
use serde::Serialize;

use crate::wording;

/// The width where no terminal says its own, and the most of a paragraph, in characters.
const WIDTH_CHARACTERS: u16 = 120;

/// Below this a table is no longer readable, in characters: a narrower terminal wraps it.
const MINIMUM_WIDTH_CHARACTERS: u16 = 100;

/// The longest text that is kept whole in a column, in characters.
const MAXIMUM_WHOLE_CHARACTERS: u16 = 44;

/// A space on each side of a cell's text.
const PADDING_CHARACTERS: u16 = 2;

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Table,
    /// For programs: the fields of the gRPC answer in snake_case, numbers of money and points as strings.
    Json,
    /// For spreadsheets.
    Csv,
}

/// How wide an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Width {
    /// As wide as the terminal, where there is one.
    Terminal,
    /// 120 characters, whatever it is printed to.
    Fixed,
}

impl Width {
    fn characters(self) -> u16 {
        let terminal = match self {
            Self::Terminal => Table::new().width(),
            Self::Fixed => None,
        };
        terminal.map_or(WIDTH_CHARACTERS, |characters| characters.max(MINIMUM_WIDTH_CHARACTERS))
    }
}

/// An empty table with a header.
pub(crate) fn table<const COUNT: usize>(width: Width, header: [&str; COUNT]) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table.force_no_tty().set_width(width.characters());
    table
}

/// Keeps the texts of a column whole, as an address wants to be; those that are longer than any usual one are broken.
pub(crate) fn keep_whole(table: &mut Table, column_index: usize) {
    let longest = table.column_max_content_widths().get(column_index).copied().unwrap_or_default();
    let width = comfy_table::Width::Fixed(longest.min(MAXIMUM_WHOLE_CHARACTERS) + PADDING_CHARACTERS);
    if let Some(column) = table.column_mut(column_index) {
        column.set_constraint(ColumnConstraint::LowerBoundary(width));
    }
}

/// A paragraph, its lines broken between words.
pub(crate) fn paragraph(text: &str, width: Width) -> String {
    textwrap::fill(text, wrapping(width))
}

/// A line of a list, its lines broken between words.
pub(crate) fn item(text: &str, width: Width) -> String {
    textwrap::fill(text, wrapping(width).initial_indent("  - ").subsequent_indent("    "))
}

/// Between words only: a date or an amount stays whole.
fn wrapping(width: Width) -> textwrap::Options<'static> {
    textwrap::Options::new(usize::from(width.characters().min(WIDTH_CHARACTERS)))
        .word_separator(textwrap::WordSeparator::AsciiSpace)
        .word_splitter(textwrap::WordSplitter::NoHyphenation)
}

/// What an answer rests on (R125), but for what differs from run to run where the output is fixed.
pub(crate) fn basis(basis: &AnswerBasis, width: Width) -> String {
    let as_of = wording::minute_or_absent(basis.as_of_time.as_ref());
    let answer = format!("As of {as_of}, by policy {}", basis.policy_version);
    if width == Width::Fixed {
        return format!("{answer}.");
    }
    let calculated = wording::minute_or_absent(basis.calculation_time.as_ref());
    let facts = match basis.fresh_time {
        Some(_) => format!("facts complete up to {}", wording::minute_or_absent(basis.fresh_time.as_ref())),
        None => "facts that may not be complete yet".to_owned(),
    };
    paragraph(&format!("{answer}; calculated at {calculated} from {facts}."), width)
}

/// A JSON document for programs.
pub(crate) fn write_json(answer: &impl Serialize, out: &mut impl Write) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, answer)?;
    Ok(writeln!(out)?)
}

/// Writes a file that is there whole or not at all: beside its place, and renamed once all of it is written.
pub(crate) fn to_file(
    path: &Path,
    write: impl FnOnce(&mut tempfile::NamedTempFile) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file =
        tempfile::NamedTempFile::new_in(folder).with_context(|| format!("cannot write {}", path.display()))?;
    write(&mut file)?;
    file.flush()?;
    file.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}

/// A cell with a number.
pub(crate) fn number(text: impl ToString) -> Cell {
    Cell::new(text).set_alignment(CellAlignment::Right)
}

/// A cell of CSV. A spreadsheet runs one that begins like a formula; a quote before it makes it text.
pub(crate) fn not_a_formula(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_never_broken() {
        let text = format!("{} 2026-11-24", "x".repeat(115));
        assert_eq!(paragraph(&text, Width::Fixed).lines().nth(1), Some("2026-11-24"));
    }

    #[test]
    fn a_text_is_never_run_as_a_formula() {
        for text in ["=HYPERLINK(\"x\")", "+1", "-1", "@SUM(A1)"] {
            assert_eq!(not_a_formula(text), format!("'{text}"));
        }
        assert_eq!(not_a_formula("Caffè = Borgo"), "Caffè = Borgo");
    }
}
