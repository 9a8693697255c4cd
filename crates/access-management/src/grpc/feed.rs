//! The access feed.

use std::pin::Pin;

use contracts::wire::access as wire;
use contracts::wire::access::access_feed_service_server::AccessFeedService;
use contracts::{Revision, timestamp};
use service_kit::feed::{
    CHANGES_PER_MESSAGE, Page, WatchSettings, compare_policy, fill_message, read_head, require_same_history, watch,
};
use service_kit::{ServiceError, access_log, platform_only};
use tokio_stream::Stream;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::AccessManagement;

/// The feed of a service.
pub(crate) struct AccessFeed {
    service: AccessManagement,
    shutdown: CancellationToken,
}

impl AccessFeed {
    pub const fn new(service: AccessManagement, shutdown: CancellationToken) -> Self {
        Self { service, shutdown }
    }
}

#[tonic::async_trait]
impl AccessFeedService for AccessFeed {
    async fn get_head_revision(
        &self,
        request: Request<wire::GetHeadRevisionRequest>,
    ) -> Result<Response<wire::GetHeadRevisionResponse>, Status> {
        platform_only(request.metadata())?;
        let head = read_head(self.service.database.connection(), access_log::FEED).await.map_err(ServiceError::from)?;
        Ok(Response::new(wire::GetHeadRevisionResponse { revision: head.revision().to_string() }))
    }

    type WatchAccessStream = Pin<Box<dyn Stream<Item = Result<wire::WatchAccessResponse, Status>> + Send>>;

    async fn watch_access(
        &self,
        request: Request<wire::WatchAccessRequest>,
    ) -> Result<Response<Self::WatchAccessStream>, Status> {
        platform_only(request.metadata())?;
        let wire::WatchAccessRequest { after_position, after_chain_hash, policy_digest } = request.into_inner();
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
}

impl AccessManagement {
    async fn require_same_history(&self, after: u64, chain_hash: &[u8]) -> Result<(), ServiceError> {
        let kept = access_log::chain_hash_at(self.database.connection(), after).await?;
        let cursor = Revision { feed: access_log::FEED, position: after };
        Ok(require_same_history(cursor, chain_hash, kept.as_deref())?)
    }

    async fn feed_page(&self, after: u64) -> Result<Page<wire::WatchAccessResponse>, ServiceError> {
        let changes = access_log::page(self.database.connection(), after, CHANGES_PER_MESSAGE).await?;
        let (changes, caught_up) = fill_message(changes);
        let last_position = changes.last().map_or(after, |change| change.position);
        let send_time = Some(timestamp(self.clock.now()));
        let message = wire::WatchAccessResponse { changes, caught_up, send_time };
        Ok(Page { message, last_position, caught_up, mark: 0 })
    }
}
