//! A partner as it is now.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{Actor, HubId};
use service_kit::ServiceError;
use service_kit::access_log::Question;
use service_kit::permission::unknown_partner;

use super::reading::Reading;
use crate::{AccessManagement, resource};

impl AccessManagement {
    pub(crate) async fn get_partner(
        &self,
        partner: HubId,
        actor: Actor,
    ) -> Result<wire::GetPartnerResponse, ServiceError> {
        let reading = Reading::begin(self, actor).await?;
        if !reading.is_user_of_partner(partner).await? {
            return Err(unknown_partner(partner).into());
        }
        let history = reading.history(&[Question::Partners(&BTreeSet::from([partner]))]).await?;
        let known = history.partner(partner).ok_or_else(|| unknown_partner(partner))?;
        let partner = Some(resource::partner(&history, known, reading.now()));
        Ok(wire::GetPartnerResponse { partner })
    }
}
