//! Voided activities, what waits to be judged again, and the indexes by which activities are read.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

use crate::entity::{activity, rejudging, voiding};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_voiding(manager).await?;
        create_rejudging(manager).await?;
        create_indexes(manager).await
    }
}

async fn create_voiding(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use voiding::Column;
    let table = Table::create()
        .table(voiding::Entity)
        .col(ColumnDef::new(Column::ClientId).big_integer().not_null())
        .col(ColumnDef::new(Column::ActivityId).text().not_null())
        .col(ColumnDef::new(Column::Actor).text().not_null())
        .col(ColumnDef::new(Column::OnBehalfOf).text())
        .col(ColumnDef::new(Column::Reason).text().not_null())
        .col(ColumnDef::new(Column::RecordTime).big_integer().not_null())
        .primary_key(Index::create().col(Column::ClientId).col(Column::ActivityId))
        .to_owned();
    manager.create_table(table).await
}

async fn create_rejudging(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use rejudging::Column;
    let table = Table::create()
        .table(rejudging::Entity)
        .col(ColumnDef::new(Column::Id).big_integer().not_null().primary_key())
        .col(ColumnDef::new(Column::AccessPosition).big_integer())
        .col(ColumnDef::new(Column::Kind).text().not_null())
        .col(ColumnDef::new(Column::ClientId).big_integer())
        .col(ColumnDef::new(Column::PartnerId).big_integer())
        .col(ColumnDef::new(Column::Address).text())
        .col(ColumnDef::new(Column::FromTime).big_integer().not_null())
        .col(ColumnDef::new(Column::RecordTime).big_integer().not_null())
        .col(ColumnDef::new(Column::Done).big_integer().not_null())
        .col(ColumnDef::new(Column::LastClientId).big_integer())
        .col(ColumnDef::new(Column::LastPartnerId).big_integer())
        .col(ColumnDef::new(Column::LastActivityId).text())
        .col(ColumnDef::new(Column::LastOccurTime).big_integer())
        .to_owned();
    manager.create_table(table).await
}

async fn create_indexes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    use activity::Column;
    // Lists, newest first.
    let of_client = Index::create()
        .name("activity_client_time")
        .table(activity::Entity)
        .col(Column::ClientId)
        .col(Column::OccurTime)
        .col(Column::ActivityId)
        .to_owned();
    manager.create_index(of_client).await?;
    // Of all; in an order that serves no other list (`store::activity`). SQLite knows no other place for what is absent.
    let of_all = match manager.get_database_backend() {
        DbBackend::Postgres => {
            "CREATE INDEX activity_time ON activity (occur_time NULLS FIRST, client_id, activity_id)"
        }
        _ => "CREATE INDEX activity_time ON activity (occur_time, client_id, activity_id)",
    };
    let connection = manager.get_connection();
    for statement in [
        of_all,
        // What counts for a pair, in the order of time: to compute its periods, to show when what was done last, and to
        // count who did how much with which tool.
        "DROP INDEX activity_counted",
        "CREATE INDEX activity_counted ON activity \
         (client_id, partner_id, occur_time, activity_id, expire_time, employee_id, tool) \
         WHERE expire_time IS NOT NULL",
        // Whose does not count for a pair.
        "CREATE INDEX activity_not_counted ON activity (client_id, partner_id, employee_id, occur_time) \
         WHERE expire_time IS NULL AND partner_id IS NOT NULL",
        // What a person did in a client, and whether and why it does not count.
        "DROP INDEX activity_person_in_client",
        "CREATE INDEX activity_person_in_client ON activity \
         (client_id, address, occur_time, activity_id, expire_time, verdict)",
        "CREATE INDEX activity_partner_time ON activity (partner_id, occur_time, client_id, activity_id) \
         WHERE partner_id IS NOT NULL",
        // What does not count, by why.
        "CREATE INDEX activity_reason ON activity (verdict, occur_time, client_id, activity_id) \
         WHERE expire_time IS NULL",
        "DROP INDEX activity_provisional",
        "CREATE INDEX activity_provisional ON activity (occur_time, client_id, activity_id) WHERE provisional",
    ] {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}
