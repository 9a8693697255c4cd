//! Whether, since when and until when several partners service clients, without evidence.

use std::collections::{BTreeMap, BTreeSet};

use contracts::ActivityName;
use domain::access::AccessHistory;
use service_kit::{ServiceError, access_log};

use super::read::{Answer, Finding, Moment, PairStanding, finding};
use crate::ActivityTracking;
use crate::store::{Pair, activity};

/// For how many pairs their activities and the people of their clients are held at once.
const PAIRS_AT_ONCE: usize = 100;

/// What is asked about pairs.
pub(crate) struct PairsQuestion {
    /// In any order, also repeated.
    pub pairs: Vec<Pair>,
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
        let (transaction, as_of) = (&*reading.transaction, reading.as_of_time);
        let distinct: BTreeSet<Pair> = pairs.iter().copied().collect();
        let distinct: Vec<Pair> = distinct.into_iter().collect();
        let mut found = BTreeMap::new();
        for some in distinct.chunks(PAIRS_AT_ONCE) {
            let occurred = activity::counted_by(transaction, some, as_of).await?;
            let clients = occurred.keys().map(|pair| pair.client).collect();
            let history = access_log::history_of_clients(transaction, &clients).await?;
            for (pair, occurred) in occurred {
                let finding = finding(&self.policy, &history, pair, &occurred, minimum, as_of);
                found.insert(pair, (finding, occurred.last().map(|last| last.name.clone())));
            }
        }
        let last_names: BTreeSet<ActivityName> = found.values().filter_map(|(_, last)| last.clone()).collect();
        let last_activities = reading.recorded(&last_names).await?;
        // Of a pair without a counted activity nothing is known, whatever its endings.
        let nothing = |pair| finding(&self.policy, &AccessHistory::default(), pair, &[], minimum, as_of);
        let standings = pairs.iter().map(|pair| {
            let (Finding { standing, periods }, last) =
                found.get(pair).cloned().unwrap_or_else(|| (nothing(*pair), None));
            PairStanding {
                pair: *pair,
                standing,
                end_cause: periods.last().map(|period| period.end_cause),
                last_activity: last.and_then(|name| last_activities.get(&name)).cloned(),
            }
        });
        let standings = standings.collect();
        Ok(reading.answer(standings))
    }
}
