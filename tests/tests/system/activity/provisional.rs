//! access-management away, slow or behind: recording goes on, and ends where an undisturbed run ends.

use std::collections::{BTreeMap, BTreeSet};

use contracts::ServicingChange;
use contracts::wire::activity::{self, Activity};
use managed_credit::running::Part;
use system_tests::{Cluster, DatabaseKind, at};

use super::{assert_as_the_domain_says, last_changes, present_verdicts};

const CLIENTS: [i64; 3] = [2001, 2002, 2003];

/// The names of the activities whose verdict is provisional.
async fn provisional(cluster: &Cluster) -> BTreeSet<String> {
    let request = activity::ListActivitiesRequest {
        provisional_only: true,
        page_size: 1_000,
        at_least_revisions: cluster.known_revisions(),
        ..Default::default()
    };
    let answer = cluster.activity().list_activities(request).await.expect("a list").into_inner();
    assert!(answer.next_page_token.is_empty());
    let names = answer.activities.into_iter().map(|judged| {
        assert!(judged.verdict.expect("a verdict").provisional);
        judged.activity.expect("an activity").name
    });
    names.collect()
}

/// Two partners, of whom one is known only by half when the import begins.
async fn programme(cluster: &Cluster) {
    cluster.partner(1001, &["first.example"]).await;
    cluster.partner(1002, &["second.example"]).await;
    for client in CLIENTS {
        cluster.client_since(client, "US", "2025-01-01").await.expect("a client");
    }
    for person in ["anna@first.example", "bruno@first.example"] {
        cluster.employee_since(1001, person, "2025-01-01").await.expect("an employee");
        cluster.user_since(2001, person, "2025-01-01").await.expect("a user");
    }
}

/// What becomes known of access in the middle of the import, and was true before.
async fn late_facts(cluster: &Cluster) {
    cluster.employee_since(1002, "carla@second.example", "2025-01-01").await.expect("an employee");
    for client in CLIENTS {
        cluster.user_since(client, "carla@second.example", "2025-02-01").await.expect("a user");
    }
    let user = cluster.user_since(2002, "bruno@first.example", "2025-01-01").await.expect("a user");
    cluster.deactivate(&user, "2025-04-01").await.expect("deactivated");
    cluster.end_services(1001, 2001, "2025-05-01").await.expect("ended");
}

fn log() -> Vec<Activity> {
    let people = ["anna@first.example", "bruno@first.example", "carla@second.example", "nobody@else.example"];
    let actions = ["blog/publish", "form/edit", "account/login", "list/create"];
    let activity = |number: usize| {
        let when = (at("2025-01-05") + chrono::TimeDelta::hours(number as i64 * 13)).to_rfc3339();
        let (client, person, action) = (CLIENTS[number % 3], people[number / 3 % 4], actions[number / 2 % 4]);
        Cluster::activity_of(client, &format!("evt-{number}"), person, &when, action)
    };
    (0..600).map(activity).collect()
}

/// All that is to be equal in the end: verdicts, and the last word of the servicing feed but for where and when it was
/// said.
async fn final_state(cluster: &Cluster, log: &[Activity]) -> (Vec<String>, BTreeMap<(i64, i64), String>) {
    let counted = assert_as_the_domain_says(cluster, log, &BTreeSet::new(), &[1001, 1002], &CLIENTS).await;
    assert!(counted > 100, "only {counted} count");
    let verdicts = present_verdicts(cluster, log).await;
    // Ids differ from run to run.
    let verdict =
        |verdict: activity::Verdict| format!("{:?} {:?} {:?}", verdict.reason(), verdict.partner, verdict.expire_time);
    let word = |change: ServicingChange| format!("{:?} {:?}", change.periods, change.last_activity_time);
    let words = last_changes(cluster).await.into_iter().map(|(pair, change)| (pair, word(change)));
    (verdicts.into_iter().map(verdict).collect(), words.collect())
}

/// An import in the middle of which access-management goes away and comes back, and facts arrive late.
async fn an_import_without_access_management_ends_as_an_undisturbed_one(kind: DatabaseKind) {
    let log = log();
    let batches: Vec<Vec<Activity>> = log.chunks(50).map(<[Activity]>::to_vec).collect();

    let undisturbed = Cluster::start(kind).await;
    programme(&undisturbed).await;
    late_facts(&undisturbed).await;
    for batch in &batches {
        let answer = undisturbed.record(batch.clone()).await.expect("results");
        assert!(!answer.provisional);
    }
    let expected = final_state(&undisturbed, &log).await;
    undisturbed.stop().await;

    let mut cluster = Cluster::start(kind).await;
    programme(&cluster).await;
    let mut without_access = BTreeSet::new();
    for (number, batch) in batches.iter().enumerate() {
        if number == 4 {
            cluster.stop_part(Part::Access).await;
        }
        let answer = cluster.record(batch.clone()).await.expect("recording goes on");
        assert_eq!(answer.provisional, (4..9).contains(&number), "batch {number}");
        if answer.provisional {
            without_access.extend(batch.iter().map(|activity| activity.name.clone()));
            assert_eq!(provisional(&cluster).await, without_access, "they can be listed");
        }
        if number == 8 {
            cluster.start_part(Part::Access).await;
            late_facts(&cluster).await;
        }
    }
    assert_eq!(final_state(&cluster, &log).await, expected);
    assert_eq!(provisional(&cluster).await, BTreeSet::new(), "the copy has caught up");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_without_access_management_ends_as_an_undisturbed_one_on_sqlite() {
    an_import_without_access_management_ends_as_an_undisturbed_one(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_without_access_management_ends_as_an_undisturbed_one_on_postgresql() {
    an_import_without_access_management_ends_as_an_undisturbed_one(DatabaseKind::Postgresql).await;
}
