use std::convert::Infallible;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use tower::{Layer as _, ServiceExt as _, service_fn};

use super::super::around::Around;
use super::*;

/// Messages of so many bytes, and so many calls under way.
fn limits(maximum_message_bytes: usize, maximum_calls: usize) -> WholeCalls {
    WholeCalls::new(&ServerSettings { maximum_message_bytes, maximum_calls, ..ServerSettings::default() })
}

fn conflict() -> Response<Body> {
    refusal(Failure::new(ErrorReason::WriteConflict, "others wrote"))
}

fn request(path: &str, message: &'static [u8]) -> Request<Body> {
    let body = Body::new(Full::from(Bytes::from_static(message)));
    Request::builder().uri(path).body(body).expect("a request")
}

fn reason(answer: &Response<Body>) -> Option<String> {
    Status::from_header_map(answer.headers())?.get_details_error_info().map(|info| info.reason)
}

#[tokio::test(start_paused = true)]
async fn a_call_that_was_rolled_back_is_tried_again_with_the_same_message() {
    let seen: Arc<Mutex<Vec<Bytes>>> = Arc::default();
    let inner = service_fn(|request: Request<Body>| {
        let seen = Arc::clone(&seen);
        async move {
            let message = request.into_body().collect().await.expect("a message").to_bytes();
            let mut seen = seen.lock().expect("a list");
            seen.push(message);
            Ok::<_, Infallible>(if seen.len() < 3 { conflict() } else { Response::new(Body::empty()) })
        }
    });
    // The closure borrows; a service of a server does not.
    let seen_by_now = || seen.lock().expect("a list").clone();
    let answer = call_again_where_rolled_back(inner, request("/a", b"").into_parts().0, Full::from("message"));
    assert_eq!(reason(&answer.await.expect("an answer")), None);
    assert_eq!(seen_by_now(), ["message", "message", "message"]);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_rolled_back_again_and_again_is_aborted_and_may_be_tried_later() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let inner = service_fn(move |_: Request<Body>| {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, Infallible>(conflict()) }
    });
    let answer = Around(limits(100, 1)).layer(inner).oneshot(request("/a", b"message")).await.expect("an answer");
    let status = Status::from_header_map(answer.headers()).expect("a status");
    assert_eq!((status.code(), reason(&answer).as_deref()), (Code::Aborted, Some("WRITE_CONFLICT")));
    assert!(status.get_details_retry_info().is_some());
    assert_eq!(calls.load(Ordering::Relaxed), 1 + MAXIMUM_RETRIES);
}

#[tokio::test]
async fn another_refusal_is_not_tried_again() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let inner = service_fn(move |_: Request<Body>| {
        counted.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, Infallible>(refusal(Failure::new(ErrorReason::EtagMismatch, "it has changed"))) }
    });
    let answer = Around(limits(100, 1)).layer(inner).oneshot(request("/a", b"message")).await.expect("an answer");
    assert_eq!((reason(&answer).as_deref(), calls.load(Ordering::Relaxed)), (Some("ETAG_MISMATCH"), 1));
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_refused_before_the_service_sees_it() {
    let inner = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
    let layer = Around(limits(5, 1));
    let fits = layer.layer(inner).oneshot(request("/a", b"headrABCDE")).await.expect("an answer");
    assert_eq!(reason(&fits), None);
    drop(fits);
    let refused = layer.layer(inner).oneshot(request("/a", b"headrABCDEF")).await.expect("an answer");
    assert_eq!(reason(&refused).as_deref(), Some("MESSAGE_TOO_LARGE"));
    assert_eq!(Status::from_header_map(refused.headers()).expect("a status").code(), Code::ResourceExhausted);
}

#[tokio::test]
async fn a_call_beyond_the_limit_is_refused_at_once_until_the_answer_of_another_has_been_read() {
    let inner = service_fn(|_: Request<Body>| async {
        Ok::<_, Infallible>(Response::new(Body::new(Full::from(Bytes::from_static(b"answer")))))
    });
    let layer = Around(limits(100, 1));
    let call = |path: &'static str| layer.layer(inner).oneshot(request(path, b"message"));
    let first = call("/a").await.expect("an answer");
    let refused = call("/a").await.expect("an answer");
    assert_eq!(reason(&refused).as_deref(), Some("OVERLOADED"));
    assert_eq!(reason(&call("/grpc.health.v1.Health/Check").await.expect("health"),), None);
    first.into_body().collect().await.expect("all of it");
    assert_eq!(reason(&call("/a").await.expect("an answer")), None);
}

#[tokio::test(start_paused = true)]
async fn a_message_that_does_not_arrive_gives_its_place_back() {
    let inner = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::empty())) });
    let limited = Around(limits(100, 1)).layer(inner);
    let silence = futures_util::stream::pending::<Result<http_body::Frame<Bytes>, Infallible>>();
    let silent = Request::builder().uri("/a").body(Body::new(http_body_util::StreamBody::new(silence)));
    let answer = limited.clone().oneshot(silent.expect("a request")).await.expect("an answer");
    assert_eq!(reason(&answer).as_deref(), Some("INVALID_FIELDS"));
    let next = limited.oneshot(request("/a", b"message")).await.expect("an answer");
    assert_eq!(reason(&next), None);
}

#[tokio::test]
async fn messages_under_way_have_room_for_so_many_bytes_together_until_their_answers_have_been_read() {
    let inner = service_fn(|_: Request<Body>| async {
        Ok::<_, Infallible>(Response::new(Body::new(Full::from(Bytes::from_static(b"answer")))))
    });
    let settings =
        ServerSettings { maximum_message_bytes: 10, maximum_bytes_under_way: 20, ..ServerSettings::default() };
    let layer = Around(WholeCalls::new(&settings));
    let call = |message: &'static [u8]| layer.layer(inner).oneshot(request("/a", message));
    let first = call(b"headr1234567890").await.expect("an answer");
    let refused = call(b"headr1").await.expect("an answer");
    assert_eq!(reason(&refused).as_deref(), Some("OVERLOADED"));
    assert_eq!(reason(&call(b"headr").await.expect("an answer")), None, "it fits");
    first.into_body().collect().await.expect("all of it");
    assert_eq!(reason(&call(b"headr1234567890").await.expect("an answer")), None);
}
