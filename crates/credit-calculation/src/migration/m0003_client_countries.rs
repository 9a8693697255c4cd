//! In which country a client was since when (R63).

use sea_orm_migration::prelude::*;

use crate::entity::client_country::{Column, Entity};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Entity)
            .col(ColumnDef::new(Column::ClientId).big_integer().not_null())
            .col(ColumnDef::new(Column::SinceTime).big_integer().not_null())
            .col(ColumnDef::new(Column::CountryCode).text().not_null())
            .primary_key(Index::create().col(Column::ClientId).col(Column::SinceTime))
            .to_owned();
        manager.create_table(table).await
    }
}
