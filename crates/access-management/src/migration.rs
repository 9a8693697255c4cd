//! The schema, forward only: one file per step.

mod m0001_access_log;
mod m0002_requests;
mod m0003_access_links;

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
        ]
    }
}
