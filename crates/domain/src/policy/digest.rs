//! Digests over the meaning of a policy. The canonical form is lines of text in a fixed order, so that it does not
//! depend on how the document was written or how a value prints in a debugger.

use std::fmt::Write;

use chrono::SecondsFormat;
use sha2::{Digest, Sha256};

use super::dated::Dated;
use super::{ClientPermission, Policy, Qualification};
use crate::money::Points;
use crate::tier::{Tier, TierThreshold};

/// Fills in both digests.
pub(super) fn seal(mut policy: Policy) -> Policy {
    let activity = activity_lines(&policy);
    policy.activity_digest = hex_digest(&activity);
    policy.digest = hex_digest(&(activity + &other_lines(&policy)));
    policy
}

fn hex_digest(lines: &str) -> String {
    Sha256::digest(lines).iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// What decides verdicts and periods.
fn activity_lines(policy: &Policy) -> String {
    let mut lines = Lines::default();
    lines.dated("window_days", &policy.window_days, ToString::to_string);
    for (tool, actions) in &policy.catalogue.tools {
        lines.dated(&format!("tool {tool}"), actions, actions_text);
    }
    lines.dated("any tool", &policy.catalogue.any_tool, actions_text);
    for (system, patterns) in &policy.source_mapping.systems {
        lines.dated(&format!("source {system}"), patterns, |patterns| {
            let texts = patterns.iter().map(|(pattern, action)| format!("{pattern}={action}"));
            texts.collect::<Vec<_>>().join(" ")
        });
    }
    for (cause, effect) in &policy.ending_effects {
        lines.add(&format!("ending {cause} {}", effect.as_str()));
    }
    for minimum in policy.minimums_ever() {
        lines.add(&format!("minimum {minimum}"));
    }
    lines.text
}

/// What decides everything else.
fn other_lines(policy: &Policy) -> String {
    let mut lines = Lines::default();
    lines.add(&format!("version {}", policy.version));
    for days in &policy.warning_days {
        lines.add(&format!("warning_days {days}"));
    }
    for domain in &policy.shared_mail_domains {
        lines.add(&format!("shared_mail_domain {domain}"));
    }
    lines.add(&format!("access_link_days {}", policy.access_link_days));
    for (set, entries) in &policy.permission_sets.sets {
        lines.dated(&format!("permission_set {set}"), entries, |named| {
            let permissions: Vec<&str> = named.permissions.iter().map(ClientPermission::as_str).collect();
            format!("[{}] {}", permissions.join(" "), named.display_name)
        });
    }
    for (tier, minimums) in &policy.minimum_activities {
        let tier = tier.map_or("NONE", Tier::as_str);
        lines.dated(&format!("minimum_activities {tier}"), minimums, ToString::to_string);
    }
    for (currency, units) in &policy.units_per_point {
        lines.dated(&format!("units_per_point {currency}"), units, |units| units.normalize().to_string());
    }
    lines.dated("growth_markets", &policy.growth_markets, |markets| {
        let countries: Vec<&str> = markets.countries.iter().map(|country| country.as_str()).collect();
        format!("{} {}", markets.multiplier, countries.join(" "))
    });
    lines.dated("sold_points", &policy.sold_points, |points| format!("{} {}", points.sourced, points.assisted));
    lines.dated("sold_credit_months", &policy.sold_credit_months, ToString::to_string);
    lines.add(&format!("tier_thresholds_official {}", policy.tier_thresholds_official));
    for (tier, thresholds) in &policy.tier_thresholds {
        lines.dated(&format!("tier_threshold {tier}"), thresholds, |threshold| {
            let TierThreshold { total, sold, sourced, managed } = threshold;
            let minimum = |points: &Option<Points>| points.map_or("-".to_owned(), |points| points.to_string());
            format!("{total} {} {} {}", minimum(sold), minimum(sourced), minimum(managed))
        });
    }
    lines.text
}

fn actions_text(actions: &super::catalogue::Actions) -> String {
    let texts = actions.iter().map(|(action, qualification)| {
        let sign = if *qualification == Qualification::Qualifying { '+' } else { '-' };
        format!("{sign}{action}")
    });
    texts.collect::<Vec<_>>().join(" ")
}

#[derive(Default)]
struct Lines {
    text: String,
}

impl Lines {
    fn add(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn dated<T>(&mut self, subject: &str, values: &Dated<T>, text: impl Fn(&T) -> String) {
        for (from, value) in values.iter() {
            self.add(&format!("{subject} {} {}", from.to_rfc3339_opts(SecondsFormat::Micros, true), text(value)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_actions_stays_what_it_is_because_digests_are_kept() {
        let actions = [("publish", Qualification::Qualifying), ("draft", Qualification::NotQualifying)];
        let actions = actions.map(|(action, qualification)| (action.to_owned(), qualification));
        assert_eq!(actions_text(&actions.into_iter().collect()), "-draft +publish");
    }
}
