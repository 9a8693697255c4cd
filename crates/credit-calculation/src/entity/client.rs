//! A client account, as access-management tells of it now.

use sea_orm::entity::prelude::*;
use service_kit::StoredInstant;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "client")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hub_id: i64,
    pub display_name: String,
    /// The name without case and accents.
    pub search_name: String,
    /// The country in which it became known; later ones have a table of their own.
    pub country_code: String,
    /// From when on it is known.
    pub since_time: StoredInstant,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
