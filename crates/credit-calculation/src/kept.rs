//! Facts of partners and their clients that are held in memory between questions, so that a page of thousands of clients
//! is computed without reading them again.
//!
//! Facts only, never answers: what is asked, as of when, by whom and by which policy is no part of them. All that is held is of
//! one moment of the database, by the positions of its three logs. Every question moves it to a moment after the question
//! came, and forgets what has changed meanwhile; several that come together do so once. Where it cannot be told what has
//! changed, everything is forgotten.

mod asking;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::access::{EmailAddress, HubId};
use domain::tier::CreditedTiers;
use tokio::sync::Semaphore;

use crate::operations::PairFacts;
use crate::store::journal::Changed;
use crate::store::news::{Changes, Places};

pub(crate) use asking::Asking;

/// How many bytes of facts are held, about; of more, those of the partners who were asked about longest ago are forgotten.
const MAXIMUM_BYTES: usize = 128 << 20;

/// How many changes are followed one by one; of more, everything is forgotten.
pub(crate) const MAXIMUM_CHANGES: usize = 10_000;

/// How many people of a partner are held by name; of more, all are forgotten.
const MAXIMUM_NAMES: usize = 10_000;

/// How many questions read facts at a time that are not held: each holds a connection.
const CONCURRENT_LOADS: usize = 4;

/// The facts of everybody.
#[derive(Debug)]
pub(crate) struct Kept {
    state: Mutex<State>,
    pub asking: Arc<Asking>,
    pub loading: Semaphore,
}

/// Of which clients of a partner facts are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// One, also where the partner has nothing to do with it.
    Client(HubId),
    /// All with which it ever had anything to do.
    Every,
}

/// Facts of one moment.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub places: Places,
    /// Of everybody.
    pub tiers: Arc<CreditedTiers>,
    /// By hub id.
    pub pairs: Arc<[Arc<PairFacts>]>,
}

/// What is to be read for a question, at the moment of what is held already.
#[derive(Debug)]
pub(crate) struct Load {
    id: u64,
    partner: HubId,
    wanted: Wanted,
    places: Places,
    /// What is held of it.
    pairs: BTreeMap<HubId, Arc<PairFacts>>,
    tiers: Option<Arc<CreditedTiers>>,
    /// Which clients to read; absent means all of the partner's.
    pub missing: Option<Vec<HubId>>,
}

impl Load {
    pub const fn id(&self) -> u64 {
        self.id
    }

    pub const fn needs_tiers(&self) -> bool {
        self.tiers.is_none()
    }
}

/// The state behind the lock.
#[derive(Debug, Default)]
pub(crate) struct State {
    /// Of which moment everything is that is held; absent before the first.
    places: Option<Places>,
    partners: HashMap<HubId, OfPartner>,
    tiers: Option<Arc<CreditedTiers>>,
    /// What has changed while something is being read; absent where everything was forgotten meanwhile.
    loads: HashMap<u64, Option<Changes>>,
    next_load: u64,
    /// Counts questions.
    turn: u64,
    bytes: usize,
}

#[derive(Debug, Default)]
struct OfPartner {
    pairs: BTreeMap<HubId, Arc<PairFacts>>,
    /// Clients that are not held and may be the partner's; absent where not all of them are known.
    missing: Option<BTreeSet<HubId>>,
    /// The partner's of `pairs`, until any is another.
    every: Option<Arc<[Arc<PairFacts>]>>,
    /// What people with an address are called who are or were the partner's; absent for others.
    names: BTreeMap<EmailAddress, Option<String>>,
    /// How often the names have been forgotten.
    names_version: u64,
    /// The last turn in which it was asked for.
    used: u64,
    bytes: usize,
}

impl Kept {
    pub fn new() -> Self {
        Self { state: Mutex::default(), asking: Arc::default(), loading: Semaphore::new(CONCURRENT_LOADS) }
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    pub const fn places(&self) -> Option<Places> {
        self.places
    }

    /// How many bytes of facts are held, about.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Moves to a moment, of which `changes` tells what has changed since `from`; absent where that cannot be told.
    pub fn learn(&mut self, from: Option<Places>, to: Places, changes: Option<Changes>) {
        let Some(now) = self.places else {
            self.places = Some(to);
            return;
        };
        let moved_meanwhile = from.is_none_or(|from| !from.is_same_moment(&now));
        if moved_meanwhile && now.generations() >= to.generations() && now.has_reached(&to) {
            return;
        }
        match changes {
            Some(changes) if now.generations() == to.generations() && to.has_reached(&now) => self.forget(&changes),
            _ => self.forget_everything(),
        }
        self.places = Some(to);
    }

    pub fn forget_everything(&mut self) {
        self.partners.clear();
        self.tiers = None;
        self.bytes = 0;
        self.places = None;
        self.loads.values_mut().for_each(|load| *load = None);
    }

    fn forget(&mut self, changes: &Changes) {
        if changes.tiers {
            self.tiers = None;
        }
        for change in &changes.changed {
            match change {
                Changed::Partner(partner) => self.forget_partner(*partner),
                Changed::People(partner) => {
                    self.partners.get_mut(partner).into_iter().for_each(OfPartner::forget_names);
                }
                Changed::Client(_) | Changed::Pair { .. } => {
                    for (partner, of_partner) in &mut self.partners {
                        self.bytes -= of_partner.forget(*partner, *change);
                    }
                }
            }
        }
        for load in self.loads.values_mut().flatten() {
            load.tiers |= changes.tiers;
            load.changed.extend_from_slice(&changes.changed);
        }
        // A reading that takes longer than so many changes is not worth holding.
        for load in self.loads.values_mut() {
            *load = load.take().filter(|load| load.changed.len() <= MAXIMUM_CHANGES);
        }
    }

    fn forget_partner(&mut self, partner: HubId) {
        if let Some(of_partner) = self.partners.remove(&partner) {
            self.bytes -= of_partner.bytes;
        }
    }

    /// What is wanted, where all of it is held.
    pub fn take(&mut self, partner: HubId, wanted: Wanted) -> Option<Held> {
        self.turn += 1;
        let (places, tiers) = (self.places?, Arc::clone(self.tiers.as_ref()?));
        let of_partner = self.partners.get_mut(&partner)?;
        of_partner.used = self.turn;
        let pairs = match wanted {
            Wanted::Client(client) => Arc::new([Arc::clone(of_partner.pairs.get(&client)?)]),
            Wanted::Every => of_partner.every()?,
        };
        Some(Held { places, tiers, pairs })
    }

    /// Begins to read what is wanted and not held, in a transaction of this very moment; nothing where the moment is
    /// another one by now.
    pub fn begin_load(&mut self, places: Places, partner: HubId, wanted: Wanted) -> Option<Load> {
        self.places.filter(|now| now.is_same_moment(&places))?;
        let id = self.next_load;
        self.next_load += 1;
        self.loads.insert(id, Some(Changes::default()));
        let (mut pairs, mut missing) = (BTreeMap::new(), None);
        let of_partner = self.partners.get(&partner);
        match wanted {
            Wanted::Client(client) => {
                let held = of_partner.and_then(|of_partner| of_partner.pairs.get(&client));
                pairs.extend(held.map(|pair| (client, Arc::clone(pair))));
                missing = Some(if pairs.is_empty() { vec![client] } else { Vec::new() });
            }
            Wanted::Every => {
                if let Some((of_partner, unknown)) = of_partner.and_then(|of| Some((of, of.missing.as_ref()?))) {
                    pairs.clone_from(&of_partner.pairs);
                    missing = Some(unknown.iter().copied().collect());
                }
            }
        }
        Some(Load { id, partner, wanted, places, pairs, tiers: self.tiers.clone(), missing })
    }

    /// Gives a reading up.
    pub fn abandon(&mut self, id: u64) {
        self.loads.remove(&id);
    }

    /// Holds what was read, as far as it has not changed since; answers what was wanted, as of the moment of the reading.
    pub fn end_load(&mut self, load: Load, read: Vec<Arc<PairFacts>>, tiers: Option<CreditedTiers>) -> Held {
        let Load { id, partner, wanted, places, mut pairs, tiers: held_tiers, missing } = load;
        let tiers = held_tiers.or_else(|| tiers.map(Arc::new)).unwrap_or_default();
        let changes = self.loads.remove(&id).flatten();
        if let Some(changes) = changes {
            if !changes.tiers {
                self.tiers = Some(Arc::clone(&tiers));
            }
            if !changes.changed.contains(&Changed::Partner(partner)) {
                self.turn += 1;
                let of_partner = self.partners.entry(partner).or_default();
                of_partner.used = self.turn;
                let before = of_partner.bytes;
                of_partner.hold(&read, missing.is_none());
                for change in &changes.changed {
                    of_partner.forget(partner, *change);
                }
                self.bytes = self.bytes - before + of_partner.bytes;
                self.forget_what_is_too_much();
            }
        }
        pairs.extend(read.into_iter().map(|pair| (pair.client(), pair)));
        let is_wanted = |pair: &Arc<PairFacts>| wanted != Wanted::Every || pair.since.is_some();
        Held { places, tiers, pairs: pairs.into_values().filter(is_wanted).collect() }
    }

    /// What is known of how these people of a partner are called, and the version of it.
    pub fn names(
        &self,
        partner: HubId,
        addresses: &BTreeSet<EmailAddress>,
    ) -> (BTreeMap<EmailAddress, Option<String>>, u64) {
        let Some(of_partner) = self.partners.get(&partner) else { return (BTreeMap::new(), 0) };
        let known = addresses.iter().filter_map(|address| of_partner.names.get_key_value(address));
        (known.map(|(address, name)| (address.clone(), name.clone())).collect(), of_partner.names_version)
    }

    /// Keeps names that were read after that version was told, unless they have been forgotten since.
    pub fn keep_names(&mut self, partner: HubId, version: u64, names: &BTreeMap<EmailAddress, Option<String>>) {
        let of_partner = self.partners.get_mut(&partner).filter(|of_partner| of_partner.names_version == version);
        if let Some(of_partner) = of_partner {
            if of_partner.names.len() + names.len() > MAXIMUM_NAMES {
                of_partner.names.clear();
            }
            of_partner
                .names
                .extend(names.iter().take(MAXIMUM_NAMES).map(|(address, name)| (address.clone(), name.clone())));
        }
    }

    fn forget_what_is_too_much(&mut self) {
        while self.bytes > MAXIMUM_BYTES {
            let longest_ago = self.partners.iter().min_by_key(|(_, of_partner)| of_partner.used);
            let Some(partner) = longest_ago.map(|(partner, _)| *partner) else { return };
            self.forget_partner(partner);
        }
    }
}

impl OfPartner {
    fn forget_names(&mut self) {
        self.names.clear();
        self.names_version += 1;
    }

    /// Forgets what a change may have made another; answers how many bytes that were.
    fn forget(&mut self, own: HubId, change: Changed) -> usize {
        let (client, partner) = match change {
            Changed::Client(client) => (client, None),
            Changed::Pair { client, partner } => (client, Some(partner)),
            Changed::Partner(_) | Changed::People(_) => return 0,
        };
        let forgotten = self.pairs.remove(&client);
        if forgotten.is_some() || partner == Some(own) {
            self.every = None;
            if let Some(missing) = &mut self.missing {
                missing.insert(client);
            }
        }
        let bytes = forgotten.map_or(0, |pair| pair.bytes());
        self.bytes -= bytes;
        bytes
    }

    fn hold(&mut self, read: &[Arc<PairFacts>], are_all: bool) {
        self.every = None;
        if are_all {
            self.missing = Some(BTreeSet::new());
        }
        for pair in read {
            let client = pair.client();
            let replaced = self.pairs.insert(client, Arc::clone(pair));
            self.bytes = self.bytes + pair.bytes() - replaced.map_or(0, |pair| pair.bytes());
            if let Some(missing) = &mut self.missing {
                missing.remove(&client);
            }
        }
    }

    fn every(&mut self) -> Option<Arc<[Arc<PairFacts>]>> {
        self.missing.as_ref().filter(|missing| missing.is_empty())?;
        let pairs = &self.pairs;
        let every = self
            .every
            .get_or_insert_with(|| pairs.values().filter(|pair| pair.since.is_some()).map(Arc::clone).collect());
        Some(Arc::clone(every))
    }
}

#[cfg(test)]
mod tests;
