//! Points over time: the timeline, and what gained and lost them (R121, R122).

use contracts::wire::access::AccessRole;
use contracts::wire::credit::{
    GetPointsTimelineRequest, GetPointsTimelineResponse, ListPointChangesRequest, ListPointChangesResponse,
    PointChangeCause, TimelineResolution,
};
use system_tests::{Cluster, by, fields, on_both_databases, reason, stamp};
use tonic::{Code, Status};

use super::{agency, anna_works};

const ADMIN: &str = "admin@agency.example";

fn changes_between(cluster: &Cluster, start: &str, end: &str) -> ListPointChangesRequest {
    ListPointChangesRequest {
        parent: "partners/1001".to_owned(),
        start_time: Some(stamp(start)),
        end_time: Some(stamp(end)),
        at_least_revisions: cluster.known_revisions(),
        ..ListPointChangesRequest::default()
    }
}

async fn changes(cluster: &Cluster, request: ListPointChangesRequest) -> Result<ListPointChangesResponse, Status> {
    cluster.credit().list_point_changes(request).await.map(tonic::Response::into_inner)
}

async fn timeline(cluster: &Cluster, request: GetPointsTimelineRequest) -> Result<GetPointsTimelineResponse, Status> {
    cluster.credit().get_points_timeline(request).await.map(tonic::Response::into_inner)
}

fn timeline_between(cluster: &Cluster, start: &str, end: &str, daily: bool) -> GetPointsTimelineRequest {
    let resolution = if daily { TimelineResolution::Daily } else { TimelineResolution::ChangePoints };
    GetPointsTimelineRequest {
        partner: "partners/1001".to_owned(),
        start_time: Some(stamp(start)),
        end_time: Some(stamp(end)),
        resolution: resolution.into(),
        at_least_revisions: cluster.known_revisions(),
    }
}

/// The managed points of the whole breakdown, in hundredths.
async fn total_points(cluster: &Cluster, as_of: &str) -> i64 {
    hundredths(&cluster.breakdown(1001, as_of, Default::default()).await.expect("a breakdown").total_points)
}

fn hundredths(points: &str) -> i64 {
    points.replacen('.', "", 1).parse().expect("points have two decimals")
}

/// When, by what, and by how much, in the order of the answer.
fn told(answer: &ListPointChangesResponse) -> Vec<(String, PointChangeCause, &str)> {
    let told = answer.point_changes.iter().map(|change| {
        let day = chrono::DateTime::from_timestamp(change.time.expect("a time").seconds, 0).expect("a time");
        (format!("{} {}", day.format("%Y-%m-%d"), change.client), change.cause(), change.difference.as_str())
    });
    told.collect()
}

/// Anna's work at two clients, one of them shared with another partner, and an MRR that rises.
async fn a_year(cluster: &Cluster) {
    agency(cluster, &[2002, 2003]).await;
    cluster.employee_with(1001, ADMIN, AccessRole::SuperAdmin).await;
    cluster.partner(1002, &["studio.example"]).await;
    cluster.employee(1002, "bea@studio.example").await;
    cluster.user(2002, "bea@studio.example").await;
    cluster.subscription(2002, "main", "1000.00 EUR", "2025-01-01").await.expect("a subscription");
    cluster.subscription(2003, "main", "500.00 USD", "2025-01-01").await.expect("a subscription");
    anna_works(cluster, 2002, "a", "2025-06-01T12:00:00Z").await;
    anna_works(cluster, 2002, "b", "2025-07-20T12:00:00Z").await;
    cluster.work(2002, "c", "bea@studio.example", "2025-08-01T12:00:00Z", "form/edit").await;
    cluster.new_mrr(2002, "main", "1500.00 EUR", "2025-08-15").await.expect("another MRR");
    anna_works(cluster, 2003, "a", "2025-11-20T12:00:00Z").await;
}

on_both_databases!(r122_points_that_were_gained_and_lost_are_told_by_client_and_cause, |cluster| {
    a_year(&cluster).await;
    let answer = changes(&cluster, changes_between(&cluster, "2025-06-01", "2026-02-01")).await.expect("changes");
    assert_eq!(
        told(&answer),
        [
            ("2025-06-01 clients/2002".to_owned(), PointChangeCause::Activity, "13.33"),
            ("2025-07-15 clients/2002".to_owned(), PointChangeCause::Policy, "-1.97"),
            ("2025-08-01 clients/2002".to_owned(), PointChangeCause::Share, "-5.68"),
            ("2025-08-15 clients/2002".to_owned(), PointChangeCause::Mrr, "2.84"),
            ("2025-09-18 clients/2002".to_owned(), PointChangeCause::Lapse, "-8.52"),
            ("2025-11-20 clients/2003".to_owned(), PointChangeCause::Activity, "5.00"),
            ("2026-01-19 clients/2003".to_owned(), PointChangeCause::Lapse, "-5.00"),
        ]
    );
    assert_eq!((answer.start_points.as_str(), answer.end_points.as_str(), answer.total_size), ("0.00", "0.00", 7));
    let total = |cause| answer.totals.iter().find(|total| total.cause() == cause).expect("a total");
    assert_eq!(total(PointChangeCause::Activity).gained_points, "18.33");
    assert_eq!(total(PointChangeCause::Lapse).lost_points, "13.52");
    assert_eq!(total(PointChangeCause::Lapse).changes, 2);
    let first = &answer.point_changes[0];
    assert_eq!((first.points_before.as_deref(), first.points_after.as_deref()), (Some("0.00"), Some("13.33")));
    let only = ListPointChangesRequest {
        client: "clients/2003".to_owned(),
        ..changes_between(&cluster, "2025-06-01", "2025-12-01")
    };
    let only = changes(&cluster, only).await.expect("changes");
    assert_eq!((only.total_size, only.start_points.as_str(), only.end_points.as_str()), (1, "0.00", "5.00"));
});

on_both_databases!(r122_changes_add_up_to_the_difference_of_two_breakdowns, |cluster| {
    a_year(&cluster).await;
    let instants = [
        "2025-05-01",
        "2025-06-01T12:00:00Z",
        "2025-07-15",
        "2025-08-10",
        "2025-09-18T12:00:00Z",
        "2025-12-01",
        "2026-03-01",
    ];
    for (index, start) in instants.iter().enumerate() {
        let at_start = total_points(&cluster, start).await;
        for end in &instants[index..] {
            let at_end = total_points(&cluster, end).await;
            let answer = changes(&cluster, changes_between(&cluster, start, end)).await.expect("changes");
            let changed: i64 = answer.point_changes.iter().map(|change| hundredths(&change.difference)).sum();
            assert_eq!(at_end - at_start, changed, "{start} to {end}");
            assert_eq!((hundredths(&answer.start_points), hundredths(&answer.end_points)), (at_start, at_end));
            let of_causes: i64 = answer
                .totals
                .iter()
                .map(|total| hundredths(&total.gained_points) - hundredths(&total.lost_points))
                .sum();
            assert_eq!(of_causes, changed);
        }
    }
});

on_both_databases!(pages_of_changes_are_the_whole_list, |cluster| {
    a_year(&cluster).await;
    let whole = changes(&cluster, changes_between(&cluster, "2025-06-01", "2026-02-01")).await.expect("changes");
    for page_size in 1..=8 {
        let mut question =
            ListPointChangesRequest { page_size, ..changes_between(&cluster, "2025-06-01", "2026-02-01") };
        let mut pages = Vec::new();
        loop {
            let page = changes(&cluster, question.clone()).await.expect("a page");
            assert_eq!((page.total_size, &page.totals), (whole.total_size, &whole.totals));
            pages.extend(page.point_changes);
            if page.next_page_token.is_empty() {
                break;
            }
            question.page_token = page.next_page_token;
        }
        assert_eq!(pages, whole.point_changes, "{page_size} a page");
    }
    let first = changes(
        &cluster,
        ListPointChangesRequest { page_size: 1, ..changes_between(&cluster, "2025-06-01", "2026-02-01") },
    );
    let token = first.await.expect("a page").next_page_token;
    let of_another =
        ListPointChangesRequest { page_token: token, ..changes_between(&cluster, "2025-06-02", "2026-02-01") };
    let refused = changes(&cluster, of_another).await.expect_err("a token of another list");
    assert_eq!(fields(&refused), ["page_token"]);
});

on_both_databases!(r121_a_timeline_agrees_with_the_breakdown_of_each_of_its_instants, |cluster| {
    a_year(&cluster).await;
    for daily in [false, true] {
        let request = timeline_between(&cluster, "2025-05-28T12:00:00Z", "2026-01-25T12:00:00Z", daily);
        let answer = timeline(&cluster, request).await.expect("a timeline");
        assert_eq!(answer.points.len(), if daily { 243 } else { 8 });
        for point in answer.points.iter().step_by(if daily { 9 } else { 1 }) {
            let time = point.time.expect("a time");
            let instant = contracts::instant(&time).expect("an instant");
            let as_of = instant.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
            assert_eq!(hundredths(&point.managed_points), total_points(&cluster, &as_of).await, "{as_of}");
            assert_eq!(point.forecast, instant > system_tests::at("2026-01-01"), "{as_of}");
        }
    }
});

on_both_databases!(r121_where_nothing_is_said_a_timeline_goes_six_months_back_and_three_ahead, |cluster| {
    a_year(&cluster).await;
    let request = GetPointsTimelineRequest {
        partner: "partners/1001".to_owned(),
        at_least_revisions: cluster.known_revisions(),
        ..Default::default()
    };
    let answer = timeline(&cluster, request).await.expect("a timeline");
    assert_eq!(answer.points[0].time, Some(stamp("2025-07-01")));
    assert_eq!(answer.basis.expect("a basis").as_of_time, Some(stamp("2026-04-01")));
    let last = answer.points.last().expect("the lapse ahead");
    assert_eq!((last.time, last.forecast), (Some(stamp("2026-01-19T12:00:00Z")), true));
});

on_both_databases!(questions_about_points_over_time_say_what_would_be_right, |cluster| {
    agency(&cluster, &[2002]).await;
    let backwards = timeline_between(&cluster, "2025-06-02", "2025-06-01", true);
    assert_eq!(fields(&timeline(&cluster, backwards).await.expect_err("backwards")), ["end_time"]);
    let too_long = timeline_between(&cluster, "2020-01-01", "2025-01-05", true);
    assert_eq!(fields(&timeline(&cluster, too_long).await.expect_err("too long")), ["end_time"]);
    let wrong = GetPointsTimelineRequest { partner: "1001".to_owned(), resolution: 9, ..Default::default() };
    assert_eq!(fields(&timeline(&cluster, wrong).await.expect_err("wrong")), ["partner", "resolution"]);
    let wrong = ListPointChangesRequest { client: "2002".to_owned(), page_size: -1, ..Default::default() };
    let wrong = changes(&cluster, wrong).await.expect_err("wrong");
    assert_eq!(fields(&wrong), ["parent", "client", "start_time", "page_size"]);
});

on_both_databases!(people_read_points_over_time_of_the_partner_whose_credit_they_may_view, |cluster| {
    a_year(&cluster).await;
    for (address, expected) in [
        (ADMIN, Ok(())),
        ("anna@agency.example", Err((Code::PermissionDenied, "PERMISSION_MISSING"))),
        ("bea@studio.example", Err((Code::NotFound, "UNKNOWN_PARTNER"))),
    ] {
        let between = timeline_between(&cluster, "2025-06-01", "2025-12-01", false);
        let timeline = cluster.credit().get_points_timeline(by(address, between)).await.map(|_| ());
        let between = changes_between(&cluster, "2025-06-01", "2025-12-01");
        let changes = cluster.credit().list_point_changes(by(address, between)).await.map(|_| ());
        for found in [timeline, changes] {
            let found = found.map_err(|refused| (refused.code(), reason(&refused)));
            assert_eq!(found, expected.map_err(|(code, reason)| (code, reason.to_owned())), "{address}");
        }
    }
    let hidden = ListPointChangesRequest {
        client: "clients/2999".to_owned(),
        ..changes_between(&cluster, "2025-06-01", "2025-12-01")
    };
    let hidden = cluster.credit().list_point_changes(by(ADMIN, hidden)).await.expect_err("nothing to do with it");
    assert_eq!((hidden.code(), reason(&hidden).as_str()), (Code::NotFound, "UNKNOWN_CLIENT"));
});
