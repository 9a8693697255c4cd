//! The gRPC side: read all of a request and report everything that is wrong with it, call the operation, answer.

mod feed;
mod record;
mod servicing;

use contracts::wire::activity as wire;
use contracts::wire::activity::activity_tracking_service_server::ActivityTrackingService;
use service_kit::{platform_only, wait_limit};
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
        let limit = wait_limit(request.metadata());
        let items = record::items(&request.get_ref().activities, self.clock.now())?;
        let recording = self.record_activities(items, limit).await?;
        Ok(Response::new(record::response(request.into_inner().activities, recording)))
    }

    async fn get_servicing(
        &self,
        request: Request<wire::GetServicingRequest>,
    ) -> Result<Response<wire::GetServicingResponse>, Status> {
        platform_only(request.metadata())?;
        let question = servicing::question(request.get_ref(), wait_limit(request.metadata()))?;
        Ok(Response::new(servicing::response(self.get_servicing(question).await?)))
    }

    async fn batch_get_servicing(
        &self,
        request: Request<wire::BatchGetServicingRequest>,
    ) -> Result<Response<wire::BatchGetServicingResponse>, Status> {
        platform_only(request.metadata())?;
        let question = servicing::pairs_question(request.get_ref(), wait_limit(request.metadata()))?;
        Ok(Response::new(servicing::batch_response(self.batch_get_servicing(question).await?)))
    }
}
