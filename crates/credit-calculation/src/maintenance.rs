//! What operators ask of credit-calculation.

mod verify;
mod verify_servicing;

use contracts::Feed;
use service_kit::feed::{Cursor, read_cursor, read_head, replay};
use service_kit::maintenance::{CopyStatus, Maintain, ReplayProgress, ServiceStatus, Verification};
use service_kit::{Clock, Database, ServiceError};

use crate::CreditCalculation;
use crate::follow::{AccessFollower, ServicingFollower};

impl CreditCalculation {
    fn copy_status(&self, cursor: Cursor) -> CopyStatus {
        // What follows from a message is computed in the transaction that takes it over.
        CopyStatus { settled_position: cursor.position, following: self.watermarks.following(cursor.feed), cursor }
    }
}

impl Maintain for CreditCalculation {
    const FOLLOWED: &'static [Feed] = &[Feed::Access, Feed::Servicing];

    fn database(&self) -> &Database {
        &self.database
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    async fn status(&self) -> Result<ServiceStatus, ServiceError> {
        let transaction = self.database.begin_read().await?;
        let mut copies = Vec::new();
        for feed in Self::FOLLOWED {
            copies.push(self.copy_status(read_cursor(&*transaction, *feed).await?));
        }
        let head = read_head(&*transaction, Feed::Credit).await?.revision();
        Ok(ServiceStatus { head, copies, rejudging: None, provisional_activities: 0 })
    }

    async fn verify(&self, verification: &mut Verification) -> Result<(), ServiceError> {
        self.verify_everything(verification).await
    }

    async fn replay(&self, feed: Feed, progress: &ReplayProgress) -> Result<(), ServiceError> {
        if feed == Feed::Access {
            replay(&AccessFollower::new(self.clone()), &self.watermarks, progress).await
        } else {
            replay(&ServicingFollower::new(self.clone()), &self.watermarks, progress).await
        }
    }
}
