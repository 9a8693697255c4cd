//! A partner's points over time (R121).

use contracts::Failure;
use contracts::wire::error::ErrorReason;
use domain::access::HubId;
use domain::credit::{PointsTimeline, PointsTotal, timeline_end, timeline_start};
use domain::time::Instant;
use service_kit::ServiceError;

use super::point_facts::ClientScope;
use super::reading::{Basis, Question};
use crate::CreditCalculation;

/// The most change points of an answer.
const MAXIMUM_CHANGE_POINTS: usize = 10_000;

/// Which points are asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimelineQuery {
    pub partner: HubId,
    /// Absent means six months before now.
    pub start: Option<Instant>,
    /// Absent means three months after now.
    pub end: Option<Instant>,
    /// Every 24 hours rather than whenever they change.
    pub daily: bool,
}

impl CreditCalculation {
    pub(crate) async fn get_points_timeline(
        &self,
        query: TimelineQuery,
        question: Question,
    ) -> Result<(Vec<(Instant, PointsTotal)>, Basis), ServiceError> {
        let TimelineQuery { partner, start, end, daily } = query;
        let scope = ClientScope { partner, client: None };
        let stretch = |now| {
            let start = start.unwrap_or_else(|| timeline_start(now));
            (start, end.unwrap_or_else(|| timeline_end(start, now)))
        };
        let loaded = self.point_facts(scope, stretch, question).await?;
        let (from, to) = loaded.stretch;
        let terms = self.terms(&loaded.tiers);
        let mut timeline = PointsTimeline::starting(from);
        for facts in &loaded.facts {
            timeline.add_client(&facts.credit_facts, partner, terms, to);
        }
        if daily {
            return Ok((timeline.daily(to), loaded.basis));
        }
        let points = timeline.change_points();
        if points.len() > MAXIMUM_CHANGE_POINTS {
            let message = format!(
                "there are {} change points, and at most {MAXIMUM_CHANGE_POINTS} are answered: ask for a shorter time, or \
                 for DAILY",
                points.len()
            );
            return Err(Failure::new(ErrorReason::LimitReached, message).into());
        }
        Ok((points, loaded.basis))
    }
}
