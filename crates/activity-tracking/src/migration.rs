//! The schema, forward only: one file per step.

mod m0001_access_copy;
mod m0002_activity;
mod m0003_servicing;
mod m0004_requests;
mod m0005_corrections;
mod m0006_lease;
mod m0007_replacements;

use sea_orm_migration::prelude::*;

/// All steps, in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_access_copy::Migration),
            Box::new(m0002_activity::Migration),
            Box::new(m0003_servicing::Migration),
            Box::new(m0004_requests::Migration),
            Box::new(m0005_corrections::Migration),
            Box::new(m0006_lease::Migration),
            Box::new(m0007_replacements::Migration),
        ]
    }
}
