//! A company joins the programme.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use domain::access::{AccessFact, CountryCode, EmailDomain, HubId};
use service_kit::access_log::Question;
use service_kit::{ServiceError, Statement};

use super::recording::{Begun, Recording};
use crate::{AccessManagement, resource};

pub(crate) struct NewPartner {
    pub partner: HubId,
    pub display_name: String,
    pub country: CountryCode,
    pub email_domains: BTreeSet<EmailDomain>,
}

impl AccessManagement {
    pub(crate) async fn create_partner(
        &self,
        new: NewPartner,
        statement: Statement,
    ) -> Result<wire::CreatePartnerResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        recording.require_platform()?;
        // A domain belongs to one partner, so that all of them have a say (R37).
        let mut history = recording.history(&[Question::AllPartners]).await?;
        let NewPartner { partner, display_name, country, email_domains } = new;
        let fact = AccessFact::PartnerAdded { partner, display_name, country, email_domains };
        recording.record(&mut history, fact).await?;
        let now = recording.now();
        let partner = history.partner(partner).map(|partner| resource::partner(&history, partner, now));
        let answer = wire::CreatePartnerResponse { partner, revision: recording.revision().to_string() };
        recording.commit(answer).await
    }
}
