//! A change that was recorded by mistake is taken back (R22).

use contracts::wire::access as wire;
use contracts::wire::error::ErrorReason;
use contracts::{ClientUserName, Failure};
use domain::access::{AccessChange, AccessFact};
use service_kit::{ServiceError, Statement, access_log};

use super::recording::{Begun, Recording};
use crate::{AccessManagement, store};

impl AccessManagement {
    pub(crate) async fn retract_change(
        &self,
        position: u64,
        statement: Statement,
    ) -> Result<wire::RetractChangeResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        recording.require_platform()?;
        let unknown = || Failure::new(ErrorReason::UnknownChange, format!("change {position} is not known"));
        let change = access_log::change_at(&**recording.transaction(), position).await?.ok_or_else(unknown)?;
        let AccessChange { fact, effective_time, .. } = change;
        let mut history = access_log::history_for_retraction(&**recording.transaction(), &fact).await?;
        let retraction = AccessFact::Retracted { position, fact: Box::new(fact.clone()) };
        recording.record_at(&mut history, retraction, effective_time).await?;
        disown(&recording, &fact).await?;
        let answer = wire::RetractChangeResponse { revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}

/// Who never was added owns nothing.
async fn disown(recording: &Recording<'_>, taken_back: &AccessFact) -> Result<(), ServiceError> {
    let AccessFact::ClientUserAdded { client, user, .. } = *taken_back else { return Ok(()) };
    let transaction = &**recording.transaction();
    let assets = store::asset::ids_of(transaction, ClientUserName { client, user }).await?;
    store::asset::give(transaction, client, &assets, None).await
}
