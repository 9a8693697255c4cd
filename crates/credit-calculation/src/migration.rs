//! The schema, forward only: one file per step.

mod m0001_copies;
mod m0002_subscriptions;
mod m0003_client_countries;
mod m0004_requests;
mod m0005_tiers;
mod m0006_statements;
mod m0007_lease;
mod m0008_expiring;
mod m0009_changed_pairs;
mod m0010_replacements;

use sea_orm_migration::prelude::*;

/// All steps, in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_copies::Migration),
            Box::new(m0002_subscriptions::Migration),
            Box::new(m0003_client_countries::Migration),
            Box::new(m0004_requests::Migration),
            Box::new(m0005_tiers::Migration),
            Box::new(m0006_statements::Migration),
            Box::new(m0007_lease::Migration),
            Box::new(m0008_expiring::Migration),
            Box::new(m0009_changed_pairs::Migration),
            Box::new(m0010_replacements::Migration),
        ]
    }
}
