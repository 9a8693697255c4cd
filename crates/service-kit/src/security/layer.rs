//! Every call is proven before anything is done with it; behind this, `x-actor` is whoever was proven.

use std::future::Future;
use std::sync::Arc;

use contracts::Failure;
use domain::access::Actor;
use sha2::{Digest as _, Sha256};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, HeaderValue, Request, Response};

use super::callers::{Callers, Place, Proven};
use crate::caller::{ACTOR, actor_text};
use crate::incoming::Peer;
use crate::server::{Inner, Step, holding_to_its_end};

/// Probes ask for health, and have no identity.
const HEALTH_PREFIX: &str = "/grpc.health.";

/// The contracts are told to everybody who may call anything.
const REFLECTION_PREFIX: &str = "/grpc.reflection.";

/// Headers that go along with the calls that a call makes: which one it is, for logs and traces.
const TRAVELLING: [&str; 3] = ["x-request-id", "traceparent", "tracestate"];

tokio::task_local! {
    static ORIGIN: Origin;
}

/// What a call was made by, for the calls that it makes in turn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin(HeaderMap);

impl Origin {
    fn of(headers: &HeaderMap) -> Self {
        let travelling = TRAVELLING.into_iter().filter_map(|name| Some((name, headers.get(name)?.clone())));
        let mut origin = HeaderMap::new();
        travelling.for_each(|(name, value)| drop(origin.insert(name, value)));
        Self(origin)
    }

    /// Work that goes on beside the answer, for the same call.
    pub fn keep<F: Future>(work: F) -> impl Future<Output = F::Output> {
        ORIGIN.scope(ORIGIN.try_with(Self::clone).unwrap_or_default(), work)
    }

    /// The headers of the call that is being answered; none where none is.
    pub fn current() -> HeaderMap {
        ORIGIN.try_with(|origin| origin.0.clone()).unwrap_or_default()
    }
}

/// Proves calls; without callers it lets everybody in as whom they say to be.
#[derive(Debug, Clone)]
pub(crate) struct Proof {
    callers: Option<Arc<Callers>>,
}

impl Proof {
    pub(super) fn new(callers: Option<Arc<Callers>>) -> Self {
        Self { callers }
    }

    /// Puts whoever calls in the place of what the call says; the credential goes no further.
    async fn prove(&self, request: &mut Request<Body>) -> Result<Option<Place>, Failure> {
        let path = request.uri().path().to_owned();
        let proven = match &self.callers {
            _ if path.starts_with(HEALTH_PREFIX) => Ok(None),
            None => Ok(None),
            Some(callers) if path.starts_with(REFLECTION_PREFIX) => {
                callers.prove_any(request.headers(), request.extensions().get::<Peer>()).await.map(|()| None)
            }
            Some(callers) => {
                callers.prove(&path, request.headers(), request.extensions().get::<Peer>()).await.map(Some)
            }
        };
        request.headers_mut().remove("authorization");
        let Some(proven) = proven? else { return Ok(None) };
        let actor = HeaderValue::try_from(actor_text(&proven.actor)?).map_err(|_| Failure::internal())?;
        request.headers_mut().insert(ACTOR, actor);
        note(&proven);
        Ok(proven.place)
    }
}

/// Who calls goes into the log; of a person a number by which their calls are found, not the address.
fn note(proven: &Proven) {
    let span = tracing::Span::current();
    span.record("caller", proven.caller.as_str());
    span.record("actor", pseudonym(&proven.actor));
}

/// `platform`, or the first 64 bits of the address' SHA-256.
fn pseudonym(actor: &Actor) -> String {
    match actor {
        Actor::Platform => actor.to_string(),
        Actor::Person(address) => {
            let digest = Sha256::digest(address.as_str().as_bytes());
            digest[..8].iter().fold("person-".to_owned(), |text, byte| text + &format!("{byte:02x}"))
        }
    }
}

impl Step for Proof {
    async fn take<S: Inner>(self, mut call: Request<Body>, mut inner: S) -> Result<Response<Body>, S::Error> {
        let place = match self.prove(&mut call).await {
            Ok(place) => place,
            Err(failure) => {
                // Its message may repeat what was sent, which may name a person.
                tracing::info!(reason = contracts::reason_name(failure.reason()), "a call was refused");
                return Ok(Status::from(failure).into_http());
            }
        };
        let origin = Origin::of(call.headers());
        let answer = ORIGIN.scope(origin, async move { inner.call(call).await }).await?;
        Ok(holding_to_its_end(answer, place))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tonic::Code;
    use tower::{Layer as _, ServiceExt as _, service_fn};

    use crate::server::Around;

    use super::super::{Exposure, KeyHash, Security};
    use super::*;
    use crate::Clock;

    /// What a service behind the proof is told of a call with these headers; the refusal's code, where there is one.
    async fn told(security: &Security, headers: &[(&str, &str)]) -> Result<HeaderMap, Code> {
        let service = service_fn(|request: Request<Body>| async move {
            let mut answer = Response::new(Body::empty());
            let headers = request.headers().iter().map(|(name, value)| (name.clone(), value.clone()));
            answer.headers_mut().extend(
                headers.chain(
                    Origin::current()
                        .into_iter()
                        .filter_map(|(name, value)| Some((format!("travels-{}", name?).parse().ok()?, value))),
                ),
            );
            Ok::<_, Infallible>(answer)
        });
        let path = "/managedcredit.credit.v1.CreditCalculationService/GetPolicy";
        let mut request = Request::builder().uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let proving = Around(security.proof()).layer(service);
        let answer = proving.oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
        match Status::from_header_map(answer.headers()) {
            Some(refusal) => Err(refusal.code()),
            None => Ok(answer.headers().clone()),
        }
    }

    fn secured() -> Security {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("security.toml");
        let hash = KeyHash::of("mck_key");
        let document = format!(
            "[[callers]]\nname = \"platform\"\nacts_as = [\"platform\", \"people\"]\nmethods = [\"*\"]\nkeys = [\"{hash}\"]\n"
        );
        std::fs::write(&file, document).expect("to write");
        Security::read(&file, &[], Exposure::default(), &Clock::System).expect("a document")
    }

    #[tokio::test]
    async fn behind_the_proof_the_actor_is_whoever_was_proven_and_there_is_no_credential() {
        let security = secured();
        let proof = ("authorization", "bearer  mck_key ");
        for (headers, actor) in [
            (&[proof][..], "platform"),
            (&[proof, ("x-actor", "platform")], "platform"),
            (&[proof, ("x-actor", "Anna@Agency.Example")], "anna@agency.example"),
        ] {
            let told = told(&security, headers).await.expect("proven");
            assert_eq!(told.get_all("x-actor").iter().collect::<Vec<_>>(), [actor]);
            assert!(!told.contains_key("authorization"));
        }
        let told = told(&Security::default(), &[("authorization", "Bearer x"), ("x-actor", "platform")]).await;
        assert!(!told.expect("nobody is proven").contains_key("authorization"));
    }

    #[tokio::test]
    async fn what_is_said_twice_or_in_another_way_proves_nobody() {
        let security = secured();
        let proof = ("authorization", "Bearer mck_key");
        for (headers, code) in [
            (&[][..], Code::Unauthenticated),
            (&[proof, proof], Code::Unauthenticated),
            (&[("authorization", "Basic mck_key")], Code::Unauthenticated),
            (&[("authorization", "mck_key")], Code::Unauthenticated),
            (&[("authorization", "Bearer")], Code::Unauthenticated),
            (&[("authorization", "Bearer mck_key2")], Code::Unauthenticated),
            (&[("authorization", "Bearer MCK_key")], Code::Unauthenticated),
            (&[("authorization-bin", "bWNrX2tleQ")], Code::Unauthenticated),
            (&[proof, ("x-actor", "platform"), ("x-actor", "anna@agency.example")], Code::PermissionDenied),
            (&[proof, ("x-actor", "")], Code::PermissionDenied),
            (&[proof, ("x-actor", "Platform")], Code::PermissionDenied),
            (&[proof, ("x-actor", "ann\u{e9}@agency.example")], Code::PermissionDenied),
        ] {
            assert_eq!(told(&security, headers).await.expect_err("refused"), code, "{headers:?}");
        }
    }

    #[tokio::test]
    async fn the_id_and_the_trace_of_a_call_travel_and_nothing_else_does() {
        let headers = [
            ("authorization", "Bearer mck_key"),
            ("x-request-id", "this-call"),
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("x-on-behalf-of", "anna@agency.example"),
        ];
        let told = told(&secured(), &headers).await.expect("proven");
        let travelling: Vec<&str> =
            told.keys().map(|name| name.as_str()).filter(|name| name.starts_with("travels-")).collect();
        assert_eq!(travelling, ["travels-x-request-id", "travels-traceparent"]);
        assert_eq!(told["travels-x-request-id"], "this-call");
        assert!(Origin::current().is_empty(), "outside of a call nothing does");
    }
}
