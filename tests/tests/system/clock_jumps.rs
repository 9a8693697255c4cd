//! A clock that jumps, back and ahead: what was said last counts last, and nothing is out of order.

use contracts::wire::access::{DeactivateClientUserRequest, ListAccessChangesRequest, ReactivateClientUserRequest};
use contracts::wire::credit::{Money, Subscription, UpdateSubscriptionRequest};
use managed_credit::running::Part;
use system_tests::{Cluster, DatabaseKind, at};

use crate::maintenance::verify::verify;

const ANNA: &str = "anna@agency.example";
const CLIENTS: [i64; 3] = [2001, 2002, 2003];
const STEPS: usize = 40;

/// What the last writes said of a client.
#[derive(Debug, Clone, Copy)]
struct Said {
    dollars: i64,
    is_active: bool,
}

async fn change_mrr(cluster: &Cluster, client: i64, dollars: i64) {
    let subscription = Subscription {
        name: format!("clients/{client}/subscriptions/main"),
        mrr: Some(Money { currency_code: "USD".to_owned(), amount: format!("{dollars}.00") }),
        ..Default::default()
    };
    let request = UpdateSubscriptionRequest { subscription: Some(subscription), ..Default::default() };
    cluster.note(&cluster.credit().update_subscription(request).await.expect("another MRR").into_inner().revision);
}

async fn change_state(cluster: &Cluster, user: &str, is_active: bool) {
    let (name, mut access) = (user.to_owned(), cluster.access());
    let revision = if is_active {
        let request = ReactivateClientUserRequest { name, ..Default::default() };
        access.reactivate_client_user(request).await.expect("a reactivation").into_inner().revision
    } else {
        let request = DeactivateClientUserRequest { name, ..Default::default() };
        access.deactivate_client_user(request).await.expect("a deactivation").into_inner().revision
    };
    cluster.note(&revision);
}

async fn jump_about(cluster: &Cluster, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, ANNA).await;
    let mut users = Vec::new();
    for client in CLIENTS {
        cluster.client(client, "US").await;
        users.push(cluster.user(client, ANNA).await);
        cluster.work(client, "one", ANNA, "2025-12-20", "blog/publish").await;
        cluster.subscription(client, "main", "1.00 USD", "2024-01-01").await.expect("a subscription");
    }
    let mut said = [Said { dollars: 1, is_active: true }; CLIENTS.len()];
    for step in 0..STEPS {
        let jump = chrono::TimeDelta::minutes(random.i64(-180..=180));
        cluster.clock.set(at("2026-01-01T12:00:00Z") + jump);
        let place = random.usize(..CLIENTS.len());
        if random.bool() {
            said[place].dollars = i64::try_from(step).expect("few") + 2;
            change_mrr(cluster, CLIENTS[place], said[place].dollars).await;
        } else {
            said[place].is_active = !said[place].is_active;
            change_state(cluster, &users[place], said[place].is_active).await;
        }
    }
    for (place, client) in CLIENTS.into_iter().enumerate() {
        let row = cluster.managed_credit(1001, client, "2026-01-02").await.expect("a row");
        let credit = row.credit.expect("a credit").amount;
        assert_eq!(credit, format!("{}.00", said[place].dollars), "seed {seed}, client {client}");
        // Who is active may work; the occur time is behind every jump.
        cluster.clock.set(at("2026-01-01T18:00:00Z"));
        let verdict = cluster.work(client, "two", ANNA, "2026-01-01T17:00:00Z", "blog/publish").await;
        let expected = if said[place].is_active { "VERDICT_OUTCOME_COUNTED" } else { "VERDICT_OUTCOME_NOT_COUNTED" };
        assert_eq!(verdict.outcome().as_str_name(), expected, "seed {seed}, client {client}");
    }
    let request = ListAccessChangesRequest { page_size: 1_000, ..Default::default() };
    let log = cluster.access().list_access_changes(request).await.expect("the log").into_inner().changes;
    let time = |change: &contracts::wire::access::AccessChange| {
        change.record_time.as_ref().map(|time| (time.seconds, time.nanos))
    };
    let is_ordered = log.windows(2).all(|pair| {
        let (newer, older) = if pair[0].position > pair[1].position { (0, 1) } else { (1, 0) };
        time(&pair[newer]) >= time(&pair[older])
    });
    assert!(is_ordered && log.len() > 8, "seed {seed}: the log is in the order of time");
    for part in Part::ALL {
        assert_eq!(verify(cluster, part).await.differences, [], "seed {seed}, {part}");
    }
}

async fn whatever_the_clock_says(kind: DatabaseKind) {
    for seed in 1..=4 {
        let cluster = Cluster::start(kind).await;
        jump_about(&cluster, seed).await;
        cluster.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_last_counts_last_whatever_the_clock_says_on_sqlite() {
    whatever_the_clock_says(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_said_last_counts_last_whatever_the_clock_says_on_postgresql() {
    whatever_the_clock_says(DatabaseKind::Postgresql).await;
}
