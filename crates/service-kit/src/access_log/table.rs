//! The table of the access log, for the migrations of services.

use sea_orm::DbErr;
use sea_orm::sea_query::{ColumnDef, Index, Table};
use sea_orm_migration::SchemaManager;

use super::entity::{Column, Entity};

/// Creates the access log with an index for each key that a question starts from, and for whoever acted, so that an
/// erasure finds all that it rewrites (R128).
///
/// # Errors
/// The database refuses.
pub async fn create_table(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table(Entity)
        .col(ColumnDef::new(Column::Position).big_integer().not_null().primary_key())
        .col(ColumnDef::new(Column::Kind).text().not_null())
        .col(ColumnDef::new(Column::EffectiveTime).big_integer().not_null())
        .col(ColumnDef::new(Column::RecordTime).big_integer().not_null())
        .col(ColumnDef::new(Column::Actor).text().not_null())
        .col(ColumnDef::new(Column::OnBehalfOf).text())
        .col(ColumnDef::new(Column::PartnerId).big_integer())
        .col(ColumnDef::new(Column::ClientId).big_integer())
        .col(ColumnDef::new(Column::Address).text())
        .col(ColumnDef::new(Column::SubjectId).uuid())
        .col(ColumnDef::new(Column::IsNotice).boolean().not_null())
        .col(ColumnDef::new(Column::Payload).blob().not_null())
        .col(ColumnDef::new(Column::ChainHash).blob().not_null())
        .to_owned();
    manager.create_table(table).await?;
    let indexes: [(&str, &[Column]); 6] = [
        ("access_change_partner", &[Column::PartnerId, Column::ClientId, Column::Address]),
        ("access_change_client", &[Column::ClientId, Column::Address]),
        ("access_change_address", &[Column::Address, Column::ClientId]),
        ("access_change_subject", &[Column::SubjectId]),
        ("access_change_actor", &[Column::Actor]),
        ("access_change_on_behalf_of", &[Column::OnBehalfOf]),
    ];
    create_indexes(manager, &indexes).await
}

/// Adds the indexes from which the audit log is listed, newest first: for the service that people ask. Followers, who
/// have copies to judge by, do without.
///
/// # Errors
/// The database refuses.
pub async fn create_listing_indexes(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let indexes: [(&str, &[Column]); 4] = [
        ("access_change_partner_position", &[Column::PartnerId, Column::Position]),
        ("access_change_client_position", &[Column::ClientId, Column::Position]),
        ("access_change_kind_position", &[Column::Kind, Column::Position]),
        ("access_change_effective_time", &[Column::EffectiveTime]),
    ];
    create_indexes(manager, &indexes).await
}

async fn create_indexes(manager: &SchemaManager<'_>, indexes: &[(&str, &[Column])]) -> Result<(), DbErr> {
    for (name, columns) in indexes {
        let mut index = Index::create();
        index.name(*name).table(Entity);
        for column in *columns {
            index.col(*column);
        }
        manager.create_index(index).await?;
    }
    Ok(())
}
