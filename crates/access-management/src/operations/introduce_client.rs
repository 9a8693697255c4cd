//! The platform introduces a client to a partner, who may link it from then on (R26).

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{AccessFact, HubId};
use service_kit::access_log::Question;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use crate::AccessManagement;

/// A partner and a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pair {
    pub partner: HubId,
    pub client: HubId,
}

impl AccessManagement {
    pub(crate) async fn introduce_client(
        &self,
        Pair { partner, client }: Pair,
        statement: Statement,
    ) -> Result<wire::IntroduceClientResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        recording.require_platform()?;
        let (partners, clients) = (BTreeSet::from([partner]), BTreeSet::from([client]));
        let mut history = recording.history(&[Question::Partners(&partners), Question::Clients(&clients)]).await?;
        recording.record(&mut history, AccessFact::ClientIntroduced { client, partner }).await?;
        let answer = wire::IntroduceClientResponse { revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}
