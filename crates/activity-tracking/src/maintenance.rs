//! What operators ask of activity-tracking.

mod verify;

use contracts::Feed;
use service_kit::feed::{read_cursor, read_head, replay};
use service_kit::maintenance::{CopyStatus, Maintain, RejudgingStatus, ReplayProgress, ServiceStatus, Verification};
use service_kit::{Clock, Database, ServiceError};

use crate::ActivityTracking;
use crate::follow::AccessFollower;
use crate::operations::settled_cursor;
use crate::store::{activity, rejudging};

impl Maintain for ActivityTracking {
    const FOLLOWED: &'static [Feed] = &[Feed::Access];

    fn database(&self) -> &Database {
        &self.database
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    async fn status(&self) -> Result<ServiceStatus, ServiceError> {
        let transaction = self.database.begin_read().await?;
        let cursor = read_cursor(&*transaction, Feed::Access).await?;
        let settled_position = settled_cursor(&*transaction).await?.position;
        let waiting = rejudging::waiting(&*transaction).await?;
        Ok(ServiceStatus {
            head: read_head(&*transaction, Feed::Servicing).await?.revision(),
            copies: vec![CopyStatus { cursor, settled_position, following: self.copied.following(Feed::Access) }],
            rejudging: Some(RejudgingStatus {
                waiting_tasks: waiting.tasks,
                done: waiting.done,
                oldest_time: waiting.oldest,
            }),
            provisional_activities: activity::count_provisional(&*transaction).await?,
        })
    }

    async fn verify(&self, verification: &mut Verification) -> Result<(), ServiceError> {
        self.verify_everything(verification).await
    }

    async fn replay(&self, _: Feed, progress: &ReplayProgress) -> Result<(), ServiceError> {
        replay(&AccessFollower { service: self.clone() }, &self.copied, progress).await?;
        self.work_waits.notify_one();
        self.publish_settled().await
    }
}
