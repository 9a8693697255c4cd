//! A user of a client account cannot log in any more; its profile and history stay (R39), its assignment is suspended.

use std::collections::BTreeSet;

use contracts::ClientUserName;
use contracts::wire::access as wire;
use domain::access::AccessFact;
use service_kit::{ServiceError, Statement, access_log};

use super::recording::{Begun, Recording};
use super::user_change::{UserChange, record_change, require_change};
use crate::AccessManagement;

impl AccessManagement {
    pub(crate) async fn deactivate_client_user(
        &self,
        deactivation: UserChange,
        statement: Statement,
    ) -> Result<wire::DeactivateClientUserResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let address = require_change(&recording, deactivation.name).await?;
        let ClientUserName { client, user } = deactivation.name;
        let (clients, addresses) = (BTreeSet::from([client]), BTreeSet::from([address.clone()]));
        let mut history = access_log::history_for_judging(&**recording.transaction(), &clients, &addresses).await?;
        let fact = AccessFact::ClientUserDeactivated { client, user, address };
        let client_user = record_change(&mut recording, &mut history, &deactivation, fact).await?;
        let answer = wire::DeactivateClientUserResponse { client_user, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}
