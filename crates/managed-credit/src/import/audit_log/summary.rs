//! What became of the records of an import.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anyhow::bail;
use comfy_table::Cell;
use contracts::wire::activity::record_activity_result::Outcome;
use contracts::wire::activity::{Activity, NotCountedReason, RecordActivityResult, Verdict, VerdictOutcome, activity};
use tonic_types::{RpcStatusExt as _, pb};

use super::{Place, RecordedEntry, RejectsFile};
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
    /// Records by whether they count, and why not.
    verdicts: BTreeMap<(VerdictOutcome, NotCountedReason), u64>,
    /// Actions that the policy does not know, in the source's words.
    unknown_actions: BTreeMap<String, u64>,
    /// Records of further such actions.
    further_unknown_actions: u64,
    duplicates: u64,
    provisional: u64,
    errors: u64,
    /// Where errors are written, with their records; printed where there is none.
    rejects: Option<RejectsFile>,
}

impl Summary {
    /// Of nothing yet; `title` says what is imported. Errors are printed, or written to the file of rejects.
    pub fn new(title: String, rejects: Option<RejectsFile>) -> Self {
        Self {
            title,
            verdicts: BTreeMap::new(),
            unknown_actions: BTreeMap::new(),
            further_unknown_actions: 0,
            duplicates: 0,
            provisional: 0,
            errors: 0,
            rejects,
        }
    }

    /// Whether the text of what cannot be imported is wanted.
    pub(super) const fn keeps_rejects(&self) -> bool {
        self.rejects.is_some()
    }

    /// # Errors
    /// A file of rejects that cannot be written.
    pub(super) fn add(&mut self, entries: Vec<RecordedEntry>) -> anyhow::Result<()> {
        for RecordedEntry { place, text, outcome } in entries {
            let problem = match outcome {
                Ok((activity, result)) => self.add_result(&activity, result).err(),
                Err(problem) => Some(problem),
            };
            if let Some(problem) = problem {
                self.add_error(&place, &problem, &text)?;
            }
        }
        self.rejects.as_mut().map_or(Ok(()), RejectsFile::flush)
    }

    /// Adds the verdict of an answer; or says why there is none.
    fn add_result(&mut self, activity: &Activity, result: RecordActivityResult) -> Result<(), String> {
        match result.outcome {
            Some(Outcome::Verdict(verdict)) => self.add_verdict(activity, &verdict, result.duplicate),
            Some(Outcome::Error(error)) => return Err(refusal(&error)),
            None => return Err("the service did not say what became of it".to_owned()),
        }
        Ok(())
    }

    fn add_verdict(&mut self, activity: &Activity, verdict: &Verdict, is_duplicate: bool) {
        *self.verdicts.entry((verdict.outcome(), verdict.reason())).or_default() += 1;
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

    fn add_error(&mut self, place: &Place, problem: &str, text: &str) -> anyhow::Result<()> {
        self.errors += 1;
        match &mut self.rejects {
            Some(rejects) => rejects.add(place, problem, text),
            None => {
                print_error(self.errors, place, problem);
                Ok(())
            }
        }
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
        if let Some(rejects) = &self.rejects {
            writeln!(out, "Written to {rejects}: {}.", wording::count(self.errors, "rejected record"))?;
        }
        if !self.verdicts.is_empty() {
            let mut table = table(width, ["Verdict", "Records", "Reason", "That is"]);
            for ((outcome, reason), count) in &self.verdicts {
                table.add_row(verdict_cells(*outcome, *reason, *count));
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

/// Prints the error of so many, the first errors only.
fn print_error(count: u64, place: &Place, problem: &str) {
    let text = match count {
        ..=MAXIMUM_PRINTED_ERRORS => format!("{place}: {problem}"),
        count if count == MAXIMUM_PRINTED_ERRORS + 1 => {
            "more errors are counted, not printed; --rejects FILE writes all of them to a file".to_owned()
        }
        _ => return,
    };
    // Who has closed standard error does not want to know.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Why a record was refused: `FUTURE_DATED: ...`.
fn refusal(error: &pb::Status) -> String {
    match error.get_details_error_info() {
        Some(info) => format!("{}: {}", info.reason, error.message),
        None => error.message.clone(),
    }
}

fn verdict_cells(outcome: VerdictOutcome, reason: NotCountedReason, count: u64) -> [Cell; 4] {
    let (verdict, reason, meaning) = match outcome {
        VerdictOutcome::Counted => ("counts", "", "qualifying work, credited"),
        VerdictOutcome::Voided => ("voided", "", "taken back after it was recorded; it never counts again"),
        VerdictOutcome::NotCounted | VerdictOutcome::Unspecified => {
            let name = wording::short_name(reason.as_str_name(), "NOT_COUNTED_REASON_");
            ("does not count", name, wording::not_counted(reason))
        }
    };
    [Cell::new(verdict), number(count), Cell::new(reason), Cell::new(meaning)]
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
    use contracts::wire::activity::SourceAction;

    use super::*;

    fn of_unknown_action(number: usize) -> RecordedEntry {
        let words =
            SourceAction { category: format!("KIND_{number}"), action: "RUN".to_owned(), ..SourceAction::default() };
        let activity = Activity { action: Some(activity::Action::SourceAction(words)), ..Activity::default() };
        let verdict = verdict(VerdictOutcome::NotCounted, NotCountedReason::UnknownAction);
        RecordedEntry { place: place(), text: String::new(), outcome: Ok((activity, judged(verdict))) }
    }

    fn place() -> Place {
        Place { file: "log".into(), line: 1 }
    }

    fn verdict(outcome: VerdictOutcome, reason: NotCountedReason) -> Verdict {
        Verdict { outcome: outcome.into(), reason: reason.into(), ..Verdict::default() }
    }

    fn judged(verdict: Verdict) -> RecordActivityResult {
        RecordActivityResult { outcome: Some(Outcome::Verdict(verdict)), ..RecordActivityResult::default() }
    }

    fn written(summary: &Summary) -> String {
        let mut out = Vec::new();
        summary.write(Width::Fixed, &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn unknown_actions_are_named_and_counted_however_many_there_are() {
        let mut summary = Summary::new("Audit log".to_owned(), None);
        summary.add((0..1_005).chain(0..2).map(of_unknown_action).collect()).expect("nothing is written");
        let text = written(&summary);
        assert!(text.contains("  KIND_0/RUN  2\n") && text.contains("  KIND_999/RUN  1\n"), "{text}");
        assert!(text.contains("  others  5\n") && !text.contains("KIND_1004"), "{text}");
    }

    #[test]
    fn r62_what_was_voided_is_neither_said_to_count_nor_not_to() {
        let of = |outcome, reason| RecordedEntry {
            place: place(),
            text: String::new(),
            outcome: Ok((Activity::default(), judged(verdict(outcome, reason)))),
        };
        let mut summary = Summary::new("Audit log".to_owned(), None);
        let voided = of(VerdictOutcome::Voided, NotCountedReason::Unspecified);
        let counted = of(VerdictOutcome::Counted, NotCountedReason::Unspecified);
        summary.add(vec![voided, counted]).expect("nothing is written");
        let text = written(&summary);
        let row =
            |verdict: &str| text.lines().find(|line| line.starts_with(&format!("│ {verdict} "))).map(str::to_owned);
        assert!(row("voided").is_some_and(|row| row.contains("┆       1 ┆")), "{text}");
        assert!(row("counts").is_some_and(|row| row.contains("┆       1 ┆")), "{text}");
    }
}
