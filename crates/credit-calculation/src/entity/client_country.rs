//! A country to which a client moved after it became known.

use sea_orm::entity::prelude::*;
use service_kit::StoredInstant;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client_country")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: i64,
    /// From when on it is this country.
    #[sea_orm(primary_key, auto_increment = false)]
    pub since_time: StoredInstant,
    pub country_code: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
