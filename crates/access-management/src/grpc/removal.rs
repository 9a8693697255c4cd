//! Requests of the removal wizard.

use std::collections::{BTreeMap, BTreeSet};

use contracts::wire::access as wire;
use contracts::wire::access::confirm_removal_request::DefaultDecision;
use contracts::wire::access::preview_removal_request::Selection;
use contracts::{AssetName, ClientName, ClientUserName, EmployeeName, PartnerName, Violations};
use domain::access::{AssetId, ChosenEmployees, Decision, Decisions, EmployeeId, HubId, RemovalSelection};

use crate::operations::{ConfirmedRemoval, MAXIMUM_ASSETS, MAXIMUM_USERS, RemovalQuestion};
use crate::removal_token::{RemovalToken, RemovalTokenError};

pub(super) fn question(violations: &mut Violations, request: &wire::PreviewRemovalRequest) -> Option<RemovalQuestion> {
    let selection = selection(violations, request)?;
    Some(RemovalQuestion { selection, request: request.clone() })
}

fn selection(violations: &mut Violations, request: &wire::PreviewRemovalRequest) -> Option<RemovalSelection> {
    match &request.selection {
        Some(Selection::Client(selection)) => of_client(violations, selection),
        Some(Selection::Employee(employee)) => {
            let EmployeeName { partner, employee } = violations.parse("employee", employee)?;
            Some(RemovalSelection::OfEmployee { partner, employee })
        }
        None => {
            violations.add("selection", "`client` or `employee`");
            None
        }
    }
}

fn of_client(violations: &mut Violations, selection: &wire::ClientSelection) -> Option<RemovalSelection> {
    let client: Option<ClientName> = violations.parse("client.client", &selection.client);
    let partner = violations.parse("client.partner", &selection.partner).map(|PartnerName(partner)| partner);
    let employees = chosen(violations, &selection.employees, partner);
    Some(RemovalSelection::OfClient { client: client?.0, partner: partner?, employees: employees? })
}

/// Different employees of the partner; none named means all.
fn chosen(violations: &mut Violations, names: &[String], partner: Option<HubId>) -> Option<ChosenEmployees> {
    if names.is_empty() {
        return Some(ChosenEmployees::All);
    }
    if names.len() > MAXIMUM_USERS {
        violations.add("client.employees", format!("at most {MAXIMUM_USERS} employees; none means all"));
        return None;
    }
    let mut employees: BTreeSet<EmployeeId> = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        let field = format!("client.employees[{index}]");
        let Some(name) = violations.parse::<EmployeeName>(&field, name) else { continue };
        if partner.is_some_and(|partner| partner != name.partner) {
            violations.add(field, "an employee of the partner in `client.partner`");
        } else if !employees.insert(name.employee) {
            violations.add(field, "each employee once");
        }
    }
    Some(ChosenEmployees::Only(employees))
}

pub(super) fn confirmation(
    violations: &mut Violations,
    request: &wire::ConfirmRemovalRequest,
) -> Option<ConfirmedRemoval> {
    let confirmed = confirmed(violations, &request.token);
    let of_assets = of_assets(violations, &request.decisions);
    let default = default(violations, request.default_decision.as_ref());
    let (selection, fingerprint) = confirmed?;
    Some(ConfirmedRemoval { selection, fingerprint, decisions: Decisions { of_assets, default } })
}

fn confirmed(violations: &mut Violations, token: &str) -> Option<(RemovalSelection, Vec<u8>)> {
    let RemovalToken { request, fingerprint } = violations.parse("token", token)?;
    // What it holds was read before it was made: a token that holds anything else is none of ours.
    let mut unusable = Violations::default();
    let selection = selection(&mut unusable, &request);
    let selection = violations.check("token", unusable.finish(|| selection).map_err(|_| RemovalTokenError))?;
    Some((selection, fingerprint))
}

fn of_assets(violations: &mut Violations, decisions: &[wire::AssetDecision]) -> BTreeMap<(HubId, AssetId), Decision> {
    if decisions.len() > MAXIMUM_ASSETS {
        violations.add("decisions", format!("at most {MAXIMUM_ASSETS} decisions"));
        return BTreeMap::new();
    }
    let mut of_assets = BTreeMap::new();
    for (index, stated) in decisions.iter().enumerate() {
        let name: Option<AssetName> = violations.parse(&format!("decisions[{index}].asset"), &stated.asset);
        let new_owner = violations.parse_optional(&format!("decisions[{index}].new_owner"), &stated.new_owner);
        let Some(AssetName { client, asset }) = name else { continue };
        let decision = new_owner.map_or(Decision::LeaveWithoutOwner, reassign);
        if of_assets.insert((client, asset), decision).is_some() {
            violations.add(format!("decisions[{index}].asset"), "each asset once");
        }
    }
    of_assets
}

fn default(violations: &mut Violations, stated: Option<&DefaultDecision>) -> Option<Decision> {
    match stated? {
        DefaultDecision::LeaveWithoutOwner(true) => Some(Decision::LeaveWithoutOwner),
        DefaultDecision::LeaveWithoutOwner(false) => {
            violations.add("leave_without_owner", "true, or absent");
            None
        }
        DefaultDecision::NewOwner(name) => violations.parse("new_owner", name).map(reassign),
    }
}

const fn reassign(ClientUserName { client, user }: ClientUserName) -> Decision {
    Decision::Reassign { client, user }
}
