//! Random histories through the running services, against a reference that was written from the rules alone.
//!
//! A seed makes a history. One system takes many, each under accounts and addresses of its own, and is then asked: about
//! every activity, and about what each client brings each partner, and since when and why it no longer does, at random
//! instants. Then it is started again with another policy, and asked once more. What differs is shrunk, and saved as a case
//! in `tests/cases`. `MANAGED_CREDIT_TEST_HISTORIES` says how many there are on each database, `MANAGED_CREDIT_TEST_SEED`
//! where the seeds begin.

mod generator;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use contracts::wire::credit::ListManagedCreditsRequest;
use futures_util::stream::{self, StreamExt as _};
use hostile::{number_of, say};
use managed_credit::running::Part;
use proptest::strategy::{Strategy as _, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use system_tests::reference::{DAY, Programme, REASONS, Reference, instant, seconds, time_of};
use system_tests::{Case, Cluster, ClusterOptions, DatabaseKind, Driven, Expectation, Fact, PolicyChange};

use generator::{PAIRS, history, instants};

/// How many histories there are where nothing else is said, how many are taken by one system, and how many at once.
const HISTORIES: u64 = 100;
const HISTORIES_PER_SYSTEM: u64 = 50;
const AT_ONCE: usize = 4;
/// How many instants each is asked about.
const INSTANTS: usize = 2;
/// After how many facts the answers are compared that the service gives of the facts so far.
const FACTS_PER_COMPARISON: usize = 10;
/// How many tries shrinking may take.
const SHRINKING_LIMIT: usize = 200;

/// The policies that one system goes through.
fn programmes() -> [Programme; 3] {
    let change = |from: &str, to: &str| PolicyChange { from: from.to_owned(), to: to.to_owned() };
    let window = "{ from = 0001-01-01, days = 60 },";
    let shorter = format!("{window}\n    {{ from = 2025-07-01, days = 45 }},");
    let minimums = "minimum_activities = [{ from = 2024-01-01, tier = \"ELITE\", minimum = 3 }, \
                    { from = 2025-08-01, tier = \"GOLD\", minimum = 2 }]";
    let plain = Programme { changes: Vec::new(), windows: vec![(i64::MIN, 60)], minimums: Vec::new() };
    let shorter = Programme {
        changes: vec![change(window, &shorter)],
        windows: vec![(i64::MIN, 60), (seconds("2025-07-01"), 45)],
        ..plain.clone()
    };
    let demanding = Programme {
        changes: vec![change("minimum_activities = []", minimums)],
        minimums: vec![(seconds("2024-01-01"), "ELITE", 3), (seconds("2025-08-01"), "GOLD", 2)],
        ..plain.clone()
    };
    [plain, shorter, demanding]
}

fn case(facts: Vec<Fact>, programme: &Programme, expect: Vec<Expectation>) -> Case {
    let title = "A random history that the system once answered otherwise than the rules say".to_owned();
    Case { title, rules: vec!["R60".to_owned()], policy: programme.changes.clone(), facts, expect }
}

/// What must be answered of a history.
fn expected(facts: &[Fact], programme: &Programme, seed: u64) -> Vec<Expectation> {
    let reference = Reference::new(facts, programme);
    let verdict = |fact: &Fact| match fact {
        Fact::Activity { id, .. } => {
            let is = reference.verdict(id).map_or_else(str::to_owned, |_| "COUNTED".to_owned());
            Some(Expectation::Verdict { activity: id.clone(), is })
        }
        _ => None,
    };
    let mut expect: Vec<Expectation> = facts.iter().filter_map(verdict).collect();
    let windows: Vec<i64> = programme.windows.iter().map(|(_, days)| *days).collect();
    for time in instants(facts, &windows, seed, INSTANTS) {
        for (partner, client) in PAIRS {
            expect.push(reference.credit(partner, client, time));
            expect.push(reference.loss(partner, client, time));
        }
    }
    expect
}

/// The same under accounts and addresses of its own.
fn relocated<T: serde::Serialize + serde::de::DeserializeOwned>(what: &T, place: u64) -> T {
    let shift = |value: &mut toml::Value| {
        if let toml::Value::Integer(number) = value {
            *number += i64::try_from(place).expect("few") * 10_000;
        }
    };
    let mut table = toml::Table::try_from(what).expect("a table");
    for (key, value) in &mut table {
        match (key.as_str(), &mut *value) {
            ("id" | "of" | "client" | "partner", toml::Value::Integer(_)) => shift(value),
            ("email", toml::Value::String(email)) => *email = email.replace(".example", &format!("{place}.example")),
            ("domains", toml::Value::Array(domains)) => {
                for domain in domains {
                    if let toml::Value::String(domain) = domain {
                        *domain = domain.replace(".example", &format!("{place}.example"));
                    }
                }
            }
            _ => {}
        }
    }
    table.try_into().expect("the same with other numbers")
}

/// A history that a system has taken: what it accepted.
struct Taken {
    seed: u64,
    place: u64,
    accepted: Vec<Fact>,
    driven: Driven,
}

/// Records a history. What the service refuses has not happened.
async fn take(cluster: &Cluster, facts: Vec<Fact>, seed: u64, place: u64) -> Taken {
    let (mut driven, mut accepted) = (Driven::default(), Vec::new());
    for fact in facts {
        match driven.take(cluster, &relocated(&fact, place)).await {
            Ok(()) => {
                let pair = PAIRS[accepted.len() % PAIRS.len()];
                if accepted.len() % FACTS_PER_COMPARISON == 0 {
                    require_one_answer(cluster, relocated_pair(pair, place), &instant_behind(&fact), seed).await;
                }
                accepted.push(fact);
            }
            Err(status) => assert!(is_refusal(&status), "seed {seed}, {fact:?}: {status}"),
        }
    }
    Taken { seed, place, accepted, driven }
}

fn relocated_pair((partner, client): (i64, i64), place: u64) -> (i64, i64) {
    let shift = i64::try_from(place).expect("few") * 10_000;
    (partner + shift, client + shift)
}

/// A day after what has just been recorded.
fn instant_behind(fact: &Fact) -> String {
    let time = time_of(fact);
    instant(if time == i64::MIN { seconds("2025-08-01") } else { time + DAY })
}

/// While facts arrive, a row is the same from what the service holds in memory, by itself and in the breakdown, and from
/// what it reads anew to explain it.
async fn require_one_answer(cluster: &Cluster, (partner, client): (i64, i64), at: &str, seed: u64) {
    let read = cluster.explain(partner, client, at).await;
    let read = read.map(|explanation| explanation.managed_credit.expect("a row")).map_err(|status| status.code());
    let held = cluster.managed_credit(partner, client, at).await.map_err(|status| status.code());
    assert_eq!(held, read, "seed {seed}, partner {partner}, client {client} at {at}");
    let search = ListManagedCreditsRequest { client_search: client.to_string(), ..Default::default() };
    let Ok(breakdown) = cluster.breakdown(partner, at, search).await else { return };
    for row in &breakdown.managed_credits {
        assert_eq!(Ok(row), read.as_ref(), "seed {seed}, the breakdown of {partner} at {at}");
    }
}

fn is_refusal(status: &tonic::Status) -> bool {
    use tonic::Code::{AlreadyExists, FailedPrecondition, NotFound};
    matches!(status.code(), AlreadyExists | FailedPrecondition | NotFound)
}

impl Taken {
    /// The expectations, and what the system says to each.
    async fn compare(&self, cluster: &Cluster, programme: &Programme) -> Vec<(Expectation, String)> {
        let expect = expected(&self.accepted, programme, self.seed);
        let asked: Vec<Expectation> = expect.iter().map(|expected| relocated(expected, self.place)).collect();
        let answers = self.driven.answers(cluster, &asked).await;
        expect.into_iter().zip(answers).collect()
    }
}

fn tree_of(seed: u64) -> impl ValueTree<Value = Vec<Fact>> {
    let config = Config { rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..Config::default() };
    history().new_tree(&mut TestRunner::new(config)).expect("a history")
}

/// What came up.
#[derive(Debug, Default)]
struct Counts {
    histories: u64,
    facts: usize,
    answers: usize,
    credits: usize,
    shared: usize,
    losses: usize,
    verdicts: BTreeMap<String, usize>,
    reasons: BTreeMap<String, usize>,
}

impl Counts {
    fn note(&mut self, expected: &Expectation) {
        self.answers += 1;
        match expected {
            Expectation::Verdict { is, .. } => *self.verdicts.entry(is.clone()).or_default() += 1,
            Expectation::Credit { reason, servicing_partners, .. } => {
                let reason = reason.as_deref().unwrap_or_default();
                self.credits += usize::from(reason == "-");
                self.shared += usize::from(reason == "-" && servicing_partners.is_some_and(|count| count > 1));
                *self.reasons.entry(reason.to_owned()).or_default() += 1;
            }
            Expectation::Loss { cause, .. } => self.losses += usize::from(cause != "-"),
        }
    }

    /// Whoever finds nothing interesting finds no mistake.
    fn require_variety(&self) {
        let found = |what: &BTreeMap<String, usize>| what.keys().cloned().collect::<BTreeSet<_>>();
        // The accounts of a history are always known.
        let verdicts = REASONS.into_iter().filter(|reason| *reason != "UNKNOWN_CLIENT").chain(["COUNTED", "VOIDED"]);
        let reasons = [
            "-",
            "OWN_ACCOUNT",
            "NOT_MANAGED",
            "LAPSED",
            "ALL_EMPLOYEES_REMOVED",
            "SERVICES_ENDED",
            "PARTNER_LEFT",
            "CLIENT_CLOSED",
            "TIER_ACTIVITY_MINIMUM",
            "NO_PAID_SUBSCRIPTION",
            "MRR_UNKNOWN",
        ];
        assert_eq!(found(&self.verdicts), verdicts.map(str::to_owned).collect(), "every verdict comes up");
        assert_eq!(found(&self.reasons), reasons.map(str::to_owned).into(), "every reason comes up");
        assert!(self.credits * 10 > self.reasons.values().sum::<usize>(), "there is credit: {self:?}");
        assert!(self.shared > 20 && self.losses > 50, "some is shared, some lost: {self:?}");
    }
}

fn options(programme: &Programme) -> ClusterOptions {
    let policy = Arc::new(case(Vec::new(), programme, Vec::new()).policy());
    ClusterOptions { policy, ..ClusterOptions::default() }
}

/// Starts the services that judge and calculate again, with another policy, and waits until all is judged by it.
async fn adopt(cluster: &mut Cluster, programme: &Programme) {
    cluster.policy = options(programme).policy;
    for part in [Part::Credit, Part::Activity] {
        cluster.stop_part(part).await;
    }
    for part in [Part::Activity, Part::Credit] {
        cluster.start_part(part).await;
    }
    loop {
        let status = cluster.status(Part::Activity).await;
        if status.rejudging.is_some_and(|rejudging| rejudging.waiting_tasks == 0) {
            cluster.note(&status.revision);
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Whether a history is answered wrongly by a system of its own, and where.
async fn wrong(kind: DatabaseKind, programme: &Programme, facts: Vec<Fact>, seed: u64) -> Option<Case> {
    let cluster = Cluster::start_with(kind, options(programme)).await;
    let taken = take(&cluster, facts, seed, 0).await;
    let compared = taken.compare(&cluster, programme).await;
    let wrong = compared.into_iter().find(|(expected, answer)| expected.line() != *answer);
    let accepted = taken.accepted.clone();
    cluster.stop().await;
    wrong.map(|(expected, _)| case(accepted, programme, vec![expected]))
}

/// The smallest history like this one that is still answered wrongly.
async fn shrunk(kind: DatabaseKind, programme: &Programme, seed: u64) -> Option<Case> {
    let mut tree = tree_of(seed);
    let mut found = wrong(kind, programme, tree.current(), seed).await?;
    let mut goes_on = tree.simplify();
    for _ in 0..SHRINKING_LIMIT {
        if !goes_on {
            break;
        }
        goes_on = match wrong(kind, programme, tree.current(), seed).await {
            Some(smaller) => {
                found = smaller;
                tree.simplify()
            }
            None => tree.complicate(),
        };
    }
    Some(found)
}

/// Saves what was found, and tells it.
async fn report(kind: DatabaseKind, programme: &Programme, seed: u64, wrong: &(Expectation, String)) -> ! {
    let (expected, answer) = wrong;
    let problem =
        format!("seed {seed}: {}: the rules say {}, the system {answer}", expected.subject(), expected.line());
    say(&format!("{problem}; shrinking"));
    // A history that only goes wrong among others, or after another policy, stays as it was.
    let Some(found) = shrunk(kind, programme, seed).await else { panic!("{problem}; by itself it is right") };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases").join(format!("found_{seed}.toml"));
    let saved = toml::to_string(&found).map(|text| std::fs::write(&path, text));
    saved.expect("a case as text").expect("the folder of cases");
    panic!("{problem}; {} facts are left of it in tests/cases/found_{seed}.toml", found.facts.len());
}

async fn go_through(kind: DatabaseKind, seeds: std::ops::Range<u64>, counts: &mut Counts) {
    let programmes = programmes();
    let mut cluster = Cluster::start_with(kind, options(&programmes[0])).await;
    let taking = seeds.clone().map(|seed| take(&cluster, tree_of(seed).current(), seed, seed - seeds.start));
    let taken: Vec<Taken> = stream::iter(taking).buffered(AT_ONCE).collect().await;
    counts.histories += seeds.end - seeds.start;
    counts.facts += taken.iter().map(|taken| taken.accepted.len()).sum::<usize>();
    for (index, programme) in programmes.iter().enumerate() {
        if index > 0 {
            adopt(&mut cluster, programme).await;
        }
        let asking = taken.iter().map(|taken| taken.compare(&cluster, programme));
        let compared: Vec<_> = stream::iter(asking).buffered(AT_ONCE).collect().await;
        for (taken, compared) in taken.iter().zip(compared) {
            for each in compared {
                if each.0.line() != each.1 {
                    report(kind, programme, taken.seed, &each).await;
                }
                counts.note(&each.0);
            }
        }
    }
    cluster.stop().await;
}

async fn the_system_answers_what_the_rules_say(kind: DatabaseKind) {
    let first = number_of("MANAGED_CREDIT_TEST_SEED", 1);
    let count = number_of("MANAGED_CREDIT_TEST_HISTORIES", HISTORIES);
    let mut counts = Counts::default();
    let mut start = first;
    while start < first + count {
        let end = (start + HISTORIES_PER_SYSTEM).min(first + count);
        go_through(kind, start..end, &mut counts).await;
        start = end;
    }
    say(&format!("{kind:?}, seeds {first} to {}: {counts:?}", first + count - 1));
    if count >= HISTORIES {
        counts.require_variety();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_system_answers_what_the_rules_say_on_sqlite() {
    the_system_answers_what_the_rules_say(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_system_answers_what_the_rules_say_on_postgresql() {
    the_system_answers_what_the_rules_say(DatabaseKind::Postgresql).await;
}
