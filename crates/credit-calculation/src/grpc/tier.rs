//! Sold credit, certifications and tiers: what is asked, and the answers.

use contracts::wire::credit as wire;
use contracts::{
    ClientName, Failure, PartnerName, SoldCreditName, Violations, money_from_wire, sale_kind_from_wire, tier_from_wire,
    tier_to_wire, timestamp,
};
use domain::access::HubId;
use domain::credit::{SoldCredit, SoldCreditId};
use domain::policy::Policy;
use domain::tier::{CertificationChange, Tier, TierThreshold, evaluation_on};
use domain::time::Instant;
use service_kit::page::{PageRequest, Place};

use super::answer::{basis, told_points};
use crate::evidence::Deadline;
use crate::operations::{Basis, EvaluatedPartner, EvaluationQuery, HeldBy, Standing, TierGrant, ValuedSale};
use crate::store::tiers::{Grant, RecordedEvaluation};

pub(super) fn new_sold_credit(
    mut violations: Violations,
    request: &wire::CreateSoldCreditRequest,
    now: Instant,
) -> Result<(HubId, SoldCredit), Failure> {
    let stated = request.sold_credit.clone().unwrap_or_default();
    let partner: Option<PartnerName> = violations.parse("parent", &request.parent);
    let id: Option<SoldCreditId> = violations.parse("sold_credit_id", &request.sold_credit_id);
    let client: Option<ClientName> = violations.parse("sold_credit.client", &stated.client);
    let kind = sale_kind_from_wire(stated.kind());
    if kind.is_none() {
        violations.add("sold_credit.kind", "SALE_KIND_SOURCED or SALE_KIND_ASSISTED");
    }
    let amount = money_from_wire(&mut violations, "sold_credit.amount", stated.amount.as_ref());
    let close_time = violations.instant("sold_credit.close_time", stated.close_time.as_ref());
    if close_time.is_some_and(|close_time| close_time > now) {
        violations.add("sold_credit.close_time", "not ahead of now");
    }
    violations.finish(|| {
        let sale = SoldCredit { id: id?, client: client?.0, kind: kind?, amount: amount?, close_time: close_time? };
        Some((partner?.0, sale))
    })
}

pub(super) fn voided_sold_credit(
    mut violations: Violations,
    request: &wire::VoidSoldCreditRequest,
) -> Result<SoldCreditName, Failure> {
    let name: Option<SoldCreditName> = violations.parse("name", &request.name);
    require_reason(&mut violations, &request.reason);
    violations.finish(|| name)
}

fn require_reason(violations: &mut Violations, reason: &str) {
    if reason.trim().is_empty() {
        violations.add("reason", "is needed: why, in at most 500 characters");
    }
}

pub(super) fn sold_credits_query(
    mut violations: Violations,
    request: &wire::ListSoldCreditsRequest,
) -> Result<(HubId, PageRequest), Failure> {
    let partner: Option<PartnerName> = violations.parse("parent", &request.parent);
    let query = wire::ListSoldCreditsRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = PageRequest::read(&mut violations, &query, request.page_size, &request.page_token);
    violations.finish(|| Some((partner?.0, page?)))
}

pub(super) fn certification(
    mut violations: Violations,
    request: &wire::UpdateCertificationRequest,
) -> Result<(HubId, Instant), Failure> {
    let stated = request.certification.clone().unwrap_or_default();
    let partner: Option<PartnerName> = violations.parse("certification.partner", &stated.partner);
    let expire_time = violations.instant("certification.expire_time", stated.expire_time.as_ref());
    violations.finish(|| Some((partner?.0, expire_time?)))
}

pub(super) fn standing_query(
    mut violations: Violations,
    request: &wire::GetTierStandingRequest,
) -> Result<(HubId, Option<Tier>), Failure> {
    let partner: Option<PartnerName> = violations.parse("partner", &request.partner);
    let chosen = match wire::Tier::try_from(request.tier).map(tier_from_wire) {
        Ok(None) => None,
        Ok(Some(Some(tier))) => Some(tier),
        Ok(Some(None)) | Err(_) => {
            violations.add("tier", "TIER_GOLD, TIER_PLATINUM, TIER_DIAMOND or TIER_ELITE, or absent for all");
            None
        }
    };
    violations.finish(|| Some((partner?.0, chosen)))
}

pub(super) fn evaluation_query(
    request: &wire::EvaluateTiersRequest,
    now: Instant,
    deadline: Deadline,
) -> Result<EvaluationQuery, Failure> {
    let mut violations = Violations::default();
    let date = request.evaluation_date.parse().ok();
    let at = date.and_then(evaluation_on).filter(|at| *at <= now);
    if at.is_none() {
        violations.add("evaluation_date", "the 15th of a month, not ahead of now: 2026-01-15");
    }
    let at_least = violations.revisions("at_least_revisions", &request.at_least_revisions);
    let validate_only = request.validate_only;
    violations.finish(|| Some(EvaluationQuery { at: at?, validate_only, at_least, deadline }))
}

pub(super) fn grant(
    mut violations: Violations,
    request: &wire::GrantTierRequest,
    deadline: Deadline,
) -> Result<TierGrant, Failure> {
    let partner: Option<PartnerName> = violations.parse("partner", &request.partner);
    let tier = wire::Tier::try_from(request.tier).ok().and_then(tier_from_wire);
    if tier.is_none() {
        violations.add("tier", "TIER_NONE, TIER_GOLD, TIER_PLATINUM, TIER_DIAMOND or TIER_ELITE");
    }
    require_reason(&mut violations, &request.reason);
    let at_least = violations.revisions("at_least_revisions", &request.at_least_revisions);
    let override_criteria = request.override_criteria;
    violations.finish(|| Some(TierGrant { partner: partner?.0, tier: tier?, override_criteria, at_least, deadline }))
}

impl ValuedSale {
    /// As it is answered.
    pub fn message(&self, policy: &Policy) -> wire::SoldCredit {
        let sale = &self.recorded.sale;
        let (points, points_absent_reason) = told_points(self.points);
        wire::SoldCredit {
            name: SoldCreditName { partner: self.partner, sold_credit: sale.id.clone() }.to_string(),
            client: ClientName(sale.client).to_string(),
            kind: wire::SaleKind::from(sale.kind).into(),
            amount: Some((&sale.amount).into()),
            close_time: Some(timestamp(sale.close_time)),
            end_time: sale.counted(policy).end.map(timestamp),
            void_reason: self.recorded.void_reason.clone().unwrap_or_default(),
            points,
            points_absent_reason: points_absent_reason.into(),
        }
    }
}

pub(super) fn sold_credits(
    sales: Vec<ValuedSale>,
    known: &Basis,
    page: &PageRequest,
    policy: &Policy,
) -> wire::ListSoldCreditsResponse {
    let rows = sales.into_iter().map(|sale| (place(&sale), sale)).collect();
    let page = page.page_of_messages(rows, false, |sale| sale.message(policy));
    wire::ListSoldCreditsResponse {
        total_size: page.stated_total_size(),
        sold_credits: page.rows,
        next_page_token: page.next_page_token,
        basis: Some(basis(known, policy)),
    }
}

/// The order of the list as bytes: newest close first, then id.
fn place(sale: &ValuedSale) -> Place {
    let newest_first = !sale.recorded.sale.close_time.timestamp_micros().wrapping_sub(i64::MIN).cast_unsigned();
    [&newest_first.to_be_bytes(), sale.recorded.sale.id.as_str().as_bytes()].concat()
}

pub(super) fn standing(standing: &Standing, known: &Basis, policy: &Policy) -> wire::GetTierStandingResponse {
    let now = &standing.now;
    let standing = wire::TierStanding {
        partner: PartnerName(standing.partner).to_string(),
        credited_tier: tier_to_wire(standing.held.tier).into(),
        credited_since_time: standing.held.since.map(timestamp),
        credited_by: standing.held_by.as_ref().map(held_by).unwrap_or_default(),
        performance_tier: tier_to_wire(now.met).into(),
        elite_eligible: now.is_elite_eligible(standing.held.tier),
        points: Some((&now.points).into()),
        certification: standing.certification.map(|change| certification_message(standing.partner, &change)),
        certified: now.certified,
        progress: standing.thresholds.iter().map(|(tier, threshold)| progress(*tier, threshold, standing)).collect(),
        window: standing.window.iter().map(evaluation).collect(),
        next_evaluation_time: standing.next_evaluation.map(timestamp),
        next_reevaluation: standing.next_reevaluation.as_ref().map(evaluation),
        thresholds_official: policy.tier_thresholds_official(),
    };
    wire::GetTierStandingResponse { standing: Some(standing), basis: Some(basis(known, policy)) }
}

fn held_by(held_by: &HeldBy) -> String {
    match held_by {
        HeldBy::Evaluation(made) => {
            format!("the evaluation of {}", made.snapshot.time.format("%-d %B %Y"))
        }
        HeldBy::Grant(Grant { actor, reason, effective_time, .. }) => {
            format!("granted from {} on by {actor}: {reason}", effective_time.format("%-d %B %Y"))
        }
    }
}

fn certification_message(partner: HubId, change: &CertificationChange) -> wire::Certification {
    wire::Certification {
        partner: PartnerName(partner).to_string(),
        effective_time: Some(timestamp(change.effective_time)),
        expire_time: Some(timestamp(change.expire_time)),
    }
}

fn progress(tier: Tier, threshold: &TierThreshold, standing: &Standing) -> wire::TierProgress {
    wire::TierProgress {
        tier: tier_to_wire(Some(tier)).into(),
        criteria: threshold.progress(&standing.now.points).iter().map(Into::into).collect(),
        points_met: threshold.is_met(&standing.now.points),
    }
}

fn evaluation(made: &RecordedEvaluation) -> wire::TierEvaluation {
    wire::TierEvaluation {
        partner: PartnerName(made.partner).to_string(),
        evaluation_time: Some(timestamp(made.snapshot.time)),
        points: Some((&made.snapshot.points).into()),
        met_tier: tier_to_wire(made.snapshot.met).into(),
        certified: made.snapshot.certified,
        tier_before: tier_to_wire(made.evaluation.before).into(),
        tier_after: tier_to_wire(made.evaluation.after).into(),
        outcome: wire::EvaluationOutcome::from(made.evaluation.outcome).into(),
        elite_eligible: made.evaluation.elite_eligible,
        policy_digest: made.policy_digest.clone(),
    }
}

impl From<EvaluatedPartner> for wire::EvaluateTiersResponse {
    fn from(evaluated: EvaluatedPartner) -> Self {
        Self {
            evaluation: Some(evaluation(&evaluated.evaluation)),
            already_evaluated: evaluated.already_evaluated,
            revision: evaluated.revision.map(|revision| revision.to_string()).unwrap_or_default(),
        }
    }
}
