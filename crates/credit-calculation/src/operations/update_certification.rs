//! A partner is certified from an instant on until another (R99, R103).

use contracts::wire::credit as wire;
use contracts::{PartnerName, timestamp};
use domain::access::HubId;
use domain::time::Instant;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use crate::CreditCalculation;
use crate::store::certifications;

impl CreditCalculation {
    pub(crate) async fn update_certification(
        &self,
        partner: HubId,
        expire_time: Instant,
        statement: Statement,
    ) -> Result<wire::UpdateCertificationResponse, ServiceError> {
        let stated_time = statement.effective_time;
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let effective_time = stated_time.unwrap_or(recording.now);
        let row = certifications::row(partner, effective_time, expire_time, recording.next());
        certifications::insert(&**recording.append(&row), row).await?;
        let certification = wire::Certification {
            partner: PartnerName(partner).to_string(),
            effective_time: Some(timestamp(effective_time)),
            expire_time: Some(timestamp(expire_time)),
        };
        let revision = recording.revision().to_string();
        let answer = wire::UpdateCertificationResponse { certification: Some(certification), revision };
        recording.commit(answer).await
    }
}
