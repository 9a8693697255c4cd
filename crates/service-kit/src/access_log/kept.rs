//! Access facts of clients, kept in memory for as long as the copy says the same.
//!
//! What is kept are facts, never what follows from them: judgements and endings are made of them each time, by the policy
//! and the instant of the question. An entry is what `history_of_clients` reads of one client, and of people who may have
//! nothing to do with it, so that there is one reading of the log and this is only faster.
//!
//! Whoever asks holds the cursor of the copy, so that it stands still. Changes that came since are read by their position,
//! and what they name is forgotten; where it is not certain what came (a copy that was replaced, a database that was
//! restored, very many changes, an erased address), everything is.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::access::{AccessChange, AccessHistory, EmailAddress, HubId};
use sea_orm::entity::prelude::*;
use sea_orm::{QueryOrder as _, QuerySelect as _};

use super::entity::{Column, Entity, Model};
use super::question::{Rows, load};
use super::{Question, change, row_position};
use crate::feed::Cursor;
use crate::{ServiceError, stored_position};

/// How many changes are kept before those entries go that were not asked for since as many were read: some 100 megabytes at
/// most, as there are never more than twice as many.
const MAXIMUM_CHANGES: usize = 50_000;

/// How many changes of the copy are read to learn what is to be forgotten.
const MAXIMUM_NEWS: u64 = 500;

/// Of each client, by whom something was done there.
pub type AskedClients = BTreeMap<HubId, BTreeSet<EmailAddress>>;

/// Everything about each of these clients and everybody who ever had to do with it.
pub type ClientHistories = BTreeMap<HubId, Arc<AccessHistory>>;

/// What is kept. It may be shared by everybody who uses the same database.
#[derive(Debug)]
pub struct KeptHistories {
    kept: Mutex<Kept>,
    maximum_changes: usize,
}

impl Default for KeptHistories {
    fn default() -> Self {
        Self { kept: Mutex::default(), maximum_changes: MAXIMUM_CHANGES }
    }
}

#[derive(Debug, Default)]
struct Kept {
    /// The copy that the entries are of.
    copy: Copy,
    /// What was asked for since the last time that it became too much.
    recent: Entries,
    /// What was asked for before that.
    older: Entries,
    /// How many changes the recent entries have together.
    recent_changes: usize,
}

type Entries = HashMap<HubId, Arc<Entry>>;

/// A state of the copy: the same one is never another copy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Copy {
    position: u64,
    chain_hash: Vec<u8>,
    replacements: u64,
}

/// A client, with all people and partners about whom it knows everything that concerns the client.
#[derive(Debug)]
struct Entry {
    history: Arc<AccessHistory>,
    addresses: BTreeSet<EmailAddress>,
    partners: BTreeSet<HubId>,
    changes: usize,
}

impl KeptHistories {
    /// The facts of these clients, and of these people wherever they are employed, as the copy has them at the cursor, which
    /// the transaction holds.
    ///
    /// # Errors
    /// The database fails, or a change cannot be read.
    pub async fn of_clients<C: ConnectionTrait>(
        &self,
        transaction: &C,
        cursor: &Cursor,
        asked: &AskedClients,
    ) -> Result<ClientHistories, ServiceError> {
        let copy = Copy {
            position: cursor.position,
            chain_hash: cursor.chain_hash.clone(),
            replacements: cursor.replacements,
        };
        self.follow(transaction, &copy).await?;
        let (mut histories, missing) = self.kept().find(&copy, asked, self.maximum_changes);
        if !missing.is_empty() {
            let loaded = load_entries(transaction, &missing).await?;
            histories.extend(loaded.iter().map(|(client, entry)| (*client, Arc::clone(&entry.history))));
            self.kept().keep(&copy, loaded, self.maximum_changes);
        }
        Ok(histories)
    }

    /// Forgets what is not true any more in this state of the copy.
    async fn follow<C: ConnectionTrait>(&self, transaction: &C, copy: &Copy) -> Result<(), ServiceError> {
        let before = self.kept().copy.clone();
        if before == *copy {
            return Ok(());
        }
        let news = news_between(transaction, &before, copy).await?;
        let mut kept = self.kept();
        // Somebody else may have come further meanwhile; nobody can have come elsewhere while the cursor is held.
        if kept.copy == before {
            match news {
                Some(news) => news.iter().for_each(|news| kept.forget(news)),
                None => *kept = Kept::default(),
            }
            kept.copy = copy.clone();
        }
        Ok(())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// What is kept of the asked, and what is not.
    fn find(&mut self, copy: &Copy, asked: &AskedClients, maximum: usize) -> (ClientHistories, AskedClients) {
        let (mut found, mut missing) = (ClientHistories::new(), AskedClients::new());
        for (client, addresses) in asked {
            match self.entry(copy, *client, maximum).filter(|entry| addresses.is_subset(&entry.addresses)) {
                Some(entry) => found.insert(*client, Arc::clone(&entry.history)).is_some(),
                None => missing.insert(*client, addresses.clone()).is_some(),
            };
        }
        (found, missing)
    }

    fn entry(&mut self, copy: &Copy, client: HubId, maximum: usize) -> Option<Arc<Entry>> {
        if self.copy != *copy {
            return None;
        }
        if let Some(entry) = self.recent.get(&client) {
            return Some(Arc::clone(entry));
        }
        let entry = self.older.remove(&client)?;
        self.add(client, Arc::clone(&entry), maximum);
        Some(entry)
    }

    fn keep(&mut self, copy: &Copy, entries: Vec<(HubId, Entry)>, maximum: usize) {
        if self.copy == *copy {
            entries.into_iter().for_each(|(client, entry)| self.add(client, Arc::new(entry), maximum));
        }
    }

    fn add(&mut self, client: HubId, entry: Arc<Entry>, maximum: usize) {
        if self.recent_changes + entry.changes > maximum {
            self.older = std::mem::take(&mut self.recent);
            self.recent_changes = 0;
        }
        self.recent_changes += entry.changes;
        if let Some(before) = self.recent.insert(client, entry) {
            self.recent_changes -= before.changes;
        }
    }

    fn forget(&mut self, news: &News) {
        let is_kept = |client: &HubId, entry: &Entry| match news {
            News::Client(other) => client != other,
            News::Person(address) => !entry.addresses.contains(address),
            News::Partner(partner) => !entry.partners.contains(partner),
        };
        self.older.retain(|client, entry| is_kept(client, entry));
        self.recent.retain(|client, entry| is_kept(client, entry));
        self.recent_changes = self.recent.values().map(|entry| entry.changes).sum();
    }
}

/// What a change names, of which what is kept may be different.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum News {
    Client(HubId),
    /// A person, wherever.
    Person(EmailAddress),
    /// A partner itself.
    Partner(HubId),
}

impl News {
    /// Nothing where it may be anything.
    fn of(row: &Model) -> Result<Option<Self>, ServiceError> {
        let hub_id = |stored| HubId::try_from(stored).map_err(ServiceError::stored);
        Ok(match (row.client_id, &row.address, row.partner_id) {
            (Some(client), _, _) => Some(Self::Client(hub_id(client)?)),
            (None, Some(address), Some(_)) => Some(Self::Person(address.parse().map_err(ServiceError::stored)?)),
            (None, None, Some(partner)) => Some(Self::Partner(hub_id(partner)?)),
            (None, _, None) => None,
        })
    }
}

/// What came between two states of the copy; nothing where that is not certain.
async fn news_between<C: ConnectionTrait>(
    transaction: &C,
    before: &Copy,
    now: &Copy,
) -> Result<Option<BTreeSet<News>>, ServiceError> {
    let is_further = before.replacements == now.replacements && before.position < now.position;
    if !is_further || before.position == 0 || now.position - before.position > MAXIMUM_NEWS {
        return Ok(None);
    }
    let since = Column::Position.between(stored_position(before.position), stored_position(now.position));
    let rows =
        Entity::find().filter(since).order_by_asc(Column::Position).limit(MAXIMUM_NEWS + 1).all(transaction).await?;
    let mut rows = rows.iter();
    // The log goes on from what was known, and not from another past.
    let goes_on =
        rows.next().is_some_and(|row| row_position(row) == before.position && row.chain_hash == before.chain_hash);
    if !goes_on {
        return Ok(None);
    }
    rows.map(News::of).collect()
}

/// Reads what is to be known of these clients and people.
async fn load_entries<C: ConnectionTrait>(
    connection: &C,
    asked: &AskedClients,
) -> Result<Vec<(HubId, Entry)>, ServiceError> {
    let clients: BTreeSet<HubId> = asked.keys().copied().collect();
    let of_clients = changes(connection, &[Question::Clients(&clients), Question::UsersAndLinksOf(&clients)]).await?;
    let mut by_client: BTreeMap<HubId, Vec<AccessChange>> =
        clients.iter().map(|client| (*client, Vec::new())).collect();
    for change in of_clients {
        if let Some(known) = change.fact.client().and_then(|client| by_client.get_mut(&client)) {
            known.push(change);
        }
    }
    let named = by_client.values().flatten().filter_map(|change| change.fact.address().cloned());
    let addresses: BTreeSet<EmailAddress> = named.chain(asked.values().flatten().cloned()).collect();
    let mut by_address: BTreeMap<EmailAddress, Vec<AccessChange>> = BTreeMap::new();
    for change in changes(connection, &[Question::EmployeesAt(&addresses)]).await? {
        if let Some(address) = change.fact.address() {
            by_address.entry(address.clone()).or_default().push(change);
        }
    }
    let named = by_client.values().chain(by_address.values()).flatten().filter_map(|change| change.fact.partner());
    let partners: BTreeSet<HubId> = named.collect();
    let mut by_partner: BTreeMap<HubId, Vec<AccessChange>> = BTreeMap::new();
    for change in changes(connection, &[Question::Partners(&partners)]).await? {
        if let Some(partner) = change.fact.partner() {
            by_partner.entry(partner).or_default().push(change);
        }
    }
    let entry = |(client, mut changes): (HubId, Vec<AccessChange>)| {
        let asked = asked.get(&client).into_iter().flatten().cloned();
        let addresses: BTreeSet<EmailAddress> =
            changes.iter().filter_map(|change| change.fact.address().cloned()).chain(asked).collect();
        let of_people = addresses.iter().filter_map(|address| by_address.get(address)).flatten().cloned();
        changes.extend(of_people);
        let partners: BTreeSet<HubId> = changes.iter().filter_map(|change| change.fact.partner()).collect();
        changes.extend(partners.iter().filter_map(|partner| by_partner.get(partner)).flatten().cloned());
        let entry_changes = changes.len();
        let history = Arc::new(AccessHistory::from_changes(changes));
        (client, Entry { history, addresses, partners, changes: entry_changes })
    };
    Ok(by_client.into_iter().map(entry).collect())
}

async fn changes<C: ConnectionTrait>(
    connection: &C,
    questions: &[Question<'_>],
) -> Result<Vec<AccessChange>, ServiceError> {
    let mut rows = Rows::new();
    load(connection, questions, &mut rows).await?;
    rows.values().map(change).collect()
}

#[cfg(test)]
mod tests {
    use contracts::wire::access as wire;
    use domain::access::{AccessFact, AccessRole, Actor, Audit, ClientUserId, EmployeeId, PermissionSet};
    use sea_orm_migration::SchemaManager;

    use super::*;
    use crate::access_log::{FEED, append, create_table, follow_erasures};
    use crate::feed::{Head, create_head_table, lock_head, store_head};
    use crate::{Database, DatabaseSettings};

    const HISTORIES: u64 = 30;
    const STEPS: u64 = 40;

    fn hub_id(number: u64) -> HubId {
        HubId::try_from(i64::try_from(number).expect("a small number")).expect("a hub id")
    }

    fn address(number: u64) -> EmailAddress {
        format!("e{number}@agency.example").parse().expect("an address")
    }

    /// Any fact about one of three partners, clients and people, also one that nobody would admit.
    fn fact(random: &mut fastrand::Rng, position: u64) -> AccessFact {
        let (partner, client) = (hub_id(1 + random.u64(..3)), hub_id(11 + random.u64(..3)));
        let (person, country) = (random.u64(..3), "IT".parse().expect("a country"));
        let (employee, user) =
            (EmployeeId(Uuid::from_u128(person.into())), ClientUserId(Uuid::from_u128(person.into())));
        let (address, display_name) = (address(person), format!("Name {position}"));
        match random.u8(..9) {
            0 => AccessFact::PartnerAdded { partner, display_name, country, email_domains: BTreeSet::new() },
            1 => AccessFact::PartnerLeft { partner },
            2 => AccessFact::EmployeeAdded {
                partner,
                employee,
                address,
                display_name,
                partner_employee: random.bool(),
                access_role: AccessRole::None,
            },
            3 => AccessFact::EmployeeDeleted { partner, employee, address },
            4 => AccessFact::ClientAdded { client, display_name, country },
            5 => AccessFact::ClientClosed { client },
            6 => AccessFact::ServicesEnded { client, partner },
            7 => AccessFact::ClientUserRemoved { client, user, address },
            _ => AccessFact::ClientUserAdded {
                client,
                user,
                address,
                display_name,
                permission_set: PermissionSet::partner_admin(),
            },
        }
    }

    /// All of the log that concerns a client and people: by looking at every change.
    fn reference(log: &[AccessChange], client: HubId, asked: &BTreeSet<EmailAddress>) -> AccessHistory {
        let of_client = log.iter().filter(|change| change.fact.client() == Some(client));
        let mut changes: Vec<AccessChange> = of_client.cloned().collect();
        let named = changes.iter().filter_map(|change| change.fact.address().cloned());
        let addresses: BTreeSet<EmailAddress> = named.chain(asked.iter().cloned()).collect();
        let elsewhere = || log.iter().filter(|change| change.fact.client().is_none());
        let is_of_people = |change: &&AccessChange| change.fact.address().is_some_and(|one| addresses.contains(one));
        changes.extend(elsewhere().filter(is_of_people).cloned());
        let partners: BTreeSet<HubId> = changes.iter().filter_map(|change| change.fact.partner()).collect();
        let is_of_partner = |change: &&AccessChange| {
            change.fact.address().is_none() && change.fact.partner().is_some_and(|one| partners.contains(&one))
        };
        changes.extend(elsewhere().filter(is_of_partner).cloned());
        AccessHistory::from_changes(changes)
    }

    struct Log {
        _folder: tempfile::TempDir,
        database: Database,
    }

    impl Log {
        async fn create() -> Self {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let url = format!("sqlite://{}", folder.path().join("log.sqlite3").display());
            let database = Database::connect(&url, DatabaseSettings::with_connections(2)).await.expect("a database");
            let manager = SchemaManager::new(database.connection());
            create_table(&manager).await.expect("a table");
            create_head_table(&manager, FEED).await.expect("a table");
            Self { _folder: folder, database }
        }

        async fn append(&self, fact: AccessFact, second: i64) -> Head {
            let at = chrono::DateTime::from_timestamp(1_700_000_000 + second, 0).expect("a time");
            let transaction = self.database.begin_write().await.expect("a transaction");
            let mut head = lock_head(&*transaction, FEED).await.expect("the head");
            let (actor, audit) = (Actor::Platform, Audit::default());
            let change = append(&*transaction, &mut head, fact, at, at, &actor, audit).await.expect("a row");
            store_head(&*transaction, &head).await.expect("a head");
            follow_erasures(&*transaction, &[change]).await.expect("erasures");
            transaction.commit().await.expect("a commit");
            head
        }

        async fn changes(&self) -> Vec<AccessChange> {
            let rows =
                Entity::find().order_by_asc(Column::Position).all(self.database.connection()).await.expect("rows");
            rows.iter().map(|row| change(row).expect("a change")).collect()
        }
    }

    fn cursor(head: &Head, replacements: u64) -> Cursor {
        Cursor {
            feed: FEED,
            position: head.position,
            chain_hash: head.chain_hash.clone(),
            incorporated_position: 0,
            caught_up_time: None,
            replacements,
        }
    }

    async fn assert_same(kept: &KeptHistories, log: &Log, cursor: &Cursor, asked: &AskedClients, seed: u64) {
        let found = kept.of_clients(log.database.connection(), cursor, asked).await.expect("histories");
        let all = log.changes().await;
        assert_eq!(found.keys().collect::<Vec<_>>(), asked.keys().collect::<Vec<_>>());
        for (client, addresses) in asked {
            // An entry may know more people than were asked about.
            let known = &found[client];
            let named = known.changes().filter_map(|change| change.fact.address().cloned());
            let expected = reference(&all, *client, &named.chain(addresses.iter().cloned()).collect());
            assert!(
                known.changes().eq(expected.changes()),
                "seed {seed}, client {client}: {known:?}, not {expected:?}"
            );
        }
    }

    #[tokio::test]
    async fn what_is_kept_is_what_the_log_says_whatever_came_since() {
        for seed in 0..HISTORIES {
            let mut random = fastrand::Rng::with_seed(seed);
            let log = Log::create().await;
            // One that has room, and one in which things are forgotten all the time; neither is asked after every change.
            let roomy = KeptHistories::default();
            let narrow = KeptHistories { maximum_changes: 12, ..KeptHistories::default() };
            for step in 0..STEPS {
                let second = i64::try_from(random.u64(..=step)).expect("a small number");
                let mut new = fact(&mut random, step);
                let all = log.changes().await;
                if random.u8(..8) == 0 && !all.is_empty() {
                    let taken_back = &all[random.usize(..all.len())];
                    if !matches!(taken_back.fact, AccessFact::Retracted { .. }) {
                        let fact = Box::new(taken_back.fact.clone());
                        new = AccessFact::Retracted { position: taken_back.position, fact };
                    }
                }
                let head = log.append(new, second).await;
                for kept in [&roomy, &narrow] {
                    if random.bool() {
                        let asked = (0..1 + random.u64(..2))
                            .map(|_| (hub_id(11 + random.u64(..3)), (0..random.u64(..3)).map(address).collect()))
                            .collect();
                        assert_same(kept, &log, &cursor(&head, 0), &asked, seed).await;
                    }
                }
            }
        }
    }

    #[tokio::test]
    async fn nothing_is_kept_of_a_copy_that_was_replaced_or_of_another_past() {
        let log = Log::create().await;
        let country = || "IT".parse().expect("a country");
        let added = |name: &str| AccessFact::ClientAdded {
            client: hub_id(11),
            display_name: name.to_owned(),
            country: country(),
        };
        let head = log.append(added("Before"), 0).await;
        let asked = AskedClients::from([(hub_id(11), BTreeSet::new())]);
        let kept = KeptHistories::default();
        assert_same(&kept, &log, &cursor(&head, 0), &asked, 0).await;

        // The same place, but another content: as after a replay of a copy that somebody had changed.
        let mut message = wire::AccessChange::from(&log.changes().await[0]);
        if let Some(wire::access_change::Fact::ClientAdded(fact)) = &mut message.fact {
            fact.display_name = "After".to_owned();
        }
        let payload = prost::Message::encode_to_vec(&message);
        let changed = Entity::update_many().col_expr(Column::Payload, payload.into());
        changed.exec(log.database.connection()).await.expect("a change");
        assert_same(&kept, &log, &cursor(&head, 1), &asked, 0).await;

        // Further, but from another past.
        let further = log.append(added("Later"), 1).await;
        let forked = Cursor { chain_hash: vec![7], ..cursor(&head, 1) };
        let kept = KeptHistories::default();
        kept.of_clients(log.database.connection(), &forked, &asked).await.expect("histories");
        kept.kept().recent.values_mut().for_each(|entry| {
            *entry = Arc::new(Entry {
                history: Arc::default(),
                addresses: BTreeSet::new(),
                partners: BTreeSet::new(),
                changes: 0,
            });
        });
        assert_same(&kept, &log, &cursor(&further, 1), &asked, 0).await;
    }
}
