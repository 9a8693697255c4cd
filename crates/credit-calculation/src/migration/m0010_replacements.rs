//! How often a copy was replaced by one that was built anew.

use sea_orm_migration::prelude::*;
use service_kit::feed;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        feed::add_replacements_column(manager).await
    }
}
