//! TLS of connections, in and out: versions 1.2 and 1.3, certificates that may change while it runs.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion, version};

use super::reloaded::{Reloaded, read};

/// What is offered, the preferred first.
const VERSIONS: &[&SupportedProtocolVersion] = &[&version::TLS13, &version::TLS12];

/// gRPC is HTTP/2 only.
const PROTOCOL: &[u8] = b"h2";

/// A certificate, with those between it and its authority, and its private key: two files of PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The chain, the own certificate first.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// What a server shows, and whose certificates it believes of callers; without authorities it asks for none.
pub(super) fn server(
    own: CertificateFiles,
    client_authorities: Option<PathBuf>,
) -> Result<Reloaded<ServerConfig>, String> {
    let files = [own.certificate.clone(), own.key.clone()].into_iter().chain(client_authorities.clone()).collect();
    Reloaded::new(files, move || {
        let (chain, key) = read_pair(&own)?;
        let builder = ServerConfig::builder_with_provider(provider());
        let builder = builder.with_protocol_versions(VERSIONS).map_err(|error| error.to_string())?;
        let builder = match &client_authorities {
            None => builder.with_no_client_auth(),
            Some(file) => {
                let roots = Arc::new(read_roots(file)?);
                // A caller may prove itself by a token in place of a certificate; one that is shown must be right.
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).allow_unauthenticated();
                let verifier = verifier.build().map_err(|error| format!("{}: {error}", file.display()))?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let mut config = builder.with_single_cert(chain, key).map_err(|error| mismatch(&own, &error))?;
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        // A session that is taken up again would bring its certificate along unseen, also one that is over.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        Ok(config)
    })
}

/// Whose certificates a client believes of services, and what it shows of itself.
pub(super) fn client(authorities: PathBuf, own: Option<CertificateFiles>) -> Result<Reloaded<ClientConfig>, String> {
    let of_own = own.iter().flat_map(|own| [own.certificate.clone(), own.key.clone()]);
    let files = std::iter::once(authorities.clone()).chain(of_own).collect();
    Reloaded::new(files, move || {
        let builder = ClientConfig::builder_with_provider(provider());
        let builder = builder.with_protocol_versions(VERSIONS).map_err(|error| error.to_string())?;
        let builder = builder.with_root_certificates(read_roots(&authorities)?);
        let mut config = match &own {
            None => builder.with_no_client_auth(),
            Some(own) => {
                let (chain, key) = read_pair(own)?;
                builder.with_client_auth_cert(chain, key).map_err(|error| mismatch(own, &error))?
            }
        };
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(config)
    })
}

fn mismatch(own: &CertificateFiles, error: &rustls::Error) -> String {
    format!("{} and {} do not belong together: {error}", own.certificate.display(), own.key.display())
}

fn read_pair(own: &CertificateFiles) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), String> {
    let chain = read_certificates(&own.certificate)?;
    let key = PrivateKeyDer::from_pem_slice(&read(&own.key)?);
    let key = key.map_err(|error| format!("{}: a private key in PEM is expected: {error}", own.key.display()))?;
    Ok((chain, key))
}

fn read_roots(file: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in read_certificates(file)? {
        roots.add(certificate).map_err(|error| format!("{}: {error}", file.display()))?;
    }
    Ok(roots)
}

/// All certificates of a file, one at least.
fn read_certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let expected = |problem: String| format!("{}: certificates in PEM are expected: {problem}", file.display());
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(file)?).collect();
    match certificates {
        Ok(certificates) if certificates.is_empty() => Err(expected("there is none".to_owned())),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(expected(error.to_string())),
    }
}

/// The names that a certificate proves: DNS names and URIs of its subject alternative names.
pub(crate) fn names_of(certificate: &CertificateDer<'_>) -> Vec<String> {
    let Ok(certificate) = webpki::EndEntityCert::try_from(certificate) else { return Vec::new() };
    let names = certificate.valid_dns_names().chain(certificate.valid_uri_names());
    names.map(str::to_owned).collect()
}
