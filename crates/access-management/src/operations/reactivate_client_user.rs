//! A deactivated user of a client account is active again (R38); its assignment is resumed.

use std::collections::BTreeSet;

use contracts::ClientUserName;
use contracts::wire::access as wire;
use domain::access::AccessFact;
use service_kit::{ServiceError, Statement, access_log};

use super::recording::{Begun, Recording};
use super::user_change::{UserChange, record_change, require_change};
use crate::AccessManagement;

impl AccessManagement {
    pub(crate) async fn reactivate_client_user(
        &self,
        reactivation: UserChange,
        statement: Statement,
    ) -> Result<wire::ReactivateClientUserResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let address = require_change(&recording, reactivation.name).await?;
        let ClientUserName { client, user } = reactivation.name;
        let (clients, addresses) = (BTreeSet::from([client]), BTreeSet::from([address.clone()]));
        let mut history = access_log::history_for_judging(&**recording.transaction(), &clients, &addresses).await?;
        let fact = AccessFact::ClientUserReactivated { client, user, address };
        let client_user = record_change(&mut recording, &mut history, &reactivation, fact).await?;
        let answer = wire::ReactivateClientUserResponse { client_user, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}
