//! The policy: what it says, and what is asked of another one.

use contracts::wire::credit as wire;
use contracts::{Failure, PartnerName, Violations, policy_from_document, tier_to_wire};
use domain::money::Points;
use domain::policy::Policy;
use domain::tier::{Tier, TierThreshold};
use domain::time::Instant;

use super::answer::saturated;
use crate::evidence::Deadline;
use crate::operations::SimulationQuery;

pub(super) fn message(policy: &Policy, at: Instant) -> wire::Policy {
    let sold_points = policy.sold_points_at(at);
    let units = policy.currency_units_at(at).map(|(code, units)| wire::CurrencyUnits {
        currency_code: code.to_owned(),
        units_per_point: units.normalize().to_string(),
    });
    let tiers = [None].into_iter().chain(Tier::ALL.map(Some));
    let minimums = tiers.map(|tier| wire::TierMinimum {
        tier: tier_to_wire(tier).into(),
        minimum: saturated(policy.minimum_activities_at(tier, at)),
    });
    let thresholds =
        Tier::ALL.into_iter().filter_map(|tier| Some(threshold(tier, policy.tier_threshold_at(tier, at)?)));
    wire::Policy {
        version: policy.version().to_owned(),
        digest: policy.digest().to_owned(),
        window_days: saturated(policy.window_days_at(at)),
        warning_days: policy.warning_days().iter().map(|days| saturated(*days)).collect(),
        currency_units: units.collect(),
        minimum_activities: minimums.collect(),
        sourced_points: saturated(sold_points.sourced),
        assisted_points: saturated(sold_points.assisted),
        tier_thresholds: thresholds.collect(),
        thresholds_official: policy.tier_thresholds_official(),
        document: policy.document().to_owned(),
    }
}

fn threshold(tier: Tier, threshold: &TierThreshold) -> wire::TierThreshold {
    let minimum = |points: Option<Points>| points.map(|points| points.to_string()).unwrap_or_default();
    wire::TierThreshold {
        tier: tier_to_wire(Some(tier)).into(),
        total_points: threshold.total.to_string(),
        sold_points: minimum(threshold.sold),
        sourced_points: minimum(threshold.sourced),
        managed_points: minimum(threshold.managed),
    }
}

pub(super) fn simulation_query(
    request: &wire::SimulatePolicyRequest,
    deadline: Deadline,
) -> Result<SimulationQuery, Failure> {
    let mut violations = Violations::default();
    let policy = policy_from_document(&mut violations, "policy_document", &request.policy_document);
    let as_of = violations.optional_instant("as_of_time", request.as_of_time.as_ref());
    let partner: Option<PartnerName> = violations.parse_optional("partner", &request.partner);
    let at_least = violations.revisions("at_least_revisions", &request.at_least_revisions);
    let partner = partner.map(|PartnerName(partner)| partner);
    violations.finish(|| Some(SimulationQuery { policy: policy?, as_of, partner, at_least, deadline }))
}
