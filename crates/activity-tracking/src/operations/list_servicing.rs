//! The relationships of a partner or of a client, by pages: all those of which an activity had counted.

use std::collections::BTreeSet;

use contracts::wire::activity::ServicingState;
use domain::access::HubId;
use service_kit::ServiceError;

use super::read::{Answer, Moment, Reading};
use super::standings::{KnownPair, PairStanding};
use super::work::PairWork;
use crate::ActivityTracking;
use crate::store::{Pair, pair};

/// How many pairs a page looks at, at most, where states leave some of them out.
const PAIRS_PER_PAGE: usize = 1_000;

/// For how many pairs it is found out at once how they stand.
const PAIRS_AT_ONCE: usize = 100;

/// Whose relationships are listed.
pub(crate) struct RelationshipsQuestion {
    /// This or the client is stated; people always state it.
    pub partner: Option<HubId>,
    pub client: Option<HubId>,
    /// None: all.
    pub states: BTreeSet<ServicingState>,
    /// One that the policy has ever known.
    pub minimum: u32,
    /// Behind which pair the page begins.
    pub after: Option<Pair>,
    /// How many relationships the page has at most.
    pub limit: usize,
    pub moment: Moment,
}

/// A page of relationships.
#[derive(Debug)]
pub(crate) struct RelationshipsPage {
    /// By client, then partner.
    pub relationships: Vec<(PairStanding, PairWork)>,
    /// Behind which pair the next page begins; absent on the last one.
    pub next: Option<Pair>,
}

impl ActivityTracking {
    pub(crate) async fn list_servicing(
        &self,
        question: RelationshipsQuestion,
    ) -> Result<Answer<RelationshipsPage>, ServiceError> {
        let reading = self.begin_reading(&question.moment).await?;
        if let Some(partner) = question.partner {
            self.require_partner(&reading, &question.moment.actor, partner).await?;
        }
        reading.require_existing(question.partner, question.client, &question.moment.actor).await?;
        let (known, next) = self.known_pairs(&reading, &question).await?;
        let pairs: Vec<_> = known.iter().map(|known| (known.standing.pair, known.living_since)).collect();
        let mut work = Vec::with_capacity(pairs.len());
        for some in pairs.chunks(PAIRS_AT_ONCE) {
            work.extend(reading.work(some).await?);
        }
        let relationships = known.into_iter().map(|known| known.standing).zip(work).collect();
        Ok(reading.answer(RelationshipsPage { relationships, next }))
    }

    /// The next pairs that are asked for, and behind which one others may follow.
    async fn known_pairs(
        &self,
        reading: &Reading,
        question: &RelationshipsQuestion,
    ) -> Result<(Vec<KnownPair>, Option<Pair>), ServiceError> {
        let RelationshipsQuestion { partner, client, after, limit, minimum, .. } = *question;
        // One more than is looked at tells whether there are more.
        let all = pair::page(&*reading.transaction, partner, client, after, PAIRS_PER_PAGE as u64 + 1).await?;
        let looked_at = &all[..all.len().min(PAIRS_PER_PAGE)];
        let mut found = Vec::new();
        for some in looked_at.chunks(PAIRS_AT_ONCE) {
            let mut known = reading.standings(&self.policy, some, minimum).await?;
            for pair in some {
                found.extend(known.remove(pair).filter(|known| question.asks_for(known)));
                if found.len() == limit {
                    return Ok((found, Some(*pair).filter(|last| all.last() != Some(last))));
                }
            }
        }
        let next = looked_at.last().copied().filter(|_| all.len() > looked_at.len());
        Ok((found, next))
    }
}

impl RelationshipsQuestion {
    fn asks_for(&self, known: &KnownPair) -> bool {
        self.states.is_empty() || self.states.contains(&known.standing.standing.state.into())
    }
}
