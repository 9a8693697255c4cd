//! Which relationships end soon is found without reading those that do not.

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = "CREATE INDEX servicing_period_end ON servicing_period (minimum, end_time)";
        manager.get_connection().execute_unprepared(index).await.map(drop)
    }
}
