//! A stretch of work that waits: activities to be judged again, or pairs to be computed again.

use sea_orm::entity::prelude::*;
use service_kit::StoredInstant;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "rejudging")]
pub struct Model {
    /// The order of the work.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// The first access change from which it follows; absent where none does, but a policy or a new copy.
    pub access_position: Option<i64>,
    /// What the following columns mean.
    pub kind: String,
    pub client_id: Option<i64>,
    pub partner_id: Option<i64>,
    pub address: Option<String>,
    /// Nothing before it can be different.
    pub from_time: StoredInstant,
    pub record_time: StoredInstant,
    /// How many activities, or pairs, are done.
    pub done: i64,
    /// With the following: the last that is done; absent at the beginning.
    pub last_client_id: Option<i64>,
    pub last_partner_id: Option<i64>,
    pub last_activity_id: Option<String>,
    pub last_occur_time: Option<StoredInstant>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
