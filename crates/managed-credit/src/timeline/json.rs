//! A timeline for programs.

use std::io::Write;

use contracts::wire::credit::GetPointsTimelineResponse;
use serde::Serialize;

use crate::breakdown::json::BasisJson;
use crate::output::write_json;
use crate::wording::rfc_3339;

#[derive(Debug, Serialize)]
struct TimelineJson<'answer> {
    partner: &'answer str,
    points: Vec<PointJson<'answer>>,
    basis: Option<BasisJson<'answer>>,
}

/// `managedcredit.credit.v1.TimelinePoint`
#[derive(Debug, Serialize)]
struct PointJson<'answer> {
    time: Option<String>,
    managed_points: &'answer str,
    sold_points: &'answer str,
    total_points: &'answer str,
    clients_without_points: i32,
    forecast: bool,
}

pub(super) fn write(partner: &str, answer: &GetPointsTimelineResponse, out: &mut impl Write) -> anyhow::Result<()> {
    let points = answer.points.iter().map(|point| PointJson {
        time: rfc_3339(point.time.as_ref()),
        managed_points: &point.managed_points,
        sold_points: &point.sold_points,
        total_points: &point.total_points,
        clients_without_points: point.clients_without_points,
        forecast: point.forecast,
    });
    write_json(&TimelineJson { partner, points: points.collect(), basis: answer.basis.as_ref().map(Into::into) }, out)
}
