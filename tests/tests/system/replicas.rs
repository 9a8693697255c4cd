//! Several replicas of each service on one PostgreSQL.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use contracts::wire::access::access_management_service_client::AccessManagementServiceClient;
use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use contracts::wire::activity::{Activity, GetServicingRequest, RecordActivitiesRequest};
use contracts::wire::credit::GetManagedCreditRequest;
use contracts::wire::credit::credit_calculation_service_client::CreditCalculationServiceClient;
use contracts::wire::{access, credit};
use futures_util::future::join_all;
use managed_credit::running::Part;
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement, TransactionTrait as _};
use service_kit::Channel;
use system_tests::{Cluster, DatabaseKind, Replica, reason, stamp};
use tonic::{Code, Status};

use crate::faults::beside;
use crate::maintenance::verify::verify;

const ANNA: &str = "anna@agency.example";

/// After how long without an answer something does not work: takeovers are a matter of seconds.
const PATIENCE: Duration = Duration::from_secs(20);

async fn agency(cluster: &Cluster) {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, ANNA).await;
    cluster.client(2002, "US").await;
    cluster.user(2002, ANNA).await;
}

async fn in_time<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work).await.unwrap_or_else(|_| panic!("{what} took more than {PATIENCE:?}"))
}

fn tracking(replica: &Replica) -> ActivityTrackingServiceClient<Channel> {
    replica.client(ActivityTrackingServiceClient::new)
}

fn calculation(replica: &Replica) -> CreditCalculationServiceClient<Channel> {
    replica.client(CreditCalculationServiceClient::new)
}

async fn points(
    cluster: &Cluster,
    mut credit: CreditCalculationServiceClient<Channel>,
) -> Result<Option<String>, Status> {
    let request = GetManagedCreditRequest {
        partner: "partners/1001".to_owned(),
        client: "clients/2002".to_owned(),
        as_of_time: Some(stamp("2026-01-01")),
        at_least_revisions: cluster.known_revisions(),
    };
    Ok(credit.get_managed_credit(request).await?.into_inner().managed_credit.expect("a row").points)
}

async fn holder(database: &DatabaseConnection, feed: &str) -> uuid::Uuid {
    let sql = format!("SELECT holder FROM feed_lease WHERE feed = '{feed}'");
    let row = database.query_one_raw(Statement::from_string(database.get_database_backend(), sql)).await;
    row.expect("an answer").expect("a row").try_get("", "holder").expect("a holder")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_replica_writes_every_other_knows() {
    let cluster = Cluster::start(DatabaseKind::Postgresql).await;
    let access = [cluster.start_replica(Part::Access), cluster.start_replica(Part::Access)];
    let activity = [cluster.start_replica(Part::Activity), cluster.start_replica(Part::Activity)];
    let credit = [cluster.start_replica(Part::Credit), cluster.start_replica(Part::Credit)];
    agency(&cluster).await;
    // A user whom another replica of access-management added counts at once at every replica of activity-tracking.
    for (index, replica) in access.iter().enumerate() {
        let client_user = access::ClientUser {
            email_address: format!("ben{index}@agency.example"),
            display_name: "Ben".to_owned(),
            permission_set: "STANDARD".to_owned(),
            ..Default::default()
        };
        let employee = access::Employee {
            email_address: format!("ben{index}@agency.example"),
            display_name: "Ben".to_owned(),
            ..Default::default()
        };
        let mut access = replica.client(AccessManagementServiceClient::new);
        let employee = access::CreateEmployeeRequest {
            parent: "partners/1001".to_owned(),
            employee: Some(employee),
            effective_time: Some(stamp("2025-01-01")),
            ..Default::default()
        };
        cluster.note(&access.create_employee(employee).await.expect("an employee").into_inner().revision);
        let user = access::CreateClientUserRequest {
            parent: "clients/2002".to_owned(),
            client_user: Some(client_user),
            effective_time: Some(stamp("2025-01-01")),
            ..Default::default()
        };
        cluster.note(&access.create_client_user(user).await.expect("a user").into_inner().revision);
        for (other, replica) in activity.iter().enumerate() {
            let id = format!("{index}-{other}");
            let address = format!("ben{index}@agency.example");
            let activities = vec![Cluster::activity_of(2002, &id, &address, "2025-12-20", "blog/publish")];
            let request = RecordActivitiesRequest { activities, ..Default::default() };
            let recorded = tracking(replica).record_activities(request).await.expect("results").into_inner();
            assert_eq!(outcomes(&recorded), [("COUNTED", false)], "{id}");
            cluster.note(&recorded.revision);
        }
    }
    let subscription = credit::CreateSubscriptionRequest {
        parent: "clients/2002".to_owned(),
        subscription_id: "main".to_owned(),
        subscription: Some(credit::Subscription {
            mrr: Some(credit::Money { currency_code: "USD".to_owned(), amount: "1000.00".to_owned() }),
            ..Default::default()
        }),
        effective_time: Some(stamp("2024-01-01")),
        ..Default::default()
    };
    let created = calculation(&credit[0]).create_subscription(subscription).await.expect("a subscription");
    cluster.note(&created.into_inner().revision);
    for reader in [cluster.credit(), calculation(&credit[0]), calculation(&credit[1])] {
        assert_eq!(points(&cluster, reader).await.expect("a row").as_deref(), Some("10.00"));
    }
    for replica in access.into_iter().chain(activity).chain(credit) {
        replica.stop();
    }
    cluster.stop().await;
}

/// Each outcome of a recording, and whether it was recorded before.
fn outcomes(recorded: &contracts::wire::activity::RecordActivitiesResponse) -> Vec<(&'static str, bool)> {
    use contracts::wire::activity::record_activity_result::Outcome;
    let outcome = |result: &contracts::wire::activity::RecordActivityResult| match &result.outcome {
        Some(Outcome::Verdict(verdict)) => {
            let name = verdict.outcome().as_str_name();
            (name.strip_prefix("VERDICT_OUTCOME_").unwrap_or(name), result.duplicate)
        }
        other => panic!("{other:?}"),
    };
    recorded.results.iter().map(outcome).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_replica_follows_a_feed_and_another_takes_over_within_seconds_when_it_dies() {
    let mut cluster = Cluster::start(DatabaseKind::Postgresql).await;
    agency(&cluster).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    let databases = [beside(&cluster, Part::Activity).await, beside(&cluster, Part::Credit).await];
    let first = holder(&databases[0], "access").await;
    let activity = cluster.start_replica(Part::Activity);
    let credit = cluster.start_replica(Part::Credit);
    assert_eq!(points(&cluster, calculation(&credit)).await.expect("a row").as_deref(), Some("0.00"));
    assert_eq!(holder(&databases[0], "access").await, first, "who follows goes on following");

    // Stopped, it lets go at once.
    cluster.stop_part(Part::Activity).await;
    cluster.stop_part(Part::Credit).await;
    cluster.client(2003, "US").await;
    let knows = RecordActivitiesRequest {
        activities: vec![Cluster::activity_of(2003, "none", ANNA, "2025-12-20", "blog/publish")],
        validate_only: true,
        ..Default::default()
    };
    let told = in_time("a takeover", async {
        loop {
            let told = tracking(&activity).record_activities(knows.clone()).await.expect("results").into_inner();
            if !told.provisional {
                break told;
            }
        }
    });
    assert_eq!(outcomes(&told.await), [("NOT_COUNTED", false)]);
    let second = holder(&databases[0], "access").await;
    assert_ne!(second, first);

    // Killed, it leaves a lease that nobody renews.
    let (next_activity, next_credit) = (cluster.start_replica(Part::Activity), cluster.start_replica(Part::Credit));
    assert_eq!(holder(&databases[0], "access").await, second);
    let killed = Instant::now();
    activity.kill();
    credit.kill();
    cluster.start_part(Part::Activity).await;
    in_time("a takeover", async {
        let credit = calculation(&next_credit);
        let verdict = cluster.work(2002, "one", ANNA, "2025-12-20", "blog/publish").await;
        assert_eq!(verdict.outcome().as_str_name(), "VERDICT_OUTCOME_COUNTED");
        cluster.client(2004, "US").await;
        while points(&cluster, credit.clone()).await.ok().flatten().as_deref() != Some("10.00") {}
    })
    .await;
    assert!(killed.elapsed() < Duration::from_secs(12), "taken over after {:?}", killed.elapsed());
    assert_ne!(holder(&databases[0], "access").await, second);
    for database in databases {
        database.close().await.expect("to close");
    }
    cluster.start_part(Part::Credit).await;
    next_activity.stop();
    next_credit.stop();
    cluster.stop().await;
}

/// The batches of one writer: activities of a day each, most of which other writers record too, in another order.
fn batches(writer: usize) -> Vec<Vec<Activity>> {
    let activity = |number: usize| {
        let when = format!("2025-{:02}-{:02}", 1 + number / 28 % 12, 1 + number % 28);
        Cluster::activity_of(2002, &format!("evt-{number}"), ANNA, &when, "blog/publish")
    };
    (0..12)
        .map(|batch| (0..20).map(|index| activity((batch * 37 + writer * 11 + index * (writer + 1)) % 200)).collect())
        .map(|activities: Vec<Activity>| {
            let mut seen = BTreeSet::new();
            activities.into_iter().filter(|activity| seen.insert(activity.name.clone())).collect()
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn batches_for_the_same_pair_at_several_replicas_lose_and_double_nothing() {
    let cluster = Cluster::start(DatabaseKind::Postgresql).await;
    agency(&cluster).await;
    let replicas = [cluster.start_replica(Part::Activity), cluster.start_replica(Part::Activity)];
    let clients = [cluster.activity(), tracking(&replicas[0]), tracking(&replicas[1])];
    let writers = (0..9).map(|writer| {
        let mut client = clients[writer % clients.len()].clone();
        tokio::spawn(async move {
            let mut told = Vec::new();
            for activities in batches(writer) {
                let names: Vec<String> = activities.iter().map(|activity| activity.name.clone()).collect();
                let request = RecordActivitiesRequest { activities, ..Default::default() };
                let recorded = client.record_activities(request).await.expect("results").into_inner();
                told.extend(names.into_iter().zip(outcomes(&recorded)));
                told.push((recorded.revision, ("", true)));
            }
            told
        })
    });
    let told: Vec<_> = join_all(writers).await.into_iter().flat_map(|told| told.expect("no panic")).collect();
    let (revisions, results): (Vec<_>, Vec<_>) = told.into_iter().partition(|(name, _)| !name.starts_with("clients/"));
    revisions.iter().for_each(|(revision, _)| cluster.note(revision));
    let names: BTreeSet<&str> = results.iter().map(|(name, _)| name.as_str()).collect();
    let first: Vec<&str> =
        results.iter().filter(|(_, (_, duplicate))| !duplicate).map(|(name, _)| name.as_str()).collect();
    assert_eq!(first.len(), names.len(), "each was recorded once, and told to be new once");
    assert_eq!(first.into_iter().collect::<BTreeSet<_>>(), names);
    assert!(results.len() > 2 * names.len(), "writers met: {} results of {}", results.len(), names.len());

    let request = GetServicingRequest {
        partner: "partners/1001".to_owned(),
        client: "clients/2002".to_owned(),
        as_of_time: Some(stamp("2026-01-01")),
        at_least_revisions: cluster.known_revisions(),
        ..Default::default()
    };
    for mut client in clients {
        let servicing = client.get_servicing(request.clone()).await.expect("servicing").into_inner();
        let counted: i32 =
            servicing.servicing.expect("it is serviced").employees.iter().map(|anna| anna.counted_activities).sum();
        assert_eq!(counted, i32::try_from(names.len()).expect("few"));
    }
    for part in Part::ALL {
        assert_eq!(verify(&cluster, part).await.differences, [], "{part}");
    }
    replicas.into_iter().for_each(Replica::stop);
    cluster.stop().await;
}

/// The service waits for the feed's head, which somebody else holds who then waits for what the service holds. Of the two
/// PostgreSQL rolls back the one that finds the circle, which is made to be the service.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_rolled_back_for_a_deadlock_is_tried_again() {
    let cluster = Cluster::start(DatabaseKind::Postgresql).await;
    agency(&cluster).await;
    // Known, so that nothing else is under way.
    cluster.work(2002, "zero", ANNA, "2025-12-19", "blog/publish").await;
    let other = beside(&cluster, Part::Activity).await;
    let deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
    let before = number(&other, deadlocks).await;
    let holding = other.begin().await.expect("a transaction");
    let hold = "SET LOCAL deadlock_timeout = '10min'; SELECT * FROM feed_head FOR UPDATE";
    holding.execute_unprepared(hold).await.expect("the lock");
    let call = tokio::spawn({
        let mut client = cluster.activity();
        let activities = vec![Cluster::activity_of(2002, "one", ANNA, "2025-12-20", "blog/publish")];
        async move { client.record_activities(RecordActivitiesRequest { activities, ..Default::default() }).await }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    in_time("the service's wait", async { while number(&other, waits).await == 0 {} }).await;
    holding.execute_unprepared("SELECT * FROM feed_cursor FOR UPDATE").await.expect("the service has let go");
    holding.commit().await.expect("to let go");
    let recorded = in_time("the second try", call).await.expect("no panic").expect("it was tried again").into_inner();
    assert_eq!(outcomes(&recorded), [("COUNTED", false)]);
    in_time("the statistics", async { while number(&other, deadlocks).await == before {} }).await;
    other.close().await.expect("to close");
    cluster.stop().await;
}

async fn number(database: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(database.get_database_backend(), sql);
    let row = database.query_one_raw(statement).await.expect("an answer").expect("a row");
    row.try_get_by_index(0).expect("a number")
}

/// What PostgreSQL does not do for somebody in time, it does not do at all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_takes_too_long_is_given_up_and_may_be_tried_later() {
    let options = system_tests::ClusterOptions { statement_timeout: Duration::from_millis(500), ..Default::default() };
    let cluster = Cluster::start_with(DatabaseKind::Postgresql, options).await;
    let other = beside(&cluster, Part::Access).await;
    let holding = other.begin().await.expect("a transaction");
    holding.execute_unprepared("SELECT * FROM feed_head FOR UPDATE").await.expect("the lock");
    let refused = cluster.client_since(2002, "US", "2024-01-01").await.expect_err("somebody holds the head");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "STORAGE_UNAVAILABLE"));
    holding.rollback().await.expect("to let go");
    other.close().await.expect("to close");
    cluster.client_since(2002, "US", "2024-01-01").await.expect("nobody holds it any more");
    cluster.stop().await;
}
