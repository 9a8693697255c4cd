//! Changes that concern many activities: judged again through a durable queue, while everything goes on serving.

use std::collections::BTreeSet;

use contracts::wire::activity::Activity;
use managed_credit::running::Part;
use system_tests::{Cluster, DatabaseKind, at};

use super::{LONG_AFTER, assert_as_the_domain_says, other_policy, outcomes, servicing, until_nothing_waits, waiting};

const PEOPLE: [&str; 3] = ["anna@agency.example", "bruno@agency.example", "carla@agency.example"];
const CLIENTS: [i64; 2] = [2001, 2002];

/// A partner with three people in two clients, each with far more activities than one transaction judges again.
async fn large_agency(cluster: &Cluster) -> Vec<Activity> {
    cluster.partner_since(1001, &["agency.example"], "2025-01-01").await.expect("a partner");
    for client in CLIENTS {
        cluster.client_since(client, "US", "2025-01-01").await.expect("a client");
    }
    for person in PEOPLE {
        cluster.employee_since(1001, person, "2025-01-01").await.expect("an employee");
        for client in CLIENTS {
            cluster.user_since(client, person, "2025-01-01").await.expect("a user");
        }
    }
    let activity = |number: usize| {
        let when = (at("2025-01-05") + chrono::TimeDelta::minutes(number as i64 * 60)).to_rfc3339();
        let id = format!("evt-{number}");
        Cluster::activity_of(CLIENTS[number % 2], &id, PEOPLE[number / 2 % 3], &when, "form/edit")
    };
    let activities: Vec<Activity> = (0..7_500).map(activity).collect();
    for batch in activities.chunks(1_000) {
        cluster.record(batch.to_vec()).await.expect("results");
    }
    activities
}

async fn a_partner_that_leaves_is_judged_again_across_restarts_while_others_are_served(kind: DatabaseKind) {
    let mut cluster = Cluster::start(kind).await;
    let mut activities = large_agency(&cluster).await;
    cluster.partner_since(1002, &["other.example"], "2025-01-01").await.expect("a partner");
    cluster.employee_since(1002, "dora@other.example", "2025-01-01").await.expect("an employee");
    cluster.user_since(2001, "dora@other.example", "2025-01-01").await.expect("a user");
    let known = cluster.known_revisions();

    cluster.leave(1001, "2025-01-20").await.expect("left");
    // Looked at without a pause: it is worked off within the second.
    let mut looks = 0;
    while waiting(&cluster).await.waiting_tasks == 0 {
        looks += 1;
        assert!(looks < 100_000, "it is never put into the queue, or was worked off between two looks");
    }
    let (mut restarts, mut recorded_meanwhile) = (0, 0);
    loop {
        let waiting = waiting(&cluster).await;
        if waiting.waiting_tasks > 0 {
            assert!(waiting.oldest_time.is_some());
            restarts += 1;
            cluster.stop_part(Part::Activity).await;
            cluster.start_part(Part::Activity).await;
        } else if restarts > 0 {
            break;
        }
        // Reads that do not ask to know the leaving are answered, and so are others' records.
        let before = cluster.servicing_knowing(known.clone(), 1002, 2001, LONG_AFTER).await;
        before.expect("a servicing");
        let id = format!("dora-{recorded_meanwhile}");
        let when = (at("2025-02-01") + chrono::TimeDelta::minutes(recorded_meanwhile)).to_rfc3339();
        let activity = Cluster::activity_of(2001, &id, "dora@other.example", &when, "form/edit");
        let recorded = cluster.record(vec![activity.clone()]).await.expect("results");
        assert_eq!(outcomes(&recorded), ["COUNTED"]);
        activities.push(activity);
        recorded_meanwhile += 1;
        assert!(recorded_meanwhile < 1_000, "it was worked off between two looks");
    }
    assert!(restarts > 0, "it was stopped with work waiting");
    let counted = assert_as_the_domain_says(&cluster, &activities, &BTreeSet::new(), &[1001, 1002], &CLIENTS).await;
    let until_the_leaving = 15 * 24;
    assert_eq!(counted, until_the_leaving + usize::try_from(recorded_meanwhile).expect("a count"));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partner_that_leaves_is_judged_again_across_restarts_while_others_are_served_on_sqlite() {
    a_partner_that_leaves_is_judged_again_across_restarts_while_others_are_served(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partner_that_leaves_is_judged_again_across_restarts_while_others_are_served_on_postgresql() {
    a_partner_that_leaves_is_judged_again_across_restarts_while_others_are_served(DatabaseKind::Postgresql).await;
}

/// How often it is started at most until it was stopped often enough with work waiting: how much is done by then is a
/// matter of the machine.
const MOST_RESTARTS: u32 = 40;

async fn another_policy_judges_everything_again_across_restarts(kind: DatabaseKind) {
    let mut cluster = Cluster::start(kind).await;
    let activities = large_agency(&cluster).await;
    let mut interrupted = 0;
    for restart in 0..MOST_RESTARTS {
        cluster.stop_part(Part::Activity).await;
        // Each policy is started with twice: what the first start leaves is of the same policy.
        cluster.policy = other_policy(30 + restart / 2);
        cluster.start_part(Part::Activity).await;
        // Whatever is known of access after the start was learned after it was found that all is to be judged again.
        let client = 3000 + i64::from(restart);
        cluster.client(client, "US").await;
        if restart < 2 {
            servicing(&cluster, 1001, 2001, LONG_AFTER).await;
        }
        interrupted += u32::from(waiting(&cluster).await.waiting_tasks > 0);
        if restart > 2 && interrupted > 2 {
            break;
        }
    }
    assert!(interrupted > 1, "it was stopped with work waiting");
    until_nothing_waits(&cluster).await;
    let counted = assert_as_the_domain_says(&cluster, &activities, &BTreeSet::new(), &[1001], &CLIENTS).await;
    assert_eq!(counted, activities.len());
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_policy_judges_everything_again_across_restarts_on_sqlite() {
    another_policy_judges_everything_again_across_restarts(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_policy_judges_everything_again_across_restarts_on_postgresql() {
    another_policy_judges_everything_again_across_restarts(DatabaseKind::Postgresql).await;
}
