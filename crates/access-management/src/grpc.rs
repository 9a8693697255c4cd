//! The gRPC side: read all of a request and report everything that is wrong with it, call the operation, answer.

mod feed;

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::wire::access::access_management_service_server::AccessManagementService;
use contracts::{ClientName, ClientUserName, EmployeeName, Failure, PartnerName, Violations, permission_set_from_wire};
use domain::access::{CountryCode, EmailAddress, EmailDomain, HubId};
use service_kit::Statement;
use tonic::{Request, Response, Status};

use crate::AccessManagement;
use crate::operations::{LinkOutcome, NewClient, NewClientUser, NewEmployee, NewLinks, NewPartner, Removal};

pub(crate) use feed::AccessFeed;

/// The longest display name, in characters.
const DISPLAY_NAME_LENGTH: usize = 200;
/// The most employee email domains of a partner.
const MAXIMUM_EMAIL_DOMAINS: usize = 50;
/// The most clients of one BatchLinkClients.
const MAXIMUM_LINKS: usize = 1_000;

#[tonic::async_trait]
impl AccessManagementService for AccessManagement {
    async fn create_partner(
        &self,
        request: Request<wire::CreatePartnerRequest>,
    ) -> Result<Response<wire::CreatePartnerResponse>, Status> {
        let mut violations = Violations::default();
        let effective_time = request.get_ref().effective_time.as_ref();
        let statement = Statement::read(&mut violations, request.metadata(), effective_time, self.clock.now())?;
        let new = new_partner(violations, request.get_ref())?;
        let (partner, revision) = self.create_partner(new, statement).await?;
        Ok(Response::new(wire::CreatePartnerResponse { partner: Some(partner), revision: revision.to_string() }))
    }

    async fn create_employee(
        &self,
        request: Request<wire::CreateEmployeeRequest>,
    ) -> Result<Response<wire::CreateEmployeeResponse>, Status> {
        let mut violations = Violations::default();
        let effective_time = request.get_ref().effective_time.as_ref();
        let statement = Statement::read(&mut violations, request.metadata(), effective_time, self.clock.now())?;
        let new = new_employee(violations, request.get_ref())?;
        let (employee, revision) = self.create_employee(new, statement).await?;
        Ok(Response::new(wire::CreateEmployeeResponse { employee: Some(employee), revision: revision.to_string() }))
    }

    async fn create_client(
        &self,
        request: Request<wire::CreateClientRequest>,
    ) -> Result<Response<wire::CreateClientResponse>, Status> {
        let mut violations = Violations::default();
        let effective_time = request.get_ref().effective_time.as_ref();
        let statement = Statement::read(&mut violations, request.metadata(), effective_time, self.clock.now())?;
        let new = new_client(violations, request.get_ref())?;
        let (client, revision) = self.create_client(new, statement).await?;
        Ok(Response::new(wire::CreateClientResponse { client: Some(client), revision: revision.to_string() }))
    }

    async fn create_client_user(
        &self,
        request: Request<wire::CreateClientUserRequest>,
    ) -> Result<Response<wire::CreateClientUserResponse>, Status> {
        let mut violations = Violations::default();
        let effective_time = request.get_ref().effective_time.as_ref();
        let statement = Statement::read(&mut violations, request.metadata(), effective_time, self.clock.now())?;
        let new = new_client_user(violations, request.get_ref())?;
        let (client_user, revision) = self.create_client_user(new, statement).await?;
        let client_user = Some(client_user);
        Ok(Response::new(wire::CreateClientUserResponse { client_user, revision: revision.to_string() }))
    }

    async fn remove_client_user(
        &self,
        request: Request<wire::RemoveClientUserRequest>,
    ) -> Result<Response<wire::RemoveClientUserResponse>, Status> {
        let mut violations = Violations::default();
        let effective_time = request.get_ref().effective_time.as_ref();
        let statement = Statement::read(&mut violations, request.metadata(), effective_time, self.clock.now())?;
        let name = violations.parse::<ClientUserName>("name", &request.get_ref().name);
        let removal = violations.finish(|| Some(Removal { name: name? }))?;
        let (client_user, revision) = self.remove_client_user(removal, statement).await?;
        let client_user = Some(client_user);
        Ok(Response::new(wire::RemoveClientUserResponse { client_user, revision: revision.to_string() }))
    }

    async fn batch_link_clients(
        &self,
        request: Request<wire::BatchLinkClientsRequest>,
    ) -> Result<Response<wire::BatchLinkClientsResponse>, Status> {
        let mut violations = Violations::default();
        let effective_time = request.get_ref().effective_time.as_ref();
        let statement = Statement::read(&mut violations, request.metadata(), effective_time, self.clock.now())?;
        let new = new_links(violations, request.get_ref())?;
        let (outcomes, revision) = self.link_clients(new, statement).await?;
        let results = request.into_inner().clients.into_iter().zip(outcomes).map(link_result).collect();
        Ok(Response::new(wire::BatchLinkClientsResponse { results, revision: revision.to_string() }))
    }
}

fn new_partner(mut violations: Violations, request: &wire::CreatePartnerRequest) -> Result<NewPartner, Failure> {
    let stated = request.partner.clone().unwrap_or_default();
    let partner = violations.check("hub_id", HubId::try_from(request.hub_id));
    let display_name = violations.text("partner.display_name", &stated.display_name, DISPLAY_NAME_LENGTH);
    let country: Option<CountryCode> = violations.parse("partner.country_code", &stated.country_code);
    let email_domains = email_domains(&mut violations, &stated.email_domains);
    violations.finish(|| {
        Some(NewPartner { partner: partner?, display_name: display_name?, country: country?, email_domains })
    })
}

fn email_domains(violations: &mut Violations, texts: &[String]) -> BTreeSet<EmailDomain> {
    const FIELD: &str = "partner.email_domains";
    if texts.len() > MAXIMUM_EMAIL_DOMAINS {
        violations.add(FIELD, format!("at most {MAXIMUM_EMAIL_DOMAINS} domains"));
        return BTreeSet::new();
    }
    let indexed = texts.iter().enumerate();
    indexed.filter_map(|(index, text)| violations.parse(&format!("{FIELD}[{index}]"), text)).collect()
}

fn new_employee(mut violations: Violations, request: &wire::CreateEmployeeRequest) -> Result<NewEmployee, Failure> {
    let stated = request.employee.clone().unwrap_or_default();
    let partner: Option<PartnerName> = violations.parse("parent", &request.parent);
    let address: Option<EmailAddress> = violations.parse("employee.email_address", &stated.email_address);
    let display_name = violations.text("employee.display_name", &stated.display_name, DISPLAY_NAME_LENGTH);
    let partner_employee = stated.partner_employee.unwrap_or(true);
    violations.finish(|| {
        Some(NewEmployee { partner: partner?.0, address: address?, display_name: display_name?, partner_employee })
    })
}

fn new_client(mut violations: Violations, request: &wire::CreateClientRequest) -> Result<NewClient, Failure> {
    let stated = request.client.clone().unwrap_or_default();
    let client = violations.check("hub_id", HubId::try_from(request.hub_id));
    let display_name = violations.text("client.display_name", &stated.display_name, DISPLAY_NAME_LENGTH);
    let country: Option<CountryCode> = violations.parse("client.country_code", &stated.country_code);
    violations.finish(|| Some(NewClient { client: client?, display_name: display_name?, country: country? }))
}

fn new_client_user(
    mut violations: Violations,
    request: &wire::CreateClientUserRequest,
) -> Result<NewClientUser, Failure> {
    let stated = request.client_user.clone().unwrap_or_default();
    let client: Option<ClientName> = violations.parse("parent", &request.parent);
    let address: Option<EmailAddress> = violations.parse("client_user.email_address", &stated.email_address);
    let display_name = violations.text("client_user.display_name", &stated.display_name, DISPLAY_NAME_LENGTH);
    let permission_set = permission_set_from_wire(stated.permission_set());
    if permission_set.is_none() {
        violations.add(
            "client_user.permission_set",
            "PERMISSION_SET_STANDARD, PERMISSION_SET_PARTNER_ADMIN or PERMISSION_SET_SUPER_ADMIN",
        );
    }
    violations.finish(|| {
        Some(NewClientUser {
            client: client?.0,
            address: address?,
            display_name: display_name?,
            permission_set: permission_set?,
        })
    })
}

fn new_links(mut violations: Violations, request: &wire::BatchLinkClientsRequest) -> Result<NewLinks, Failure> {
    let employee: Option<EmployeeName> = violations.parse("employee", &request.employee);
    let clients = linked_clients(&mut violations, &request.clients);
    violations.finish(|| Some(NewLinks { employee: employee?, clients }))
}

fn linked_clients(violations: &mut Violations, texts: &[String]) -> Vec<HubId> {
    if texts.is_empty() || texts.len() > MAXIMUM_LINKS {
        violations.add("clients", format!("1 to {MAXIMUM_LINKS} clients"));
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let mut clients = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let field = format!("clients[{index}]");
        let Some(ClientName(client)) = violations.parse(&field, text) else { continue };
        if seen.insert(client) {
            clients.push(client);
        } else {
            violations.add(field, "each client once");
        }
    }
    clients
}

fn link_result((client, outcome): (String, LinkOutcome)) -> wire::LinkClientResult {
    use wire::link_client_result::Outcome;
    let outcome = match outcome {
        Ok(assignment) => Outcome::Assignment(assignment),
        Err(failure) => Outcome::Error(failure.to_item_status()),
    };
    wire::LinkClientResult { client, outcome: Some(outcome) }
}
