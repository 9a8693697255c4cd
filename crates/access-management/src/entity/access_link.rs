//! An access link (R30).

use sea_orm::entity::prelude::*;
use service_kit::StoredInstant;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "access_link")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub link_id: Uuid,
    pub partner_id: i64,
    pub employee_id: Uuid,
    /// SHA-256 of the token; the token itself is nowhere.
    pub token_hash: Vec<u8>,
    /// The only client that may approve it, if it names one.
    pub for_client_id: Option<i64>,
    pub expire_time: StoredInstant,
    /// Who made it: an address, or `platform`.
    pub creator: String,
    pub create_time: StoredInstant,
    pub revoked: bool,
    /// Present with `approved_user_id` exactly where it was approved.
    pub approved_client_id: Option<i64>,
    pub approved_user_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
