//! Who calls for whom: keys, the list of callers, actors that are asserted or not.

use contracts::wire::access::GetHeadRevisionRequest;
use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use contracts::wire::activity::activity_tracking_service_client::ActivityTrackingServiceClient;
use contracts::wire::activity::{Activity, RecordActivitiesRequest};
use service_kit::{ServerSettings, new_key};
use system_tests::reason;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;

use super::*;

async fn agency() -> Cluster {
    let cluster = Cluster::start_secured(DatabaseKind::Sqlite).await;
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, ANNA).await;
    cluster.client(2002, "US").await;
    cluster.user(2002, ANNA).await;
    cluster
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_shows_nothing_or_what_nobody_has_is_unproven_on_every_service() {
    let cluster = agency().await;
    let proofs = cluster.proofs();
    let unknown_key = proofs.with_credential(&new_key().expect("a key"));
    for identity in
        [&proofs.anonymous(), &unknown_key, &proofs.with_credential("password"), &proofs.with_credential("a b")]
    {
        let refused = get_partner(&cluster, identity, None).await.expect_err("refused");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "CALLER_UNPROVEN"));
        // What they say to be changes nothing.
        for actor in ["platform", ANNA] {
            let refused = get_partner(&cluster, identity, Some(actor)).await.expect_err("refused");
            assert_eq!(reason(&refused), "CALLER_UNPROVEN");
        }
    }
    // Probes have no identity.
    for part in Part::ALL {
        let mut health = HealthClient::new(cluster.channel_of(part, &proofs.anonymous()));
        health.check(HealthCheckRequest::default()).await.expect("health");
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_platform_acts_for_itself_and_for_people_and_a_person_for_themselves_only() {
    let cluster = agency().await;
    let platform = cluster.proofs().platform();
    let anna = person(&cluster, ANNA);
    for (identity, actor) in [(&platform, None), (&platform, Some("platform")), (&anna, None), (&anna, Some(ANNA))] {
        assert_eq!(get_partner(&cluster, identity, actor).await.as_deref().ok(), Some("Partner 1001"), "{actor:?}");
    }
    let nobody = get_partner(&cluster, &platform, Some("nobody@other.example")).await.expect_err("no such person");
    assert_eq!(nobody.code(), Code::NotFound);
    for spoofed in ["platform", CARLA, "x"] {
        let refused = get_partner(&cluster, &anna, Some(spoofed)).await.expect_err("refused");
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::PermissionDenied, "ACTOR_NOT_ALLOWED"));
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_calls_what_its_list_says_and_acts_as_it_says() {
    let cluster = agency().await;
    let proofs = cluster.proofs();
    let activity = Activity { name: "clients/2002/activities/x".to_owned(), ..Activity::default() };
    let recording = RecordActivitiesRequest { activities: vec![activity], ..RecordActivitiesRequest::default() };
    let mut claims = claims_of("importer", cluster.now());
    claims.remove("email");
    for importer in [
        proofs.with_certificate("importer"),
        proofs.with_certificate("importer-by-uri"),
        proofs.with_credential(&proofs.token(&claims)),
    ] {
        let refused = get_partner(&cluster, &importer, Some(ANNA)).await.expect_err("not on its list");
        assert_eq!(reason(&refused), "CALLER_NOT_ALLOWED");
        let mut tracking = ActivityTrackingServiceClient::new(cluster.channel_of(Part::Activity, &importer));
        for (request, problem) in [
            (Request::new(recording.clone()), "for whom?"),
            (by("platform", recording.clone()), "importer does not act as the platform"),
            // Past the proof, the matrix of permissions decides.
            (by(ANNA, recording.clone()), "only the platform may do this"),
        ] {
            let refused = tracking.record_activities(request).await.expect_err("refused");
            assert_eq!(reason(&refused), "ACTOR_NOT_ALLOWED");
            assert!(refused.message().starts_with(problem), "{}", refused.message());
        }
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_calls_a_second_than_a_caller_may_make_are_refused_and_others_are_answered() {
    let mut cluster = agency().await;
    let proofs = cluster.proofs();
    let document = std::fs::read_to_string(proofs.document(Part::Access)).expect("a document");
    let limited = document.replace("calls_per_second = 100000", "calls_per_second = 1");
    assert_ne!(limited, document);
    proofs.write("access-management.toml", &limited);
    cluster.stop_part(Part::Access).await;
    cluster.start_part(Part::Access).await;
    let anna = person(&cluster, ANNA);
    let asked = futures_util::future::join_all((0..50).map(|_| get_partner(&cluster, &anna, None))).await;
    let refused: Vec<&Status> = asked.iter().filter_map(|answer| answer.as_ref().err()).collect();
    assert!(!refused.is_empty() && refused.len() < 50, "{}", refused.len());
    for refused in refused {
        assert_eq!((refused.code(), reason(refused).as_str()), (Code::ResourceExhausted, "RATE_LIMITED"));
    }
    let carla = person(&cluster, CARLA);
    assert_eq!(get_partner(&cluster, &carla, None).await.expect_err("nobody").code(), Code::NotFound);
    let platform = cluster.proofs().platform();
    get_partner(&cluster, &platform, None).await.expect("the platform is not limited");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contracts_are_told_to_whoever_may_call_unless_they_are_told_to_nobody() {
    let list = |cluster: &Cluster, identity: &Identity| {
        let mut reflection = ServerReflectionClient::new(cluster.channel_of(Part::Access, identity));
        async move {
            let question = ServerReflectionRequest {
                message_request: Some(MessageRequest::ListServices(String::new())),
                ..ServerReflectionRequest::default()
            };
            let mut answer =
                reflection.server_reflection_info(futures_util::stream::iter([question])).await?.into_inner();
            answer.message().await
        }
    };
    let telling = agency().await;
    let proofs = telling.proofs();
    for identity in [person(&telling, ANNA), proofs.platform(), proofs.with_certificate("importer")] {
        assert!(list(&telling, &identity).await.expect("an answer").is_some());
    }
    let refused = list(&telling, &proofs.anonymous()).await.expect_err("unproven");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "CALLER_UNPROVEN"));
    telling.stop().await;

    let server = ServerSettings { tells_contracts: false, ..ServerSettings::default() };
    let silent = Cluster::start_with(
        DatabaseKind::Sqlite,
        ClusterOptions { is_secured: true, server, ..ClusterOptions::default() },
    )
    .await;
    let platform = silent.proofs().platform();
    assert_eq!(list(&silent, &platform).await.expect_err("nothing is told").code(), Code::Unimplemented);
    silent.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_called_as_a_caller_is_none_where_they_are_a_person_or_of_another_name() {
    let cluster = agency().await;
    let proofs = cluster.proofs();
    // Some issuers let people choose their subject.
    let mut claims = claims_of(ANNA, cluster.now());
    claims.insert("sub".to_owned(), "importer".into());
    let chosen = proofs.with_credential(&proofs.token(&claims));
    let refused = get_partner(&cluster, &chosen, Some(CARLA)).await.expect_err("she acts for herself only");
    assert_eq!(reason(&refused), "ACTOR_NOT_ALLOWED");
    assert!(get_partner(&cluster, &chosen, None).await.is_ok(), "she is Anna");
    for (name, names) in [("wild", "*"), ("below", "x.importer"), ("longer", "importer.example")] {
        proofs.certify(name, &[names]);
        let refused = get_partner(&cluster, &proofs.with_certificate(name), None).await.expect_err("another name");
        assert_eq!(reason(&refused), "CALLER_UNPROVEN", "{names}");
    }
    // Of several names one is enough.
    proofs.certify("several", &["somebody", "importer"]);
    let known =
        get_partner(&cluster, &proofs.with_certificate("several"), Some(ANNA)).await.expect_err("not on its list");
    assert_eq!(reason(&known), "CALLER_NOT_ALLOWED");
    // activity-tracking has no questions of people to answer elsewhere.
    let activity = proofs.with_certificate("activity-tracking");
    let mut feed = AccessFeedServiceClient::new(cluster.channel_of(Part::Access, &activity));
    let refused = feed.get_head_revision(by(ANNA, GetHeadRevisionRequest {})).await.expect_err("not for people");
    assert_eq!(refused.message(), "activity-tracking does not act for people: leave out x-actor");
    cluster.stop().await;
}
