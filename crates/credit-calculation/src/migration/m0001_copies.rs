//! The copies of the access and the servicing feed, where they resume, and what is kept ready of them.

use contracts::Feed;
use sea_orm_migration::prelude::*;
use service_kit::{access_log, feed};

use crate::entity::{client, partner_client, servicing_pair, servicing_period};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        access_log::create_table(manager).await?;
        feed::create_cursor_table(manager, &[Feed::Access, Feed::Servicing]).await?;
        create_clients(manager).await?;
        create_contacts(manager).await?;
        create_pairs(manager).await?;
        create_periods(manager).await
    }
}

async fn create_clients(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use client::{Column, Entity};
    let table = Table::create()
        .table(Entity)
        .col(ColumnDef::new(Column::HubId).big_integer().not_null().primary_key())
        .col(ColumnDef::new(Column::DisplayName).text().not_null())
        .col(ColumnDef::new(Column::SearchName).text().not_null())
        .col(ColumnDef::new(Column::CountryCode).text().not_null())
        .col(ColumnDef::new(Column::SinceTime).big_integer().not_null())
        .to_owned();
    manager.create_table(table).await
}

async fn create_contacts(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use partner_client::{Column, Entity};
    let table = Table::create()
        .table(Entity)
        .col(ColumnDef::new(Column::PartnerId).big_integer().not_null())
        .col(ColumnDef::new(Column::ClientId).big_integer().not_null())
        .col(ColumnDef::new(Column::Address).text().not_null())
        .col(ColumnDef::new(Column::SinceTime).big_integer().not_null())
        .primary_key(Index::create().col(Column::PartnerId).col(Column::ClientId).col(Column::Address))
        .to_owned();
    manager.create_table(table).await?;
    // A change of a person replaces all that was said of it.
    let index = Index::create()
        .name("partner_client_address")
        .table(Entity)
        .col(Column::Address)
        .col(Column::ClientId)
        .to_owned();
    manager.create_index(index).await
}

async fn create_pairs(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use servicing_pair::{Column, Entity};
    let table = Table::create()
        .table(Entity)
        .col(ColumnDef::new(Column::ClientId).big_integer().not_null())
        .col(ColumnDef::new(Column::PartnerId).big_integer().not_null())
        .col(ColumnDef::new(Column::LastActivityTime).big_integer())
        .primary_key(Index::create().col(Column::ClientId).col(Column::PartnerId))
        .to_owned();
    manager.create_table(table).await?;
    let index = Index::create()
        .name("servicing_pair_partner")
        .table(Entity)
        .col(Column::PartnerId)
        .col(Column::ClientId)
        .to_owned();
    manager.create_index(index).await
}

async fn create_periods(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use servicing_period::{Column, Entity};
    let table = Table::create()
        .table(Entity)
        .col(ColumnDef::new(Column::ClientId).big_integer().not_null())
        .col(ColumnDef::new(Column::PartnerId).big_integer().not_null())
        .col(ColumnDef::new(Column::Minimum).big_integer().not_null())
        .col(ColumnDef::new(Column::StartTime).big_integer().not_null())
        .col(ColumnDef::new(Column::EndTime).big_integer().not_null())
        .col(ColumnDef::new(Column::EndCause).text().not_null())
        .primary_key(
            Index::create().col(Column::ClientId).col(Column::PartnerId).col(Column::Minimum).col(Column::StartTime),
        )
        .to_owned();
    manager.create_table(table).await?;
    let index = Index::create()
        .name("servicing_period_partner")
        .table(Entity)
        .col(Column::PartnerId)
        .col(Column::ClientId)
        .to_owned();
    manager.create_index(index).await
}
