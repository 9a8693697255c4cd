//! One history, recorded in many orders: what it is worth, and why, never depends on the order.

use std::collections::BTreeMap;

use contracts::wire::access::link_client_result::Outcome;
use contracts::wire::credit::{Explanation, ListManagedCreditsRequest, ManagedCredit};
use proptest::strategy::{Just, Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngSeed, TestRunner};
use system_tests::{Cluster, DatabaseKind};

/// Something of the history.
#[derive(Debug, Clone, Copy)]
enum Fact {
    Partner {
        partner: i64,
        domain: &'static str,
        since: &'static str,
    },
    Employee {
        partner: i64,
        address: &'static str,
        since: &'static str,
    },
    Client {
        client: i64,
        country: &'static str,
        since: &'static str,
    },
    User {
        client: i64,
        address: &'static str,
        since: &'static str,
    },
    Removal {
        client: i64,
        address: &'static str,
        at: &'static str,
    },
    /// The same address again, after it was removed.
    UserAgain {
        client: i64,
        address: &'static str,
        since: &'static str,
    },
    Link {
        partner: i64,
        address: &'static str,
        client: i64,
        since: &'static str,
    },
    Work {
        client: i64,
        address: &'static str,
        at: &'static str,
        action: &'static str,
    },
    Subscription {
        client: i64,
        id: &'static str,
        mrr: &'static str,
        since: &'static str,
    },
    Mrr {
        client: i64,
        id: &'static str,
        mrr: &'static str,
        since: &'static str,
    },
}

const ANNA: &str = "anna@agency.example";
const BEN: &str = "ben@agency.example";
/// Of partner 1002, which has no domain.
const CARLA: &str = "carla@freemail.example";
/// Of both partners.
const DORA: &str = "dora@freemail.example";

/// Two partners, four clients in three currencies, one of them in a growth market: shared, lapsed, ended by removals and
/// begun anew, worked in before anybody was there.
const HISTORY: &[Fact] = &[
    Fact::Partner { partner: 1001, domain: "agency.example", since: "2024-01-01" },
    Fact::Partner { partner: 1002, domain: "", since: "2024-02-01" },
    Fact::Employee { partner: 1001, address: ANNA, since: "2024-03-01" },
    Fact::Employee { partner: 1001, address: BEN, since: "2025-02-01" },
    Fact::Employee { partner: 1002, address: CARLA, since: "2024-03-01" },
    Fact::Employee { partner: 1001, address: DORA, since: "2024-03-01" },
    Fact::Employee { partner: 1002, address: DORA, since: "2024-03-01" },
    Fact::Client { client: 2001, country: "US", since: "2024-01-01" },
    Fact::Client { client: 2002, country: "IN", since: "2024-06-01" },
    Fact::Client { client: 2003, country: "JP", since: "2024-01-01" },
    Fact::Client { client: 2004, country: "DE", since: "2025-03-01" },
    Fact::User { client: 2001, address: ANNA, since: "2024-04-01" },
    Fact::User { client: 2001, address: CARLA, since: "2024-05-01" },
    Fact::User { client: 2001, address: DORA, since: "2024-05-01" },
    Fact::User { client: 2002, address: ANNA, since: "2024-07-01" },
    Fact::User { client: 2002, address: BEN, since: "2025-01-15" },
    Fact::User { client: 2003, address: ANNA, since: "2024-04-01" },
    Fact::User { client: 2003, address: BEN, since: "2025-03-01" },
    Fact::User { client: 2004, address: CARLA, since: "2025-03-02" },
    Fact::Link { partner: 1002, address: CARLA, client: 2001, since: "2024-06-01" },
    Fact::Link { partner: 1002, address: DORA, client: 2001, since: "2025-05-01" },
    Fact::Link { partner: 1001, address: DORA, client: 2001, since: "2025-06-01" },
    Fact::Removal { client: 2003, address: ANNA, at: "2025-07-20T08:00:00Z" },
    Fact::Removal { client: 2003, address: BEN, at: "2025-07-20T09:00:00Z" },
    Fact::UserAgain { client: 2003, address: ANNA, since: "2025-07-21" },
    Fact::Work { client: 2001, address: ANNA, at: "2025-05-10", action: "blog/publish" },
    Fact::Work { client: 2001, address: ANNA, at: "2025-06-20", action: "form/edit" },
    Fact::Work { client: 2001, address: ANNA, at: "2025-07-05", action: "account/login" },
    Fact::Work { client: 2001, address: CARLA, at: "2025-05-15", action: "list/create" },
    Fact::Work { client: 2001, address: CARLA, at: "2024-05-31", action: "list/create" },
    Fact::Work { client: 2001, address: DORA, at: "2025-05-20", action: "note/log" },
    Fact::Work { client: 2001, address: DORA, at: "2025-08-20", action: "note/log" },
    Fact::Work { client: 2002, address: BEN, at: "2025-01-20", action: "blog/publish" },
    Fact::Work { client: 2002, address: BEN, at: "2025-02-02", action: "blog/publish" },
    Fact::Work { client: 2002, address: ANNA, at: "2025-06-01", action: "report/create" },
    Fact::Work { client: 2003, address: ANNA, at: "2025-06-01T09:00:00Z", action: "form/edit" },
    Fact::Work { client: 2003, address: BEN, at: "2025-06-15T10:00:00Z", action: "form/edit" },
    Fact::Work { client: 2003, address: ANNA, at: "2025-09-01", action: "form/create" },
    Fact::Work { client: 2004, address: CARLA, at: "2025-06-01", action: "blog/publish" },
    Fact::Work { client: 2004, address: ANNA, at: "2025-06-01", action: "blog/publish" },
    Fact::Subscription { client: 2001, id: "main", mrr: "1000.00 USD", since: "2024-01-01" },
    Fact::Mrr { client: 2001, id: "main", mrr: "2000.00 USD", since: "2025-02-01" },
    Fact::Mrr { client: 2001, id: "main", mrr: "1000.00 USD", since: "2025-03-01" },
    Fact::Mrr { client: 2001, id: "main", mrr: "1500.01 USD", since: "2025-06-15" },
    Fact::Subscription { client: 2001, id: "more", mrr: "10.00 USD", since: "2025-06-01" },
    Fact::Subscription { client: 2002, id: "main", mrr: "500.00 EUR", since: "2024-06-01" },
    Fact::Mrr { client: 2002, id: "main", mrr: "0 EUR", since: "2025-08-01" },
    Fact::Subscription { client: 2003, id: "main", mrr: "100000 JPY", since: "2024-01-01" },
];

/// The instants that are asked about: when all is new, in the middle, at an ending, when much has lapsed.
const INSTANTS: [&str; 6] =
    ["2025-02-15", "2025-05-20", "2025-06-20", "2025-07-20T09:00:00Z", "2025-09-01", "2025-12-31"];

impl Fact {
    /// Whether another must have been recorded before.
    fn needs(self, other: Self) -> bool {
        match (self, other) {
            (Self::Employee { partner, .. } | Self::Link { partner, .. }, Self::Partner { partner: of, .. }) => {
                partner == of
            }
            (Self::User { client, .. } | Self::Link { client, .. }, Self::Client { client: of, .. })
            | (Self::Mrr { client, .. }, Self::Subscription { client: of, id: "main", .. }) => client == of,
            (Self::Link { partner, address, .. }, Self::Employee { partner: of, address: who, .. }) => {
                (partner, address) == (of, who)
            }
            (Self::Removal { client, address, .. }, Self::User { client: of, address: who, .. })
            | (Self::UserAgain { client, address, .. }, Self::Removal { client: of, address: who, .. }) => {
                (client, address) == (of, who)
            }
            _ => false,
        }
    }
}

/// The history in an order that a seed draws.
fn shuffled(seed: u64) -> Vec<Fact> {
    let mut runner = TestRunner::new(Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() });
    let drawn = Just(HISTORY.to_vec()).prop_shuffle().new_tree(&mut runner).expect("an order").current();
    let mut left = drawn;
    let mut order = Vec::new();
    while !left.is_empty() {
        let is_free = |fact: &Fact| !left.iter().any(|other| fact.needs(*other));
        let next = left.iter().position(is_free).expect("nothing needs itself");
        order.push(left.remove(next));
    }
    order
}

/// The names that access-management gave.
#[derive(Default)]
struct Recorded {
    employees: BTreeMap<(i64, &'static str), String>,
    users: BTreeMap<(i64, &'static str), String>,
}

async fn record(cluster: &Cluster, fact: Fact, recorded: &mut Recorded) {
    match fact {
        Fact::Partner { partner, domain, since } => {
            let domains: Vec<&str> = Some(domain).filter(|domain| !domain.is_empty()).into_iter().collect();
            cluster.partner_since(partner, &domains, since).await.expect("a partner");
        }
        Fact::Employee { partner, address, since } => {
            let name = cluster.employee_since(partner, address, since).await.expect("an employee");
            recorded.employees.insert((partner, address), name);
        }
        Fact::Client { client, country, since } => {
            cluster.client_since(client, country, since).await.expect("a client");
        }
        Fact::User { client, address, since } | Fact::UserAgain { client, address, since } => {
            let name = cluster.user_since(client, address, since).await.expect("a user");
            recorded.users.insert((client, address), name);
        }
        Fact::Removal { client, address, at } => {
            cluster.remove(&recorded.users[&(client, address)], at).await.expect("a removal");
        }
        Fact::Link { partner, address, client, since } => {
            let outcome = cluster.link(&recorded.employees[&(partner, address)], client, since).await;
            assert!(matches!(outcome, Outcome::Assignment(_)), "{outcome:?}");
        }
        Fact::Work { client, address, at, action } => {
            let name = address.split('@').next().expect("a name");
            let id = format!("{name}-{}", at.replace(':', ""));
            cluster.work(client, &id, address, at, action).await;
        }
        Fact::Subscription { client, id, mrr, since } => {
            cluster.subscription(client, id, mrr, since).await.expect("a subscription");
        }
        Fact::Mrr { client, id, mrr, since } => {
            cluster.new_mrr(client, id, mrr, since).await.expect("a change");
        }
    }
}

/// What both partners are told: their breakdowns with totals, and why each row is as it is.
#[derive(Debug, PartialEq)]
struct Told {
    rows: Vec<ManagedCredit>,
    totals: Vec<String>,
    explanations: Vec<Explanation>,
}

async fn told(cluster: &Cluster) -> Told {
    let mut told = Told { rows: Vec::new(), totals: Vec::new(), explanations: Vec::new() };
    for as_of in INSTANTS {
        for partner in [1001, 1002] {
            let page = cluster.breakdown(partner, as_of, ListManagedCreditsRequest::default()).await.expect("rows");
            told.totals.push(format!("{partner} at {as_of}: {} of {}", page.total_points, page.total_size));
            told.rows.extend(page.managed_credits);
            for client in 2001..=2004 {
                told.explanations.push(cluster.explain(partner, client, as_of).await.expect("an explanation"));
            }
        }
    }
    told
}

async fn told_of(kind: DatabaseKind, order: Vec<Fact>) -> Told {
    let cluster = Cluster::start(kind).await;
    let mut recorded = Recorded::default();
    for fact in order {
        record(&cluster, fact, &mut recorded).await;
    }
    let told = told(&cluster).await;
    cluster.stop().await;
    told
}

async fn the_order_of_recording_changes_no_answer(kind: DatabaseKind) {
    let expected = told_of(kind, HISTORY.to_vec()).await;
    let earning = expected.rows.iter().filter(|row| row.points.as_deref().is_some_and(|points| points != "0.00"));
    assert!(earning.count() > 10, "the history brings credit: {:?}", expected.totals);
    let lost = expected.explanations.iter().filter(|explanation| explanation.loss.is_some());
    assert!(lost.count() > 5, "and loses some");
    for seed in 1..=4 {
        let found = told_of(kind, shuffled(seed)).await;
        assert_eq!(found.totals, expected.totals, "seed {seed}");
        assert_eq!(found.rows, expected.rows, "seed {seed}");
        for (found, expected) in found.explanations.iter().zip(&expected.explanations) {
            assert_eq!(found.headline, expected.headline, "seed {seed}");
            assert_eq!(found, expected, "seed {seed}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_recording_changes_no_answer_on_sqlite() {
    the_order_of_recording_changes_no_answer(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_of_recording_changes_no_answer_on_postgresql() {
    the_order_of_recording_changes_no_answer(DatabaseKind::Postgresql).await;
}
