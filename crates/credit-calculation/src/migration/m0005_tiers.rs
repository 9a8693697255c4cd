//! Which tiers partners are credited with, and since when.

use sea_orm_migration::prelude::*;

use crate::entity::tier_change::{Column, Entity};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Entity)
            .col(ColumnDef::new(Column::Position).big_integer().not_null().primary_key())
            .col(ColumnDef::new(Column::PartnerId).big_integer().not_null())
            .col(ColumnDef::new(Column::EffectiveTime).big_integer().not_null())
            .col(ColumnDef::new(Column::RecordTime).big_integer().not_null())
            .col(ColumnDef::new(Column::Actor).text().not_null())
            .col(ColumnDef::new(Column::Tier).text())
            .col(ColumnDef::new(Column::Reason).text().not_null())
            .to_owned();
        manager.create_table(table).await?;
        let index = Index::create()
            .name("tier_change_partner")
            .table(Entity)
            .col(Column::PartnerId)
            .col(Column::EffectiveTime)
            .to_owned();
        manager.create_index(index).await
    }
}
