//! Certificates and keys change while services run: nobody is cut off, and whoever comes next sees the new ones.

use contracts::wire::access::WatchAccessRequest;
use contracts::wire::access::access_feed_service_client::AccessFeedServiceClient;
use jsonwebtoken::{Algorithm, Header, encode};
use service_kit::CredentialFiles;
use system_tests::{authority, reason, signing_key};
use tonic::Code;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_certificate_is_shown_to_whoever_comes_next_and_streams_go_on() {
    let cluster = Cluster::start_secured(DatabaseKind::Sqlite).await;
    cluster.partner(1001, &["agency.example"]).await;
    let proofs = cluster.proofs();
    let platform = proofs.platform();
    let mut feed = AccessFeedServiceClient::new(cluster.channel_of(Part::Access, &platform));
    let mut watched = feed.watch_access(WatchAccessRequest::default()).await.expect("a stream").into_inner();
    assert!(watched.message().await.expect("a message").is_some());

    let next = authority("the next authority");
    proofs.write("next.crt", &next.pem());
    let files = CredentialFiles::new(Some(proofs.path("next.crt")), None, None, Some(proofs.path("platform.key")));
    let believing_next = files.and_then(Identity::load).expect("an identity");
    let early = get_partner(&cluster, &believing_next, None).await.expect_err("not yet");
    assert_eq!(early.code(), Code::Unavailable);
    proofs.certify_by(&next, "access-management", &["localhost", "access-management"]);
    get_partner(&cluster, &believing_next, None).await.expect("the new certificate");
    let late = get_partner(&cluster, &platform, None).await.expect_err("whoever believes the old authority only");
    assert_eq!(late.code(), Code::Unavailable);

    // The stream that was open before is told of what happens after.
    let mut access = AccessManagementServiceClient::new(cluster.channel_of(Part::Access, &believing_next));
    let request = contracts::wire::access::CreateClientRequest {
        hub_id: 2002,
        client: Some(contracts::wire::access::Client {
            display_name: "After".to_owned(),
            country_code: "US".to_owned(),
            ..Default::default()
        }),
        ..Default::default()
    };
    access.create_client(request).await.expect("a client");
    loop {
        let message = watched.message().await.expect("no cut").expect("no end");
        if message.changes.iter().any(|change| format!("{change:?}").contains("After")) {
            break;
        }
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_do_not_belong_together_change_nothing() {
    let cluster = Cluster::start_secured(DatabaseKind::Sqlite).await;
    cluster.partner(1001, &["agency.example"]).await;
    let proofs = cluster.proofs();
    let platform = proofs.platform();
    let certificate = std::fs::read_to_string(proofs.path("access-management.crt")).expect("a certificate");
    proofs.certify("other", &["localhost"]);
    let other = std::fs::read_to_string(proofs.path("other.crt")).expect("a certificate");
    for wrong in [other.as_str(), "", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        proofs.write("access-management.crt", wrong);
        get_partner(&cluster, &platform, None).await.expect("the certificate before");
    }
    std::fs::remove_file(proofs.path("access-management.crt")).expect("removed");
    get_partner(&cluster, &platform, None).await.expect("the certificate before");
    proofs.write("access-management.crt", &certificate);
    get_partner(&cluster, &platform, None).await.expect("the certificate again");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_issuer_changes_its_keys_and_a_person_their_token() {
    let cluster = Cluster::start_secured(DatabaseKind::Sqlite).await;
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, ANNA).await;
    let proofs = cluster.proofs();
    let claims = claims_of(ANNA, cluster.now());
    let next = signing_key();
    let header = Header { kid: Some("key-2".to_owned()), ..Header::new(Algorithm::ES256) };
    let by_next = encode(&header, &claims, &next).expect("a token");
    let old = proofs.with_credential(&proofs.token(&claims));
    let new = proofs.with_credential(&by_next);
    assert_eq!(reason(&get_partner(&cluster, &new, None).await.expect_err("not yet")), "CALLER_UNPROVEN");
    proofs.publish(&[("key-1", &proofs.signing), ("key-2", &next)]);
    get_partner(&cluster, &new, None).await.expect("the new key");
    get_partner(&cluster, &old, None).await.expect("the old key too");
    proofs.publish(&[("key-2", &next)]);
    assert_eq!(reason(&get_partner(&cluster, &old, None).await.expect_err("no more")), "CALLER_UNPROVEN");
    // A client that runs takes the new token from its file.
    let files = CredentialFiles::new(Some(proofs.path("authority.crt")), None, None, Some(proofs.path("token")));
    proofs.write("token", &proofs.token(&claims));
    let running = files.and_then(Identity::load).expect("an identity");
    let mut access = AccessManagementServiceClient::new(cluster.channel_of(Part::Access, &running));
    let message = GetPartnerRequest { name: "partners/1001".to_owned() };
    assert_eq!(reason(&access.get_partner(message.clone()).await.expect_err("the old token")), "CALLER_UNPROVEN");
    proofs.write("token", &by_next);
    access.get_partner(message).await.expect("the new token");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_keys_hold_at_once_until_the_old_one_is_taken_away() {
    let mut cluster = Cluster::start_secured(DatabaseKind::Sqlite).await;
    cluster.partner(1001, &["agency.example"]).await;
    let proofs = cluster.proofs();
    let key = service_kit::new_key().expect("a key");
    let (old, new) = (proofs.platform(), proofs.with_credential(&key));
    let document = std::fs::read_to_string(proofs.document(Part::Access)).expect("a document");
    let hash = service_kit::KeyHash::of(&key);
    let both = document.replacen("keys = [\"sha256:", &format!("keys = [\"{hash}\", \"sha256:"), 1);
    assert_ne!(both, document);
    assert_eq!(reason(&get_partner(&cluster, &new, None).await.expect_err("not yet")), "CALLER_UNPROVEN");
    proofs.write("access-management.toml", &both);
    cluster.stop_part(Part::Access).await;
    cluster.start_part(Part::Access).await;
    for identity in [&old, &new] {
        get_partner(&cluster, identity, None).await.expect("both keys are the platform's");
    }
    cluster.stop().await;
}
