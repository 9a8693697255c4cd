//! Reading facts that are held in memory, and from the database what is not.

use std::sync::Arc;

use contracts::Revision;
use domain::access::HubId;
use domain::time::{Instant, LAST_STORABLE};
use service_kit::access_log::{self, Question as AccessQuestion};
use service_kit::permission::unknown_partner;
use service_kit::{ReadTransaction, ServiceError};

use super::breakdown::{clients_of, load_pairs};
use super::reading::{Basis, require_own};
use crate::kept::{Held, Kept, Load, MAXIMUM_CHANGES, Wanted};
use crate::store::news::{self, Changes, Places};
use crate::store::tiers;
use crate::{CreditCalculation, measure};

/// How often reading begins anew where the facts that are held have moved on meanwhile.
const ATTEMPTS: usize = 3;

/// A reading that is given up where it does not end.
struct Loading {
    kept: Arc<Kept>,
    load: Option<Load>,
}

impl Drop for Loading {
    fn drop(&mut self) {
        if let Some(load) = self.load.take() {
            self.kept.state().abandon(load.id());
        }
    }
}

impl CreditCalculation {
    /// What is wanted of a partner, as of a moment after the call came; nothing where it cannot be held, because a version
    /// that does not tell its changes follows the feeds, or because facts change faster than they are read.
    pub(crate) async fn held(
        &self,
        partner: HubId,
        wanted: Wanted,
        at_least: &[Revision],
    ) -> Result<Option<Held>, ServiceError> {
        if !self.kept.asking.together(|| self.look()).await {
            return Ok(None);
        }
        // First of all, as of any reading: what is not known yet may be the partner itself.
        let places = self.kept.state().places();
        places.map_or(Ok(()), |places| require_own(at_least, places.own()))?;
        if let Some(held) = self.kept.state().take(partner, wanted) {
            return Ok(Some(held));
        }
        // Nobody closes it.
        let Ok(_turn) = self.kept.loading.acquire().await else { return Ok(None) };
        // Who had its turn before has perhaps read just this.
        if let Some(held) = self.kept.state().take(partner, wanted) {
            return Ok(Some(held));
        }
        for _ in 0..ATTEMPTS {
            let transaction = self.database.begin_read().await?;
            let from = self.kept.state().places();
            let Some((to, changes)) = self.news(&*transaction, from).await? else { return Ok(None) };
            let load = {
                let mut state = self.kept.state();
                state.learn(from, to, changes);
                state.begin_load(to, partner, wanted)
            };
            if let Some(load) = load {
                let loading = Loading { kept: Arc::clone(&self.kept), load: Some(load) };
                return self.read_missing(&transaction, partner, loading).await;
            }
        }
        Ok(None)
    }

    /// Moves what is held to the present moment; answers whether it could.
    async fn look(&self) -> bool {
        let from = self.kept.state().places();
        match self.news(self.database.connection(), from).await {
            Ok(Some((to, changes))) => {
                self.kept.state().learn(from, to, changes);
                true
            }
            Ok(None) => {
                self.kept.state().forget_everything();
                false
            }
            Err(error) => {
                // Another database may answer from now on, of which nobody knows what it has.
                self.kept.state().forget_everything();
                tracing::warn!(%error, "what has changed cannot be read; facts are read anew");
                false
            }
        }
    }

    async fn news<C: sea_orm::ConnectionTrait>(
        &self,
        connection: &C,
        from: Option<Places>,
    ) -> Result<Option<(Places, Option<Changes>)>, ServiceError> {
        let Some(to) = news::places(connection).await? else { return Ok(None) };
        let changes = match from {
            Some(from) if from.generations() == to.generations() && to.has_reached(&from) => {
                news::changes(connection, &from, &to, MAXIMUM_CHANGES).await?
            }
            _ => None,
        };
        Ok(Some((to, changes)))
    }

    async fn read_missing(
        &self,
        transaction: &ReadTransaction,
        partner: HubId,
        mut loading: Loading,
    ) -> Result<Option<Held>, ServiceError> {
        let Some(load) = &loading.load else { return Ok(None) };
        require_known(transaction, partner).await?;
        let clients = match &load.missing {
            Some(missing) => missing.clone(),
            None => clients_of(transaction, partner, LAST_STORABLE).await?,
        };
        let read = load_pairs(transaction, partner, &clients).await?;
        let tiers = if load.needs_tiers() { Some(tiers::all_histories(&**transaction).await?) } else { None };
        let mut state = self.kept.state();
        let held = loading.load.take().map(|load| state.end_load(load, read, tiers));
        measure::held(state.bytes());
        Ok(held)
    }

    /// What an answer from facts that are held rests on.
    pub(super) fn basis_of(&self, places: &Places, as_of: Option<Instant>) -> Basis {
        let calculation_time = self.clock.now();
        Basis {
            as_of: as_of.unwrap_or(calculation_time),
            calculation_time,
            revisions: places.revisions().to_vec(),
            fresh_time: places.fresh_time(),
        }
    }
}

async fn require_known(transaction: &ReadTransaction, partner: HubId) -> Result<(), ServiceError> {
    let history = access_log::history(&**transaction, &[AccessQuestion::Partners(&[partner].into())]).await?;
    if history.partner(partner).is_some() { Ok(()) } else { Err(unknown_partner(partner).into()) }
}

#[cfg(test)]
pub(crate) mod testing {
    //! The rows of a partner by two ways, to be compared.

    use super::super::breakdown::load;
    use super::super::{PairFacts, Row};
    use super::*;
    use crate::evidence::Deadline;
    use crate::store::clients;

    /// By what is held in memory; nothing where it cannot be.
    pub(crate) async fn rows_that_are_held(
        service: &CreditCalculation,
        partner: HubId,
        wanted: Wanted,
        by: Instant,
    ) -> Result<Option<Vec<Row>>, ServiceError> {
        let Some(held) = service.held(partner, wanted, &[]).await? else { return Ok(None) };
        let terms = service.terms(&held.tiers);
        let is_by = |pair: &&Arc<PairFacts>| pair.since.is_some_and(|since| since <= by);
        let pairs = held.pairs.iter().filter(|pair| wanted != Wanted::Every || is_by(pair));
        Ok(Some(pairs.map(|pair| pair.row(terms, by, None)).collect()))
    }

    /// By the database alone, which is asked for just the instant.
    pub(crate) async fn rows_from_the_database(
        service: &CreditCalculation,
        partner: HubId,
        wanted: Wanted,
        by: Instant,
        deadline: Deadline,
    ) -> Result<Vec<Row>, ServiceError> {
        let nothing: &[Revision] = &[];
        let (transaction, _) = service.begin_reading(nothing, Some(by), deadline).await?;
        let asked = match wanted {
            Wanted::Client(client) => vec![client],
            Wanted::Every => clients_of(&transaction, partner, by).await?,
        };
        let known = clients::load(&*transaction, &asked).await?;
        let loaded = load(&transaction, partner, &asked, known, (by, by)).await?;
        let terms = service.terms(&loaded.tiers);
        Ok(loaded.facts.iter().map(|facts| facts.row(terms, by)).collect())
    }
}
