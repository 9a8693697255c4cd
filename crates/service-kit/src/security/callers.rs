//! Who calls: from what a call shows to whoever acts, or the refusal.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use contracts::Failure;
use contracts::wire::error::ErrorReason;
use domain::access::{Actor, EmailAddress};
use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter};
use tonic::codegen::http::HeaderMap;

use super::ServiceNeeds;
use super::methods::Methods;
use super::preshared::{KeyHash, is_key};
use super::tokens::{MAXIMUM_TOKEN_BYTES, Named, Tokens};
use crate::incoming::Peer;

/// More people than this are not remembered with the rate of their calls when they have made none for a while.
const REMEMBERED_PEOPLE: usize = 10_000;

/// Somebody who may call.
#[derive(Debug)]
pub(super) struct Caller {
    /// What it is called in logs and refusals.
    pub name: String,
    pub methods: Methods,
    /// Whether it may act as the platform.
    pub is_platform: bool,
    /// Whether it may say for which person it calls.
    pub speaks_for_people: bool,
    pub rate: Option<DefaultDirectRateLimiter>,
}

/// People who call by themselves.
#[derive(Debug)]
pub(super) struct People {
    pub methods: Methods,
    pub rate: DefaultKeyedRateLimiter<EmailAddress>,
    pub calls_at_once: usize,
    pub under_way: Arc<Mutex<HashMap<EmailAddress, usize>>>,
}

impl People {
    /// A place for one more call of a person, until it is dropped: nobody takes the places of all others.
    fn enter(&self, person: &EmailAddress) -> Result<Place, Failure> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let count = under_way.entry(person.clone()).or_default();
        if *count >= self.calls_at_once {
            let message = format!("at most {} calls of a person are answered at once; try again", self.calls_at_once);
            return Err(Failure::new(ErrorReason::RateLimited, message));
        }
        *count += 1;
        Ok(Place { person: person.clone(), under_way: Arc::clone(&self.under_way) })
    }
}

/// The place of a call that is under way.
#[derive(Debug)]
pub(super) struct Place {
    person: EmailAddress,
    under_way: Arc<Mutex<HashMap<EmailAddress, usize>>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = under_way.get_mut(&self.person) {
            *count -= 1;
            if *count == 0 {
                under_way.remove(&self.person);
            }
        }
    }
}

/// Everybody who may call, and what proves it.
#[derive(Debug, Default)]
pub(super) struct Callers {
    /// Of the configuration; proofs name them by their places.
    pub callers: Vec<Caller>,
    pub certificates: HashMap<String, usize>,
    pub keys: Vec<(KeyHash, usize)>,
    pub subjects: HashMap<String, usize>,
    /// Services of this process, which need no proof.
    pub in_process: BTreeMap<&'static str, Caller>,
    pub people: Option<People>,
    pub tokens: Option<Tokens>,
}

/// Who makes a call, and in whose name.
#[derive(Debug)]
pub(super) struct Proven {
    /// The caller's name; of a person who calls by themselves `a person`, never the address.
    pub caller: String,
    pub actor: Actor,
    /// To be kept until the call has ended.
    pub place: Option<Place>,
}

/// What a call is proven by.
enum Proof<'callers> {
    Caller(&'callers Caller),
    Person(&'callers People, EmailAddress),
}

impl Callers {
    /// Who calls this RPC, if they may.
    ///
    /// # Errors
    /// `CALLER_UNPROVEN`, `KEYS_UNAVAILABLE`, `CALLER_NOT_ALLOWED`, `ACTOR_NOT_ALLOWED`, `RATE_LIMITED`.
    pub async fn prove(&self, path: &str, headers: &HeaderMap, peer: Option<&Peer>) -> Result<Proven, Failure> {
        match self.proof_within_rate(headers, peer).await? {
            Proof::Caller(caller) => {
                require_method(&caller.methods, &caller.name, path)?;
                let actor = caller.actor(stated_actor(headers)?)?;
                Ok(Proven { caller: caller.name.clone(), actor, place: None })
            }
            Proof::Person(people, person) => {
                require_method(&people.methods, "a person's token", path)?;
                let stated = stated_actor(headers)?;
                if stated.is_some_and(|stated| stated != Actor::Person(person.clone())) {
                    return Err(not_allowed(
                        "whoever calls with a token of their own acts for themselves: leave out x-actor",
                    ));
                }
                let place = Some(people.enter(&person)?);
                Ok(Proven { caller: "a person".to_owned(), actor: Actor::Person(person), place })
            }
        }
    }

    /// Whether somebody calls at all who is known, whatever for.
    pub async fn prove_any(&self, headers: &HeaderMap, peer: Option<&Peer>) -> Result<(), Failure> {
        self.proof_within_rate(headers, peer).await.map(|_| ())
    }

    /// What proves a call, one of as many a second as its caller may make, whatever becomes of it.
    async fn proof_within_rate(&self, headers: &HeaderMap, peer: Option<&Peer>) -> Result<Proof<'_>, Failure> {
        let proof = self.proof(headers, peer).await?;
        let is_within = match &proof {
            Proof::Caller(caller) => caller.rate.as_ref().is_none_or(|rate| rate.check().is_ok()),
            Proof::Person(people, person) => {
                if people.rate.len() > REMEMBERED_PEOPLE {
                    people.rate.retain_recent();
                }
                people.rate.check_key(person).is_ok()
            }
        };
        let message = "more calls a second than this caller may make; slow down, and try again";
        if is_within { Ok(proof) } else { Err(Failure::new(ErrorReason::RateLimited, message)) }
    }

    /// Who may call, a line each, without secrets.
    pub fn summary(&self) -> Vec<String> {
        let proofs = |place: usize| {
            let count = |named: &HashMap<String, usize>| named.values().filter(|of| **of == place).count();
            let keys = self.keys.iter().filter(|(_, of)| *of == place).count();
            let counted =
                [(count(&self.certificates), "certificate"), (keys, "key"), (count(&self.subjects), "subject")];
            let listed = counted.iter().filter(|(count, _)| *count > 0);
            listed
                .map(|(count, what)| format!("{count} {what}{}", if *count > 1 { "s" } else { "" }))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let of_caller = |(place, caller): (usize, &Caller)| {
            format!("{}: {} RPCs, proven by {}", caller.name, caller.methods.len(), proofs(place))
        };
        let of_people = |people: &People| format!("people with tokens of their own: {} RPCs", people.methods.len());
        let of_tokens = |tokens: &Tokens| format!("tokens of {} for {}", tokens.issuer, tokens.audience);
        let callers = self.callers.iter().enumerate().map(of_caller);
        callers.chain(self.people.as_ref().map(of_people)).chain(self.tokens.as_ref().map(of_tokens)).collect()
    }

    /// A credential decides where there is one, the certificate of the connection otherwise.
    async fn proof(&self, headers: &HeaderMap, peer: Option<&Peer>) -> Result<Proof<'_>, Failure> {
        if let Some(service) = peer.and_then(|peer| peer.service) {
            let caller = self.in_process.get(service);
            return caller.map(Proof::Caller).ok_or_else(|| unproven("this service calls nobody"));
        }
        if let Some(credential) = bearer(headers)? {
            return self.of_credential(credential).await;
        }
        let names = peer.map(|peer| &*peer.certificate_names).unwrap_or_default();
        let Some(first) = names.first() else {
            return Err(unproven(
                "nothing says who calls: `authorization: Bearer` with a token or a key, or a client certificate, is expected",
            ));
        };
        let place = names.iter().find_map(|name| self.certificates.get(name));
        let caller = place.and_then(|place| self.callers.get(*place));
        caller.map(Proof::Caller).ok_or_else(|| unproven(&format!("no caller has a certificate of the name {first}")))
    }

    async fn of_credential(&self, credential: &str) -> Result<Proof<'_>, Failure> {
        if is_key(credential) {
            let hash = KeyHash::of(credential);
            // All of them, so that the time tells nothing of which it is.
            let found =
                self.keys.iter().fold(None, |found, (known, place)| if known.is(&hash) { Some(*place) } else { found });
            let caller = found.and_then(|place| self.callers.get(place));
            return caller.map(Proof::Caller).ok_or_else(|| unproven("the key is no caller's"));
        }
        let tokens =
            self.tokens.as_ref().ok_or_else(|| unproven("no tokens are taken here, and no key begins like this"))?;
        match (tokens.verify(credential).await?, &self.people) {
            (Named::Person(person), Some(people)) => Ok(Proof::Person(people, person)),
            (Named::Person(_), None) => Err(unproven("people do not call by themselves here")),
            (Named::Subject(subject), _) => {
                let caller = self.subjects.get(&subject).and_then(|place| self.callers.get(*place));
                caller.map(Proof::Caller).ok_or_else(|| {
                    unproven("the token's subject is no caller, and it has no e-mail address (email, email_verified) of a person")
                })
            }
        }
    }
}

impl Caller {
    /// A service of ours: it acts as itself, and for the people whose questions it answers.
    pub fn service(name: &str, needs: &ServiceNeeds) -> Self {
        Self {
            name: name.to_owned(),
            // A test holds them against the contracts.
            methods: Methods::parse(needs.methods).unwrap_or_default(),
            is_platform: true,
            speaks_for_people: needs.speaks_for_people,
            rate: None,
        }
    }

    fn actor(&self, stated: Option<Actor>) -> Result<Actor, Failure> {
        match stated {
            Some(Actor::Person(person)) if self.speaks_for_people => Ok(Actor::Person(person)),
            Some(Actor::Person(_)) => {
                Err(not_allowed(&format!("{} does not act for people: leave out x-actor", self.name)))
            }
            Some(Actor::Platform) | None if self.is_platform => Ok(Actor::Platform),
            Some(Actor::Platform) => Err(not_allowed(&format!("{} does not act as the platform", self.name))),
            None => Err(not_allowed("for whom? x-actor: a person's address is expected")),
        }
    }
}

/// Who the call says to be made for.
pub(super) fn stated_actor(headers: &HeaderMap) -> Result<Option<Actor>, Failure> {
    let mut values = headers.get_all(crate::caller::ACTOR).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(not_allowed("x-actor is given more than once"));
    }
    crate::caller::parse_actor(value.to_str().unwrap_or_default()).map(Some)
}

/// The credential of `authorization: Bearer CREDENTIAL`.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Failure> {
    let mut values = headers.get_all("authorization").iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let scheme_and_rest = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let credential = scheme_and_rest.map(|(_, rest)| rest.trim()).filter(|rest| !rest.is_empty());
    match credential {
        Some(credential) if values.next().is_none() && credential.len() <= MAXIMUM_TOKEN_BYTES => Ok(Some(credential)),
        _ => Err(unproven(&format!(
            "one `authorization: Bearer CREDENTIAL` of at most {MAXIMUM_TOKEN_BYTES} bytes is expected"
        ))),
    }
}

fn require_method(methods: &Methods, caller: &str, path: &str) -> Result<(), Failure> {
    if methods.contain(path) {
        return Ok(());
    }
    let message = format!("{caller} may not call {}", path.trim_start_matches('/'));
    Err(Failure::new(ErrorReason::CallerNotAllowed, message))
}

fn unproven(problem: &str) -> Failure {
    Failure::new(ErrorReason::CallerUnproven, problem)
}

fn not_allowed(problem: &str) -> Failure {
    Failure::new(ErrorReason::ActorNotAllowed, problem)
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use governor::{Quota, RateLimiter};

    use super::*;

    #[test]
    fn a_person_has_so_many_calls_under_way_and_takes_no_place_of_another() {
        let people = People {
            methods: Methods::default(),
            rate: RateLimiter::keyed(Quota::per_second(NonZeroU32::MIN)),
            calls_at_once: 2,
            under_way: Arc::default(),
        };
        let [anna, carla] =
            ["anna@agency.example", "carla@agency.example"].map(|text| text.parse().expect("an address"));
        let mut places: Vec<Place> = (0..2).map(|_| people.enter(&anna).expect("a place")).collect();
        assert_eq!(people.enter(&anna).expect_err("too many").reason(), ErrorReason::RateLimited);
        people.enter(&carla).expect("a place of her own");
        places.pop();
        places.push(people.enter(&anna).expect("the place that is free again"));
        drop(places);
        assert!(people.under_way.lock().expect("no panic").is_empty(), "nobody is remembered who does nothing");
    }
}
