//! The row of an access change.

use sea_orm::entity::prelude::*;

use crate::StoredInstant;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_change")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub kind: String,
    pub effective_time: StoredInstant,
    pub record_time: StoredInstant,
    pub actor: String,
    pub on_behalf_of: Option<String>,
    pub partner_id: Option<i64>,
    pub client_id: Option<i64>,
    pub address: Option<String>,
    /// The employee or client user that the change is about.
    pub subject_id: Option<Uuid>,
    /// Whether somebody should be told of it.
    pub is_notice: bool,
    /// The `AccessChange` message without its hash.
    pub payload: Vec<u8>,
    /// The hash over this change and all before it, as they were first recorded: an erasure does not change it (R128).
    pub chain_hash: Vec<u8>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
