//! Requests that carry an id of the caller's.

use sea_orm_migration::prelude::*;
use service_kit::request_log;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        request_log::create_table(manager).await
    }
}
