//! `access add`: employees become users of a client account (R27, R36).

use std::io::Write;

use clap::Args;
use contracts::wire::access::BatchAddEmployeesRequest;
use contracts::wire::access::add_employee_result::Outcome as AddOutcome;
use domain::access::{HubId, PermissionSet, PermissionSetError};

use super::lookup::{self, Employed, Found};
use super::results::{Outcome, Results, Words};
use super::{WriteFlags, new_request_id};
use crate::running::Part;
use crate::servers::{Servers, call};

/// The most employees that one call adds.
const MAXIMUM_EMPLOYEES: usize = 200;

/// The flags of `access add`.
#[derive(Debug, Args)]
pub(crate) struct AddCommand {
    /// The client: its hub id, or its name or a part of it
    #[arg(long, env = "MANAGED_CREDIT_CLIENT", value_name = "NAME_OR_HUB_ID", value_parser = lookup::wanted)]
    client: String,
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    partner: HubId,
    /// What they may do there: the name of a permission set, in whatever case
    #[arg(long, env = "MANAGED_CREDIT_PERMISSION_SET", value_name = "NAME", default_value = "STANDARD",
        value_parser = permission_set)]
    permission_set: PermissionSet,
    /// The employees: addresses, or names or parts of them; resource names for who may not see the Employees tab
    #[arg(required = true, value_name = "EMPLOYEE", value_parser = lookup::wanted)]
    employees: Vec<String>,
    #[command(flatten)]
    write: WriteFlags,
}

fn permission_set(text: &str) -> Result<PermissionSet, PermissionSetError> {
    text.to_uppercase().parse()
}

pub(super) async fn add(command: &AddCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.write.call)?;
    let client = lookup::client(&servers, Some(command.partner), &command.client).await?;
    let employees = lookup::several_employees(&servers, command.partner, &command.employees, Employed::Now).await?;
    let mut results = Results::new(Words { subject: "Employee", done: "added" });
    for employees in employees.chunks(MAXIMUM_EMPLOYEES) {
        let message = BatchAddEmployeesRequest {
            client: client.name.clone(),
            employees: employees.iter().map(|employee| employee.name.clone()).collect(),
            permission_set: command.permission_set.to_string(),
            request_id: new_request_id(),
            reason: command.write.reason.clone(),
            ..BatchAddEmployeesRequest::default()
        };
        let answer = call!(servers.access, batch_add_employees, message);
        let answer = answer.map_err(|status| servers.problem(Part::Access, &status))?;
        for (employee, result) in employees.iter().zip(answer.results) {
            note_addition(&mut results, employee, &command.permission_set, result.outcome);
        }
        results.note_revision(answer.revision);
    }
    results.write(command.write.format, out)?;
    results.require_all()
}

fn note_addition(results: &mut Results, employee: &Found, wanted: &PermissionSet, outcome: Option<AddOutcome>) {
    match outcome {
        Some(AddOutcome::ClientUser(user)) => {
            results.add(employee, Outcome::Done, format!("with the permission set {}", user.permission_set));
        }
        Some(AddOutcome::AlreadyMember(user)) if user.permission_set == wanted.as_str() => {
            results.add(employee, Outcome::Unchanged, format!("with the permission set {wanted}"));
        }
        Some(AddOutcome::AlreadyMember(user)) => {
            let detail = format!(
                "is a user there already, with the permission set {}, which only a super admin of the client changes",
                user.permission_set
            );
            results.add(employee, Outcome::Refused, detail);
        }
        Some(AddOutcome::Error(error)) => results.refuse(employee, &error),
        None => results.add(employee, Outcome::Refused, "the service said nothing of it"),
    }
}
