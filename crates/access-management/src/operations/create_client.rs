//! A client account becomes known.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::{ClientName, Revision, timestamp};
use domain::access::{AccessFact, CountryCode, HubId};
use service_kit::access_log::Question;
use service_kit::{ServiceError, Statement};

use super::recording::Recording;
use crate::AccessManagement;

pub(crate) struct NewClient {
    pub client: HubId,
    pub display_name: String,
    pub country: CountryCode,
}

impl AccessManagement {
    pub(crate) async fn create_client(
        &self,
        new: NewClient,
        statement: Statement,
    ) -> Result<(wire::Client, Revision), ServiceError> {
        let mut recording = Recording::begin(self, statement).await?;
        let clients = BTreeSet::from([new.client]);
        let history = recording.history(&[Question::Clients(&clients)]).await?;
        let client = wire::Client {
            name: ClientName(new.client).to_string(),
            display_name: new.display_name.clone(),
            country_code: new.country.to_string(),
            start_time: Some(timestamp(recording.effective_time)),
        };
        let NewClient { client: hub_id, display_name, country } = new;
        recording.record(&history, AccessFact::ClientAdded { client: hub_id, display_name, country }).await?;
        Ok((client, recording.commit().await?))
    }
}
