//! Taking over the access feed.

use contracts::Feed;
use contracts::wire::access as wire;
use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use service_kit::feed::{Cursor, Follow, Rebuild, lock_cursor, refill, store_cursor};
use service_kit::{Channel, Database, MAXIMUM_ANSWER_BYTES, ServiceError, WriteTransaction, access_log};
use tonic::{Status, Streaming};

use crate::entity::{client, client_country, partner_client};
use crate::store::journal::{self, Step};
use crate::store::{clients, contacts, own_facts};
use crate::{CreditCalculation, Migrator};

pub(crate) struct AccessFollower {
    service: CreditCalculation,
    client: AccessFeedServiceClient<Channel>,
}

impl AccessFollower {
    pub fn new(service: CreditCalculation) -> Self {
        let client = AccessFeedServiceClient::new(service.access.clone());
        Self { service, client: client.max_decoding_message_size(MAXIMUM_ANSWER_BYTES) }
    }
}

impl Follow for AccessFollower {
    type Message = wire::WatchAccessResponse;

    fn feed(&self) -> Feed {
        Feed::Access
    }

    fn database(&self) -> &Database {
        &self.service.database
    }

    async fn cursor(&self) -> Result<Cursor, ServiceError> {
        self.service.cursor(Feed::Access).await
    }

    async fn open(&self, cursor: &Cursor) -> Result<Streaming<wire::WatchAccessResponse>, Status> {
        let request = wire::WatchAccessRequest {
            after_position: cursor.position,
            after_chain_hash: cursor.chain_hash.clone(),
            policy_digest: self.service.policy.digest().to_owned(),
        };
        Ok(self.client.clone().watch_access(request).await?.into_inner())
    }

    async fn apply(&self, message: wire::WatchAccessResponse) -> Result<Cursor, ServiceError> {
        let transaction = self.service.database.begin_write().await?;
        let before = lock_cursor(&*transaction, Feed::Access).await?;
        let mut cursor = before.clone();
        let news = cursor.advance(message.changes, message.caught_up, self.service.clock.now())?;

        let changes = access_log::take_over(&*transaction, news).await?;
        let mut changed = journal::changed_partners(&changes);
        let erased = access_log::follow_erasures(&*transaction, &changes).await?;
        // Whatever is held of a person is by the address that is no more.
        let begins_anew = !erased.is_empty();
        for (address, pseudonym) in erased {
            // What the pseudonym has to do with clients follows from the rewritten copy, with the other contacts.
            changed.extend(contacts::forget(&*transaction, &address).await?);
            own_facts::replace_actor(&*transaction, &address, &pseudonym).await?;
        }
        changed.extend(clients::keep(&*transaction, &changes).await?);
        changed.extend(contacts::keep(&*transaction, &changes).await?);

        let step = Step { before: &before, after: &cursor, begins_anew };
        journal::keep(&*transaction, step, &changed).await?;
        store_cursor(&*transaction, &cursor).await?;
        transaction.commit().await?;
        Ok(cursor)
    }
}

impl Rebuild for AccessFollower {
    type Migrator = Migrator;

    fn in_database(&self, database: Database) -> Self {
        Self::new(CreditCalculation { database, ..self.service.clone() })
    }

    async fn put_in_place(&self, shadow: &Database, transaction: &WriteTransaction) -> Result<(), ServiceError> {
        let (shadow, transaction) = (shadow.connection(), &**transaction);
        for (address, pseudonym) in access_log::replace_copy(shadow, transaction).await? {
            own_facts::replace_actor(transaction, &address, &pseudonym).await?;
        }
        refill::<client::Entity, _>(shadow, transaction).await?;
        refill::<client_country::Entity, _>(shadow, transaction).await?;
        refill::<partner_client::Entity, _>(shadow, transaction).await?;
        journal::replace(shadow, transaction, Feed::Access).await?;
        Ok(())
    }
}
