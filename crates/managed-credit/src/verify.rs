//! `verify`: everything that services keep is computed once more, and what differs is listed.

use std::io::Write;

use anyhow::bail;
use clap::Args;
use comfy_table::Cell;
use contracts::wire::maintenance::{Difference, VerifyRequest, VerifyResponse};
use indicatif::ProgressBar;
use serde::Serialize;
use tonic::Status;

use crate::output::{Format, Width, not_a_formula, paragraph, table, write_json};
use crate::progress;
use crate::running::Part;
use crate::serve::ServedPart;
use crate::servers::{ServerUrls, Servers};
use crate::wording::count;

/// The flags of `verify`.
#[derive(Debug, Args)]
pub(crate) struct VerifyCommand {
    /// Which services
    #[arg(value_enum, value_name = "SERVICE", default_value = "all")]
    pub services: Vec<ServedPart>,
    /// How many differences of each service to list; all are counted
    #[arg(
        long, env = "MANAGED_CREDIT_DIFFERENCES", value_name = "COUNT", default_value_t = 100,
        value_parser = clap::value_parser!(i32).range(1..=10_000)
    )]
    pub differences: i32,
    /// How the answer is printed
    #[arg(long, env = "MANAGED_CREDIT_FORMAT", value_enum, default_value = "table")]
    pub format: Format,
    #[command(flatten, next_help_heading = "Where the services are called")]
    pub urls: ServerUrls,
}

/// What the verification of a service found.
#[derive(Debug, Serialize)]
struct Verified {
    service: &'static str,
    /// What was compared, in its order.
    compared: Vec<Compared>,
    total_differences: i64,
    differences: Vec<Differing>,
    /// Why it did not come to its end; nothing where it did.
    problem: Option<String>,
}

#[derive(Debug, Serialize)]
struct Compared {
    subject: String,
    count: i64,
}

#[derive(Debug, Serialize)]
struct Differing {
    subject: String,
    stored: String,
    expected: String,
}

impl From<Difference> for Differing {
    fn from(Difference { subject, stored, expected }: Difference) -> Self {
        Self { subject, stored, expected }
    }
}

pub(crate) async fn verify(command: &VerifyCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::for_platform(&command.urls)?;
    let mut all = Vec::new();
    for part in ServedPart::parts(&command.services) {
        all.push(Verified::ask(&servers, part, command.differences).await);
    }
    match command.format {
        Format::Table => write_table(&all, Width::Terminal, out)?,
        Format::Json => write_json(&serde_json::json!({ "services": &all }), out)?,
        Format::Csv => write_csv(&all, out)?,
    }
    require_right(&all)
}

impl Verified {
    const fn of(part: Part) -> Self {
        let service = part.as_str();
        Self { service, compared: Vec::new(), total_differences: 0, differences: Vec::new(), problem: None }
    }

    /// What a service finds; one that is away, or stops before its end, is a problem of that service only.
    async fn ask(servers: &Servers, part: Part, maximum_differences: i32) -> Self {
        let mut verified = Self::of(part);
        let progress = progress::counter(part.as_str());
        let listened = verified.listen(servers, part, maximum_differences, &progress).await;
        progress.finish_and_clear();
        match listened {
            Ok(true) => {}
            Ok(false) => verified.problem = Some(format!("{part} stopped before it had compared everything.")),
            Err(status) => verified.problem = Some(servers.problem(part, &status).to_string()),
        }
        verified
    }

    /// Whether it came to its end.
    async fn listen(
        &mut self,
        servers: &Servers,
        part: Part,
        maximum_differences: i32,
        progress: &ProgressBar,
    ) -> Result<bool, Status> {
        let request = VerifyRequest { maximum_differences };
        let mut stream = servers.maintenance(part).verify(request).await?.into_inner();
        let mut is_complete = false;
        while let Some(message) = stream.message().await? {
            is_complete = message.complete;
            progress.set_message(format!("{part}: {}", message.subject));
            progress.set_position(u64::try_from(message.checked).unwrap_or_default());
            self.take(message);
        }
        Ok(is_complete)
    }

    fn take(&mut self, message: VerifyResponse) {
        let VerifyResponse { subject, checked, differences, total_differences, .. } = message;
        match self.compared.last_mut() {
            Some(last) if last.subject == subject => last.count = checked,
            _ => self.compared.push(Compared { subject, count: checked }),
        }
        self.differences.extend(differences.into_iter().map(Into::into));
        self.total_differences = total_differences;
    }

    fn is_right(&self) -> bool {
        self.total_differences == 0 && self.problem.is_none()
    }

    /// What was found, in a sentence or two.
    fn summary(&self) -> String {
        let Self { service, total_differences, problem, .. } = self;
        let listed = self.differences.len();
        let found = match u64::try_from(*total_differences).unwrap_or_default() {
            0 => "no differences".to_owned(),
            total if total > listed as u64 => format!("{}, of which {listed} are listed", count(total, "difference")),
            total => count(total, "difference"),
        };
        let compared: Vec<String> =
            self.compared.iter().map(|compared| format!("{} {}", compared.count, compared.subject)).collect();
        let compared = if compared.is_empty() { String::new() } else { format!(" in {}", compared.join(", ")) };
        match problem {
            Some(problem) if self.compared.is_empty() => problem.clone(),
            Some(problem) => format!("{service}: {found}{compared}; but not everything was compared. {problem}"),
            None => format!("{service}: {found}{compared}."),
        }
    }
}

fn write_table(all: &[Verified], width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    let mut table = table(width, ["Service", "What", "Stored", "Expected"]);
    for Verified { service, differences, .. } in all {
        for Differing { subject, stored, expected } in differences {
            table.add_row([service, subject.as_str(), stored, expected].map(Cell::new));
        }
    }
    if !table.is_empty() {
        writeln!(out, "{table}")?;
    }
    for verified in all {
        writeln!(out, "{}", paragraph(&verified.summary(), width))?;
    }
    Ok(())
}

fn write_csv(all: &[Verified], out: &mut impl Write) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(["service", "subject", "stored", "expected"])?;
    for Verified { service, differences, .. } in all {
        for Differing { subject, stored, expected } in differences {
            writer.write_record([service, subject.as_str(), stored, expected].map(not_a_formula))?;
        }
    }
    Ok(writer.flush()?)
}

/// So that a script that only looks at the exit code knows.
fn require_right(all: &[Verified]) -> anyhow::Result<()> {
    let wrong: Vec<&str> =
        all.iter().filter(|verified| !verified.is_right()).map(|verified| verified.service).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("not everything was found right: {}", wrong.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(subject: &str, checked: i64, differences: usize, total_differences: i64) -> VerifyResponse {
        let difference = |number| Difference {
            subject: format!("clients/{number}"),
            stored: "=1".to_owned(),
            expected: String::new(),
        };
        let differences = (0..differences).map(difference).collect();
        VerifyResponse { subject: subject.to_owned(), checked, differences, total_differences, complete: false }
    }

    fn verified(messages: Vec<VerifyResponse>, problem: Option<&str>) -> Verified {
        let mut verified = Verified::of(Part::Credit);
        messages.into_iter().for_each(|message| verified.take(message));
        Verified { problem: problem.map(str::to_owned), ..verified }
    }

    #[test]
    fn a_summary_says_how_much_was_compared_and_how_much_of_it_differs() {
        let messages =
            || vec![message("clients", 500, 1, 1), message("clients", 700, 1, 2), message("periods", 9, 0, 2)];
        let complete = verified(messages(), None);
        assert_eq!(complete.summary(), "credit-calculation: 2 differences in 700 clients, 9 periods.");
        let right = verified(vec![message("clients", 0, 0, 0)], None);
        assert_eq!(right.summary(), "credit-calculation: no differences in 0 clients.");
        let many = verified(vec![message("clients", 9, 2, 7)], None);
        assert_eq!(many.summary(), "credit-calculation: 7 differences, of which 2 are listed in 9 clients.");
        let cut = verified(messages(), Some("It is away."));
        let expected =
            "credit-calculation: 2 differences in 700 clients, 9 periods; but not everything was compared. It is away.";
        assert_eq!(cut.summary(), expected);
        assert_eq!(verified(Vec::new(), Some("It is away.")).summary(), "It is away.");
    }

    #[test]
    fn only_what_was_compared_to_the_end_without_a_difference_is_right() {
        assert!(require_right(&[verified(vec![message("clients", 1, 0, 0)], None)]).is_ok());
        for wrong in [verified(vec![message("clients", 1, 1, 1)], None), verified(Vec::new(), Some("It is away."))] {
            let error = require_right(&[wrong]).expect_err("it is wrong").to_string();
            assert!(error.ends_with(": credit-calculation"), "{error}");
        }
    }

    #[test]
    fn a_cell_of_csv_is_never_run_as_a_formula() {
        let mut out = Vec::new();
        write_csv(&[verified(vec![message("clients", 1, 1, 1)], None)], &mut out).expect("a vector takes everything");
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text, "service,subject,stored,expected\ncredit-calculation,clients/0,'=1,\n");
    }
}
