//! A deactivated user of a client account is active again (R38); its assignment is resumed.

use contracts::wire::access as wire;
use domain::access::AccessFact;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use super::user_change::{UserChange, record_change_of_one};
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
        let fact = |client, user, address| AccessFact::ClientUserReactivated { client, user, address };
        let client_user = record_change_of_one(&mut recording, &reactivation, fact).await?;
        let answer = wire::ReactivateClientUserResponse { client_user, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}
