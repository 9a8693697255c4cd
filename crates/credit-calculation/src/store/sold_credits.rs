//! What partners sold.

use std::collections::{BTreeMap, BTreeSet};

use domain::access::HubId;
use domain::credit::{SoldCredit, SoldCreditId};
use domain::money::Money;
use sea_orm::entity::prelude::*;
use sea_orm::{IntoActiveModel as _, QuerySelect as _};
use service_kit::ServiceError;

use super::own_facts::{OwnFact, Recorded, Row, hashed};
use super::{KEYS_PER_STATEMENT, hub_id, portions};
use crate::entity::{sold_credit, sold_credit_voiding};

/// A sale, and why it was taken back if it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RecordedSale {
    pub sale: SoldCredit,
    pub void_reason: Option<String>,
}

impl Row for sold_credit::Model {
    fn own_fact(&self) -> OwnFact {
        let Self { position, partner_id, sold_credit_id, client_id, kind, currency_code, minor_units, .. } = self;
        let (closed, recorded) = (self.close_time.0, self.record_time.0);
        let columns: [&dyn ToString; 9] =
            [partner_id, sold_credit_id, client_id, kind, currency_code, minor_units, &closed, &recorded, &self.actor];
        OwnFact { position: *position, actor: self.actor.clone(), hashed: hashed("sold_credit", &columns) }
    }
}

impl Row for sold_credit_voiding::Model {
    fn own_fact(&self) -> OwnFact {
        let Self { position, partner_id, sold_credit_id, reason, record_time, actor } = self;
        let columns: [&dyn ToString; 5] = [partner_id, sold_credit_id, reason, &record_time.0, actor];
        OwnFact { position: *position, actor: actor.clone(), hashed: hashed("sold_credit_voiding", &columns) }
    }
}

/// The row of a sale.
pub(crate) fn row(partner: HubId, sale: &SoldCredit, recorded: Recorded<'_>) -> sold_credit::Model {
    sold_credit::Model {
        position: recorded.position,
        partner_id: partner.get(),
        sold_credit_id: sale.id.to_string(),
        client_id: sale.client.get(),
        kind: sale.kind.as_str().to_owned(),
        currency_code: sale.amount.currency.code().to_owned(),
        minor_units: sale.amount.minor_units,
        close_time: sale.close_time.into(),
        record_time: recorded.time.into(),
        actor: recorded.actor.to_string(),
    }
}

pub(crate) async fn insert<C: ConnectionTrait>(transaction: &C, row: sold_credit::Model) -> Result<(), DbErr> {
    sold_credit::Entity::insert(row.into_active_model().reset_all()).exec_without_returning(transaction).await?;
    Ok(())
}

/// The row of a voiding.
pub(crate) fn voiding_row(
    partner: HubId,
    id: &SoldCreditId,
    reason: &str,
    recorded: Recorded<'_>,
) -> sold_credit_voiding::Model {
    sold_credit_voiding::Model {
        position: recorded.position,
        partner_id: partner.get(),
        sold_credit_id: id.to_string(),
        reason: reason.to_owned(),
        record_time: recorded.time.into(),
        actor: recorded.actor.to_string(),
    }
}

pub(crate) async fn insert_voiding<C: ConnectionTrait>(
    transaction: &C,
    row: sold_credit_voiding::Model,
) -> Result<(), DbErr> {
    let row = row.into_active_model().reset_all();
    sold_credit_voiding::Entity::insert(row).exec_without_returning(transaction).await?;
    Ok(())
}

/// All sales of a partner, also those that were taken back.
pub(crate) async fn of_partner<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
) -> Result<Vec<RecordedSale>, ServiceError> {
    let voided = sold_credit_voiding::Entity::find();
    let voided = voided.filter(sold_credit_voiding::Column::PartnerId.eq(partner.get())).all(connection).await?;
    let mut voided: BTreeMap<String, String> = voided.into_iter().map(|row| (row.sold_credit_id, row.reason)).collect();
    let sales = sold_credit::Entity::find().filter(sold_credit::Column::PartnerId.eq(partner.get()));
    let sales = sales.all(connection).await?.into_iter().map(|row| {
        let void_reason = voided.remove(&row.sold_credit_id);
        Ok(RecordedSale { sale: from_row(row)?, void_reason })
    });
    sales.collect()
}

/// The sales of a partner that were not taken back, by client.
pub(crate) async fn by_client<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
) -> Result<BTreeMap<HubId, Vec<SoldCredit>>, ServiceError> {
    let mut by_client: BTreeMap<HubId, Vec<SoldCredit>> = BTreeMap::new();
    for RecordedSale { sale, void_reason } in of_partner(connection, partner).await? {
        if void_reason.is_none() {
            by_client.entry(sale.client).or_default().push(sale);
        }
    }
    Ok(by_client)
}

/// The sales of a partner to these clients that were not taken back, by client.
pub(crate) async fn to_clients<C: ConnectionTrait>(
    connection: &C,
    partner: HubId,
    clients: &[HubId],
) -> Result<BTreeMap<HubId, Vec<SoldCredit>>, ServiceError> {
    let mut by_client: BTreeMap<HubId, Vec<SoldCredit>> = BTreeMap::new();
    for portion in portions(clients) {
        use sold_credit::{Column, Entity};
        let sales = Entity::find().filter(Column::PartnerId.eq(partner.get())).filter(Column::ClientId.is_in(portion));
        let sales = sales.all(connection).await?;
        for some in sales.chunks(KEYS_PER_STATEMENT) {
            use sold_credit_voiding::{Column, Entity};
            let ids = some.iter().map(|sale| sale.sold_credit_id.as_str());
            let voided = Entity::find().select_only().column(Column::SoldCreditId);
            let voided = voided.filter(Column::PartnerId.eq(partner.get())).filter(Column::SoldCreditId.is_in(ids));
            let voided: Vec<String> = voided.into_tuple().all(connection).await?;
            let voided: BTreeSet<String> = voided.into_iter().collect();
            for sale in some.iter().filter(|sale| !voided.contains(&sale.sold_credit_id)) {
                let sale = from_row(sale.clone())?;
                by_client.entry(sale.client).or_default().push(sale);
            }
        }
    }
    Ok(by_client)
}

/// The sales to one client that were not taken back, by partner.
pub(crate) type SalesByPartner = BTreeMap<HubId, Vec<SoldCredit>>;

/// The sales of everybody that were not taken back, by client.
pub(crate) async fn all<C: ConnectionTrait>(connection: &C) -> Result<BTreeMap<HubId, SalesByPartner>, ServiceError> {
    let voided = sold_credit_voiding::Entity::find().all(connection).await?.into_iter();
    let voided: BTreeSet<(i64, String)> = voided.map(|row| (row.partner_id, row.sold_credit_id)).collect();
    let mut all: BTreeMap<HubId, SalesByPartner> = BTreeMap::new();
    for row in sold_credit::Entity::find().all(connection).await? {
        if !voided.contains(&(row.partner_id, row.sold_credit_id.clone())) {
            let partner = hub_id(row.partner_id)?;
            let sale = from_row(row)?;
            all.entry(sale.client).or_default().entry(partner).or_default().push(sale);
        }
    }
    Ok(all)
}

fn from_row(row: sold_credit::Model) -> Result<SoldCredit, ServiceError> {
    let currency = row.currency_code.parse().map_err(ServiceError::stored)?;
    Ok(SoldCredit {
        id: row.sold_credit_id.parse().map_err(ServiceError::stored)?,
        client: hub_id(row.client_id)?,
        kind: row.kind.parse().map_err(ServiceError::stored)?,
        amount: Money { currency, minor_units: row.minor_units },
        close_time: row.close_time.into(),
    })
}
