//! What client users own.

use sea_orm_migration::prelude::*;

use crate::entity::asset::{Column, Entity};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Entity)
            .col(ColumnDef::new(Column::ClientId).big_integer().not_null())
            .col(ColumnDef::new(Column::AssetId).text().not_null())
            .col(ColumnDef::new(Column::Kind).text().not_null())
            .col(ColumnDef::new(Column::DisplayName).text().not_null())
            .col(ColumnDef::new(Column::OwnerId).uuid())
            .primary_key(Index::create().col(Column::ClientId).col(Column::AssetId))
            .to_owned();
        manager.create_table(table).await?;
        let of_owner = Index::create()
            .name("asset_owner")
            .table(Entity)
            .col(Column::ClientId)
            .col(Column::OwnerId)
            .col(Column::AssetId)
            .to_owned();
        manager.create_index(of_owner).await
    }
}
