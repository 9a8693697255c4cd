//! Which of several replicas follows what.

use contracts::Feed;
use sea_orm_migration::prelude::*;
use service_kit::feed;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        feed::create_lease_table(manager, &[Feed::Access, Feed::Servicing]).await
    }
}
