//! Handshakes: which versions, whose certificates, for which names.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ProtocolVersion, RootCertStore, SupportedProtocolVersion, version};
use service_kit::{CredentialFiles, connect};
use system_tests::{authority, reason};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::*;

/// Whether no service of ours has answered: their refusals have a reason.
fn is_of_transport(status: &Status) -> bool {
    status.get_details_error_info().is_none()
}

fn address(cluster: &Cluster) -> String {
    cluster.url(Part::Access).trim_start_matches("https://").to_owned()
}

/// What is agreed on with a client of these versions.
async fn agreed(cluster: &Cluster, versions: &[&'static SupportedProtocolVersion]) -> Option<ProtocolVersion> {
    let file = cluster.proofs().path("authority.crt");
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(file).expect("a certificate")).expect("an authority");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).expect("versions");
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address(cluster)).await.expect("a connection");
    let name = ServerName::try_from("localhost").expect("a name");
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await.expect("a handshake");
    stream.get_ref().1.protocol_version()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_1_3_is_preferred_1_2_is_taken_and_1_1_is_refused() {
    let cluster = Cluster::start_secured(DatabaseKind::Sqlite).await;
    assert_eq!(agreed(&cluster, &[&version::TLS12, &version::TLS13]).await, Some(ProtocolVersion::TLSv1_3));
    assert_eq!(agreed(&cluster, &[&version::TLS12]).await, Some(ProtocolVersion::TLSv1_2));
    // A ClientHello of TLS 1.1 with one suite, written out: no library makes one any more.
    let mut hello = vec![3, 2];
    hello.extend([7; 32]);
    hello.extend([0, 0, 2, 0xc0, 0x13, 1, 0]);
    let mut record = vec![22, 3, 1, 0, u8::try_from(hello.len() + 4).expect("short"), 1, 0, 0];
    record.push(u8::try_from(hello.len()).expect("short"));
    record.extend(hello);
    let mut stream = TcpStream::connect(address(&cluster)).await.expect("a connection");
    stream.write_all(&record).await.expect("sent");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("an end");
    let (alert, fatal) = (21, 2);
    assert_eq!((answer.first(), answer.get(5), answer.len()), (Some(&alert), Some(&fatal), 7), "{answer:?}");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_speaks_without_tls_or_does_not_speak_reaches_nobody_and_stops_nobody() {
    let cluster = Cluster::start_secured(DatabaseKind::Sqlite).await;
    cluster.partner(1001, &["agency.example"]).await;
    let silent: Vec<TcpStream> = futures_util::future::join_all((0..50).map(|_| TcpStream::connect(address(&cluster))))
        .await
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("connections");
    let plain = connect(&format!("http://{}", address(&cluster)), &Identity::default()).expect("a channel");
    let message = GetPartnerRequest { name: "partners/1001".to_owned() };
    let refused = AccessManagementServiceClient::new(plain).get_partner(message).await.expect_err("no TLS");
    assert!(is_of_transport(&refused), "{refused}");
    let platform = cluster.proofs().platform();
    get_partner(&cluster, &platform, None).await.expect("others are served");
    drop(silent);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_of_strangers_are_believed_by_neither_side() {
    let cluster = Cluster::start_secured(DatabaseKind::Sqlite).await;
    let proofs = cluster.proofs();
    // A caller with the right name, of another authority.
    let strangers = authority("strangers");
    proofs.certify_by(&strangers, "forged", &["importer"]);
    let refused = get_partner(&cluster, &proofs.with_certificate("forged"), Some(ANNA)).await.expect_err("forged");
    assert!(is_of_transport(&refused) && refused.message() == "transport error", "no connection: {refused}");
    // A caller of the right authority whose name nobody has.
    proofs.certify("unknown", &["unknown"]);
    let refused = get_partner(&cluster, &proofs.with_certificate("unknown"), None).await.expect_err("unknown");
    assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "CALLER_UNPROVEN"));
    // A client that believes another authority does not talk to the service.
    proofs.write("strangers.crt", &strangers.pem());
    let files = CredentialFiles::new(Some(proofs.path("strangers.crt")), None, None, Some(proofs.path("platform.key")));
    let believing_strangers = files.and_then(Identity::load).expect("an identity");
    let refused = get_partner(&cluster, &believing_strangers, None).await.expect_err("not believed");
    assert_eq!(refused.code(), Code::Unavailable, "{refused}");
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_talks_only_to_whom_the_certificate_names() {
    let mut cluster = Cluster::start_secured(DatabaseKind::Sqlite).await;
    let proofs = cluster.proofs();
    let by_name = cluster.url(Part::Access).replace("127.0.0.1", "localhost");
    let message = GetPartnerRequest { name: "partners/1001".to_owned() };
    let ask = |url: String, identity: Identity, message: GetPartnerRequest| async move {
        let channel = connect(&url, &identity).expect("a channel");
        AccessManagementServiceClient::new(channel).get_partner(message).await.expect_err("no partner").code()
    };
    assert_eq!(ask(by_name.clone(), proofs.platform(), message.clone()).await, Code::NotFound);
    let platform = proofs.platform();
    proofs.certify("access-management", &["elsewhere"]);
    cluster.stop_part(Part::Access).await;
    cluster.start_part(Part::Access).await;
    assert_eq!(ask(by_name, platform, message).await, Code::Unavailable);
    cluster.stop().await;
}
