//! Whether, since when and until when several partners service clients, without evidence.

use std::collections::BTreeSet;

use service_kit::ServiceError;

use super::read::{Answer, Moment};
use super::standings::PairStanding;
use crate::ActivityTracking;
use crate::store::Pair;

/// What is asked about pairs.
pub(crate) struct PairsQuestion {
    /// In any order, also repeated.
    pub pairs: Vec<Pair>,
    /// One that the policy has ever known.
    pub minimum: u32,
    pub moment: Moment,
}

impl ActivityTracking {
    /// In the order of the question.
    pub(crate) async fn batch_get_servicing(
        &self,
        question: PairsQuestion,
    ) -> Result<Answer<Vec<PairStanding>>, ServiceError> {
        let PairsQuestion { pairs, minimum, moment } = question;
        let reading = self.begin_reading(&moment).await?;
        for partner in pairs.iter().map(|pair| pair.partner).collect::<BTreeSet<_>>() {
            self.require_partner(&reading, &moment.actor, partner).await?;
        }
        let distinct: BTreeSet<Pair> = pairs.iter().copied().collect();
        let distinct: Vec<Pair> = distinct.into_iter().collect();
        let known = reading.standings(&self.policy, &distinct, minimum).await?;
        let as_of = reading.as_of_time;
        let standing =
            |pair| known.get(pair).map_or_else(|| PairStanding::never(*pair, as_of), |known| known.standing.clone());
        let standings = pairs.iter().map(standing).collect();
        Ok(reading.answer(standings))
    }
}
