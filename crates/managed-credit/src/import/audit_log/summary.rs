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

/// Unknown actions that are told apart; a source has some hundred kinds.
const MAXIMUM_UNKNOWN_ACTIONS: usize = 1_000;

/// Counts by verdict and reason; errors are printed when they are met.
#[derive(Debug)]
pub(crate) struct Summary {
    /// What was imported.
    title: String,
    /// Records by why they do not count; those that do are under the unspecified reason.
    verdicts: BTreeMap<NotCountedReason, u64>,
    /// Actions that the policy does not know, in the source's words.
    unknown_actions: BTreeMap<String, u64>,
    /// Records of further such actions.
    further_unknown_actions: u64,
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
            further_unknown_actions: 0,
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
            self.add_unknown_action(source_words(activity));
        }
    }

    fn add_unknown_action(&mut self, words: String) {
        if self.unknown_actions.len() < MAXIMUM_UNKNOWN_ACTIONS || self.unknown_actions.contains_key(&words) {
            *self.unknown_actions.entry(words).or_default() += 1;
        } else {
            self.further_unknown_actions += 1;
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
            if self.further_unknown_actions > 0 {
                writeln!(out, "  others  {}", self.further_unknown_actions)?;
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

#[cfg(test)]
mod tests {
    use contracts::wire::activity::{RecordActivityResult, SourceAction};

    use super::*;

    fn of_unknown_action(number: usize) -> RecordedEntry {
        let words =
            SourceAction { category: format!("KIND_{number}"), action: "RUN".to_owned(), ..SourceAction::default() };
        let activity = Activity { action: Some(activity::Action::SourceAction(words)), ..Activity::default() };
        let verdict = Verdict {
            outcome: VerdictOutcome::NotCounted.into(),
            reason: NotCountedReason::UnknownAction.into(),
            ..Verdict::default()
        };
        let result =
            RecordActivityResult { outcome: Some(Outcome::Verdict(verdict)), ..RecordActivityResult::default() };
        RecordedEntry { place: Place { file: "log".into(), line: 1 }, outcome: Ok((activity, result)) }
    }

    #[test]
    fn unknown_actions_are_named_and_counted_however_many_there_are() {
        let mut summary = Summary::new("Audit log".to_owned());
        summary.add((0..1_005).chain(0..2).map(of_unknown_action).collect());
        let mut out = Vec::new();
        summary.write(Width::Fixed, &mut out).expect("a vector takes everything");
        let text = String::from_utf8(out).expect("text");
        assert!(text.contains("  KIND_0/RUN  2\n") && text.contains("  KIND_999/RUN  1\n"), "{text}");
        assert!(text.contains("  others  5\n") && !text.contains("KIND_1004"), "{text}");
    }
}
