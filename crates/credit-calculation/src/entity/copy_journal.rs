//! How far `changed_pair` tells the changes of a copy.

use sea_orm::entity::prelude::*;
use service_kit::StoredInstant;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "copy_journal")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub feed: String,
    /// That of the cursor with which it was written; any other cursor is that of a version that tells no changes.
    pub position: i64,
    /// That of the same cursor.
    pub caught_up_time: Option<StoredInstant>,
    /// Another one where the copy became another without telling its changes.
    pub generation: i64,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
