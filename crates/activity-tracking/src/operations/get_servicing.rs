//! Whether, since when and until when a partner services a client, with the evidence.

use domain::servicing::ServicingPeriod;
use service_kit::{ServiceError, access_log};

use super::read::{Answer, Moment, require_known};
use super::standings::{KnownPair, PairStanding};
use super::told::Told;
use super::work::PairWork;
use crate::ActivityTracking;
use crate::store::Pair;
use crate::store::activity::{Recorded, newest_counted, newest_not_counted};

/// What is asked about a pair.
pub(crate) struct ServicingQuestion {
    pub pair: Pair,
    /// One that the policy has ever known.
    pub minimum: u32,
    /// How many activities to show of each kind.
    pub evidence_limit: u32,
    pub moment: Moment,
}

/// How a pair stands, and why.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub standing: PairStanding,
    pub work: PairWork,
    pub periods: Vec<ServicingPeriod>,
    /// Newest first.
    pub counted: Vec<Recorded>,
    /// Newest first.
    pub not_counted: Vec<Told>,
}

impl ActivityTracking {
    pub(crate) async fn get_servicing(&self, question: ServicingQuestion) -> Result<Answer<Evidence>, ServiceError> {
        let ServicingQuestion { pair, minimum, evidence_limit, moment } = question;
        let reading = self.begin_reading(&moment).await?;
        let (transaction, as_of) = (&*reading.transaction, reading.as_of_time);
        self.require_partner(&reading, &moment.actor, pair.partner).await?;
        let history = access_log::history_of_pair(transaction, pair.client, pair.partner).await?;
        require_known(&history, pair, &moment.actor)?;

        let known = reading.standings(&self.policy, &[pair], minimum).await?.remove(&pair);
        let KnownPair { standing, periods, living_since } = known.unwrap_or_else(|| KnownPair::never(pair, as_of));
        let work = reading.work(&[(pair, living_since)]).await?.pop().unwrap_or_default();
        let counted = newest_counted(transaction, pair, as_of, evidence_limit).await?;
        // Everybody who ever was its employee: nobody else is named in its evidence (R127).
        let people = history.employees_of(pair.partner).map(|employee| employee.address.clone()).collect();
        let not_counted = newest_not_counted(transaction, pair, &people, as_of, evidence_limit).await?;
        let not_counted = reading.told(not_counted, &moment.actor, Some(pair.partner)).await?;
        Ok(reading.answer(Evidence { standing, work, periods, counted, not_counted }))
    }
}
