//! `verify-statement`: the hash and the arithmetic of an exported statement, without any service.

use std::fs::File;
use std::io::{Read, Write, stdin};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use domain::statement::Statement;

/// The largest document that is read, in bytes.
const MAXIMUM_BYTES: u64 = 256 * 1_024 * 1_024;

/// The flags of `verify-statement`.
#[derive(Debug, Args)]
pub(crate) struct VerifyStatementCommand {
    /// The exported statement; `-` for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(crate) fn verify_statement(command: &VerifyStatementCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let name = command.file.display();
    let document = read(&command.file).with_context(|| format!("cannot read {name}"))?;
    let statement: Statement = serde_json::from_slice(&document).with_context(|| format!("{name} is no statement"))?;
    let found = statement.check();
    for discrepancy in &found {
        writeln!(out, "{discrepancy}")?;
    }
    if !found.is_empty() {
        bail!("{name} is not right: {} discrepancies", found.len());
    }
    writeln!(
        out,
        "{} of {}: the hash is right, and everything adds up: {} clients, {} points.",
        statement.month,
        statement.partner,
        statement.rows.len(),
        statement.closing_points
    )?;
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut document = Vec::new();
    let limit = MAXIMUM_BYTES + 1;
    if file == Path::new("-") {
        stdin().lock().take(limit).read_to_end(&mut document)?;
    } else {
        File::open(file)?.take(limit).read_to_end(&mut document)?;
    }
    if document.len() as u64 > MAXIMUM_BYTES {
        bail!("it is larger than {MAXIMUM_BYTES} bytes");
    }
    Ok(document)
}
