//! The document that says who may call: what it may contain, and what is wrong with one, entry by entry.

use std::collections::{BTreeMap, HashMap};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use governor::{Quota, RateLimiter};
use jsonwebtoken::{Algorithm, AlgorithmFamily};
use serde::Deserialize;

use super::callers::{Caller, Callers, People};
use super::key_set::KeySource;
use super::methods::Methods;
use super::preshared::KeyHash;
use super::tls::CertificateFiles;
use super::tokens::Tokens;
use super::{Needs, SecurityError, ServiceNeeds};
use crate::Clock;

/// How many calls a second a person may make where the document does not say it.
const PERSONAL_CALLS_PER_SECOND: NonZeroU32 = NonZeroU32::new(50).unwrap();

/// How many calls of a person may be under way at once where the document does not say it.
const PERSONAL_CALLS_AT_ONCE: usize = 16;

/// The document as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub tls: Option<TlsEntry>,
    tokens: Option<TokensEntry>,
    people: Option<PeopleEntry>,
    #[serde(default)]
    callers: Vec<CallerEntry>,
    #[serde(default)]
    pub calls: BTreeMap<String, CallsEntry>,
}

/// What this process' servers show, and whose certificates they believe.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsEntry {
    certificate: PathBuf,
    key: PathBuf,
    client_authorities: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct TokensEntry {
    issuer: String,
    audience: String,
    keys: String,
    key_authorities: Option<PathBuf>,
    algorithms: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PeopleEntry {
    methods: Vec<String>,
    calls_per_second: Option<NonZeroU32>,
    calls_at_once: Option<NonZeroUsize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallerEntry {
    name: String,
    /// A service of ours, in place of `acts_as` and `methods`.
    service: Option<String>,
    #[serde(default)]
    acts_as: Vec<Acting>,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default)]
    certificates: Vec<String>,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    subjects: Vec<String>,
    calls_per_second: Option<NonZeroU32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Acting {
    Platform,
    People,
}

/// How a service of this process proves itself to those that it calls.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CallsEntry {
    authorities: Option<PathBuf>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    credential: Option<PathBuf>,
}

/// Where files are that the document names, and what it is checked with.
pub(super) struct Checking<'read> {
    pub folder: &'read Path,
    pub needs: Needs,
    pub clock: &'read Clock,
    pub problems: Vec<String>,
}

impl Checking<'_> {
    /// A file of the document: relative to where the document is.
    pub fn file(&self, file: &Path) -> PathBuf {
        self.folder.join(file)
    }

    /// What a service of ours needs.
    pub fn needs_of(&self, service: &str) -> Result<&'static ServiceNeeds, String> {
        let known: Vec<&str> = self.needs.iter().map(|needs| needs.service).collect();
        let found = self.needs.iter().find(|needs| needs.service == service);
        found.ok_or_else(|| format!("no service that calls others is called {service:?}, but {}", known.join(" and ")))
    }

    /// Notes what is wrong with an entry.
    pub fn or_note<T>(&mut self, entry: &str, result: Result<T, String>) -> Option<T> {
        result.map_err(|problem| self.problems.push(format!("{entry}: {problem}"))).ok()
    }

    fn methods(&mut self, entry: &str, list: &[String]) -> Methods {
        Methods::parse(list).unwrap_or_else(|problems| {
            self.problems.extend(problems.into_iter().map(|problem| format!("{entry}.{problem}")));
            Methods::default()
        })
    }
}

impl Document {
    pub fn parse(text: &str) -> Result<Self, SecurityError> {
        toml::from_str(text).map_err(|error| SecurityError::Unreadable(error.to_string()))
    }

    /// Who may call.
    pub fn callers(&self, checking: &mut Checking<'_>) -> Callers {
        let mut callers = Callers::default();
        for (index, entry) in self.callers.iter().enumerate() {
            entry.add(&format!("callers[{index}]"), self, checking, &mut callers);
        }
        callers.people = self.people.as_ref().map(|people| People {
            methods: checking.methods("people", &people.methods),
            rate: RateLimiter::keyed(Quota::per_second(people.calls_per_second.unwrap_or(PERSONAL_CALLS_PER_SECOND))),
            calls_at_once: people.calls_at_once.map_or(PERSONAL_CALLS_AT_ONCE, NonZeroUsize::get),
            under_way: Arc::default(),
        });
        if self.people.is_some() && self.tokens.is_none() {
            checking.problems.push("people: need [tokens], which prove who they are".to_owned());
        }
        if self.callers.is_empty() && self.people.is_none() {
            checking.problems.push("callers: one at least, or [people]; otherwise nobody could call".to_owned());
        }
        callers.tokens = self.tokens.as_ref().and_then(|tokens| tokens.checked(checking));
        let of_process = checking.needs.iter().map(|needs| (needs.service, Caller::service(needs.service, needs)));
        callers.in_process.extend(of_process);
        callers
    }
}

impl CallerEntry {
    fn add(&self, entry: &str, document: &Document, checking: &mut Checking<'_>, callers: &mut Callers) {
        let place = callers.callers.len();
        let caller = self.caller(entry, checking);
        if self.name.trim().is_empty() || callers.callers.iter().any(|other| other.name == self.name) {
            checking.problems.push(format!("{entry}.name: a name that no other caller has is expected"));
        }
        callers.callers.push(caller);
        if self.certificates.is_empty() && self.keys.is_empty() && self.subjects.is_empty() {
            checking.problems.push(format!("{entry}: nothing proves it: certificates, keys or subjects are expected"));
        }
        let verifies_certificates = document.tls.as_ref().is_some_and(|tls| tls.client_authorities.is_some());
        if !self.certificates.is_empty() && !verifies_certificates {
            checking.problems.push(format!("{entry}.certificates: need tls.client_authorities, which sign them"));
        }
        if !self.subjects.is_empty() && document.tokens.is_none() {
            checking.problems.push(format!("{entry}.subjects: need [tokens]"));
        }
        note_proofs(&format!("{entry}.certificates"), &self.certificates, place, &mut callers.certificates, checking);
        note_proofs(&format!("{entry}.subjects"), &self.subjects, place, &mut callers.subjects, checking);
        for (index, key) in self.keys.iter().enumerate() {
            let Some(hash) = checking.or_note(&format!("{entry}.keys[{index}]"), key.parse::<KeyHash>()) else {
                continue;
            };
            if callers.keys.iter().any(|(known, _)| known.is(&hash)) {
                checking.problems.push(format!("{entry}.keys[{index}]: is there already"));
            }
            callers.keys.push((hash, place));
        }
    }

    fn caller(&self, entry: &str, checking: &mut Checking<'_>) -> Caller {
        let rate = self.calls_per_second.map(|rate| RateLimiter::direct(Quota::per_second(rate)));
        let Some(service) = &self.service else {
            if self.acts_as.is_empty() {
                checking.problems.push(format!("{entry}.acts_as: `platform`, `people` or both are expected"));
            }
            if self.methods.is_empty() {
                checking.problems.push(format!("{entry}.methods: the RPCs that it may call are expected"));
            }
            return Caller {
                name: self.name.clone(),
                methods: checking.methods(entry, &self.methods),
                is_platform: self.acts_as.contains(&Acting::Platform),
                speaks_for_people: self.acts_as.contains(&Acting::People),
                rate,
            };
        };
        if !self.acts_as.is_empty() || !self.methods.is_empty() {
            checking.problems.push(format!("{entry}: a service may call what it needs: leave out acts_as and methods"));
        }
        let needs = checking.or_note(&format!("{entry}.service"), checking.needs_of(service));
        // Where there are none, the document is refused.
        let nothing = ServiceNeeds { service: "", methods: &[], speaks_for_people: false };
        Caller { rate, ..Caller::service(&self.name, needs.unwrap_or(&nothing)) }
    }
}

fn note_proofs(
    entry: &str,
    names: &[String],
    place: usize,
    known: &mut HashMap<String, usize>,
    checking: &mut Checking<'_>,
) {
    for (index, name) in names.iter().enumerate() {
        if name.is_empty() || known.insert(name.clone(), place).is_some() {
            checking.problems.push(format!("{entry}[{index}]: a name that proves nobody else is expected"));
        }
    }
}

impl TokensEntry {
    fn checked(&self, checking: &mut Checking<'_>) -> Option<Tokens> {
        for (field, value) in [("issuer", &self.issuer), ("audience", &self.audience)] {
            if value.trim().is_empty() {
                checking.problems.push(format!("tokens.{field}: is expected, so that no other's tokens are taken"));
            }
        }
        if self.algorithms.is_empty() {
            checking.problems.push("tokens.algorithms: one at least, for example \"RS256\"".to_owned());
        }
        let mut algorithms = Vec::new();
        for (index, name) in self.algorithms.iter().enumerate() {
            algorithms.extend(checking.or_note(&format!("tokens.algorithms[{index}]"), algorithm(name)));
        }
        let keys = self.key_source(checking);
        let keys = checking.or_note("tokens.keys", keys)?;
        let (issuer, audience, clock) = (self.issuer.clone(), self.audience.clone(), checking.clock.clone());
        Some(Tokens { keys, issuer, audience, algorithms, clock })
    }

    fn key_source(&self, checking: &Checking<'_>) -> Result<KeySource, String> {
        let Some((scheme, _)) = self.keys.split_once("://") else {
            return KeySource::of_file(checking.file(Path::new(&self.keys)));
        };
        let url: reqwest::Url = self.keys.parse().map_err(|error| format!("{}: is no URL: {error}", self.keys))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URL without a user and a password is expected: keys are public".to_owned());
        }
        let is_here = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
        if scheme != "https" && !(scheme == "http" && is_here) {
            return Err(format!(
                "{}: https is expected, or http on this machine: whoever changes the keys can call",
                self.keys
            ));
        }
        let authorities = self.key_authorities.as_deref().map(|file| checking.file(file));
        KeySource::of_url(url, authorities.as_deref())
    }
}

/// An algorithm of signatures by public keys: with a secret, whoever can check a token could make one.
fn algorithm(name: &str) -> Result<Algorithm, String> {
    let public = [AlgorithmFamily::Rsa, AlgorithmFamily::Ec, AlgorithmFamily::Ed];
    let mut allowed = public.iter().flat_map(|family| family.algorithms().iter().copied());
    let found = name.parse().ok().and_then(|algorithm: Algorithm| allowed.clone().find(|other| *other == algorithm));
    found.ok_or_else(|| {
        let names: Vec<String> = allowed.by_ref().map(|algorithm| format!("{algorithm:?}")).collect();
        format!("{name:?} is none of {}", names.join(", "))
    })
}

impl TlsEntry {
    /// The files, with their places.
    pub fn files(&self, checking: &Checking<'_>) -> (CertificateFiles, Option<PathBuf>) {
        let own = CertificateFiles { certificate: checking.file(&self.certificate), key: checking.file(&self.key) };
        (own, self.client_authorities.as_deref().map(|file| checking.file(file)))
    }
}

impl CallsEntry {
    /// The files, with their places.
    pub fn files(&self, checking: &Checking<'_>) -> Result<super::CredentialFiles, String> {
        let place = |file: &Option<PathBuf>| file.as_deref().map(|file| checking.file(file));
        super::CredentialFiles::new(
            place(&self.authorities),
            place(&self.certificate),
            place(&self.key),
            place(&self.credential),
        )
    }
}
