//! gRPC-Web, for pages in browsers: who may ask is said by the origins of the pages.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tonic::body::Body;
use tonic::codegen::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use tower_http::cors::CorsLayer;

use super::around::{Inner, Step};
use crate::caller::{ACTOR, ON_BEHALF_OF};

/// What a page may send, beside what every page may.
const SENT: [HeaderName; 10] = [
    HeaderName::from_static("authorization"),
    HeaderName::from_static("content-type"),
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static(ACTOR),
    HeaderName::from_static("x-grpc-web"),
    HeaderName::from_static(ON_BEHALF_OF),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-user-agent"),
];

/// What a page may read of an answer, beside what every page may.
const READ: [HeaderName; 4] = [
    HeaderName::from_static("grpc-status"),
    HeaderName::from_static("grpc-message"),
    HeaderName::from_static("grpc-status-details-bin"),
    HeaderName::from_static("x-request-id"),
];

/// How long a browser need not ask again what it may do.
const MEMORY: Duration = Duration::from_secs(60 * 60);

/// Where a page comes from, as browsers write it: `https://console.vendor.example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebOrigin(HeaderValue);

impl fmt::Display for WebOrigin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0.to_str().unwrap_or_default())
    }
}

/// A text that is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is expected: http or https, a host, and a port where it is not the usual one, as in https://console.vendor.example; every one by itself, not *"
)]
pub struct WebOriginError;

impl FromStr for WebOrigin {
    type Err = WebOriginError;

    fn from_str(text: &str) -> Result<Self, WebOriginError> {
        let uri: Uri = text.parse().map_err(|_| WebOriginError)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(WebOriginError) };
        // Browsers write it in one way only, and it is compared letter by letter.
        let written = format!("{scheme}://{authority}").to_lowercase();
        if !matches!(scheme, "http" | "https") || written != text {
            return Err(WebOriginError);
        }
        HeaderValue::try_from(written).map(Self).map_err(|_| WebOriginError)
    }
}

/// Refuses calls of pages that are not listed: to a browser that was led astray by a false name of this machine, such a page
/// and the service are of one origin, and it asks nobody.
#[derive(Debug, Clone)]
pub(super) struct ListedOrigins(Arc<[WebOrigin]>);

impl ListedOrigins {
    pub fn new(origins: &[WebOrigin]) -> Self {
        Self(origins.into())
    }
}

impl Step for ListedOrigins {
    async fn take<S: Inner>(self, call: Request<Body>, mut inner: S) -> Result<Response<Body>, S::Error> {
        let stranger =
            call.headers().get_all("origin").iter().any(|origin| self.0.iter().all(|listed| listed.0 != origin));
        if stranger {
            let mut refusal = Response::new(Body::empty());
            *refusal.status_mut() = StatusCode::FORBIDDEN;
            return Ok(refusal);
        }
        inner.call(call).await
    }
}

/// Tells browsers which pages may call, and what they may send and read.
pub(super) fn cross_origin(origins: &[WebOrigin]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins.iter().map(|origin| origin.0.clone()).collect::<Vec<_>>())
        .allow_methods([Method::POST])
        .allow_headers(SENT)
        .expose_headers(READ)
        .max_age(MEMORY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        for origin in ["https://console.vendor.example", "http://localhost:8080", "http://[::1]:3000"] {
            assert!(origin.parse::<WebOrigin>().is_ok(), "{origin}");
        }
        for other in [
            "*",
            "",
            "null",
            "console.vendor.example",
            "https://",
            "https://a.example/",
            "HTTPS://a.example",
            "ftp://a.example",
        ] {
            assert_eq!(other.parse::<WebOrigin>(), Err(WebOriginError), "{other}");
        }
    }
}
