//! The gRPC side: read all of a request and report everything that is wrong with it, call the operation, answer.

mod activities;
mod feed;
mod record;
mod servicing;

use contracts::Violations;
use contracts::wire::activity as wire;
use contracts::wire::activity::activity_tracking_service_server::ActivityTrackingService;
use service_kit::{Statement, actor, platform_only, wait_limit};
use tonic::{Request, Response, Status};

use crate::ActivityTracking;

pub(crate) use feed::ServicingFeed;

#[tonic::async_trait]
impl ActivityTrackingService for ActivityTracking {
    async fn record_activities(
        &self,
        request: Request<wire::RecordActivitiesRequest>,
    ) -> Result<Response<wire::RecordActivitiesResponse>, Status> {
        platform_only(request.metadata())?;
        let (limit, now) = (wait_limit(request.metadata()), self.clock.now());
        let mut violations = Violations::default();
        let statement = Statement::read(&mut violations, request.metadata(), request.get_ref(), now)?;
        let items = record::items(violations, &request.get_ref().activities, now)?;
        let stated = request.into_inner().activities;
        let respond = |recording| record::response(stated, recording);
        Ok(Response::new(self.record_activities(items, statement.request, limit, respond).await?))
    }

    async fn get_servicing(
        &self,
        request: Request<wire::GetServicingRequest>,
    ) -> Result<Response<wire::GetServicingResponse>, Status> {
        let actor = actor(request.metadata())?;
        let question = servicing::question(request.get_ref(), actor, wait_limit(request.metadata()))?;
        Ok(Response::new(servicing::response(self.get_servicing(question).await?)))
    }

    async fn batch_get_servicing(
        &self,
        request: Request<wire::BatchGetServicingRequest>,
    ) -> Result<Response<wire::BatchGetServicingResponse>, Status> {
        let actor = actor(request.metadata())?;
        let question = servicing::pairs_question(request.get_ref(), actor, wait_limit(request.metadata()))?;
        Ok(Response::new(servicing::batch_response(self.batch_get_servicing(question).await?)))
    }

    async fn void_activity(
        &self,
        _: Request<wire::VoidActivityRequest>,
    ) -> Result<Response<wire::VoidActivityResponse>, Status> {
        Err(Status::unimplemented("being built"))
    }

    async fn get_activity(
        &self,
        _: Request<wire::GetActivityRequest>,
    ) -> Result<Response<wire::GetActivityResponse>, Status> {
        Err(Status::unimplemented("being built"))
    }

    async fn list_activities(
        &self,
        _: Request<wire::ListActivitiesRequest>,
    ) -> Result<Response<wire::ListActivitiesResponse>, Status> {
        Err(Status::unimplemented("being built"))
    }

    async fn list_qualifying_actions(
        &self,
        _: Request<wire::ListQualifyingActionsRequest>,
    ) -> Result<Response<wire::ListQualifyingActionsResponse>, Status> {
        Err(Status::unimplemented("being built"))
    }

    async fn list_servicing(
        &self,
        _: Request<wire::ListServicingRequest>,
    ) -> Result<Response<wire::ListServicingResponse>, Status> {
        Err(Status::unimplemented("being built"))
    }

    async fn list_idle_assignments(
        &self,
        _: Request<wire::ListIdleAssignmentsRequest>,
    ) -> Result<Response<wire::ListIdleAssignmentsResponse>, Status> {
        Err(Status::unimplemented("being built"))
    }

    async fn list_unmatched_addresses(
        &self,
        _: Request<wire::ListUnmatchedAddressesRequest>,
    ) -> Result<Response<wire::ListUnmatchedAddressesResponse>, Status> {
        Err(Status::unimplemented("being built"))
    }
}
