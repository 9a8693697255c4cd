//! A small chart of points over time, for a terminal.

use contracts::instant;
use contracts::wire::credit::TimelinePoint;
use domain::time::Instant;
use rasciigraph::Config;

/// How many lines a chart has, and how many columns beside its scale.
const HEIGHT: u32 = 10;
const COLUMNS: u32 = 90;

/// What stands under the line from now on.
const FORECAST: char = '.';

/// The chart from the first point until `end`, or nothing where no time passes or nothing changes: a line of the points, and
/// below it the days and where the forecast begins.
pub(super) fn chart(points: &[TimelinePoint], end: Instant, now: Instant) -> Option<String> {
    let steps: Vec<(Instant, f64)> = points.iter().filter_map(step).collect();
    let (start, _) = *steps.first()?;
    if end <= start || steps.windows(2).all(|pair| pair[0].1 == pair[1].1) {
        return None;
    }
    let columns: Vec<Instant> =
        (0..COLUMNS).map(|column| start + (end - start) / (COLUMNS as i32 - 1) * column as i32).collect();
    let values = columns.iter().map(|column| {
        let by_then = steps.partition_point(|(time, _)| time <= column);
        steps[..by_then.max(1)].last().map_or(0.0, |(_, points)| *points)
    });
    let line = rasciigraph::plot(values.collect(), Config::default().with_height(HEIGHT).with_offset(2));
    Some(format!("{}\n{}", line.trim_end_matches('\n'), axis(&line, &columns, now)))
}

fn step(point: &TimelinePoint) -> Option<(Instant, f64)> {
    let time = instant(point.time.as_ref()?).ok()?;
    Some((time, point.total_points.parse().ok()?))
}

/// The first and last day, and dots from the forecast on.
fn axis(line: &str, columns: &[Instant], now: Instant) -> String {
    let scale = line.lines().filter_map(|line| line.chars().position(|each| matches!(each, '┤' | '┼'))).max();
    let indent = " ".repeat(scale.unwrap_or_default() + 1);
    let marks = columns.iter().map(|column| if *column > now { FORECAST } else { ' ' });
    let marks: String = marks.collect::<String>().trim_end().to_owned();
    let day = |column: Option<&Instant>| column.map(|column| column.format("%Y-%m-%d").to_string()).unwrap_or_default();
    let (first, last) = (day(columns.first()), day(columns.last()));
    let gap = " ".repeat(columns.len().saturating_sub(first.len() + last.len()));
    let days = format!("{indent}{first}{gap}{last}");
    if marks.is_empty() {
        days
    } else {
        format!("{indent}{marks}\n{days}\n{indent}Dots: a forecast, if nothing else happens.")
    }
}

#[cfg(test)]
mod tests {
    use contracts::timestamp;

    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().expect("a test writes valid times")
    }

    fn point(time: &str, points: &str) -> TimelinePoint {
        TimelinePoint { time: Some(timestamp(at(time))), total_points: points.to_owned(), ..TimelinePoint::default() }
    }

    #[test]
    fn r121_the_line_steps_where_points_change_and_dots_mark_the_forecast() {
        let points = [
            point("2025-01-01T00:00:00Z", "0.00"),
            point("2025-03-02T00:00:00Z", "20.00"),
            point("2025-04-01T00:00:00Z", "10.00"),
        ];
        let chart = chart(&points, at("2025-06-30T00:00:00Z"), at("2025-05-01T00:00:00Z")).expect("a chart");
        insta::assert_snapshot!(chart);
    }

    #[test]
    fn points_that_never_change_need_no_chart() {
        let same = [point("2025-01-01T00:00:00Z", "7.50"), point("2025-02-01T00:00:00Z", "7.50")];
        assert_eq!(chart(&same, at("2025-06-30T00:00:00Z"), at("2026-01-01T00:00:00Z")), None);
    }

    #[test]
    fn what_is_past_has_no_dots() {
        let points = [point("2025-01-01T00:00:00Z", "0.00"), point("2025-03-02T00:00:00Z", "20.00")];
        let chart = chart(&points, at("2025-06-30T00:00:00Z"), at("2026-01-01T00:00:00Z")).expect("a chart");
        assert!(!chart.contains("forecast"), "{chart}");
    }

    #[test]
    fn where_no_time_passes_there_is_no_chart() {
        let start = at("2025-01-01T00:00:00Z");
        assert_eq!(chart(&[point("2025-01-01T00:00:00Z", "1.00")], start, start), None);
        assert_eq!(chart(&[], start, start), None);
    }
}
