//! A period in which a partner services a client with at least a minimum of activities.

use sea_orm::entity::prelude::*;
use service_kit::StoredInstant;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "servicing_period")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub partner_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub minimum: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub start_time: StoredInstant,
    pub end_time: StoredInstant,
    pub end_cause: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
