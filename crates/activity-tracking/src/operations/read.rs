//! What every read has: one moment of the database, the facts that it must know, and an instant that it is about.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use contracts::wire::error::ErrorReason;
use contracts::{ActivityName, Failure, Feed, Revision};
use domain::access::{AccessHistory, Actor, HubId};
use domain::time::Instant;
use service_kit::access_log::{self, Question};
use service_kit::feed::read_head;
use service_kit::permission::{self, Permission, unknown_client, unknown_partner};
use service_kit::{ReadTransaction, ServiceError};

use super::settled_cursor;
use crate::ActivityTracking;
use crate::store::Pair;
use crate::store::activity::{self, Recorded};

/// Who reads, what the read must know, and what it is about.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    pub actor: Actor,
    /// Absent means now.
    pub as_of_time: Option<Instant>,
    pub at_least_revisions: Vec<Revision>,
    pub wait_limit: Duration,
}

/// An answer, the instant that it is about, and what it knew.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub content: T,
    pub as_of_time: Instant,
    pub revisions: Vec<Revision>,
}

/// An open read.
pub(super) struct Reading {
    pub transaction: ReadTransaction,
    pub as_of_time: Instant,
    revisions: Vec<Revision>,
}

impl ActivityTracking {
    pub(super) async fn begin_reading(&self, moment: &Moment) -> Result<Reading, ServiceError> {
        let asked = &moment.at_least_revisions;
        self.settled.wait_for(asked, None, moment.wait_limit).await?;
        let transaction = self.database.begin_read().await?;
        let settled = settled_cursor(&*transaction).await?;
        let own = read_head(&*transaction, Feed::Servicing).await?.revision();
        if let Some(ahead) = asked.iter().find(|asked| asked.feed == Feed::Servicing && asked.position > own.position) {
            // It was not given out by this database, or by one that has been put back since: waiting does not help here.
            let message = format!("asked to know {ahead}, knows {own} so far; try again");
            return Err(Failure::new(ErrorReason::FactsBehind, message).into());
        }
        let revisions = vec![Revision { feed: Feed::Access, position: settled.position }, own];
        Ok(Reading { transaction, as_of_time: moment.as_of_time.unwrap_or_else(|| self.clock.now()), revisions })
    }

    /// Refuses an actor who may not read what a partner's servicing is worth: before anything reveals what exists, and by
    /// the facts that the read knows.
    pub(super) async fn require_partner(
        &self,
        reading: &Reading,
        actor: &Actor,
        partner: HubId,
    ) -> Result<(), ServiceError> {
        let (transaction, now) = (&*reading.transaction, self.clock.now());
        permission::require(transaction, &self.policy, actor, Permission::ViewCredit, Some(partner), None, now).await
    }
}

impl Reading {
    pub fn answer<T>(self, content: T) -> Answer<T> {
        Answer { content, as_of_time: self.as_of_time, revisions: self.revisions }
    }

    /// Refuses a partner that does not exist.
    pub async fn require_partner_known(&self, partner: HubId) -> Result<(), ServiceError> {
        let partners = BTreeSet::from([partner]);
        let history = access_log::history(&*self.transaction, &[Question::Partners(&partners)]).await?;
        history.partner(partner).ok_or_else(|| unknown_partner(partner))?;
        Ok(())
    }

    /// Refuses a partner or a client of those that are stated which does not exist, or not for the actor.
    pub async fn require_existing(
        &self,
        partner: Option<HubId>,
        client: Option<HubId>,
        actor: &Actor,
    ) -> Result<(), ServiceError> {
        let transaction = &*self.transaction;
        match (partner, client) {
            (Some(partner), Some(client)) => {
                let history = access_log::history_of_pair(transaction, client, partner).await?;
                require_known(&history, Pair { client, partner }, actor)
            }
            (Some(partner), None) => self.require_partner_known(partner).await,
            (None, Some(client)) => {
                let history = access_log::history(transaction, &[Question::Clients(&BTreeSet::from([client]))]).await?;
                history.client(client).ok_or_else(|| unknown_client(client))?;
                Ok(())
            }
            (None, None) => Ok(()),
        }
    }

    /// The recorded activities with these names.
    pub async fn recorded(
        &self,
        names: &BTreeSet<ActivityName>,
    ) -> Result<BTreeMap<ActivityName, Recorded>, ServiceError> {
        activity::find(&*self.transaction, names).await
    }
}

/// Refuses a partner or client of which the copy knows nothing, and to people also a client with which the partner has
/// nothing to do (R26, R127). The history is that of the pair.
pub(super) fn require_known(history: &AccessHistory, pair: Pair, actor: &Actor) -> Result<(), ServiceError> {
    let Pair { client, partner } = pair;
    if history.partner(partner).is_none() {
        return Err(unknown_partner(partner).into());
    }
    let exists = history.client(client).is_some() && (*actor == Actor::Platform || history.exists_for(client, partner));
    if exists { Ok(()) } else { Err(unknown_client(client).into()) }
}
