//! A client account is closed, for good: every managed relationship there ends (R76).

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{AccessFact, HubId};
use service_kit::access_log;
use service_kit::permission::unknown_client;
use service_kit::{ServiceError, Statement, require_etag};

use super::recording::{Begun, Recording};
use crate::{AccessManagement, resource};

pub(crate) struct ClientClosure {
    pub client: HubId,
    /// What the caller has read; empty is not compared.
    pub etag: String,
}

impl AccessManagement {
    pub(crate) async fn close_client(
        &self,
        closure: ClientClosure,
        statement: Statement,
    ) -> Result<wire::CloseClientResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        recording.require_platform()?;
        let client = closure.client;
        // Whoever is or was there may lose a relationship by it, or have done something later that it forbids (R22).
        let mut history = access_log::history_of_clients(&**recording.transaction(), &BTreeSet::from([client])).await?;
        let known = history.client(client).ok_or_else(|| unknown_client(client))?;
        require_etag(&closure.etag, &resource::client(&history, known).etag)?;
        recording.record(&mut history, AccessFact::ClientClosed { client }).await?;
        let client = history.client(client).map(|client| resource::client(&history, client));
        let answer = wire::CloseClientResponse { client, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}
