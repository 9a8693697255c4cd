//! Whom and which client a person means: by address, name or hub id. What cannot be found, or can be several, is an
//! error that says what would be right.

use anyhow::{Context as _, bail};
use contracts::wire::access::{ClientUser, ClientUserState, Employee, ListClientUsersRequest, ListEmployeesRequest};
use contracts::{ClientName, ClientUserName, EmployeeName, PartnerName};
use domain::access::{EmailAddress, HubId};
use tonic::Code;

use super::{clients, employees};
use crate::choice::{Choice, choose, listed};
use crate::running::Part;
use crate::servers::{CallProblem, Servers, ask};
use crate::wording::{self, person};

/// Rows that are asked for at once.
const PAGE_SIZE: i32 = 500;

/// What was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Its resource name.
    pub name: String,
    /// What people call it.
    pub label: String,
}

impl Found {
    fn of_name(name: &str) -> Self {
        Self { name: name.to_owned(), label: name.to_owned() }
    }
}

impl From<&Employee> for Found {
    fn from(employee: &Employee) -> Self {
        Self { name: employee.name.clone(), label: person(&employee.display_name, &employee.email_address) }
    }
}

impl From<&ClientUser> for Found {
    fn from(user: &ClientUser) -> Self {
        Self { name: user.name.clone(), label: person(&user.display_name, &user.email_address) }
    }
}

/// A text that names nobody and nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is empty; say who or which is meant")]
pub(super) struct NothingNamed;

/// What was typed for somebody or for a client, as it is looked up. Every name contains an empty text: a variable of a
/// script that is not set must not mean the only one there is.
pub(super) fn wanted(text: &str) -> Result<String, NothingNamed> {
    let text = text.trim();
    if text.is_empty() { Err(NothingNamed) } else { Ok(text.to_owned()) }
}

/// Which employees of a partner can be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Employed {
    /// Those of now.
    Now,
    /// Also those who were deleted: their users in client accounts stay (R75).
    Ever,
}

/// What is open to a Partner admin who does not see the Employees tab (R28, R29).
const BY_RESOURCE_NAME: &str = "an employee can be named by the resource name (partners/1001/employees/..., from a \
                                colleague's `access employees --format csv`), but not be looked up";

fn is_missing_permission<T>(answer: &anyhow::Result<T>) -> bool {
    let problem = answer.as_ref().err().and_then(|error| error.downcast_ref::<CallProblem>());
    problem.is_some_and(|problem| problem.code == Code::PermissionDenied)
}

/// An employee, by address, name or a part of them, or resource name.
pub(super) async fn employee(
    servers: &Servers,
    partner: HubId,
    wanted: &str,
    employed: Employed,
) -> anyhow::Result<Found> {
    if let Ok(name) = wanted.parse::<EmployeeName>() {
        if name.partner != partner {
            bail!("{wanted} is not of partner {partner}");
        }
        return Ok(Found::of_name(wanted));
    }
    let question = ListEmployeesRequest {
        parent: PartnerName(partner).to_string(),
        search: wanted.to_owned(),
        show_deleted: employed == Employed::Ever,
        ..ListEmployeesRequest::default()
    };
    let found = employees::ask(servers, question).await;
    let found = if is_missing_permission(&found) { found.context(BY_RESOURCE_NAME)? } else { found? };
    let candidates = latest(addressed(wanted, found, |employee| &employee.email_address));
    match choose(wanted, &candidates, |row| [&row.email_address, &row.display_name]) {
        Choice::One(employee) => Ok(employee.into()),
        Choice::None => bail!(
            "partner {partner} has no employee whose address or name is {wanted:?} or contains it; `managed-credit \
             access employees --partner {partner}` lists them"
        ),
        Choice::Several(rows) => bail!(
            "{wanted:?} can be several employees; say which by the address:{}",
            listed(&rows, |row| Found::from(*row).label)
        ),
    }
}

/// Employees, each once.
pub(super) async fn several_employees(
    servers: &Servers,
    partner: HubId,
    wanted: &[String],
    employed: Employed,
) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for wanted in wanted {
        add_once(&mut found, employee(servers, partner, wanted, employed).await?);
    }
    Ok(found)
}

/// A client, by hub id, or by its name or a part of it among those of a partner.
pub(super) async fn client(servers: &Servers, partner: Option<HubId>, wanted: &str) -> anyhow::Result<Found> {
    if let Ok(client) = wanted.parse::<HubId>() {
        return Ok(Found { name: ClientName(client).to_string(), label: format!("client {client}") });
    }
    let Some(partner) = partner else {
        bail!("{wanted:?} is no hub id; a name is looked up among the clients of a partner: say which with --partner");
    };
    let candidates = clients::ask_by_name(servers, partner, wanted).await?;
    match choose(wanted, &candidates, |row| [&row.display_name]) {
        Choice::One(client) => Ok(Found { name: client.name.clone(), label: clients::label(client) }),
        Choice::None => bail!(
            "nobody of partner {partner} has access to a client whose name contains {wanted:?}; `managed-credit access \
             clients --partner {partner}` lists them, and any client can be named by its hub id"
        ),
        Choice::Several(rows) => bail!(
            "{wanted:?} can be several clients; say which by the number:{}",
            listed(&rows, |row| clients::label(row))
        ),
    }
}

/// Clients, each once.
pub(super) async fn several_clients(
    servers: &Servers,
    partner: HubId,
    wanted: &[String],
) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for wanted in wanted {
        add_once(&mut found, client(servers, Some(partner), wanted).await?);
    }
    Ok(found)
}

/// A user of a client account in one of these states, by address, name or a part of them, or resource name.
pub(super) async fn client_user(
    servers: &Servers,
    client: &Found,
    wanted: &str,
    states: &[ClientUserState],
) -> anyhow::Result<Found> {
    if let Ok(name) = wanted.parse::<ClientUserName>() {
        if ClientName(name.client).to_string() != client.name {
            bail!("{wanted} is not of {}", client.label);
        }
        return Ok(Found::of_name(wanted));
    }
    let found = client_users(servers, &client.name, wanted, states).await?;
    let candidates = addressed(wanted, found, |user| &user.email_address);
    let in_states: Vec<&str> = states.iter().map(|state| wording::client_user_state(*state)).collect();
    match choose(wanted, &candidates, |row| [&row.email_address, &row.display_name]) {
        Choice::One(user) => Ok(user.into()),
        Choice::None => bail!(
            "{} has no user ({}) whose address or name is {wanted:?} or contains it, or none that you may see",
            client.label,
            in_states.join(" or ")
        ),
        Choice::Several(rows) => bail!(
            "{wanted:?} can be several users of {}; say which by the address:{}",
            client.label,
            listed(&rows, |row| Found::from(*row).label)
        ),
    }
}

/// Users of a client account, each once.
pub(super) async fn several_client_users(
    servers: &Servers,
    client: &Found,
    wanted: &[String],
    states: &[ClientUserState],
) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    for wanted in wanted {
        add_once(&mut found, client_user(servers, client, wanted, states).await?);
    }
    Ok(found)
}

async fn client_users(
    servers: &Servers,
    client: &str,
    search: &str,
    states: &[ClientUserState],
) -> anyhow::Result<Vec<ClientUser>> {
    let mut question = ListClientUsersRequest {
        parent: client.to_owned(),
        search: search.to_owned(),
        states: states.iter().map(|state| (*state).into()).collect(),
        page_size: PAGE_SIZE,
        ..ListClientUsersRequest::default()
    };
    let mut users = Vec::new();
    loop {
        let answer = ask!(servers.access, list_client_users, question);
        let page = answer.map_err(|status| servers.problem(Part::Access, &status))?;
        users.extend(page.client_users);
        if page.next_page_token.is_empty() {
            return Ok(users);
        }
        question.page_token = page.next_page_token;
    }
}

/// Whoever types a whole address means exactly that one, not another that ends so: `anna@x.example` is not
/// `joanna@x.example`.
pub(super) fn addressed<T>(wanted: &str, mut candidates: Vec<T>, address: impl Fn(&T) -> &String) -> Vec<T> {
    if let Ok(wanted) = wanted.trim().parse::<EmailAddress>() {
        candidates.retain(|row| address(row) == wanted.as_str());
    }
    candidates
}

/// Of each address the employee of now, or the one that was deleted last.
fn latest(mut employees: Vec<Employee>) -> Vec<Employee> {
    let end = |employee: &Employee| employee.delete_time.map_or((i64::MAX, 0), |time| (time.seconds, time.nanos));
    employees.sort_by(|one, other| (&one.email_address, end(other)).cmp(&(&other.email_address, end(one))));
    employees.dedup_by(|later, first| later.email_address == first.email_address);
    employees
}

/// Adds what is not there yet: who is named twice is meant once.
pub(super) fn add_once(found: &mut Vec<Found>, one: Found) {
    if found.iter().all(|other| other.name != one.name) {
        found.push(one);
    }
}

#[cfg(test)]
mod tests {
    use prost_types::Timestamp;

    use super::*;

    fn employee(address: &str, deleted_seconds: Option<i64>) -> Employee {
        Employee {
            email_address: address.to_owned(),
            delete_time: deleted_seconds.map(|seconds| Timestamp { seconds, nanos: 0 }),
            ..Employee::default()
        }
    }

    #[test]
    fn an_empty_text_names_nobody() {
        assert_eq!(wanted(" anna "), Ok("anna".to_owned()));
        for nothing in ["", " ", "\t"] {
            assert_eq!(wanted(nothing), Err(NothingNamed), "{nothing:?}");
        }
    }

    #[test]
    fn a_whole_address_is_never_a_part_of_another() {
        let both = || vec![employee("anna@x.example", None), employee("joanna@x.example", None)];
        assert_eq!(addressed("Anna@X.example", both(), |row| &row.email_address), both()[..1]);
        assert_eq!(addressed("hanna@x.example", both(), |row| &row.email_address), []);
        assert_eq!(addressed("anna", both(), |row| &row.email_address), both());
    }

    #[test]
    fn of_an_address_the_employee_of_now_is_meant_and_else_the_one_who_was_deleted_last() {
        let anna = [employee("anna@x.example", Some(5)), employee("anna@x.example", None)];
        assert_eq!(latest(anna.to_vec()), anna[1..]);
        let bruno = [employee("bruno@x.example", Some(7)), employee("bruno@x.example", Some(5))];
        assert_eq!(latest(bruno.to_vec()), bruno[..1]);
    }
}
