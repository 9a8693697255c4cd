//! What became of each of several things that were asked for.

use std::io::Write;

use anyhow::bail;
use comfy_table::Cell;
use contracts::wire::error::ErrorReason;
use serde::Serialize;
use tonic::Status;
use tonic_types::{ErrorInfo, RpcStatusExt as _, StatusExt as _, pb};

use super::lookup::Found;
use crate::output::{Format, Width, not_a_formula, table, write_json};
use crate::running::Part;
use crate::servers::{Servers, is_answered};

/// What became of one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(super) enum Outcome {
    Done,
    /// It was so already.
    Unchanged,
    Refused,
}

/// One thing, and what became of it.
#[derive(Debug, Serialize)]
struct ItemResult {
    name: String,
    #[serde(skip)]
    label: String,
    outcome: Outcome,
    /// A sentence.
    detail: String,
    /// Why it was refused: a value of `ErrorReason` without its prefix.
    reason: Option<String>,
}

/// What became of everything.
#[derive(Debug, Serialize)]
pub(super) struct Results {
    #[serde(skip)]
    words: Words,
    results: Vec<ItemResult>,
    /// Of the last write that did anything.
    revision: Option<String>,
}

/// How results are told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    /// What the things are: `Client`.
    pub subject: &'static str,
    /// What was done to them: `linked`.
    pub done: &'static str,
}

impl Results {
    pub const fn new(words: Words) -> Self {
        Self { words, results: Vec::new(), revision: None }
    }

    pub fn add(&mut self, of: &Found, outcome: Outcome, detail: impl Into<String>) {
        self.push(of, outcome, detail.into(), None);
    }

    /// A part of an answer that says why not.
    pub fn refuse(&mut self, of: &Found, error: &pb::Status) {
        self.push(of, Outcome::Refused, error.message.clone(), error.get_details_error_info());
    }

    /// A call of its own that was refused, told as a part of an answer is, or that reached no service.
    pub fn refuse_call(&mut self, of: &Found, status: &Status, servers: &Servers) {
        let detail = match is_answered(status) {
            true => status.message().to_owned(),
            false => servers.problem(Part::Access, status).to_string(),
        };
        self.push(of, Outcome::Refused, detail, status.get_details_error_info());
    }

    fn push(&mut self, of: &Found, outcome: Outcome, detail: String, error: Option<ErrorInfo>) {
        let Found { name, label } = of.clone();
        self.results.push(ItemResult { name, label, outcome, detail, reason: error.map(|error| error.reason) });
    }

    pub fn note_revision(&mut self, revision: String) {
        self.revision = Some(revision);
    }

    pub fn write(&self, format: Format, out: &mut impl Write) -> anyhow::Result<()> {
        match format {
            Format::Table => self.write_table(Width::Terminal, out),
            Format::Json => write_json(self, out),
            Format::Csv => self.write_csv(out),
        }
    }

    fn write_table(&self, width: Width, out: &mut impl Write) -> anyhow::Result<()> {
        let mut table = table(width, [self.words.subject, "Outcome", "Remark"]);
        for result in &self.results {
            let outcome = match result.outcome {
                Outcome::Done => self.words.done.to_owned(),
                Outcome::Unchanged => format!("was {} already", self.words.done),
                Outcome::Refused => "REFUSED".to_owned(),
            };
            table.add_row([Cell::new(&result.label), Cell::new(outcome), Cell::new(&result.detail)]);
        }
        Ok(writeln!(out, "{table}")?)
    }

    fn write_csv(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let mut writer = csv::Writer::from_writer(out);
        writer.write_record(["name", "outcome", "detail", "reason"])?;
        for result in &self.results {
            let outcome = match result.outcome {
                Outcome::Done => "DONE",
                Outcome::Unchanged => "UNCHANGED",
                Outcome::Refused => "REFUSED",
            };
            let reason = result.reason.as_deref().unwrap_or_default();
            writer.write_record([&result.name, outcome, &not_a_formula(&result.detail), reason])?;
        }
        Ok(writer.flush()?)
    }

    /// Refuses results of which some were refused.
    pub fn require_all(&self) -> anyhow::Result<()> {
        let refused = self.results.iter().filter(|result| result.outcome == Outcome::Refused).count();
        match self.results.len() - refused {
            _ if refused == 0 => Ok(()),
            0 => bail!("nothing is {}, see above", self.words.done),
            _ => bail!("{refused} of {} refused, see above; the others are {}", self.results.len(), self.words.done),
        }
    }
}

/// Whether a part of an answer was refused for this reason.
pub(super) fn is_for(error: &pb::Status, reason: ErrorReason) -> bool {
    error.get_details_error_info().is_some_and(|info| info.reason == contracts::reason_name(reason))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn results(outcomes: &[Outcome]) -> Results {
        let mut results = Results::new(Words { subject: "Client", done: "linked" });
        for outcome in outcomes {
            let client = Found { name: "clients/2001".to_owned(), label: "client 2001".to_owned() };
            results.add(&client, *outcome, "=because");
        }
        results
    }

    fn printed(results: &Results, format: Format) -> String {
        let mut out = Vec::new();
        results.write(format, &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn what_was_so_already_is_no_failure_and_a_refusal_is_one() {
        assert!(results(&[Outcome::Done, Outcome::Unchanged]).require_all().is_ok());
        let told = |outcomes: &[Outcome]| results(outcomes).require_all().expect_err("one is refused").to_string();
        assert_eq!(told(&[Outcome::Done, Outcome::Refused]), "1 of 2 refused, see above; the others are linked");
        assert_eq!(told(&[Outcome::Refused]), "nothing is linked, see above");
    }

    #[test]
    fn every_format_tells_every_outcome() {
        let results = results(&[Outcome::Done, Outcome::Unchanged, Outcome::Refused]);
        for (format, expected) in [
            (Format::Table, ["linked ", "was linked already", "REFUSED"]),
            (Format::Json, ["\"DONE\"", "\"UNCHANGED\"", "\"REFUSED\""]),
            (Format::Csv, ["DONE,'=because", "UNCHANGED,", "REFUSED,"]),
        ] {
            let text = printed(&results, format);
            assert!(expected.iter().all(|word| text.contains(word)), "{text}");
        }
    }
}
