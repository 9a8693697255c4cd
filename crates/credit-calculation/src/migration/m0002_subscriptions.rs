//! What clients pay, and the head of this service's own facts.

use contracts::Feed;
use sea_orm_migration::prelude::*;
use service_kit::feed;

use crate::entity::subscription_change::{Column, Entity};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        feed::create_head_table(manager, Feed::Credit).await?;
        let table = Table::create()
            .table(Entity)
            .col(ColumnDef::new(Column::Position).big_integer().not_null().primary_key())
            .col(ColumnDef::new(Column::ClientId).big_integer().not_null())
            .col(ColumnDef::new(Column::SubscriptionId).text().not_null())
            .col(ColumnDef::new(Column::EffectiveTime).big_integer().not_null())
            .col(ColumnDef::new(Column::RecordTime).big_integer().not_null())
            .col(ColumnDef::new(Column::Actor).text().not_null())
            .col(ColumnDef::new(Column::CurrencyCode).text().not_null())
            .col(ColumnDef::new(Column::MinorUnits).big_integer().not_null())
            .to_owned();
        manager.create_table(table).await?;
        let index = Index::create()
            .name("subscription_change_client")
            .table(Entity)
            .col(Column::ClientId)
            .col(Column::SubscriptionId)
            .col(Column::EffectiveTime)
            .to_owned();
        manager.create_index(index).await
    }
}
