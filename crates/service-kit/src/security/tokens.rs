//! Bearer tokens of an issuer (OIDC, JWT): whom they name, if they are to be believed.

use contracts::Failure;
use contracts::wire::error::ErrorReason;
use domain::access::EmailAddress;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use serde::Deserialize;

use super::key_set::KeySource;
use crate::Clock;

/// The longest token that is looked at.
pub(super) const MAXIMUM_TOKEN_BYTES: usize = 8 * 1_024;

/// How far the issuer's clock may differ from ours, in seconds.
const LEEWAY_SECONDS: i64 = 30;

/// What an issuer's tokens must be like.
#[derive(Debug)]
pub(super) struct Tokens {
    pub keys: KeySource,
    pub issuer: String,
    pub audience: String,
    /// Signatures by public keys only.
    pub algorithms: Vec<Algorithm>,
    pub clock: Clock,
}

/// Whom a token names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// A person, whose address the issuer has verified. What else the token calls them proves nothing: some issuers let
    /// people choose it.
    Person(EmailAddress),
    /// Whoever has no address: a program.
    Subject(String),
}

#[derive(Debug, Deserialize)]
struct Claims {
    /// One issuer; the library would take a list too.
    #[serde(rename = "iss")]
    _issuer: String,
    #[serde(rename = "exp")]
    expiry: i64,
    #[serde(rename = "nbf")]
    not_before: Option<i64>,
    #[serde(rename = "sub", default)]
    subject: String,
    email: Option<String>,
    #[serde(default)]
    email_verified: bool,
}

impl Tokens {
    /// Whom a token names that is signed by the issuer, for us, and in force now.
    pub async fn verify(&self, token: &str) -> Result<Named, Failure> {
        let header = decode_header(token).map_err(|error| refused(error.kind()))?;
        // Before any key is looked for: no token makes us fetch what it could not be signed with.
        if !self.algorithms.contains(&header.alg) {
            return Err(refused(&ErrorKind::InvalidAlgorithm));
        }
        let keys = self.keys.having(header.kid.as_deref(), header.alg).await.ok_or_else(keys_away)?;
        let key =
            keys.find(header.kid.as_deref(), header.alg).ok_or_else(|| unproven("its key is not the issuer's"))?;
        let claims = decode::<Claims>(token, key, &self.validation(header.alg));
        self.named(claims.map_err(|error| refused(error.kind()))?.claims)
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        // By our own clock, below; the library reads the machine's.
        validation.validate_exp = false;
        validation
    }

    fn named(&self, claims: Claims) -> Result<Named, Failure> {
        let now = self.clock.now().timestamp();
        if claims.expiry.saturating_add(LEEWAY_SECONDS) <= now {
            return Err(unproven("it has expired; get a new one"));
        }
        if claims.not_before.is_some_and(|not_before| not_before > now.saturating_add(LEEWAY_SECONDS)) {
            return Err(unproven("it is not in force yet (nbf)"));
        }
        let Some(address) = claims.email else { return Ok(Named::Subject(claims.subject)) };
        if !claims.email_verified {
            return Err(unproven("the issuer has not verified its e-mail address (email_verified)"));
        }
        // Lower case makes ASCII of some other letters: who has the one address has not the other.
        let address = Some(address).filter(|address| address.is_ascii()).and_then(|address| address.parse().ok());
        address.map(Named::Person).ok_or_else(|| unproven("its email is no address in ASCII"))
    }
}

/// Says what is wrong with a token, and never what is in it.
fn refused(kind: &ErrorKind) -> Failure {
    match kind {
        ErrorKind::InvalidSignature => unproven("its signature is not the issuer's"),
        ErrorKind::InvalidAlgorithm | ErrorKind::InvalidAlgorithmName | ErrorKind::UnsupportedAlgorithm => {
            unproven("it is not signed with one of the algorithms that are configured")
        }
        ErrorKind::InvalidIssuer => unproven("it is of another issuer"),
        ErrorKind::InvalidAudience => unproven("it is for another audience"),
        ErrorKind::MissingRequiredClaim(claim) => unproven(&format!("it does not say {claim}")),
        _ => {
            unproven("it is no token that can be read: a signed JWT with exp (whole seconds), iss and aud is expected")
        }
    }
}

fn unproven(problem: &str) -> Failure {
    Failure::new(ErrorReason::CallerUnproven, format!("the bearer token proves nobody: {problem}"))
}

fn keys_away() -> Failure {
    Failure::new(ErrorReason::KeysUnavailable, "the keys of the tokens' issuer cannot be had at the moment; try again")
}

#[cfg(test)]
mod tests;
