//! The gRPC side: read all of a request and report everything that is wrong with it, call the operation, answer.
//!
//! This page is the index; what a request must look like is in the room of its subject.

mod access_link;
mod asset;
mod audit_log;
mod client;
mod client_user;
mod employee;
mod feed;
mod link;
mod partner;
mod removal;

use contracts::wire::access as wire;
use contracts::wire::access::access_management_service_server::AccessManagementService;
use contracts::{DISPLAY_NAME_LENGTH, Failure, Violations, Write};
use domain::access::Actor;
use service_kit::{Statement, actor};
use tonic::{Request, Response, Status};

use crate::AccessManagement;
use crate::operations::Search;

pub(crate) use feed::AccessFeed;

/// The longest search text, in characters.
const SEARCH_LENGTH: usize = 200;

impl AccessManagement {
    /// What a write asks for, and what every write says.
    fn read_write<W: Write, T>(
        &self,
        request: &Request<W>,
        read: impl FnOnce(&mut Violations, &W) -> Option<T>,
    ) -> Result<(T, Statement), Failure> {
        let mut violations = Violations::default();
        let statement = Statement::read(&mut violations, request.metadata(), request.get_ref(), self.clock.now())?;
        let value = read(&mut violations, request.get_ref());
        Ok((violations.finish(|| value)?, statement))
    }
}

/// What a read asks for, and who asks.
fn read<R, T>(
    request: &Request<R>,
    read: impl FnOnce(&mut Violations, &R) -> Option<T>,
) -> Result<(T, Actor), Failure> {
    let actor = actor(request.metadata())?;
    let mut violations = Violations::default();
    let value = read(&mut violations, request.get_ref());
    Ok((violations.finish(|| value)?, actor))
}

/// What a list is searched for.
fn search(violations: &mut Violations, text: &str) -> Option<Search> {
    violations.optional_text("search", text, SEARCH_LENGTH).map(Search::new)
}

#[tonic::async_trait]
impl AccessManagementService for AccessManagement {
    async fn create_partner(
        &self,
        request: Request<wire::CreatePartnerRequest>,
    ) -> Result<Response<wire::CreatePartnerResponse>, Status> {
        let (asked, statement) = self.read_write(&request, partner::new_partner)?;
        Ok(Response::new(self.create_partner(asked, statement).await?))
    }

    async fn get_partner(
        &self,
        request: Request<wire::GetPartnerRequest>,
    ) -> Result<Response<wire::GetPartnerResponse>, Status> {
        let (asked, actor) = read(&request, partner::name)?;
        Ok(Response::new(self.get_partner(asked, actor).await?))
    }

    async fn update_partner(
        &self,
        request: Request<wire::UpdatePartnerRequest>,
    ) -> Result<Response<wire::UpdatePartnerResponse>, Status> {
        let (asked, statement) = self.read_write(&request, partner::update)?;
        Ok(Response::new(self.update_partner(asked, statement).await?))
    }

    async fn list_partners(
        &self,
        request: Request<wire::ListPartnersRequest>,
    ) -> Result<Response<wire::ListPartnersResponse>, Status> {
        let (asked, actor) = read(&request, partner::list)?;
        Ok(Response::new(self.list_partners(asked, actor).await?))
    }

    async fn create_employee(
        &self,
        request: Request<wire::CreateEmployeeRequest>,
    ) -> Result<Response<wire::CreateEmployeeResponse>, Status> {
        let (asked, statement) = self.read_write(&request, employee::new_employee)?;
        Ok(Response::new(self.create_employee(asked, statement).await?))
    }

    async fn get_employee(
        &self,
        request: Request<wire::GetEmployeeRequest>,
    ) -> Result<Response<wire::GetEmployeeResponse>, Status> {
        let (asked, actor) = read(&request, employee::name)?;
        Ok(Response::new(self.get_employee(asked, actor).await?))
    }

    async fn update_employee(
        &self,
        request: Request<wire::UpdateEmployeeRequest>,
    ) -> Result<Response<wire::UpdateEmployeeResponse>, Status> {
        let (asked, statement) = self.read_write(&request, employee::update)?;
        Ok(Response::new(self.update_employee(asked, statement).await?))
    }

    async fn delete_employee(
        &self,
        request: Request<wire::DeleteEmployeeRequest>,
    ) -> Result<Response<wire::DeleteEmployeeResponse>, Status> {
        let (asked, statement) = self.read_write(&request, employee::deletion)?;
        Ok(Response::new(self.delete_employee(asked, statement).await?))
    }

    async fn list_employees(
        &self,
        request: Request<wire::ListEmployeesRequest>,
    ) -> Result<Response<wire::ListEmployeesResponse>, Status> {
        let (asked, actor) = read(&request, employee::list)?;
        Ok(Response::new(self.list_employees(asked, actor).await?))
    }

    async fn create_client(
        &self,
        request: Request<wire::CreateClientRequest>,
    ) -> Result<Response<wire::CreateClientResponse>, Status> {
        let (asked, statement) = self.read_write(&request, client::new_client)?;
        Ok(Response::new(self.create_client(asked, statement).await?))
    }

    async fn get_client(
        &self,
        request: Request<wire::GetClientRequest>,
    ) -> Result<Response<wire::GetClientResponse>, Status> {
        let (asked, actor) = read(&request, client::name)?;
        Ok(Response::new(self.get_client(asked, actor).await?))
    }

    async fn update_client(
        &self,
        request: Request<wire::UpdateClientRequest>,
    ) -> Result<Response<wire::UpdateClientResponse>, Status> {
        let (asked, statement) = self.read_write(&request, client::update)?;
        Ok(Response::new(self.update_client(asked, statement).await?))
    }

    async fn close_client(
        &self,
        request: Request<wire::CloseClientRequest>,
    ) -> Result<Response<wire::CloseClientResponse>, Status> {
        let (asked, statement) = self.read_write(&request, client::closure)?;
        Ok(Response::new(self.close_client(asked, statement).await?))
    }

    async fn introduce_client(
        &self,
        request: Request<wire::IntroduceClientRequest>,
    ) -> Result<Response<wire::IntroduceClientResponse>, Status> {
        let (asked, statement) = self.read_write(&request, client::introduction)?;
        Ok(Response::new(self.introduce_client(asked, statement).await?))
    }

    async fn list_clients(
        &self,
        request: Request<wire::ListClientsRequest>,
    ) -> Result<Response<wire::ListClientsResponse>, Status> {
        let (asked, actor) = read(&request, client::list)?;
        Ok(Response::new(self.list_clients(asked, actor).await?))
    }

    async fn create_client_user(
        &self,
        request: Request<wire::CreateClientUserRequest>,
    ) -> Result<Response<wire::CreateClientUserResponse>, Status> {
        let (asked, statement) = self.read_write(&request, client_user::new_client_user)?;
        Ok(Response::new(self.create_client_user(asked, statement).await?))
    }

    async fn update_client_user(
        &self,
        request: Request<wire::UpdateClientUserRequest>,
    ) -> Result<Response<wire::UpdateClientUserResponse>, Status> {
        let (asked, statement) = self.read_write(&request, client_user::update)?;
        Ok(Response::new(self.update_client_user(asked, statement).await?))
    }

    async fn get_client_user(
        &self,
        request: Request<wire::GetClientUserRequest>,
    ) -> Result<Response<wire::GetClientUserResponse>, Status> {
        let (asked, actor) = read(&request, |violations, request| violations.parse("name", &request.name))?;
        Ok(Response::new(self.get_client_user(asked, actor).await?))
    }

    async fn list_client_users(
        &self,
        request: Request<wire::ListClientUsersRequest>,
    ) -> Result<Response<wire::ListClientUsersResponse>, Status> {
        let (asked, actor) = read(&request, client_user::list)?;
        Ok(Response::new(self.list_client_users(asked, actor).await?))
    }

    async fn deactivate_client_user(
        &self,
        request: Request<wire::DeactivateClientUserRequest>,
    ) -> Result<Response<wire::DeactivateClientUserResponse>, Status> {
        let (asked, statement) = self.read_write(&request, client_user::deactivation)?;
        Ok(Response::new(self.deactivate_client_user(asked, statement).await?))
    }

    async fn reactivate_client_user(
        &self,
        request: Request<wire::ReactivateClientUserRequest>,
    ) -> Result<Response<wire::ReactivateClientUserResponse>, Status> {
        let (asked, statement) = self.read_write(&request, client_user::reactivation)?;
        Ok(Response::new(self.reactivate_client_user(asked, statement).await?))
    }

    async fn remove_client_user(
        &self,
        request: Request<wire::RemoveClientUserRequest>,
    ) -> Result<Response<wire::RemoveClientUserResponse>, Status> {
        let (asked, statement) = self.read_write(&request, client_user::removal)?;
        Ok(Response::new(self.remove_client_user(asked, statement).await?))
    }

    async fn batch_add_employees(
        &self,
        request: Request<wire::BatchAddEmployeesRequest>,
    ) -> Result<Response<wire::BatchAddEmployeesResponse>, Status> {
        let (asked, statement) = self.read_write(&request, client_user::new_members)?;
        Ok(Response::new(self.add_employees(asked, statement).await?))
    }

    async fn list_permission_sets(
        &self,
        request: Request<wire::ListPermissionSetsRequest>,
    ) -> Result<Response<wire::ListPermissionSetsResponse>, Status> {
        // Whoever calls may know them; an actor that is none may not call.
        actor(request.metadata())?;
        Ok(Response::new(self.list_permission_sets().await?))
    }

    async fn batch_link_clients(
        &self,
        request: Request<wire::BatchLinkClientsRequest>,
    ) -> Result<Response<wire::BatchLinkClientsResponse>, Status> {
        let (asked, statement) = self.read_write(&request, link::new_links)?;
        Ok(Response::new(self.link_clients(asked, statement).await?))
    }

    async fn unlink_client(
        &self,
        request: Request<wire::UnlinkClientRequest>,
    ) -> Result<Response<wire::UnlinkClientResponse>, Status> {
        let (asked, statement) = self.read_write(&request, link::unlink)?;
        Ok(Response::new(self.unlink_client(asked, statement).await?))
    }

    async fn create_access_link(
        &self,
        request: Request<wire::CreateAccessLinkRequest>,
    ) -> Result<Response<wire::CreateAccessLinkResponse>, Status> {
        let now = self.clock.now();
        let read = |violations: &mut _, request: &_| access_link::new_access_link(violations, request, now);
        let (asked, statement) = self.read_write(&request, read)?;
        Ok(Response::new(self.create_access_link(asked, statement).await?))
    }

    async fn list_access_links(
        &self,
        request: Request<wire::ListAccessLinksRequest>,
    ) -> Result<Response<wire::ListAccessLinksResponse>, Status> {
        let (asked, actor) = read(&request, access_link::list)?;
        Ok(Response::new(self.list_access_links(asked, actor).await?))
    }

    async fn approve_access_link(
        &self,
        request: Request<wire::ApproveAccessLinkRequest>,
    ) -> Result<Response<wire::ApproveAccessLinkResponse>, Status> {
        let (asked, statement) = self.read_write(&request, access_link::approval)?;
        Ok(Response::new(self.approve_access_link(asked, statement).await?))
    }

    async fn revoke_access_link(
        &self,
        request: Request<wire::RevokeAccessLinkRequest>,
    ) -> Result<Response<wire::RevokeAccessLinkResponse>, Status> {
        let (asked, statement) = self.read_write(&request, access_link::revocation)?;
        Ok(Response::new(self.revoke_access_link(asked, statement).await?))
    }

    async fn batch_update_assets(
        &self,
        request: Request<wire::BatchUpdateAssetsRequest>,
    ) -> Result<Response<wire::BatchUpdateAssetsResponse>, Status> {
        let (asked, statement) = self.read_write(&request, asset::update)?;
        Ok(Response::new(self.update_assets(asked, statement).await?))
    }

    async fn list_assets(
        &self,
        request: Request<wire::ListAssetsRequest>,
    ) -> Result<Response<wire::ListAssetsResponse>, Status> {
        let (asked, actor) = read(&request, asset::query)?;
        Ok(Response::new(self.list_assets(asked, actor).await?))
    }

    async fn preview_removal(
        &self,
        request: Request<wire::PreviewRemovalRequest>,
    ) -> Result<Response<wire::PreviewRemovalResponse>, Status> {
        let (asked, actor) = read(&request, removal::question)?;
        Ok(Response::new(self.preview_removal(asked, actor).await?))
    }

    async fn confirm_removal(
        &self,
        request: Request<wire::ConfirmRemovalRequest>,
    ) -> Result<Response<wire::ConfirmRemovalResponse>, Status> {
        let (asked, statement) = self.read_write(&request, removal::confirmation)?;
        Ok(Response::new(self.confirm_removal(asked, statement).await?))
    }

    async fn end_services(
        &self,
        request: Request<wire::EndServicesRequest>,
    ) -> Result<Response<wire::EndServicesResponse>, Status> {
        let (asked, statement) = self.read_write(&request, client::services)?;
        Ok(Response::new(self.end_services(asked, statement).await?))
    }

    async fn retract_change(
        &self,
        request: Request<wire::RetractChangeRequest>,
    ) -> Result<Response<wire::RetractChangeResponse>, Status> {
        let (asked, statement) = self.read_write(&request, audit_log::retracted_position)?;
        Ok(Response::new(self.retract_change(asked, statement).await?))
    }

    async fn erase_address(
        &self,
        request: Request<wire::EraseAddressRequest>,
    ) -> Result<Response<wire::EraseAddressResponse>, Status> {
        let (asked, statement) = self.read_write(&request, audit_log::erased_address)?;
        Ok(Response::new(self.erase_address(asked, statement).await?))
    }

    async fn list_access_changes(
        &self,
        request: Request<wire::ListAccessChangesRequest>,
    ) -> Result<Response<wire::ListAccessChangesResponse>, Status> {
        let asker = actor(request.metadata())?;
        let (asked, actor) = read(&request, |violations, request| audit_log::query(violations, request, &asker))?;
        Ok(Response::new(self.list_access_changes(asked, actor).await?))
    }
}
