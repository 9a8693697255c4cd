//! A client account becomes known.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{AccessFact, CountryCode, HubId};
use service_kit::access_log::Question;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use crate::{AccessManagement, resource};

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
    ) -> Result<wire::CreateClientResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        recording.require_platform()?;
        let mut history = recording.history(&[Question::Clients(&BTreeSet::from([new.client]))]).await?;
        let NewClient { client, display_name, country } = new;
        recording.record(&mut history, AccessFact::ClientAdded { client, display_name, country }).await?;
        let client = history.client(client).map(|client| resource::client(&history, client));
        let answer = wire::CreateClientResponse { client, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}
