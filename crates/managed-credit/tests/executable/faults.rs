//! Faults of real processes at random points of a running import: nothing that was acknowledged is lost, nothing counts
//! twice, nothing is invented.
//!
//! A seed decides what is written, which fault comes after how many acknowledged writes, and where ways are cut; what the
//! processes are doing at that moment is theirs. `MANAGED_CREDIT_TEST_FAULTS` says how many faults there are on each
//! database, `MANAGED_CREDIT_TEST_SEED` where the seeds begin.

mod checking;
mod disk;
pub mod postgres;
mod proxy;
pub mod world;
mod writing;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use contracts::wire::access::WatchAccessRequest;
use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use futures_util::FutureExt as _;
use hostile::{number_of, say};
use managed_credit::running::Part;
use tokio::task::block_in_place;
use tonic::transport::Endpoint;

use checking::check;
use world::{Storage, World};
use writing::{Ledger, Writing, write_partners};

/// Faults that one world goes through, and clients that are written at each.
const FAULTS_PER_WORLD: usize = 10;
const CLIENTS_PER_FAULT: u32 = 6;

/// How long a process is stopped where it is, and how long a cut is waited for, at most.
const FAULT_LIMIT: Duration = Duration::from_millis(500);

/// What goes wrong.
#[derive(Debug, Clone)]
enum Fault {
    /// A process is killed and started again.
    Kill(Part, usize),
    /// All processes are killed, and started again in an order.
    KillAll(Vec<Part>),
    /// PostgreSQL is killed and started again; no process of ours is.
    KillPostgres,
    /// The way from callers to a service is cut after so many bytes of answers: before, in, or after an answer.
    CutAnswers(Part, usize),
    /// A way between services is cut after so many bytes: in a feed, mostly.
    CutBetween(usize, usize),
    /// The way of a service to its database is cut after so many bytes: before, in, or after a commit.
    CutDatabase(Part, usize),
    /// A process stands still for a while, with whatever it holds.
    Pause(Part, usize),
    /// Somebody opens feeds and never reads them.
    NeverRead,
}

impl Fault {
    /// The faults of a world: of every kind, in an order of its own.
    fn of_a_world(random: &mut fastrand::Rng, storage: Storage) -> Vec<Self> {
        let mut kinds: Vec<usize> = (0..FAULTS_PER_WORLD).collect();
        random.shuffle(&mut kinds);
        kinds.into_iter().map(|kind| Self::random(kind, random, storage)).collect()
    }

    fn random(kind: usize, random: &mut fastrand::Rng, storage: Storage) -> Self {
        let part = Part::ALL[random.usize(..3)];
        let replica = random.usize(..storage.replicas());
        let bytes = if random.bool() { random.usize(..400) } else { random.usize(..20_000) };
        match (kind, storage) {
            (0, _) => {
                let mut order = Part::ALL.to_vec();
                random.shuffle(&mut order);
                Self::KillAll(order)
            }
            (1, _) => Self::CutAnswers(part, bytes),
            (2 | 3, _) => Self::CutBetween(random.usize(..3), bytes),
            (4, _) => Self::Pause(part, replica),
            (5, _) => Self::NeverRead,
            (6, Storage::Postgresql) => Self::CutDatabase(part, bytes),
            (7, Storage::Postgresql) => Self::KillPostgres,
            _ => Self::Kill(part, replica),
        }
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::Kill(..) => "kill",
            Self::KillAll(_) => "kill all",
            Self::KillPostgres => "kill PostgreSQL",
            Self::CutAnswers(..) => "cut answers",
            Self::CutBetween(..) => "cut between services",
            Self::CutDatabase(..) => "cut from the database",
            Self::Pause(..) => "pause",
            Self::NeverRead => "never read",
        }
    }

    async fn strike(&self, world: &mut World) {
        match self {
            Self::Kill(part, replica) => {
                world.kill(*part, *replica);
                world.start_process(*part, *replica);
            }
            Self::KillAll(order) => {
                let replicas = world.storage.replicas();
                for part in Part::ALL {
                    (0..replicas).for_each(|replica| world.kill(part, replica));
                }
                for part in order {
                    (0..replicas).for_each(|replica| world.start_process(*part, replica));
                }
            }
            Self::KillPostgres => {
                let postgres = world.postgres.as_ref().expect("it is there");
                postgres.kill();
                block_in_place(|| postgres.start_again());
            }
            Self::CutAnswers(part, bytes) => cut(&world.ways[*part as usize], *bytes).await,
            Self::CutBetween(place, bytes) => cut(&world.between[*place], *bytes).await,
            Self::CutDatabase(part, bytes) => cut(&world.databases[*part as usize], *bytes).await,
            Self::Pause(part, replica) => {
                world.signal(*part, *replica, "STOP");
                tokio::time::sleep(FAULT_LIMIT).await;
                world.signal(*part, *replica, "CONT");
            }
            Self::NeverRead => never_read(world).await,
        }
    }
}

async fn cut(way: &proxy::Proxy, bytes: usize) {
    way.cut_after(bytes);
    // Where so much is not said, nothing is cut.
    let _ = tokio::time::timeout(FAULT_LIMIT, way.is_cut()).await;
    way.mend();
}

async fn never_read(world: &World) {
    let small =
        Endpoint::from_shared(world.url(Part::Access).to_owned()).expect("a URL").initial_stream_window_size(65_535);
    let channel = small.connect_lazy();
    for _ in 0..4 {
        let mut feed = AccessFeedServiceClient::new(channel.clone());
        if let Ok(stream) = feed.watch_access(WatchAccessRequest::default()).await {
            // Nobody drops it either.
            std::mem::forget(stream);
        }
    }
}

/// One world with its faults, each followed by a look at everything.
async fn go_through(
    storage: Storage,
    seed: u64,
    faults: usize,
    counts: &mut BTreeMap<&'static str, usize>,
) -> (u64, u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut world = World::start(storage).await;
    let ledger: Arc<Mutex<Ledger>> = Arc::default();
    write_partners(&world, &ledger).await;
    let struck = Fault::of_a_world(&mut random, storage).into_iter().take(faults);
    for (index, fault) in struck.enumerate() {
        let first = u32::try_from(index).expect("few") * CLIENTS_PER_FAULT + 1;
        let numbers: Vec<u32> = (first..first + CLIENTS_PER_FAULT).collect();
        let mut writing = Writing::begin(&world, &ledger, numbers.clone(), &mut random);
        let place = random.usize(..writing.steps);
        *counts.entry(fault.name()).or_default() += 1;
        let went_well = AssertUnwindSafe(async {
            writing.acknowledged.wait_for(|acknowledged| *acknowledged >= place).await.expect("callers write");
            fault.strike(&mut world).await;
            writing.finish().await;
            let ledger = std::mem::take(&mut *ledger.lock().expect("a ledger"));
            check(&world, &ledger, &numbers).await;
            ledger
        });
        match went_well.catch_unwind().await {
            Ok(checked) => *ledger.lock().expect("a ledger") = checked,
            Err(panic) => {
                say(&world.end_of_log());
                say(&format!("seed {seed}, fault {index} after {place} acknowledged writes: {fault:?}"));
                std::panic::resume_unwind(panic);
            }
        }
    }
    let ledger = ledger.lock().expect("a ledger");
    (ledger.access_changes + ledger.subscriptions, ledger.calls)
}

async fn no_fault_loses_or_doubles_anything(storage: Storage) {
    let faults = usize::try_from(number_of("MANAGED_CREDIT_TEST_FAULTS", 20)).expect("a number");
    let first_seed = number_of("MANAGED_CREDIT_TEST_SEED", 1);
    let (mut counts, mut left, mut seed, mut writes, mut calls) = (BTreeMap::new(), faults, first_seed, 0, 0);
    while left > 0 {
        let some = left.min(FAULTS_PER_WORLD);
        let (written, called) = go_through(storage, seed, some, &mut counts).await;
        (left, seed, writes, calls) = (left - some, seed + 1, writes + written, calls + called);
    }
    say(&format!(
        "{storage:?}: {faults} fault points, seeds {first_seed} to {}: {counts:?}; {writes} changes of access and credit \
         acknowledged by {calls} calls",
        seed - 1
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_fault_loses_or_doubles_anything_on_sqlite() {
    no_fault_loses_or_doubles_anything(Storage::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_fault_loses_or_doubles_anything_on_postgresql_with_two_replicas_of_each_service() {
    no_fault_loses_or_doubles_anything(Storage::Postgresql).await;
}
