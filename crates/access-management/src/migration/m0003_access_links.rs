//! Access links.

use sea_orm_migration::prelude::*;

use crate::entity::access_link::{Column, Entity};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Entity)
            .col(ColumnDef::new(Column::LinkId).uuid().not_null().primary_key())
            .col(ColumnDef::new(Column::PartnerId).big_integer().not_null())
            .col(ColumnDef::new(Column::EmployeeId).uuid().not_null())
            .col(ColumnDef::new(Column::TokenHash).blob().not_null())
            .col(ColumnDef::new(Column::ForClientId).big_integer())
            .col(ColumnDef::new(Column::ExpireTime).big_integer().not_null())
            .col(ColumnDef::new(Column::Creator).text().not_null())
            .col(ColumnDef::new(Column::CreateTime).big_integer().not_null())
            .col(ColumnDef::new(Column::Revoked).boolean().not_null())
            .col(ColumnDef::new(Column::ApprovedClientId).big_integer())
            .col(ColumnDef::new(Column::ApprovedUserId).uuid())
            .to_owned();
        manager.create_table(table).await?;
        let by_token =
            Index::create().name("access_link_token").table(Entity).col(Column::TokenHash).unique().to_owned();
        let of_employee = Index::create()
            .name("access_link_employee")
            .table(Entity)
            .col(Column::EmployeeId)
            .col(Column::CreateTime)
            .col(Column::LinkId)
            .to_owned();
        // To rewrite what a person made who is to be erased (R128).
        let by_creator = Index::create().name("access_link_creator").table(Entity).col(Column::Creator).to_owned();
        for index in [by_token, of_employee, by_creator] {
            manager.create_index(index).await?;
        }
        Ok(())
    }
}
