//! At which position of a copied feed anything about a partner and a client changed last.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "changed_pair")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub feed: String,
    /// 0 where it is about the partner alone, -1 where it is about its people.
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: i64,
    /// 0 where it is about the client, whoever the partner.
    #[sea_orm(primary_key, auto_increment = false)]
    pub partner_id: i64,
    pub position: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
