//! A client's name or country changes.

use std::collections::BTreeSet;

use contracts::Failure;
use contracts::wire::access as wire;
use domain::access::{Absence, AccessFact, AccessHistory, AccessRefusal, ClientHistory, CountryCode, HubId, Subject};
use domain::time::Instant;
use service_kit::access_log::Question;
use service_kit::permission::unknown_client;
use service_kit::{ServiceError, Statement, require_etag};

use super::recording::{Begun, Recording};
use crate::{AccessManagement, resource};

/// What becomes of a client; what is absent stays as it is.
pub(crate) struct ClientUpdate {
    pub client: HubId,
    /// What the caller has read; empty is not compared.
    pub etag: String,
    pub display_name: Option<String>,
    pub country: Option<CountryCode>,
}

impl AccessManagement {
    pub(crate) async fn update_client(
        &self,
        update: ClientUpdate,
        statement: Statement,
    ) -> Result<wire::UpdateClientResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        recording.require_platform()?;
        let client = update.client;
        let mut history = recording.history(&[Question::Clients(&BTreeSet::from([client]))]).await?;
        let known = history.client(client).ok_or_else(|| unknown_client(client))?;
        require_etag(&update.etag, &resource::client(&history, known).etag)?;
        let by_then = recording.as_of_effective_time(&history);
        let (fact, is_other) = stated(update, known, &by_then, recording.effective_time())?;
        if recording.is_news(&history, &fact, is_other) {
            recording.record(&mut history, fact).await?;
        }
        let client = history.client(client).map(|client| resource::client(&history, client));
        let answer = wire::UpdateClientResponse { client, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}

/// What the update says, and whether it was other at its effective time.
fn stated(
    update: ClientUpdate,
    known: &ClientHistory,
    by_then: &AccessHistory,
    at: Instant,
) -> Result<(AccessFact, bool), Failure> {
    let ClientUpdate { client, display_name, country, .. } = update;
    let before = by_then.client(client).zip(known.country_at(at));
    let (before, country_before) = before.ok_or_else(|| not_yet_there(known))?;
    let is_other = display_name.as_ref().is_some_and(|name| *name != before.display_name)
        || country.is_some_and(|country| country != country_before);
    Ok((AccessFact::ClientUpdated { client, display_name, country }, is_other))
}

fn not_yet_there(known: &ClientHistory) -> Failure {
    let subject = Subject::Client(known.client);
    Failure::from(&AccessRefusal::Unknown { subject, absence: Absence::OnlyFrom(known.since) })
}
