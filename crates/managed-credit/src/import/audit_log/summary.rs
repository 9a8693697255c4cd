//! What became of the records of an import.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::bail;
use comfy_table::Cell;
use contracts::wire::activity::record_activity_result::Outcome;
use contracts::wire::activity::{Activity, NotCountedReason, Verdict, VerdictOutcome, activity};

use super::{Place, RecordedEntry};
use crate::output::{Width, number, table};
use crate::wording;

/// Errors that are printed one by one; the others are only counted.
const MAXIMUM_PRINTED_ERRORS: u64 = 1_000;

/// Counts by verdict and reason; errors are printed when they are met.
#[derive(Debug)]
pub(crate) struct Summary {
    /// What was imported.
    title: String,
    /// Records by why they do not count; those that do are under the unspecified reason.
    verdicts: BTreeMap<NotCountedReason, u64>,
    /// Actions that the policy does not know, in the source's words.
    unknown_actions: BTreeMap<String, u64>,
    duplicates: u64,
    provisional: u64,
    errors: u64,
}

impl Summary {
    /// Of nothing yet; `title` says what is imported.
    pub fn new(title: String) -> Self {
        Self {
            title,
            verdicts: BTreeMap::new(),
            unknown_actions: BTreeMap::new(),
            duplicates: 0,
            provisional: 0,
            errors: 0,
        }
    }

    pub(super) fn add(&mut self, entries: Vec<RecordedEntry>) {
        for RecordedEntry { place, outcome } in entries {
            let (activity, result) = match outcome {
                Ok(recorded) => recorded,
                Err(problem) => {
                    self.add_error(&place, &problem);
                    continue;
                }
            };
            match result.outcome {
                Some(Outcome::Verdict(verdict)) => self.add_verdict(&activity, &verdict, result.duplicate),
                Some(Outcome::Error(error)) => self.add_error(&place, &error.message),
                None => self.add_error(&place, "the service did not say what became of it"),
            }
        }
    }

    fn add_verdict(&mut self, activity: &Activity, verdict: &Verdict, is_duplicate: bool) {
        *self.verdicts.entry(verdict.reason()).or_default() += 1;
        self.duplicates += u64::from(is_duplicate);
        self.provisional += u64::from(verdict.provisional);
        if verdict.outcome() == VerdictOutcome::NotCounted && verdict.reason() == NotCountedReason::UnknownAction {
            *self.unknown_actions.entry(source_words(activity)).or_default() += 1;
        }
    }

    fn add_error(&mut self, place: &Place, problem: &str) {
        self.errors += 1;
        let text = match self.errors {
            ..=MAXIMUM_PRINTED_ERRORS => format!("{place}: {problem}"),
            count if count == MAXIMUM_PRINTED_ERRORS + 1 => "more errors are counted, not printed".to_owned(),
            _ => return,
        };
        // Who has closed standard error does not want to know.
        let _ = writeln!(io::stderr(), "{text}");
    }

    fn judged(&self) -> u64 {
        self.verdicts.values().sum()
    }

    /// The counts as a table, and what deserves a sentence.
    pub fn write(&self, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
        let new = self.judged() - self.duplicates;
        writeln!(
            out,
            "{}: {}; new: {new}, recorded before: {}, errors: {}.",
            self.title,
            wording::count(self.judged() + self.errors, "record"),
            self.duplicates,
            self.errors
        )?;
        if !self.verdicts.is_empty() {
            let mut table = table(width, ["Verdict", "Records", "Reason", "That is"]);
            for (reason, count) in &self.verdicts {
                table.add_row(verdict_cells(*reason, *count));
            }
            writeln!(out, "{table}")?;
        }
        if !self.unknown_actions.is_empty() {
            writeln!(
                out,
                "Actions that the policy does not know; add them to its source_mapping if they should count:"
            )?;
            for (words, count) in &self.unknown_actions {
                writeln!(out, "  {words}  {count}")?;
            }
        }
        if self.provisional > 0 {
            writeln!(
                out,
                "Provisional: {}, because access-management could not be asked for its newest facts; when it answers, they \
                 are judged again by themselves.",
                wording::count(self.provisional, "verdict")
            )?;
        }
        Ok(())
    }

    /// Refuses a summary with errors.
    pub fn require_complete(&self) -> anyhow::Result<()> {
        if self.errors == 0 {
            return Ok(());
        }
        let errors = wording::count(self.errors, "record");
        match self.judged() {
            0 => bail!("{errors} could not be imported, which is all that there was"),
            judged => bail!("{errors} could not be imported; {} could", wording::count(judged, "other")),
        }
    }
}

fn verdict_cells(reason: NotCountedReason, count: u64) -> [Cell; 4] {
    if reason == NotCountedReason::Unspecified {
        return [Cell::new("counts"), number(count), Cell::new(""), Cell::new("qualifying work, credited")];
    }
    let name = wording::short_name(reason.as_str_name(), "NOT_COUNTED_REASON_");
    [Cell::new("does not count"), number(count), Cell::new(name), Cell::new(wording::not_counted(reason))]
}

/// `CRM_OBJECT/LEAD/CREATE`, as the policy's mapping writes it.
fn source_words(activity: &Activity) -> String {
    match &activity.action {
        Some(activity::Action::SourceAction(words)) if words.subcategory.is_empty() => {
            format!("{}/{}", words.category, words.action)
        }
        Some(activity::Action::SourceAction(words)) => {
            format!("{}/{}/{}", words.category, words.subcategory, words.action)
        }
        Some(activity::Action::CatalogueAction(words)) => format!("{}/{}", words.tool, words.action),
        None => String::new(),
    }
}
