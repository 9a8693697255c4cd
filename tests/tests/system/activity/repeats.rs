//! Requests that carry an id of the caller's.

use contracts::wire::activity;
use system_tests::{Cluster, fields, on_both_databases, reason};
use tonic::Code;

use super::{ANNA, agency, outcomes, servicing};

const ID: &str = "0190a0b0-0000-7000-8000-000000000001";

fn request(id: &str, request_id: &str) -> activity::RecordActivitiesRequest {
    let activities = vec![Cluster::activity_of(2002, id, ANNA, "2025-12-20", "blog/publish")];
    activity::RecordActivitiesRequest { activities, request_id: request_id.to_owned(), ..Default::default() }
}

on_both_databases!(the_repeat_of_a_recording_gives_the_first_answer, |cluster| {
    agency(&cluster).await;
    let first = cluster.activity().record_activities(request("evt-1", ID)).await.expect("results").into_inner();
    assert_eq!(outcomes(&first), ["COUNTED"]);
    cluster.record(request("evt-2", "").activities).await.expect("results");
    let repeat = cluster.activity().record_activities(request("evt-1", ID)).await.expect("results").into_inner();
    assert_eq!(repeat, first, "not as a duplicate, and with the revision of then");
    // Without the id, what was recorded is told as a duplicate.
    let duplicate = cluster.record(request("evt-1", "").activities).await.expect("results");
    assert_eq!(outcomes(&duplicate), ["COUNTED again"]);

    let other = cluster.activity().record_activities(request("evt-3", ID)).await.expect_err("another request");
    assert_eq!((other.code(), reason(&other).as_str()), (Code::AlreadyExists, "REQUEST_ID_REUSED"));
    assert_eq!(servicing(&cluster, 1001, 2002, "2026-01-01").await.counted_activities.len(), 2, "and it wrote nothing");
});

on_both_databases!(a_recording_that_was_refused_is_not_remembered, |cluster| {
    agency(&cluster).await;
    let none = activity::RecordActivitiesRequest { request_id: ID.to_owned(), ..Default::default() };
    let refused = cluster.activity().record_activities(none).await.expect_err("no activities");
    assert_eq!(fields(&refused), ["activities"]);
    let recorded = cluster.activity().record_activities(request("evt-1", ID)).await.expect("results").into_inner();
    assert_eq!(outcomes(&recorded), ["COUNTED"]);
    let wrong = activity::RecordActivitiesRequest { request_id: "x".to_owned(), ..Default::default() };
    let refused = cluster.activity().record_activities(wrong).await.expect_err("two things are wrong");
    assert_eq!(fields(&refused), ["request_id", "activities"]);
});
