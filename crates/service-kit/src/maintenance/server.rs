//! The gRPC side of maintenance, the same for every service.

use std::sync::Arc;

use contracts::wire::error::ErrorReason;
use contracts::wire::maintenance as wire;
use contracts::wire::maintenance::maintenance_service_server::{MaintenanceService, MaintenanceServiceServer};
use contracts::{Failure, Feed, Violations};
use domain::policy::Policy;
use tokio::sync::Semaphore;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status};

use super::{Maintain, ReplayProgress, Verification, nothing_to_replay, status};
use crate::streaming::take_turn;
use crate::{LIMITED_BY_THE_SERVER, platform_only, streaming};

/// How many differences are listed where nothing is said, and at most.
const DEFAULT_DIFFERENCES: u32 = 100;
const MAXIMUM_DIFFERENCES: u32 = 10_000;

/// The maintenance of a service.
#[derive(Debug)]
pub struct Maintenance<M> {
    service: M,
    name: &'static str,
    policy: Arc<Policy>,
    /// One verification and one replay at a time: each holds a connection, and as much of the machine as it gets.
    verifying: Arc<Semaphore>,
    replaying: Arc<Semaphore>,
    background: TaskTracker,
    shutdown: CancellationToken,
}

/// The maintenance of a service, to be added to its routes; what goes on is of its `background`.
#[must_use]
pub fn server<M: Maintain>(
    service: M,
    name: &'static str,
    policy: Arc<Policy>,
    background: TaskTracker,
    shutdown: CancellationToken,
) -> MaintenanceServiceServer<Maintenance<M>> {
    let turn = || Arc::new(Semaphore::new(1));
    let (verifying, replaying) = (turn(), turn());
    MaintenanceServiceServer::new(Maintenance { service, name, policy, verifying, replaying, background, shutdown })
        .max_decoding_message_size(LIMITED_BY_THE_SERVER)
}

#[tonic::async_trait]
impl<M: Maintain> MaintenanceService for Maintenance<M> {
    async fn get_status(
        &self,
        request: Request<wire::GetStatusRequest>,
    ) -> Result<Response<wire::GetStatusResponse>, Status> {
        platform_only(request.metadata())?;
        let status = self.service.status().await?;
        Ok(Response::new(status::response(self.name, &self.policy, status)))
    }

    type VerifyStream = ReceiverStream<Result<wire::VerifyResponse, Status>>;

    async fn verify(&self, request: Request<wire::VerifyRequest>) -> Result<Response<Self::VerifyStream>, Status> {
        platform_only(request.metadata())?;
        let maximum_differences = maximum_differences(request.get_ref())?;
        let under_way = || Failure::new(ErrorReason::Overloaded, "a verification is under way already");
        let turn = take_turn(&self.verifying).ok_or_else(under_way)?;
        let service = self.service.clone();
        let stream = streaming::start(&self.background, self.shutdown.clone(), turn, |messages| async move {
            let mut verification = Verification::new(messages, maximum_differences);
            service.verify(&mut verification).await?;
            verification.complete().await
        });
        Ok(Response::new(stream))
    }

    type ReplayStream = ReceiverStream<Result<wire::ReplayResponse, Status>>;

    async fn replay(&self, request: Request<wire::ReplayRequest>) -> Result<Response<Self::ReplayStream>, Status> {
        platform_only(request.metadata())?;
        let feeds = feeds::<M>(&request.get_ref().feed)?;
        let under_way = || Failure::new(ErrorReason::ReplayRunning, "a copy is being built anew already");
        let turn = take_turn(&self.replaying).ok_or_else(under_way)?;
        let service = self.service.clone();
        let stream = streaming::start(&self.background, self.shutdown.clone(), turn, |messages| async move {
            let mut progress = ReplayProgress::new(messages);
            for feed in feeds {
                progress = progress.of_feed(feed);
                service.replay(feed, &progress).await?;
            }
            Ok(())
        });
        Ok(Response::new(stream))
    }
}

fn maximum_differences(request: &wire::VerifyRequest) -> Result<u32, Failure> {
    let mut violations = Violations::default();
    let stated = request.maximum_differences;
    let maximum = violations.bounded("maximum_differences", stated, DEFAULT_DIFFERENCES, MAXIMUM_DIFFERENCES);
    violations.finish(|| maximum)
}

/// The feeds whose copies are to be built anew, in the direction in which facts flow.
fn feeds<M: Maintain>(stated: &str) -> Result<Vec<Feed>, Failure> {
    let mut violations = Violations::default();
    let named: Option<Feed> = stated.parse().ok();
    if named.is_none() && !stated.is_empty() {
        violations.add("feed", "access or servicing, or empty for all that the service follows");
    }
    violations.finish(|| Some(()))?;
    let feeds: Vec<Feed> =
        M::FOLLOWED.iter().copied().filter(|feed| named.is_none_or(|named| *feed == named)).collect();
    if feeds.is_empty() { Err(nothing_to_replay(stated)) } else { Ok(feeds) }
}
