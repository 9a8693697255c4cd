//! The secret of an access link (R30): 256 random bits, shown once, kept as a hash only.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use service_kit::{ServiceError, random_token};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// The secret. It cannot be printed by mistake: only `to_string` shows it.
pub(crate) struct LinkToken([u8; 32]);

/// A text that is no token.
pub(crate) struct LinkTokenError;

impl LinkToken {
    /// A new one.
    pub fn random() -> Result<Self, ServiceError> {
        random_token().map(Self)
    }

    /// What is kept of it. The bits are random, so that a plain hash is as good as a slow or salted one.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0).to_vec()
    }

    /// Whether a kept hash is this token's, in a time that tells nothing of where they differ.
    pub fn has_hash(&self, kept: &[u8]) -> bool {
        self.hash().ct_eq(kept).into()
    }
}

impl FromStr for LinkToken {
    type Err = LinkTokenError;

    fn from_str(text: &str) -> Result<Self, LinkTokenError> {
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| LinkTokenError)?;
        bytes.try_into().map(Self).map_err(|_| LinkTokenError)
    }
}

impl fmt::Display for LinkToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn random() -> LinkToken {
        LinkToken::random().unwrap_or_else(|error| panic!("a token: {error}"))
    }

    #[test]
    fn a_token_is_recognised_by_its_hash_and_no_other_is() {
        let token = random();
        let kept = token.hash();
        let Ok(told) = token.to_string().parse::<LinkToken>() else { panic!("a token is read as it is printed") };
        assert!(told.has_hash(&kept));
        assert!(!random().has_hash(&kept));
        assert!(!told.has_hash(&kept[1..]));
        assert_ne!(kept, token.0, "what is kept is not the secret");
    }

    #[test]
    fn a_text_of_other_length_or_other_characters_is_no_token() {
        let text = random().to_string();
        assert_eq!(text.len(), 43);
        for wrong in ["", "x", &text[1..], &format!("{text}A"), &format!("{text}="), &text.replace(&text[..1], "+")] {
            assert!(wrong.parse::<LinkToken>().is_err(), "{wrong}");
        }
    }
}
