//! The document as it is written. `policy.toml` explains each key.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::value::Datetime;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) version: String,
    pub(super) warning_days: Vec<u32>,
    pub(super) shared_mail_domains: Vec<String>,
    pub(super) access_link_days: u32,
    pub(super) permission_sets: Vec<PermissionSetEntry>,
    pub(super) windows: Vec<WindowEntry>,
    pub(super) endings: EndingTable,
    #[serde(default)]
    pub(super) minimum_activities: Vec<MinimumEntry>,
    pub(super) currency_units: Vec<CurrencyEntry>,
    pub(super) growth_markets: Vec<GrowthMarketEntry>,
    pub(super) sold_points: Vec<SoldPointsEntry>,
    pub(super) sold_credit_months: Vec<SoldCreditMonthsEntry>,
    pub(super) tier_thresholds_official: bool,
    pub(super) tier_thresholds: Vec<TierThresholdEntry>,
    pub(super) catalogue: Vec<CatalogueEntry>,
    pub(super) source_mapping: Vec<SourceMappingEntry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PermissionSetEntry {
    pub(super) from: Datetime,
    pub(super) name: String,
    pub(super) display_name: String,
    pub(super) permissions: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowEntry {
    pub(super) from: Datetime,
    pub(super) days: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EndingTable {
    pub(super) all_employees_removed: EndingEffectWord,
    pub(super) services_ended: EndingEffectWord,
    pub(super) partner_left: EndingEffectWord,
    pub(super) client_closed: EndingEffectWord,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum EndingEffectWord {
    Immediate,
    Lapse,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct MinimumEntry {
    pub(super) from: Datetime,
    pub(super) tier: String,
    pub(super) minimum: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CurrencyEntry {
    pub(super) from: Datetime,
    pub(super) currency: String,
    pub(super) units_per_point: toml::Value,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GrowthMarketEntry {
    pub(super) from: Datetime,
    pub(super) multiplier: u32,
    pub(super) countries: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SoldPointsEntry {
    pub(super) from: Datetime,
    pub(super) sourced: u32,
    pub(super) assisted: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SoldCreditMonthsEntry {
    pub(super) from: Datetime,
    pub(super) months: u32,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TierThresholdEntry {
    pub(super) from: Datetime,
    pub(super) tier: String,
    pub(super) total: toml::Value,
    pub(super) sold: Option<toml::Value>,
    pub(super) sourced: Option<toml::Value>,
    pub(super) managed: Option<toml::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CatalogueEntry {
    pub(super) from: Datetime,
    pub(super) tools: Vec<String>,
    #[serde(default)]
    pub(super) qualifying: Vec<String>,
    #[serde(default)]
    pub(super) not_qualifying: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SourceMappingEntry {
    pub(super) from: Datetime,
    pub(super) system: String,
    pub(super) actions: BTreeMap<String, String>,
}
