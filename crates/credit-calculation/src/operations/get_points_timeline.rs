//! A partner's points over time (R121).

use contracts::Failure;
use contracts::wire::error::ErrorReason;
use domain::access::HubId;
use domain::credit::{PartnerPoints, PointsTimeline, timeline_end, timeline_start};
use domain::time::Instant;
use service_kit::ServiceError;

use super::breakdown::Loaded;
use super::point_facts::all_point_facts;
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
    ) -> Result<(Vec<(Instant, PartnerPoints)>, Basis), ServiceError> {
        let TimelineQuery { partner, start, end, daily } = query;
        let (transaction, basis) = self.begin_partner_reading(partner, &question).await?;
        let from = start.unwrap_or_else(|| timeline_start(basis.calculation_time));
        let to = end.unwrap_or_else(|| timeline_end(from, basis.calculation_time));
        let Loaded { facts, tiers } = all_point_facts(&transaction, partner, (from, to)).await?;
        drop(transaction);
        let mut timeline = PointsTimeline::starting(from);
        for facts in &facts {
            timeline.add_client(&facts.credit_facts, partner, self.terms(&tiers), to);
        }
        let basis = Basis { as_of: to, ..basis };
        if daily {
            return Ok((timeline.daily(to), basis));
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
        Ok((points, basis))
    }
}
