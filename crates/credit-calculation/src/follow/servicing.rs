//! Taking over the servicing feed.

use contracts::wire::activity as wire;
use contracts::wire::activity::servicing_feed_service_client::ServicingFeedServiceClient;
use contracts::{Feed, servicing_change_from_wire};
use domain::time::Instant;
use service_kit::feed::{Cursor, Follow, Rebuild, lock_cursor, refill, store_cursor};
use service_kit::{Channel, Database, MAXIMUM_ANSWER_BYTES, ServiceError, TraceParent, WriteTransaction};
use tonic::{Status, Streaming};
use tracing::field::Empty;

use crate::entity::{servicing_pair, servicing_period};
use crate::store::journal::{self, Step};
use crate::store::servicing;
use crate::{CreditCalculation, Migrator};

/// How old a change may be, in seconds, whose taking over is traced.
const TRACED_SECONDS: i64 = 60 * 60;

pub(crate) struct ServicingFollower {
    service: CreditCalculation,
    client: ServicingFeedServiceClient<Channel>,
}

impl ServicingFollower {
    pub fn new(service: CreditCalculation) -> Self {
        let client = ServicingFeedServiceClient::new(service.activity.clone());
        Self { service, client: client.max_decoding_message_size(MAXIMUM_ANSWER_BYTES) }
    }
}

impl Follow for ServicingFollower {
    type Message = wire::WatchServicingResponse;

    fn feed(&self) -> Feed {
        Feed::Servicing
    }

    fn database(&self) -> &Database {
        &self.service.database
    }

    async fn cursor(&self) -> Result<Cursor, ServiceError> {
        self.service.cursor(Feed::Servicing).await
    }

    async fn open(&self, cursor: &Cursor) -> Result<Streaming<wire::WatchServicingResponse>, Status> {
        let request = wire::WatchServicingRequest {
            after_position: cursor.position,
            after_chain_hash: cursor.chain_hash.clone(),
            policy_digest: self.service.policy.digest().to_owned(),
        };
        Ok(self.client.clone().watch_servicing(request).await?.into_inner())
    }

    async fn apply(&self, message: wire::WatchServicingResponse) -> Result<Cursor, ServiceError> {
        let transaction = self.service.database.begin_write().await?;
        let before = lock_cursor(&*transaction, Feed::Servicing).await?;
        let mut cursor = before.clone();
        let now = self.service.clock.now();
        let news = cursor.advance(message.changes, message.caught_up, now)?;

        let changes = news.iter().map(servicing_change_from_wire).collect::<Result<Vec<_>, _>>()?;
        let changed = servicing::replace(&*transaction, changes).await?;

        if message.caught_up {
            // A replica that is behind may say less than was known already.
            cursor.incorporated_position = cursor.incorporated_position.max(message.access_position);
        }
        let step = Step { before: &before, after: &cursor, begins_anew: false };
        journal::keep(&*transaction, step, &changed).await?;
        store_cursor(&*transaction, &cursor).await?;
        transaction.commit().await?;
        // From now on answers know them.
        news.iter().filter(|change| is_news(change, now)).for_each(trace);
        Ok(cursor)
    }
}

/// Whether a trace of the change may still be looked at: a new copy takes over those of years.
fn is_news(change: &wire::ServicingChange, now: Instant) -> bool {
    let age = change.record_time.as_ref().map(|recorded| now.timestamp() - recorded.seconds);
    !change.trace_parent.is_empty() && age.is_some_and(|seconds| seconds < TRACED_SECONDS)
}

/// Notes that a change has been taken over, in the trace of the call that it came of.
fn trace(change: &wire::ServicingChange) {
    let wire::ServicingChange { partner, client, position, trace_parent, .. } = change;
    let span = tracing::info_span!("take over servicing", partner, client, position, trace_id = Empty);
    if let Some(trace_id) = TraceParent::stated(trace_parent).adopt(&span) {
        span.record("trace_id", trace_id);
    }
    span.in_scope(|| tracing::debug!("credit rests on the change"));
}

impl Rebuild for ServicingFollower {
    type Migrator = Migrator;

    fn in_database(&self, database: Database) -> Self {
        Self::new(CreditCalculation { database, ..self.service.clone() })
    }

    async fn put_in_place(&self, shadow: &Database, transaction: &WriteTransaction) -> Result<(), ServiceError> {
        let (shadow, transaction) = (shadow.connection(), &**transaction);
        refill::<servicing_pair::Entity, _>(shadow, transaction).await?;
        refill::<servicing_period::Entity, _>(shadow, transaction).await?;
        journal::replace(shadow, transaction, Feed::Servicing).await?;
        Ok(())
    }
}
