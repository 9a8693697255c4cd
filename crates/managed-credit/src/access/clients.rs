//! `access clients`: the clients in which a partner's employees have access (R42).

mod json;

use std::io::Write;

use clap::{Args, ValueEnum};
use comfy_table::Cell;
use contracts::PartnerName;
use contracts::wire::access::{
    AccessType, Assignment, Client, ClientAccess, ClientOrder, EmployeeAccess, ListClientsRequest,
};
use domain::access::HubId;

use crate::output::{Format, Width, keep_whole, not_a_formula, table};
use crate::running::Part;
use crate::servers::{CallFlags, Servers, ask};
use crate::wording::{self, hub_id, rfc_3339, short_name};

/// Rows that are asked for at once.
const PAGE_SIZE: i32 = 200;

/// The column that is not broken.
const ADDRESS_COLUMN: usize = 2;

/// The flags of `access clients`.
#[derive(Debug, Args)]
pub(crate) struct ClientsCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    partner: HubId,
    /// Only employees with such access, and clients that have such; all but linked_only, if absent
    #[arg(long = "type", env = "MANAGED_CREDIT_TYPE", value_enum, value_name = "TYPE", value_delimiter = ',')]
    types: Vec<Type>,
    /// Only clients whose name contains this, without regard to case and accents, or whose hub id is this
    #[arg(long, env = "MANAGED_CREDIT_SEARCH", value_name = "TEXT", default_value = "")]
    search: String,
    /// By what to order
    #[arg(long, env = "MANAGED_CREDIT_ORDER", value_enum, value_name = "COLUMN", default_value = "name")]
    order: Order,
    /// From largest to smallest, or Z to A
    #[arg(long, env = "MANAGED_CREDIT_DESCENDING")]
    descending: bool,
    /// How the answer is printed
    #[arg(long, env = "MANAGED_CREDIT_FORMAT", value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    call: CallFlags,
}

/// What kind of access an employee has in a client account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Type {
    /// Manages the own partner's employees there
    PartnerAdmin,
    /// Manages all users there
    SuperAdmin,
    /// Any other active user
    Standard,
    /// A deactivated user
    Deactivated,
    /// Assigned, but no user there
    LinkedOnly,
}

/// By what clients are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    /// By the client's name
    Name,
    /// By the client's hub id
    Client,
    /// By how many employees have access there
    Employees,
}

impl From<Type> for AccessType {
    fn from(kind: Type) -> Self {
        match kind {
            Type::PartnerAdmin => Self::PartnerAdmin,
            Type::SuperAdmin => Self::SuperAdmin,
            Type::Standard => Self::Standard,
            Type::Deactivated => Self::Deactivated,
            Type::LinkedOnly => Self::LinkedOnly,
        }
    }
}

impl From<Order> for ClientOrder {
    fn from(order: Order) -> Self {
        match order {
            Order::Name => Self::DisplayName,
            Order::Client => Self::Client,
            Order::Employees => Self::EmployeeCount,
        }
    }
}

/// All pages of one question.
pub(super) async fn ask(servers: &Servers, mut question: ListClientsRequest) -> anyhow::Result<Vec<ClientAccess>> {
    question.page_size = PAGE_SIZE;
    let mut clients = Vec::new();
    loop {
        let answer = ask!(servers.access, list_clients, question);
        let page = answer.map_err(|status| servers.problem(Part::Access, &status))?;
        clients.extend(page.clients);
        if page.next_page_token.is_empty() {
            return Ok(clients);
        }
        question.page_token = page.next_page_token;
    }
}

/// The clients whose name contains a text and in which anybody of the partner has access, of whatever kind.
pub(super) async fn ask_by_name(servers: &Servers, partner: HubId, name: &str) -> anyhow::Result<Vec<Client>> {
    let question = ListClientsRequest {
        partner: PartnerName(partner).to_string(),
        access_types: Type::value_variants().iter().map(|kind| AccessType::from(*kind).into()).collect(),
        search: name.to_owned(),
        ..ListClientsRequest::default()
    };
    Ok(ask(servers, question).await?.into_iter().filter_map(|row| row.client).collect())
}

pub(super) async fn clients(command: &ClientsCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let question = ListClientsRequest {
        partner: PartnerName(command.partner).to_string(),
        access_types: command.types.iter().map(|kind| AccessType::from(*kind).into()).collect(),
        search: command.search.clone(),
        order: ClientOrder::from(command.order).into(),
        descending: command.descending,
        ..ListClientsRequest::default()
    };
    let clients = ask(&servers, question).await?;
    match command.format {
        Format::Table => write_table(&clients, Width::Terminal, out),
        Format::Json => json::write(&clients, out),
        Format::Csv => write_csv(&clients, out),
    }
}

/// The client's name and number.
pub(super) fn label(client: &Client) -> String {
    wording::account(&client.display_name, &client.name)
}

fn write_table(clients: &[ClientAccess], width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    if clients.is_empty() {
        return Ok(writeln!(out, "No clients: nobody of the partner has access anywhere, or none of the asked kind.")?);
    }
    let mut table = table(width, ["Client", "Employee", "Address", "Access", "Assigned"]);
    for client in clients {
        let account = client.client.clone().unwrap_or_default();
        for (index, employee) in client.employees.iter().enumerate() {
            // A client is named once.
            let client = if index == 0 { label(&account) } else { String::new() };
            table.add_row([
                Cell::new(client),
                Cell::new(&employee.display_name),
                Cell::new(&employee.email_address),
                Cell::new(access(employee)),
                Cell::new(wording::assignment(employee.assignment.as_ref())),
            ]);
        }
    }
    keep_whole(&mut table, ADDRESS_COLUMN);
    writeln!(out, "{table}")?;
    Ok(writeln!(out, "{}.", wording::count(clients.len() as u64, "client"))?)
}

/// The kind of access, and which set gives it where the kind alone does not say it.
fn access(employee: &EmployeeAccess) -> String {
    let access_type = employee.access_type();
    let set = employee.permission_set.as_str();
    let kind = wording::access_type(access_type);
    if set.is_empty() || access_type.as_str_name().ends_with(set) { kind.to_owned() } else { format!("{kind} ({set})") }
}

/// One line per client and employee.
fn write_csv(clients: &[ClientAccess], out: &mut impl Write) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record([
        "client",
        "client_display_name",
        "country_code",
        "employee",
        "email_address",
        "display_name",
        "access_type",
        "client_user",
        "permission_set",
        "assignment_state",
        "assignment_origin",
        "assignment_start_time",
    ])?;
    for client in clients {
        let account = client.client.clone().unwrap_or_default();
        for employee in &client.employees {
            let of_assignment =
                |text: fn(&Assignment) -> String| employee.assignment.as_ref().map(text).unwrap_or_default();
            writer.write_record([
                hub_id(&account.name).to_owned(),
                not_a_formula(&account.display_name),
                account.country_code.clone(),
                employee.employee.clone(),
                not_a_formula(&employee.email_address),
                not_a_formula(&employee.display_name),
                short_name(employee.access_type().as_str_name(), "ACCESS_TYPE_").to_owned(),
                employee.client_user.clone(),
                employee.permission_set.clone(),
                of_assignment(|it| short_name(it.state().as_str_name(), "ASSIGNMENT_STATE_").to_owned()),
                of_assignment(|it| short_name(it.origin().as_str_name(), "ASSIGNMENT_ORIGIN_").to_owned()),
                of_assignment(|it| rfc_3339(it.start_time.as_ref()).unwrap_or_default()),
            ])?;
        }
    }
    Ok(writer.flush()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn employee(access_type: AccessType, permission_set: &str) -> EmployeeAccess {
        let permission_set = permission_set.to_owned();
        EmployeeAccess { access_type: access_type.into(), permission_set, ..EmployeeAccess::default() }
    }

    #[test]
    fn r42_a_set_is_named_where_the_kind_of_access_does_not_say_it() {
        assert_eq!(access(&employee(AccessType::PartnerAdmin, "PARTNER_ADMIN")), "partner admin");
        assert_eq!(access(&employee(AccessType::Standard, "MARKETING")), "standard (MARKETING)");
        assert_eq!(access(&employee(AccessType::Deactivated, "STANDARD")), "deactivated (STANDARD)");
        assert_eq!(access(&employee(AccessType::LinkedOnly, "")), "no user there");
    }

    #[test]
    fn an_address_is_not_broken_and_a_client_is_named_once() {
        let employee = |address: &str| EmployeeAccess {
            display_name: "Somebody with a long name".to_owned(),
            email_address: address.to_owned(),
            ..employee(AccessType::Standard, "MARKETING")
        };
        let addresses = ["a.very.long.one@officina-digitale.example", "b@officina-digitale.example"];
        let client = Client {
            name: "clients/2001".to_owned(),
            display_name: "A client with a name that is long too".to_owned(),
            ..Client::default()
        };
        let row = ClientAccess { client: Some(client), employees: addresses.map(employee).to_vec() };
        let mut out = Vec::new();
        write_table(&[row], Width::Fixed, &mut out).expect("a vector takes everything");
        let text = String::from_utf8(out).expect("text");
        assert!(addresses.iter().all(|address| text.contains(address)), "{text}");
        assert_eq!(text.matches("2001").count(), 1, "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 120), "{text}");
    }
}
