//! A step around every call, as a layer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::codegen::http::{Request, Response};
use tower::{Layer, Service};

/// What answers calls, behind a step.
pub(crate) trait Inner:
    Service<Request<Body>, Response = Response<Body>, Future: Send, Error: Send> + Clone + Send + 'static
{
}

impl<S> Inner for S where
    S: Service<Request<Body>, Response = Response<Body>, Future: Send, Error: Send> + Clone + Send + 'static
{
}

/// What is done before a call is passed on, instead of that, and with its answer.
pub(crate) trait Step: Clone + Send + Sync + 'static {
    /// Answers a call, by what is behind the step or in its place.
    fn take<S: Inner>(
        self,
        call: Request<Body>,
        inner: S,
    ) -> impl Future<Output = Result<Response<Body>, S::Error>> + Send;
}

/// The layer of a step.
#[derive(Debug, Clone)]
pub(crate) struct Around<T>(pub T);

impl<T: Step, S> Layer<S> for Around<T> {
    type Service = Stepping<T, S>;

    fn layer(&self, inner: S) -> Stepping<T, S> {
        Stepping { step: self.0.clone(), inner }
    }
}

/// A service behind a step.
#[derive(Debug, Clone)]
pub(crate) struct Stepping<T, S> {
    step: T,
    inner: S,
}

impl<T: Step, S: Inner> Service<Request<Body>> for Stepping<T, S> {
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, call: Request<Body>) -> Self::Future {
        // The clone is for later; this one is ready.
        let later = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, later);
        Box::pin(self.step.clone().take(call, inner))
    }
}
