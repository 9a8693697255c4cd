//! Who services whom: pairs, their periods, and the feed of their changes.

use contracts::Feed;
use sea_orm_migration::prelude::*;
use service_kit::feed;

use crate::entity::{servicing_change, servicing_pair, servicing_period};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_pair(manager).await?;
        create_period(manager).await?;
        create_change(manager).await?;
        feed::create_head_table(manager, Feed::Servicing).await
    }
}

async fn create_pair(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use servicing_pair::Column;
    let table = Table::create()
        .table(servicing_pair::Entity)
        .col(ColumnDef::new(Column::ClientId).big_integer().not_null())
        .col(ColumnDef::new(Column::PartnerId).big_integer().not_null())
        .col(ColumnDef::new(Column::LastActivityTime).big_integer())
        .primary_key(Index::create().col(Column::ClientId).col(Column::PartnerId))
        .to_owned();
    manager.create_table(table).await?;
    let of_partner = Index::create()
        .name("servicing_pair_partner")
        .table(servicing_pair::Entity)
        .col(Column::PartnerId)
        .col(Column::ClientId)
        .to_owned();
    manager.create_index(of_partner).await
}

async fn create_period(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use servicing_period::Column;
    let mut key = Index::create();
    key.col(Column::ClientId).col(Column::PartnerId).col(Column::Minimum).col(Column::StartTime);
    let table = Table::create()
        .table(servicing_period::Entity)
        .col(ColumnDef::new(Column::ClientId).big_integer().not_null())
        .col(ColumnDef::new(Column::PartnerId).big_integer().not_null())
        .col(ColumnDef::new(Column::Minimum).integer().not_null())
        .col(ColumnDef::new(Column::StartTime).big_integer().not_null())
        .col(ColumnDef::new(Column::EndTime).big_integer().not_null())
        .col(ColumnDef::new(Column::EndCause).text().not_null())
        .primary_key(&mut key)
        .to_owned();
    manager.create_table(table).await
}

async fn create_change(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use servicing_change::Column;
    let table = Table::create()
        .table(servicing_change::Entity)
        .col(ColumnDef::new(Column::Position).big_integer().not_null().primary_key())
        .col(ColumnDef::new(Column::ClientId).big_integer().not_null())
        .col(ColumnDef::new(Column::PartnerId).big_integer().not_null())
        .col(ColumnDef::new(Column::RecordTime).big_integer().not_null())
        .col(ColumnDef::new(Column::Payload).blob().not_null())
        .col(ColumnDef::new(Column::ChainHash).blob().not_null())
        .to_owned();
    manager.create_table(table).await
}
