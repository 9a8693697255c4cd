use std::sync::Mutex as Shared;

use rcgen::KeyPair;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// An issuer that answers every request with its present document, or with a fault where it has none.
struct Issuer {
    url: reqwest::Url,
    state: Arc<Shared<(Option<String>, usize)>>,
}

impl Issuer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/jwks", listener.local_addr().expect("an address"));
        let state = Arc::new(Shared::new((None, 0)));
        let answering = Arc::clone(&state);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(stream.read_u8().await.expect("a request"));
                }
                let document = {
                    let mut state = answering.lock().expect("no panic");
                    state.1 += 1;
                    state.0.clone()
                };
                let (status, body) = document.map_or(("503 Away", String::new()), |document| ("200 OK", document));
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
                // Who has read enough may have gone.
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { url: url.parse().expect("a URL"), state }
    }

    fn publish(&self, document: Option<String>) {
        self.state.lock().expect("no panic").0 = document;
    }

    fn requests(&self) -> usize {
        self.state.lock().expect("no panic").1
    }

    fn keys(&self, shortest_pause: Duration) -> FetchedKeys {
        FetchedKeys::new(self.url.clone(), None, shortest_pause).expect("a client")
    }
}

fn document(ids: &[&str]) -> Option<String> {
    let jwk = |id: &&str| {
        let key = jsonwebtoken::EncodingKey::from_ec_der(KeyPair::generate().expect("a key").serialized_der());
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).expect("a public key");
        jwk.common.key_id = Some((*id).to_owned());
        jwk
    };
    Some(serde_json::to_string(&JwkSet { keys: ids.iter().map(jwk).collect() }).expect("JSON"))
}

async fn has(keys: &FetchedKeys, id: &str) -> Option<bool> {
    let set = keys.having(Some(id), Algorithm::ES256).await?;
    Some(set.find(Some(id), Algorithm::ES256).is_some())
}

#[tokio::test]
async fn keys_are_fetched_when_they_are_needed_and_again_when_one_is_unknown() {
    let issuer = Issuer::start().await;
    let keys = issuer.keys(Duration::ZERO);
    assert_eq!(has(&keys, "one").await, None, "the issuer is away");
    issuer.publish(document(&["one"]));
    assert_eq!(has(&keys, "one").await, Some(true));
    let fetched = issuer.requests();
    assert_eq!(has(&keys, "one").await, Some(true));
    assert_eq!(issuer.requests(), fetched, "what is known and fresh is not fetched");
    issuer.publish(document(&["two"]));
    assert_eq!(has(&keys, "two").await, Some(true));
    assert_eq!(has(&keys, "one").await, Some(false), "what the issuer has taken back is unknown");
    issuer.publish(None);
    assert_eq!(has(&keys, "three").await, Some(false));
    assert_eq!(has(&keys, "two").await, Some(true), "what is known outlives an issuer that is away");
}

#[tokio::test]
async fn however_many_unknown_keys_are_asked_for_the_issuer_is_asked_once_in_a_while() {
    let issuer = Issuer::start().await;
    issuer.publish(document(&["one"]));
    let keys = issuer.keys(SHORTEST_PAUSE);
    for unknown in 0..50 {
        assert_eq!(has(&keys, &format!("unknown-{unknown}")).await, Some(false));
    }
    assert_eq!(issuer.requests(), 1);
}

#[tokio::test]
async fn an_issuer_takes_back_all_its_keys() {
    let issuer = Issuer::start().await;
    let keys = issuer.keys(Duration::ZERO);
    issuer.publish(document(&["one"]));
    assert_eq!(has(&keys, "one").await, Some(true));
    issuer.publish(Some("{\"keys\": []}".to_owned()));
    assert_eq!(has(&keys, "two").await, Some(false));
    assert_eq!(has(&keys, "one").await, Some(false));
}

#[tokio::test]
async fn whoever_goes_away_while_keys_are_fetched_takes_them_from_nobody_and_nobody_waits_for_others() {
    let issuer = Issuer::start().await;
    issuer.publish(document(&["one"]));
    let keys = issuer.keys(SHORTEST_PAUSE);
    // Asked once and given up at once, within the pause in which nothing is fetched again.
    let mut asking = Box::pin(has(&keys, "one"));
    assert!(futures_util::poll!(&mut asking).is_pending());
    drop(asking);
    assert_eq!(has(&keys, "one").await, Some(true));
    assert_eq!(issuer.requests(), 1);
    // Whoever asks for what is known has it without a moment's waiting.
    let mut asking = Box::pin(has(&keys, "one"));
    assert!(futures_util::poll!(&mut asking).is_ready());
}

#[tokio::test]
async fn an_answer_that_is_no_key_set_or_too_long_changes_nothing() {
    let issuer = Issuer::start().await;
    let keys = issuer.keys(Duration::ZERO);
    issuer.publish(document(&["one"]));
    assert_eq!(has(&keys, "one").await, Some(true));
    let long = format!("{}{}", " ".repeat(MAXIMUM_BYTES), document(&["two"]).expect("a document"));
    for wrong in ["<html>".to_owned(), "{}".to_owned(), long] {
        issuer.publish(Some(wrong));
        assert_eq!(has(&keys, "two").await, Some(false));
        assert_eq!(has(&keys, "one").await, Some(true));
    }
}
