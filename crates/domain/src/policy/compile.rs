//! From the document as written to a valid policy, or everything that is wrong with it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::ops::RangeInclusive;

use chrono::DateTime;
use rust_decimal::Decimal;
use toml::value::Datetime;

use super::catalogue::{Actions, Catalogue};
use super::dated::Dated;
use super::document::{
    CatalogueEntry, CurrencyEntry, Document, EndingEffectWord, EndingTable, GrowthMarketEntry, MinimumEntry,
    PermissionSetEntry, SoldCreditMonthsEntry, SoldPointsEntry, SourceMappingEntry, TierThresholdEntry, WindowEntry,
};
use super::error::{Findings, PolicyViolation};
use super::permission_set::{NamedPermissions, PermissionSets};
use super::source_mapping::{SourceMapping, SourcePattern};
use super::{
    ClientPermission, ClientPermissions, EndingEffect, GrowthMarkets, Policy, Qualification, SoldPoints, digest,
};
use crate::access::{EmailDomain, EndingCause, PermissionSet};
use crate::activity::{CatalogueAction, is_catalogue_word, is_source_word};
use crate::money::{Currency, Points};
use crate::tier::{Tier, TierThreshold};
use crate::time::{FIRST_STORABLE, Instant, cut_to_microseconds, is_storable};

const WINDOW_DAYS: RangeInclusive<u32> = 1..=3660;
const MINIMUM_ACTIVITIES: RangeInclusive<u32> = 1..=1000;
const MULTIPLIER: RangeInclusive<u32> = 1..=100;
const ACCESS_LINK_DAYS: RangeInclusive<u32> = 1..=Policy::MAXIMUM_ACCESS_LINK_DAYS;
const MAXIMUM_VERSION_CHARACTERS: usize = 64;
const MAXIMUM_DISPLAY_NAME_CHARACTERS: usize = 100;
/// 10^12.
const MAXIMUM_UNITS_PER_POINT: Decimal = Decimal::from_parts(0xD4A5_1000, 0xE8, 0, false, 0);
const MAXIMUM_UNITS_DECIMALS: u32 = 6;
const SOLD_POINTS: RangeInclusive<u32> = 1..=100;
const SOLD_CREDIT_MONTHS: RangeInclusive<u32> = 1..=120;
/// 10^9.
const MAXIMUM_THRESHOLD: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
const ANY_TOOL: &str = "*";

pub(super) fn compile(document: &Document) -> Result<Policy, Vec<PolicyViolation>> {
    let mut findings = Findings::default();
    let found = &mut findings;
    check_version(&document.version, found);
    check_warning_days(&document.warning_days, found);
    check_range("access_link_days", document.access_link_days, ACCESS_LINK_DAYS, found);
    let catalogue = catalogue(&document.catalogue, found);
    let policy = Policy {
        document: String::new(),
        version: document.version.clone(),
        digest: String::new(),
        activity_digest: String::new(),
        window_days: window_days(&document.windows, found),
        source_mapping: source_mapping(&document.source_mapping, &catalogue, found),
        catalogue,
        ending_effects: ending_effects(&document.endings),
        warning_days: document.warning_days.clone(),
        shared_mail_domains: shared_mail_domains(&document.shared_mail_domains, found),
        access_link_days: document.access_link_days,
        permission_sets: permission_sets(&document.permission_sets, found),
        minimum_activities: minimum_activities(&document.minimum_activities, found),
        units_per_point: units_per_point(&document.currency_units, found),
        growth_markets: growth_markets(&document.growth_markets, found),
        sold_points: sold_points(&document.sold_points, found),
        sold_credit_months: sold_credit_months(&document.sold_credit_months, found),
        tier_thresholds: tier_thresholds(&document.tier_thresholds, found),
        tier_thresholds_official: document.tier_thresholds_official,
    };
    if findings.violations.is_empty() { Ok(digest::seal(policy)) } else { Err(findings.violations) }
}

fn check_version(version: &str, findings: &mut Findings) {
    let is_name = (1..=MAXIMUM_VERSION_CHARACTERS).contains(&version.len())
        && version.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_name {
        findings.add("version", "is 1 to 64 printable ASCII characters without spaces, for example 2025-07-15");
    }
}

fn check_warning_days(days: &[u32], findings: &mut Findings) {
    if days.is_empty() {
        findings.add("warning_days", "needs at least one number of days");
    }
    for (index, each) in days.iter().enumerate() {
        let entry = format!("warning_days[{index}]");
        check_range(&entry, *each, WINDOW_DAYS, findings);
        if index > 0 && days[index - 1] <= *each {
            findings.add(entry, "must be less than the one before it: largest first, none twice");
        }
    }
}

fn window_days(entries: &[WindowEntry], findings: &mut Findings) -> Dated<u32> {
    let mut windows = Dated::default();
    for (index, entry) in entries.iter().enumerate() {
        let place = format!("windows[{index}]");
        check_range(&format!("{place}.days"), entry.days, WINDOW_DAYS, findings);
        insert(&place, &mut windows, &entry.from, entry.days, findings);
    }
    if windows.at(FIRST_STORABLE).is_none() {
        findings.add("windows", "needs an entry from 0001-01-01 on, so that every activity has a window");
    }
    windows
}

fn ending_effects(table: &EndingTable) -> BTreeMap<EndingCause, EndingEffect> {
    let effects = [
        (EndingCause::AllEmployeesRemoved, table.all_employees_removed),
        (EndingCause::ServicesEnded, table.services_ended),
        (EndingCause::PartnerLeft, table.partner_left),
        (EndingCause::ClientClosed, table.client_closed),
    ];
    let effect = |word| match word {
        EndingEffectWord::Immediate => EndingEffect::Immediate,
        EndingEffectWord::Lapse => EndingEffect::Lapse,
    };
    effects.into_iter().map(|(cause, word)| (cause, effect(word))).collect()
}

fn shared_mail_domains(entries: &[String], findings: &mut Findings) -> BTreeSet<EmailDomain> {
    let mut domains = BTreeSet::new();
    for (index, entry) in entries.iter().enumerate() {
        let place = format!("shared_mail_domains[{index}]");
        let Some(domain) = findings.value(&place, entry.parse::<EmailDomain>()) else { continue };
        if !domains.insert(domain) {
            findings.add(place, format!("{entry} is there twice"));
        }
    }
    domains
}

fn permission_sets(entries: &[PermissionSetEntry], findings: &mut Findings) -> PermissionSets {
    let mut sets = PermissionSets::default();
    for (index, entry) in entries.iter().enumerate() {
        let place = format!("permission_sets[{index}]");
        check_display_name(&format!("{place}.display_name"), &entry.display_name, findings);
        let permissions = client_permissions(&place, entry, findings);
        let named = NamedPermissions { display_name: entry.display_name.clone(), permissions };
        let Some(set) = findings.value(format!("{place}.name"), entry.name.parse::<PermissionSet>()) else { continue };
        insert(&place, sets.sets.entry(set).or_default(), &entry.from, named, findings);
    }
    check_required_sets(&sets, findings);
    sets
}

fn check_display_name(place: &str, name: &str, findings: &mut Findings) {
    let is_name = (1..=MAXIMUM_DISPLAY_NAME_CHARACTERS).contains(&name.chars().count())
        && name.trim() == name
        && !name.contains(char::is_control);
    if !is_name {
        findings.add(place, "is 1 to 100 characters, without spaces around it and without control characters");
    }
}

fn client_permissions(place: &str, entry: &PermissionSetEntry, findings: &mut Findings) -> ClientPermissions {
    let mut permissions = BTreeSet::new();
    for (index, word) in entry.permissions.iter().enumerate() {
        let place = format!("{place}.permissions[{index}]");
        let Some(permission) = findings.value(&place, word.parse::<ClientPermission>()) else { continue };
        if !permissions.insert(permission) {
            findings.add(place, format!("{word} is there twice"));
        }
    }
    if permissions.len() > 1 && permissions.contains(&ClientPermission::ManageOwnEmployees) {
        let problem =
            "MANAGE_OWN_EMPLOYEES is for a partner's people, who may do nothing else of access; it stands alone";
        findings.add(format!("{place}.permissions"), problem);
    }
    permissions.into_iter().collect()
}

/// Every other set is the owner's; these are the columns of the matrix of permissions.
fn check_required_sets(sets: &PermissionSets, findings: &mut Findings) {
    for (name, permissions) in PermissionSets::required() {
        let entries = sets.of_name(name);
        if entries.and_then(|entries| entries.at(FIRST_STORABLE)).is_none() {
            findings.add("permission_sets", format!("needs an entry for {name} from 0001-01-01 on"));
        }
        let differs = |named: &NamedPermissions| named.permissions != permissions;
        if entries.is_some_and(|entries| entries.values().any(differs)) {
            let words: Vec<_> = permissions.iter().map(ClientPermission::as_str).collect();
            findings.add("permission_sets", format!("{name} always allows exactly [{}]", words.join(", ")));
        }
    }
}

fn minimum_activities(entries: &[MinimumEntry], findings: &mut Findings) -> BTreeMap<Option<Tier>, Dated<u32>> {
    let mut minimums = BTreeMap::<_, Dated<u32>>::new();
    for (index, entry) in entries.iter().enumerate() {
        let place = format!("minimum_activities[{index}]");
        check_range(&format!("{place}.minimum"), entry.minimum, MINIMUM_ACTIVITIES, findings);
        let tier = match entry.tier.as_str() {
            "NONE" => None,
            name => match name.parse::<Tier>() {
                Ok(tier) => Some(tier),
                Err(_) => {
                    findings.add(format!("{place}.tier"), "is GOLD, PLATINUM, DIAMOND, ELITE or NONE");
                    continue;
                }
            },
        };
        insert(&place, minimums.entry(tier).or_default(), &entry.from, entry.minimum, findings);
    }
    minimums
}

fn units_per_point(entries: &[CurrencyEntry], findings: &mut Findings) -> BTreeMap<&'static str, Dated<Decimal>> {
    let mut units_per_point = BTreeMap::<_, Dated<Decimal>>::new();
    for (index, entry) in entries.iter().enumerate() {
        let place = format!("currency_units[{index}]");
        let currency = findings.value(format!("{place}.currency"), entry.currency.parse::<Currency>());
        let units = findings.value(format!("{place}.units_per_point"), units(&entry.units_per_point));
        if let (Some(currency), Some(units)) = (currency, units) {
            insert(&place, units_per_point.entry(currency.code()).or_default(), &entry.from, units, findings);
        }
    }
    units_per_point
}

fn units(value: &toml::Value) -> Result<Decimal, &'static str> {
    const FORM: &str = "is a number above 0, at most 10^12, with at most 6 decimals, in quotes so that it stays exact";
    let units = match value {
        toml::Value::Integer(whole) => Decimal::from(*whole),
        toml::Value::String(text) => Decimal::from_str_exact(text).map_err(|_| FORM)?,
        _ => return Err(FORM),
    };
    let units = units.normalize();
    let is_right = units > Decimal::ZERO && units <= MAXIMUM_UNITS_PER_POINT && units.scale() <= MAXIMUM_UNITS_DECIMALS;
    if is_right { Ok(units) } else { Err(FORM) }
}

fn growth_markets(entries: &[GrowthMarketEntry], findings: &mut Findings) -> Dated<GrowthMarkets> {
    let mut growth_markets = Dated::default();
    for (index, entry) in entries.iter().enumerate() {
        let place = format!("growth_markets[{index}]");
        check_range(&format!("{place}.multiplier"), entry.multiplier, MULTIPLIER, findings);
        let mut countries = BTreeSet::new();
        for (index, country) in entry.countries.iter().enumerate() {
            let place = format!("{place}.countries[{index}]");
            let Some(code) = findings.value(&place, country.parse()) else { continue };
            if !countries.insert(code) {
                findings.add(place, format!("{country} is there twice"));
            }
        }
        let markets = GrowthMarkets { multiplier: entry.multiplier, countries };
        insert(&place, &mut growth_markets, &entry.from, markets, findings);
    }
    growth_markets
}

fn sold_points(entries: &[SoldPointsEntry], findings: &mut Findings) -> Dated<SoldPoints> {
    let mut sold_points = Dated::default();
    for (index, SoldPointsEntry { from, sourced, assisted }) in entries.iter().enumerate() {
        let place = format!("sold_points[{index}]");
        check_range(&format!("{place}.sourced"), *sourced, SOLD_POINTS, findings);
        check_range(&format!("{place}.assisted"), *assisted, SOLD_POINTS, findings);
        insert(&place, &mut sold_points, from, SoldPoints { sourced: *sourced, assisted: *assisted }, findings);
    }
    require_from_the_first("sold_points", &sold_points, findings);
    sold_points
}

fn sold_credit_months(entries: &[SoldCreditMonthsEntry], findings: &mut Findings) -> Dated<u32> {
    let mut sold_credit_months = Dated::default();
    for (index, SoldCreditMonthsEntry { from, months }) in entries.iter().enumerate() {
        let place = format!("sold_credit_months[{index}]");
        check_range(&format!("{place}.months"), *months, SOLD_CREDIT_MONTHS, findings);
        insert(&place, &mut sold_credit_months, from, *months, findings);
    }
    require_from_the_first("sold_credit_months", &sold_credit_months, findings);
    sold_credit_months
}

fn require_from_the_first<T>(place: &str, values: &Dated<T>, findings: &mut Findings) {
    if values.at(FIRST_STORABLE).is_none() {
        findings.add(place, "needs an entry from 0001-01-01 on");
    }
}

fn tier_thresholds(entries: &[TierThresholdEntry], findings: &mut Findings) -> BTreeMap<Tier, Dated<TierThreshold>> {
    let mut thresholds = BTreeMap::<_, Dated<TierThreshold>>::new();
    for (index, entry) in entries.iter().enumerate() {
        let place = format!("tier_thresholds[{index}]");
        let tier = findings.value(format!("{place}.tier"), entry.tier.parse::<Tier>());
        let threshold = tier_threshold(&place, entry, findings);
        if let Some((tier, threshold)) = tier.zip(threshold) {
            insert(&place, thresholds.entry(tier).or_default(), &entry.from, threshold, findings);
        }
    }
    check_ladder(&thresholds, findings);
    thresholds
}

fn tier_threshold(place: &str, entry: &TierThresholdEntry, findings: &mut Findings) -> Option<TierThreshold> {
    let mut minimum = |name: &str, value: &Option<toml::Value>| {
        value.as_ref().map(|value| findings.value(format!("{place}.{name}"), points(value)).unwrap_or_default())
    };
    let (sold, sourced, managed) =
        (minimum("sold", &entry.sold), minimum("sourced", &entry.sourced), minimum("managed", &entry.managed));
    let total = findings.value(format!("{place}.total"), points(&entry.total))?;
    Some(TierThreshold { total, sold, sourced, managed })
}

fn points(value: &toml::Value) -> Result<Points, &'static str> {
    const FORM: &str = "is a number of points, 0 to 10^9, with at most 2 decimals, in quotes so that it stays exact";
    let points = match value {
        toml::Value::Integer(whole) => Decimal::from(*whole),
        toml::Value::String(text) => Decimal::from_str_exact(text).map_err(|_| FORM)?,
        _ => return Err(FORM),
    };
    let hundredths = (points * Decimal::ONE_HUNDRED).normalize();
    let is_right = points >= Decimal::ZERO && points <= MAXIMUM_THRESHOLD && hundredths.scale() == 0;
    i64::try_from(hundredths.mantissa()).ok().filter(|_| is_right).map(Points).ok_or(FORM)
}

/// All tiers or none, and each needs at least what the one below it does at every instant.
fn check_ladder(thresholds: &BTreeMap<Tier, Dated<TierThreshold>>, findings: &mut Findings) {
    if thresholds.is_empty() {
        return;
    }
    for tier in Tier::ALL {
        if thresholds.get(&tier).and_then(|dated| dated.at(FIRST_STORABLE)).is_none() {
            findings.add("tier_thresholds", format!("needs an entry for {tier} from 0001-01-01 on"));
        }
    }
    let turns: BTreeSet<Instant> = thresholds.values().flat_map(Dated::turns).collect();
    for turn in turns {
        for pair in Tier::ALL.windows(2) {
            let at = |tier| thresholds.get(&tier).and_then(|dated| dated.at(turn));
            if let (Some(lower), Some(higher)) = (at(pair[0]), at(pair[1]))
                && !higher.needs_at_least(lower)
            {
                let (higher, lower, date) = (pair[1], pair[0], turn.format("%Y-%m-%d"));
                findings.add("tier_thresholds", format!("from {date} on {higher} needs less than {lower}"));
            }
        }
    }
}

fn catalogue(entries: &[CatalogueEntry], findings: &mut Findings) -> Catalogue {
    let mut catalogue = Catalogue::default();
    for (index, entry) in entries.iter().enumerate() {
        let place = format!("catalogue[{index}]");
        let actions = actions(&place, entry, findings);
        if entry.tools.is_empty() {
            findings.add(format!("{place}.tools"), "needs at least one tool, or \"*\" for all");
        }
        for (index, tool) in entry.tools.iter().enumerate() {
            let place = format!("{place}.tools[{index}]");
            if tool == ANY_TOOL {
                insert(&place, &mut catalogue.any_tool, &entry.from, actions.clone(), findings);
            } else if is_catalogue_word(tool) {
                let of_tool = catalogue.tools.entry(tool.clone()).or_default();
                insert(&place, of_tool, &entry.from, actions.clone(), findings);
            } else {
                findings.add(place, "is 1 to 64 characters of a-z, 0-9 and _, or *");
            }
        }
    }
    catalogue
}

fn actions(place: &str, entry: &CatalogueEntry, findings: &mut Findings) -> Actions {
    let mut actions = Actions::new();
    let lists = [
        ("qualifying", &entry.qualifying, Qualification::Qualifying),
        ("not_qualifying", &entry.not_qualifying, Qualification::NotQualifying),
    ];
    for (name, list, qualification) in lists {
        for (index, action) in list.iter().enumerate() {
            let place = format!("{place}.{name}[{index}]");
            if !is_catalogue_word(action) {
                findings.add(place, "is 1 to 64 characters of a-z, 0-9 and _, beginning with a letter");
            } else if actions.insert(action.clone(), qualification).is_some() {
                findings.add(place, format!("{action} is there twice"));
            }
        }
    }
    actions
}

fn source_mapping(entries: &[SourceMappingEntry], catalogue: &Catalogue, findings: &mut Findings) -> SourceMapping {
    let mut mapping = SourceMapping::default();
    for (index, entry) in entries.iter().enumerate() {
        let place = format!("source_mapping[{index}]");
        if !is_source_word(&entry.system) {
            findings.add(format!("{place}.system"), "is 1 to 64 characters of A-Z, 0-9 and _");
        }
        let mut patterns = Vec::new();
        for (source, action) in &entry.actions {
            let place = format!("{place}.actions.\"{source}\"");
            let pattern = findings.value(&place, source.parse::<SourcePattern>());
            let action = findings.value(&place, action.parse::<CatalogueAction>());
            let (Some(pattern), Some(action)) = (pattern, action) else { continue };
            if !catalogue.ever_knows(&action) {
                findings.add(place, format!("{action} is not in the catalogue"));
            }
            patterns.push((pattern, action));
        }
        patterns.sort_by(|(one, _), (other, _)| (one.specificity(), one).cmp(&(other.specificity(), other)));
        let of_system = mapping.systems.entry(entry.system.clone()).or_default();
        insert(&place, of_system, &entry.from, patterns, findings);
    }
    mapping
}

fn insert<T>(place: &str, values: &mut Dated<T>, from: &Datetime, value: T, findings: &mut Findings) {
    let Some(from) = findings.value(format!("{place}.from"), instant(from)) else { return };
    if !values.insert(from, value) {
        findings.add(format!("{place}.from"), "another entry of the same subject has the same from");
    }
}

/// A date is its first instant; a time needs its offset.
fn instant(from: &Datetime) -> Result<Instant, &'static str> {
    const FORM: &str = "is a date, or a time with its offset, from 0001-01-01 to 9999-12-31: 2025-07-15T00:00:00Z";
    let text = match from {
        Datetime { date: Some(date), time: None, offset: None } => format!("{date}T00:00:00Z"),
        other => other.to_string(),
    };
    let instant = DateTime::parse_from_rfc3339(&text).map_err(|_| FORM)?.to_utc();
    if is_storable(instant) { Ok(cut_to_microseconds(instant)) } else { Err(FORM) }
}

fn check_range<T: PartialOrd + Display>(place: &str, value: T, range: RangeInclusive<T>, findings: &mut Findings) {
    if !range.contains(&value) {
        findings.add(place, format!("is {} to {}, not {value}", range.start(), range.end()));
    }
}
