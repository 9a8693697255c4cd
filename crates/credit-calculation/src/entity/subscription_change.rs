//! A change of what a client pays; only ever appended.

use sea_orm::entity::prelude::*;
use service_kit::StoredInstant;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "subscription_change")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub client_id: i64,
    pub subscription_id: String,
    pub effective_time: StoredInstant,
    pub record_time: StoredInstant,
    pub actor: String,
    pub currency_code: String,
    pub minor_units: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
