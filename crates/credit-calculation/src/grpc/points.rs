//! Points over time: what is asked, and the answers.

use contracts::wire::credit as wire;
use contracts::{ClientName, Failure, PartnerName, Violations, timestamp};
use domain::credit::{
    CreditValue, MAXIMUM_TIMELINE_DAYS, PartnerPoints, PointsCause, PointsOutcome, is_timeline_stretch, timeline_end,
    timeline_start,
};
use domain::policy::Policy;
use domain::time::Instant;
use service_kit::page::{PageRequest, Place};

use super::answer::{basis, saturated};
use crate::operations::{Basis, ChangesQuery, ClientPointChange, GainedAndLost, PointChanges, TimelineQuery};

pub(super) fn timeline_query(
    mut violations: Violations,
    request: &wire::GetPointsTimelineRequest,
    now: Instant,
) -> Result<TimelineQuery, Failure> {
    let partner: Option<PartnerName> = violations.parse("partner", &request.partner);
    let start = violations.optional_instant("start_time", request.start_time.as_ref());
    let end = violations.optional_instant("end_time", request.end_time.as_ref());
    let from = start.unwrap_or_else(|| timeline_start(now));
    check_stretch(&mut violations, from, end.unwrap_or_else(|| timeline_end(from, now)));
    let daily = match wire::TimelineResolution::try_from(request.resolution) {
        Ok(resolution) => Some(resolution == wire::TimelineResolution::Daily),
        Err(_) => {
            violations.add("resolution", "a value of TimelineResolution");
            None
        }
    };
    violations.finish(|| Some(TimelineQuery { partner: partner?.0, start, end, daily: daily? }))
}

pub(super) fn changes_query(
    mut violations: Violations,
    request: &wire::ListPointChangesRequest,
    now: Instant,
) -> Result<(ChangesQuery, PageRequest), Failure> {
    let partner: Option<PartnerName> = violations.parse("parent", &request.parent);
    let client: Option<ClientName> = violations.parse_optional("client", &request.client);
    let start = violations.instant("start_time", request.start_time.as_ref());
    let end = violations.optional_instant("end_time", request.end_time.as_ref());
    if let Some(start) = start {
        check_stretch(&mut violations, start, end.unwrap_or(now.max(start)));
    }
    let query = wire::ListPointChangesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    let page = PageRequest::read(&mut violations, &query, request.page_size, &request.page_token);
    violations.finish(|| {
        let query =
            ChangesQuery { partner: partner?.0, client: client.map(|ClientName(client)| client), start: start?, end };
        Some((query, page?))
    })
}

fn check_stretch(violations: &mut Violations, start: Instant, end: Instant) {
    if !is_timeline_stretch(start, end) {
        let right = format!("not before start_time, and at most {MAXIMUM_TIMELINE_DAYS} days of 24 hours after it");
        violations.add("end_time", right);
    }
}

pub(super) fn timeline(
    points: &[(Instant, PartnerPoints)],
    known: &Basis,
    policy: &Policy,
) -> wire::GetPointsTimelineResponse {
    let point = |(time, points): &(Instant, PartnerPoints)| wire::TimelinePoint {
        time: Some(timestamp(*time)),
        managed_points: points.managed.points.to_string(),
        sold_points: points.sold.points.to_string(),
        total_points: points.total().to_string(),
        clients_without_points: saturated(points.tier_points().clients_without_points),
        forecast: *time > known.calculation_time,
    };
    wire::GetPointsTimelineResponse { points: points.iter().map(point).collect(), basis: Some(basis(known, policy)) }
}

pub(super) fn changes(found: PointChanges, page: &PageRequest, policy: &Policy) -> wire::ListPointChangesResponse {
    let totals = found.totals.iter().map(|(cause, total)| total_of(*cause, total));
    let totals = totals.collect();
    let rows = found.changes.into_iter().map(|change| (place(&change), change)).collect();
    let page = page.page_of_messages(rows, false, change);
    wire::ListPointChangesResponse {
        total_size: page.stated_total_size(),
        point_changes: page.rows,
        next_page_token: page.next_page_token,
        start_points: found.start_points.to_string(),
        end_points: found.end_points.to_string(),
        totals,
        basis: Some(basis(&found.basis, policy)),
    }
}

/// The order of the list as bytes: time, client, kind, cause.
fn place(of: &ClientPointChange) -> Place {
    // Times before 1970 are negative; the shift keeps their order.
    let micros = of.change.time.timestamp_micros().wrapping_sub(i64::MIN).cast_unsigned();
    let kind = wire::PointsKind::from(of.change.kind) as i32;
    let cause = wire::PointChangeCause::from(of.change.cause) as i32;
    [micros.to_be_bytes(), of.client.get().cast_unsigned().to_be_bytes()]
        .concat()
        .into_iter()
        .chain(kind.to_be_bytes())
        .chain(cause.to_be_bytes())
        .collect()
}

fn change(of: &ClientPointChange) -> wire::PointChange {
    let change = &of.change;
    wire::PointChange {
        time: Some(timestamp(change.time)),
        client: ClientName(of.client).to_string(),
        client_display_name: of.display_name.as_deref().unwrap_or_default().to_owned(),
        cause: wire::PointChangeCause::from(change.cause).into(),
        kind: wire::PointsKind::from(change.kind).into(),
        difference: change.difference().to_string(),
        points_before: known_points(&change.before),
        points_after: known_points(&change.after),
        credit_before: change.before.credit.as_ref().map(Into::into),
        credit_after: change.after.credit.as_ref().map(Into::into),
    }
}

fn known_points(value: &CreditValue) -> Option<String> {
    match value.points {
        PointsOutcome::Known(points) => Some(points.to_string()),
        PointsOutcome::Absent(_) => None,
    }
}

fn total_of(cause: PointsCause, total: &GainedAndLost) -> wire::PointChangeTotal {
    wire::PointChangeTotal {
        cause: wire::PointChangeCause::from(cause).into(),
        gained_points: total.gained.to_string(),
        lost_points: total.lost.to_string(),
        changes: saturated(total.changes),
    }
}
