//! A person's address is replaced by a pseudonym, here and, by the feed, everywhere (R128).

use contracts::Failure;
use contracts::wire::access as wire;
use contracts::wire::error::ErrorReason;
use domain::access::{AccessFact, AccessHistory, EmailAddress};
use service_kit::{ServiceError, Statement, access_log, request_log};

use super::recording::{Begun, Recording};
use crate::{AccessManagement, store};

impl AccessManagement {
    /// What the repeat of an erasure says depends on its request id: with it, the first answer; without, that nobody has
    /// the address, for nobody has it any more.
    pub(crate) async fn erase_address(
        &self,
        address: EmailAddress,
        statement: Statement,
    ) -> Result<wire::EraseAddressResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        recording.require_platform()?;
        let unknown = || Failure::new(ErrorReason::UnknownAddress, "nobody has this address, or had it");
        let first_position =
            access_log::first_position(&**recording.transaction(), &address).await?.ok_or_else(unknown)?;
        let pseudonym = address.pseudonym(self.clock.new_id());
        let fact = AccessFact::AddressErased { pseudonym: pseudonym.clone(), first_position };
        recording.record(&mut AccessHistory::default(), fact).await?;

        // After the change itself, which may have been made on behalf of that very person.
        let transaction = &**recording.transaction();
        access_log::replace_address(transaction, &address, &pseudonym).await?;
        store::access_link::replace_address(transaction, &address, &pseudonym).await?;
        request_log::forget_all(transaction).await?;
        let revision = recording.revision().to_string();
        recording.commit(wire::EraseAddressResponse { pseudonym: pseudonym.to_string(), revision }).await
    }
}
