//! What only activity-tracking can say: how a relationship stood by what had occurred by a past instant (R63), and what
//! was done (R126).

use std::future::Future;

use contracts::wire::activity as wire;
use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use contracts::wire::error::ErrorReason;
use contracts::{ClientName, Failure, PartnerName, Revision, standing_from_wire, timestamp};
use domain::access::{Actor, HubId};
use domain::servicing::Standing;
use domain::time::Instant;
use service_kit::{Channel, MAXIMUM_ANSWER_BYTES, ServiceError, in_the_name_of};
use tonic::{Code, Request, Response, Status};

/// The most pairs that one call asks about; a limit of activity-tracking.
const PAIRS_PER_CALL: usize = 1_000;
/// How many activities of each kind an explanation shows.
const EVIDENCE_LIMIT: i32 = 50;

/// Until when an answer is waited for.
pub(crate) type Deadline = tokio::time::Instant;

/// Questions to activity-tracking about one partner and instant.
#[derive(Debug, Clone)]
pub(crate) struct EvidenceSource<'question> {
    pub activity: &'question Channel,
    /// Who asks: activity-tracking tells nobody more than they may see.
    pub actor: &'question Actor,
    pub partner: HubId,
    pub as_of: Instant,
    /// What activity-tracking must know, so that it does not speak of less than is known here.
    pub at_least: &'question [Revision],
    pub deadline: Deadline,
}

impl EvidenceSource<'_> {
    /// How the relationships with these clients stand with a minimum of live activities, in the order of the clients.
    pub async fn standings(&self, clients: &[HubId], minimum: u32) -> Result<Vec<Standing>, ServiceError> {
        let servicings = self.servicings(clients, minimum).await?;
        Ok(servicings.iter().map(standing_from_wire).collect::<Result<_, _>>()?)
    }

    /// The same with the last activity of each.
    pub async fn servicings(&self, clients: &[HubId], minimum: u32) -> Result<Vec<wire::Servicing>, ServiceError> {
        let mut servicings = Vec::with_capacity(clients.len());
        for clients in clients.chunks(PAIRS_PER_CALL) {
            let request = wire::BatchGetServicingRequest {
                pairs: clients.iter().map(|client| self.pair(*client)).collect(),
                as_of_time: Some(timestamp(self.as_of)),
                minimum: wire_minimum(minimum),
                at_least_revisions: self.at_least_revisions(),
            };
            let request = self.request(request)?;
            let mut activity = self.client();
            let answer = self.ask(async move { activity.batch_get_servicing(request).await }).await.map_err(away)?;
            if answer.servicings.len() != clients.len() {
                return Err(ServiceError::stored("activity-tracking answered another number of pairs than was asked"));
            }
            servicings.extend(answer.servicings);
        }
        Ok(servicings)
    }

    /// How the partner serviced a client, with what was done there; nothing where activity-tracking does not know the
    /// client.
    pub async fn servicing(
        &self,
        client: HubId,
        minimum: u32,
    ) -> Result<Option<wire::GetServicingResponse>, ServiceError> {
        let pair = self.pair(client);
        let request = self.request(wire::GetServicingRequest {
            partner: pair.partner,
            client: pair.client,
            as_of_time: Some(timestamp(self.as_of)),
            minimum: wire_minimum(minimum),
            evidence_limit: EVIDENCE_LIMIT,
            at_least_revisions: self.at_least_revisions(),
        })?;
        let mut activity = self.client();
        match self.ask(async move { activity.get_servicing(request).await }).await {
            Ok(answer) => Ok(Some(answer)),
            Err(status) if status.code() == Code::NotFound => Ok(None),
            Err(status) => Err(away(status)),
        }
    }

    fn client(&self) -> ActivityTrackingServiceClient<Channel> {
        ActivityTrackingServiceClient::new(self.activity.clone()).max_decoding_message_size(MAXIMUM_ANSWER_BYTES)
    }

    fn pair(&self, client: HubId) -> wire::ServicingPair {
        wire::ServicingPair { partner: PartnerName(self.partner).to_string(), client: ClientName(client).to_string() }
    }

    fn at_least_revisions(&self) -> Vec<String> {
        self.at_least.iter().map(ToString::to_string).collect()
    }

    fn request<T>(&self, message: T) -> Result<Request<T>, ServiceError> {
        let mut request = Request::new(message);
        request.set_timeout(self.deadline.saturating_duration_since(Deadline::now()));
        in_the_name_of(&mut request, self.actor)?;
        Ok(request)
    }

    async fn ask<T>(&self, call: impl Future<Output = Result<Response<T>, Status>>) -> Result<T, Status> {
        let answer = tokio::time::timeout_at(self.deadline, call).await;
        answer.unwrap_or_else(|_| Err(Status::deadline_exceeded("no answer in time"))).map(Response::into_inner)
    }
}

fn wire_minimum(minimum: u32) -> i32 {
    i32::try_from(minimum).unwrap_or(i32::MAX)
}

/// The answer needs activity-tracking, which did not give it.
pub(crate) fn away(status: Status) -> ServiceError {
    tracing::warn!(%status, "activity-tracking gave no evidence");
    let message = "the answer needs evidence of activity-tracking, which is away or behind; try again";
    Failure::new(ErrorReason::EvidenceUnavailable, message).into()
}
