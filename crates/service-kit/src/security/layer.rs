//! Every call is proven before anything is done with it; behind this, `x-actor` is whoever was proven.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use contracts::Failure;
use domain::access::Actor;
use sha2::{Digest as _, Sha256};
use tonic::Status;
use tonic::body::Body;
use tonic::codegen::http::{HeaderMap, HeaderValue, Request, Response};
use tower::{Layer, Service};

use super::callers::{Callers, Proven};
use crate::caller::{ACTOR, actor_text};
use crate::incoming::Peer;

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
pub(crate) struct ProofLayer {
    callers: Option<Arc<Callers>>,
}

impl ProofLayer {
    pub(super) fn new(callers: Option<Arc<Callers>>) -> Self {
        Self { callers }
    }

    /// Puts whoever calls in the place of what the call says; the credential goes no further.
    async fn prove(&self, request: &mut Request<Body>) -> Result<(), Failure> {
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
        if let Some(proven) = proven? {
            let actor = actor_text(&proven.actor)?;
            let actor = HeaderValue::try_from(actor).map_err(|_| Failure::internal())?;
            request.headers_mut().insert(ACTOR, actor);
            note(&proven);
        }
        Ok(())
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

impl<S> Layer<S> for ProofLayer {
    type Service = Proving<S>;

    fn layer(&self, inner: S) -> Proving<S> {
        Proving { layer: self.clone(), inner }
    }
}

/// A service that is called by whoever is proven.
#[derive(Debug, Clone)]
pub(crate) struct Proving<S> {
    layer: ProofLayer,
    inner: S,
}

impl<S> Service<Request<Body>> for Proving<S>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        // The clone is for later; this one is ready.
        let later = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, later);
        let layer = self.layer.clone();
        Box::pin(async move {
            if let Err(failure) = layer.prove(&mut request).await {
                // Its message may repeat what was sent, which may name a person.
                tracing::info!(reason = contracts::reason_name(failure.reason()), "a call was refused");
                return Ok(Status::from(failure).into_http());
            }
            let origin = Origin::of(request.headers());
            ORIGIN.scope(origin, async move { inner.call(request).await }).await
        })
    }
}
