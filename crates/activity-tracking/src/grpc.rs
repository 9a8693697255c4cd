//! The gRPC side: read all of a request and report everything that is wrong with it, call the operation, answer.

mod activities;
mod feed;
mod record;
mod reports;
mod servicing;
mod void;

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
        let wire::RecordActivitiesRequest { activities: stated, validate_only, .. } = request.into_inner();
        if validate_only {
            let recording = self.validate_activities(items, limit).await?;
            return Ok(Response::new(record::response(stated, recording)));
        }
        let respond = |recording| record::response(stated, recording);
        Ok(Response::new(self.record_activities(items, statement.request, limit, respond).await?))
    }

    async fn get_servicing(
        &self,
        request: Request<wire::GetServicingRequest>,
    ) -> Result<Response<wire::GetServicingResponse>, Status> {
        let actor = actor(request.metadata())?;
        let limit = wait_limit(request.metadata());
        let question = servicing::question(request.get_ref(), actor, limit, &self.policy)?;
        Ok(Response::new(servicing::response(self.get_servicing(question).await?)))
    }

    async fn batch_get_servicing(
        &self,
        request: Request<wire::BatchGetServicingRequest>,
    ) -> Result<Response<wire::BatchGetServicingResponse>, Status> {
        let actor = actor(request.metadata())?;
        let limit = wait_limit(request.metadata());
        let question = servicing::pairs_question(request.get_ref(), actor, limit, &self.policy)?;
        Ok(Response::new(servicing::batch_response(self.batch_get_servicing(question).await?)))
    }

    async fn void_activity(
        &self,
        request: Request<wire::VoidActivityRequest>,
    ) -> Result<Response<wire::VoidActivityResponse>, Status> {
        platform_only(request.metadata())?;
        let now = self.clock.now();
        let mut violations = Violations::default();
        let statement = Statement::read(&mut violations, request.metadata(), request.get_ref(), now)?;
        let (name, voiding) = void::question(violations, request.get_ref(), &statement, now)?;
        Ok(Response::new(self.void_activity(name, voiding, statement.request, void::response).await?))
    }

    async fn get_activity(
        &self,
        request: Request<wire::GetActivityRequest>,
    ) -> Result<Response<wire::GetActivityResponse>, Status> {
        let actor = actor(request.metadata())?;
        let question = activities::question(request.get_ref(), actor, wait_limit(request.metadata()))?;
        Ok(Response::new(activities::response(self.get_activity(question).await?)))
    }

    async fn list_activities(
        &self,
        request: Request<wire::ListActivitiesRequest>,
    ) -> Result<Response<wire::ListActivitiesResponse>, Status> {
        let actor = actor(request.metadata())?;
        let (question, page) = activities::list_question(request.get_ref(), actor, wait_limit(request.metadata()))?;
        Ok(Response::new(activities::list_response(&page, self.list_activities(question).await?)))
    }

    async fn list_qualifying_actions(
        &self,
        request: Request<wire::ListQualifyingActionsRequest>,
    ) -> Result<Response<wire::ListQualifyingActionsResponse>, Status> {
        // Everybody may ask, but nobody as somebody who is nobody.
        actor(request.metadata())?;
        let question = activities::catalogue_question(request.get_ref())?;
        Ok(Response::new(activities::catalogue_response(self.list_qualifying_actions(&question))))
    }

    async fn list_servicing(
        &self,
        request: Request<wire::ListServicingRequest>,
    ) -> Result<Response<wire::ListServicingResponse>, Status> {
        let actor = actor(request.metadata())?;
        let limit = wait_limit(request.metadata());
        let (question, page) = servicing::list_question(request.get_ref(), actor, limit, &self.policy)?;
        Ok(Response::new(servicing::list_response(&page, self.list_servicing(question).await?)))
    }

    async fn list_idle_assignments(
        &self,
        request: Request<wire::ListIdleAssignmentsRequest>,
    ) -> Result<Response<wire::ListIdleAssignmentsResponse>, Status> {
        let actor = actor(request.metadata())?;
        let (question, page) = reports::idle_question(request.get_ref(), actor, wait_limit(request.metadata()))?;
        Ok(Response::new(reports::idle_response(&page, self.list_idle_assignments(question).await?)))
    }

    async fn list_unmatched_addresses(
        &self,
        request: Request<wire::ListUnmatchedAddressesRequest>,
    ) -> Result<Response<wire::ListUnmatchedAddressesResponse>, Status> {
        let actor = actor(request.metadata())?;
        let (question, page) = reports::unmatched_question(request.get_ref(), actor, wait_limit(request.metadata()))?;
        Ok(Response::new(reports::unmatched_response(&page, self.list_unmatched_addresses(question).await?)))
    }
}
