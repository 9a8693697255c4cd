//! A partner ends its services for a client: the managed relationship ends at once, and with it every assignment (R76).

use contracts::timestamp;
use contracts::wire::access as wire;
use domain::access::AccessFact;
use service_kit::access_log;
use service_kit::permission::Permission;
use service_kit::{ServiceError, Statement};

use super::introduce_client::Pair;
use super::recording::{Begun, Recording};
use super::visible_client::require_visible;
use crate::AccessManagement;

impl AccessManagement {
    pub(crate) async fn end_services(
        &self,
        Pair { partner, client }: Pair,
        statement: Statement,
    ) -> Result<wire::EndServicesResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        recording.require(Permission::EndServices, Some(partner), None).await?;
        let mut history = access_log::history_of_pair(&**recording.transaction(), client, partner).await?;
        require_visible(&recording, &history, client, partner)?;
        recording.record(&mut history, AccessFact::ServicesEnded { client, partner }).await?;
        let answer = wire::EndServicesResponse {
            end_time: Some(timestamp(recording.effective_time())),
            revision: recording.revision().to_string(),
        };
        recording.commit(answer).await
    }
}
