//! A partner's month, frozen: what it was credited with at the month's end, and how it came to that.
//!
//! Owns: the document, its hash, and the arithmetic that anybody can check in it. A document is values as text: money and
//! points as decimal numbers, times as RFC 3339. It holds no names of people, so nothing in it ever has to be erased (R128).
//! The hash is the SHA-256 of the document without its `sha256`, in the canonical form of RFC 8785 (JSON Canonicalization
//! Scheme): members sorted, no white space.

mod check;
mod month;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use check::Discrepancy;
pub use month::{Month, MonthError};

/// The form of the documents that are made.
pub const FORMAT_VERSION: u32 = 1;

/// A frozen month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// [`FORMAT_VERSION`] of when it was made.
    pub format_version: u32,
    /// `partners/{hub id}`.
    pub partner: String,
    /// For example `2026-10`.
    pub month: String,
    /// The last instant of the month, of which the rows are.
    pub as_of_time: String,
    /// When it was made.
    pub issue_time: String,
    /// The policy document's name.
    pub policy_version: String,
    /// The SHA-256 of its meaning.
    pub policy_digest: String,
    /// The revisions of the facts that it knew.
    pub revisions: Vec<String>,
    /// The tier that was held at the as-of instant; `NONE` for none.
    pub credited_tier: String,
    /// Managed and sold points just before the month began.
    pub opening_points: String,
    /// Managed and sold points at the as-of instant.
    pub closing_points: String,
    /// A row for each client, by hub id.
    pub rows: Vec<StatementRow>,
    /// The sales that counted at the as-of instant, by id.
    pub sales: Vec<StatementSale>,
    /// What the points gained and lost in the month, in order.
    pub changes: Vec<StatementChange>,
    /// Of all rows.
    pub totals: StatementTotals,
    /// The hash over all of the above, in lower-case hex.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
}

/// An amount of one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementMoney {
    /// ISO 4217.
    pub currency_code: String,
    /// With all decimals of the currency.
    pub amount: String,
}

/// What one client brought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementRow {
    /// `clients/{hub id}`.
    pub client: String,
    /// Its name when the statement was made; empty where it was not known.
    pub client_display_name: String,
    /// Empty where it was not known.
    pub country_code: String,
    /// Whether that is a growth market.
    pub growth_market: bool,
    /// What it paid a month; absent where that was not known.
    pub mrr: Option<StatementMoney>,
    /// How many partners shared it.
    pub servicing_partners: u32,
    /// The share; absent where it was not known.
    pub credit: Option<StatementMoney>,
    /// Absent where the currency does not convert, or is not known.
    pub units_per_point: Option<String>,
    /// Absent where the country was not known.
    pub multiplier: Option<u32>,
    /// Absent where they could not be computed.
    pub managed_points: Option<String>,
    /// Why they could not; empty where they could.
    pub points_absent_reason: String,
    /// Absent where they could not be computed.
    pub sold_points: Option<String>,
    /// The state of the relationship.
    pub state: String,
    /// Why there was no credit; empty where there was.
    pub no_credit_reason: String,
    /// Since when the client had been serviced.
    pub serviced_since_time: Option<String>,
    /// When that would end, or had ended.
    pub expire_time: Option<String>,
    /// When the last counted activity had occurred.
    pub last_activity_time: Option<String>,
}

/// A sale that counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementSale {
    /// `clients/{hub id}`.
    pub client: String,
    /// The caller's id.
    pub sold_credit_id: String,
    /// `SOURCED` or `ASSISTED`.
    pub kind: String,
    /// What was sold.
    pub amount: StatementMoney,
    /// When it was closed.
    pub close_time: String,
    /// Absent where the currency does not convert.
    pub units_per_point: Option<String>,
    /// Points of one unit step.
    pub points_per_step: u32,
    /// Absent where the country was not known.
    pub multiplier: Option<u32>,
    /// Absent where they could not be computed.
    pub points: Option<String>,
}

/// Points that were gained or lost.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementChange {
    /// The first instant at which it held.
    pub time: String,
    /// `clients/{hub id}`.
    pub client: String,
    /// `MANAGED` or `SOLD`.
    pub kind: String,
    /// Why.
    pub cause: String,
    /// Below zero where they were lost.
    pub difference: String,
}

/// What all rows have together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatementTotals {
    /// Of the rows that have them.
    pub managed_points: String,
    /// How many rows have none because they could not be computed.
    pub rows_without_points: u32,
    /// Of the rows that have them.
    pub sold_points: String,
    /// How many rows have none because they could not be computed.
    pub rows_without_sold_points: u32,
    /// Managed and sold points together.
    pub total_points: String,
    /// The credit, one amount for each currency (R10), by its code.
    pub credits: Vec<StatementMoney>,
}

impl Statement {
    /// The bytes that the hash is made of: the document without its `sha256`, in the canonical form of RFC 8785.
    ///
    /// # Panics
    /// Never: there is nothing in it that JSON cannot say.
    #[must_use]
    pub fn canonical(&self) -> Vec<u8> {
        let unsealed = Self { sha256: String::new(), ..self.clone() };
        serde_json_canonicalizer::to_vec(&unsealed).expect("texts, whole numbers and lists are JSON")
    }

    /// The whole document with its hash, in the same form.
    ///
    /// # Panics
    /// Never: there is nothing in it that JSON cannot say.
    #[must_use]
    pub fn exported(&self) -> Vec<u8> {
        serde_json_canonicalizer::to_vec(self).expect("texts, whole numbers and lists are JSON")
    }

    /// The hash over [`Self::canonical`], in lower-case hex.
    #[must_use]
    pub fn hash(&self) -> String {
        Sha256::digest(self.canonical()).iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The same with its hash.
    #[must_use]
    pub fn sealed(self) -> Self {
        let sha256 = self.hash();
        Self { sha256, ..self }
    }
}

#[cfg(test)]
mod tests;
