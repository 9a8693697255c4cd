//! An activity with its verdict.

use sea_orm::entity::prelude::*;
use service_kit::StoredInstant;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "activity")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub client_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub activity_id: String,
    pub address: String,
    pub occur_time: StoredInstant,
    /// The `Activity` message, made from the domain value.
    pub payload: Vec<u8>,
    pub record_time: StoredInstant,
    /// `COUNTED`, or the reason why not.
    pub verdict: String,
    pub partner_id: Option<i64>,
    pub employee_id: Option<Uuid>,
    /// With `action`: what it is in the words of the catalogue.
    pub tool: Option<String>,
    pub action: Option<String>,
    /// Present exactly where it counts.
    pub expire_time: Option<StoredInstant>,
    pub provisional: bool,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
