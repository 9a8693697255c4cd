//! What operators ask of access-management.

mod verify;

use contracts::Feed;
use service_kit::feed::read_head;
use service_kit::maintenance::{Maintain, ServiceStatus, Verification};
use service_kit::{Clock, Database, ServiceError, access_log};

use crate::AccessManagement;

impl Maintain for AccessManagement {
    const FOLLOWED: &'static [Feed] = &[];

    fn database(&self) -> &Database {
        &self.database
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    async fn status(&self) -> Result<ServiceStatus, ServiceError> {
        let head = read_head(self.database.connection(), access_log::FEED).await?.revision();
        Ok(ServiceStatus { head, copies: Vec::new(), rejudging: None, provisional_activities: 0 })
    }

    async fn verify(&self, verification: &mut Verification) -> Result<(), ServiceError> {
        self.verify_everything(verification).await
    }
}
