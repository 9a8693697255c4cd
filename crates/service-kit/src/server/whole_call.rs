//! Calls are taken in whole, within limits, and tried again where the database rolled them back.
//!
//! Every request of ours is one message. It is read before anything is done with it: what is larger than allowed is
//! refused at once, however it comes, and what is kept can be given to the service a second time. The reflection of
//! other people's tools is a conversation, and is left alone, as is health, which must answer also under load.

use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use contracts::wire::error::ErrorReason;
use contracts::{Failure, reason_name};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use tokio::sync::Semaphore;
use tonic::body::Body;
use tonic::codegen::http::{Request, Response, request::Parts};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::Service;

use super::around::{Inner, Step};
use super::holding_to_its_end;

/// How long to wait before a call that was rolled back is tried again, at first, and how often it is.
const FIRST_DELAY: Duration = Duration::from_millis(10);
const MAXIMUM_RETRIES: usize = 5;

/// How long a message may take to arrive whole: whoever does not send it holds the place of another.
const ARRIVAL_LIMIT: Duration = Duration::from_secs(10);

/// The bytes before a message that say how long it is.
const FRAME_HEADER_BYTES: usize = 5;

/// What the service of other people's packages is called.
const FOREIGN_PREFIX: &str = "/grpc.";

/// The limits of calls.
#[derive(Debug, Clone)]
pub(super) struct WholeCalls {
    maximum_message_bytes: usize,
    calls: Arc<Semaphore>,
}

impl WholeCalls {
    /// A call may have a message of so many bytes, and so many calls may be under way.
    pub fn new(maximum_message_bytes: usize, maximum_calls: usize) -> Self {
        Self { maximum_message_bytes, calls: Arc::new(Semaphore::new(maximum_calls)) }
    }
}

impl Step for WholeCalls {
    async fn take<S: Inner>(self, call: Request<Body>, mut inner: S) -> Result<Response<Body>, S::Error> {
        if call.uri().path().starts_with(FOREIGN_PREFIX) {
            return inner.call(call).await;
        }
        let Ok(permit) = self.calls.try_acquire_owned() else { return Ok(refusal(too_many_calls())) };
        let (parts, body) = call.into_parts();
        let whole = Limited::new(body, self.maximum_message_bytes + FRAME_HEADER_BYTES).collect();
        let Ok(whole) = tokio::time::timeout(ARRIVAL_LIMIT, whole).await else { return Ok(refusal(too_slow())) };
        let message = match whole {
            Ok(collected) => Full::from(collected.to_bytes()),
            Err(error) if error.is::<LengthLimitError>() => return Ok(refusal(too_large(self.maximum_message_bytes))),
            // The caller has gone away in the middle.
            Err(error) => return Ok(Status::cancelled(error.to_string()).into_http()),
        };
        let answer = call_again_where_rolled_back(inner, parts, message).await?;
        Ok(holding_to_its_end(answer, permit))
    }
}

async fn call_again_where_rolled_back<S>(
    mut inner: S,
    parts: Parts,
    message: Full<prost::bytes::Bytes>,
) -> Result<Response<Body>, S::Error>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    let mut delays = delays();
    loop {
        let request = Request::from_parts(parts.clone(), Body::new(message.clone()));
        std::future::poll_fn(|context| inner.poll_ready(context)).await?;
        let answer = inner.call(request).await?;
        if !was_rolled_back(&answer) {
            return Ok(answer);
        }
        let Some(delay) = delays.next() else { return Ok(answer) };
        tracing::info!("rolled back by the database; trying again");
        tokio::time::sleep(delay).await;
    }
}

fn delays() -> ExponentialBackoff {
    ExponentialBuilder::default().with_min_delay(FIRST_DELAY).with_max_times(MAXIMUM_RETRIES).with_jitter().build()
}

/// Whether nothing was written for the sake of others that wrote at the same time.
fn was_rolled_back(answer: &Response<Body>) -> bool {
    let status = Status::from_header_map(answer.headers()).filter(|status| status.code() == Code::Aborted);
    let reason = status.and_then(|status| status.get_details_error_info()).map(|info| info.reason);
    reason.is_some_and(|reason| reason == reason_name(ErrorReason::WriteConflict))
}

fn refusal(failure: Failure) -> Response<Body> {
    Status::from(failure).into_http()
}

fn too_many_calls() -> Failure {
    Failure::new(ErrorReason::Overloaded, "as many calls are under way as this service takes at a time; try again")
}

fn too_slow() -> Failure {
    let message = format!("the message did not arrive whole within {} seconds", ARRIVAL_LIMIT.as_secs());
    Failure::new(ErrorReason::InvalidFields, message)
}

fn too_large(maximum_bytes: usize) -> Failure {
    let message = format!("the message has more than {maximum_bytes} bytes; send less at once");
    Failure::new(ErrorReason::MessageTooLarge, message).with("maximum_bytes", maximum_bytes)
}

#[cfg(test)]
mod tests;
