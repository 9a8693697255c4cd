//! The public keys of an issuer of tokens (JWKS, RFC 7517), of a file or a URL, as they are now.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::reloaded::{Reloaded, read};

/// How old fetched keys may be before they are fetched again.
const MAXIMUM_AGE: Duration = Duration::from_secs(5 * 60);

/// How long to wait before keys are fetched again, whoever asks for one that is not known.
const SHORTEST_PAUSE: Duration = Duration::from_secs(10);

/// How long fetching may take, and how many bytes keys may have.
const FETCH_LIMIT: Duration = Duration::from_secs(5);
const MAXIMUM_BYTES: usize = 1_024 * 1_024;

/// One key of an issuer.
#[derive(Debug)]
struct Key {
    id: Option<String>,
    /// The only algorithm that it is for, if it says so.
    algorithm: Option<Algorithm>,
    key: DecodingKey,
}

/// The keys of an issuer at a time.
#[derive(Debug, Default)]
pub(super) struct KeySet(Vec<Key>);

impl KeySet {
    /// The keys that signatures may be checked with: public ones only, for signatures. A secret among them means that the
    /// document is not for publication, and is refused.
    pub fn parse(document: &[u8]) -> Result<Self, String> {
        let set: JwkSet =
            serde_json::from_slice(document).map_err(|error| format!("not a JSON Web Key Set: {error}"))?;
        if set.keys.iter().any(|key| matches!(key.algorithm, AlgorithmParameters::OctetKey(_))) {
            return Err("a secret key (kty oct) among public keys: whoever can read it could sign".to_owned());
        }
        let keys: Vec<Key> = set.keys.iter().filter_map(usable).collect();
        if keys.is_empty() {
            return Err("no key for signatures in it: RSA, EC or OKP".to_owned());
        }
        Ok(Self(keys))
    }

    /// The key that a token says it was signed with; without an id, the only one.
    pub fn find(&self, id: Option<&str>, algorithm: Algorithm) -> Option<&DecodingKey> {
        let mut fitting = self.0.iter().filter(|key| {
            let is_named = id.is_none() || key.id.as_deref() == id;
            is_named
                && key.algorithm.is_none_or(|of_key| of_key == algorithm)
                && key.key.family().algorithms().contains(&algorithm)
        });
        let found = fitting.next();
        found.filter(|_| fitting.next().is_none()).map(|key| &key.key)
    }
}

fn usable(jwk: &Jwk) -> Option<Key> {
    if jwk.common.public_key_use.as_ref().is_some_and(|of_key| *of_key != PublicKeyUse::Signature) {
        return None;
    }
    let algorithm = match jwk.common.key_algorithm {
        None => None,
        Some(named) => Some(Algorithm::try_from(named).ok()?),
    };
    Some(Key { id: jwk.common.key_id.clone(), algorithm, key: DecodingKey::from_jwk(jwk).ok()? })
}

/// Where the keys of an issuer are.
#[derive(Debug)]
pub(super) enum KeySource {
    /// In a file, which may be replaced.
    File(Reloaded<KeySet>),
    /// At a URL, from where they are fetched when they are needed.
    Url(Box<FetchedKeys>),
}

impl KeySource {
    /// Keys of a file, which must be there.
    pub fn of_file(file: PathBuf) -> Result<Self, String> {
        let path = file.clone();
        let load = move || KeySet::parse(&read(&path)?).map_err(|problem| in_file(&path, &problem));
        Ok(Self::File(Reloaded::new(vec![file], load)?))
    }

    /// Keys of a URL, which need not answer yet: services start in any order.
    pub fn of_url(url: reqwest::Url, authorities: Option<&Path>) -> Result<Self, String> {
        Ok(Self::Url(Box::new(FetchedKeys::new(url, authorities)?)))
    }

    /// The keys, which have this one if the issuer has it; none while they cannot be had.
    pub async fn having(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<KeySet>> {
        match self {
            Self::File(keys) => Some(keys.get()),
            Self::Url(keys) => keys.having(id, algorithm).await,
        }
    }
}

fn in_file(file: &Path, problem: &str) -> String {
    format!("{}: {problem}", file.display())
}

/// Keys of a URL, and when they were fetched, or could not be.
#[derive(Debug)]
pub(super) struct FetchedKeys {
    url: reqwest::Url,
    client: reqwest::Client,
    shortest_pause: Duration,
    fetched: Mutex<Fetched>,
}

#[derive(Debug, Default)]
struct Fetched {
    keys: Option<Arc<KeySet>>,
    fetch_time: Option<Instant>,
    attempt_time: Option<Instant>,
}

impl FetchedKeys {
    fn new(url: reqwest::Url, authorities: Option<&Path>) -> Result<Self, String> {
        // The client takes the process' provider of cryptography; whoever was first has chosen the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder().timeout(FETCH_LIMIT).redirect(reqwest::redirect::Policy::none());
        let builder = match authorities {
            None => builder,
            Some(file) => {
                let certificates = reqwest::Certificate::from_pem_bundle(&read(file)?);
                builder.tls_certs_only(certificates.map_err(|error| in_file(file, &error.to_string()))?)
            }
        };
        let client = builder.build().map_err(|error| error.to_string())?;
        Ok(Self { url, client, shortest_pause: SHORTEST_PAUSE, fetched: Mutex::default() })
    }

    /// The keys, fetched anew where they are old or lack the one that is asked for; at most every 10 seconds. Keys that
    /// cannot be fetched again stay in use.
    async fn having(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<KeySet>> {
        let mut fetched = self.fetched.lock().await;
        let now = Instant::now();
        let is_known = fetched.keys.as_ref().is_some_and(|keys| keys.find(id, algorithm).is_some());
        let is_fresh = fetched.fetch_time.is_some_and(|time| now - time < MAXIMUM_AGE);
        let may_fetch = fetched.attempt_time.is_none_or(|time| now - time >= self.shortest_pause);
        if !(is_known && is_fresh) && may_fetch {
            fetched.attempt_time = Some(now);
            match self.fetch().await {
                Ok(keys) => {
                    fetched.keys = Some(Arc::new(keys));
                    fetched.fetch_time = Some(now);
                }
                Err(problem) => tracing::error!(url = %self.url, problem, "the keys of the issuer cannot be fetched"),
            }
        }
        fetched.keys.clone()
    }

    async fn fetch(&self) -> Result<KeySet, String> {
        let answer = self.client.get(self.url.clone()).send().await.and_then(reqwest::Response::error_for_status);
        let mut answer = answer.map_err(|error| error.to_string())?;
        let mut document = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| error.to_string())? {
            document.extend_from_slice(&chunk);
            if document.len() > MAXIMUM_BYTES {
                return Err(format!("more than {MAXIMUM_BYTES} bytes"));
            }
        }
        KeySet::parse(&document)
    }
}

#[cfg(test)]
mod tests;
