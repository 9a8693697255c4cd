//! Services start, stop and restart in any order; facts arrive all the same.

use contracts::wire::credit::GetManagedCreditRequest;
use managed_credit::running::Part;
use system_tests::{Cluster, on_both_databases, stamp};
use tonic::{Code, Request};
use tonic_types::StatusExt as _;

/// A partner that earns 1,000 USD since 10 January 2025.
async fn programme(cluster: &Cluster) {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, "anna@agency.example").await;
    cluster.client(2002, "US").await;
    cluster.user(2002, "anna@agency.example").await;
    cluster.work(2002, "a1", "anna@agency.example", "2025-01-10T12:00:00Z", "blog/publish").await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
}

async fn assert_earns(cluster: &Cluster) {
    let row = cluster.managed_credit(1001, 2002, "2025-01-11").await.expect("a row");
    assert_eq!(row.points.as_deref(), Some("10.00"));
}

on_both_databases!(facts_written_while_a_follower_is_away_are_followed_when_it_is_back, |cluster| {
    cluster.stop_part(Part::Credit).await;
    cluster.stop_part(Part::Activity).await;
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, "anna@agency.example").await;
    cluster.client(2002, "US").await;
    cluster.user(2002, "anna@agency.example").await;
    cluster.start_part(Part::Activity).await;
    cluster.work(2002, "a1", "anna@agency.example", "2025-01-10T12:00:00Z", "blog/publish").await;
    cluster.start_part(Part::Credit).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    assert_earns(&cluster).await;
});

on_both_databases!(a_restart_in_every_order_loses_nothing, |cluster| {
    programme(&cluster).await;
    let [access, activity, credit] = Part::ALL;
    let orders = [
        [access, activity, credit],
        [access, credit, activity],
        [activity, access, credit],
        [activity, credit, access],
        [credit, access, activity],
        [credit, activity, access],
    ];
    for order in orders {
        for part in order {
            cluster.stop_part(part).await;
        }
        for part in order {
            cluster.start_part(part).await;
        }
        assert_earns(&cluster).await;
    }
});

on_both_databases!(a_read_of_facts_that_cannot_be_had_says_so_and_when_to_try_again, |cluster| {
    programme(&cluster).await;
    assert_earns(&cluster).await;
    cluster.stop_part(Part::Activity).await;
    // A removal that activity-tracking has not heard of cannot be known to credit.
    let bruno = cluster.user(2002, "bruno@agency.example").await;
    cluster.remove(&bruno, "2025-01-05").await.expect("a removal");
    let mut request = Request::new(GetManagedCreditRequest {
        partner: "partners/1001".to_owned(),
        client: "clients/2002".to_owned(),
        as_of_time: Some(stamp("2025-01-11")),
        at_least_revisions: cluster.known_revisions(),
    });
    request.set_timeout(std::time::Duration::from_secs(1));
    let behind = cluster.credit().get_managed_credit(request).await.expect_err("it cannot know");
    let info = behind.get_details_error_info().expect("a reason");
    assert_eq!((behind.code(), info.reason.as_str()), (Code::Unavailable, "FACTS_BEHIND"));
    assert!(behind.get_details_retry_info().is_some(), "it may know later");
    cluster.start_part(Part::Activity).await;
    assert_earns(&cluster).await;
});

on_both_databases!(recording_without_a_pause_does_not_keep_new_facts_out, |cluster| {
    programme(&cluster).await;
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..6 {
        let (mut activity, stop) = (cluster.activity(), stop.clone());
        writers.spawn(async move {
            for batch in 0.. {
                let id = format!("w{writer}-{batch}");
                let work = Cluster::activity_of(2002, &id, "anna@agency.example", "2025-01-12T12:00:00Z", "form/edit");
                let request = contracts::wire::activity::RecordActivitiesRequest { activities: vec![work] };
                let answer = activity.record_activities(request).await.expect("a result").into_inner();
                assert!(!answer.provisional, "access-management is there");
                if stop.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
            }
        });
    }
    for number in 0..10 {
        cluster.user(2002, &format!("colleague{number}@agency.example")).await;
        cluster.servicing(1001, 2002, "2025-01-11").await.expect("the new user is known within the limit");
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    writers.join_all().await;
});
