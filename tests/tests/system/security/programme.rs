//! A whole programme on secured services: each service has the identity and the RPCs that it needs, and no more.

use contracts::wire::access::AccessRole;
use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use contracts::wire::access::{GetHeadRevisionRequest, ListPartnersRequest};
use contracts::wire::activity::ListActivitiesRequest;
use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use contracts::wire::credit::credit_calculation_service_client::CreditCalculationServiceClient;
use contracts::wire::credit::{ExplainCreditRequest, IssueStatementRequest, SimulatePolicyRequest};
use domain::policy::Policy;
use tonic::Code;

use super::*;
use crate::maintenance::verify::verify;
use system_tests::{reason, stamp};

async fn programme(cluster: &Cluster) {
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee_with(1001, ANNA, AccessRole::SuperAdmin).await;
    cluster.employee(1001, CARLA).await;
    cluster.client(2002, "US").await;
    cluster.user(2002, ANNA).await;
    cluster.subscription(2002, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    cluster.work(2002, "one", ANNA, "2026-01-01", "blog/publish").await;
}

async fn everything_works_and_is_told_to_whom_it_may_be(kind: DatabaseKind) {
    let cluster = Cluster::start_secured(kind).await;
    programme(&cluster).await;
    let credit = |address: &str| {
        CreditCalculationServiceClient::new(cluster.channel_of(Part::Credit, &person(&cluster, address)))
    };
    let question = |as_of: &str| ExplainCreditRequest {
        partner: "partners/1001".to_owned(),
        client: "clients/2002".to_owned(),
        as_of_time: Some(stamp(as_of)),
        at_least_revisions: cluster.known_revisions(),
    };
    // Evidence comes from activity-tracking, which is asked in the person's name.
    let answer = credit(ANNA).explain_credit(question("2026-01-02")).await.expect("an explanation").into_inner();
    let managed = answer.explanation.and_then(|explanation| explanation.managed_credit).expect("a credit");
    assert_eq!(managed.points.as_deref(), Some("10.00"));
    let refused = credit(CARLA).explain_credit(question("2026-01-02")).await.expect_err("no permission");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "PERMISSION_MISSING"));

    let policy_document = Policy::embedded().document().to_owned();
    let simulation = SimulatePolicyRequest {
        policy_document,
        at_least_revisions: cluster.known_revisions(),
        ..SimulatePolicyRequest::default()
    };
    let mut simulated = cluster.credit().simulate_policy(simulation).await.expect("a simulation").into_inner();
    while simulated.message().await.expect("a part").is_some() {}
    let statement = IssueStatementRequest {
        parent: "partners/1001".to_owned(),
        month: "2025-11".to_owned(),
        at_least_revisions: cluster.known_revisions(),
    };
    cluster.credit().issue_statement(statement).await.expect("a statement");
    for part in Part::ALL {
        assert_eq!(verify(&cluster, part).await.total, 0);
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_works_and_is_told_to_whom_it_may_be_on_sqlite() {
    everything_works_and_is_told_to_whom_it_may_be(DatabaseKind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_works_and_is_told_to_whom_it_may_be_on_postgresql() {
    everything_works_and_is_told_to_whom_it_may_be(DatabaseKind::Postgresql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_calls_what_it_needs_and_nothing_else() {
    let cluster = Cluster::start_secured(DatabaseKind::Sqlite).await;
    programme(&cluster).await;
    let proofs = cluster.proofs();
    let activity = proofs.with_certificate("activity-tracking");
    let mut feed = AccessFeedServiceClient::new(cluster.channel_of(Part::Access, &activity));
    feed.get_head_revision(GetHeadRevisionRequest {}).await.expect("what it needs");
    let mut access = AccessManagementServiceClient::new(cluster.channel_of(Part::Access, &activity));
    let refused = access.list_partners(ListPartnersRequest::default()).await.expect_err("refused");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "CALLER_NOT_ALLOWED"));
    assert_eq!(
        refused.message(),
        "activity-tracking may not call managedcredit.access.v1.AccessManagementService/ListPartners"
    );
    let credit = proofs.with_certificate("credit-calculation");
    let mut activities = ActivityTrackingServiceClient::new(cluster.channel_of(Part::Activity, &credit));
    let refused = activities.list_activities(ListActivitiesRequest::default()).await.expect_err("refused");
    assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED");
    // The name of a certificate is what counts: that of access-management is nobody's among callers.
    let stranger = proofs.with_certificate("access-management");
    let mut feed = AccessFeedServiceClient::new(cluster.channel_of(Part::Access, &stranger));
    let refused = feed.get_head_revision(GetHeadRevisionRequest {}).await.expect_err("refused");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "CALLER_UNPROVEN"));
    cluster.stop().await;
}
