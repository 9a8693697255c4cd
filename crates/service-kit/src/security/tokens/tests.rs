use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384};
use rsa::PrivateKey;
use rsa::pkcs1::EncodeRsaPrivateKey as _;
use serde_json::{Value, json};

use super::*;
use crate::ManualClock;

const ISSUER: &str = "https://id.vendor.example";
const NOW: &str = "2026-01-01T12:00:00Z";
const ANNA: &str = "anna@agency.example";

fn ec_key() -> EncodingKey {
    EncodingKey::from_ec_der(KeyPair::generate().expect("a key").serialized_der())
}

/// An issuer: its keys as a file publishes them, and what takes its tokens.
struct Issuer {
    folder: tempfile::TempDir,
    key: EncodingKey,
    tokens: Tokens,
}

impl Issuer {
    fn new() -> Self {
        let key = ec_key();
        let folder = tempfile::tempdir().expect("a folder");
        publish(&folder, &[("one", &key, Algorithm::ES256)]);
        let tokens = Tokens {
            keys: KeySource::of_file(folder.path().join("jwks.json")).expect("keys"),
            issuer: ISSUER.to_owned(),
            audience: "managed-credit".to_owned(),
            algorithms: vec![Algorithm::ES256, Algorithm::RS256],
            clock: Clock::Manual(ManualClock::new(NOW.parse().expect("an instant"))),
        };
        Self { folder, key, tokens }
    }

    fn header(&self) -> Header {
        Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::ES256) }
    }

    fn sign(&self, claims: &Value) -> String {
        encode(&self.header(), claims, &self.key).expect("a token")
    }

    async fn problem(&self, token: &str) -> String {
        let failure = self.tokens.verify(token).await.expect_err("refused");
        assert_eq!(failure.reason(), ErrorReason::CallerUnproven);
        failure.message().to_owned()
    }
}

fn publish(folder: &tempfile::TempDir, keys: &[(&str, &EncodingKey, Algorithm)]) {
    let jwk = |(id, key, algorithm): &(&str, &EncodingKey, Algorithm)| {
        let mut jwk = Jwk::from_encoding_key(key, *algorithm).expect("a public key");
        jwk.common.key_id = Some((*id).to_owned());
        jwk
    };
    let set = JwkSet { keys: keys.iter().map(jwk).collect() };
    let new = folder.path().join("new");
    std::fs::write(&new, serde_json::to_vec(&set).expect("JSON")).expect("to write");
    std::fs::rename(new, folder.path().join("jwks.json")).expect("to replace");
}

fn now() -> i64 {
    NOW.parse::<domain::time::Instant>().expect("an instant").timestamp()
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "managed-credit", "sub": "anna", "exp": now() + 3_600,
        "email": ANNA, "email_verified": true,
    })
}

/// The claims with one that is different, or missing.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    let object = claims.as_object_mut().expect("an object");
    if value.is_null() {
        drop(object.remove(name))
    } else {
        drop(object.insert(name.to_owned(), value))
    }
    claims
}

#[tokio::test]
async fn a_token_of_the_issuer_names_its_subject_and_the_address_that_was_verified() {
    let issuer = Issuer::new();
    let named = issuer.tokens.verify(&issuer.sign(&claims())).await.expect("somebody");
    assert_eq!(named, Named::Person(ANNA.parse().expect("an address")));
    let program = issuer.tokens.verify(&issuer.sign(&with("email", Value::Null))).await.expect("a program");
    assert_eq!(program, Named::Subject("anna".to_owned()), "who has no address is a program");
    for unverified in [with("email_verified", json!(false)), with("email_verified", Value::Null)] {
        assert!(issuer.problem(&issuer.sign(&unverified)).await.contains("has not verified"));
    }
    // The Kelvin sign is a k in lower case, but not the same address.
    for other_letters in ["\u{212a}arla@agency.example", "\u{e9}mile@agency.example", "nobody"] {
        assert!(
            issuer.problem(&issuer.sign(&with("email", json!(other_letters)))).await.contains("no address in ASCII")
        );
    }
    let audiences = with("aud", json!(["other", "managed-credit"]));
    issuer.tokens.verify(&issuer.sign(&audiences)).await.expect("one of several audiences");
}

#[tokio::test]
async fn a_token_is_in_force_from_its_beginning_to_its_expiry_with_half_a_minute_for_clocks_that_differ() {
    let issuer = Issuer::new();
    for in_force in [with("exp", json!(now() - 29)), with("nbf", json!(now() + 30)), with("nbf", json!(now() - 5))] {
        issuer.tokens.verify(&issuer.sign(&in_force)).await.expect("in force");
    }
    for (claim, value, problem) in [
        ("exp", now() - 30, "expired"),
        ("exp", 0, "expired"),
        ("nbf", now() + 31, "not in force yet"),
        ("nbf", i64::MAX, "not in force yet"),
    ] {
        let said = issuer.problem(&issuer.sign(&with(claim, json!(value)))).await;
        assert!(said.contains(problem), "{claim} {value}: {said}");
    }
}

#[tokio::test]
async fn claims_that_are_missing_or_of_others_are_refused() {
    let issuer = Issuer::new();
    for (claims, problem) in [
        (with("iss", json!("https://id.other.example")), "another issuer"),
        (with("iss", json!([ISSUER])), "no token that can be read"),
        (with("aud", json!("billing")), "another audience"),
        (with("aud", json!([])), "another audience"),
        (with("exp", Value::Null), "no token that can be read"),
        (with("exp", json!("never")), "no token that can be read"),
        (with("aud", Value::Null), "does not say aud"),
        (with("iss", Value::Null), "no token that can be read"),
    ] {
        let said = issuer.problem(&issuer.sign(&claims)).await;
        assert!(said.contains(problem), "{claims}: {said}");
    }
}

#[tokio::test]
async fn signatures_that_are_not_the_issuers_are_refused() {
    let issuer = Issuer::new();
    let signed = issuer.sign(&claims());
    let parts: Vec<&str> = signed.split('.').collect();
    let other_claims = URL_SAFE_NO_PAD.encode(with("email", json!("boss@agency.example")).to_string());
    let tampered = format!("{}.{other_claims}.{}", parts[0], parts[2]);
    let by_another = encode(&issuer.header(), &claims(), &ec_key()).expect("a token");
    for token in [tampered, by_another] {
        assert!(issuer.problem(&token).await.contains("its signature is not the issuer's"));
    }
    let stripped = format!("{}.{}.", parts[0], parts[1]);
    issuer.problem(&stripped).await;
    let unknown_key = Header { kid: Some("two".to_owned()), ..issuer.header() };
    let unknown_key = encode(&unknown_key, &claims(), &issuer.key).expect("a token");
    assert!(issuer.problem(&unknown_key).await.contains("its key is not the issuer's"));
}

#[tokio::test]
async fn no_token_chooses_the_algorithm_or_brings_its_own_key() {
    let issuer = Issuer::new();
    let payload = URL_SAFE_NO_PAD.encode(claims().to_string());
    for none in ["none", "None", "NONE", ""] {
        let header = URL_SAFE_NO_PAD.encode(json!({ "alg": none, "typ": "JWT", "kid": "one" }).to_string());
        issuer.problem(&format!("{header}.{payload}.")).await;
    }
    // The public key, as it is published, as a secret: whoever takes HMAC with it takes tokens of everybody.
    let published = std::fs::read(issuer.folder.path().join("jwks.json")).expect("keys");
    let published: Value = serde_json::from_slice(&published).expect("JSON");
    let coordinate = published["keys"][0]["x"].as_str().expect("a coordinate").to_owned();
    for secret in [published.to_string(), coordinate] {
        for algorithm in [Algorithm::HS256, Algorithm::HS512] {
            let confused = Header { kid: Some("one".to_owned()), ..Header::new(algorithm) };
            let confused =
                encode(&confused, &claims(), &EncodingKey::from_secret(secret.as_bytes()).expect("a secret"))
                    .expect("a token");
            assert!(issuer.problem(&confused).await.contains("not signed with one of the algorithms"));
        }
    }
    let own = ec_key();
    let mut brought = Header { jwk: Jwk::from_encoding_key(&own, Algorithm::ES256).ok(), ..issuer.header() };
    brought.jku = Some("https://evil.example/jwks.json".to_owned());
    let brought = encode(&brought, &claims(), &own).expect("a token");
    assert!(issuer.problem(&brought).await.contains("its signature is not the issuer's"));
    // An algorithm that is allowed, and a key of another kind.
    let rsa_name = Header { alg: Algorithm::RS256, ..issuer.header() };
    let header = URL_SAFE_NO_PAD.encode(serde_json::to_string(&rsa_name).expect("JSON"));
    assert!(issuer.problem(&format!("{header}.{payload}.AAAA")).await.contains("its key is not the issuer's"));
    let not_allowed =
        EncodingKey::from_ec_der(KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384).expect("a key").serialized_der());
    let not_allowed = encode(&Header::new(Algorithm::ES384), &claims(), &not_allowed).expect("a token");
    assert!(issuer.problem(&not_allowed).await.contains("not signed with one of the algorithms"));
}

#[tokio::test]
async fn keys_are_changed_one_after_the_other_without_a_stop() {
    let issuer = Issuer::new();
    let next = ec_key();
    let by_next = Header { kid: Some("two".to_owned()), ..issuer.header() };
    let by_next = encode(&by_next, &claims(), &next).expect("a token");
    let by_first = issuer.sign(&claims());
    issuer.problem(&by_next).await;
    publish(&issuer.folder, &[("one", &issuer.key, Algorithm::ES256), ("two", &next, Algorithm::ES256)]);
    for token in [&by_first, &by_next] {
        issuer.tokens.verify(token).await.expect("both keys are the issuer's");
    }
    publish(&issuer.folder, &[("two", &next, Algorithm::ES256)]);
    issuer.problem(&by_first).await;
    issuer.tokens.verify(&by_next).await.expect("the new key is the issuer's");
}

#[tokio::test]
async fn rsa_keys_are_taken_and_each_key_for_its_own_algorithm_only() {
    let issuer = Issuer::new();
    let mut random = getrandom::rand_core::UnwrapErr(getrandom::SysRng);
    let key = PrivateKey::new(&mut random, 2_048).expect("a key");
    let key = EncodingKey::from_rsa_der(key.to_pkcs1_der().expect("DER").as_bytes());
    publish(&issuer.folder, &[("one", &issuer.key, Algorithm::ES256), ("rsa", &key, Algorithm::RS256)]);
    let signed = |algorithm: Algorithm| {
        let header = Header { kid: Some("rsa".to_owned()), ..Header::new(algorithm) };
        encode(&header, &claims(), &key).expect("a token")
    };
    issuer.tokens.verify(&signed(Algorithm::RS256)).await.expect("somebody");
    issuer.problem(&signed(Algorithm::PS256)).await;
}

#[test]
fn a_key_set_with_a_secret_in_it_or_without_a_key_is_refused() {
    let secret = Jwk::from_encoding_key(&EncodingKey::from_secret(b"secret").expect("a secret"), Algorithm::HS256)
        .expect("a key");
    let public = Jwk::from_encoding_key(&ec_key(), Algorithm::ES256).expect("a key");
    let document = |keys: Vec<Jwk>| serde_json::to_vec(&JwkSet { keys }).expect("JSON");
    use super::super::key_set::KeySet;
    assert!(KeySet::parse(&document(vec![public.clone(), secret])).expect_err("a secret").contains("kty oct"));
    let encryption = {
        let mut jwk = public.clone();
        jwk.common.public_key_use = Some(jsonwebtoken::jwk::PublicKeyUse::Encryption);
        jwk
    };
    assert!(KeySet::parse(&document(vec![encryption])).expect_err("nothing of use").contains("no key"));
    assert!(KeySet::parse(&document(Vec::new())).is_ok(), "all are taken back");
    assert!(KeySet::parse(b"<html>").expect_err("no JSON").contains("not a JSON Web Key Set"));
    assert!(KeySet::parse(&document(vec![public])).is_ok());
}

#[tokio::test]
async fn whatever_is_sent_as_a_token_proves_nobody_and_harms_nothing() {
    let issuer = Issuer::new();
    let valid = issuer.sign(&claims());
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        hostile::check(300, hostile::tampered(vec![valid.clone().into_bytes()]), |bytes| {
            let Ok(text) = String::from_utf8(bytes) else { return };
            // Base 64 has more than one text for the same bytes only where bits are left over, and those are refused.
            if text != valid {
                assert!(runtime.block_on(issuer.tokens.verify(&text)).is_err(), "{text}");
            }
        });
    })
    .await
    .expect("no panic");
}
