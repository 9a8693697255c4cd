//! `access`: the Client Access Manager on the command line. Who may work where, and who is removed at what cost.

mod activation;
mod add;
mod clients;
mod employees;
mod link;
mod lookup;
mod remove;
mod results;

use std::io::Write;

use clap::{Args, Subcommand};
use service_kit::Clock;

use crate::output::Format;
use crate::servers::CallFlags;

use activation::ActivationCommand;
use add::AddCommand;
use clients::ClientsCommand;
use employees::EmployeesCommand;
use link::LinkCommand;
use remove::RemoveCommand;

/// What can be seen and done.
#[derive(Debug, Subcommand)]
pub(crate) enum AccessCommand {
    /// The Employees tab: who works for a partner
    #[command(after_help = EMPLOYEES_EXAMPLES)]
    Employees(EmployeesCommand),
    /// The Clients tab: in which clients a partner's employees have access, and which
    #[command(after_help = CLIENTS_EXAMPLES)]
    Clients(ClientsCommand),
    /// Assign clients to an employee, whose work there counts from then on
    #[command(after_help = LINK_EXAMPLES)]
    Link(LinkCommand),
    /// End the assignment of clients to an employee; what was done goes on counting to its expiry
    #[command(after_help = UNLINK_EXAMPLES)]
    Unlink(LinkCommand),
    /// Make employees users of a client account
    #[command(after_help = ADD_EXAMPLES)]
    Add(AddCommand),
    /// Keep users of a client account from logging in; profile and history stay
    #[command(after_help = DEACTIVATE_EXAMPLES)]
    Deactivate(ActivationCommand),
    /// Let deactivated users of a client account in again
    #[command(after_help = REACTIVATE_EXAMPLES)]
    Reactivate(ActivationCommand),
    /// Remove employees from client accounts, after a preview of what that would cost
    #[command(after_help = REMOVE_EXAMPLES)]
    Remove(Box<RemoveCommand>),
}

const EMPLOYEES_EXAMPLES: &str = "\
Examples:
  managed-credit access employees --partner 1001
  managed-credit access employees --partner 1001 --verified no --linked no
  managed-credit access employees --partner 1001 --search rossi --format json";

const CLIENTS_EXAMPLES: &str = "\
Examples:
  managed-credit access clients --partner 1001
  managed-credit access clients --partner 1001 --type partner_admin --type super_admin
  managed-credit access clients --partner 1001 --type linked_only --format csv";

const LINK_EXAMPLES: &str = "\
Examples:
  managed-credit access link --partner 1001 --employee sara.conti@postbox.example 2008
  managed-credit access link --partner 1001 --employee \"sara conti\" 2001 \"lumina ceramiche\"";

const UNLINK_EXAMPLES: &str = "\
Examples:
  managed-credit access unlink --partner 1001 --employee \"sara conti\" 2008 --reason \"contract over\"";

const ADD_EXAMPLES: &str = "\
Examples:
  managed-credit access add --client 2002 --partner 1001 giulia.rossi@officina-digitale.example
  managed-credit access add --client 2002 --partner 1001 --permission-set marketing \"sara conti\" giulia";

const DEACTIVATE_EXAMPLES: &str = "\
Examples:
  managed-credit access deactivate --client 2002 marco.bianchi@officina-digitale.example
  managed-credit access deactivate --client lumina --partner 1001 marco";

const REACTIVATE_EXAMPLES: &str = "\
Examples:
  managed-credit access reactivate --client 2002 marco.bianchi@officina-digitale.example";

const REMOVE_EXAMPLES: &str = "\
The preview names who would be removed from where, what they own there, and which managed
relationships would end at once, with the credit and points that they bring now. Then it asks;
--yes answers for scripts, --dry-run stops after the preview. When anything of the preview has
changed meanwhile, nothing is done.

Examples:
  managed-credit access remove --partner 1001 --client 2001 giulia.rossi@officina-digitale.example
  managed-credit access remove --partner 1001 --client 2001 --all --dry-run
  managed-credit access remove --partner 1001 --employee \"marco bianchi\" --assets leave --yes";

/// What every write states.
#[derive(Debug, Args)]
struct WriteFlags {
    /// Why, for the audit log; at most 500 characters
    #[arg(long, env = "MANAGED_CREDIT_REASON", value_name = "TEXT", default_value = "")]
    reason: String,
    /// How the outcome is printed
    #[arg(long, env = "MANAGED_CREDIT_FORMAT", value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    call: CallFlags,
}

/// An id for one write, so that it is done once however often it has to be sent.
pub(crate) fn new_request_id() -> String {
    Clock::System.new_id().to_string()
}

pub(crate) async fn access(command: &AccessCommand, out: &mut impl Write) -> anyhow::Result<()> {
    match command {
        AccessCommand::Employees(command) => employees::employees(command, out).await,
        AccessCommand::Clients(command) => clients::clients(command, out).await,
        AccessCommand::Link(command) => link::link(command, out).await,
        AccessCommand::Unlink(command) => link::unlink(command, out).await,
        AccessCommand::Add(command) => add::add(command, out).await,
        AccessCommand::Deactivate(command) => activation::deactivate(command, out).await,
        AccessCommand::Reactivate(command) => activation::reactivate(command, out).await,
        AccessCommand::Remove(command) => remove::remove(command, out).await,
    }
}
