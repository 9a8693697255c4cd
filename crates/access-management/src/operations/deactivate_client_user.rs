//! A user of a client account cannot log in any more; its profile and history stay (R39), its assignment is suspended.

use contracts::wire::access as wire;
use domain::access::AccessFact;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use super::user_change::{UserChange, record_change_of_one};
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
        let fact = |client, user, address| AccessFact::ClientUserDeactivated { client, user, address };
        let client_user = record_change_of_one(&mut recording, &deactivation, fact).await?;
        let answer = wire::DeactivateClientUserResponse { client_user, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}
