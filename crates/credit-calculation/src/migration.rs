//! The schema, forward only: one file per step.

mod m0001_copies;
mod m0002_subscriptions;

use sea_orm_migration::prelude::*;

/// All steps, in order.
#[derive(Debug)]
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_copies::Migration), Box::new(m0002_subscriptions::Migration)]
    }
}
