//! A company joins the programme.

use std::collections::BTreeSet;

use contracts::wire::access as wire;
use contracts::{PartnerName, Revision, timestamp};
use domain::access::{AccessFact, CountryCode, EmailDomain, HubId};
use service_kit::access_log::Question;
use service_kit::{ServiceError, Statement};

use super::recording::Recording;
use crate::AccessManagement;

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
    ) -> Result<(wire::Partner, Revision), ServiceError> {
        let mut recording = Recording::begin(self, statement).await?;
        // A domain belongs to one partner, so that all of them have a say (R37).
        let history = recording.history(&[Question::AllPartners]).await?;
        let partner = wire::Partner {
            name: PartnerName(new.partner).to_string(),
            display_name: new.display_name.clone(),
            country_code: new.country.to_string(),
            email_domains: new.email_domains.iter().map(ToString::to_string).collect(),
            join_time: Some(timestamp(recording.effective_time)),
        };
        let NewPartner { partner: hub_id, display_name, country, email_domains } = new;
        let fact = AccessFact::PartnerAdded { partner: hub_id, display_name, country, email_domains };
        recording.record(&history, fact).await?;
        Ok((partner, recording.commit().await?))
    }
}
