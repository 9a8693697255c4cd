//! Policies that differ in what decides verdicts and periods.

use std::collections::BTreeMap;

use chrono::SecondsFormat;
use proptest::prelude::*;

use super::world::instants;
use crate::policy::Policy;
use crate::time::{FIRST_STORABLE, Instant};

pub(crate) type Dated<T> = BTreeMap<Instant, T>;

/// A policy with random windows, minimums, catalogue and effects of endings.
pub(super) fn policies() -> impl Strategy<Value = Policy> {
    let windows = (3..=9_u32, prop::collection::btree_map(instants(), 1..=9_u32, 0..3));
    let minimums = prop::collection::btree_map(instants(), 1..=4_u32, 0..3);
    let qualifies = prop::collection::btree_map(instants(), prop::bool::weighted(0.7), 0..3);
    let effect = prop_oneof![4 => Just("IMMEDIATE"), 1 => Just("LAPSE")];
    (windows, minimums, qualifies, prop::array::uniform4(effect)).prop_map(
        |((window_days, mut windows), minimums, mut qualifies, effects)| {
            windows.insert(FIRST_STORABLE, window_days);
            qualifies.insert(FIRST_STORABLE, true);
            policy(&windows, &minimums, &qualifies, effects)
        },
    )
}

/// The policy with these windows in days, these minimums for a tier, and this said of editing a form, by date. The effects
/// are those of removing all employees, of ending services, of leaving and of closing.
pub(crate) fn policy(
    windows: &Dated<u32>,
    minimums: &Dated<u32>,
    qualifies: &Dated<bool>,
    [removed, ended, left, closed]: [&str; 4],
) -> Policy {
    let windows = entries(windows, |days| format!("days = {days}"));
    let minimums = entries(minimums, |minimum| format!(r#"tier = "GOLD", minimum = {minimum}"#));
    let catalogue = entries(qualifies, |qualifies| {
        let list = if *qualifies { "qualifying" } else { "not_qualifying" };
        format!(r#"tools = ["form"], {list} = ["edit"]"#)
    });
    let document = format!(
        r#"
            version = "random"
            warning_days = [1]
            shared_mail_domains = []
            access_link_days = 30
            currency_units = []
            growth_markets = []
            sold_points = [{{ from = 0001-01-01, sourced = 5, assisted = 3 }}]
            sold_credit_months = [{{ from = 0001-01-01, months = 12 }}]
            tier_thresholds_official = false
            tier_thresholds = []
            source_mapping = []
            windows = [{windows}]
            minimum_activities = [{minimums}]
            catalogue = [{catalogue}]
            permission_sets = [
                {{ from = 0001-01-01, name = "STANDARD", display_name = "Standard", permissions = [] }},
                {{ from = 0001-01-01, name = "PARTNER_ADMIN", display_name = "Partner admin",
                  permissions = ["MANAGE_OWN_EMPLOYEES"] }},
                {{ from = 0001-01-01, name = "SUPER_ADMIN", display_name = "Super admin",
                  permissions = ["MANAGE_USERS", "APPROVE_ACCESS_LINKS"] }},
            ]
            [endings]
            all_employees_removed = "{removed}"
            services_ended = "{ended}"
            partner_left = "{left}"
            client_closed = "{closed}"
        "#
    );
    Policy::parse(&document).map_err(|error| error.to_string()).expect("a valid document")
}

fn entries<T>(dated: &Dated<T>, entry: impl Fn(&T) -> String) -> String {
    let from = |time: &Instant| time.to_rfc3339_opts(SecondsFormat::Micros, true);
    dated.iter().map(|(time, value)| format!("{{ from = {}, {} }},", from(time), entry(value))).collect()
}
