//! Answers as messages.

use contracts::wire::credit as wire;
use contracts::{ClientName, PartnerName, timestamp};
use domain::credit::{Mrr, NoCreditReason, PointsOutcome};
use domain::policy::Policy;
use service_kit::page::PageRequest;

use crate::operations::{
    Basis, BreakdownPage, ExplainedRow, LastActivity, RecordedSubscription, Row, Subscriptions, Totals,
};

pub(super) fn basis(basis: &Basis, policy: &Policy) -> wire::AnswerBasis {
    wire::AnswerBasis {
        as_of_time: Some(timestamp(basis.as_of)),
        calculation_time: Some(timestamp(basis.calculation_time)),
        policy_version: policy.version().to_owned(),
        policy_digest: policy.digest().to_owned(),
        revisions: basis.revisions.iter().map(ToString::to_string).collect(),
        fresh_time: basis.fresh_time.map(timestamp),
    }
}

pub(super) fn breakdown(page: BreakdownPage, policy: &Policy) -> wire::ListManagedCreditsResponse {
    let Totals { rows, managed, sold, rows_with_credit, .. } = &page.totals;
    wire::ListManagedCreditsResponse {
        basis: Some(basis(&page.basis, policy)),
        total_size: saturated(*rows),
        total_points: managed.points.to_string(),
        rows_without_points: saturated(managed.clients_without_points),
        total_sold_points: sold.points.to_string(),
        rows_without_sold_points: saturated(sold.clients_without_points),
        total_credits: page.totals.credits().iter().map(Into::into).collect(),
        total_mrrs: page.totals.mrrs().iter().map(Into::into).collect(),
        rows_with_credit: saturated(*rows_with_credit),
        warning_days: policy.warning_days().iter().map(|days| saturated(*days)).collect(),
        managed_credits: page.rows.into_iter().map(Into::into).collect(),
        next_page_token: page.next_page_token.unwrap_or_default(),
    }
}

pub(super) fn subscriptions(
    found: Subscriptions,
    page: &PageRequest,
    policy: &Policy,
) -> wire::ListSubscriptionsResponse {
    let rows = found.subscriptions.into_iter().map(|each| (each.name.subscription.as_str().into(), each)).collect();
    let page = page.page_of_messages(rows, false, |each| wire::Subscription::from(each));
    wire::ListSubscriptionsResponse {
        total_size: page.stated_total_size(),
        subscriptions: page.rows,
        next_page_token: page.next_page_token,
        mrr: known_mrr(&found.mrr),
        basis: Some(basis(&found.basis, policy)),
    }
}

fn known_mrr(mrr: &Mrr) -> Option<wire::Money> {
    match mrr {
        Mrr::Known { mrr, .. } => Some(mrr.into()),
        Mrr::Unknown => None,
    }
}

pub(super) fn saturated(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}

impl From<&RecordedSubscription> for wire::Subscription {
    fn from(recorded: &RecordedSubscription) -> Self {
        Self {
            name: recorded.name.to_string(),
            mrr: Some((&recorded.mrr).into()),
            effective_time: Some(timestamp(recorded.effective_time)),
            etag: recorded.version.to_string(),
        }
    }
}

impl From<Row> for wire::ManagedCredit {
    fn from(row: Row) -> Self {
        let credit = row.credit;
        let (points, points_absent_reason) = told_points(credit.points);
        let (sold_points, sold_points_absent_reason) = told_points(row.sold_points);
        Self {
            partner: PartnerName(row.partner).to_string(),
            client: ClientName(row.client).to_string(),
            client_display_name: row.display_name.as_deref().unwrap_or_default().to_owned(),
            country_code: row.country.map(|country| country.to_string()).unwrap_or_default(),
            growth_market: row.growth_market,
            mrr: known_mrr(&credit.mrr),
            servicing_partners: saturated(credit.servicing_partners),
            credit: credit.credit.as_ref().map(Into::into),
            multiplier: credit.multiplier.map(saturated).unwrap_or_default(),
            points,
            points_absent_reason: points_absent_reason.into(),
            state: wire::CreditState::from(credit.state).into(),
            no_credit_reason: no_credit_reason(credit.no_credit_reason).into(),
            serviced_since_time: credit.serviced_since.map(timestamp),
            expire_time: credit.expire_time.map(timestamp),
            last_activity_time: credit.last_activity_time.map(timestamp),
            last_activity: row.last_activity.map(Into::into),
            units_per_point: row.units_per_point.map(|units| units.normalize().to_string()).unwrap_or_default(),
            sold_points,
            sold_points_absent_reason: sold_points_absent_reason.into(),
        }
    }
}

impl From<LastActivity> for wire::LastActivity {
    fn from(last: LastActivity) -> Self {
        let LastActivity { occur_time, tool, action, person } = last;
        Self { occur_time: Some(timestamp(occur_time)), tool, action, person: person.unwrap_or_default() }
    }
}

/// Points, or why there are none.
pub(super) fn told_points(outcome: PointsOutcome) -> (Option<String>, wire::PointsAbsentReason) {
    match outcome {
        PointsOutcome::Known(points) => (Some(points.to_string()), wire::PointsAbsentReason::Unspecified),
        PointsOutcome::Absent(reason) => (None, reason.into()),
    }
}

fn no_credit_reason(reason: Option<NoCreditReason>) -> wire::NoCreditReason {
    reason.map_or(wire::NoCreditReason::Unspecified, Into::into)
}

impl From<ExplainedRow> for wire::Explanation {
    fn from(explained: ExplainedRow) -> Self {
        let ExplainedRow { row, explanation } = explained;
        Self { managed_credit: Some(row.into()), ..Self::from(explanation) }
    }
}
