//! What partners sold: recorded, taken back, listed (R92, R93).

use contracts::wire::credit as wire;
use contracts::wire::error::ErrorReason;
use contracts::{Failure, SoldCreditName};
use domain::access::{CountryCode, HubId};
use domain::credit::{PointsOutcome, SoldCredit};
use domain::money::Points;
use domain::policy::Policy;
use domain::time::Instant;
use service_kit::{ServiceError, Statement};

use super::reading::{Basis, Question};
use super::recording::{Begun, Recording};
use crate::CreditCalculation;
use crate::store::clients;
use crate::store::sold_credits::{self, RecordedSale};

/// A sale with what it is worth at an instant.
#[derive(Debug, Clone)]
pub(crate) struct ValuedSale {
    pub partner: HubId,
    pub recorded: RecordedSale,
    pub points: PointsOutcome,
}

impl ValuedSale {
    fn at(partner: HubId, recorded: RecordedSale, country: Option<CountryCode>, policy: &Policy, at: Instant) -> Self {
        let counts = recorded.void_reason.is_none() && recorded.sale.counted(policy).contains(at);
        let points = if counts { recorded.sale.points(country, policy, at) } else { PointsOutcome::Known(Points(0)) };
        Self { partner, recorded, points }
    }
}

impl CreditCalculation {
    pub(crate) async fn create_sold_credit(
        &self,
        partner: HubId,
        sale: SoldCredit,
        statement: Statement,
    ) -> Result<wire::CreateSoldCreditResponse, ServiceError> {
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let known = sold_credits::of_partner(&**recording.transaction(), partner).await?;
        if let Some(existing) = known.into_iter().find(|known| known.sale.id == sale.id) {
            return Err(exists(partner, &existing.sale, &sale).into());
        }
        let row = sold_credits::row(partner, &sale, recording.next());
        sold_credits::insert(&**recording.append(&row), row).await?;
        let recorded = RecordedSale { sale, void_reason: None };
        let sold_credit = Some(self.valued_now(&recording, partner, recorded).await?.message(&self.policy));
        let revision = recording.revision().to_string();
        recording.commit(wire::CreateSoldCreditResponse { sold_credit, revision }).await
    }

    pub(crate) async fn void_sold_credit(
        &self,
        name: SoldCreditName,
        statement: Statement,
    ) -> Result<wire::VoidSoldCreditResponse, ServiceError> {
        let reason = statement.reason.clone();
        let mut recording = match Recording::begin(self, statement).await? {
            Begun::New(recording) => recording,
            Begun::Repeated(answer) => return Ok(answer),
        };
        let known = sold_credits::of_partner(&**recording.transaction(), name.partner).await?;
        let Some(mut recorded) = known.into_iter().find(|known| known.sale.id == name.sold_credit) else {
            return Err(Failure::new(ErrorReason::UnknownSoldCredit, format!("there is no {name}")).into());
        };
        if recorded.void_reason.is_none() {
            let row = sold_credits::voiding_row(name.partner, &name.sold_credit, &reason, recording.next());
            sold_credits::insert_voiding(&**recording.append(&row), row).await?;
            recorded.void_reason = Some(reason);
        }
        let sold_credit = Some(self.valued_now(&recording, name.partner, recorded).await?.message(&self.policy));
        let revision = recording.revision().to_string();
        recording.commit(wire::VoidSoldCreditResponse { sold_credit, revision }).await
    }

    /// The sales that had closed by the instant, newest first.
    pub(crate) async fn list_sold_credits(
        &self,
        partner: HubId,
        question: Question,
    ) -> Result<(Vec<ValuedSale>, Basis), ServiceError> {
        let (transaction, basis) = self.begin_partner_reading(partner, &question).await?;
        let mut sales = sold_credits::of_partner(&*transaction, partner).await?;
        sales.retain(|recorded| recorded.sale.close_time <= basis.as_of);
        sales.sort_by_key(|recorded| (std::cmp::Reverse(recorded.sale.close_time), recorded.sale.id.clone()));
        let client_ids: Vec<HubId> = sales.iter().map(|recorded| recorded.sale.client).collect();
        let known = clients::load(&*transaction, &client_ids).await?;
        let valued = sales.into_iter().map(|recorded| {
            let country = known.get(&recorded.sale.client).and_then(|known| known.countries.country_at(basis.as_of));
            ValuedSale::at(partner, recorded, country, &self.policy, basis.as_of)
        });
        Ok((valued.collect(), basis))
    }

    /// A sale with what it is worth now.
    async fn valued_now(
        &self,
        recording: &Recording,
        partner: HubId,
        recorded: RecordedSale,
    ) -> Result<ValuedSale, ServiceError> {
        let known = clients::load(&**recording.transaction(), &[recorded.sale.client]).await?;
        let country = known.get(&recorded.sale.client).and_then(|known| known.countries.country_at(recording.now));
        Ok(ValuedSale::at(partner, recorded, country, &self.policy, recording.now))
    }
}

fn exists(partner: HubId, existing: &SoldCredit, stated: &SoldCredit) -> Failure {
    let name = SoldCreditName { partner, sold_credit: existing.id.clone() };
    let differences = [
        ("client", existing.client != stated.client),
        ("kind", existing.kind != stated.kind),
        ("amount", existing.amount != stated.amount),
        ("close_time", existing.close_time != stated.close_time),
    ];
    let differing = differences.into_iter().filter_map(|(field, differs)| differs.then_some(field));
    let differing: Vec<&str> = differing.collect();
    Failure::new(ErrorReason::SoldCreditExists, format!("{name} exists already"))
        .with("differing_fields", differing.join(","))
}
