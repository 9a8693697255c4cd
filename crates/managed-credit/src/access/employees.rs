//! `access employees`: who works for a partner (R20, R21, R29).

use std::io::Write;

use clap::{Args, ValueEnum};
use comfy_table::Cell;
use contracts::PartnerName;
use contracts::wire::access::{Employee, ListEmployeesRequest};
use domain::access::HubId;
use serde::Serialize;

use crate::output::{Format, Width, not_a_formula, number, table, write_json};
use crate::running::Part;
use crate::servers::{CallFlags, Servers, ask};
use crate::wording::{self, rfc_3339, short_name};

/// Rows that are asked for at once.
const PAGE_SIZE: i32 = 500;

/// The flags of `access employees`.
#[derive(Debug, Args)]
pub(crate) struct EmployeesCommand {
    /// The partner's hub id, for example 1001
    #[arg(long, env = "MANAGED_CREDIT_PARTNER", value_name = "HUB_ID")]
    partner: HubId,
    /// Only those whose name or address contains this, without regard to case and accents
    #[arg(long, env = "MANAGED_CREDIT_SEARCH", value_name = "TEXT", default_value = "")]
    search: String,
    /// Only those whose address is in one of the partner's domains, or only the others
    #[arg(long, env = "MANAGED_CREDIT_VERIFIED", value_enum)]
    verified: Option<YesOrNo>,
    /// Only those to whom a client is assigned, or only the others
    #[arg(long, env = "MANAGED_CREDIT_LINKED", value_enum)]
    linked: Option<YesOrNo>,
    /// Also those who were deleted in the partner account
    #[arg(long, env = "MANAGED_CREDIT_DELETED")]
    deleted: bool,
    /// How the answer is printed
    #[arg(long, env = "MANAGED_CREDIT_FORMAT", value_enum, default_value = "table")]
    format: Format,
    #[command(flatten)]
    call: CallFlags,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum YesOrNo {
    Yes,
    No,
}

/// All pages of one question.
pub(super) async fn ask(servers: &Servers, mut question: ListEmployeesRequest) -> anyhow::Result<Vec<Employee>> {
    question.page_size = PAGE_SIZE;
    let mut employees = Vec::new();
    loop {
        let answer = ask!(servers.access, list_employees, question);
        let page = answer.map_err(|status| servers.problem(Part::Access, &status))?;
        employees.extend(page.employees);
        if page.next_page_token.is_empty() {
            return Ok(employees);
        }
        question.page_token = page.next_page_token;
    }
}

pub(super) async fn employees(command: &EmployeesCommand, out: &mut impl Write) -> anyhow::Result<()> {
    let servers = Servers::new(&command.call)?;
    let is_yes = |answer: YesOrNo| answer == YesOrNo::Yes;
    let question = ListEmployeesRequest {
        parent: PartnerName(command.partner).to_string(),
        search: command.search.clone(),
        domain_verified: command.verified.map(is_yes),
        linked: command.linked.map(is_yes),
        show_deleted: command.deleted,
        ..ListEmployeesRequest::default()
    };
    let employees = ask(&servers, question).await?;
    match command.format {
        Format::Table => write_table(&employees, Width::Terminal, out),
        Format::Json => {
            let rows: Vec<EmployeeJson> = employees.iter().map(Into::into).collect();
            write_json(&EmployeesJson { total_size: rows.len(), employees: rows }, out)
        }
        Format::Csv => write_csv(&employees, out),
    }
}

fn write_table(employees: &[Employee], width: Width, out: &mut impl Write) -> anyhow::Result<()> {
    if employees.is_empty() {
        return Ok(writeln!(out, "No employees: the partner has none, or none that the filters let through.")?);
    }
    let mut table = table(width, ["Employee", "Address", "Domain", "Role", "Clients", "Since (UTC)"]);
    for employee in employees {
        table.add_row([
            Cell::new(standing(employee)),
            Cell::new(&employee.email_address),
            Cell::new(if employee.domain_verified { "verified" } else { "not verified" }),
            Cell::new(wording::access_role(employee.access_role())),
            number(employee.client_count),
            Cell::new(wording::minute_or_absent(employee.start_time.as_ref()).trim_end_matches(" UTC")),
        ]);
    }
    writeln!(out, "{table}")?;
    Ok(writeln!(out, "{}.", wording::count(employees.len() as u64, "employee"))?)
}

/// The name, and what is unusual about the person.
fn standing(employee: &Employee) -> String {
    let mut name = employee.display_name.clone();
    if employee.partner_employee == Some(false) {
        name.push_str(", not a partner employee");
    }
    if employee.delete_time.is_some() {
        let deleted = wording::minute_or_absent(employee.delete_time.as_ref());
        name.push_str(&format!(", deleted at {deleted}"));
    }
    name
}

fn write_csv(employees: &[Employee], out: &mut impl Write) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record([
        "employee",
        "email_address",
        "display_name",
        "partner_employee",
        "domain_verified",
        "access_role",
        "client_count",
        "start_time",
        "delete_time",
    ])?;
    for employee in employees {
        writer.write_record([
            employee.name.clone(),
            not_a_formula(&employee.email_address),
            not_a_formula(&employee.display_name),
            employee.partner_employee().to_string(),
            employee.domain_verified.to_string(),
            short_name(employee.access_role().as_str_name(), "ACCESS_ROLE_").to_owned(),
            employee.client_count.to_string(),
            rfc_3339(employee.start_time.as_ref()).unwrap_or_default(),
            rfc_3339(employee.delete_time.as_ref()).unwrap_or_default(),
        ])?;
    }
    Ok(writer.flush()?)
}

#[derive(Debug, Serialize)]
struct EmployeesJson<'answer> {
    employees: Vec<EmployeeJson<'answer>>,
    total_size: usize,
}

/// `managedcredit.access.v1.Employee`
#[derive(Debug, Serialize)]
struct EmployeeJson<'answer> {
    name: &'answer str,
    email_address: &'answer str,
    display_name: &'answer str,
    partner_employee: Option<bool>,
    domain_verified: bool,
    start_time: Option<String>,
    access_role: &'static str,
    client_count: i32,
    delete_time: Option<String>,
    etag: &'answer str,
}

impl<'answer> From<&'answer Employee> for EmployeeJson<'answer> {
    fn from(employee: &'answer Employee) -> Self {
        Self {
            name: &employee.name,
            email_address: &employee.email_address,
            display_name: &employee.display_name,
            partner_employee: employee.partner_employee,
            domain_verified: employee.domain_verified,
            start_time: rfc_3339(employee.start_time.as_ref()),
            access_role: employee.access_role().as_str_name(),
            client_count: employee.client_count,
            delete_time: rfc_3339(employee.delete_time.as_ref()),
            etag: &employee.etag,
        }
    }
}

#[cfg(test)]
mod tests {
    use contracts::wire::access::AccessRole;

    use super::*;

    fn printed(employee: Employee) -> String {
        let mut out = Vec::new();
        write_table(&[employee], Width::Fixed, &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn r21_who_is_not_in_the_domain_is_told_from_who_is() {
        let anna = Employee { display_name: "Anna".to_owned(), domain_verified: true, ..Employee::default() };
        assert!(!printed(anna.clone()).contains("not verified"));
        assert!(printed(Employee { domain_verified: false, ..anna }).contains("not verified"));
    }

    #[test]
    fn r20_who_is_not_flagged_or_was_deleted_is_named_so() {
        let anna = Employee {
            display_name: "Anna".to_owned(),
            partner_employee: Some(false),
            access_role: AccessRole::SuperAdmin.into(),
            delete_time: Some(prost_types::Timestamp { seconds: 86_400, nanos: 0 }),
            ..Employee::default()
        };
        assert_eq!(standing(&anna), "Anna, not a partner employee, deleted at 1970-01-02 00:00 UTC");
        assert!(printed(anna).contains("super admin"));
    }
}
