//! The other half of a tier, and tiers: sales, certifications, evaluations, and what people granted.

use sea_orm_migration::prelude::*;

use crate::entity::{certification_change, sold_credit, sold_credit_voiding, tier_evaluation, tier_grant};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tables = [sold_credits(), voidings(), certifications(), grants(), evaluations()];
        for (table, index) in tables {
            manager.create_table(table).await?;
            manager.create_index(index).await?;
        }
        Ok(())
    }
}

fn sold_credits() -> (TableCreateStatement, IndexCreateStatement) {
    let table = Table::create()
        .table(sold_credit::Entity)
        .col(ColumnDef::new(sold_credit::Column::Position).big_integer().not_null().primary_key())
        .col(ColumnDef::new(sold_credit::Column::PartnerId).big_integer().not_null())
        .col(ColumnDef::new(sold_credit::Column::SoldCreditId).text().not_null())
        .col(ColumnDef::new(sold_credit::Column::ClientId).big_integer().not_null())
        .col(ColumnDef::new(sold_credit::Column::Kind).text().not_null())
        .col(ColumnDef::new(sold_credit::Column::CurrencyCode).text().not_null())
        .col(ColumnDef::new(sold_credit::Column::MinorUnits).big_integer().not_null())
        .col(ColumnDef::new(sold_credit::Column::CloseTime).big_integer().not_null())
        .col(ColumnDef::new(sold_credit::Column::RecordTime).big_integer().not_null())
        .col(ColumnDef::new(sold_credit::Column::Actor).text().not_null())
        .to_owned();
    let index = Index::create()
        .name("sold_credit_partner")
        .table(sold_credit::Entity)
        .col(sold_credit::Column::PartnerId)
        .col(sold_credit::Column::SoldCreditId)
        .unique()
        .to_owned();
    (table, index)
}

fn voidings() -> (TableCreateStatement, IndexCreateStatement) {
    let table = Table::create()
        .table(sold_credit_voiding::Entity)
        .col(ColumnDef::new(sold_credit_voiding::Column::Position).big_integer().not_null().primary_key())
        .col(ColumnDef::new(sold_credit_voiding::Column::PartnerId).big_integer().not_null())
        .col(ColumnDef::new(sold_credit_voiding::Column::SoldCreditId).text().not_null())
        .col(ColumnDef::new(sold_credit_voiding::Column::Reason).text().not_null())
        .col(ColumnDef::new(sold_credit_voiding::Column::RecordTime).big_integer().not_null())
        .col(ColumnDef::new(sold_credit_voiding::Column::Actor).text().not_null())
        .to_owned();
    let index = Index::create()
        .name("sold_credit_voiding_partner")
        .table(sold_credit_voiding::Entity)
        .col(sold_credit_voiding::Column::PartnerId)
        .col(sold_credit_voiding::Column::SoldCreditId)
        .unique()
        .to_owned();
    (table, index)
}

fn certifications() -> (TableCreateStatement, IndexCreateStatement) {
    let table = Table::create()
        .table(certification_change::Entity)
        .col(ColumnDef::new(certification_change::Column::Position).big_integer().not_null().primary_key())
        .col(ColumnDef::new(certification_change::Column::PartnerId).big_integer().not_null())
        .col(ColumnDef::new(certification_change::Column::EffectiveTime).big_integer().not_null())
        .col(ColumnDef::new(certification_change::Column::ExpireTime).big_integer().not_null())
        .col(ColumnDef::new(certification_change::Column::RecordTime).big_integer().not_null())
        .col(ColumnDef::new(certification_change::Column::Actor).text().not_null())
        .to_owned();
    let index = Index::create()
        .name("certification_change_partner")
        .table(certification_change::Entity)
        .col(certification_change::Column::PartnerId)
        .col(certification_change::Column::EffectiveTime)
        .to_owned();
    (table, index)
}

fn grants() -> (TableCreateStatement, IndexCreateStatement) {
    let table = Table::create()
        .table(tier_grant::Entity)
        .col(ColumnDef::new(tier_grant::Column::Position).big_integer().not_null().primary_key())
        .col(ColumnDef::new(tier_grant::Column::PartnerId).big_integer().not_null())
        .col(ColumnDef::new(tier_grant::Column::EffectiveTime).big_integer().not_null())
        .col(ColumnDef::new(tier_grant::Column::Tier).text())
        .col(ColumnDef::new(tier_grant::Column::Reason).text().not_null())
        .col(ColumnDef::new(tier_grant::Column::RecordTime).big_integer().not_null())
        .col(ColumnDef::new(tier_grant::Column::Actor).text().not_null())
        .to_owned();
    let index = Index::create()
        .name("tier_grant_partner")
        .table(tier_grant::Entity)
        .col(tier_grant::Column::PartnerId)
        .col(tier_grant::Column::EffectiveTime)
        .to_owned();
    (table, index)
}

fn evaluations() -> (TableCreateStatement, IndexCreateStatement) {
    let table = Table::create()
        .table(tier_evaluation::Entity)
        .col(ColumnDef::new(tier_evaluation::Column::Position).big_integer().not_null().primary_key())
        .col(ColumnDef::new(tier_evaluation::Column::PartnerId).big_integer().not_null())
        .col(ColumnDef::new(tier_evaluation::Column::EvaluationTime).big_integer().not_null())
        .col(ColumnDef::new(tier_evaluation::Column::ManagedPoints).big_integer().not_null())
        .col(ColumnDef::new(tier_evaluation::Column::SoldPoints).big_integer().not_null())
        .col(ColumnDef::new(tier_evaluation::Column::SourcedPoints).big_integer().not_null())
        .col(ColumnDef::new(tier_evaluation::Column::ClientsWithoutPoints).big_integer().not_null())
        .col(ColumnDef::new(tier_evaluation::Column::MetTier).text())
        .col(ColumnDef::new(tier_evaluation::Column::Certified).boolean().not_null())
        .col(ColumnDef::new(tier_evaluation::Column::TierBefore).text())
        .col(ColumnDef::new(tier_evaluation::Column::TierAfter).text())
        .col(ColumnDef::new(tier_evaluation::Column::Outcome).text().not_null())
        .col(ColumnDef::new(tier_evaluation::Column::EliteEligible).boolean().not_null())
        .col(ColumnDef::new(tier_evaluation::Column::PolicyDigest).text().not_null())
        .col(ColumnDef::new(tier_evaluation::Column::RecordTime).big_integer().not_null())
        .col(ColumnDef::new(tier_evaluation::Column::Actor).text().not_null())
        .to_owned();
    let index = Index::create()
        .name("tier_evaluation_partner")
        .table(tier_evaluation::Entity)
        .col(tier_evaluation::Column::PartnerId)
        .col(tier_evaluation::Column::EvaluationTime)
        .unique()
        .to_owned();
    (table, index)
}
