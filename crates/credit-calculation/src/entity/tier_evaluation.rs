//! The evaluation of a partner on the 15th of a month; only ever appended.

use sea_orm::entity::prelude::*;
use service_kit::StoredInstant;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tier_evaluation")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    pub partner_id: i64,
    pub evaluation_time: StoredInstant,
    /// In hundredths, as the others.
    pub managed_points: i64,
    pub sold_points: i64,
    pub sourced_points: i64,
    pub clients_without_points: i64,
    /// Absent means none, as of the others.
    pub met_tier: Option<String>,
    pub certified: bool,
    pub tier_before: Option<String>,
    pub tier_after: Option<String>,
    pub outcome: String,
    pub elite_eligible: bool,
    pub policy_digest: String,
    pub record_time: StoredInstant,
    pub actor: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
