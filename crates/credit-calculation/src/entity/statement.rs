//! A partner's month, frozen; only ever appended.

use sea_orm::entity::prelude::*;
use service_kit::StoredInstant;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "statement")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub partner_id: i64,
    pub month: String,
    pub sha256: String,
    /// The document without its rows, sales and changes, as JSON.
    pub header: String,
    /// How many rows the document has.
    pub row_count: i64,
    pub record_time: StoredInstant,
    pub actor: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
