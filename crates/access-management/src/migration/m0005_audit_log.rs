//! The access log as the audit log.

use sea_orm_migration::prelude::*;
use service_kit::access_log;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        access_log::create_listing_indexes(manager).await
    }
}
