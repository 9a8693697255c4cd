//! The servicing feed.

use std::pin::Pin;
use std::sync::Arc;

use contracts::wire::activity as wire;
use contracts::wire::activity::servicing_feed_service_server::ServicingFeedService;
use contracts::{ClientName, ErrorReason, Failure, Feed, Revision, Violations, policy_from_document, timestamp};
use service_kit::feed::{
    CHANGES_PER_MESSAGE, Page, WatchSettings, compare_policy, fill_message, read_head, require_same_history, watch,
};
use service_kit::{ServiceError, platform_only, streaming};
use tokio::sync::Semaphore;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::{Request, Response, Status};

use crate::ActivityTracking;
use crate::operations::{StreamQuery, settled_cursor};
use crate::store::change;

/// The most clients that a computation under another policy is limited to.
const MAXIMUM_CLIENTS: usize = 10_000;

/// The feed of a service.
pub(crate) struct ServicingFeed {
    service: ActivityTracking,
    background: TaskTracker,
    shutdown: CancellationToken,
    /// One computation under another policy at a time: it reads all that was ever recorded.
    computing: Arc<Semaphore>,
}

impl ServicingFeed {
    pub fn new(service: ActivityTracking, background: TaskTracker, shutdown: CancellationToken) -> Self {
        Self { service, background, shutdown, computing: Arc::new(Semaphore::new(1)) }
    }
}

#[tonic::async_trait]
impl ServicingFeedService for ServicingFeed {
    async fn get_head_revision(
        &self,
        request: Request<wire::GetHeadRevisionRequest>,
    ) -> Result<Response<wire::GetHeadRevisionResponse>, Status> {
        platform_only(request.metadata())?;
        let (access_revision, revision) = self.service.head_revisions().await?;
        Ok(Response::new(wire::GetHeadRevisionResponse {
            revision: revision.to_string(),
            access_revision: access_revision.to_string(),
        }))
    }

    type WatchServicingStream = Pin<Box<dyn Stream<Item = Result<wire::WatchServicingResponse, Status>> + Send>>;

    async fn watch_servicing(
        &self,
        request: Request<wire::WatchServicingRequest>,
    ) -> Result<Response<Self::WatchServicingStream>, Status> {
        platform_only(request.metadata())?;
        let wire::WatchServicingRequest { after_position, after_chain_hash, policy_digest } = request.into_inner();
        self.service.require_same_history(after_position, &after_chain_hash).await?;
        compare_policy(self.service.policy.digest(), &policy_digest);
        let service = self.service.clone();
        let stream = watch(
            after_position,
            move |after| {
                let service = service.clone();
                async move { service.feed_page(after).await }
            },
            self.service.news.subscribe(),
            WatchSettings::default(),
            self.shutdown.clone(),
        );
        Ok(Response::new(stream))
    }

    type StreamServicingStream = ReceiverStream<Result<wire::StreamServicingResponse, Status>>;

    async fn stream_servicing(
        &self,
        request: Request<wire::StreamServicingRequest>,
    ) -> Result<Response<Self::StreamServicingStream>, Status> {
        platform_only(request.metadata())?;
        let query = stream_query(request.get_ref())?;
        let under_way = || Failure::new(ErrorReason::Overloaded, "periods are computed under another policy already");
        let turn = streaming::take_turn(&self.computing).ok_or_else(under_way)?;
        let service = self.service.clone();
        let stream = streaming::start(&self.background, self.shutdown.clone(), turn, |messages| async move {
            service.stream_servicing(query, messages).await
        });
        Ok(Response::new(stream))
    }
}

fn stream_query(request: &wire::StreamServicingRequest) -> Result<StreamQuery, Failure> {
    let mut violations = Violations::default();
    let policy = policy_from_document(&mut violations, "policy_document", &request.policy_document);
    if request.clients.len() > MAXIMUM_CLIENTS {
        violations.add("clients", format!("at most {MAXIMUM_CLIENTS}"));
    }
    let named = request.clients.iter().take(MAXIMUM_CLIENTS).enumerate();
    let clients = named.filter_map(|(index, name)| violations.parse::<ClientName>(&format!("clients[{index}]"), name));
    let clients = clients.map(|ClientName(client)| client).collect();
    violations.finish(|| Some(StreamQuery { policy: policy?, clients }))
}

impl ActivityTracking {
    /// Up to where access is settled, and the head that contains what follows from it.
    ///
    /// In this order: a change is appended in the transaction that stores the access position it follows from, so that
    /// what is read of the feed after a position has all that follows from that position. The other way round, the
    /// position could be of a transaction whose changes were not there yet.
    async fn head_revisions(&self) -> Result<(Revision, Revision), ServiceError> {
        let connection = self.database.connection();
        let access = settled_cursor(connection).await?;
        let own = read_head(connection, Feed::Servicing).await?;
        Ok((Revision { feed: Feed::Access, position: access.position }, own.revision()))
    }

    async fn require_same_history(&self, after: u64, chain_hash: &[u8]) -> Result<(), ServiceError> {
        let kept = change::chain_hash_at(self.database.connection(), after).await?;
        let cursor = Revision { feed: Feed::Servicing, position: after };
        Ok(require_same_history(cursor, chain_hash, kept.as_deref())?)
    }

    async fn feed_page(&self, after: u64) -> Result<Page<wire::WatchServicingResponse>, ServiceError> {
        let connection = self.database.connection();
        // Before the changes, for the reason that `head_revisions` gives.
        let access_position = settled_cursor(connection).await?.position;
        let (changes, caught_up) = fill_message(change::page(connection, after, CHANGES_PER_MESSAGE).await?);
        let last_position = changes.last().map_or(after, |change| change.position);
        let message = wire::WatchServicingResponse {
            changes,
            caught_up,
            access_position: if caught_up { access_position } else { 0 },
            send_time: Some(timestamp(self.clock.now())),
        };
        Ok(Page { message, last_position, caught_up, mark: access_position })
    }
}
