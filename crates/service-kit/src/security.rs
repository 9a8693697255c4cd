//! Who may call a service, what proves it, and what a service shows of itself when it calls another.
//!
//! One document (TOML) says it all; without one nobody is proven, and only this machine may call. A call is proven by a
//! certificate of its connection, a preshared key, or a token of an issuer; a list says which RPCs the caller may call and
//! whether it acts as the platform or for people. What a person may do is not decided here but by the matrix of `domain`.

mod callers;
mod document;
mod identity;
mod key_set;
mod layer;
mod methods;
mod preshared;
mod reloaded;
mod tls;
mod tokens;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rustls::ServerConfig;
use tokio_rustls::TlsAcceptor;

use callers::Callers;
use document::{CallsEntry, Checking, Document};
use reloaded::Reloaded;

pub use identity::{CredentialFiles, Identity};
pub(crate) use layer::{Origin, Proof};
pub(crate) use methods::is_rpc;
pub use preshared::{KeyHash, is_made, new_key};
pub use tls::CertificateFiles;
pub(crate) use tls::names_of;

use crate::{Clock, ServeError};

/// What a service of ours calls of others.
#[derive(Debug, Clone, Copy)]
pub struct ServiceNeeds {
    /// Its name.
    pub service: &'static str,
    /// The RPCs, as `package.Service/Method`.
    pub methods: &'static [&'static str],
    /// Whether it asks in the names of people, whose questions it answers; otherwise only as itself.
    pub speaks_for_people: bool,
}

/// What each service of ours that calls others needs.
pub type Needs = &'static [ServiceNeeds];

/// What may be left out that keeps others out; each has a flag that says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Exposure {
    /// Whoever reaches the address may do everything.
    pub without_authentication: bool,
    /// Whoever is on the way may read and change everything, unless somebody else encrypts it.
    pub without_tls: bool,
}

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocols {
    /// As gRPC is.
    Http2,
    /// As gRPC-Web may be, too.
    Http2AndHttp1,
}

/// Who may call, by what proof; and how services prove themselves to each other.
#[derive(Debug, Clone, Default)]
pub struct Security {
    callers: Option<Arc<Callers>>,
    tls: Option<Arc<Reloaded<ServerConfig>>>,
    calls: BTreeMap<String, Identity>,
    exposure: Exposure,
}

/// Why a document cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecurityError {
    /// It cannot be opened.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// It is no TOML, or has entries that nobody knows.
    #[error("{0}")]
    Unreadable(String),
    /// Entries of it are wrong.
    #[error("not valid:{}", .0.iter().map(|problem| format!("\n  {problem}")).collect::<String>())]
    Invalid(Vec<String>),
}

impl Security {
    /// Nobody is proven: only for this machine, unless it is exposed all the same.
    #[must_use]
    pub fn none(exposure: Exposure) -> Self {
        Self { exposure, ..Self::default() }
    }

    /// What a document says; its files are relative to its own folder.
    ///
    /// # Errors
    /// What is wrong with it, all at once.
    pub fn read(file: &Path, needs: Needs, exposure: Exposure, clock: &Clock) -> Result<Self, SecurityError> {
        let document = Document::parse(&std::fs::read_to_string(file)?)?;
        let folder = file.parent().unwrap_or(Path::new("."));
        let mut checking = Checking { folder, needs, clock, problems: Vec::new() };
        let callers = document.callers(&mut checking);
        let tls = document.tls.as_ref().and_then(|entry| {
            let (own, client_authorities) = entry.files(&checking);
            checking.or_note("tls", tls::server(own, client_authorities))
        });
        let mut calls = BTreeMap::new();
        for (service, entry) in &document.calls {
            calls.extend(Self::calls_of(service, entry, &mut checking));
        }
        if !checking.problems.is_empty() {
            return Err(SecurityError::Invalid(checking.problems));
        }
        Ok(Self { callers: Some(Arc::new(callers)), tls: tls.map(Arc::new), calls, exposure })
    }

    fn calls_of(service: &str, entry: &CallsEntry, checking: &mut Checking<'_>) -> Option<(String, Identity)> {
        let place = format!("calls.{service}");
        checking.or_note(&place, checking.needs_of(service))?;
        let identity = entry.files(checking).and_then(Identity::load);
        checking.or_note(&place, identity).map(|identity| (service.to_owned(), identity))
    }

    /// Whether calls are proven.
    #[must_use]
    pub fn proves_callers(&self) -> bool {
        self.callers.is_some()
    }

    /// Whether connections are encrypted.
    #[must_use]
    pub fn encrypts(&self) -> bool {
        self.tls.is_some()
    }

    /// How this service of ours proves itself to others.
    #[must_use]
    pub fn identity(&self, service: &str) -> Identity {
        self.calls.get(service).cloned().unwrap_or_default().of_service(self.exposure.without_tls)
    }

    /// What there is, a line each, without secrets.
    #[must_use]
    pub fn summary(&self) -> Vec<String> {
        let Some(callers) = &self.callers else {
            let who = if self.exposure.without_authentication { "whoever reaches it" } else { "only this machine" };
            return vec![format!("callers: {who} may call, and nobody has to prove who they are")];
        };
        let encryption = if self.encrypts() { "TLS 1.3 or 1.2" } else { "not encrypted" };
        let mut lines = vec![format!("connections: {encryption}")];
        lines.extend(callers.summary());
        lines
    }

    /// What proves every call of a server.
    pub(crate) fn proof(&self) -> Proof {
        Proof::new(self.callers.clone())
    }

    /// What encrypts the next connection, with the files as they are now; none where connections are plain.
    pub(crate) fn tls_acceptor(&self, protocols: Protocols) -> Option<TlsAcceptor> {
        let tls = self.tls.as_ref()?.get();
        Some(match protocols {
            Protocols::Http2 => TlsAcceptor::from(tls),
            Protocols::Http2AndHttp1 => {
                let mut with_both = ServerConfig::clone(&tls);
                with_both.alpn_protocols.push(b"http/1.1".to_vec());
                TlsAcceptor::from(Arc::new(with_both))
            }
        })
    }

    /// Refuses an address that other machines reach where they may not call.
    ///
    /// # Errors
    /// What is missing.
    pub fn require_suitable(&self, address: SocketAddr) -> Result<(), ServeError> {
        match self.missing_for_others() {
            Some(missing) if !address.ip().is_loopback() => Err(ServeError::NotLoopback { address, missing }),
            _ => Ok(()),
        }
    }

    /// What is missing to be called by other machines; none where they may.
    fn missing_for_others(&self) -> Option<&'static str> {
        let needs_proof = !self.proves_callers() && !self.exposure.without_authentication;
        let needs_tls = !self.encrypts() && !self.exposure.without_tls;
        match (needs_proof, needs_tls) {
            (true, _) => Some("--security FILE, which says who may call"),
            (false, true) => Some("[tls] in the document of --security"),
            (false, false) => None,
        }
    }
}

#[cfg(test)]
mod tests;
