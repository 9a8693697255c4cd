//! `config check`: what `serve` would run with, or what is wrong with it; no secret is shown.

use std::io::Write;

use clap::Subcommand;

use crate::databases::without_password;
use crate::running::Part;
use crate::serve::{ServeCommand, plan, setting_of_listener};

/// What is done with a configuration.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Read everything that `serve` would read with the same flags, and print what it would do
    Check(Box<ServeCommand>),
}

pub(crate) fn config(command: &ConfigCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let ConfigCommand::Check(command) = command;
    let plan = plan(command)?;
    for part_plan in &plan.parts {
        let (part, listen) = (part_plan.part, part_plan.listen);
        plan.security
            .require_suitable(listen)
            .map_err(|error| anyhow::anyhow!("{}: {error}", setting_of_listener(part)))?;
        writeln!(out, "{part}: on {listen}, in {}", without_password(&part_plan.database_url))?;
    }
    let is_here = |part: Part| plan.parts.iter().any(|part_plan| part_plan.part == part);
    for (part, url, caller) in [
        (Part::Access, &plan.access_url, Part::Activity),
        (Part::Access, &plan.access_url, Part::Credit),
        (Part::Activity, &plan.activity_url, Part::Credit),
    ] {
        if is_here(caller) && !is_here(part) {
            service_kit::connect(url, &plan.security.identity(caller.as_str()))
                .map_err(|error| anyhow::anyhow!("{caller} calls {part} at {url}: {error}"))?;
            writeln!(out, "{caller} calls {part} at {url}")?;
        }
    }
    if let Some(address) = command.operations_listen {
        writeln!(out, "operators: on {address}, without proofs")?;
    }
    for origin in &plan.server.web_origins {
        writeln!(out, "gRPC-Web: for pages of {origin}")?;
    }
    writeln!(out, "policy: {}", plan.policy.digest())?;
    for line in plan.security.summary() {
        writeln!(out, "{line}")?;
    }
    Ok(())
}
