//! The command line, and what it exits with.

use std::io::{self, Write as _};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::access::AccessCommand;
use crate::breakdown::BreakdownCommand;
use crate::changes::ChangesCommand;
use crate::config::ConfigCommand;
use crate::demo::DemoCommand;
use crate::expiring::ExpiringCommand;
use crate::healthcheck::HealthcheckCommand;
use crate::import::ImportCommand;
use crate::key::KeyCommand;
use crate::migrate::MigrateCommand;
use crate::policy::PolicyCommand;
use crate::replay::ReplayCommand;
use crate::serve::ServeCommand;
use crate::simulate::SimulateCommand;
use crate::statement::{StatementCommand, VerifyStatementCommand};
use crate::status::StatusCommand;
use crate::tier::TierCommand;
use crate::timeline::TimelineCommand;
use crate::verify::VerifyCommand;
use crate::why::WhyCommand;
use crate::{
    access, breakdown, changes, config, demo, expiring, healthcheck, import, key, migrate, policy, replay, serve,
    simulate, statement, status, tier, timeline, verify, why,
};

/// Managed MRR credit: who services which client, what it is worth, and why.
///
/// Every flag can be given in the environment too: `--data-dir` as `MANAGED_CREDIT_DATA_DIR`. Exit codes: 0 everything
/// was done, 1 something was not, 2 wrong command line.
#[derive(Debug, Parser)]
#[command(name = "managed-credit", version, max_term_width = 110)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run services until they are told to stop
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<ServeCommand>),
    /// Check what `serve` would run with, without running it
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Whether services are ready: exit code 0 if they are, 1 if not
    #[command(after_help = HEALTHCHECK_EXAMPLES)]
    Healthcheck(HealthcheckCommand),
    /// Preshared keys of callers: make one, or print the hash of one, as --security wants it
    #[command(subcommand, after_help = KEY_EXAMPLES)]
    Key(KeyCommand),
    /// Bring the schemas of the services' databases up to date
    #[command(after_help = MIGRATE_EXAMPLES)]
    Migrate(MigrateCommand),
    /// Import real input into running services
    #[command(subcommand)]
    Import(ImportCommand),
    /// Who may work where: see it and change it, as the Client Access Manager does
    #[command(subcommand)]
    Access(AccessCommand),
    /// A partner's points breakdown: what each client brings it
    #[command(after_help = BREAKDOWN_EXAMPLES)]
    Breakdown(BreakdownCommand),
    /// Why a client brings a partner credit, or none
    #[command(after_help = WHY_EXAMPLES)]
    Why(WhyCommand),
    /// The credit that a partner loses soon if nothing else happens: what is at risk, and who worked there last
    #[command(after_help = EXPIRING_EXAMPLES)]
    Expiring(ExpiringCommand),
    /// A partner's points over time, past and forecast
    #[command(after_help = TIMELINE_EXAMPLES)]
    Timeline(TimelineCommand),
    /// Tiers: where a partner stands, evaluations, grants
    #[command(subcommand, after_help = TIER_EXAMPLES)]
    Tier(TierCommand),
    /// The points that a partner gained and lost between two instants, by client and cause
    #[command(after_help = CHANGES_EXAMPLES)]
    Changes(ChangesCommand),
    /// What the policy says at an instant, or its whole document
    #[command(after_help = POLICY_EXAMPLES)]
    Policy(PolicyCommand),
    /// What credit would be under another policy document; nothing is stored
    #[command(after_help = SIMULATE_EXAMPLES)]
    Simulate(SimulateCommand),
    /// Frozen months of partners
    #[command(subcommand, after_help = STATEMENT_EXAMPLES)]
    Statement(StatementCommand),
    /// Check the hash and the arithmetic of an exported statement; needs no service
    #[command(after_help = VERIFY_STATEMENT_EXAMPLES)]
    VerifyStatement(VerifyStatementCommand),
    /// How far the services are: what they have copied of each other, and what waits
    #[command(after_help = STATUS_EXAMPLES)]
    Status(StatusCommand),
    /// Compute everything that services keep once more, and list what differs
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(VerifyCommand),
    /// Build a service's copies of other services' facts anew, while it goes on serving
    #[command(after_help = REPLAY_EXAMPLES)]
    Replay(ReplayCommand),
    /// Start everything on a sample programme, and show what it computes
    #[command(after_help = DEMO_EXAMPLES)]
    Demo(DemoCommand),
}

const SERVE_EXAMPLES: &str = "\
Examples:
  managed-credit serve all --data-dir ./data
  managed-credit serve access --access-database-url postgres://me@db/access --migrate
  managed-credit serve activity credit --data-dir ./data --access-url http://127.0.0.1:50051";

const HEALTHCHECK_EXAMPLES: &str = "\
Examples:
  managed-credit healthcheck
  managed-credit healthcheck access --operations-url http://127.0.0.1:9464";

const KEY_EXAMPLES: &str = "\
Examples:
  managed-credit key new platform.key
  managed-credit key hash platform.key";

const MIGRATE_EXAMPLES: &str = "\
Examples:
  managed-credit migrate --data-dir ./data
  managed-credit migrate credit --credit-database-url postgres://me@db/credit
  managed-credit migrate activity --activity-database-url postgres://me@db/activity --activity-partitions 16
  managed-credit migrate activity --activity-database-url postgres://me@db/activity --activity-partitions 4 \\
      --activity-months-ahead 12";

const BREAKDOWN_EXAMPLES: &str = "\
Examples:
  managed-credit breakdown --partner 1001
  managed-credit breakdown --partner 1001 --order points --descending --as-of 2025-09-01
  managed-credit breakdown --partner 1001 --search borgo --format csv
  managed-credit breakdown --partner 1001 --reason lapsed,tier-activity-minimum --output lost.csv --format csv";

const WHY_EXAMPLES: &str = "\
Examples:
  managed-credit why --partner 1001 --client \"caffe borgo\"
  managed-credit why --partner 1001 --client 2004 --as-of 2025-09-01 --format json";

const EXPIRING_EXAMPLES: &str = "\
Examples:
  managed-credit expiring --partner 1001
  managed-credit expiring --partner 1001 --days 7 --format csv";

const TIMELINE_EXAMPLES: &str = "\
Examples:
  managed-credit timeline --partner 1001
  managed-credit timeline --partner 1001 --from 2025-01-01 --to 2026-01-01 --daily --format csv";

const TIER_EXAMPLES: &str = "\
Examples:
  managed-credit tier show --partner 1001 --tier diamond
  managed-credit tier evaluate --date 2026-01-15 --validate-only
  managed-credit tier grant --partner 1001 --tier elite --reason \"invited by the board\"";

const CHANGES_EXAMPLES: &str = "\
Examples:
  managed-credit changes --partner 1001 --from 2025-07-01 --to 2025-10-01
  managed-credit changes --partner 1001 --from 2025-07-01 --client \"caffe borgo\" --format json";

const POLICY_EXAMPLES: &str = "\
Examples:
  managed-credit policy --as-of 2025-07-01
  managed-credit policy --document > policy.toml";

const SIMULATE_EXAMPLES: &str = "\
Examples:
  managed-credit simulate --policy policy.toml
  managed-credit simulate --policy policy.toml --partner 1001 --as-of 2026-01-01 --format csv";

const STATEMENT_EXAMPLES: &str = "\
Examples:
  managed-credit statement issue --partner 1001 --month 2026-10
  managed-credit statement export --partner 1001 --month 2026-10 --output 2026-10.json";

const VERIFY_STATEMENT_EXAMPLES: &str = "\
Examples:
  managed-credit verify-statement 2026-10.json
  managed-credit statement export --partner 1001 --month 2026-10 | managed-credit verify-statement -";

const STATUS_EXAMPLES: &str = "\
Examples:
  managed-credit status
  managed-credit status --format json";

const VERIFY_EXAMPLES: &str = "\
Examples:
  managed-credit verify
  managed-credit verify credit --differences 10000 --format csv";

const REPLAY_EXAMPLES: &str = "\
Examples:
  managed-credit replay activity
  managed-credit replay credit --feed servicing";

const DEMO_EXAMPLES: &str = "\
Examples:
  managed-credit demo
  managed-credit demo --keep";

/// Runs the program on its command line.
#[must_use]
pub fn run() -> ExitCode {
    let command = CommandLine::parse().command;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let done = runtime.block_on(execute(&command));
    // What blocks on standard input must not keep the process.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

async fn execute(command: &Command) -> anyhow::Result<()> {
    let out = &mut io::stdout();
    match command {
        Command::Serve(command) => serve::serve(command, out).await,
        Command::Config(command) => config::config(command, out),
        Command::Healthcheck(command) => healthcheck::healthcheck(command, out).await,
        Command::Key(command) => key::key(command, out),
        Command::Migrate(command) => migrate::migrate(command, out).await,
        Command::Import(command) => import::import(command, out).await,
        Command::Access(command) => access::access(command, out).await,
        Command::Breakdown(command) => breakdown::breakdown(command, out).await,
        Command::Why(command) => why::why(command, out).await,
        Command::Expiring(command) => expiring::expiring(command, out).await,
        Command::Timeline(command) => timeline::timeline(command, out).await,
        Command::Tier(command) => tier::tier(command, out).await,
        Command::Changes(command) => changes::changes(command, out).await,
        Command::Policy(command) => policy::policy(command, out).await,
        Command::Simulate(command) => simulate::simulate(command, out).await,
        Command::Statement(command) => statement::statement(command, out).await,
        Command::VerifyStatement(command) => statement::verify_statement(command, out),
        Command::Status(command) => status::status(command, out).await,
        Command::Verify(command) => verify::verify(command, out).await,
        Command::Replay(command) => replay::replay(command, out).await,
        Command::Demo(command) => demo::demo(command, out).await,
    }
}

/// Whether whoever read the answer had enough of it, as `head` has.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| output_problem(cause) == Some(io::ErrorKind::BrokenPipe))
}

/// What is wrong with an output, by whatever library it was written.
fn output_problem(cause: &(dyn std::error::Error + 'static)) -> Option<io::ErrorKind> {
    if let Some(error) = cause.downcast_ref::<serde_json::Error>() {
        return error.io_error_kind();
    }
    if let Some(error) = cause.downcast_ref::<csv::Error>() {
        return if let csv::ErrorKind::Io(error) = error.kind() { Some(error.kind()) } else { None };
    }
    cause.downcast_ref::<io::Error>().map(io::Error::kind)
}

fn fail(error: &anyhow::Error) -> ExitCode {
    // Without standard error nobody can be told.
    let _ = writeln!(io::stderr(), "error: {error:#}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn every_flag_has_an_environment_variable_of_the_same_name() {
        fn check(command: &clap::Command, checked: &mut u32) {
            for flag in command.get_arguments().filter_map(|argument| Some((argument.get_long()?, argument))) {
                let (name, argument) = flag;
                if matches!(name, "help" | "version") {
                    continue;
                }
                let expected = format!("MANAGED_CREDIT_{}", name.replace('-', "_").to_uppercase());
                assert_eq!(argument.get_env().and_then(|env| env.to_str()), Some(expected.as_str()));
                *checked += 1;
            }
            command.get_subcommands().for_each(|command| check(command, checked));
        }
        let mut checked = 0;
        check(&CommandLine::command(), &mut checked);
        assert!(checked > 20, "only {checked} flags were checked");
    }
}
