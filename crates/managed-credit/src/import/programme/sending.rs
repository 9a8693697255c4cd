//! Sends a programme: partners, employees, clients, client users, links, subscriptions.

use std::collections::BTreeMap;

use contracts::wire::access as wire;
use contracts::wire::credit::{CreateSubscriptionRequest, Money, Subscription, UpdateSubscriptionRequest};
use contracts::wire::error::ErrorReason;
use contracts::{ClientName, PartnerName, SubscriptionName, reason_name, timestamp};
use domain::access::{EmailAddress, HubId};
use domain::credit::SubscriptionId;
use domain::time::Instant;
use indicatif::ProgressBar;
use prost_types::Timestamp;
use tonic::{Code, Status};
use tonic_types::{ErrorInfo, StatusExt as _};

use super::Programme;
use super::report::{Report, RowOutcome};
use super::rows::{ClientRow, ClientUserRow, EmployeeRow, LinkRow, PartnerRow, ProgrammeRow, SubscriptionRow};
use crate::progress;
use crate::running::Part;
use crate::servers::{NewestRevisions, Servers, call};

/// The most clients that one call links.
const MAXIMUM_LINKS: usize = 1_000;

/// Sends all rows. A refused row is reported and the others go on.
///
/// # Errors
/// A service that is away.
pub(crate) async fn send(
    servers: &Servers,
    programme: &Programme,
    revisions: &mut NewestRevisions,
) -> anyhow::Result<Report> {
    let rows = u64::try_from(programme.rows()).unwrap_or(u64::MAX);
    let progress = progress::bar("programme", rows, false);
    let mut sending = Sending { servers, revisions, report: Report::default(), progress, employees: BTreeMap::new() };
    sending.partners(&programme.partners).await?;
    sending.employees(&programme.employees).await?;
    sending.clients(&programme.clients).await?;
    sending.client_users(&programme.client_users).await?;
    sending.links(&programme.links).await?;
    sending.subscriptions(&programme.subscriptions).await?;
    sending.progress.finish_and_clear();
    Ok(sending.report)
}

struct Sending<'import> {
    servers: &'import Servers,
    revisions: &'import mut NewestRevisions,
    report: Report,
    progress: ProgressBar,
    /// The names that the service gave, or had given before.
    employees: BTreeMap<(HubId, EmailAddress), String>,
}

/// A row that a service was asked to take.
#[derive(Debug, Clone, Copy)]
struct Sent {
    part: Part,
    line: u64,
    /// The column with the time that the call is about.
    time_column: &'static str,
}

impl Sent {
    const fn of<T: ProgrammeRow>(part: Part, line: u64) -> Self {
        Self { part, line, time_column: T::TIME_COLUMN }
    }
}

/// What a write of something that may exist came to.
enum Written<T> {
    Created(T),
    /// It exists; under this name, where the service says it.
    Existing {
        name: String,
        /// Whether it is as the row says; otherwise that was noted.
        is_same: bool,
    },
    Refused,
}

impl Sending<'_> {
    async fn partners(&mut self, rows: &[PartnerRow]) -> anyhow::Result<()> {
        self.report.begin(PartnerRow::FILE);
        for row in rows {
            let message = wire::CreatePartnerRequest {
                hub_id: row.hub_id.get(),
                partner: Some(wire::Partner {
                    display_name: row.display_name.clone(),
                    country_code: row.country.to_string(),
                    email_domains: row.email_domains.iter().map(ToString::to_string).collect(),
                    ..wire::Partner::default()
                }),
                effective_time: row.join_time.map(timestamp),
                ..wire::CreatePartnerRequest::default()
            };
            let answer = call!(self.servers.access, create_partner, message);
            let written = self.written(Sent::of::<PartnerRow>(Part::Access, row.line), answer)?;
            self.finish(&written, |answer| &answer.revision);
        }
        Ok(())
    }

    async fn employees(&mut self, rows: &[EmployeeRow]) -> anyhow::Result<()> {
        self.report.begin(EmployeeRow::FILE);
        for row in rows {
            let message = wire::CreateEmployeeRequest {
                parent: PartnerName(row.partner).to_string(),
                employee: Some(wire::Employee {
                    email_address: row.email.to_string(),
                    display_name: row.display_name.clone(),
                    partner_employee: Some(row.partner_employee),
                    access_role: wire::AccessRole::from(row.access_role).into(),
                    ..wire::Employee::default()
                }),
                effective_time: row.start_time.map(timestamp),
                ..wire::CreateEmployeeRequest::default()
            };
            let answer = call!(self.servers.access, create_employee, message);
            let written = self.written(Sent::of::<EmployeeRow>(Part::Access, row.line), answer)?;
            let name = match &written {
                Written::Created(answer) => answer.employee.as_ref().map(|employee| employee.name.clone()),
                Written::Existing { name, .. } => Some(name.clone()),
                Written::Refused => None,
            };
            self.employees.extend(name.map(|name| ((row.partner, row.email.clone()), name)));
            self.finish(&written, |answer| &answer.revision);
        }
        Ok(())
    }

    async fn clients(&mut self, rows: &[ClientRow]) -> anyhow::Result<()> {
        self.report.begin(ClientRow::FILE);
        for row in rows {
            let message = wire::CreateClientRequest {
                hub_id: row.hub_id.get(),
                client: Some(wire::Client {
                    display_name: row.display_name.clone(),
                    country_code: row.country.to_string(),
                    ..wire::Client::default()
                }),
                effective_time: row.start_time.map(timestamp),
                ..wire::CreateClientRequest::default()
            };
            let answer = call!(self.servers.access, create_client, message);
            let written = self.written(Sent::of::<ClientRow>(Part::Access, row.line), answer)?;
            self.finish(&written, |answer| &answer.revision);
        }
        Ok(())
    }

    async fn client_users(&mut self, rows: &[ClientUserRow]) -> anyhow::Result<()> {
        self.report.begin(ClientUserRow::FILE);
        for row in rows {
            let added = self.add_client_user(row).await?;
            let added_outcome = added.outcome();
            let outcome = match (added, row.removed_time) {
                (Written::Created(name) | Written::Existing { name, is_same: true }, Some(removed_time)) => {
                    self.remove_client_user(row, name, removed_time).await?
                }
                _ => added_outcome,
            };
            self.count(outcome);
        }
        Ok(())
    }

    /// Adds the user; its name, where it is new.
    async fn add_client_user(&mut self, row: &ClientUserRow) -> anyhow::Result<Written<String>> {
        let message = wire::CreateClientUserRequest {
            parent: ClientName(row.client).to_string(),
            client_user: Some(wire::ClientUser {
                email_address: row.email.to_string(),
                display_name: row.display_name.clone(),
                permission_set: row.permission_set.to_string(),
                ..wire::ClientUser::default()
            }),
            effective_time: row.start_time.map(timestamp),
            ..wire::CreateClientUserRequest::default()
        };
        let answer = call!(self.servers.access, create_client_user, message);
        Ok(match self.written(Sent::of::<ClientUserRow>(Part::Access, row.line), answer)? {
            Written::Created(answer) => {
                self.revisions.note(&answer.revision);
                Written::Created(answer.client_user.unwrap_or_default().name)
            }
            Written::Existing { name, is_same } => Written::Existing { name, is_same },
            Written::Refused => Written::Refused,
        })
    }

    async fn remove_client_user(
        &mut self,
        row: &ClientUserRow,
        name: String,
        removed_time: Instant,
    ) -> anyhow::Result<RowOutcome> {
        let effective_time = Some(timestamp(removed_time));
        let message =
            wire::RemoveClientUserRequest { name, effective_time, ..wire::RemoveClientUserRequest::default() };
        match call!(self.servers.access, remove_client_user, message) {
            Ok(answer) => {
                self.revisions.note(&answer.revision);
                Ok(RowOutcome::Created)
            }
            Err(status) if is_removed_already(&status) => Ok(RowOutcome::Unchanged),
            Err(status) => {
                let row = Sent { time_column: "removed_time", ..Sent::of::<ClientUserRow>(Part::Access, row.line) };
                self.refused(row, &status).map(|()| RowOutcome::Refused)
            }
        }
    }

    async fn links(&mut self, rows: &[LinkRow]) -> anyhow::Result<()> {
        self.report.begin(LinkRow::FILE);
        let mut batches: BTreeMap<(HubId, &EmailAddress, Option<Instant>), Vec<&LinkRow>> = BTreeMap::new();
        for row in rows {
            batches.entry((row.partner, &row.email, row.link_time)).or_default().push(row);
        }
        for ((partner, email, link_time), rows) in batches {
            let Some(employee) = self.employees.get(&(partner, email.clone())).cloned() else {
                for row in rows {
                    self.report.note(row.line, &format!("{email} could not be created, so nothing is linked"));
                    self.count(RowOutcome::Refused);
                }
                continue;
            };
            for rows in rows.chunks(MAXIMUM_LINKS) {
                self.link(&employee, link_time, rows).await?;
            }
        }
        Ok(())
    }

    async fn link(&mut self, employee: &str, link_time: Option<Instant>, rows: &[&LinkRow]) -> anyhow::Result<()> {
        let message = wire::BatchLinkClientsRequest {
            employee: employee.to_owned(),
            clients: rows.iter().map(|row| ClientName(row.client).to_string()).collect(),
            effective_time: link_time.map(timestamp),
            ..wire::BatchLinkClientsRequest::default()
        };
        let answer = match call!(self.servers.access, batch_link_clients, message) {
            Ok(answer) => answer,
            Err(status) => {
                for row in rows {
                    self.refused(Sent::of::<LinkRow>(Part::Access, row.line), &status)?;
                    self.count(RowOutcome::Refused);
                }
                return Ok(());
            }
        };
        self.revisions.note(&answer.revision);
        for (row, result) in rows.iter().zip(answer.results) {
            let outcome = match result.outcome {
                Some(wire::link_client_result::Outcome::Error(error)) if error.code == Code::AlreadyExists as i32 => {
                    RowOutcome::Unchanged
                }
                Some(wire::link_client_result::Outcome::Error(error)) => {
                    self.report.note(row.line, &error.message);
                    RowOutcome::Refused
                }
                Some(wire::link_client_result::Outcome::Assignment(_)) | None => RowOutcome::Created,
            };
            self.count(outcome);
        }
        Ok(())
    }

    async fn subscriptions(&mut self, rows: &[SubscriptionRow]) -> anyhow::Result<()> {
        self.report.begin(SubscriptionRow::FILE);
        let mut begun: BTreeMap<(HubId, &SubscriptionId), bool> = BTreeMap::new();
        for row in rows {
            let key = (row.client, &row.subscription);
            let outcome = match begun.get(&key) {
                None => self.create_subscription(row).await?,
                Some(true) => self.update_subscription(row).await?,
                Some(false) => {
                    self.report.note(row.line, "the subscription could not be created, so it is not changed");
                    RowOutcome::Refused
                }
            };
            begun.entry(key).or_insert(outcome != RowOutcome::Refused);
            self.count(outcome);
        }
        Ok(())
    }

    async fn create_subscription(&mut self, row: &SubscriptionRow) -> anyhow::Result<RowOutcome> {
        let message = CreateSubscriptionRequest {
            parent: ClientName(row.client).to_string(),
            subscription_id: row.subscription.to_string(),
            subscription: Some(Subscription { mrr: Some(Money::from(&row.mrr)), ..Subscription::default() }),
            effective_time: effective_time(row),
            ..CreateSubscriptionRequest::default()
        };
        let answer = call!(self.servers.credit, create_subscription, message);
        let written = self.written(Sent::of::<SubscriptionRow>(Part::Credit, row.line), answer)?;
        if let Written::Created(answer) = &written {
            self.revisions.note(&answer.revision);
        }
        Ok(written.outcome())
    }

    async fn update_subscription(&mut self, row: &SubscriptionRow) -> anyhow::Result<RowOutcome> {
        let name = SubscriptionName { client: row.client, subscription: row.subscription.clone() };
        let mrr = Some(Money::from(&row.mrr));
        let message = UpdateSubscriptionRequest {
            subscription: Some(Subscription { name: name.to_string(), mrr, ..Subscription::default() }),
            effective_time: effective_time(row),
            ..UpdateSubscriptionRequest::default()
        };
        match call!(self.servers.credit, update_subscription, message) {
            Ok(answer) => {
                self.revisions.note(&answer.revision);
                Ok(if answer.unchanged { RowOutcome::Unchanged } else { RowOutcome::Created })
            }
            Err(status) => {
                self.refused(Sent::of::<SubscriptionRow>(Part::Credit, row.line), &status).map(|()| RowOutcome::Refused)
            }
        }
    }

    /// What an answer means; what exists with other content, and what is refused, is noted with its line.
    fn written<T>(&mut self, row: Sent, answer: Result<T, Status>) -> anyhow::Result<Written<T>> {
        let status = match answer {
            Ok(answer) => return Ok(Written::Created(answer)),
            Err(status) => status,
        };
        if status.code() != Code::AlreadyExists {
            self.refused(row, &status)?;
            return Ok(Written::Refused);
        }
        let existing = status.get_details_error_info().map(|info| info.metadata).unwrap_or_default();
        let differing = existing.get("differing_fields").map_or("", String::as_str);
        if !differing.is_empty() {
            let columns: Vec<&str> = differing.split(',').map(|field| column(field, row.time_column)).collect();
            self.report.note(row.line, &format!("exists with another {}, and is left as it is", columns.join(", ")));
        }
        let name = existing.get("name").cloned().unwrap_or_default();
        Ok(Written::Existing { name, is_same: differing.is_empty() })
    }

    /// Notes a refusal; a service that is away ends the import.
    fn refused(&mut self, row: Sent, status: &Status) -> anyhow::Result<()> {
        if status.code() == Code::Unavailable {
            return Err(self.servers.problem(row.part, status));
        }
        self.report.note(row.line, &by_column(status.message(), row.time_column));
        Ok(())
    }

    fn finish<T>(&mut self, written: &Written<T>, revision: impl Fn(&T) -> &String) {
        if let Written::Created(answer) = written {
            self.revisions.note(revision(answer));
        }
        self.count(written.outcome());
    }

    fn count(&mut self, outcome: RowOutcome) {
        self.report.count(outcome);
        self.progress.inc(1);
    }
}

impl<T> Written<T> {
    const fn outcome(&self) -> RowOutcome {
        match self {
            Self::Created(_) => RowOutcome::Created,
            Self::Existing { is_same: true, .. } => RowOutcome::Unchanged,
            Self::Existing { is_same: false, .. } | Self::Refused => RowOutcome::Refused,
        }
    }
}

fn effective_time(row: &SubscriptionRow) -> Option<Timestamp> {
    row.effective_time.map(timestamp)
}

/// The column that a field of the contract is written in.
fn column<'field>(field: &'field str, time_column: &'static str) -> &'field str {
    match field.rsplit('.').next().unwrap_or(field) {
        "country_code" => "country",
        "email_address" => "email",
        "effective_time" => time_column,
        other => other,
    }
}

/// A refusal with the name of the column in place of the field's, where it begins with one.
fn by_column(message: &str, time_column: &'static str) -> String {
    match message.split_once(": ") {
        Some((field, problem)) if !field.contains(' ') => format!("{}: {problem}", column(field, time_column)),
        _ => message.to_owned(),
    }
}

/// Whether the user had been removed before.
fn is_removed_already(status: &Status) -> bool {
    let is_removed = |info: ErrorInfo| {
        info.reason == reason_name(ErrorReason::IllegalTransition)
            && info.metadata.get("state").is_some_and(|state| state == "removed")
    };
    status.get_details_error_info().is_some_and(is_removed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_column_and_not_the_field() {
        assert_eq!(by_column("effective_time: now or earlier", "link_time"), "link_time: now or earlier");
        assert_eq!(by_column("partner.country_code: is unknown", "join_time"), "country: is unknown");
        assert_eq!(by_column("partner 7 is not known", "join_time"), "partner 7 is not known");
    }
}
