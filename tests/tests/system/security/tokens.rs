//! Tokens that prove nobody, as somebody would try them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use system_tests::{Claims, reason, signing_key};
use tonic::Code;

use super::*;

fn with(claims: &Claims, name: &str, value: Value) -> Claims {
    let mut claims = claims.clone();
    claims.insert(name.to_owned(), value);
    claims
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_forged_token_is_refused_and_the_right_one_is_taken() {
    let cluster = Cluster::start_secured(DatabaseKind::Sqlite).await;
    cluster.partner(1001, &["agency.example"]).await;
    cluster.employee(1001, ANNA).await;
    let proofs = cluster.proofs();
    let now = cluster.now();
    let claims = claims_of(ANNA, now);
    let right = proofs.token(&claims);
    let payload = URL_SAFE_NO_PAD.encode(Value::Object(claims.clone()).to_string());
    let published = std::fs::read_to_string(proofs.path("jwks.json")).expect("keys");
    let of_key = |id: &str, algorithm| Header { kid: Some(id.to_owned()), ..Header::new(algorithm) };
    let forged = [
        ("expired", proofs.token(&with(&claims, "exp", json!(now.timestamp() - 60)))),
        ("not in force yet", proofs.token(&with(&claims, "nbf", json!(now.timestamp() + 60)))),
        ("another audience", proofs.token(&with(&claims, "aud", json!("billing")))),
        ("another issuer", proofs.token(&with(&claims, "iss", json!("https://id.other.example")))),
        ("an address that is not verified", proofs.token(&with(&claims, "email_verified", json!(false)))),
        ("alg none", format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT","kid":"key-1"}"#))),
        (
            "the public key as a secret",
            encode(
                &of_key("key-1", Algorithm::HS256),
                &claims,
                &EncodingKey::from_secret(published.as_bytes()).expect("a secret"),
            )
            .expect("a token"),
        ),
        ("another issuer's key", encode(&of_key("key-1", Algorithm::ES256), &claims, &signing_key()).expect("a token")),
        (
            "a key that is not published",
            encode(&of_key("key-2", Algorithm::ES256), &claims, &proofs.signing).expect("a token"),
        ),
        ("other claims under the signature", {
            let boss = URL_SAFE_NO_PAD.encode(Value::Object(claims_of("boss@agency.example", now)).to_string());
            let parts: Vec<&str> = right.split('.').collect();
            [parts[0], &boss, parts[2]].join(".")
        }),
        ("too long", proofs.token(&with(&claims, "padding", json!("x".repeat(9_000))))),
    ];
    let tried = forged.len();
    for (attack, token) in forged {
        let refused = get_partner(&cluster, &proofs.with_credential(&token), None).await.expect_err(attack);
        assert_eq!((refused.code(), reason(&refused).as_str()), (Code::Unauthenticated, "CALLER_UNPROVEN"), "{attack}");
        assert!(!refused.message().contains(ANNA), "{}", refused.message());
    }
    hostile::say(&format!("{tried} forged tokens were refused"));
    get_partner(&cluster, &proofs.with_credential(&right), None).await.expect("the right one");
    // The same token, when its time is over.
    cluster.clock.set(now + chrono::TimeDelta::seconds(3_630));
    let refused = get_partner(&cluster, &proofs.with_credential(&right), None).await.expect_err("expired");
    assert!(refused.message().contains("it has expired"), "{}", refused.message());
    cluster.stop().await;
}
