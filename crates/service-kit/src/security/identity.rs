//! What a client shows of itself, and whose certificates it believes.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ClientConfig;
use tokio_rustls::TlsConnector;
use tonic::metadata::{Ascii, MetadataValue};

use super::reloaded::{Reloaded, read};
use super::tls::{self, CertificateFiles};

/// The files of a client's identity.
#[derive(Debug, Clone, Default)]
pub struct CredentialFiles {
    authorities: Option<PathBuf>,
    own: Option<CertificateFiles>,
    credential: Option<PathBuf>,
}

impl CredentialFiles {
    /// Who signs the certificates of services; the own certificate and its key; a token or key that every call carries.
    ///
    /// # Errors
    /// A certificate without its key or without authorities, or a key alone.
    pub fn new(
        authorities: Option<PathBuf>,
        certificate: Option<PathBuf>,
        key: Option<PathBuf>,
        credential: Option<PathBuf>,
    ) -> Result<Self, String> {
        let own = match (certificate, key) {
            (Some(certificate), Some(key)) => Some(CertificateFiles { certificate, key }),
            (None, None) => None,
            (Some(_), None) => return Err("a certificate needs its key".to_owned()),
            (None, Some(_)) => return Err("a key needs its certificate".to_owned()),
        };
        if own.is_some() && authorities.is_none() {
            return Err("a certificate needs authorities too: who signs the certificates of services".to_owned());
        }
        Ok(Self { authorities, own, credential })
    }
}

/// What a client shows of itself, and whose certificates it believes; by default nothing and nobody's.
#[derive(Debug, Clone, Default)]
pub struct Identity {
    tls: Option<Arc<Reloaded<ClientConfig>>>,
    credential: Option<Arc<Reloaded<MetadataValue<Ascii>>>>,
    plaintext: Plaintext,
}

/// When to speak with other machines without TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Plaintext {
    /// Where there is nothing to prove, as somebody who asks may.
    #[default]
    WithoutProof,
    /// Never, as a service must: what it is told decides about money.
    Never,
    /// Where somebody else encrypts.
    Always,
}

impl Identity {
    /// The identity of files, which may change.
    ///
    /// # Errors
    /// A file that cannot be used.
    pub fn load(files: CredentialFiles) -> Result<Self, String> {
        let tls = files.authorities.map(|authorities| tls::client(authorities, files.own)).transpose()?;
        let credential = files.credential.map(|file| {
            let path = file.clone();
            Reloaded::new(vec![file], move || {
                let text = read(&path)?;
                let text = str::from_utf8(&text).map(str::trim).ok().filter(|text| !text.is_empty());
                let header = text.and_then(|text| zeroize::Zeroizing::new(format!("Bearer {text}")).parse().ok());
                let mut header: MetadataValue<Ascii> =
                    header.ok_or_else(|| format!("{}: a token or a key is expected", path.display()))?;
                // Neither printed nor kept by the compression of headers.
                header.set_sensitive(true);
                Ok(header)
            })
        });
        let credential = credential.transpose()?;
        Ok(Self { tls: tls.map(Arc::new), credential: credential.map(Arc::new), plaintext: Plaintext::default() })
    }

    /// The same for a service, which speaks with other machines without TLS only where somebody else encrypts.
    #[must_use]
    pub(super) fn of_service(self, is_encrypted_by_others: bool) -> Self {
        Self { plaintext: if is_encrypted_by_others { Plaintext::Always } else { Plaintext::Never }, ..self }
    }

    /// What encrypts the next connection, with the files as they are now; none where no authorities are believed.
    pub(crate) fn tls_connector(&self) -> Option<TlsConnector> {
        self.tls.as_ref().map(|tls| TlsConnector::from(tls.get()))
    }

    /// `authorization` of every call, as the file says it now.
    pub(crate) fn authorization(&self) -> Option<MetadataValue<Ascii>> {
        self.credential.as_ref().map(|credential| MetadataValue::clone(&credential.get()))
    }

    /// Whether what is said must not be read or changed on its way to another machine.
    pub(crate) fn needs_encryption(&self) -> bool {
        match self.plaintext {
            Plaintext::WithoutProof => self.credential.is_some() || self.tls.is_some(),
            Plaintext::Never => true,
            Plaintext::Always => false,
        }
    }
}
