//! Replay: copies are built anew while everything goes on.

use std::collections::BTreeSet;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

use contracts::wire::activity::GetServicingRequest;
use contracts::wire::credit::{GetManagedCreditRequest, ManagedCredit, NoCreditReason};
use contracts::wire::maintenance::{FollowingState, ReplayRequest, ReplayResponse};
use managed_credit::running::Part;
use sea_orm::{ConnectionTrait as _, DbBackend, Statement, TransactionTrait as _};
use system_tests::{Cluster, DatabaseKind, by, fields, on_both_databases, reason, stamp};
use tonic::{Code, Status};

use super::verify::verify;
use super::{ANNA, agency, points, state_of, tamper, until_nothing_waits, until_state};
use crate::faults::beside;

const CARLA: &str = "carla@agency.example";

/// What a replay told, to its end.
async fn replay_of(cluster: &Cluster, part: Part, feed: &str) -> Result<Vec<ReplayResponse>, Status> {
    let mut stream = cluster.maintenance(part).replay(ReplayRequest { feed: feed.to_owned() }).await?.into_inner();
    let mut told = Vec::new();
    while let Some(message) = stream.message().await? {
        told.push(message);
    }
    Ok(told)
}

/// Builds copies anew; answers each feed with how many changes its new copy has.
async fn replay(cluster: &Cluster, part: Part, feed: &str) -> Vec<(String, i64)> {
    let told = replay_of(cluster, part, feed).await.unwrap_or_else(|status| panic!("{part} {feed}: {status}"));
    told.into_iter().filter(|told| told.complete).map(|told| (told.feed, told.applied_changes)).collect()
}

/// A service that has forgotten everything, and is started again.
async fn start_from_nothing(cluster: &mut Cluster, part: Part) {
    cluster.stop_part(part).await;
    let url = cluster.database_url(part);
    if let Some(path) = url.strip_prefix("sqlite://") {
        for ending in ["", "-wal", "-shm"] {
            // What was closed well has the first only.
            let _ = fs::remove_file(format!("{path}{ending}"));
        }
    } else {
        tamper(cluster, part, &["DROP SCHEMA public CASCADE", "CREATE SCHEMA public"]).await;
    }
    cluster.start_part(part).await;
}

/// Another history than `agency`'s, and a shorter one: Anna is in client 2003, and in no other.
async fn other_history(cluster: &Cluster) {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.client(2003, "IN").await;
    cluster.employee(1001, ANNA).await;
    cluster.user(2003, ANNA).await;
}

/// What was done and is paid, whatever the history of access; that of `agency` included.
async fn work_and_pay(cluster: &Cluster) {
    cluster.work(2002, "one", ANNA, "2025-12-20", "blog/publish").await;
    // It may be there already.
    let _ = cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await;
    for client in [2002, 2003] {
        cluster.work(client, "work", ANNA, "2025-12-21", "blog/publish").await;
        cluster.subscription(client, "other", "500.00 USD", "2024-01-01").await.expect("a subscription");
    }
}

/// What a client brings partner 1001, as far as the service knows.
async fn figures(cluster: &Cluster, client: i64) -> ManagedCredit {
    let request = GetManagedCreditRequest {
        partner: "partners/1001".to_owned(),
        client: format!("clients/{client}"),
        as_of_time: Some(stamp("2026-01-01")),
        at_least_revisions: Vec::new(),
    };
    let answer = cluster.credit().get_managed_credit(request).await.expect("a row");
    answer.into_inner().managed_credit.expect("a row")
}

async fn until_credit_knows_all_of_servicing(cluster: &Cluster) {
    let head = cluster.status(Part::Activity).await.revision;
    let is_there = async || {
        let status = cluster.status(Part::Credit).await;
        status.followed_feeds.iter().any(|followed| followed.revision == head)
    };
    while !is_there().await {
        tokio::task::yield_now().await;
    }
}

on_both_databases!(after_its_upstream_was_replaced_a_copy_says_so_and_a_replay_makes_it_as_if_it_were_new, |cluster| {
    agency(&cluster).await;
    cluster.client(2003, "US").await;
    cluster.client(2004, "US").await;
    work_and_pay(&cluster).await;
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("15.00"));
    start_from_nothing(&mut cluster, Part::Access).await;
    other_history(&cluster).await;
    for part in [Part::Activity, Part::Credit] {
        until_state(&cluster, part, "access", FollowingState::Diverged).await;
    }
    assert_eq!(figures(&cluster, 2002).await.points.as_deref(), Some("15.00"), "it stays as it was");

    assert_eq!(replay(&cluster, Part::Activity, "").await, [("access".to_owned(), 4)]);
    until_nothing_waits(&cluster).await;
    until_credit_knows_all_of_servicing(&cluster).await;
    let of_both = replay(&cluster, Part::Credit, "").await;
    assert_eq!(of_both.iter().map(|(feed, _)| feed.as_str()).collect::<Vec<_>>(), ["access", "servicing"]);
    for part in [Part::Activity, Part::Credit] {
        until_state(&cluster, part, "access", FollowingState::Open).await;
    }
    for part in Part::ALL {
        assert_eq!(verify(&cluster, part).await.differences, [], "{part}");
    }

    let url = cluster.database_url(Part::Access);
    let kind = if url.starts_with("sqlite") { DatabaseKind::Sqlite } else { DatabaseKind::Postgresql };
    let fresh = Cluster::start(kind).await;
    other_history(&fresh).await;
    work_and_pay(&fresh).await;
    fresh.managed_credit(1001, 2003, "2026-01-01").await.expect("it knows everything");
    for client in [2002, 2003] {
        let expected = figures(&fresh, client).await;
        assert_eq!(figures(&cluster, client).await, expected, "{client}");
    }
    assert_eq!(figures(&cluster, 2003).await.points.as_deref(), Some("10.00"), "5.00, twice in India");
    assert_eq!(figures(&cluster, 2002).await.no_credit_reason(), NoCreditReason::NotManaged);

    // What comes then is followed as ever.
    cluster.client_since(2005, "US", "2024-01-01").await.expect("a client");
    let end = cluster.status(Part::Access).await.revision;
    let request = GetServicingRequest {
        partner: "partners/1001".to_owned(),
        client: "clients/2005".to_owned(),
        at_least_revisions: vec![end],
        ..GetServicingRequest::default()
    };
    cluster.activity().get_servicing(request).await.expect("a client that never was serviced");
    fresh.stop().await;
});

on_both_databases!(what_is_wrong_in_a_copy_is_right_after_a_replay, |cluster| {
    agency(&cluster).await;
    cluster.update_client(2002, "Moved", "IN", "2025-06-01").await.expect("an update");
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("20.00"));
    let tampering: [(&str, &[&str]); 2] = [
        (
            "access",
            &[
                "UPDATE access_change SET kind = 'client_closed', client_id = NULL WHERE position = 3",
                "DELETE FROM access_change WHERE position = 2",
                "DELETE FROM client_country",
                "UPDATE client SET search_name = 'x'",
                "INSERT INTO partner_client VALUES (1001, 2009, 'x', 0)",
            ],
        ),
        (
            "servicing",
            &[
                "UPDATE servicing_period SET end_time = start_time + 1",
                "INSERT INTO servicing_pair VALUES (2001, 1009, NULL)",
            ],
        ),
    ];
    for (feed, statements) in tampering {
        tamper(&cluster, Part::Credit, statements).await;
        assert!(verify(&cluster, Part::Credit).await.total > 0, "{feed}");
        let completed = replay(&cluster, Part::Credit, feed).await;
        assert_eq!(completed.iter().map(|(feed, _)| feed.as_str()).collect::<Vec<_>>(), [feed]);
        assert_eq!(verify(&cluster, Part::Credit).await.differences, [], "{feed}");
    }
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("20.00"));
});

on_both_databases!(a_follower_that_understood_nothing_goes_on_after_a_replay, |cluster| {
    agency(&cluster).await;
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));
    tamper(&cluster, Part::Credit, &["UPDATE access_change SET payload = chain_hash WHERE position = 3"]).await;
    cluster.update_client(2002, "Moved", "IN", "2025-06-01").await.expect("an update");
    until_state(&cluster, Part::Credit, "access", FollowingState::Stopped).await;
    replay(&cluster, Part::Credit, "access").await;
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("20.00"));
    cluster.client(2003, "US").await;
    cluster.user(2003, ANNA).await;
    assert_eq!(points(&cluster, 2003).await.as_deref(), Some("0.00"), "it is followed again");
    until_state(&cluster, Part::Credit, "access", FollowingState::Open).await;
});

on_both_databases!(r128_a_person_erased_while_a_copy_was_not_followed_is_erased_by_the_replay, |cluster| {
    agency(&cluster).await;
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));
    tamper(&cluster, Part::Activity, &["UPDATE feed_cursor SET chain_hash = chain_hash || chain_hash"]).await;
    // So that the stream ends, and the copy is asked where it is.
    cluster.stop_part(Part::Access).await;
    cluster.start_part(Part::Access).await;
    until_state(&cluster, Part::Activity, "access", FollowingState::Diverged).await;
    let pseudonym = cluster.erase(ANNA).await.expect("an erasure");
    assert_eq!(addresses_of_activities(&cluster).await, [ANNA]);
    replay(&cluster, Part::Activity, "").await;
    assert_eq!(addresses_of_activities(&cluster).await, [pseudonym.as_str()]);
    until_nothing_waits(&cluster).await;
    assert_eq!(verify(&cluster, Part::Activity).await.differences, []);
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));
});

/// Whose activities are stored.
async fn addresses_of_activities(cluster: &Cluster) -> Vec<String> {
    let other = beside(cluster, Part::Activity).await;
    let question = Statement::from_string(other.get_database_backend(), "SELECT DISTINCT address FROM activity");
    let rows = other.query_all_raw(question).await.expect("rows");
    let addresses = rows.into_iter().map(|row| row.try_get_by_index(0).expect("a text")).collect();
    other.close().await.expect("to close");
    addresses
}

on_both_databases!(everything_goes_on_while_a_copy_is_built_anew_and_nothing_of_it_is_lost, |cluster| {
    agency(&cluster).await;
    for client in 3_000..3_120 {
        cluster.client(client, "US").await;
        cluster.user(client, ANNA).await;
    }
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));
    let is_done = AtomicBool::new(false);
    let replaying = async {
        let mut replays = 0;
        for _ in 0..3 {
            for (part, feed) in [(Part::Activity, "access"), (Part::Credit, "access"), (Part::Credit, "servicing")] {
                replays += replay(&cluster, part, feed).await.len();
            }
        }
        is_done.store(true, Ordering::Relaxed);
        replays
    };
    let working = async {
        let mut clients = 4_000..;
        while !is_done.load(Ordering::Relaxed) {
            let client = clients.next().expect("another");
            cluster.client(client, "US").await;
            cluster.user(client, ANNA).await;
            let verdict = cluster.work(client, "one", ANNA, "2025-12-20", "blog/publish").await;
            assert!(!verdict.provisional, "{client}");
            cluster.subscription(client, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
            assert_eq!(points(&cluster, client).await.as_deref(), Some("10.00"), "what was written is known");
            assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));
        }
        clients.start - 4_000
    };
    let (replays, rounds) = tokio::join!(replaying, working);
    assert_eq!(replays, 9);
    assert!(rounds > 3, "only {rounds} rounds of writing and reading came between");
    until_nothing_waits(&cluster).await;
    for part in Part::ALL {
        assert_eq!(verify(&cluster, part).await.differences, [], "{part}");
    }
});

// A transaction beside the service's holds its cursor, so that no new copy is put in its place.
on_both_databases!(one_replay_is_under_way_at_a_time_and_given_up_it_has_changed_nothing, |cluster| {
    agency(&cluster).await;
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));
    tamper(&cluster, Part::Credit, &["UPDATE client SET display_name = 'X'"]).await;
    let other = beside(&cluster, Part::Credit).await;
    let holding = other.begin().await.expect("a transaction");
    let hold = match holding.get_database_backend() {
        DbBackend::Postgres => "LOCK TABLE feed_cursor IN EXCLUSIVE MODE",
        _ => "UPDATE feed_cursor SET position = position",
    };
    holding.execute_unprepared(hold).await.expect("it is held");
    let request = || ReplayRequest { feed: "access".to_owned() };
    let mut first = cluster.maintenance(Part::Credit).replay(request()).await.expect("a stream").into_inner();
    let told = first.message().await.expect("a message").expect("it goes on");
    assert_eq!((told.feed.as_str(), told.applied_changes, told.complete), ("access", 4, false));
    let refused = replay_of(&cluster, Part::Credit, "servicing").await.expect_err("refused");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::FailedPrecondition, "REPLAY_RUNNING"));
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"), "reading goes on");

    drop(first);
    let servicing = async || {
        let request = ReplayRequest { feed: "servicing".to_owned() };
        cluster.maintenance(Part::Credit).replay(request).await
    };
    let mut second = servicing().await;
    while second.as_ref().is_err_and(|status| reason(status) == "REPLAY_RUNNING") {
        tokio::task::yield_now().await;
        second = servicing().await;
    }
    // The first has ended, and only now its turn would come.
    holding.rollback().await.expect("it is let go");
    other.close().await.expect("to close");
    let (mut second, mut is_complete) = (second.expect("a stream").into_inner(), false);
    while let Some(told) = second.message().await.expect("a message") {
        is_complete = told.complete;
    }
    assert!(is_complete);
    let subjects: BTreeSet<String> =
        verify(&cluster, Part::Credit).await.differences.into_iter().map(|difference| difference.subject).collect();
    assert_eq!(subjects, BTreeSet::from(["clients/2002".to_owned()]), "it is as it was");
    replay(&cluster, Part::Credit, "access").await;
    assert_eq!(verify(&cluster, Part::Credit).await.differences, []);
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_built_anew_is_refused() {
    let mut cluster = Cluster::start(DatabaseKind::Sqlite).await;
    agency(&cluster).await;
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));
    for (part, feed) in
        [(Part::Access, ""), (Part::Access, "access"), (Part::Activity, "servicing"), (Part::Credit, "credit")]
    {
        let refused = replay_of(&cluster, part, feed).await.expect_err("refused");
        let expected = (Code::FailedPrecondition, "NOTHING_TO_REPLAY");
        assert_eq!((refused.code(), reason(&refused).as_str()), expected, "{part} {feed}");
    }
    let refused = replay_of(&cluster, Part::Credit, "accesses").await.expect_err("refused");
    assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["feed".to_owned()]));
    let by_anna = by(ANNA, ReplayRequest::default());
    let refused = cluster.maintenance(Part::Credit).replay(by_anna).await.expect_err("refused");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED"));

    cluster.stop_part(Part::Access).await;
    let refused = replay_of(&cluster, Part::Credit, "access").await.expect_err("refused");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "EVIDENCE_UNAVAILABLE"));
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"), "it is as it was");
    assert_ne!(state_of(&cluster, Part::Credit, "access").await, FollowingState::Diverged);
    cluster.stop().await;
}

on_both_databases!(a_copy_of_thousands_of_changes_is_put_in_its_place_whole, |cluster| {
    agency(&cluster).await;
    for client in 10_000..10_600 {
        cluster.client(client, "US").await;
        cluster.user(client, CARLA).await;
    }
    let position = cluster.access_position();
    assert!(position > 1_200, "more than a page, and than a message");
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));
    let completed = replay(&cluster, Part::Credit, "access").await;
    assert_eq!(completed, [("access".to_owned(), i64::try_from(position).expect("few"))]);
    assert_eq!(verify(&cluster, Part::Credit).await.differences, []);
    let mut told = replay_of(&cluster, Part::Activity, "access").await.expect("it is done");
    assert!(told.pop().is_some_and(|last| last.complete));
    assert!(told.iter().is_sorted_by_key(|told| told.applied_changes), "progress never goes back");
});
