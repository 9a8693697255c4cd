//! Months of partners, frozen.

use sea_orm_migration::prelude::*;

use crate::entity::{statement, statement_document};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let statements = Table::create()
            .table(statement::Entity)
            .col(ColumnDef::new(statement::Column::Position).big_integer().not_null().primary_key())
            .col(ColumnDef::new(statement::Column::PartnerId).big_integer().not_null())
            .col(ColumnDef::new(statement::Column::Month).text().not_null())
            .col(ColumnDef::new(statement::Column::Sha256).text().not_null())
            .col(ColumnDef::new(statement::Column::Header).text().not_null())
            .col(ColumnDef::new(statement::Column::RowCount).big_integer().not_null())
            .col(ColumnDef::new(statement::Column::RecordTime).big_integer().not_null())
            .col(ColumnDef::new(statement::Column::Actor).text().not_null())
            .to_owned();
        manager.create_table(statements).await?;
        let index = Index::create()
            .name("statement_partner")
            .table(statement::Entity)
            .col(statement::Column::PartnerId)
            .col(statement::Column::Month)
            .unique()
            .to_owned();
        manager.create_index(index).await?;
        let documents = Table::create()
            .table(statement_document::Entity)
            .col(ColumnDef::new(statement_document::Column::Position).big_integer().not_null().primary_key())
            .col(ColumnDef::new(statement_document::Column::Document).text().not_null())
            .to_owned();
        manager.create_table(documents).await
    }
}
