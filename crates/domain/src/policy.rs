//! The dated policy: every number and list that a programme owner has changed or could change (domain.md, opening).
//!
//! Owns: one TOML document, its validation, and the answer to "what was in force at that instant". Does not own: what
//! the numbers are used for. `crates/domain/policy.toml` is the embedded document and explains the format.
//! Invariants: of each subject the entry in force is the latest whose `from` is not after the instant; a policy that
//! exists is valid as a whole.

mod catalogue;
mod compile;
mod dated;
mod digest;
mod document;
mod error;
mod permission_set;
mod source_mapping;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Months, TimeDelta};
use rust_decimal::Decimal;

use crate::access::{CountryCode, EmailDomain, EndingCause, PermissionSet};
use crate::activity::{CatalogueAction, SourceAction};
use crate::money::Currency;
use crate::tier::{Tier, TierThreshold};
use crate::time::{FIRST_STORABLE, Instant, LAST_STORABLE, Period, SECONDS_PER_DAY};
use catalogue::Catalogue;
pub use catalogue::ListedAction;
use dated::Dated;
pub use error::{PolicyError, PolicyViolation};
use permission_set::PermissionSets;
pub use permission_set::{ClientPermission, ClientPermissionError, ClientPermissions};
use source_mapping::SourceMapping;

/// The document that is built in.
const EMBEDDED_DOCUMENT: &str = include_str!("../policy.toml");

/// A valid policy document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    document: String,
    version: String,
    digest: String,
    activity_digest: String,
    window_days: Dated<u32>,
    catalogue: Catalogue,
    source_mapping: SourceMapping,
    ending_effects: BTreeMap<EndingCause, EndingEffect>,
    warning_days: Vec<u32>,
    shared_mail_domains: BTreeSet<EmailDomain>,
    access_link_days: u32,
    permission_sets: PermissionSets,
    minimum_activities: BTreeMap<Option<Tier>, Dated<u32>>,
    units_per_point: BTreeMap<&'static str, Dated<Decimal>>,
    growth_markets: Dated<GrowthMarkets>,
    sold_points: Dated<SoldPoints>,
    sold_credit_months: Dated<u32>,
    tier_thresholds: BTreeMap<Tier, Dated<TierThreshold>>,
    tier_thresholds_official: bool,
}

/// How many points one unit step of sold credit makes (R92).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoldPoints {
    /// Where the partner found the client.
    pub sourced: u32,
    /// Where it helped to sell.
    pub assisted: u32,
}

/// The growth markets from one instant on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct GrowthMarkets {
    multiplier: u32,
    countries: BTreeSet<CountryCode>,
}

/// What the catalogue says of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Qualification {
    /// It qualifies (R50).
    Qualifying,
    /// It is known not to (R52, R53).
    NotQualifying,
    /// The catalogue does not know it.
    Unknown,
}

/// What the cause of an ending does to a relationship (R75).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EndingEffect {
    /// It ends at that instant (R73).
    Immediate,
    /// It goes on until the last activity has expired.
    Lapse,
}

impl EndingEffect {
    /// The name in the document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Immediate => "IMMEDIATE",
            Self::Lapse => "LAPSE",
        }
    }
}

impl Policy {
    /// The largest document that is read, in bytes.
    pub const MAXIMUM_DOCUMENT_BYTES: usize = 1_048_576;

    /// For how many days an access link can be made to live at most (R30).
    pub const MAXIMUM_ACCESS_LINK_DAYS: u32 = 365;

    /// The policy that is built in, read from its text anew: keep it rather than ask for it again.
    ///
    /// # Panics
    /// Never: a test reads the embedded document.
    #[must_use]
    pub fn embedded() -> Self {
        Self::parse(EMBEDDED_DOCUMENT).expect("a test reads the embedded document")
    }

    /// Reads a policy document.
    ///
    /// # Errors
    /// A document that is too large, is not TOML of the right form (with its line), or has entries that are not right:
    /// then all of them, each by its place and with what would be right.
    pub fn parse(document: &str) -> Result<Self, PolicyError> {
        if document.len() > Self::MAXIMUM_DOCUMENT_BYTES {
            return Err(PolicyError::TooLarge { bytes: document.len() });
        }
        let parsed = toml::from_str(document).map_err(|error| PolicyError::malformed(document, &error))?;
        let policy = compile::compile(&parsed).map_err(PolicyError::Invalid)?;
        Ok(Self { document: document.to_owned(), ..policy })
    }

    /// The document that it was read from.
    #[must_use]
    pub fn document(&self) -> &str {
        &self.document
    }

    /// The currencies that convert to points at `at`, by code, with their units (R90).
    pub fn currency_units_at(&self, at: Instant) -> impl Iterator<Item = (&'static str, Decimal)> {
        self.units_per_point.iter().filter_map(move |(code, units)| Some((*code, *units.at(at)?)))
    }

    /// The name that the document gives itself.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// SHA-256 in lower-case hex over the meaning of the whole document with its version: the order of entries,
    /// comments and white space do not change it.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The same over what decides verdicts and periods only: windows, catalogue, source mapping, the effects of
    /// endings, and the distinct minimums. Where two policies agree here, no activity needs to be judged again.
    #[must_use]
    pub fn activity_digest(&self) -> &str {
        &self.activity_digest
    }

    /// For how many days an activity that occurs at `at` counts (R54, R63): 1 to 3,660.
    #[must_use]
    pub fn window_days_at(&self, at: Instant) -> u32 {
        // A valid document has a window from the first storable instant on.
        self.window_days.at(at).copied().unwrap_or(1)
    }

    /// The first instant at which an activity no longer counts: its window in days of 86,400 s after it occurred (R56),
    /// at most the last microsecond of the year 9999.
    #[must_use]
    pub fn expire_time(&self, occur_time: Instant) -> Instant {
        let expire_time = occur_time.checked_add_signed(window(self.window_days_at(occur_time)));
        expire_time.map_or(LAST_STORABLE, |expire_time| expire_time.min(LAST_STORABLE))
    }

    /// When an activity must have occurred so that it lives at some instant of `region`, from its occur time until its
    /// [`Policy::expire_time`]: at most one stretch of occur times for each dated window, in order and disjoint.
    ///
    /// Exact for whole microseconds: an activity lives there if and only if it occurs within one of these. Endings are no
    /// matter here: they only shorten a life.
    #[must_use]
    pub fn occurred_for(&self, region: Period) -> Vec<Period> {
        let Some(Period { start, end }) = region.overlap(Period::between(FIRST_STORABLE, LAST_STORABLE)) else {
            return Vec::new(); // Nothing lives there.
        };
        let in_force_until = self.window_days.iter().skip(1).map(|(from, _)| Some(*from)).chain([None]);
        let occurred = self.window_days.iter().zip(in_force_until).filter_map(|((from, days), until)| {
            // What occurred one window before has expired.
            let unexpired = Period { start: start - window(*days) + TimeDelta::microseconds(1), end };
            unexpired.overlap(Period { start: *from, end: until })
        });
        occurred.collect()
    }

    /// Whether an action qualifies by the catalogue in force at `at` (R50, R63).
    #[must_use]
    pub fn qualification(&self, tool: &str, action: &str, at: Instant) -> Qualification {
        self.catalogue.qualification(tool, action, at)
    }

    /// What a source's words mean by the mapping in force at `at` (R60); the most specific entry wins.
    #[must_use]
    pub fn map_source(&self, source: &SourceAction, at: Instant) -> Option<CatalogueAction> {
        self.source_mapping.map(source, at).cloned()
    }

    /// How many days before its end a relationship is announced as expiring, largest first; never empty.
    #[must_use]
    pub fn warning_days(&self) -> &[u32] {
        &self.warning_days
    }

    /// From how many days before its end on a relationship is called expiring: the largest of `warning_days`.
    #[must_use]
    pub fn longest_warning_days(&self) -> u32 {
        self.warning_days.first().copied().unwrap_or_default()
    }

    /// What a cause does to the relationship (R75).
    #[must_use]
    pub fn ending_effect(&self, cause: EndingCause) -> EndingEffect {
        self.ending_effects.get(&cause).copied().unwrap_or(EndingEffect::Immediate)
    }

    /// Whether a domain is a shared mail provider's, which identifies nobody's employees (R37).
    #[must_use]
    pub fn is_shared_mail_domain(&self, domain: &EmailDomain) -> bool {
        self.shared_mail_domains.contains(domain)
    }

    /// For how many days of 86,400 s an access link can be approved, where its maker does not say (R30): 1 to
    /// [`Policy::MAXIMUM_ACCESS_LINK_DAYS`].
    #[must_use]
    pub const fn access_link_days(&self) -> u32 {
        self.access_link_days
    }

    /// What a permission set allows inside a client account at `at` (R27, R31); none where there is no such set then,
    /// which allows nothing.
    #[must_use]
    pub fn client_permissions(&self, set: &PermissionSet, at: Instant) -> Option<&ClientPermissions> {
        self.permission_sets.permissions(set, at)
    }

    /// Every permission set that there is at `at`, by name: its name, its name for people, and what it allows.
    pub fn permission_sets_at(&self, at: Instant) -> impl Iterator<Item = (&PermissionSet, &str, &ClientPermissions)> {
        self.permission_sets.at(at).map(|(set, named)| (set, named.display_name.as_str(), &named.permissions))
    }

    /// How many live activities a partner of that credited tier (or of none) needs per client at `at` (R57, R63).
    #[must_use]
    pub fn minimum_activities_at(&self, tier: Option<Tier>, at: Instant) -> u32 {
        self.minimum_activities.get(&tier).and_then(|minimums| minimums.at(at)).copied().unwrap_or(1)
    }

    /// Every minimum that the policy has ever known, always with 1: for each of them periods are kept (R57).
    #[must_use]
    pub fn minimums_ever(&self) -> BTreeSet<u32> {
        let known = self.minimum_activities.values().flat_map(Dated::values).copied();
        known.chain([1]).collect()
    }

    /// How many units of the currency make one point at `at` (R90); none without an entry (R98). More than 0, at most
    /// 10^12, with at most six decimals.
    #[must_use]
    pub fn units_per_point_at(&self, currency: Currency, at: Instant) -> Option<Decimal> {
        self.units_per_point.get(currency.code())?.at(at).copied()
    }

    /// How many points one unit step of sold credit makes at `at` (R92), before a growth market multiplies them.
    #[must_use]
    pub fn sold_points_at(&self, at: Instant) -> SoldPoints {
        // A valid document has an entry from the first storable instant on.
        self.sold_points.at(at).copied().unwrap_or(SoldPoints { sourced: 1, assisted: 1 })
    }

    /// The first instant at which a sold credit that closed at `close_time` no longer counts: its calendar months later
    /// (R93), at most the last microsecond of the year 9999.
    #[must_use]
    pub fn sold_credit_end(&self, close_time: Instant) -> Instant {
        let months = self.sold_credit_months.at(close_time).copied().unwrap_or(1);
        let end = close_time.checked_add_months(Months::new(months));
        end.map_or(LAST_STORABLE, |end| end.min(LAST_STORABLE))
    }

    /// What a tier needs at `at` (R99); nothing where the document has no thresholds.
    #[must_use]
    pub fn tier_threshold_at(&self, tier: Tier, at: Instant) -> Option<&TierThreshold> {
        self.tier_thresholds.get(&tier)?.at(at)
    }

    /// Whether the thresholds are the programme's official ones.
    #[must_use]
    pub const fn tier_thresholds_official(&self) -> bool {
        self.tier_thresholds_official
    }

    /// Since when the currency converts as it does at `at`; none without an entry, or where it always did.
    #[must_use]
    pub fn units_per_point_since(&self, currency: Currency, at: Instant) -> Option<Instant> {
        let (period, _) = self.units_per_point.get(currency.code())?.in_force(at)?;
        (period.start > FIRST_STORABLE).then_some(period.start)
    }

    /// Every instant from which on points can be others by this policy alone, in no order: of units per point, growth
    /// markets, sold points, and the minimums of tiers.
    pub fn points_turns(&self) -> impl Iterator<Item = Instant> {
        let units = self.units_per_point.values().flat_map(Dated::turns);
        let minimums = self.minimum_activities.values().flat_map(Dated::turns);
        units.chain(minimums).chain(self.growth_markets.turns()).chain(self.sold_points.turns())
    }

    /// By what points are multiplied for a client of that country at `at` (R90): 1, or the growth markets' 1 to 100.
    #[must_use]
    pub fn multiplier_at(&self, country: CountryCode, at: Instant) -> u32 {
        let markets = self.growth_markets.at(at).filter(|markets| markets.countries.contains(&country));
        markets.map_or(1, |markets| markets.multiplier)
    }

    /// Whether the country is a growth market at `at`.
    #[must_use]
    pub fn is_growth_market_at(&self, country: CountryCode, at: Instant) -> bool {
        self.growth_markets.at(at).is_some_and(|markets| markets.countries.contains(&country))
    }
}

fn window(days: u32) -> TimeDelta {
    TimeDelta::seconds(i64::from(days) * SECONDS_PER_DAY)
}

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
