//! Activities with their verdicts, and the policy under which they were given.

use sea_orm_migration::prelude::*;

use crate::entity::{activity, judged_policy};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_activity(manager).await?;
        create_indexes(manager).await?;
        let judged_policy = Table::create()
            .table(judged_policy::Entity)
            .col(ColumnDef::new(judged_policy::Column::Id).integer().not_null().primary_key())
            .col(ColumnDef::new(judged_policy::Column::ActivityDigest).text().not_null())
            .to_owned();
        manager.create_table(judged_policy).await
    }
}

async fn create_activity(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use activity::Column;
    let table = Table::create()
        .table(activity::Entity)
        .col(ColumnDef::new(Column::ClientId).big_integer().not_null())
        .col(ColumnDef::new(Column::ActivityId).text().not_null())
        .col(ColumnDef::new(Column::Address).text().not_null())
        .col(ColumnDef::new(Column::OccurTime).big_integer().not_null())
        .col(ColumnDef::new(Column::Payload).blob().not_null())
        .col(ColumnDef::new(Column::RecordTime).big_integer().not_null())
        .col(ColumnDef::new(Column::Verdict).text().not_null())
        .col(ColumnDef::new(Column::PartnerId).big_integer())
        .col(ColumnDef::new(Column::EmployeeId).uuid())
        .col(ColumnDef::new(Column::Tool).text())
        .col(ColumnDef::new(Column::Action).text())
        .col(ColumnDef::new(Column::ExpireTime).big_integer())
        .col(ColumnDef::new(Column::Provisional).boolean().not_null())
        .primary_key(Index::create().col(Column::ClientId).col(Column::ActivityId))
        .to_owned();
    manager.create_table(table).await
}

async fn create_indexes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use activity::Column;
    // To judge one person's activities again, in one client or in all.
    let of_person_in_client: [Column; 4] = [Column::ClientId, Column::Address, Column::OccurTime, Column::ActivityId];
    let of_person: [Column; 4] = [Column::Address, Column::OccurTime, Column::ClientId, Column::ActivityId];
    for (name, columns) in [("activity_person_in_client", of_person_in_client), ("activity_person", of_person)] {
        let mut index = Index::create();
        index.name(name).table(activity::Entity);
        for column in columns {
            index.col(column);
        }
        manager.create_index(index).await?;
    }
    // What counts for a pair, to compute its periods; the few that are marked.
    let counted = "CREATE INDEX activity_counted ON activity (client_id, partner_id, expire_time) \
                   WHERE expire_time IS NOT NULL";
    let provisional = "CREATE INDEX activity_provisional ON activity (client_id) WHERE provisional";
    for statement in [counted, provisional] {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
