//! The public keys of an issuer of tokens (JWKS, RFC 7517), of a file or a URL, as they are now.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use tokio::sync::watch;
use tokio::time::Instant;

use super::reloaded::{Reloaded, read};

/// How old fetched keys may be before they are fetched again, and before they are not believed any more.
const REFRESH_AGE: Duration = Duration::from_secs(5 * 60);
const MAXIMUM_AGE: Duration = Duration::from_secs(24 * 60 * 60);

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
        // None at all is how an issuer takes back all of them.
        if keys.is_empty() && !set.keys.is_empty() {
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
    Url(FetchedKeys),
}

impl KeySource {
    /// Keys of a file, which must be there.
    pub fn of_file(file: PathBuf) -> Result<Self, String> {
        let path = file.clone();
        let load = move || KeySet::parse(&read(&path)?).map_err(|problem| in_file(&path, &problem));
        let keys = Reloaded::new(vec![file.clone()], load)?;
        if keys.get().0.is_empty() {
            return Err(in_file(&file, "no key in it"));
        }
        Ok(Self::File(keys))
    }

    /// Keys of a URL, which need not answer yet: services start in any order.
    pub fn of_url(url: reqwest::Url, authorities: Option<&Path>) -> Result<Self, String> {
        Ok(Self::Url(FetchedKeys::new(url, authorities, SHORTEST_PAUSE)?))
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

/// What went wrong, and why: the HTTP client alone says only where.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

/// Keys of a URL. They are fetched beside the calls that need them: no caller that goes away takes the fetching with it,
/// and none waits whose key is known.
#[derive(Debug, Clone)]
pub(super) struct FetchedKeys(Arc<Fetching>);

#[derive(Debug)]
struct Fetching {
    url: reqwest::Url,
    client: reqwest::Client,
    shortest_pause: Duration,
    fetched: Mutex<Fetched>,
    /// Tells whoever waits that fetching has ended, one way or the other.
    ended: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Fetched {
    keys: Option<Arc<KeySet>>,
    fetch_time: Option<Instant>,
    attempt_time: Option<Instant>,
    is_under_way: bool,
}

impl FetchedKeys {
    fn new(url: reqwest::Url, authorities: Option<&Path>, shortest_pause: Duration) -> Result<Self, String> {
        // The client takes the process' provider of cryptography; whoever was first has chosen the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = reqwest::Client::builder().timeout(FETCH_LIMIT).redirect(reqwest::redirect::Policy::none());
        // Without TLS a proxy could answer in the place of this machine.
        let builder = if url.scheme() == "http" { builder.no_proxy() } else { builder };
        let builder = match authorities {
            None => builder,
            Some(file) => {
                let certificates = reqwest::Certificate::from_pem_bundle(&read(file)?);
                builder.tls_certs_only(certificates.map_err(|error| in_file(file, &error.to_string()))?)
            }
        };
        let client = builder.build().map_err(|error| with_causes(&error))?;
        let (fetched, ended) = (Mutex::default(), watch::Sender::default());
        Ok(Self(Arc::new(Fetching { url, client, shortest_pause, fetched, ended })))
    }

    /// The keys, fetched anew where they are old or lack the one that is asked for; at most every 10 seconds. Keys that
    /// cannot be fetched again stay in use for a day.
    async fn having(&self, id: Option<&str>, algorithm: Algorithm) -> Option<Arc<KeySet>> {
        let mut ended = self.0.ended.subscribe();
        let (keys, waits) = self.present(id, algorithm);
        if !waits {
            return keys;
        }
        // It ends within its limit, and its sender lives as long as these keys.
        let _ = ended.changed().await;
        self.lock().usable(Instant::now())
    }

    /// The keys as they are, and whether it helps to wait for others; these are fetched from now on, where they may be.
    fn present(&self, id: Option<&str>, algorithm: Algorithm) -> (Option<Arc<KeySet>>, bool) {
        let now = Instant::now();
        let mut fetched = self.lock();
        let keys = fetched.usable(now);
        let is_known = keys.as_ref().is_some_and(|keys| keys.find(id, algorithm).is_some());
        let is_fresh = fetched.fetch_time.is_some_and(|time| now - time < REFRESH_AGE);
        let may_fetch = fetched.attempt_time.is_none_or(|time| now - time >= self.0.shortest_pause);
        if !(is_known && is_fresh) && may_fetch && !fetched.is_under_way {
            (fetched.attempt_time, fetched.is_under_way) = (Some(now), true);
            tokio::spawn(Self::fetch_anew(Arc::clone(&self.0)));
        }
        (keys, !is_known && fetched.is_under_way)
    }

    async fn fetch_anew(fetching: Arc<Fetching>) {
        let keys = fetching.fetch().await;
        {
            let mut fetched = fetching.fetched.lock().unwrap_or_else(PoisonError::into_inner);
            fetched.is_under_way = false;
            match keys {
                Ok(keys) => {
                    fetched.keys = Some(Arc::new(keys));
                    fetched.fetch_time = Some(Instant::now());
                }
                Err(problem) => {
                    tracing::error!(url = %fetching.url, problem, "the keys of the issuer cannot be fetched")
                }
            }
        }
        fetching.ended.send_modify(|count| *count += 1);
    }

    fn lock(&self) -> MutexGuard<'_, Fetched> {
        self.0.fetched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fetched {
    /// The keys, unless they are too old to be believed: whoever keeps us from the issuer must not keep a key alive.
    fn usable(&self, now: Instant) -> Option<Arc<KeySet>> {
        self.keys.clone().filter(|_| self.fetch_time.is_some_and(|time| now - time < MAXIMUM_AGE))
    }
}

impl Fetching {
    async fn fetch(&self) -> Result<KeySet, String> {
        let answer = self.client.get(self.url.clone()).send().await.and_then(reqwest::Response::error_for_status);
        let mut answer = answer.map_err(|error| with_causes(&error))?;
        let mut document = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| with_causes(&error))? {
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
