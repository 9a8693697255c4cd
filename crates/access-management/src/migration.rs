//! The schema, forward only: one file per step.

mod m0001_access_log;
mod m0002_requests;
mod m0003_access_links;
mod m0004_assets;
mod m0005_audit_log;

use sea_orm_migration::prelude::*;

/// All steps, in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_access_log::Migration),
            Box::new(m0002_requests::Migration),
            Box::new(m0003_access_links::Migration),
            Box::new(m0004_assets::Migration),
            Box::new(m0005_audit_log::Migration),
        ]
    }
}
