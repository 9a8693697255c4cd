//! A Clients tab for programs: the messages of the contract with their own field names, absent values as null.

use std::io::Write;

use contracts::wire::access::{Assignment, Client, ClientAccess, EmployeeAccess};
use serde::Serialize;

use crate::output::write_json;
use crate::wording::rfc_3339;

#[derive(Debug, Serialize)]
struct ClientsJson<'answer> {
    clients: Vec<ClientAccessJson<'answer>>,
    total_size: usize,
}

/// `managedcredit.access.v1.ClientAccess`
#[derive(Debug, Serialize)]
struct ClientAccessJson<'answer> {
    client: Option<ClientJson<'answer>>,
    employees: Vec<EmployeeAccessJson<'answer>>,
}

/// `managedcredit.access.v1.Client`
#[derive(Debug, Serialize)]
struct ClientJson<'answer> {
    name: &'answer str,
    display_name: &'answer str,
    country_code: &'answer str,
    start_time: Option<String>,
    close_time: Option<String>,
    etag: &'answer str,
}

/// `managedcredit.access.v1.EmployeeAccess`
#[derive(Debug, Serialize)]
struct EmployeeAccessJson<'answer> {
    employee: &'answer str,
    email_address: &'answer str,
    display_name: &'answer str,
    access_type: &'static str,
    client_user: &'answer str,
    permission_set: &'answer str,
    assignment: Option<AssignmentJson<'answer>>,
}

/// `managedcredit.access.v1.Assignment`
#[derive(Debug, Serialize)]
struct AssignmentJson<'answer> {
    client: &'answer str,
    employee: &'answer str,
    state: &'static str,
    origin: &'static str,
    start_time: Option<String>,
}

impl<'answer> From<&'answer ClientAccess> for ClientAccessJson<'answer> {
    fn from(access: &'answer ClientAccess) -> Self {
        Self {
            client: access.client.as_ref().map(Into::into),
            employees: access.employees.iter().map(Into::into).collect(),
        }
    }
}

impl<'answer> From<&'answer Client> for ClientJson<'answer> {
    fn from(client: &'answer Client) -> Self {
        Self {
            name: &client.name,
            display_name: &client.display_name,
            country_code: &client.country_code,
            start_time: rfc_3339(client.start_time.as_ref()),
            close_time: rfc_3339(client.close_time.as_ref()),
            etag: &client.etag,
        }
    }
}

impl<'answer> From<&'answer EmployeeAccess> for EmployeeAccessJson<'answer> {
    fn from(access: &'answer EmployeeAccess) -> Self {
        Self {
            employee: &access.employee,
            email_address: &access.email_address,
            display_name: &access.display_name,
            access_type: access.access_type().as_str_name(),
            client_user: &access.client_user,
            permission_set: &access.permission_set,
            assignment: access.assignment.as_ref().map(Into::into),
        }
    }
}

impl<'answer> From<&'answer Assignment> for AssignmentJson<'answer> {
    fn from(assignment: &'answer Assignment) -> Self {
        Self {
            client: &assignment.client,
            employee: &assignment.employee,
            state: assignment.state().as_str_name(),
            origin: assignment.origin().as_str_name(),
            start_time: rfc_3339(assignment.start_time.as_ref()),
        }
    }
}

pub(super) fn write(clients: &[ClientAccess], out: &mut impl Write) -> anyhow::Result<()> {
    let rows: Vec<ClientAccessJson> = clients.iter().map(Into::into).collect();
    write_json(&ClientsJson { total_size: rows.len(), clients: rows }, out)
}
