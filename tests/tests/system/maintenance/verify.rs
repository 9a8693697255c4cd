//! Verify: nothing is found in what is right, and everything that is not.

use std::collections::BTreeSet;

use contracts::wire::access;
use contracts::wire::maintenance::maintenance_service_client::MaintenanceServiceClient;
use contracts::wire::maintenance::{Difference, VerifyRequest, VerifyResponse};
use managed_credit::running::Part;
use system_tests::{Cluster, DatabaseKind, by, fields, on_both_databases, reason};
use tonic::transport::Endpoint;
use tonic::{Code, Status};

use super::{ANNA, agency, points, tamper};

const BOSS: &str = "boss@client.example";

/// What a verification told, to its end.
pub struct Told {
    /// Each subject with how many of it were compared.
    pub subjects: Vec<(String, i64)>,
    pub differences: Vec<Difference>,
    pub total: i64,
}

async fn verify_at_most(cluster: &Cluster, part: Part, maximum_differences: i32) -> Result<Told, Status> {
    let request = VerifyRequest { maximum_differences };
    let mut stream = cluster.maintenance(part).verify(request).await?.into_inner();
    let mut told = Told { subjects: Vec::new(), differences: Vec::new(), total: 0 };
    let mut is_complete = false;
    while let Some(message) = stream.message().await? {
        assert!(!is_complete, "nothing follows the last message");
        let VerifyResponse { subject, checked, differences, total_differences, complete } = message;
        match told.subjects.last_mut() {
            Some((last, count)) if *last == subject => *count = checked,
            _ => told.subjects.push((subject, checked)),
        }
        told.differences.extend(differences);
        (told.total, is_complete) = (total_differences, complete);
    }
    assert!(is_complete, "it was not cut off");
    Ok(told)
}

pub async fn verify(cluster: &Cluster, part: Part) -> Told {
    verify_at_most(cluster, part, 0).await.unwrap_or_else(|status| panic!("{part}: {status}"))
}

async fn access_link(cluster: &Cluster, employee: &str) -> access::CreateAccessLinkResponse {
    let request = access::CreateAccessLinkRequest {
        parent: employee.to_owned(),
        access_link: Some(access::AccessLink::default()),
        ..Default::default()
    };
    cluster.access().create_access_link(request).await.expect("a link").into_inner()
}

async fn owned_asset(cluster: &Cluster, client: i64, owner: &str) {
    let asset = access::Asset {
        name: format!("clients/{client}/assets/form-1"),
        kind: "form".to_owned(),
        display_name: "Form".to_owned(),
        owner: owner.to_owned(),
    };
    let request = access::BatchUpdateAssetsRequest {
        parent: format!("clients/{client}"),
        assets: vec![asset],
        ..Default::default()
    };
    cluster.access().batch_update_assets(request).await.expect("an asset");
}

/// Something of every kind that is kept: links in every state, assets, a client that moved, changes taken back, people
/// erased, relationships that live and that have ended, subscriptions. Answers the name of the link that is open.
async fn everything(cluster: &Cluster) -> String {
    agency(cluster).await;
    let carla = cluster.employee(1001, "carla@agency.example").await;
    cluster.client(2003, "US").await;
    let user = cluster.user(2003, "carla@agency.example").await;
    let boss = cluster.user_with(2003, BOSS, "SUPER_ADMIN").await;
    owned_asset(cluster, 2003, &boss).await;
    let open = access_link(cluster, &carla).await.access_link.expect("a link");
    let revoked = access_link(cluster, &carla).await.access_link.expect("a link");
    let request = access::RevokeAccessLinkRequest { name: revoked.name, ..Default::default() };
    cluster.access().revoke_access_link(request).await.expect("revoked");
    let approved = access_link(cluster, &carla).await;
    let (client, token) = ("clients/2003".to_owned(), approved.token);
    let request = access::ApproveAccessLinkRequest { client, token, ..Default::default() };
    let answer = cluster.access().approve_access_link(by(BOSS, request)).await.expect("approved").into_inner();
    cluster.note(&answer.revision);
    cluster.update_client(2003, "Moved", "IN", "2025-06-01").await.expect("an update");
    let mistake = cluster.update_client(2003, "Mistake", "JP", "2025-07-01").await.expect("an update");
    cluster.retract(mistake).await.expect("a retraction");
    cluster.work(2003, "one", "carla@agency.example", "2025-12-20", "blog/publish").await;
    cluster.remove(&user, "2026-01-01").await.expect("a removal");
    cluster.erase("carla@agency.example").await.expect("an erasure");
    cluster.subscription(2003, "main", "1000.00 USD", "2024-01-01").await.expect("a subscription");
    cluster.new_mrr(2003, "main", "2000.00 USD", "2025-06-01").await.expect("a change");
    // Credit knows everything then.
    assert_eq!(points(cluster, 2002).await.as_deref(), Some("10.00"));
    open.name
}

on_both_databases!(what_is_right_has_no_differences, |cluster| {
    everything(&cluster).await;
    for (part, expected) in [
        (Part::Access, &["access changes", "access links", "owned assets"] as &[&str]),
        (Part::Activity, &["access changes", "verdicts", "servicing changes", "relationships"]),
        (
            Part::Credit,
            &[
                "access changes",
                "clients",
                "contacts of people",
                "own facts",
                "history of the access feed",
                "changes of the servicing feed",
                "relationships",
            ],
        ),
    ] {
        let Told { subjects, differences, total } = verify(&cluster, part).await;
        assert_eq!((differences.as_slice(), total), (&[] as &[Difference], 0), "{part}");
        for subject in expected {
            let found = subjects.iter().find(|(told, _)| told == subject);
            assert!(found.is_some_and(|(_, checked)| *checked > 0), "{part}: {subject} of {subjects:?}");
        }
    }
});

/// Every statement with what is found then, and not before.
async fn finds(cluster: &Cluster, part: Part, tampering: &[(&str, &[&str])]) {
    let subjects = async || -> BTreeSet<String> {
        let differences = verify(cluster, part).await.differences;
        differences.into_iter().map(|difference| difference.subject).collect()
    };
    let mut before = subjects().await;
    assert_eq!(before, BTreeSet::new(), "{part}");
    for (statement, expected) in tampering {
        tamper(cluster, part, &[statement]).await;
        let after = subjects().await;
        for subject in *expected {
            assert!(after.contains(*subject) && !before.contains(*subject), "{statement}: {subject} of {after:?}");
        }
        before = after;
    }
}

on_both_databases!(what_is_wrong_in_access_management_is_found, |cluster| {
    let link = everything(&cluster).await;
    let employee_as_owner = "UPDATE asset SET owner_id = (SELECT subject_id FROM access_change WHERE position = 2)";
    finds(
        &cluster,
        Part::Access,
        &[
            ("UPDATE access_change SET kind = 'client_closed' WHERE position = 3", &["access-3 kind"]),
            ("UPDATE access_change SET client_id = 2009 WHERE position = 4", &["access-4 client"]),
            ("UPDATE access_change SET partner_id = NULL WHERE position = 1", &["access-1 partner"]),
            ("UPDATE access_change SET address = 'x@y.example' WHERE position = 2", &["access-2 address"]),
            ("UPDATE access_change SET subject_id = NULL WHERE position = 4", &["access-4 subject"]),
            (
                "UPDATE access_change SET effective_time = 0, record_time = 0 WHERE position = 1",
                &["access-1 effective_time", "access-1 record_time"],
            ),
            ("UPDATE access_change SET is_notice = NOT is_notice WHERE position = 1", &["access-1 is_notice"]),
            (
                "UPDATE access_change SET payload = (SELECT payload FROM access_change WHERE position = 1) \
                 WHERE position = 3",
                &["access-3 hash", "access-3 position", "access-3 partner"],
            ),
            ("UPDATE access_change SET payload = chain_hash WHERE position = 4", &["access-4", "access-4 hash"]),
            ("UPDATE access_link SET revoked = NOT revoked", &[&link]),
            (employee_as_owner, &["clients/2003/assets/form-1"]),
            ("DELETE FROM access_change WHERE position BETWEEN 5 AND 6", &["access-5 to access-6"]),
            ("UPDATE feed_head SET position = position + 1", &["end of the access log"]),
        ],
    )
    .await;
});

on_both_databases!(what_is_wrong_in_activity_tracking_is_found, |cluster| {
    everything(&cluster).await;
    let last_word = |client: i64| format!("the servicing feed's last word on clients/{client} partners/1001");
    finds(
        &cluster,
        Part::Activity,
        &[
            ("UPDATE access_change SET kind = 'client_closed' WHERE position = 3", &["access-3 kind"]),
            (
                "UPDATE activity SET address = 'x@y.example' WHERE client_id = 2003",
                &["clients/2003/activities/one as it is found"],
            ),
            (
                "UPDATE activity SET occur_time = occur_time - 1 WHERE client_id = 2002",
                &["clients/2002/activities/one as it is found", "clients/2002 partners/1001"],
            ),
            ("UPDATE activity SET employee_id = NULL WHERE client_id = 2002", &["clients/2002/activities/one"]),
            (
                "INSERT INTO voiding (client_id, activity_id, actor, reason, record_time) \
                 VALUES (2003, 'one', 'platform', '', 0)",
                &["clients/2003/activities/one"],
            ),
            (
                "UPDATE servicing_period SET end_time = end_time + 1 WHERE client_id = 2003",
                &["clients/2003 partners/1001", &last_word(2003)],
            ),
            ("DELETE FROM servicing_pair WHERE client_id = 2002", &[&last_word(2002)]),
            ("INSERT INTO servicing_pair VALUES (2009, 1009, 7)", &["clients/2009 partners/1009"]),
            ("UPDATE feed_head SET position = position + 1", &["end of the servicing feed"]),
        ],
    )
    .await;
});

on_both_databases!(what_is_wrong_in_credit_calculation_is_found, |cluster| {
    everything(&cluster).await;
    finds(
        &cluster,
        Part::Credit,
        &[
            ("UPDATE access_change SET kind = 'client_closed' WHERE position = 3", &["access-3 kind"]),
            ("UPDATE client SET display_name = 'X' WHERE hub_id = 2002", &["clients/2002"]),
            ("DELETE FROM client WHERE hub_id = 2003", &["clients/2003"]),
            ("INSERT INTO client VALUES (2009, 'Nine', 'nine', 'US', 0)", &["clients/2009"]),
            ("DELETE FROM client_country", &["clients/2003 since 2025-06-01T00:00:00+00:00"]),
            (
                "UPDATE partner_client SET since_time = since_time + 1 WHERE client_id = 2002",
                &["anna@agency.example: partners/1001 with clients/2002"],
            ),
            ("INSERT INTO partner_client VALUES (1001, 2009, 'x', 0)", &["x: partners/1001 with clients/2009"]),
            ("UPDATE subscription_change SET minor_units = 1", &["hash over the own facts"]),
            ("DELETE FROM subscription_change WHERE position = 2", &["credit-2"]),
            ("UPDATE feed_head SET position = position + 1", &["end of the own facts"]),
            (
                "UPDATE servicing_period SET end_time = end_time + 1 WHERE client_id = 2002",
                &["clients/2002 partners/1001"],
            ),
            ("DELETE FROM servicing_pair", &["clients/2003 partners/1001"]),
            ("INSERT INTO servicing_pair VALUES (2001, 1009, NULL)", &["clients/2001 partners/1009"]),
        ],
    )
    .await;
});

on_both_databases!(a_copy_of_another_history_is_found, |cluster| {
    everything(&cluster).await;
    let hash = "UPDATE feed_cursor SET chain_hash = (SELECT chain_hash FROM access_change WHERE position = 1)";
    tamper(&cluster, Part::Credit, &[hash]).await;
    let listed: Vec<String> =
        verify(&cluster, Part::Credit).await.differences.into_iter().map(|difference| difference.subject).collect();
    let revision = format!("access-{}", cluster.access_position());
    assert_eq!(listed, ["end of the access log", &revision, "end of the servicing copy"]);
});

/// Clients that nobody has made known, in credit-calculation's table.
async fn add_unknown_clients(cluster: &Cluster, count: i64) {
    let clients = format!(
        "INSERT INTO client WITH RECURSIVE numbers(number) AS \
         (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {count}) \
         SELECT 100000 + number, 'Unknown', 'unknown', 'US', 0 FROM numbers"
    );
    tamper(cluster, Part::Credit, &[&clients]).await;
}

on_both_databases!(all_differences_are_counted_and_the_first_are_listed, |cluster| {
    agency(&cluster).await;
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));
    add_unknown_clients(&cluster, 1_234).await;
    for (maximum, listed) in [(0, 100), (1, 1), (200, 200), (10_000, 1_234)] {
        let told = verify_at_most(&cluster, Part::Credit, maximum).await.expect("a summary");
        assert_eq!((told.differences.len(), told.total), (listed, 1_234), "{maximum}");
        assert_eq!(told.differences[0].subject, "clients/100001");
        assert_eq!(told.differences[0].expected, "");
    }
    for wrong in [-1, 10_001] {
        let refused = verify_at_most(&cluster, Part::Credit, wrong).await.err().expect("refused");
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["maximum_differences".to_owned()]));
    }
});

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_refused() {
    let cluster = Cluster::start(DatabaseKind::Sqlite).await;
    for part in Part::ALL {
        let refused = cluster.maintenance(part).verify(by(ANNA, VerifyRequest::default())).await.expect_err("refused");
        assert_eq!(
            (refused.code(), reason(&refused).as_str()),
            (Code::PermissionDenied, "ACTOR_NOT_ALLOWED"),
            "{part}"
        );
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_owner_of_a_feed_its_copy_is_not_called_right() {
    let mut cluster = Cluster::start(DatabaseKind::Sqlite).await;
    agency(&cluster).await;
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));
    cluster.stop_part(Part::Activity).await;
    let refused = verify_at_most(&cluster, Part::Credit, 0).await.err().expect("refused");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unavailable, "EVIDENCE_UNAVAILABLE"));
    cluster.stop().await;
}

/// Its messages fill what may be under way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_verification_is_under_way_at_a_time_and_ends_with_its_caller() {
    let mut cluster = Cluster::start(DatabaseKind::Sqlite).await;
    agency(&cluster).await;
    assert_eq!(points(&cluster, 2002).await.as_deref(), Some("10.00"));
    add_unknown_clients(&cluster, 9_000).await;
    let small_window =
        Endpoint::from_shared(cluster.url(Part::Credit)).expect("a URL").initial_stream_window_size(65_535);
    let mut slow = MaintenanceServiceClient::new(small_window.connect_lazy());
    let unread = slow.verify(VerifyRequest { maximum_differences: 10_000 }).await.expect("a stream");
    let refused = verify_at_most(&cluster, Part::Credit, 0).await.err().expect("refused");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::ResourceExhausted, "OVERLOADED"));

    drop(unread);
    let mut told = verify_at_most(&cluster, Part::Credit, 0).await;
    while told.as_ref().is_err_and(|status| status.code() == Code::ResourceExhausted) {
        tokio::task::yield_now().await;
        told = verify_at_most(&cluster, Part::Credit, 0).await;
    }
    assert_eq!(told.expect("a summary").total, 9_000);

    let unread = slow.verify(VerifyRequest { maximum_differences: 10_000 }).await.expect("a stream");
    cluster.stop_part(Part::Credit).await;
    drop(unread);
    cluster.stop().await;
}
