//! The copies of the two feeds that credit rests on: each message is taken over in one transaction with its cursor.

mod access;
mod servicing;

use contracts::Feed;
use service_kit::ServiceError;
use service_kit::feed::{Cursor, follow, read_cursor};
use tokio_util::sync::CancellationToken;

use crate::CreditCalculation;
pub(crate) use access::AccessFollower;
pub(crate) use servicing::ServicingFollower;

/// Follows the access feed until shutdown.
pub(crate) async fn follow_access(service: CreditCalculation, shutdown: CancellationToken) {
    follow(&AccessFollower::new(service.clone()), &service.watermarks, &shutdown).await;
}

/// Follows the servicing feed until shutdown.
pub(crate) async fn follow_servicing(service: CreditCalculation, shutdown: CancellationToken) {
    follow(&ServicingFollower::new(service.clone()), &service.watermarks, &shutdown).await;
}

impl CreditCalculation {
    async fn cursor(&self, feed: Feed) -> Result<Cursor, ServiceError> {
        Ok(read_cursor(self.database.connection(), feed).await?)
    }
}

#[cfg(test)]
mod tests;
