//! The copy of the access log, and where it is in the feed.

use contracts::Feed;
use sea_orm_migration::prelude::*;
use service_kit::{access_log, feed};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        access_log::create_table(manager).await?;
        feed::create_cursor_table(manager, &[Feed::Access]).await
    }
}
