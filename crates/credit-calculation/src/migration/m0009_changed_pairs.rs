//! What changed since a position is told by client and partner, so that only that is read again.

use sea_orm_migration::prelude::*;

use crate::entity::{changed_pair, copy_journal, sold_credit};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_changed_pairs(manager).await?;
        create_journals(manager).await?;
        let index = Index::create()
            .name("sold_credit_client")
            .table(sold_credit::Entity)
            .col(sold_credit::Column::PartnerId)
            .col(sold_credit::Column::ClientId)
            .to_owned();
        manager.create_index(index).await
    }
}

async fn create_changed_pairs(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use changed_pair::{Column, Entity};
    let table = Table::create()
        .table(Entity)
        .col(ColumnDef::new(Column::Feed).text().not_null())
        .col(ColumnDef::new(Column::ClientId).big_integer().not_null())
        .col(ColumnDef::new(Column::PartnerId).big_integer().not_null())
        .col(ColumnDef::new(Column::Position).big_integer().not_null())
        .primary_key(Index::create().col(Column::Feed).col(Column::ClientId).col(Column::PartnerId))
        .to_owned();
    manager.create_table(table).await?;
    let index =
        Index::create().name("changed_pair_position").table(Entity).col(Column::Feed).col(Column::Position).to_owned();
    manager.create_index(index).await
}

async fn create_journals(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use copy_journal::{Column, Entity};
    let table = Table::create()
        .table(Entity)
        .col(ColumnDef::new(Column::Feed).text().not_null().primary_key())
        .col(ColumnDef::new(Column::Position).big_integer().not_null())
        .col(ColumnDef::new(Column::CaughtUpTime).big_integer())
        .col(ColumnDef::new(Column::Generation).big_integer().not_null())
        .to_owned();
    manager.create_table(table).await?;
    let start = "INSERT INTO copy_journal (feed, position, caught_up_time, generation) \
                 SELECT feed, position, caught_up_time, 0 FROM feed_cursor";
    manager.get_connection().execute_unprepared(start).await.map(drop)
}
