//! A change of the servicing feed.

use sea_orm::entity::prelude::*;
use service_kit::StoredInstant;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "servicing_change")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub client_id: i64,
    pub partner_id: i64,
    pub record_time: StoredInstant,
    /// The `ServicingChange` message without its hash.
    pub payload: Vec<u8>,
    /// The hash over this change and all before it.
    pub chain_hash: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
