//! A sale; only ever appended.

use sea_orm::entity::prelude::*;
use service_kit::StoredInstant;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sold_credit")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub partner_id: i64,
    pub sold_credit_id: String,
    pub client_id: i64,
    pub kind: String,
    pub currency_code: String,
    pub minor_units: i64,
    pub close_time: StoredInstant,
    pub record_time: StoredInstant,
    pub actor: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
