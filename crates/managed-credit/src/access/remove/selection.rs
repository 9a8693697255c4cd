//! Who is to be removed, from where.

use anyhow::bail;
use contracts::PartnerName;
use contracts::wire::access::preview_removal_request::Selection;
use contracts::wire::access::{ClientSelection, PlannedRemoval};
use domain::access::folded;
use tonic::Code;

use super::RemoveCommand;
use super::preview;
use crate::access::lookup::{self, Employed, Found};
use crate::choice::{Choice, choose, listed};
use crate::servers::{CallProblem, Servers};
use crate::wording;

/// What the flags mean.
pub(super) async fn find(servers: &Servers, command: &RemoveCommand) -> anyhow::Result<Selection> {
    if let Some(wanted) = &command.employee {
        let employee = lookup::employee(servers, command.partner, wanted, Employed::Ever).await?;
        return Ok(Selection::Employee(employee.name));
    }
    let client = command.client.as_deref().unwrap_or_default();
    let client = lookup::client(servers, Some(command.partner), client).await?;
    let everybody = ClientSelection {
        client: client.name.clone(),
        partner: PartnerName(command.partner).to_string(),
        employees: Vec::new(),
    };
    if command.all {
        return Ok(Selection::Client(everybody));
    }
    let found = employees(servers, command, &everybody, &client).await?;
    let employees = found.into_iter().map(|employee| employee.name).collect();
    Ok(Selection::Client(ClientSelection { employees, ..everybody }))
}

/// The named employees. A Partner admin of the client may remove colleagues there without seeing the Employees tab
/// (R28): then they are looked up among those who are there.
async fn employees(
    servers: &Servers,
    command: &RemoveCommand,
    everybody: &ClientSelection,
    client: &Found,
) -> anyhow::Result<Vec<Found>> {
    match lookup::several_employees(servers, command.partner, &command.employees, Employed::Ever).await {
        Err(error) if is_not_allowed(&error) => {
            let there = preview::ask(servers, Selection::Client(everybody.clone())).await?.removals;
            let mut found = Vec::new();
            for wanted in &command.employees {
                lookup::add_once(&mut found, among(&there, client, wanted)?);
            }
            Ok(found)
        }
        found => found,
    }
}

fn is_not_allowed(error: &anyhow::Error) -> bool {
    let problem = error.downcast_ref::<CallProblem>();
    problem.is_some_and(|problem| matches!(problem.code, Code::PermissionDenied | Code::NotFound))
}

fn among(there: &[PlannedRemoval], client: &Found, wanted: &str) -> anyhow::Result<Found> {
    let candidates = there.iter().filter_map(candidate).filter(|row| row.is_like(wanted)).collect();
    let candidates = lookup::addressed(wanted, candidates, |row| &row.address);
    match choose(wanted, &candidates, |row| [&row.address, &row.display_name]) {
        Choice::One(row) => Ok(Found { name: row.employee.clone(), label: row.label() }),
        Choice::None => bail!("none of your colleagues at {} has an address or name like {wanted:?}", client.label),
        Choice::Several(rows) => bail!(
            "{wanted:?} can be several people at {}; say which by the address:{}",
            client.label,
            listed(&rows, |row| row.label())
        ),
    }
}

/// Somebody who is there.
struct Candidate {
    employee: String,
    address: String,
    display_name: String,
}

impl Candidate {
    /// What the service's own search finds: a part of the name or address, without regard to case and accents.
    fn is_like(&self, wanted: &str) -> bool {
        let wanted = folded(wanted.trim());
        [&self.address, &self.display_name].into_iter().any(|text| folded(text).contains(&wanted))
    }

    fn label(&self) -> String {
        wording::person(&self.display_name, &self.address)
    }
}

fn candidate(removal: &PlannedRemoval) -> Option<Candidate> {
    let user = removal.client_user.clone()?;
    let employee = removal.employee.clone();
    Some(Candidate { employee, address: user.email_address, display_name: user.display_name })
}
