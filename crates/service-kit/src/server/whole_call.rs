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
use http_body_util::{BodyExt as _, Full};
use prost::bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::body::Body;
use tonic::codegen::http::{Request, Response, request::Parts};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use tower::Service;

use super::around::{Inner, Step};
use super::{ServerSettings, holding_to_its_end};

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
    /// For the bytes of all messages under way: they are kept until their calls end.
    room: Arc<Semaphore>,
}

/// Why a message was not taken in.
enum NotTaken {
    Refused(Failure),
    /// The caller has gone away in the middle.
    Gone(Status),
}

impl WholeCalls {
    /// The limits of these settings; one message of the largest size always has room.
    pub fn new(settings: &ServerSettings) -> Self {
        let maximum_message_bytes = settings.maximum_message_bytes;
        let room = settings.maximum_bytes_under_way.max(maximum_message_bytes + FRAME_HEADER_BYTES);
        Self {
            maximum_message_bytes,
            calls: Arc::new(Semaphore::new(settings.maximum_calls)),
            room: Arc::new(Semaphore::new(room)),
        }
    }

    /// Takes a message in as it arrives, and room for it, as far as both limits go.
    async fn take_in(&self, mut body: Body) -> Result<(Bytes, Option<OwnedSemaphorePermit>), NotTaken> {
        let (mut message, mut room) = (BytesMut::new(), None::<OwnedSemaphorePermit>);
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| NotTaken::Gone(Status::cancelled(error.to_string())))?;
            let Ok(data) = frame.into_data() else { continue };
            if message.len() + data.len() > self.maximum_message_bytes + FRAME_HEADER_BYTES {
                return Err(NotTaken::Refused(too_large(self.maximum_message_bytes)));
            }
            let bytes = u32::try_from(data.len()).unwrap_or(u32::MAX);
            let more = Arc::clone(&self.room).try_acquire_many_owned(bytes);
            let more = more.map_err(|_| NotTaken::Refused(too_many_bytes()))?;
            match &mut room {
                Some(room) => room.merge(more),
                None => room = Some(more),
            }
            message.extend_from_slice(&data);
        }
        Ok((message.freeze(), room))
    }
}

impl Step for WholeCalls {
    async fn take<S: Inner>(self, call: Request<Body>, mut inner: S) -> Result<Response<Body>, S::Error> {
        if call.uri().path().starts_with(FOREIGN_PREFIX) {
            return inner.call(call).await;
        }
        let Ok(permit) = Arc::clone(&self.calls).try_acquire_owned() else { return Ok(refusal(too_many_calls())) };
        let (parts, body) = call.into_parts();
        let whole = tokio::time::timeout(ARRIVAL_LIMIT, self.take_in(body)).await;
        let (message, room) = match whole {
            Ok(Ok(taken)) => taken,
            Ok(Err(NotTaken::Refused(failure))) => return Ok(refusal(failure)),
            Ok(Err(NotTaken::Gone(status))) => return Ok(status.into_http()),
            Err(_) => return Ok(refusal(too_slow())),
        };
        let answer = call_again_where_rolled_back(inner, parts, Full::from(message)).await?;
        Ok(holding_to_its_end(answer, (permit, room)))
    }
}

async fn call_again_where_rolled_back<S>(
    mut inner: S,
    parts: Parts,
    message: Full<Bytes>,
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

fn too_many_bytes() -> Failure {
    let message =
        "messages of as many bytes are under way as this service takes at a time; try again, or send less at once";
    Failure::new(ErrorReason::Overloaded, message)
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
