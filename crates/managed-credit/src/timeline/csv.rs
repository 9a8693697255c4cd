//! A timeline for spreadsheets.

use std::io::Write;

use contracts::wire::credit::GetPointsTimelineResponse;

use crate::wording::rfc_3339;

pub(super) fn write(answer: &GetPointsTimelineResponse, out: &mut impl Write) -> anyhow::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record([
        "time",
        "managed_points",
        "sold_points",
        "total_points",
        "clients_without_points",
        "forecast",
    ])?;
    for point in &answer.points {
        let time = rfc_3339(point.time.as_ref()).unwrap_or_default();
        let clients = point.clients_without_points.to_string();
        writer.write_record([
            &time,
            &point.managed_points,
            &point.sold_points,
            &point.total_points,
            &clients,
            &point.forecast.to_string(),
        ])?;
    }
    Ok(writer.flush()?)
}
