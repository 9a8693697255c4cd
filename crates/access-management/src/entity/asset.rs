//! Something that a user of a client account owns (R40).

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "asset")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: i64,
    /// The vendor's id, unique per client.
    #[sea_orm(primary_key, auto_increment = false)]
    pub asset_id: String,
    /// What it is, in the vendor's word.
    pub kind: String,
    pub display_name: String,
    /// A user of the client account.
    pub owner_id: Option<Uuid>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
